//! Zstandard: the outcome does not depend on how the input is split or on the output space; the
//! output of another encoder is decoded; a truncated body is not complete; and arbitrary bytes
//! decode as with another decoder, unless this one refuses what the other accepts.
#![no_main]

use std::io::Read;

use leanhttp::fuzzing::Coding;
use leanhttp_fuzz::{Decoded, Sizes};
use libfuzzer_sys::fuzz_target;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

const MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

fuzz_target!(|input: &[u8]| {
    let (mut sizes, data) = leanhttp_fuzz::sizes(input);
    let cut = sizes.next().unwrap().min(data.len());

    // The content unchanged, as a frame, and as the content of a compressed block.
    let length = (data.len() as u32) << 3 | 5;
    let block = [MAGIC, b"\0\x58", &length.to_le_bytes()[..3], data].concat();
    for raw in [data, &[MAGIC, data].concat(), &block] {
        let (decoded, complete) = decode("zstd", raw, Sizes::WHOLE);
        let (split, split_complete) = decode("zstd", raw, sizes);
        assert_eq!((&split, split_complete), (&decoded, complete));
        if complete && !decoded.bytes.is_empty() {
            compare(raw, &decoded.bytes);
        }
    }

    let (first, second) = data.split_at(cut);
    let coded = [encode(first), encode(second)].concat();
    check(decode("zstd", &coded, sizes), data);
    check(decode("zstd, zstd", &encode(&coded), sizes), data);
    let first = encode(first);
    let (_, complete) = decode("zstd", &first[..first.len() - 1 - data.len() % 3], sizes);
    assert!(!complete, "it was cut");
});

/// Complete input is complete for the other decoder too, of which one call reads one frame.
fn compare(mut raw: &[u8], expected: &[u8]) {
    let mut decoder = match StreamingDecoder::new(&mut raw) {
        Ok(decoder) => decoder,
        Err(_) => return, // a skippable frame comes first
    };
    let mut other = Vec::new();
    if decoder.read_to_end(&mut other).is_ok() {
        assert!(expected.starts_with(&other));
    }
}

fn check((decoded, complete): (Decoded, bool), data: &[u8]) {
    assert_eq!(decoded.bytes, data);
    assert!(complete);
}

fn decode(codings: &'static str, data: &[u8], sizes: Sizes<'_>) -> (Decoded, bool) {
    let mut coding = Coding::new(codings).unwrap();
    let decoded = leanhttp_fuzz::decode(data, sizes, |input, output| coding.decode(input, output));
    let complete = decoded.error.is_none() && coding.eof().is_ok();
    (decoded, complete)
}

fn encode(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}
