use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::testing::{Lines, headers};
use super::*;

/// The outcome of a body: the data delivered, and the end.
#[derive(Debug, PartialEq)]
struct Outcome {
    data: Vec<u8>,
    end: Result<End, ProtocolError>,
}

#[derive(Debug, PartialEq)]
struct End {
    consumed: usize,
    trailers: Vec<(String, String)>,
}

/// The method by which the driver reads the data.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Copied, with space for this many bytes at a time.
    Copied(usize),
    /// Read directly, bypassing the decoder wherever that is possible.
    Direct,
}

/// Feeds `pieces` one after the other, then the end of input.
fn run<'p>(limits: &Limits, pieces: impl IntoIterator<Item = &'p [u8]>, way: Way) -> Outcome {
    let mut decoder = ChunkedDecoder::new(limits);
    let mut data = Vec::new();
    let mut consumed = 0;
    for mut piece in pieces {
        loop {
            if let (Way::Direct, count @ 1..) = (way, decoder.remaining_in_chunk()) {
                let count = piece.len().min(count.try_into().unwrap());
                data.extend_from_slice(&piece[..count]);
                decoder.advance(count);
                (piece, consumed) = (&piece[count..], consumed + count);
            }
            let mut room = vec![0; if let Way::Copied(room) = way { room } else { 0 }];
            let progress = match decoder.decode(piece, &mut room) {
                Ok(progress) => progress,
                Err(error) => {
                    assert_eq!(decoder.decode(b"0\r\n\r\n", &mut [0; 9]), Err(error.clone()));
                    assert_eq!(decoder.eof(), error);
                    return Outcome { data, end: Err(error) };
                }
            };
            data.extend_from_slice(&room[..progress.produced]);
            (piece, consumed) = (&piece[progress.consumed..], consumed + progress.consumed);
            if progress == DecodeProgress::default() {
                break;
            }
        }
    }
    if !decoder.is_done() {
        return Outcome { data, end: Err(decoder.eof()) };
    }
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let trailers = decoder.take_trailers().0;
    let trailers = trailers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    Outcome { data, end: Ok(End { consumed, trailers: trailers.collect() }) }
}

fn whole(raw: &[u8]) -> Outcome {
    run(&Limits::default(), [raw], Way::Copied(raw.len() + 1))
}

/// Asserts that neither a split of the input nor the reading method changes the outcome.
fn assert_split_makes_no_difference(raw: &[u8]) {
    let expected = whole(raw);
    let limits = Limits::default();
    for way in [Way::Copied(1), Way::Copied(3), Way::Copied(4096), Way::Direct] {
        assert_eq!(run(&limits, [raw], way), expected, "{way:?}");
        assert_eq!(run(&limits, raw.chunks(1), way), expected, "byte by byte, {way:?}");
        for at in 1..raw.len() {
            let (head, tail) = raw.split_at(at);
            assert_eq!(run(&limits, [head, tail], way), expected, "split at {at}, {way:?}");
        }
    }
}

/// Trailers may be secrets, such as signatures.
#[test]
fn debug_shows_no_trailers() {
    let mut decoder = ChunkedDecoder::new(&Limits::default());
    decoder.decode(b"0\r\na: secret\r\nb: secret", &mut []).unwrap();
    let shown = format!("{decoder:?}");
    assert_eq!(
        shown,
        "ChunkedDecoder { state: Trailers, trailers: ReceivedTrailers { len: 1, .. }, .. }"
    );
}

