//! gzip: what comes out does not depend on how the input is cut or on the room there is, it is
//! bounded, whatever another encoder has written comes out as it was, and what is cut is not
//! complete.
#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use leanhttp::fuzzing::Coding;
use leanhttp_fuzz::{Decoded, Sizes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (sizes, data) = leanhttp_fuzz::sizes(input);
    let (whole, complete) = decode(data, Sizes::WHOLE);
    assert_eq!(decode(data, sizes), (whole, complete));

    let [first, second] = encode(data, sizes);
    let (decoded, complete) = decode(&[&*first, &*second].concat(), sizes);
    assert_eq!(decoded.bytes, data);
    assert!(complete);
    let (_, complete) = decode(&first[..first.len() - 1 - data.len() % 20], sizes);
    assert!(!complete, "it was cut");
});

fn decode(data: &[u8], sizes: Sizes<'_>) -> (Decoded, bool) {
    let mut coding = Coding::new("gzip").unwrap();
    let decoded = leanhttp_fuzz::decode(data, sizes, |input, output| coding.decode(input, output));
    assert!(decoded.bytes.len() <= 1100 * data.len(), "deflate cannot grow that much");
    let complete = decoded.error.is_none() && coding.eof().is_ok();
    (decoded, complete)
}

/// Two members, cut where the first size says.
fn encode(data: &[u8], mut sizes: Sizes<'_>) -> [Vec<u8>; 2] {
    let (first, second) = data.split_at(sizes.next().unwrap().min(data.len()));
    [(first, 9), (second, 1)].map(|(bytes, level)| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    })
}
