//! The chunked coding: the output does not depend on how the input is split, on the output space,
//! or on which of the two interfaces the data is read with, and it equals that of a naive decoder.
#![no_main]

use leanhttp::fuzzing::Chunked;
use leanhttp_fuzz::{Decoded, Sizes, chunked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (sizes, body) = leanhttp_fuzz::sizes(input);
    let (whole, mut decoder) = decode(body, Sizes::WHOLE);
    let (split, split_decoder) = decode(body, sizes);
    assert_eq!(split, whole);
    assert_eq!(split_decoder.is_done(), decoder.is_done());

    let twin = chunked::decode(body);
    assert!(twin.data.starts_with(&whole.bytes));
    if whole.error.is_some_and(|error| is_limit(&error)) {
        return;
    }
    assert_eq!(whole.bytes, twin.data);
    assert_eq!(decoder.is_done().then_some(whole.consumed), twin.length);
    if twin.length.is_some() {
        let trailers = decoder.take_trailers();
        assert_eq!(trailers.len(), twin.trailers.len());
        for (name, value) in &twin.trailers {
            assert!(trailers.get_all(name).iter().any(|came| came.as_bytes() == value));
        }
    }
});

/// Takes the data directly wherever there are more than a few bytes of it.
fn decode(body: &[u8], sizes: Sizes<'_>) -> (Decoded, Chunked) {
    let mut decoder = Chunked::new();
    let decoded = leanhttp_fuzz::decode(body, sizes, |input, output| {
        let plain = usize::try_from(decoder.plain()).unwrap().min(input.len()).min(output.len());
        if plain < 5 {
            return decoder.decode(input, output);
        }
        output[..plain].copy_from_slice(&input[..plain]);
        decoder.advance(plain);
        Ok((plain, plain))
    });
    (decoded, decoder)
}

/// The reference decoder has no limits.
fn is_limit(error: &str) -> bool {
    ["ChunkExtensionsTooLarge", "TrailersTooLarge", "TooManyTrailers"]
        .iter()
        .any(|limit| error.starts_with(limit))
}
