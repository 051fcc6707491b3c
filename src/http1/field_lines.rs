//! Reads the fields that control a connection, from all lines of a name: a list is neither a single string
//! nor only its first line.

use http::header::{CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};

use super::error::ProtocolError;
use crate::base::text::{Excerpt, decimal};

/// The fields of a message.
pub(crate) trait Fields {
    /// Returns the values of all lines with this name, in order.
    fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]>;

    #[inline]
    fn has(&self, name: &HeaderName) -> bool {
        self.lines(name).next().is_some()
    }
}

impl Fields for HeaderMap {
    fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).into_iter().map(HeaderValue::as_bytes)
    }
}

impl Fields for Vec<(HeaderName, HeaderValue)> {
    fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_bytes())
    }
}

/// Returns the members of a comma-separated list without empty elements (RFC 9110 §5.6.1).
///
/// Only for lists of tokens, because it also splits at a comma within a quoted string. The pieces of such
/// a string contain a quote and so equal no token.
pub(crate) fn members<'h>(
    headers: &'h impl Fields,
    name: &'h HeaderName,
) -> impl Iterator<Item = &'h [u8]> {
    elements(headers, name).filter(|element| !element.is_empty())
}

/// Returns whether `token` is a member of the list, ignoring case.
pub(crate) fn has_member(headers: &impl Fields, name: &HeaderName, token: &str) -> bool {
    let is_token = |element: &[u8]| element.eq_ignore_ascii_case(token.as_bytes());
    headers.lines(name).any(|line| split(line).any(is_token))
}

/// Returns the value of `Content-Length`, or `None` without such a field.
///
/// Repeated values in one line or several count once if they are equal; an empty element or anything but
/// digits is an error (RFC 9110 §8.6, RFC 9112 §6.3 step 5).
pub(crate) fn content_length(headers: &impl Fields) -> Result<Option<u64>, ProtocolError> {
    let mut length = None;
    for line in headers.lines(&CONTENT_LENGTH) {
        for element in split(line) {
            let number = decimal(element)
                .ok_or_else(|| ProtocolError::InvalidContentLength(Excerpt::new(element)))?;
            if length.is_some_and(|length| length != number) {
                return Err(ProtocolError::ConflictingContentLength);
            }
            length = Some(number);
        }
    }
    Ok(length)
}

/// The transfer coding of a response. Only a single `chunked` is accepted, because the client offers no
/// other coding (RFC 9112 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TransferCoding {
    None,
    Chunked,
}

/// Parses `Transfer-Encoding` (RFC 9112 §6.1). A value that is only partly understood is an error: another
/// recipient on the path may have interpreted it differently.
pub(crate) fn transfer_coding(headers: &impl Fields) -> Result<TransferCoding, ProtocolError> {
    if !headers.has(&TRANSFER_ENCODING) {
        return Ok(TransferCoding::None);
    }
    let mut chunked = false;
    for coding in members(headers, &TRANSFER_ENCODING) {
        match (coding.eq_ignore_ascii_case(b"chunked"), chunked) {
            (true, false) => chunked = true,
            (true, true) => return Err(ProtocolError::ChunkedTwice),
            (false, true) => return Err(ProtocolError::ChunkedNotLast),
            (false, false) => {
                return Err(ProtocolError::UnsupportedTransferCoding(Excerpt::new(coding)));
            }
        }
    }
    if chunked { Ok(TransferCoding::Chunked) } else { Err(ProtocolError::EmptyTransferEncoding) }
}

/// Returns the elements of a list, including empty ones.
fn elements<'h>(headers: &'h impl Fields, name: &'h HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.lines(name).flat_map(split)
}

fn split(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(trim_ows)
}

