//! Brotli: the outcome, and the output of a valid body, do not depend on how the input is split or
//! on the output space; the output of another encoder is decoded; a truncated body is not complete.
#![no_main]

use std::io::Read;

use brotli::enc::BrotliEncoderParams;
use leanhttp::fuzzing::Coding;
use leanhttp_fuzz::{Decoded, Sizes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (mut sizes, data) = leanhttp_fuzz::sizes(input);
    let cut = sizes.next().unwrap();
    let coded = encode(data);
    let mut damaged = coded.clone();
    if let (Some(byte), Some(mask)) = (damaged.get_mut(cut), data.first()) {
        *byte ^= mask;
    }
    for raw in [data, &damaged] {
        let (decoded, complete) = decode("br", raw, Sizes::WHOLE);
        let (split, split_complete) = decode("br", raw, sizes);
        assert_eq!((&split.error, split_complete), (&decoded.error, complete));
        // The bytes of a command that is longer than its meta-block may be delivered or not.
        assert!(split.bytes.starts_with(&decoded.bytes) || decoded.bytes.starts_with(&split.bytes));
        if complete {
            assert_eq!(split.bytes, decoded.bytes);
            let mut other = Vec::new();
            let outcome = brotli::Decompressor::new(raw, 4096).read_to_end(&mut other);
            assert!(raw.is_empty() || outcome.is_ok() && other == decoded.bytes);
        }
    }

    check(decode("br", &coded, sizes), data);
    check(decode("br, br", &encode(&coded), sizes), data);
    let (_, complete) = decode("br", &coded[..coded.len() - 1], sizes);
    assert!(!complete || coded.len() == 1, "it was cut");
});

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

fn encode(mut data: &[u8]) -> Vec<u8> {
    let parameters = BrotliEncoderParams { quality: 4, lgwin: 16, ..Default::default() };
    let mut coded = Vec::new();
    brotli::BrotliCompress(&mut data, &mut coded, &parameters).unwrap();
    coded
}
