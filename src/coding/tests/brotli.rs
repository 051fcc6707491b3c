//! The brotli coding. `data/words-11.br` was written by the reference encoder.

use ::brotli::enc::BrotliEncoderParams;
use proptest::prelude::*;

use super::{
    Outcome, assert_split_makes_no_difference, data, outcome_of_all_splits, pieces, run, whole,
    words,
};
use crate::coding::CodingError;
use crate::http1::limits::Limits;

pub(super) fn brotli(mut data: &[u8]) -> Vec<u8> {
    let parameters = BrotliEncoderParams { quality: 5, lgwin: 18, ..Default::default() };
    let mut raw = Vec::new();
    ::brotli::BrotliCompress(&mut data, &mut raw, &parameters).unwrap();
    raw
}

const TEXT: &[u8] = b"hello hello hello, hello hello";

/// [`TEXT`], by the reference encoder.
const STREAM: &[u8] = b"\x1b\x1d\0\xf8\x8d\xd4\x4e\xf9\xc3\x50\x54\x65\
    \x68\xcd\x06\xc2\xf2\xb6\x68\x80\x27\x0e\x68\x3c\x57\x1c";

const WORDS_11: &[u8] = include_bytes!("data/words-11.br");

fn corrupt(detail: &'static str) -> Result<(), CodingError> {
    Err(CodingError::Corrupt { coding: "br", detail })
}

#[test]
fn complete_bodies() {
    // RFC 7932 §9.2: an empty last meta-block behind a window of 64 KiB, and behind metadata.
    let cases: [(&[u8], &[u8]); 5] = [
        (b"", b""),
        (b"\x06", b""),
        (&brotli(b""), b""),
        (STREAM, TEXT),
        (&brotli(&words()[..600]), &words()[..600]),
    ];
    for (raw, data) in cases {
        assert_eq!(whole("br", raw), (data.to_vec(), Ok(())), "{}", raw.escape_ascii());
        assert_split_makes_no_difference("br", raw);
    }
    assert_eq!(outcome_of_all_splits("br", WORDS_11, &Limits::default()), (words(), Ok(())));
}

#[test]
fn corrupt_bodies_are_errors() {
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("large window (RFC 7932 has none)", b"\x11\x1e\x03".to_vec(), "malformed"),
        ("window bits", b"\x11".to_vec(), "malformed"),
        ("no brotli at all", b"\xff\xff\xff\xff\xff\xff".to_vec(), "malformed"),
        ("garbage behind", [STREAM, b"x"].concat(), "unexpected data after its end"),
        ("a second stream", [STREAM, STREAM].concat(), "unexpected data after its end"),
    ];
    for (name, raw, detail) in cases {
        let (data, end) = whole("br", &raw);
        assert_eq!(end, corrupt(detail), "{name}");
        assert!(data.is_empty() || data == TEXT, "{name}");
        assert_split_makes_no_difference("br", &raw);
    }
}

#[test]
fn every_cut_is_an_error() {
    let words = words();
    for (raw, content) in [(STREAM, TEXT), (WORDS_11, &words)] {
        for at in (1..raw.len()).step_by(1 + raw.len() / 1000) {
            let (data, end) = whole("br", &raw[..at]);
            assert_eq!(end, Err(CodingError::Cut { coding: "br" }), "cut at {at}");
            assert!(content.starts_with(&data), "cut at {at}");
        }
    }
}

/// Every damage of one byte: splits make no difference to the data before the fault.
#[test]
fn damage_of_every_byte() {
    for at in 0..STREAM.len() {
        for mask in [1, 0x10, 0x80, 0xff] {
            let mut raw = STREAM.to_vec();
            raw[at] ^= mask;
            assert_split_makes_no_difference("br", &raw);
        }
    }
}

/// Empty meta-blocks of metadata (RFC 7932 §9.2) can repeat without end.
#[test]
fn coded_bytes_without_output_are_limited() {
    // A window of 64 KiB and empty metadata, then empty metadata again and again: the bits after the first
    // are 0 (not the last), 11 (no length), 0 (reserved), 00 (no bytes), and padding.
    let limits = Limits { max_coded_bytes_without_output: 3000, ..Limits::default() };
    let within = [&b"\x0c"[..], &[6; 2900], b"\x03"].concat();
    assert_eq!(outcome_of_all_splits("br", &within, &limits), (Vec::new(), Ok(())));
    let beyond = [&b"\x0c"[..], &[6; 4000], b"\x03"].concat();
    assert_eq!(outcome_of_all_splits("br", &beyond, &limits).1, Err(CodingError::Idle(3000)));
}

#[test]
fn a_bomb_is_stopped_soon_after_it_shows() {
    let threshold = Limits::default().decompressed_ratio_threshold;
    let zeros = vec![0; usize::try_from(threshold).unwrap() + 1024 * 1024];
    let (data, end) = run("br", [brotli(&zeros).as_slice()], 64 * 1024);
    assert_eq!(end, Err(CodingError::RatioExceeded(250)));
    assert!(data.len() as u64 <= threshold + 64 * 1024);
}

/// Returns whether the end is the same and the data too, up to a fault: see the page of the module.
fn are_alike((data, end): Outcome, (other, other_end): Outcome) -> bool {
    let is_prefix = data.starts_with(&other) || other.starts_with(&data);
    end == other_end && if end.is_ok() { data == other } else { is_prefix }
}

/// The decoder alone would lose all of these 3,000 bytes when it meets the fault.
#[test]
fn what_was_decoded_before_a_fault_is_delivered() {
    let mut raw = WORDS_11.to_vec();
    raw.truncate(3000);
    let before = whole("br", &raw).0;
    raw.extend([0xff; 100]);
    let (data, end) = whole("br", &raw);
    assert_eq!(end, corrupt("malformed"));
    assert!(before.len() > 3000 && data.starts_with(&before));
}

proptest! {
    #[test]
    fn encoded_data_decodes_to_the_original(
        content in data(),
        sizes in proptest::collection::vec(1usize..50, 1..9),
        room in 1usize..200,
    ) {
        let (data, end) = run("br", pieces(&brotli(&content), &sizes), room);
        prop_assert_eq!(data, content);
        prop_assert_eq!(end, Ok(()));
    }

    /// Damaged input never panics, and splits make no difference.
    #[test]
    fn damage_is_decoded_alike(
        content in data(),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..3),
        sizes in proptest::collection::vec(1usize..50, 1..9),
    ) {
        for raw in [brotli(&content), WORDS_11.to_vec()] {
            let mut raw = raw;
            for (at, mask) in &damage {
                let length = raw.len();
                raw[at % length] ^= mask;
            }
            prop_assert!(are_alike(run("br", pieces(&raw, &sizes), 7), whole("br", &raw)));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        raw: Vec<u8>,
        sizes in proptest::collection::vec(1usize..50, 1..9),
    ) {
        prop_assert!(are_alike(run("br", pieces(&raw, &sizes), 7), whole("br", &raw)));
    }
}
