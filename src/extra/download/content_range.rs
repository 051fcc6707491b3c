//! Parses `Content-Range` (RFC 9110 §14.4): which part of a file a `206 Partial Content` holds, or how long the
//! file is that a `416 Range Not Satisfiable` speaks of.
//!
//! ```text
//! bytes 8-19/20    Part { first: 8, last: 19, total: Some(20) }
//! bytes 8-19/*     Part { first: 8, last: 19, total: None }
//! bytes */20       Unsatisfied { total: 20 }
//! ```
//!
//! Strict, unlike the parsers in `fields/`: bytes are placed in a file by it, and a guess would damage the file.

use http::header::CONTENT_RANGE;

use crate::base::text::decimal;
use crate::http1::header_section::Fields;

/// The value of a `Content-Range` field in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentRange {
    /// The message holds the bytes from `first` to `last`, both included.
    Part { first: u64, last: u64, total: Option<u64> },
    /// The range that was asked for does not exist in a file of this length.
    Unsatisfied { total: u64 },
}

/// Returns the range that a head names; `None` if it has no such field, several, or an invalid one.
pub(crate) fn of(headers: &impl Fields) -> Option<ContentRange> {
    let mut lines = headers.lines(&CONTENT_RANGE);
    match (lines.next(), lines.next()) {
        (Some(line), None) => parse(line),
        _ => None,
    }
}

/// Parses a value. A range that ends before it begins, or beyond the total, is invalid (RFC 9110 §14.4).
pub(crate) fn parse(value: &[u8]) -> Option<ContentRange> {
    let (unit, rest) = split(value, b' ')?;
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let (range, total) = split(rest, b'/')?;
    if range == b"*" {
        return Some(ContentRange::Unsatisfied { total: decimal(total)? });
    }
    let (first, last) = split(range, b'-')?;
    let (first, last) = (decimal(first)?, decimal(last)?);
    let total = if total == b"*" { None } else { Some(decimal(total)?) };
    let is_valid = first <= last && total.is_none_or(|total| last < total);
    is_valid.then_some(ContentRange::Part { first, last, total })
}

/// Splits at the first `at`, which is dropped.
fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let mut pieces = text.splitn(2, |byte| *byte == at);
    Some((pieces.next()?, pieces.next()?))
}

#[cfg(test)]
mod tests {
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
}