#[test]
fn complete_bodies() {
    let cases: [(&[u8], &[u8]); 40] = [
        (b"0\r\n\r\n", b""),
        (b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"00000000000000005\r\nhello\r\n0000000000000000000000000000\r\n\r\n", b"hello"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"0a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        // Data may be any bytes, even the end of a body.
        (b"3\r\n\x00\xff\r\r\n0\r\n\r\n", b"\x00\xff\r"),
        (b"7\r\n0\r\n\r\nab\r\n0\r\n\r\n", b"0\r\n\r\nab"),
        // §7.1.1: extensions are read and ignored, with whitespace around ";" and "=".
        (b"5;a=b\r\nhello\r\n0;c\r\n\r\n", b"hello"),
        (b"5;a\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a;b=c;d\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5 ; a = b\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5\t;\ta\t=\tb\t;c\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"b\\\"c\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"\\\\\" ;b=\"\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"\xc3\xa4\t\";b=\"=\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;!#$%&'*+-.^_`|~=1\r\nhello\r\n0\r\n\r\n", b"hello"),
        // Blanks after the size, with or without an extension.
        (b"5   \r\nhello\r\n0  \r\n\r\n", b"hello"),
        (b"5\t\r\nhello\r\n0\t \t\r\n\r\n", b"hello"),
        (b"5 \t ;a\r\nhello\r\n0 ;\r\n\r\n", b"hello"),
        (b"0005    \r\nhello\r\n0000    \r\nX-T: v\r\n\r\n", b"hello"),
        // §7.1.1: a recipient ignores unknown extensions, in any form.
        (b"5;\r\nhello\r\n0;\r\n\r\n", b"hello"),
        (b"5; \r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;=b\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a b\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=b c\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;;a\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a\0\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;\xe9\xff\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"b\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"\\\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;a=\"\x7f\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"5;\x1b[0m \r\nhello\r\n0\r\n\r\n", b"hello"),
        // §7.1.2: trailers.
        (b"5\r\nhello\r\n0\r\nX-T: v\r\n\r\n", b"hello"),
        (b"5\r\nhello\r\n0;last\r\nX-T:\tv \r\nY:\r\n\r\n", b"hello"),
        // The bytes after the body are not consumed.
        (b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"hello"),
        (b"0\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b""),
    ];
    for (raw, data) in cases {
        let outcome = whole(raw);
        assert_eq!(outcome.data, data, "{}", raw.escape_ascii());
        assert!(outcome.end.is_ok(), "{}: {outcome:?}", raw.escape_ascii());
        assert_split_makes_no_difference(raw);
    }
}

#[test]
fn trailers_are_kept_as_received_and_have_no_effect() {
    let cases: [(&[u8], Lines); 4] = [
        (b"0\r\nX-T: v\r\n\r\n", &[("x-t", "v")]),
        (b"0\r\nA: 1\r\nb:2\r\na:  3\t\r\n\r\n", &[("a", "1"), ("a", "3"), ("b", "2")]),
        (b"0\r\nX:\r\nY: a: b, \"c\"\r\n\r\n", &[("x", ""), ("y", "a: b, \\\"c\\\"")]),
        (
            b"0\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nhello",
            &[("content-length", "5"), ("set-cookie", "a=b")],
        ),
    ];
    for (raw, expected) in cases {
        let trailers = whole(raw).end.unwrap().trailers;
        let trailers: Vec<_> =
            trailers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(trailers, expected, "{}", raw.escape_ascii());
    }
}

#[test]
fn leftover_bytes_are_not_consumed() {
    assert_eq!(whole(b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1").end.unwrap().consumed, 15);
    assert_eq!(whole(b"0\r\nA: b\r\n\r\n\r\n").end.unwrap().consumed, 11);
}

#[test]
fn malformed_bodies_deliver_their_data_and_then_the_reason() {
    use ProtocolError::{
        ChunkTooLarge, InvalidChunkEnd, InvalidChunkExtension, InvalidChunkLineEnd,
        InvalidChunkSize, InvalidTrailer,
    };
    let trailer = |name: &str| InvalidTrailer(Excerpt::new(name.as_bytes()));
    let cases: [(&[u8], &[u8], ProtocolError); 50] = [
        // §7.1: chunk-size is 1*HEXDIG.
        (b"\r\nhello", b"", InvalidChunkSize(b'\r')),
        (b"0x5\r\nhello", b"", InvalidChunkSize(b'x')),
        (b"+5\r\nhello", b"", InvalidChunkSize(b'+')),
        (b"-5\r\nhello", b"", InvalidChunkSize(b'-')),
        (b" 5\r\nhello", b"", InvalidChunkSize(b' ')),
        (b"\t5\r\nhello", b"", InvalidChunkSize(b'\t')),
        (b"1_0\r\nhello", b"", InvalidChunkSize(b'_')),
        (b"g\r\nhello", b"", InvalidChunkSize(b'g')),
        (b"5g\r\nhello", b"", InvalidChunkSize(b'g')),
        (b"\"5\"\r\nhello", b"", InvalidChunkSize(b'"')),
        (b"5\x00\r\nhello", b"", InvalidChunkSize(b'\0')),
        (b"5\xef\xbc\x95\r\nhello", b"", InvalidChunkSize(b'\xef')),
        (b";a=b\r\n", b"", InvalidChunkSize(b';')),
        // Sizes that overflow some integer type.
        (b"8000000000000000\r\n", b"", ChunkTooLarge),
        (b"fffffffffffffffe\r\n", b"", ChunkTooLarge),
        (b"ffffffffffffffff\r\n", b"", ChunkTooLarge),
        (b"10000000000000000\r\n", b"", ChunkTooLarge),
        (b"10000000000000005\r\nhello", b"", ChunkTooLarge),
        (b"99999999999999999999999999999999999999\r\n", b"", ChunkTooLarge),
        // Line ends: CRLF and nothing else.
        (b"5\nhello\n0\n\n", b"", InvalidChunkSize(b'\n')),
        (b"5\r\r\nhello", b"", InvalidChunkLineEnd(b'\r')),
        (b"5\rx\nhello", b"", InvalidChunkLineEnd(b'x')),
        (b"5;a\nhello", b"", InvalidChunkExtension(b'\n')),
        (b"5;a\r\rhello", b"", InvalidChunkLineEnd(b'\r')),
        (b"0\n\r\n", b"", InvalidChunkSize(b'\n')),
        // Blanks before and between digits, and other white space after them.
        (b"5 0\r\nhello", b"", InvalidChunkSize(b'0')),
        (b"5\t5\r\nhello", b"", InvalidChunkSize(b'5')),
        (b" 5 \r\nhello", b"", InvalidChunkSize(b' ')),
        (b"5 a=b\r\nhello", b"", InvalidChunkSize(b'a')),
        (b"5 x\r\nhello", b"", InvalidChunkSize(b'x')),
        (b"5 \nhello", b"", InvalidChunkSize(b'\n')),
        (b"0 \n\r\n", b"", InvalidChunkSize(b'\n')),
        (b"5\x0b\r\nhello", b"", InvalidChunkSize(b'\x0b')),
        (b"5\x0c\r\nhello", b"", InvalidChunkSize(b'\x0c')),
        (b"5\xa0\r\nhello", b"", InvalidChunkSize(b'\xa0')),
        (b"5 \r\rhello", b"", InvalidChunkLineEnd(b'\r')),
        // §7.1.1: an extension ends with its line.
        (b"5;a\rb\r\nhello", b"", InvalidChunkLineEnd(b'b')),
        (b"5;a=\"\\\r\"\r\nhello", b"", InvalidChunkLineEnd(b'"')),
        (b"5;a=\"b\nc\"\r\nhello", b"", InvalidChunkExtension(b'\n')),
        // The end of a chunk.
        (b"5\r\nhello0\r\n\r\n", b"hello", InvalidChunkEnd(b'0')),
        (b"5\r\nhello\n0\r\n\r\n", b"hello", InvalidChunkEnd(b'\n')),
        (b"5\r\nhello\rX0\r\n\r\n", b"hello", InvalidChunkEnd(b'X')),
        (b"5\r\nhello\r\n\r\n0\r\n\r\n", b"hello", InvalidChunkSize(b'\r')),
        // §7.1.2: trailers.
        (b"2\r\nok\r\n0\r\ngarbage\r\n\r\n", b"ok", trailer("garbage")),
        (b"2\r\nok\r\n0\r\nX-T : secret\r\n\r\n", b"ok", trailer("X-T ")),
        (b"2\r\nok\r\n0\r\nX-T: a\0secret\r\n\r\n", b"ok", trailer("X-T")),
        (b"2\r\nok\r\n0\r\n: secret\r\n\r\n", b"ok", trailer("")),
        (b"2\r\nok\r\n0\r\nA: b\r\n folded: c\r\n\r\n", b"ok", trailer(" folded")),
        (b"2\r\nok\r\n0\r\nA: b\n\r\n", b"ok", trailer("A")),
        (b"2\r\nok\r\n0\r\nA: b\r\r\n\r\n", b"ok", trailer("A")),
    ];
    for (raw, data, error) in cases {
        let expected = Outcome { data: data.to_vec(), end: Err(error) };
        assert_eq!(whole(raw), expected, "{}", raw.escape_ascii());
        assert_split_makes_no_difference(raw);
    }
}

/// RFC 9112 §8: a body is incomplete until its last CRLF has been received.
#[test]
fn every_cut_is_an_error() {
    let raw = b"5;a=\"b\"\r\nhello\r\n3\r\n123\r\n0\r\nX-T: v\r\n\r\n";
    for at in 0..raw.len() {
        let outcome = whole(&raw[..at]);
        assert!(
            matches!(outcome.end, Err(ProtocolError::EofInChunked { .. })),
            "cut at {at}: {outcome:?}"
        );
        assert!(b"hello123".starts_with(&outcome.data));
    }
    let missing = |raw| whole(raw).end.unwrap_err();
    assert_eq!(missing(b"5\r\nhe"), ProtocolError::EofInChunked { missing: 3 });
    assert_eq!(missing(b"7fffffffffffffff\r\nab"), {
        ProtocolError::EofInChunked { missing: (1 << 63) - 3 }
    });
}

#[test]
fn bytes_that_are_not_data_are_limited() {
    let limits = Limits {
        max_chunk_extension_bytes: 100,
        max_trailer_bytes: 100,
        max_trailers: 3,
        ..Limits::default()
    };
    let endless_extension = format!("1;{}", "a".repeat(200));
    let many_extensions = "1;aa\r\nx\r\n".repeat(50);
    let endless_zeros = "0".repeat(200);
    let endless_space = format!("1{}", " ".repeat(200));
    let endless_trailer = format!("0\r\nA: {}", "b".repeat(200));
    let long_trailers =
        format!("0\r\n{}\r\n", "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n".repeat(3));
    let many_trailers = format!("0\r\n{}\r\n", "A:\r\n".repeat(4));
    let cases = [
        (endless_extension, ProtocolError::ChunkExtensionsTooLarge(100)),
        (many_extensions, ProtocolError::ChunkExtensionsTooLarge(100)),
        (endless_zeros, ProtocolError::ChunkExtensionsTooLarge(100)),
        (endless_space, ProtocolError::ChunkExtensionsTooLarge(100)),
        (endless_trailer, ProtocolError::TrailersTooLarge(100)),
        (long_trailers, ProtocolError::TrailersTooLarge(100)),
        (many_trailers, ProtocolError::TooManyTrailers(3)),
    ];
    for (raw, error) in cases {
        let raw = raw.as_bytes();
        for way in [Way::Copied(1), Way::Copied(1000), Way::Direct] {
            let whole = run(&limits, [raw], way);
            assert_eq!(whole.end, Err(error.clone()));
            assert_eq!(run(&limits, raw.chunks(1), way), whole);
        }
    }
}

/// The limit itself is allowed; one more is an error.
#[test]
fn limits_are_inclusive() {
    use ProtocolError::{ChunkExtensionsTooLarge, TooManyTrailers, TrailersTooLarge};
    let limits = Limits {
        max_chunk_extension_bytes: 10,
        max_trailer_bytes: 20,
        max_trailers: 3,
        ..Limits::default()
    };
    let cases: [(&[u8], &[u8], ProtocolError); 5] = [
        // Summed over all lines, without significant digits and line ends.
        (b"0;aaaaaaaa\r\n\r\n", b"0;aaaaaaaaa\r\n\r\n", ChunkExtensionsTooLarge(10)),
        (
            b"1;aaaa\r\nx\r\n1;aa\r\nx\r\n00\r\n\r\n",
            b"1;aaaa\r\nx\r\n1;aaa\r\nx\r\n00\r\n\r\n",
            ChunkExtensionsTooLarge(10),
        ),
        (
            b"0000000001\r\nx\r\n0\r\n\r\n",
            b"0000000001\r\nx\r\n00\r\n\r\n",
            ChunkExtensionsTooLarge(10),
        ),
        // Includes the line ends and the blank line.
        (b"0\r\nA:bbbbbbbbbbbbbb\r\n\r\n", b"0\r\nA:bbbbbbbbbbbbbbb\r\n\r\n", TrailersTooLarge(20)),
        (b"0\r\nA:\r\nA:\r\nA:\r\n\r\n", b"0\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n", TooManyTrailers(3)),
    ];
    for (fits, too_much, error) in cases {
        for way in [Way::Copied(1), Way::Copied(100)] {
            let end = run(&limits, [fits], way).end;
            assert!(end.is_ok(), "{}: {end:?}", fits.escape_ascii());
            assert_eq!(run(&limits, [too_much], way).end, Err(error.clone()));
        }
    }
}

#[test]
fn a_million_one_byte_chunks_pass() {
    let raw = b"1\r\nx\r\n".repeat(1_000_000);
    let mut decoder = ChunkedDecoder::new(&Limits::default());
    let mut output = vec![0; 1_000_000];
    let progress = decoder.decode(&raw, &mut output).unwrap();
    assert_eq!(progress, DecodeProgress { consumed: raw.len(), produced: 1_000_000 });
    assert!(output.iter().all(|byte| *byte == b'x'));
}

/// With no output space the decoder advances to the next data, or to the end.
#[test]
fn bytes_between_the_data_need_no_space() {
    let mut decoder = ChunkedDecoder::new(&Limits::default());
    let none: &mut [u8] = &mut [];
    let consumed = |consumed| Ok(DecodeProgress { consumed, produced: 0 });
    assert_eq!(decoder.decode(b"5;a=b\r\nhello", none), consumed(7));
    assert_eq!(decoder.remaining_in_chunk(), 5);
    decoder.advance(2);
    assert_eq!(decoder.remaining_in_chunk(), 3);
    assert_eq!(
        decoder.decode(b"llo", &mut [0; 9]),
        Ok(DecodeProgress { consumed: 3, produced: 3 })
    );
    assert_eq!(decoder.remaining_in_chunk(), 0);
    assert_eq!(decoder.decode(b"\r\n1\r\n!", none), consumed(5));
    decoder.advance(1);
    assert_eq!(decoder.decode(b"\r\n0\r\n\r\nrest", none), consumed(7));
    assert!(decoder.is_done());
    assert_eq!(decoder.decode(b"rest", &mut [0; 9]), consumed(0));
}

#[test]
fn size_lines_are_written_to_the_right_end() {
    let largest = format!("{:x}\r\n", usize::MAX);
    let cases = [(1, "1\r\n"), (0x10, "10\r\n"), (0xabc9, "abc9\r\n"), (usize::MAX, &largest)];
    for (size, line) in cases {
        let mut space = [0; SIZE_LINE];
        let start = write_size_line(size, &mut space);
        assert_eq!(space[start..], *line.as_bytes());
    }
}

/// RFC 9112 §7.1.2: the trailers after the last chunk can be read back.
#[test]
fn trailers_are_written_after_the_last_chunk() {
    let cases: [(Lines, &str); 2] = [
        (&[], "0\r\n\r\n"),
        (&[("a", "1"), ("b", ""), ("a", "2")], "0\r\na: 1\r\na: 2\r\nb: \r\n\r\n"),
    ];
    for (trailers, expected) in cases {
        let trailers = headers(trailers);
        let mut out = Buffer::default();
        write_end(&trailers, &mut out);
        assert_eq!(out.data(), expected.as_bytes());
        let mut decoder = ChunkedDecoder::new(&Limits::default());
        decoder.decode(out.data(), &mut []).unwrap();
        assert!(decoder.is_done());
        assert_eq!(decoder.take_trailers().0, trailers);
    }
}

proptest! {
    #[test]
    fn decodes_what_was_encoded(body in body(), splits in splits(), room in 1usize..64) {
        let raw = body.encode();
        let outcome = run(&Limits::default(), pieces(&raw, &splits), Way::Copied(room));
        prop_assert_eq!(&outcome.data, &body.chunks.concat());
        let expected = End { consumed: raw.len(), trailers: body.trailers };
        prop_assert_eq!(outcome.end, Ok(expected));
    }

    /// For any modification of the bytes, the decoder agrees with a naive one, and no split makes a
    /// difference.
    #[test]
    fn agrees_with_a_naive_decoder(body in body(), edits in edits(), splits in splits()) {
        let raw = edit(body.encode(), &edits);
        let outcome = whole(&raw);
        let complete = outcome.end.as_ref().ok().map(|end| (outcome.data.clone(), end.consumed));
        prop_assert_eq!(complete, naive::decode(&raw));
        for way in [Way::Copied(1), Way::Copied(7), Way::Direct] {
            prop_assert_eq!(&run(&Limits::default(), pieces(&raw, &splits), way), &outcome);
        }
    }

    #[test]
    fn written_size_lines_are_read_back(size in 1..=usize::MAX >> 1) {
        let mut space = [0; SIZE_LINE];
        let start = write_size_line(size, &mut space);
        let mut decoder = ChunkedDecoder::new(&Limits::default());
        decoder.decode(&space[start..], &mut []).unwrap();
        prop_assert_eq!(decoder.remaining_in_chunk(), size as u64);
    }
}

/// A body as written by a server.
#[derive(Debug)]
struct Body {
    chunks: Vec<Vec<u8>>,
    extension: String,
    trailers: Vec<(String, String)>,
}

impl Body {
    fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::new();
        for chunk in &self.chunks {
            raw.extend(format!("{:X}{}\r\n", chunk.len(), self.extension).into_bytes());
            raw.extend(chunk);
            raw.extend(CHUNK_END);
        }
        raw.extend(format!("0{}\r\n", self.extension).into_bytes());
        for (name, value) in &self.trailers {
            raw.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        raw.extend(b"\r\n");
        raw
    }
}

fn body() -> impl Strategy<Value = Body> {
    let chunk = proptest::collection::vec(any::<u8>(), 1..40);
    let extension = r#"([ \t]{0,2};[ \t]?[a-z]{1,3}([ ]?=[ ]?([a-z0-9]{1,4}|"([ a-z;=]|\\["\\]){0,4}"))?){0,3}"#;
    let trailer_value = "([a-z]([a-z ,]{0,5}[a-z])?)?";
    (
        proptest::collection::vec(chunk, 0..6),
        extension,
        proptest::collection::vec(trailer_value, 0..4),
    )
        .prop_map(|(chunks, extension, values)| Body {
            chunks,
            extension,
            trailers: values.into_iter().enumerate().map(|(n, v)| (format!("x-{n}"), v)).collect(),
        })
}

#[derive(Debug, Clone)]
enum Edit {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    // Bytes with a meaning in a size line.
    let byte = || prop_oneof![4 => proptest::sample::select(&b"\r\n;=\"\\ \t0aF:,\0"[..]), 1 => any::<u8>()];
    let edit = prop_oneof![
        (any::<usize>(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<usize>(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        any::<usize>().prop_map(Edit::Remove),
    ];
    proptest::collection::vec(edit, 0..4)
}

fn edit(mut raw: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let length = raw.len();
        match *edit {
            Edit::Insert(at, byte) => raw.insert(at % (length + 1), byte),
            _ if length == 0 => {}
            Edit::Replace(at, byte) => raw[at % length] = byte,
            Edit::Remove(at) => drop(raw.remove(at % length)),
        }
    }
    raw
}

fn splits() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0usize..20, 1..20)
}

/// Splits `raw` into pieces of these sizes, repeated.
fn pieces<'r>(mut raw: &'r [u8], sizes: &[usize]) -> Vec<&'r [u8]> {
    let mut pieces = Vec::new();
    let mut sizes = VecDeque::from(sizes.to_vec());
    sizes.push_back(1);
    while !raw.is_empty() {
        sizes.rotate_left(1);
        let (piece, rest) = raw.split_at(raw.len().min(sizes[0]));
        pieces.push(piece);
        raw = rest;
    }
    pieces
}

/// A decoder that needs the whole body in memory and searches instead of stepping through states. It has
/// no limits.
mod naive {
    /// Returns the data and the length of the body; `None` if it is malformed or incomplete.
    pub(super) fn decode(raw: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut rest = raw;
        let mut data = Vec::new();
        loop {
            let (line, after) = split_line(rest)?;
            let size = size(line)?;
            if size == 0 {
                rest = after;
                break;
            }
            data.extend(after.get(..size)?);
            rest = after.get(size..)?.strip_prefix(b"\r\n")?;
        }
        loop {
            let (line, after) = split_line(rest)?;
            rest = after;
            if line.is_empty() {
                return Some((data, raw.len() - rest.len()));
            }
            let colon = line.iter().position(|byte| *byte == b':')?;
            let visible = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f;
            let name = &line[..colon];
            if name.is_empty() || !line.iter().all(visible) || skip_token(name) != b"" {
                return None;
            }
        }
    }

    fn split_line(raw: &[u8]) -> Option<(&[u8], &[u8])> {
        let end = raw.windows(2).position(|pair| pair == b"\r\n")?;
        Some((&raw[..end], &raw[end + 2..]))
    }

    fn size(line: &[u8]) -> Option<usize> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, rest) = line.split_at(digits);
        let size = i64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let is_ended = matches!(rest[blanks..], [] | [b';', ..]);
        let is_one_line = !rest.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        (is_ended && is_one_line).then(|| size.try_into().unwrap_or(usize::MAX))
    }

    fn skip_token(rest: &[u8]) -> &[u8] {
        let special = b"!#$%&'*+-.^_`|~";
        let is_token = |byte: &&u8| byte.is_ascii_alphanumeric() || special.contains(byte);
        &rest[rest.iter().take_while(is_token).count()..]
    }
}

/// A usual line is parsed at once if all of it has arrived, and any other byte by byte.
#[test]
fn a_size_line_is_the_same_at_once_and_byte_by_byte() {
    let lines = [
        "5\r\n",
        "a\r\n",
        "fF\r\n",
        "12345678\r\n",
        "123456789\r\n",
        "7fffffffffffffff\r\n",
        "8000000000000000\r\n",
        "0\r\n",
        "00\r\n",
        "005\r\n",
        "5 \r\n",
        "5;a=b\r\n",
        "5\n",
        "5\rx",
        "\r\n",
        "g\r\n",
        "5g\r\n",
        "-5\r\n",
        " 5\r\n",
        "12345678g\r\n",
        "0x5\r\n",
    ];
    for line in lines {
        let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut decoder = ChunkedDecoder::new(&Limits::default());
            let mut outcomes = pieces.map(|piece| decoder.decode(piece, &mut []));
            let error = outcomes.find_map(|outcome| outcome.err());
            drop(outcomes);
            (error, decoder.remaining_in_chunk())
        };
        let whole = read(&mut [line.as_bytes()].into_iter());
        let bytes = read(&mut line.as_bytes().chunks(1));
        assert_eq!(whole, bytes, "{line:?}");
    }
}
