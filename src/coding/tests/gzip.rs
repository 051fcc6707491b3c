//! The gzip coding, chains of codings, and the limits on both.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::{
    assert_split_makes_no_difference, data, limited, outcome_of_all_splits, pieces, planned, run,
    whole,
};
use crate::coding::{CodingError, Codings, STAGE_OUTPUT, plan};
use crate::http1::limits::Limits;
use crate::http1::testing::headers;

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// One member with every optional part of the header (RFC 1952 §2.3), its CRC16 as given.
fn with_all_header_parts(data: &[u8], crc16: [u8; 2]) -> Vec<u8> {
    let builder = GzBuilder::new().extra("extra").filename("name").comment("comment");
    let mut encoder = builder.write(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    let mut raw = encoder.finish().unwrap();
    raw[3] |= 2;
    let end_of_header = 10 + 2 + 5 + 5 + 8;
    raw.splice(end_of_header..end_of_header, crc16);
    raw
}

fn crc16(data: &[u8]) -> [u8; 2] {
    let mut crc = flate2::Crc::new();
    crc.update(data);
    let [low, high, ..] = crc.sum().to_le_bytes();
    [low, high]
}

/// The header of a member without and with a file name; the name itself follows.
const NAMELESS: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
const NAMED: &[u8] = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03";

const TEXT: &[u8] = b"hello hello hello, hello hello";

#[test]
fn complete_bodies() {
    let member = gzip(TEXT);
    let two = [member.clone(), gzip(b"world")].concat();
    let three = [gzip(b""), gzip(b"a"), gzip(b"")].concat();
    let padded = [member.as_slice(), &[0; 20]].concat();
    let header = with_all_header_parts(TEXT, [0, 0]);
    let with_header = with_all_header_parts(TEXT, crc16(&header[..30]));
    let cases: [(&[u8], &[u8]); 7] = [
        (b"", b""),
        (&member, TEXT),
        (&gzip(b""), b""),
        (&two, b"hello hello hello, hello helloworld"),
        (&three, b"a"),
        (&padded, TEXT),
        (&with_header, TEXT),
    ];
    for (raw, data) in cases {
        assert_eq!(whole("gzip", raw), (data.to_vec(), Ok(())), "{}", raw.escape_ascii());
        assert_split_makes_no_difference("gzip", raw);
    }
}

#[test]
fn corrupt_bodies_give_their_data_and_then_an_error() {
    let edited = |at: usize, byte: u8| {
        let mut raw = gzip(TEXT);
        let at = if at < 100 { at } else { raw.len() - (256 - at) };
        raw[at] ^= byte;
        raw
    };
    let followed_by = |tail: &[u8]| [gzip(TEXT).as_slice(), tail].concat();
    let (header, malformed) = ("it does not begin with a gzip header", "malformed");
    let (checksum, length) = ("its checksum is wrong", "its length is wrong");
    let follows = "unexpected data after its end";
    // RFC 1952 §2.3; offsets from 248 on count from the end.
    let cases: [(&str, Vec<u8>, &[u8], &str); 13] = [
        ("no gzip at all", b"hello".to_vec(), b"", header),
        ("one wrong byte", b"\x1e".to_vec(), b"", header),
        ("ID1", edited(0, 1), b"", header),
        ("ID2", edited(1, 1), b"", header),
        ("compression method", edited(2, 1), b"", malformed),
        ("reserved flag", edited(3, 0x20), b"", malformed),
        ("CRC of the header", with_all_header_parts(TEXT, [0, 0]), b"", malformed),
        ("block type", edited(10, 0x06), b"", malformed),
        ("CRC", edited(248, 1), TEXT, checksum),
        ("ISIZE", edited(252, 1), TEXT, length),
        ("garbage behind", followed_by(b"garbage"), TEXT, follows),
        ("garbage behind the padding", followed_by(b"\0\0\x1f\x8b"), TEXT, follows),
        ("a bad second member", followed_by(b"\x1f\x8c"), TEXT, header),
    ];
    for (name, raw, data, detail) in cases {
        let expected = (data.to_vec(), Err(CodingError::Corrupt { coding: "gzip", detail }));
        assert_eq!(whole("gzip", &raw), expected, "{name}");
        assert_split_makes_no_difference("gzip", &raw);
    }
}

#[test]
fn every_cut_is_an_error() {
    let first = gzip(TEXT).len();
    let raw = [gzip(TEXT), gzip(b"world"), vec![0; 3]].concat();
    let second = raw.len() - 3;
    for at in 0..=raw.len() {
        let (data, end) = whole("gzip", &raw[..at]);
        // Between two members a missing next member cannot be detected.
        let complete = at == 0 || at == first || at >= second;
        let expected = if complete { Ok(()) } else { Err(CodingError::Cut { coding: "gzip" }) };
        assert_eq!(end, expected, "cut at {at}");
        assert!([TEXT, b"world"].concat().starts_with(&data), "cut at {at}");
    }
}

type Nothing = (&'static str, Vec<u8>, Vec<u8>, Vec<u8>);

/// Sequences that can repeat endlessly without output: the start, the repeated part, and the rest
/// that completes the body.
fn nothings() -> Vec<Nothing> {
    let data = gzip(TEXT).split_off(10);
    let terminated = [b"\0", &*data].concat();
    let commented = b"\x1f\x8b\x08\x10\0\0\0\0\0\x03";
    vec![
        ("file name", NAMED.to_vec(), b"n".to_vec(), terminated.clone()),
        ("comment", commented.to_vec(), b"c".to_vec(), terminated),
        ("empty members", Vec::new(), gzip(b""), gzip(TEXT)),
        ("members that are a name", Vec::new(), named_and_empty(), gzip(TEXT)),
        ("empty stored blocks", NAMELESS.to_vec(), b"\0\0\0\xff\xff".to_vec(), data.clone()),
        ("empty fixed blocks", NAMELESS.to_vec(), empty_fixed_blocks(), data),
        ("padding", gzip(TEXT), b"\0".to_vec(), Vec::new()),
    ]
}

fn named_and_empty() -> Vec<u8> {
    GzBuilder::new()
        .filename("a long name")
        .write(Vec::new(), Compression::fast())
        .finish()
        .unwrap()
}

/// Four blocks of ten bits each: not the last block, fixed codes, end of block.
fn empty_fixed_blocks() -> Vec<u8> {
    let bits = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0].repeat(4);
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

fn repeated(start: &[u8], again: &[u8], length: usize, rest: &[u8]) -> Vec<u8> {
    [start, &again.repeat(length / again.len()), rest].concat()
}

/// Coded bytes without output are accepted up to the limit and refused soon after it, independent
/// of the split and of the output before them.
#[test]
fn coded_bytes_without_output_are_limited() {
    for (limit, has_room) in [(0, false), (1, false), (100, false), (3000, true)] {
        let limits = Limits { max_coded_bytes_without_output: limit, ..Limits::default() };
        let length = usize::try_from(limit).unwrap();
        for (what, start, again, rest) in nothings() {
            // Everything else that counts is less than 100 bytes.
            let beyond = repeated(&start, &again, length + length / 8 + 300, &rest);
            let end = outcome_of_all_splits("gzip", &beyond, &limits).1;
            assert_eq!(end, Err(CodingError::Idle(limit)), "{what}");
            let within = repeated(&start, &again, length.saturating_sub(100), &rest);
            let outcome = outcome_of_all_splits("gzip", &within, &limits);
            assert!(!has_room || outcome == (TEXT.to_vec(), Ok(())), "{what}: {outcome:?}");
        }
    }
}

/// The default limit is one megabyte, and output resets the count.
#[test]
fn the_default_limit_without_output_is_a_megabyte() {
    const MEGABYTE: usize = 1024 * 1024;
    for (what, start, again, rest) in nothings() {
        let raw = repeated(&start, &again, MEGABYTE, &rest);
        assert_eq!(whole("gzip", &raw), (TEXT.to_vec(), Ok(())), "{what}");
        let raw = repeated(&start, &again, MEGABYTE + 128 * 1024, b"");
        let end = Err(CodingError::Idle(MEGABYTE as u64));
        assert_eq!(whole("gzip", &raw).1, end, "{what}");
    }
    let noise: Vec<u8> =
        (0..32 * 1024_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let part = [gzip(&noise), gzip(b"").repeat(MEGABYTE / 2 / 20)].concat();
    assert_eq!(whole("gzip", &part.repeat(4)), (noise.repeat(4), Ok(())));
}

/// An occasional output byte does not pay for the empty members between.
#[test]
fn a_trickle_of_output_does_not_reset_the_limit() {
    let trickle = [gzip(b"x"), gzip(b"").repeat(1000)].concat();
    let (data, end) = whole("gzip", &trickle.repeat(60));
    assert_eq!(end, Err(CodingError::Idle(1024 * 1024)));
    assert!(data.len() > 40);
}

/// Legitimate bodies with the largest overhead: events, each in its own flush or member.
#[test]
fn small_events_are_delivered() {
    let member = GzBuilder::new().filename("event.txt").write(Vec::new(), Compression::fast());
    let mut member = member;
    member.write_all(b"e").unwrap();
    let member = member.finish().unwrap();
    assert_eq!(whole("gzip", &member.repeat(100_000)), (b"e".repeat(100_000), Ok(())));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for _ in 0..300_000 {
        encoder.write_all(b"\n").unwrap();
        encoder.flush().unwrap();
    }
    assert_eq!(whole("gzip", &encoder.finish().unwrap()), (b"\n".repeat(300_000), Ok(())));
}

/// Each stage counts separately: the large output of one stage may decode to nothing in the next.
#[test]
fn the_limit_without_output_holds_inside_a_chain() {
    let inner = repeated(NAMED, b"n", 3 * 1024 * 1024, b"");
    let (data, end) = whole("gzip, gzip", &gzip(&inner));
    assert_eq!((data, end), (Vec::new(), Err(CodingError::Idle(1024 * 1024))));
}

#[test]
fn names_are_case_insensitive_and_chains_are_decoded() {
    let twice = gzip(&gzip(TEXT));
    let four = gzip(&gzip(&twice));
    let cases: [(&[&str], &[u8]); 8] = [
        (&["gzip"], &gzip(TEXT)),
        (&["x-gzip"], &gzip(TEXT)),
        (&["GZip"], &gzip(TEXT)),
        (&["identity, , gzip"], &gzip(TEXT)),
        (&["gzip, gzip"], &twice),
        (&["gzip", "x-gzip"], &twice),
        (&["gzip, gzip", "gzip", "gzip"], &four),
        (&["gzip, gzip", "identity", "gzip, gzip"], &four),
    ];
    for (lines, raw) in cases {
        let fields: Vec<_> = lines.iter().map(|line| ("content-encoding", *line)).collect();
        let mut decoder =
            plan(&headers(&fields), Codings::default(), &Limits::default()).unwrap().unwrap();
        let mut data = [0; 64];
        let progress = decoder.decode(raw, &mut data).unwrap();
        assert_eq!(data[..progress.produced], *TEXT, "{lines:?}");
        assert_eq!((progress.consumed, decoder.eof()), (raw.len(), Ok(())), "{lines:?}");
    }
}

#[test]
fn chains_report_truncation_and_corruption() {
    let twice = gzip(&gzip(TEXT));
    let inner_cut = gzip(&gzip(TEXT)[..20]);
    let inner_garbage = gzip(&[gzip(TEXT).as_slice(), b"garbage"].concat());
    for raw in [b"", twice.as_slice(), &twice[..30], &inner_cut, &inner_garbage, &gzip(b"")] {
        assert_split_makes_no_difference("gzip, gzip", raw);
    }
    let cut = Err(CodingError::Cut { coding: "gzip" });
    assert_eq!(whole("gzip, gzip", &twice[..30]).1, cut);
    assert_eq!(whole("gzip, gzip", &inner_cut).1, cut);
    assert_eq!(whole("gzip, gzip", &gzip(b"")), (Vec::new(), Ok(())));
    let (data, end) = whole("gzip, gzip", &inner_garbage);
    assert_eq!(data, TEXT);
    assert!(matches!(end, Err(CodingError::Corrupt { .. })));
}

#[test]
fn long_chains_are_refused() {
    for lines in [&["gzip, gzip, gzip, gzip, gzip"][..], &["gzip"; 5], &["gzip"; 1000]] {
        assert!(lines.len() == 1 || lines.len() > Limits::default().max_content_codings);
        let fields: Vec<_> = lines.iter().map(|line| ("content-encoding", *line)).collect();
        assert!(matches!(
            plan(&headers(&fields), Codings::default(), &Limits::default()),
            Err(CodingError::TooManyCodings(4))
        ));
    }
}

/// Returns the start of a member that holds `start`, followed by more megabytes of `filler` (about
/// one kilobyte of input each) than are allowed regardless of the ratio.
fn bomb(start: &[u8], filler: u8) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(start).unwrap();
    encoder.flush().unwrap();
    let raw = [NAMELESS, encoder.get_ref()].concat();
    encoder.get_mut().clear();
    encoder.write_all(&vec![filler; 1024 * 1024]).unwrap();
    encoder.flush().unwrap();
    let megabytes =
        usize::try_from(Limits::default().decompressed_ratio_threshold).unwrap() / (1024 * 1024);
    [raw, encoder.get_ref().repeat(megabytes + 2)].concat()
}

#[test]
fn a_bomb_is_stopped_soon_after_it_shows() {
    let room = 64 * 1024;
    let (data, end) = run("gzip", [bomb(b"", 0).as_slice()], room);
    assert_eq!(end, Err(CodingError::RatioExceeded(250)));
    assert!(data.len() as u64 <= Limits::default().decompressed_ratio_threshold + room as u64);
}

/// An expansion between two stages is limited even if it produces no output at the end.
#[test]
fn a_bomb_between_two_stages_is_stopped() {
    let raw = gzip(&bomb(NAMED, b'n'));
    let limits = Limits { max_coded_bytes_without_output: u64::MAX, ..Limits::default() };
    let mut decoder = limited("gzip, gzip, gzip", &limits);
    assert_eq!(decoder.decode(&raw, &mut [0; 1024]), Err(CodingError::RatioExceeded(250)));
    assert!(
        decoder.stages[1].decoded
            <= Limits::default().decompressed_ratio_threshold + STAGE_OUTPUT as u64
    );
}

#[test]
fn the_ratio_matters_for_large_bodies_only() {
    let (free, most) =
        (Limits::default().decompressed_ratio_threshold, Limits::default().max_decompression_ratio);
    let cases = [
        (0, 0, true),
        (1, free, true),
        (1, free + 1, false),
        (free, free * most, true),
        (free, free * most + 1, false),
        (u64::MAX / most + 1, u64::MAX, true),
    ];
    for (encoded, decoded, is_fine) in cases {
        let mut decoder = planned("gzip");
        decoder.encoded = encoded;
        decoder.stages[0].decoded = decoded;
        let expected = if is_fine { Ok(()) } else { Err(CodingError::RatioExceeded(250)) };
        assert_eq!(decoder.eof(), expected, "{encoded} -> {decoded}");
        assert_eq!(decoder.decode(&[], &mut []).map(|_| ()), expected);
    }
}

proptest! {
    #[test]
    fn encoded_data_decodes_to_the_original(
        members in proptest::collection::vec(data(), 1..4),
        zeros in 0usize..5,
        sizes in proptest::collection::vec(1usize..50, 1..9),
        room in 1usize..200,
    ) {
        let mut raw: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
        raw.resize(raw.len() + zeros, 0);
        let (data, end) = run("gzip", pieces(&raw, &sizes), room);
        prop_assert_eq!(data, members.concat());
        prop_assert_eq!(end, Ok(()));
        let (data, end) = run("gzip, gzip", pieces(&gzip(&raw), &sizes), room);
        prop_assert_eq!(data, members.concat());
        prop_assert_eq!(end, Ok(()));
    }

    /// Damaged input never panics, splits make no difference, and data reported as complete is the
    /// data that was encoded.
    #[test]
    fn damage_is_detected(
        content in data(),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..3),
        sizes in proptest::collection::vec(1usize..50, 1..9),
    ) {
        let mut raw = gzip(&content);
        for (at, mask) in damage {
            let length = raw.len();
            raw[at % length] ^= mask;
        }
        let outcome = whole("gzip", &raw);
        prop_assert!(outcome.1.is_err() || outcome.0 == content);
        prop_assert_eq!(run("gzip", pieces(&raw, &sizes), 7), outcome);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        raw: Vec<u8>,
        sizes in proptest::collection::vec(1usize..50, 1..9),
    ) {
        let raw = [NAMELESS, &raw].concat();
        prop_assert_eq!(run("gzip", pieces(&raw, &sizes), 7), whole("gzip", &raw));
    }
}
