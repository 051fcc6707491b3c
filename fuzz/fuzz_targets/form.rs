//! Forms: encoded pairs are parsed again, and so are pairs that were parsed from any bytes.
#![no_main]

use leanhttp::form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let texts = leanhttp_fuzz::texts(input);
    let pair = |pair: &[String]| (pair[0].clone(), pair.get(1).cloned().unwrap_or_default());
    round_trip(texts.chunks(2).map(pair).collect());
    let parsed = form::parse(input).map(|(name, value)| (name.into_owned(), value.into_owned()));
    round_trip(parsed.collect());
});

fn round_trip(pairs: Vec<(String, String)>) {
    let encoded = form::encode(&pairs).expect("pairs of texts can be written");
    assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic()), "{encoded}");
    let parsed = form::parse(encoded.as_bytes());
    let parsed: Vec<_> = parsed.map(|(name, value)| (name.into(), value.into())).collect();
    assert_eq!(parsed, pairs);
}
