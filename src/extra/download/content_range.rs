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
mod tests;
