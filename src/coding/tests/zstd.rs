//! The zstd coding. The files in `data` and the bytes of [`TEXT`] were written by zstd 1.5.4.

use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{
    assert_split_makes_no_difference, data, limited, outcome_of_all_splits, pieces, planned, run,
    run_through, whole, words,
};
use crate::coding::CodingError;
use crate::http1::limits::Limits;

/// Encodes without a checksum.
pub(super) fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

const TEXT: &[u8] = b"hello hello hello, hello hello";

/// [`TEXT`] in a frame with a checksum: the frame header, a compressed block, and the checksum.
const FRAME: &[u8] = b"\x28\xb5\x2f\xfd\x04\x68\x7d\0\0\
    \x38\x68\x65\x6c\x6c\x6f\x20\x2c\x02\0\x30\xb9\x88\x51\x8a\xdd\xd7\xeb\x46";

const MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

const WORDS_SMALL: &[u8] = include_bytes!("data/words-600.zst");
const WORDS_19: &[u8] = include_bytes!("data/words-19.zst");
const WORDS_FAST: &[u8] = include_bytes!("data/words-fast.zst");

/// A skippable frame (RFC 8878 §3.1.2).
fn skippable(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_le_bytes();
    [b"\x5e\x2a\x4d\x18", &length[..], content].concat()
}

fn block(kind: u32, is_last: bool, size: usize, content: &[u8]) -> Vec<u8> {
    let header = (u32::try_from(size).unwrap() << 3 | kind << 1 | u32::from(is_last)).to_le_bytes();
    [&header[..3], content].concat()
}

fn raw_block(content: &[u8], is_last: bool) -> Vec<u8> {
    block(0, is_last, content.len(), content)
}

/// A frame of these blocks, with a window of 2 MiB.
fn frame(blocks: &[Vec<u8>]) -> Vec<u8> {
    [MAGIC, b"\0\x58", &blocks.concat()].concat()
}

fn corrupt(detail: &'static str) -> Result<(), CodingError> {
    Err(CodingError::Corrupt { coding: "zstd", detail })
}

#[test]
fn complete_bodies() {
    let empty = frame(&[raw_block(b"", true)]);
    let both = [TEXT, TEXT].concat();
    let cases: [(Vec<u8>, &[u8]); 10] = [
        (Vec::new(), b""),
        (FRAME.to_vec(), TEXT),
        (empty.clone(), b""),
        (zstd(TEXT), TEXT),
        ([FRAME, FRAME].concat(), &both),
        ([&empty, FRAME, &empty, FRAME, &empty].concat(), &both),
        (skippable(b"nothing"), b""),
        ([&skippable(b""), FRAME, &skippable(b"x"), FRAME, &skippable(b"yz")].concat(), &both),
        (frame(&[raw_block(b"raw", false), block(1, true, 5, b"e")]), b"raweeeee"),
        (WORDS_SMALL.to_vec(), &words()[..600]),
    ];
    for (raw, data) in cases {
        assert_eq!(whole("zstd", &raw), (data.to_vec(), Ok(())), "{}", raw.escape_ascii());
        assert_split_makes_no_difference("zstd", &raw);
    }
    for raw in [WORDS_19, WORDS_FAST] {
        assert_eq!(outcome_of_all_splits("zstd", raw, &Limits::default()), (words(), Ok(())));
    }
}

#[test]
fn corrupt_bodies_give_their_data_and_then_an_error() {
    let edited = |at: usize, byte: u8| {
        let mut raw = FRAME.to_vec();
        raw[at] ^= byte;
        raw
    };
    let followed_by = |tail: &[u8]| [FRAME, tail].concat();
    let sized = |size: u8, data: &[u8]| {
        [MAGIC, &[0x20, size], &raw_block(data, true)].concat() // a single segment
    };
    let (header, malformed) = ("it does not begin with a zstd header", "malformed");
    let (length, follows) = ("its length is wrong", "unexpected data after its end");
    let rest = |blocks: &[Vec<u8>]| frame(&[&[raw_block(b"ok", false)], blocks].concat());
    let cases: [(&str, Vec<u8>, &[u8], &str); 16] = [
        ("no zstd at all", b"hello".to_vec(), b"", header),
        ("magic", edited(0, 1), b"", header),
        ("reserved bit", edited(4, 8), b"", malformed),
        ("dictionary", [MAGIC, b"\x01\x58\x07"].concat(), b"", "it needs a dictionary"),
        ("block type", rest(&[block(3, true, 0, b"")]), b"ok", malformed),
        ("block size", rest(&[block(0, true, 128 * 1024 + 1, b"")]), b"ok", malformed),
        ("repeated byte", rest(&[block(1, true, 128 * 1024 + 1, b"x")]), b"ok", malformed),
        ("empty compressed block", rest(&[block(2, true, 0, b"")]), b"ok", malformed),
        ("no Huffman table before", rest(&[block(2, true, 5, b"\x13\0\0\0\0")]), b"ok", malformed),
        ("reserved mode", rest(&[block(2, true, 4, b"\x08x\x01\x03")]), b"ok", malformed),
        ("literals", edited(10, 1), b"", "its checksum is wrong"),
        ("checksum", edited(25, 1), TEXT, "its checksum is wrong"),
        ("less than announced", sized(3, b"ok"), b"", length),
        ("more than announced", sized(1, b"ok"), b"", malformed),
        ("garbage behind", followed_by(b"garbage"), TEXT, follows),
        ("padding", followed_by(b"\0\0\0\0"), TEXT, follows),
    ];
    for (name, raw, data, detail) in cases {
        let outcome = whole("zstd", &raw);
        assert_eq!(outcome.1, corrupt(detail), "{name}");
        assert!(name == "literals" || outcome.0 == data, "{name}");
        assert_split_makes_no_difference("zstd", &raw);
    }
    let beyond = [MAGIC, b"\x80\x58\x05\0\0\0", &rest(&[block(1, true, 9, b"x")])[6..]].concat();
    assert_eq!(whole("zstd", &beyond), (b"ok".to_vec(), corrupt(length)));
}