/// Removes optional whitespace at both ends: SP and HTAB only (RFC 9110 §5.6.3).
pub(super) fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::testing::headers;
    use super::*;

    #[test]
    fn members_of_all_lines_omit_empty_elements() {
        let map = headers(&[("connection", ", a ,\tb,,"), ("x", "z"), ("connection", "C")]);
        let found: Vec<_> = members(&map, &http::header::CONNECTION).collect();
        assert_eq!(found, [&b"a"[..], b"b", b"C"]);
        assert!(has_member(&map, &http::header::CONNECTION, "c"));
        assert!(!has_member(&map, &http::header::CONNECTION, "z"));
    }

    #[test]
    fn a_hundred_thousand_commas_have_no_members() {
        let map = headers(&[("connection", &",".repeat(100_000))]);
        assert_eq!(members(&map, &http::header::CONNECTION).count(), 0);
    }

    #[test]
    fn content_length_counts_equal_repeats_once() {
        let cases: [(&[&str], Option<u64>); 7] = [
            (&[], None),
            (&["5"], Some(5)),
            (&["\t5\t"], Some(5)),
            (&["5, 5"], Some(5)),
            (&["5,5", "5"], Some(5)),
            (&["5, 05"], Some(5)),
            (&["9223372036854775807"], Some(i64::MAX as u64)),
        ];
        for (lines, length) in cases {
            let fields: Vec<_> = lines.iter().map(|line| ("content-length", *line)).collect();
            assert_eq!(content_length(&headers(&fields)), Ok(length), "{lines:?}");
        }
    }

    #[test]
    fn invalid_content_lengths_are_errors() {
        let invalid = [
            "",
            "5,",
            ",5",
            "5,,5",
            "+5",
            "-1",
            "5 5",
            "5;5",
            "0x5",
            "\"5\"",
            "9223372036854775808",
        ];
        for line in invalid {
            let outcome = content_length(&headers(&[("content-length", line)]));
            assert!(matches!(outcome, Err(ProtocolError::InvalidContentLength(_))), "{line:?}");
        }
        let conflicting: [&[&str]; 3] = [&["5, 6"], &["5", "6"], &["0", "5"]];
        for lines in conflicting {
            let fields: Vec<_> = lines.iter().map(|line| ("content-length", *line)).collect();
            let outcome = content_length(&headers(&fields));
            assert_eq!(outcome, Err(ProtocolError::ConflictingContentLength), "{lines:?}");
        }
    }

    #[test]
    fn transfer_coding_is_chunked_once_or_an_error() {
        use ProtocolError::{ChunkedNotLast, ChunkedTwice, EmptyTransferEncoding};
        let unsupported = |coding: &str| {
            Err(ProtocolError::UnsupportedTransferCoding(Excerpt::new(coding.as_bytes())))
        };
        let cases: [(&[&str], Result<TransferCoding, ProtocolError>); 20] = [
            (&[], Ok(TransferCoding::None)),
            (&["chunked"], Ok(TransferCoding::Chunked)),
            (&["ChUnKeD"], Ok(TransferCoding::Chunked)),
            (&["\tchunked ,"], Ok(TransferCoding::Chunked)),
            (&["", ", chunked"], Ok(TransferCoding::Chunked)),
            (&[""], Err(EmptyTransferEncoding)),
            (&[",  \t ,"], Err(EmptyTransferEncoding)),
            (&["chunked, chunked"], Err(ChunkedTwice)),
            (&["chunked", "chunked"], Err(ChunkedTwice)),
            (&["chunked, gzip"], Err(ChunkedNotLast)),
            (&["chunked", "identity"], Err(ChunkedNotLast)),
            (&["gzip, chunked"], unsupported("gzip")),
            (&["identity"], unsupported("identity")),
            (&["xchunked"], unsupported("xchunked")),
            (&["chunkedchunked"], unsupported("chunkedchunked")),
            (&["chu nked"], unsupported("chu nked")),
            (&["\"chunked\""], unsupported("\"chunked\"")),
            (&["chunked;q=1"], unsupported("chunked;q=1")),
            (&["\u{a0}chunked"], unsupported("\u{a0}chunked")),
            // The Kelvin sign: lowercases to k in Unicode, not in ASCII.
            (&["chun\u{212a}ed"], unsupported("chun\u{212a}ed")),
        ];
        for (lines, outcome) in cases {
            let fields: Vec<_> = lines.iter().map(|line| ("transfer-encoding", *line)).collect();
            assert_eq!(transfer_coding(&headers(&fields)), outcome, "{lines:?}");
        }
    }
}
