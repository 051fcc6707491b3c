//! Runs whole bodies through a decoder, in all splits.

use super::{CodingError, Codings, Decoder, plan};
use crate::http1::limits::Limits;
use crate::http1::testing::headers;

type Outcome = (Vec<u8>, Result<(), CodingError>);

pub(super) fn planned(content_encoding: &str) -> Decoder {
    limited(content_encoding, &Limits::default())
}

pub(super) fn limited(content_encoding: &str, limits: &Limits) -> Decoder {
    let headers = headers(&[("content-encoding", content_encoding)]);
    plan(&headers, Codings::default(), limits).unwrap().unwrap()
}

/// Feeds `pieces` one after the other, with room for this many bytes at a time, then the end.
pub(super) fn run<'p>(
    content_encoding: &str,
    pieces: impl IntoIterator<Item = &'p [u8]>,
    room: usize,
) -> Outcome {
    run_through(planned(content_encoding), pieces, room)
}

/// Like [`run`], through the given decoder.
pub(super) fn run_through<'p>(
    mut decoder: Decoder,
    pieces: impl IntoIterator<Item = &'p [u8]>,
    room: usize,
) -> Outcome {
    let mut data = Vec::new();
    let mut output = vec![0; room];
    for mut piece in pieces {
        loop {
            let progress = match decoder.decode(piece, &mut output) {
                Ok(progress) => progress,
                Err(error) => {
                    assert_eq!(decoder.decode(piece, &mut output), Err(error.clone()));
                    return (data, Err(error));
                }
            };
            data.extend_from_slice(&output[..progress.produced]);
            piece = &piece[progress.consumed..];
            if piece.is_empty() && progress.produced < room {
                break;
            }
        }
    }
    (data, decoder.eof())
}

pub(super) fn whole(content_encoding: &str, raw: &[u8]) -> Outcome {
    run(content_encoding, [raw], 64 * 1024)
}

/// Asserts that neither the split of the input nor the size of the output makes a difference.
pub(super) fn assert_split_makes_no_difference(content_encoding: &str, raw: &[u8]) {
    let expected = whole(content_encoding, raw);
    for room in [1, 7, 4096] {
        assert_eq!(run(content_encoding, raw.chunks(1), room), expected, "room {room}");
        for at in 0..raw.len() {
            let (head, tail) = raw.split_at(at);
            let outcome = run(content_encoding, [head, tail], room);
            assert_eq!(outcome, expected, "split at {at}, room {room}");
        }
    }
}
