//! Content codings: the output does not depend on how the input is split or on the output space,
//! the output of another encoder is decoded, a truncated body is not complete, and input that
//! decodes to nothing ends at the limit, which a reference decoder (`src/nothings.rs`) counts too.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use leanhttp::fuzzing::Coding;
use leanhttp_fuzz::nothings::{self, Verdict};
use leanhttp_fuzz::{Decoded, Sizes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (mut sizes, data) = leanhttp_fuzz::sizes(input);
    let cut = sizes.next().unwrap().min(data.len());
    for codings in ["gzip", "deflate", "gzip, gzip"] {
        assert_eq!(decode(codings, data, sizes), decode(codings, data, Sizes::WHOLE));
    }

    let (first, second) = data.split_at(cut);
    let first = encode(first, 9);
    let coded = [&*first, &*encode(second, 1)].concat();
    check(decode("gzip", &coded, sizes), data);
    check(decode("gzip, gzip", &encode(&coded, 1), sizes), data);
    let (_, complete) = decode("gzip", &first[..first.len() - 1 - data.len() % 20], sizes);
    assert!(!complete, "it was cut");
    nothing(data, sizes);
});

/// Much input that decodes to nothing, and a limit for it.
fn nothing(plan: &[u8], mut sizes: Sizes<'_>) {
    let limit = sizes.next().unwrap() as u64;
    let body = nothings::body(plan);
    let outcome = decode_within(limit, "gzip", &body, sizes);
    assert_eq!(outcome, decode_within(limit, "gzip", &body, Sizes::WHOLE));
    let (decoded, complete) = outcome;
    match nothings::judge(&body, limit) {
        Verdict::Within => assert!(complete, "{limit}: {decoded:?}"),
        Verdict::Beyond => assert_eq!(decoded.error, Some(format!("Idle({limit})"))),
        Verdict::Open => {}
    }
    let nested = encode(&body, 1);
    let outcome = decode_within(limit, "gzip, gzip", &nested, sizes);
    assert_eq!(outcome, decode_within(limit, "gzip, gzip", &nested, Sizes::WHOLE));
}

fn check((decoded, complete): (Decoded, bool), data: &[u8]) {
    assert_eq!(decoded.bytes, data);
    assert!(complete);
}

fn decode(codings: &'static str, data: &[u8], sizes: Sizes<'_>) -> (Decoded, bool) {
    decode_by(Coding::new(codings).unwrap(), data, sizes)
}

fn decode_within(
    limit: u64,
    codings: &'static str,
    data: &[u8],
    sizes: Sizes<'_>,
) -> (Decoded, bool) {
    decode_by(Coding::limited(codings, limit).unwrap(), data, sizes)
}

fn decode_by(mut coding: Coding, data: &[u8], sizes: Sizes<'_>) -> (Decoded, bool) {
    let decoded = leanhttp_fuzz::decode(data, sizes, |input, output| coding.decode(input, output));
    let complete = decoded.error.is_none() && coding.eof().is_ok();
    (decoded, complete)
}

fn encode(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}
