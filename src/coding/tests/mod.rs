//! Tests of the codings, and what runs whole bodies through a decoder, in all splits.

#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "gzip")]
mod gzip;

use super::*;
use crate::http1::testing::headers;

/// RFC 9110 §8.4: a body with an unsupported coding is passed on unchanged.
#[test]
fn no_decoder_is_planned_for_unsupported_codings() {
    let cases: [&[&str]; 10] = [
        &[],
        &[""],
        &[",, ,"],
        &["identity"],
        &["Identity", "identity"],
        &["bogus"],
        &["gzip, bogus"],
        &["bogus", "gzip"],
        &["gzip;q=1"],
        &["\"gzip\""],
    ];
    for lines in cases {
        let fields: Vec<_> = lines.iter().map(|line| ("content-encoding", *line)).collect();
        assert!(
            plan(&headers(&fields), Codings::default(), &Limits::default()).unwrap().is_none(),
            "{lines:?}"
        );
    }
}

#[test]
fn offered_codings_can_be_decoded() {
    let names = Codings::default().accept_encoding();
    let names = names.as_ref().map_or("", |names| names.to_str().unwrap());
    for name in names.split(", ").filter(|name| !name.is_empty()) {
        let decoder =
            plan(&headers(&[("content-encoding", name)]), Codings::default(), &Limits::default())
                .unwrap()
                .unwrap();
        assert_eq!(decoder.stages.len(), 1, "{name}");
    }
    assert_eq!(names.is_empty(), CODINGS.is_empty());
}

#[test]
fn each_coding_can_be_switched_off() {
    for coding in CODINGS {
        let name = coding.name;
        let mut codings = Codings::default();
        codings.switch(name, false).unwrap();
        assert!(codings.iter().all(|coding| coding.name != name));
        assert!(
            plan(&headers(&[("content-encoding", name)]), codings, &Limits::default())
                .unwrap()
                .is_none()
        );
        assert_eq!(codings.iter().count(), CODINGS.len() - 1);
        codings.switch(name, true).unwrap();
        assert_eq!(codings, Codings::default());
    }
    let mut none = Codings::default();
    CODINGS.iter().for_each(|coding| none.switch(coding.name, false).unwrap());
    assert_eq!(none.accept_encoding(), None);
    none.switch("bogus", false).unwrap();
    let error = none.switch("bogus", true).unwrap_err();
    assert!(error.is_builder());
    assert_eq!(error.to_string(), "bogus: it needs the feature `bogus` of leanhttp");
    assert_eq!(none.accept_encoding(), None);
}

/// The buffer grows only after it was filled.
#[cfg(feature = "gzip")]
#[test]
fn large_bodies_are_read_in_large_pieces() {
    let mut decoder = planned("gzip");
    let room = [FIRST_PIECE - 1, FIRST_PIECE, 1, PIECE].map(|count| {
        let room = decoder.space().len();
        decoder.filled(count).unwrap();
        decoder.coded.clear();
        room
    });
    assert_eq!(room, [FIRST_PIECE, FIRST_PIECE, PIECE, PIECE]);
}

#[cfg(any(feature = "gzip", feature = "deflate"))]
type Outcome = (Vec<u8>, Result<(), CodingError>);

#[cfg(any(feature = "gzip", feature = "deflate"))]
fn planned(content_encoding: &str) -> Decoder {
    limited(content_encoding, &Limits::default())
}

#[cfg(any(feature = "gzip", feature = "deflate"))]
fn limited(content_encoding: &str, limits: &Limits) -> Decoder {
    let headers = headers(&[("content-encoding", content_encoding)]);
    plan(&headers, Codings::default(), limits).unwrap().unwrap()
}

/// Feeds `pieces` one after the other, with room for this many bytes at a time, then the end.
#[cfg(any(feature = "gzip", feature = "deflate"))]
fn run<'p>(
    content_encoding: &str,
    pieces: impl IntoIterator<Item = &'p [u8]>,
    room: usize,
) -> Outcome {
    run_through(planned(content_encoding), pieces, room)
}

/// Like [`run`], through the given decoder.
#[cfg(any(feature = "gzip", feature = "deflate"))]
fn run_through<'p>(
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

#[cfg(any(feature = "gzip", feature = "deflate"))]
fn whole(content_encoding: &str, raw: &[u8]) -> Outcome {
    run(content_encoding, [raw], 64 * 1024)
}

/// Asserts that neither the split of the input nor the size of the output makes a difference.
#[cfg(any(feature = "gzip", feature = "deflate"))]
fn assert_split_makes_no_difference(content_encoding: &str, raw: &[u8]) {
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
