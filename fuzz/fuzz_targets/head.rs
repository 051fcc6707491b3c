//! A response head: it is the same for every split, its values lie within its bytes, and no line of
//! it is lost.
#![no_main]

use leanhttp::fuzzing;
use leanhttp_fuzz::Sizes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (sizes, message) = leanhttp_fuzz::sizes(input);
    let whole = fuzzing::head(message, Sizes::WHOLE);
    assert_eq!(fuzzing::head(message, sizes), whole);
    let Ok(Some(head)) = whole else { return };

    assert!(message.starts_with(&head.raw));
    let raw = head.raw.as_ptr_range();
    for value in head.headers.values().map(|value| value.as_bytes()) {
        let lies = value.as_ptr_range();
        assert!(value.is_empty() || (raw.start <= lies.start && lies.end <= raw.end));
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
    }
    let lines = head.raw.split(|byte| *byte == b'\n');
    let filled = lines.filter(|line| !line.is_empty() && line != b"\r").count();
    assert_eq!(filled, 1 + head.headers.len());
});