#[test]
fn every_cut_is_an_error() {
    let skipped = skippable(b"abc");
    let raw = [FRAME, &skipped, FRAME].concat();
    let ends = [0, FRAME.len(), FRAME.len() + skipped.len(), raw.len()];
    for at in 0..=raw.len() {
        let (data, end) = whole("zstd", &raw[..at]);
        let cut = Err(CodingError::Cut { coding: "zstd" });
        assert_eq!(end, if ends.contains(&at) { Ok(()) } else { cut }, "cut at {at}");
        assert!([TEXT, TEXT].concat().starts_with(&data), "cut at {at}");
    }
    for at in (1..WORDS_FAST.len()).step_by(11) {
        let cut = Err(CodingError::Cut { coding: "zstd" });
        assert_eq!(whole("zstd", &WORDS_FAST[..at]).1, cut, "cut at {at}");
    }
}

/// RFC 9659 §3.
#[test]
fn windows_are_limited_to_8_mib() {
    let of_window = |byte: u8| [MAGIC, &[0, byte], &raw_block(b"ok", true)].concat();
    let of_size =
        |size: u32| [MAGIC, b"\xa0", &size.to_le_bytes(), &raw_block(b"ok", true)].concat();
    let refused = (Vec::new(), corrupt("its window is larger than 8 MiB"));
    let exponent = |log: u8| (log - 10) << 3;
    assert_eq!(whole("zstd", &of_window(exponent(23))), (b"ok".to_vec(), Ok(())));
    assert_eq!(whole("zstd", &of_window(exponent(23) + 1)), refused);
    assert_eq!(whole("zstd", &of_window(0xff)), refused);
    // A single segment has a window as large as its content.
    let length = corrupt("its length is wrong");
    assert_eq!(whole("zstd", &of_size(8 << 20)), (Vec::new(), length));
    assert_eq!(whole("zstd", &of_size((8 << 20) + 1)), refused);
    assert_eq!(whole("zstd", &[MAGIC, b"\xe0", &[0xff; 8]].concat()), refused);
}

/// Three literals, and as many matches of 65,539 bytes: more than a block may hold, from 17 bytes.
#[test]
fn a_block_decodes_to_at_most_128_kib() {
    let with_matches = |count: u8| {
        let literals = [0x08 | count << 4, b'x', b'x', b'x'];
        let literals = &literals[..1 + usize::from(count)];
        let literals = [&[count << 3][..], &literals[1..]].concat();
        // The tables have one symbol each: one literal, the last offset, the longest match.
        let sequences = [&[count, 0x54, 1, 0, 52][..], &[0, 0].repeat(count.into()), &[1]].concat();
        let content = [literals, sequences].concat();
        frame(&[raw_block(b"ok", false), block(2, true, content.len(), &content)])
    };
    let one = whole("zstd", &with_matches(1));
    assert_eq!((one.0.len(), one.1), (2 + 1 + 65_539, Ok(())));
    assert_eq!(whole("zstd", &with_matches(2)), (b"ok".to_vec(), corrupt("malformed")));
    assert_split_makes_no_difference("zstd", &with_matches(2));
}

/// Matches reach back to the start of the window and no further, independent of what is still in memory.
#[test]
fn matches_reach_no_further_than_the_window() {
    // One literal, and a match of three bytes whose offset has ten bits: 1024 - 3 and those bits.
    let reaching = |offset: u16, before: usize| {
        let bits = u32::from(offset + 3 - 1024) | 1 << 10;
        let bits = bits.to_le_bytes();
        let content = [&b"\x08x\x01\x54\x01\x0a\x00"[..], &bits[..2]].concat();
        let blocks =
            [raw_block(&vec![b'a'; before], false), block(2, true, content.len(), &content)];
        [MAGIC, b"\0\0", &blocks.concat()].concat() // a window of 1 KiB
    };
    let is_fine = |offset, before| whole("zstd", &reaching(offset, before)).1.is_ok();
    assert!(is_fine(1024, 1023));
    assert!(!is_fine(1025, 1024), "beyond the window");
    assert!(!is_fine(1024, 1022), "before the frame");
}

