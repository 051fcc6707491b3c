use super::ContentRange::{Part, Unsatisfied};
use super::*;

#[test]
fn ranges_in_bytes() {
    let cases: [(&[u8], ContentRange); 5] = [
        (b"bytes 8-19/20", Part { first: 8, last: 19, total: Some(20) }),
        (b"BYTES 0-0/1", Part { first: 0, last: 0, total: Some(1) }),
        (b"bytes 8-19/*", Part { first: 8, last: 19, total: None }),
        (b"bytes */20", Unsatisfied { total: 20 }),
        (b"bytes */0", Unsatisfied { total: 0 }),
    ];
    for (value, expected) in cases {
        assert_eq!(parse(value), Some(expected), "{}", value.escape_ascii());
    }
}

#[test]
fn anything_else_is_invalid() {
    let cases: [&[u8]; 20] = [
        b"",
        b"bytes",
        b"bytes ",
        b"bytes=8-19/20",
        b"8-19/20",
        b"items 8-19/20",
        b"bytes 8-7/20",
        b"bytes 8-20/20",
        b"bytes 0-0/0",
        b"bytes 8-19",
        b"bytes */*",
        b"bytes -5/20",
        b"bytes 8-/20",
        b"bytes  8-19/20",
        b"bytes 8-19/20,",
        b"bytes +8-19/20",
        b"bytes 8 - 19/20",
        b"bytes 0-9223372036854775808/9223372036854775809",
        b"bytes 8-19/-1",
        b"bytes 1-2-3/20",
    ];
    for value in cases {
        assert_eq!(parse(value), None, "{}", value.escape_ascii());
    }
}

#[test]
fn several_fields_are_none() {
    let line = |value| (CONTENT_RANGE, http::HeaderValue::from_static(value));
    assert!(of(&vec![line("bytes 8-19/20")]).is_some());
    assert_eq!(of(&vec![line("bytes 8-19/20"), line("bytes 8-19/20")]), None);
    assert_eq!(of(&Vec::new()), None);
}
