//! Lines of a body: the same for every split, and those of a twin that splits the whole text; joined again they
//! are the body.
//!
//! The first line says how the input is cut.
#![no_main]

use leanhttp::blocking::Body;
use leanhttp::fuzzing::made_response;
use leanhttp_fuzz::{Sizes, Slow, sizes, streams};
use libfuzzer_sys::fuzz_target;

/// Small, so that inputs reach it.
const LIMIT: usize = 256;

fuzz_target!(|input: &[u8]| {
    let (sizes, body) = sizes(input);
    let whole = read(body, Sizes::WHOLE);
    assert_eq!(read(body, sizes), whole);
    assert_eq!(whole, streams::lines(body, LIMIT));
});

fn read(body: &[u8], sizes: Sizes<'_>) -> Vec<Result<String, (u64, &'static str)>> {
    let source = Body::new(Slow::new(body.to_vec(), sizes));
    let lines = made_response(source).lines().max_line_bytes(LIMIT);
    let lines = lines.map(|line| {
        line.map_err(|error| {
            let is_too_long = error.to_string().contains("is longer than");
            (error.line_number().unwrap(), if is_too_long { "too long" } else { "not UTF-8" })
        })
    });
    lines.collect()
}
