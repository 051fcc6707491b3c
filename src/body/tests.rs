use proptest::prelude::*;

use super::*;

impl Source for Given {
    fn may_rewind(&self) -> Result<(), Unrewindable> {
        if self.is_stream { Err(Unrewindable::Stream) } else { Ok(()) }
    }

    fn rewind(&mut self) {
        self.at = 0;
    }
}

struct Given {
    bytes: Vec<u8>,
    at: usize,
    is_stream: bool,
}

impl Given {
    fn read(&mut self, into: &mut [u8], step: usize) -> usize {
        let rest = &self.bytes[self.at..];
        let count = into.len().min(step).min(rest.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        count
    }
}

fn source(bytes: &[u8], length: SourceLength) -> Segment<Given> {
    let source = Given { bytes: bytes.to_vec(), at: 0, is_stream: false };
    Segment::Source { source, length, left: length }
}

/// Reads a body to its end; each source returns at most `step` bytes per read.
fn drain(mut body: Body<Given>, space: usize, step: usize) -> Result<Vec<Vec<u8>>, BodyError> {
    pieces(&mut body, space, step, usize::MAX)
}

/// Like `drain`, with a bound on the number of steps.
fn pieces(
    body: &mut Body<Given>,
    space: usize,
    step: usize,
    steps: usize,
) -> Result<Vec<Vec<u8>>, BodyError> {
    let (mut pieces, mut memory) = (Vec::new(), vec![0; space]);
    for _ in 0..steps {
        let count = match body.feed(&mut memory) {
            Feed::Filled(0) => return Ok(pieces),
            Feed::Filled(count) => {
                pieces.push(memory[..count].to_vec());
                continue;
            }
            Feed::Read { source, into, .. } => source.read(into, step),
        };
        body.fed(count)?;
    }
    Ok(pieces)
}

/// Bytes can always be sent again. One reader that cannot rewind makes that impossible once a byte
/// was read.
#[test]
fn a_stream_cannot_be_sent_again_once_it_was_read() {
    let mut body = Body::<Given>::from("bytes");
    let stream = Given { bytes: b"stream".to_vec(), at: 0, is_stream: true };
    let length = SourceLength::Unknown;
    body.push(Segment::Source { source: stream, length, left: length });
    assert_eq!((body.may_be_sent_again(), body.rewind()), (Ok(()), Ok(())));
    let _ = pieces(&mut body, 9, 1, 1);
    let refused = Err(Unrewindable::Stream);
    assert_eq!((body.may_be_sent_again(), body.rewind()), (refused, refused));
}

#[test]
fn a_small_mixed_body_is_one_piece() {
    let mut body = Body::<Given>::from("head ");
    body.push(source(b"file", SourceLength::Exactly(4)));
    body.push(Segment::Bytes(Bytes::from_static(b" tail")));
    assert_eq!(body.length(), Some(14));
    assert_eq!(drain(body, 64, 3).unwrap(), [b"head file tail"]);
}

#[test]
fn bytes_of_an_unknown_source_do_not_wait() {
    let body = Body::<Given>::from_segment(source(b"abcd", SourceLength::Unknown));
    assert_eq!(body.length(), None);
    assert_eq!(drain(body, 64, 3).unwrap(), [b"abc".to_vec(), b"d".to_vec()]);
}

#[test]
fn announced_lengths_are_kept_or_it_is_an_error() {
    use SourceLength::{AtLeast, Exactly, ToItsEnd};
    type Case = (&'static [u8], SourceLength, Result<&'static [u8], BodyError>);
    let cases: [Case; 12] = [
        (b"abc", Exactly(3), Ok(b"abc")),
        (b"abc", Exactly(5), Err(BodyError::TooShort { missing: 2 })),
        (b"abc", Exactly(2), Ok(b"ab")),
        (b"abc", Exactly(0), Ok(b"")),
        (b"", Exactly(0), Ok(b"")),
        (b"abc", AtLeast(2), Ok(b"ab")),
        (b"abc", AtLeast(5), Err(BodyError::TooShort { missing: 2 })),
        (b"", ToItsEnd(0), Ok(b"")),
        (b"abc", ToItsEnd(0), Err(BodyError::TooLong)),
        (b"abc", ToItsEnd(3), Ok(b"abc")),
        (b"abc", ToItsEnd(2), Err(BodyError::TooLong)),
        (b"abc", ToItsEnd(4), Err(BodyError::TooShort { missing: 1 })),
    ];
    for (bytes, length, expected) in cases {
        for space in 1..6 {
            let body = Body::<Given>::from_segment(source(bytes, length));
            let sent = drain(body, space, 2).map(|pieces| pieces.concat());
            assert_eq!(sent, expected.map(<[u8]>::to_vec), "{length:?} space {space}");
        }
    }
}

/// Bytes after the announced length belong to the caller, who may continue to read them.
#[test]
fn a_longer_source_is_not_read_beyond_its_length() {
    for length in [SourceLength::Exactly(4), SourceLength::AtLeast(4)] {
        for space in 1..9 {
            let mut body = Body::<Given>::from_segment(source(b"abcdef", length));
            let (mut memory, mut read) = (vec![0; space], 0);
            loop {
                let count = match body.feed(&mut memory) {
                    Feed::Filled(0) => break,
                    Feed::Filled(_) => continue,
                    Feed::Read { into, .. } => into.len(),
                };
                read += count;
                body.fed(count).unwrap();
            }
            assert_eq!(read, 4, "space {space}");
        }
    }
}

proptest! {
    #[test]
    fn every_segment_comes_out_once_and_in_order(
        segments in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0..4_u8), 0..6),
        space in 2..50_usize,
        step in 1..20_usize,
        before in 0..30_usize,
    ) {
        let mut body = Body::<Given>::default();
        for (bytes, kind) in &segments {
            let length = bytes.len() as u64;
            body.push(match kind {
                0 => Segment::Bytes(bytes.clone().into()),
                1 => source(bytes, SourceLength::Unknown),
                2 => source(bytes, SourceLength::Exactly(length)),
                _ => source(bytes, SourceLength::AtLeast(length)),
            });
        }
        let expected: Vec<u8> = segments.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        if let Some(length) = body.length() {
            prop_assert_eq!(length, expected.len() as u64);
        }
        // Any part of it may have been sent before.
        let _ = pieces(&mut body, space, step, before);
        prop_assert_eq!(body.rewind(), Ok(()));
        prop_assert!(body.is_whole());
        prop_assert_eq!(drain(body, space, step).unwrap().concat(), expected);
    }
}
