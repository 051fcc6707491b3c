//! Tests of the codings, and what runs whole bodies through a decoder, in all splits.

#[cfg(feature = "brotli")]
mod brotli;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
use proptest::prelude::*;

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
    for (name, feature, is_there) in
        [("br", "brotli", cfg!(feature = "brotli")), ("zstd", "zstd", cfg!(feature = "zstd"))]
    {
        Codings::default().switch(name, false).unwrap();
        let error = Codings::default().switch(name, true).err().map(|error| error.to_string());
        let line = format!("{feature}: it needs the feature `{feature}` of leanhttp");
        assert_eq!(error, (!is_there).then_some(line));
    }
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

#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
type Outcome = (Vec<u8>, Result<(), CodingError>);

#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
fn planned(content_encoding: &str) -> Decoder {
    limited(content_encoding, &Limits::default())
}

#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
fn limited(content_encoding: &str, limits: &Limits) -> Decoder {
    let headers = headers(&[("content-encoding", content_encoding)]);
    plan(&headers, Codings::default(), limits).unwrap().unwrap()
}

/// Feeds `pieces` one after the other, with room for this many bytes at a time, then the end.
#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
fn run<'p>(
    content_encoding: &str,
    pieces: impl IntoIterator<Item = &'p [u8]>,
    room: usize,
) -> Outcome {
    run_through(planned(content_encoding), pieces, room)
}

/// Like [`run`], through the given decoder.
#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
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

#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
fn whole(content_encoding: &str, raw: &[u8]) -> Outcome {
    run(content_encoding, [raw], 64 * 1024)
}

/// Asserts that neither the split of the input nor the size of the output makes a difference.
#[cfg(any(feature = "gzip", feature = "deflate", feature = "brotli", feature = "zstd"))]
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

#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
fn outcome_of_all_splits(content_encoding: &str, raw: &[u8], limits: &Limits) -> Outcome {
    let outcome = run_through(limited(content_encoding, limits), [raw], 64 * 1024);
    for piece in [1, 2, 50, raw.len() / 2 + 1] {
        for room in [1, 7, 64 * 1024] {
            let split = run_through(limited(content_encoding, limits), raw.chunks(piece), room);
            assert_eq!(split, outcome, "pieces of {piece}, room for {room}");
        }
    }
    outcome
}

#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
/// Compressible and incompressible content.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let repeated = ("[a-c]{0,9}", 0usize..200).prop_map(|(text, n)| text.repeat(n).into_bytes());
    prop_oneof![repeated, proptest::collection::vec(any::<u8>(), 0..300)]
}

#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
/// Splits `raw` into pieces of these sizes, repeated cyclically.
fn pieces<'r>(mut raw: &'r [u8], sizes: &[usize]) -> Vec<&'r [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if raw.is_empty() {
            break;
        }
        let (piece, rest) = raw.split_at(raw.len().min(*size));
        pieces.push(piece);
        raw = rest;
    }
    pieces
}

/// The decoded content of the files in `data`: 30,007 bytes of words and numbers.
#[cfg(any(feature = "brotli", feature = "zstd"))]
fn words() -> Vec<u8> {
    const WORDS: [&str; 12] =
        ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "far"];
    let (mut state, mut words) = (1_u64, String::new());
    while words.len() < 30_000 {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let (word, number) = ((state >> 16) as usize % WORDS.len(), (state >> 8) % 97);
        words += &format!("{}{number} ", WORDS[word]);
    }
    words.into_bytes()
}

/// Chains are decoded in the reverse of the order in which their codings were applied.
#[cfg(all(feature = "gzip", feature = "brotli", feature = "zstd"))]
#[test]
fn different_codings_in_a_chain_are_decoded_in_their_order() {
    let (gzip, br, zstd) = (
        gzip::gzip as fn(&[u8]) -> Vec<u8>,
        brotli::brotli as fn(&[u8]) -> Vec<u8>,
        zstd::zstd as fn(&[u8]) -> Vec<u8>,
    );
    let text = words();
    let cases = [
        ("gzip, br, zstd", zstd(&br(&gzip(&text)))),
        ("zstd, gzip, br", br(&gzip(&zstd(&text)))),
        ("br, zstd, gzip", gzip(&zstd(&br(&text)))),
    ];
    for (codings, raw) in cases {
        assert_eq!(run(codings, raw.chunks(1000), 100), (text.clone(), Ok(())), "{codings}");
        let wrong = codings.split(", ").collect::<Vec<_>>();
        let wrong = [wrong[2], wrong[1], wrong[0]].join(", ");
        assert!(whole(&wrong, &raw).1.is_err(), "{codings}");
    }
}

#[test]
fn codings_are_offered_in_the_order_of_preference() {
    let expected: Vec<_> = [
        ("zstd", cfg!(feature = "zstd")),
        ("br", cfg!(feature = "brotli")),
        ("gzip", cfg!(feature = "gzip")),
        ("deflate", cfg!(feature = "deflate")),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect();
    let offered = Codings::default().accept_encoding();
    assert_eq!(offered.map_or(String::new(), |o| o.to_str().unwrap().into()), expected.join(", "));
}
