//! The deflate coding, in both of its forms.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::{assert_split_makes_no_difference, limited, run_through, whole};
use crate::coding::CodingError;
use crate::http1::limits::Limits;

const TEXT: &[u8] = b"hello hello hello hello";

fn zlib(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn bare(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn both_forms_are_decoded() {
    for level in [0, 1, 6, 9] {
        for raw in [zlib(TEXT, level), bare(TEXT, level)] {
            assert_eq!(whole("deflate", &raw), (TEXT.to_vec(), Ok(())));
            assert_split_makes_no_difference("deflate", &raw);
        }
    }
    assert_eq!(whole("deflate", b""), (Vec::new(), Ok(())), "no bytes at all");
    assert_eq!(whole("DEFLATE", &zlib(b"", 6)), (Vec::new(), Ok(())));
    let twice = zlib(&bare(TEXT, 6), 6);
    assert_eq!(whole("deflate, deflate", &twice), (TEXT.to_vec(), Ok(())));
}

#[test]
fn corrupt_data_is_an_error() {
    let good = zlib(TEXT, 6);
    let with = |at: usize, byte: u8| {
        let mut raw = good.clone();
        raw[at] = byte;
        raw
    };
    let last = good.len() - 1;
    let cases = [
        (with(1, 0), "its header is wrong"),
        (with(last, !good[last]), "its checksum is wrong"),
        ([&good[..], b"x"].concat(), "unexpected data after its end"),
        ([&good[..], &good].concat(), "unexpected data after its end"),
        (vec![0x07, 0xff], "malformed"),
    ];
    for (raw, detail) in cases {
        let (_, outcome) = whole("deflate", &raw);
        assert_eq!(outcome, Err(CodingError::Corrupt { coding: "deflate", detail }));
        assert_split_makes_no_difference("deflate", &raw);
    }
}

/// Empty blocks can follow each other endlessly in both forms.
#[test]
fn coded_bytes_without_output_are_limited() {
    const EMPTY: &[u8] = b"\0\0\0\xff\xff";
    let limits = Limits { max_coded_bytes_without_output: 1000, ..Limits::default() };
    for (start, rest) in [(&b"\x78\x9c"[..], zlib(b"", 6).split_off(2)), (b"", bare(b"", 6))] {
        for (length, end) in [(900, Ok(())), (1100, Err(CodingError::Idle(1000)))] {
            let raw = [start, &EMPTY.repeat(length / EMPTY.len()), &rest].concat();
            for (piece, room) in [(raw.len(), 64), (1, 1), (3, 64), (500, 1)] {
                let decoder = limited("deflate", &limits);
                let outcome = run_through(decoder, raw.chunks(piece), room);
                assert_eq!(outcome, (Vec::new(), end.clone()), "{length}");
            }
        }
    }
}

#[test]
fn truncated_data_is_an_error() {
    for raw in [zlib(TEXT, 6), bare(TEXT, 6)] {
        for end in 1..raw.len() {
            let (_, outcome) = whole("deflate", &raw[..end]);
            assert_eq!(outcome, Err(CodingError::Cut { coding: "deflate" }), "{end}");
        }
    }
}

proptest! {
    #[test]
    fn encoded_data_decodes_to_the_original(data in any::<Vec<u8>>(), level in 0..10_u32) {
        prop_assert_eq!(whole("deflate", &zlib(&data, level)), (data.clone(), Ok(())));
        prop_assert_eq!(whole("deflate", &bare(&data, level)), (data, Ok(())));
    }

    #[test]
    fn arbitrary_bytes_always_terminate(raw in any::<Vec<u8>>()) {
        let _ = whole("deflate", &raw);
    }
}