/// An event stream is delivered event by event.
#[test]
fn a_block_is_delivered_as_soon_as_it_is_there() {
    let mut decoder = planned("zstd");
    let mut output = [0; 100];
    let events = [raw_block(b"one\n", false), block(1, false, 3, b"2"), raw_block(b"3\n", false)];
    let start = [MAGIC, b"\0\x68"].concat();
    let delivered = [start].into_iter().chain(events).map(|raw| {
        let progress = decoder.decode(&raw, &mut output).unwrap();
        assert_eq!(progress.consumed, raw.len());
        output[..progress.produced].to_vec()
    });
    assert_eq!(delivered.collect::<Vec<_>>(), [&b""[..], b"one\n", b"222", b"3\n"]);
}

/// Coded bytes without output are accepted up to the limit and refused soon after it.
#[test]
fn coded_bytes_without_output_are_limited() {
    let empty = frame(&[raw_block(b"", true)]);
    let nothings = [
        ("empty frames", Vec::new(), empty, FRAME.to_vec()),
        ("skippable frames", Vec::new(), skippable(b"abc"), FRAME.to_vec()),
        ("skippable content", b"\x50\x2a\x4d\x18\0\0\0\x10".to_vec(), vec![0; 100], Vec::new()),
        ("empty blocks", frame(&[]), raw_block(b"", false), raw_block(b"", true)),
    ];
    for limit in [0, 100, 3000] {
        let limits = Limits { max_coded_bytes_without_output: limit, ..Limits::default() };
        let length = usize::try_from(limit).unwrap();
        for (what, start, again, rest) in &nothings {
            let beyond = again.repeat((length + length / 8 + 300) / again.len());
            let beyond = [&**start, &beyond, rest].concat();
            let end = outcome_of_all_splits("zstd", &beyond, &limits).1;
            assert_eq!(end, Err(CodingError::Idle(limit)), "{what}");
            let within = again.repeat(length.saturating_sub(100) / again.len());
            let within = [&**start, &within, rest].concat();
            let end = outcome_of_all_splits("zstd", &within, &limits).1;
            assert!(limit < 3000 || !matches!(end, Err(CodingError::Idle(_))), "{what}: {end:?}");
        }
    }
}

#[test]
fn a_bomb_is_stopped_soon_after_it_shows() {
    let threshold = Limits::default().decompressed_ratio_threshold;
    let bomb = frame(&[block(1, false, 128 * 1024, b"x").repeat(200)]);
    let (data, end) = run("zstd", [bomb.as_slice()], 64 * 1024);
    assert_eq!(end, Err(CodingError::RatioExceeded(250)));
    assert!(data.len() as u64 <= threshold + 64 * 1024);
}

proptest! {
    #[test]
    fn encoded_data_decodes_to_the_original(
        frames in proptest::collection::vec(data(), 1..4),
        sizes in proptest::collection::vec(1usize..50, 1..9),
        room in 1usize..200,
    ) {
        let raw: Vec<u8> = frames.iter().flat_map(|frame| zstd(frame)).collect();
        let (data, end) = run("zstd", pieces(&raw, &sizes), room);
        prop_assert_eq!(data, frames.concat());
        prop_assert_eq!(end, Ok(()));
    }

    /// Damaged input never panics, splits make no difference, and data with a checksum that is reported as
    /// complete is the data that was encoded.
    #[test]
    fn damage_is_detected(
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..3),
        sizes in proptest::collection::vec(1usize..50, 1..9),
    ) {
        let originals = [(FRAME, TEXT.to_vec()), (WORDS_SMALL, words()[..600].to_vec()), (WORDS_19, words())];
        for (raw, content) in originals {
            let mut raw = raw.to_vec();
            for (at, mask) in &damage {
                let length = raw.len() - 5; // a frame without its checksum would be complete
                raw[5 + at % length] ^= mask;
            }
            let outcome = whole("zstd", &raw);
            prop_assert!(outcome.1.is_err() || outcome.0 == content);
            prop_assert_eq!(run("zstd", pieces(&raw, &sizes), 7), outcome);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        raw: Vec<u8>,
        sizes in proptest::collection::vec(1usize..50, 1..9),
    ) {
        for kind in [0, 2] {
            let raw = frame(&[block(kind, true, raw.len(), &raw)]);
            prop_assert_eq!(run("zstd", pieces(&raw, &sizes), 7), whole("zstd", &raw));
        }
        let raw = [MAGIC, &raw].concat();
        let limits = Limits::default();
        prop_assert_eq!(
            run("zstd", pieces(&raw, &sizes), 7),
            run_through(limited("zstd", &limits), [&*raw], 5)
        );
    }
}
