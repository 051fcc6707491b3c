//! Finds, parses and bounds response heads (RFC 9112 §3–§5).
//!
//! # From bytes to a head
//!
//! 1. [`empty_lines`]: CR LF before a status line are skipped (§2.2) and count against the limit.
//! 2. [`HeadScanner::head`]: nearly every head arrives in one piece, so it is parsed right away. If
//!    that fails, or the head is incomplete, the scanner looks for its end, each byte once over all
//!    reads.
//! 3. [`parse`]: `httparse` splits the lines; the version, the status and each name and value are
//!    checked again where `http` or RFC 9112 is stricter, and become positions in one copy of the
//!    head ([`HeaderSection`]).
//!
//! The first byte that cannot belong to a status line is an error immediately ([`check_start`]). A
//! peer that speaks another protocol often waits for the client to speak, so waiting for a whole
//! line would end with the deadline and without the reason (`garbage_is_rejected_immediately`,
//! `tests/hostile_framing.rs`, `h22_other_protocols_are_errors`).
//!
//! # The same at every split
//!
//! The short cut in step 2 must accept exactly the heads that the slow path accepts. Both have the
//! limits of a line, of the head and of the fields; the short cut is taken only if the whole field
//! section is shorter than a line may be, so that no line can be too long.
//! `the_end_is_found_at_every_split`, `the_end_of_a_head_does_not_depend_on_the_split` and
//! `garbage_has_the_same_error_byte_by_byte` compare the paths, as does the fuzz target `exchange`.
//!
//! # Lenience
//!
//! Some devices send heads that RFC 9112 §5 forbids: a line without a colon, blanks before it,
//! folded values. A program can allow each (`ClientBuilder`, `Lenience`). Then
//!
//! - strict parsing comes first, so a valid head has one meaning whatever the settings are;
//! - a line that only passes because of lenience must not name, or continue, a framing field
//!   ([`check_lenient_framing`]): the end of a body is never a matter of taste;
//! - folds become blanks of the same length, so positions stay valid ([`unfold`]).
//!
//! `the_framing_is_that_of_the_strict_lines` and
//! `an_accepted_invalid_head_is_the_same_at_every_split` guard this; the guide's page on leniency
//! is for users.
//!
//! # Why a search of our own
//!
//! [`line_feed`] reads eight bytes at a time. `memchr` would do it too, with `unsafe` inside and
//! one more crate for a search over a few hundred bytes; `line_feeds_are_found_wherever_they_are`
//! compares it with the search byte by byte.
//!
//! # What is refused, with its error
//!
//! | head | error |
//! | --- | --- |
//! | does not begin with `HTTP/1.` | `InvalidStatusLine`, or `UnsupportedVersion` for `HTTP/2` |
//! | a status below 100 or with other than three digits | `InvalidStatus`, `InvalidStatusLine` |
//! | a control character, a blank before the colon, a folded line | `InvalidField`, with the name only |
//! | more lines, a longer line, a larger head than the limits | `TooManyFields`, `LineTooLong`, `HeadTooLarge` |
//! | ends in the middle | `EofInHead`, by the exchange |

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{StatusCode, Version};
use httparse::ParserConfig;

use super::error::ProtocolError;
use crate::base::text::Excerpt;
use crate::http1::header_section::{HeaderLine, HeaderSection};
use crate::http1::limits::{Lenience, Limits};

/// The number of field lines parsed without an allocation; nearly every response has fewer.
const USUAL_FIELDS: usize = 48;

/// The head of a response.
#[derive(Debug, Clone)]
pub(crate) struct ResponseHead {
    pub(crate) version: Version,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderSection,
}

/// Finds the end of a head; remembers its position, so that no byte is scanned twice.
#[derive(Debug, Default)]
pub(crate) struct HeadScanner {
    scanned: usize,
    /// The start of the current line.
    line: usize,
}

impl HeadScanner {
    /// Returns the head at the start of `data`, if it is complete.
    pub(crate) fn head(
        &mut self,
        data: &[u8],
        limits: &Limits,
    ) -> Result<Option<Box<ResponseHead>>, ProtocolError> {
        if self.scanned == 0 && !data.is_empty() {
            // Nearly every head is received in one piece, and httparse finds the end of a valid one. If the
            // field section is within the limit of a line, so is every line.
            let sound = parse(data, limits).ok();
            let sound = sound.filter(|head| head.headers.raw().len() <= limits.max_line_bytes);
            if sound.is_some() {
                return Ok(sound);
            }
        }
        let Some(end) = self.find_end(data, limits.max_line_bytes)? else { return Ok(None) };
        parse(data.split_at(end).0, limits).map(Some)
    }

    /// Returns the length of the head at the start of `data`, including its blank line.
    ///
    /// A bare LF also ends a line (RFC 9112 §2.2). Bytes that cannot become a status line are an
    /// error immediately: a peer that uses another protocol may wait for the client forever.
    pub(crate) fn find_end(
        &mut self,
        data: &[u8],
        line_limit: usize,
    ) -> Result<Option<usize>, ProtocolError> {
        check_start(data)?;
        let too_long = || ProtocolError::LineTooLong(line_limit);
        while let Some(at) = line_feed(data.split_at(self.scanned).1) {
            let after = self.scanned + at + 1;
            if after - self.line > line_limit {
                return Err(too_long());
            }
            match data.split_at(after).1 {
                [b'\n', ..] => return Ok(Some(after + 1)),
                [b'\r', b'\n', ..] => return Ok(Some(after + 2)),
                [] | [b'\r'] => {
                    self.scanned += at;
                    return Ok(None);
                }
                _ => (self.scanned, self.line) = (after, after),
            }
        }
        self.scanned = data.len();
        if data.len() - self.line > line_limit { Err(too_long()) } else { Ok(None) }
    }
}

/// Returns the position of the first LF. Reads eight bytes at a time, because every byte of every head is
/// scanned.
fn line_feed(data: &[u8]) -> Option<usize> {
    let mut rest = data;
    while let Some((word, behind)) = rest.split_first_chunk() {
        if let Some(at) = line_feed_in(word) {
            return Some(data.len() - rest.len() + at);
        }
        rest = behind;
    }
    let at = rest.iter().position(|byte| *byte == b'\n')?;
    Some(data.len() - rest.len() + at)
}

/// Returns the position of the first LF among eight bytes, by the classic search for a zero byte after
/// XOR with LF: it sets the highest bit of the first match. Higher bits are not significant.
fn line_feed_in(word: &[u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    const FEEDS: u64 = u64::from_le_bytes([b'\n'; 8]);
    let word = u64::from_le_bytes(*word) ^ FEEDS;
    let marks = word.wrapping_sub(ONES) & !word & HIGHS;
    (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
}

/// Returns the number of bytes of empty lines before a head, which RFC 9112 §2.2 allows to skip.
pub(crate) fn empty_lines(data: &[u8]) -> usize {
    let mut rest = data;
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = after;
    }
    data.len() - rest.len()
}

/// Parses the head at the start of `data`, which must be complete.
pub(crate) fn parse(data: &[u8], limits: &Limits) -> Result<Box<ResponseHead>, ProtocolError> {
    let strict = ParserConfig::default();
    let mut few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let parsed = match parse_into(data, &mut few, limits, &strict) {
        Err(ProtocolError::TooManyFields(_)) => {
            let mut many = vec![MaybeUninit::uninit(); limits.max_headers];
            parse_into(data, &mut many, limits, &strict)
        }
        parsed => parsed,
    };
    match parsed {
        Err(ProtocolError::InvalidField(_)) if limits.lenience.is_any() => {
            let mut many = vec![MaybeUninit::uninit(); limits.max_headers];
            let mut head = parse_into(data, &mut many, limits, &lenient_parser(limits.lenience))?;
            check_lenient_framing(head.headers.raw())?;
            head.headers.unfold();
            Ok(head)
        }
        parsed => parsed,
    }
}

/// Parses the lines and records their positions. Only valid lines come out of `httparse`; what
/// `http` refuses beyond that, a status below 100 or a name of 64 KiB, is refused here, so that the
/// map can be made later without an error.
fn parse_into<'h, 'r: 'h>(
    data: &'r [u8],
    fields: &'h mut [MaybeUninit<httparse::Header<'r>>],
    limits: &Limits,
    parser: &ParserConfig,
) -> Result<Box<ResponseHead>, ProtocolError> {
    let room = fields.len().min(limits.max_headers);
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        parser.parse_response_with_uninit_headers(&mut response, data, fields.split_at_mut(room).0);
    let raw = match parsed {
        Ok(httparse::Status::Complete(length)) => data.split_at(length).0,
        Ok(httparse::Status::Partial) => return Err(invalid_status_line(data)),
        Err(error) => return Err(parse_error(error, data, limits)),
    };
    let version = match response.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let code = response.code.unwrap_or_default();
    let status = StatusCode::from_u16(code)
        .map_err(|_| ProtocolError::InvalidStatus(Excerpt::new(code.to_string().as_bytes())))?;
    let headers = HeaderSection::new(Bytes::copy_from_slice(raw));
    let mut head = Box::new(ResponseHead { version, status, headers });
    for field in &*response.headers {
        let invalid = || ProtocolError::InvalidField(Excerpt::new(field.name.as_bytes()));
        head.headers.push(HeaderLine::new(field, raw).ok_or_else(invalid)?);
    }
    Ok(head)
}

fn parse_error(error: httparse::Error, raw: &[u8], limits: &Limits) -> ProtocolError {
    match error {
        httparse::Error::TooManyHeaders => ProtocolError::TooManyFields(limits.max_headers),
        httparse::Error::HeaderName | httparse::Error::HeaderValue => {
            ProtocolError::InvalidField(Excerpt::field_name(offending_line(raw)))
        }
        httparse::Error::Version => ProtocolError::UnsupportedVersion(first_word(raw)),
        _ => invalid_status_line(raw),
    }
}

/// Returns the first field line that httparse rejects, since httparse reports no position.
fn offending_line(raw: &[u8]) -> &[u8] {
    let is_bad = |line: &&[u8]| {
        let mut field = [httparse::EMPTY_HEADER; 1];
        let alone = [line, &b"\n\n"[..]].concat();
        httparse::parse_headers(&alone, &mut field).is_err()
    };
    raw.split(|byte| *byte == b'\n').skip(1).find(is_bad).unwrap_or_default()
}

/// The start of every head.
const START: &[u8] = b"HTTP/1.";

/// Checks that `data` can still become a status line of HTTP/1.x.
fn check_start(data: &[u8]) -> Result<(), ProtocolError> {
    const NAME: &[u8] = b"HTTP/";
    let seen = data.len().min(START.len());
    let (start, expected) = (data.get(..seen), START.get(..seen));
    if start == expected {
        return Ok(());
    }
    match data.strip_prefix(NAME) {
        Some([digit, ..]) if digit.is_ascii_digit() && *digit != b'1' => {
            Err(ProtocolError::UnsupportedVersion(first_word(data)))
        }
        _ => Err(invalid_status_line(data)),
    }
}

fn invalid_status_line(data: &[u8]) -> ProtocolError {
    let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    ProtocolError::InvalidStatusLine(Excerpt::new(line.trim_ascii_end()))
}

fn first_word(data: &[u8]) -> Excerpt {
    Excerpt::new(data.split(u8::is_ascii_whitespace).next().unwrap_or_default())
}

// Invalid heads of devices (RFC 9112 §5 forbids them), if the program allows them. Lenient parsing is tried only
// after strict parsing has failed, so that a valid head has one interpretation.

fn lenient_parser(lenience: Lenience) -> ParserConfig {
    let mut parser = ParserConfig::default();
    parser
        .ignore_invalid_headers_in_responses(lenience.invalid_fields)
        .allow_spaces_after_header_name_in_responses(lenience.spaces_after_name)
        .allow_obsolete_multiline_headers_in_responses(lenience.folds);
    parser
}

/// Checks that no accepted invalid line looks like a framing field. The framing is always parsed strictly:
/// a message whose end two recipients see differently allows smuggling.
fn check_lenient_framing(head: &[u8]) -> Result<(), ProtocolError> {
    let mut is_in_framing = false;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let goes_on = line.starts_with(b" ") || line.starts_with(b"\t");
        let is_let_pass = goes_on || !is_strict(line);
        if is_let_pass && (mentions_framing(line) || (goes_on && is_in_framing)) {
            return Err(ProtocolError::InvalidField(Excerpt::field_name(line)));
        }
        if !goes_on {
            is_in_framing = mentions_framing(line);
        }
    }
    Ok(())
}

fn is_strict(line: &[u8]) -> bool {
    let mut field = [httparse::EMPTY_HEADER; 1];
    line.is_empty() || httparse::parse_headers(&[line, b"\r\n\r\n"].concat(), &mut field).is_ok()
}

/// Returns whether the letters of a line contain the name of a framing field, however it is disguised.
fn mentions_framing(line: &[u8]) -> bool {
    const FRAMING: [&[u8]; 2] = [b"contentlength", b"transferencoding"];
    let letters = line.iter().filter(|byte| byte.is_ascii_alphabetic());
    let plain: Vec<u8> = letters.map(u8::to_ascii_lowercase).collect();
    FRAMING.iter().any(|name| plain.windows(name.len()).any(|window| window == *name))
}

/// Replaces line breaks within values by blanks (RFC 9112 §5.2). The length is unchanged.
pub(super) fn unfold(head: &mut [u8]) {
    let (mut behind, mut is_break_behind) = (b'\0', false);
    for byte in head.iter_mut().rev() {
        let is_break = *byte == b'\n' || (*byte == b'\r' && is_break_behind);
        is_break_behind = is_break && *byte == b'\n' && matches!(behind, b' ' | b'\t');
        if is_break_behind || (is_break && *byte == b'\r') {
            *byte = b' ';
        }
        behind = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Box<ResponseHead>, ProtocolError> {
        parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn line_feeds_are_found_wherever_they_are() {
        for length in 0..40 {
            assert_eq!(line_feed(&vec![0x8a; length]), None);
            for at in 0..length {
                let mut data = vec![0x0b; length];
                data[at] = b'\n';
                assert_eq!(line_feed(&data), Some(at));
                data[length - 1] = b'\n';
                assert_eq!(line_feed(&data), Some(at), "the first LF");
            }
        }
    }

    /// A word without LF is skipped, regardless of its other bytes.
    #[test]
    fn the_first_line_feed_of_eight_bytes() {
        for other in [0, 1, b'\t', 0x0b, 0x7f, 0x80, 0x8a, 0xff] {
            for byte in 0..=u8::MAX {
                for at in 0..8 {
                    let mut word = [other; 8];
                    word[at] = byte;
                    let first = (byte == b'\n').then_some(at);
                    assert_eq!(line_feed_in(&word), first, "{word:?}");
                }
            }
        }
    }

    #[test]
    fn the_end_is_found_at_every_split() {
        let heads = [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n",
            "HTTP/1.1 200 OK\r\nA: b\n\r\n",
            "HTTP/1.1 200 OK\nA: b\r\n\n",
        ];
        for head in heads {
            let data = format!("{head}body\r\n\r\n");
            for split in 0..=data.len() {
                let mut scanner = HeadScanner::default();
                let early = scanner.find_end(&data.as_bytes()[..split], usize::MAX).unwrap();
                let found =
                    early.or_else(|| scanner.find_end(data.as_bytes(), usize::MAX).unwrap());
                assert_eq!(found, Some(head.len()), "{head:?} split {split}");
                assert_eq!(early.is_some(), split >= head.len());
            }
        }
    }

    /// Input other than HTTP/1 is rejected at its first bytes, in one piece or byte by byte.
    #[test]
    fn garbage_is_rejected_immediately() {
        let cases =
            ["SSH-2.0-OpenSSH", "220 smtp", "\x15\x03\x01", "<html>", " HTTP/1.1 200", "http/1.1"];
        for case in cases {
            for end in 1..=case.len() {
                let outcome = HeadScanner::default().find_end(&case.as_bytes()[..end], usize::MAX);
                let is_prefix = "HTTP/1.".starts_with(&case[..end]);
                assert_eq!(outcome.is_err(), !is_prefix, "{:?}", &case[..end]);
            }
        }
        let outcome = HeadScanner::default().find_end(b"HTTP/2 200", usize::MAX);
        assert!(matches!(outcome, Err(ProtocolError::UnsupportedVersion(_))));
    }

    /// Another version of HTTP and input that is not HTTP have different errors.
    #[test]
    fn versions_and_garbage_have_different_errors() {
        let version =
            |shown: &str| ProtocolError::UnsupportedVersion(Excerpt::new(shown.as_bytes()));
        let garbage =
            |shown: &str| ProtocolError::InvalidStatusLine(Excerpt::new(shown.as_bytes()));
        for (data, error) in [
            ("HTTP/2 200\r\n", version("HTTP/2")),
            ("HTTP/0.9\r\n", version("HTTP/0.9")),
            ("HTTP/3", version("HTTP/3")),
            ("HTTP/1 200 OK\r\nA: b", garbage("HTTP/1 200 OK")),
            ("HTTP/1x", garbage("HTTP/1x")),
            ("HTTP/x", garbage("HTTP/x")),
            ("HTTP/ 2", garbage("HTTP/ 2")),
            ("HTTPS/2", garbage("HTTPS/2")),
        ] {
            let outcome = HeadScanner::default().find_end(data.as_bytes(), usize::MAX);
            assert_eq!(outcome, Err(error), "{data:?}");
        }
    }

    /// A valid first byte in a read of its own does not change the result.
    #[test]
    fn garbage_has_the_same_error_byte_by_byte() {
        for case in ["HP/1.1 200 OK\r\n", "HTTPS", "HTTP/2 200", "HTTP/1x", "H\n\n"] {
            let whole = HeadScanner::default().find_end(case.as_bytes(), usize::MAX).unwrap_err();
            let mut scanner = HeadScanner::default();
            let mut ends = 1..=case.len();
            let slow =
                ends.find_map(|end| scanner.find_end(&case.as_bytes()[..end], usize::MAX).err());
            let reason = std::mem::discriminant(&whole);
            assert_eq!(slow.map(|error| std::mem::discriminant(&error)), Some(reason), "{case:?}");
        }
    }

    /// The limit includes the line end. One byte more is an error as soon as it is received.
    #[test]
    fn lines_are_as_long_as_the_limit_at_most() {
        for (head, longest) in [
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n", 17),
            ("HTTP/1.1 200 OK\r\nA: b\r\nC: ddddddddddddddd\r\nE: f\r\n\r\n", 20),
            ("HTTP/1.1 200 OK\nA: b\nC: ddddddddddddddd\n\n", 19),
        ] {
            let fits = HeadScanner::default().find_end(head.as_bytes(), longest);
            assert_eq!(fits, Ok(Some(head.len())), "{head:?}");
            let too_long = Err(ProtocolError::LineTooLong(longest - 1));
            let whole = HeadScanner::default().find_end(head.as_bytes(), longest - 1);
            assert_eq!(whole, too_long, "{head:?}");
            let mut scanner = HeadScanner::default();
            let mut slow = (1..).map(|end| scanner.find_end(&head.as_bytes()[..end], longest - 1));
            assert_eq!(slow.find(|outcome| *outcome != Ok(None)), Some(too_long), "{head:?}");
        }
        let too_long = |limit| Err(ProtocolError::LineTooLong(limit));
        for (unended, limit, expected) in [
            ("HTTP/1.1 200 OK", 15, Ok(None)),
            ("HTTP/1.1 200 OK", 14, too_long(14)),
            ("HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbb", 17, Ok(None)),
            ("HTTP/1.1 200 OK\r\nA: bbbbbbbbbbbbbbb", 17, too_long(17)),
        ] {
            let outcome = HeadScanner::default().find_end(unended.as_bytes(), limit);
            assert_eq!(outcome, expected, "{unended:?}");
        }
    }

    proptest::proptest! {
        /// The end of a head does not depend on how it is split or on the bytes after it.
        #[test]
        fn the_end_of_a_head_does_not_depend_on_the_split(
            lines in "(HTTP/1.1 200 OK\r?\n)?([A: \r]{0,3}\n?|A: b\r?\n){0,6}\r?\n",
            behind in "[A\r\n]{0,4}",
            line_bytes in 8..40_usize,
        ) {
            let limits = Limits { max_line_bytes: line_bytes, ..Limits::default() };
            let data = lines + &behind;
            let told = |outcome: Result<Option<Box<ResponseHead>>, ProtocolError>| match outcome {
                Ok(head) => head.map(|head| Ok(head.headers.raw().clone())),
                Err(error) => Some(Err(std::mem::discriminant(&error))),
            };
            let whole = told(HeadScanner::default().head(data.as_bytes(), &limits));
            let mut scanner = HeadScanner::default();
            let mut pieces = (1..=data.len()).map(|end| &data.as_bytes()[..end]);
            let slow = pieces.find_map(|piece| told(scanner.head(piece, &limits)));
            proptest::prop_assert_eq!(whole, slow, "{:?}", data);
        }
    }

    #[test]
    fn values_are_slices_of_the_raw_head() {
        let text = "HTTP/1.0 404 Not Found\r\nX-Mixed: a b \r\nX-Empty:\r\nx-mixed: \u{e9}\r\n\r\n";
        let head = parse_text(text).unwrap();
        assert_eq!((head.version, head.status.as_u16()), (Version::HTTP_10, 404));
        let map = head.headers.map();
        assert_eq!(map["x-mixed"], "a b");
        assert_eq!(map["X-Empty"], "");
        assert_eq!(map.get_all("x-mixed").iter().count(), 2);
        assert_eq!(head.headers.raw(), text.as_bytes());
        let within = head.headers.raw().as_ptr_range();
        assert!(
            map.values().filter(|v| !v.is_empty()).all(|v| within.contains(&v.as_bytes().as_ptr()))
        );
    }

    #[test]
    fn status_lines_are_strict() {
        let cases = [
            ("HTTP/1.1 200 OK", Ok(200)),
            ("HTTP/1.1 200 ", Ok(200)),
            ("HTTP/1.1 200", Ok(200)),
            ("HTTP/1.1 799 What", Ok(799)),
            ("HTTP/1.1 099 Low", Err("InvalidStatus(")),
            ("HTTP/1.1 2000", Err("InvalidStatusLine(")),
            ("HTTP/1.1 +20 OK", Err("InvalidStatusLine(")),
            ("HTTP/1.1  200 OK", Err("InvalidStatusLine(")),
            ("HTTP/1.1 200 O\0K", Err("InvalidStatusLine(")),
            ("HTTP/1.1 200 O\rK", Err("InvalidStatusLine(")),
            ("HTTP/1.9 200 OK", Err("UnsupportedVersion(\"HTTP/1.9")),
        ];
        for (line, expected) in cases {
            let outcome = parse_text(&format!("{line}\r\nA: b\r\n\r\n"));
            match (outcome, expected) {
                (Ok(head), Ok(status)) => assert_eq!(head.status.as_u16(), status, "{line}"),
                (Err(error), Err(variant)) => {
                    let debug = format!("{error:?}").replace("Excerpt(", "").replace('\\', "");
                    assert!(debug.replace("\"\"", "\"").starts_with(variant), "{line}: {debug}");
                }
                (outcome, expected) => panic!("{line}: {outcome:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn invalid_fields_are_named_without_their_value() {
        let lines = [
            ("X A: secret", "X A"),
            ("X-A : secret", "X-A "),
            (": secret", ""),
            ("secretless", "secretless"),
            (" folded: secret", " folded"),
            ("\tfolded", "\\tfolded"),
            ("X: a\0secret", "X"),
            ("X: a\rsecret", "X"),
        ];
        for (line, name) in lines {
            let error =
                parse_text(&format!("HTTP/1.1 200 OK\r\nGood: 1\r\n{line}\r\nLast: 2\r\n\r\n"));
            let shown = error.unwrap_err().to_string();
            assert_eq!(shown, format!("invalid header field \"{name}\""), "{line:?}");
        }
    }

    #[test]
    fn fields_are_counted() {
        let head = |count: usize| {
            let fields: String = (0..count).map(|i| format!("x-{i}: {i}\r\n")).collect();
            parse_text(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"))
        };
        assert_eq!(head(USUAL_FIELDS).unwrap().headers.len(), USUAL_FIELDS);
        assert_eq!(head(128).unwrap().headers.len(), 128);
        assert_eq!(head(129).unwrap_err(), ProtocolError::TooManyFields(128));
        let few = Limits { max_headers: 2, ..Limits::default() };
        let head = |text: &'static str| parse(text.as_bytes(), &few);
        assert_eq!(head("HTTP/1.1 200 OK\r\nA:\r\nB:\r\n\r\n").unwrap().headers.len(), 2);
        let too_many = head("HTTP/1.1 200 OK\r\nA:\r\nB:\r\nC:\r\n\r\n").unwrap_err();
        assert_eq!(too_many, ProtocolError::TooManyFields(2));
    }

    #[test]
    fn empty_lines_are_counted() {
        for (data, count) in [("HTTP", 0), ("\r\nHTTP", 2), ("\n\r\nH", 3), ("\r", 0), ("\r\rH", 0)]
        {
            assert_eq!(empty_lines(data.as_bytes()), count, "{data:?}");
        }
    }
}

#[cfg(test)]
mod lenient_tests {
    use super::*;
    use crate::http1::limits::Limits;

    const ALL: Lenience = Lenience { invalid_fields: true, spaces_after_name: true, folds: true };

    #[test]
    fn line_breaks_within_values_become_blanks() {
        let rows = [
            ("a: b\r\n c\r\n\r\n", "a: b   c\r\n\r\n"),
            ("a: b\n\tc\r\n\r\n", "a: b \tc\r\n\r\n"),
            ("a:\r\n \r\n b\r\nc: d\r\n\r\n", "a:      b\r\nc: d\r\n\r\n"),
            ("a: b\r\nc: d\r\n\r\n", "a: b\r\nc: d\r\n\r\n"),
            ("a: b\r\r\n c\n\n", "a: b\r   c\n\n"),
            ("", ""),
        ];
        for (head, expected) in rows {
            let mut bytes = head.as_bytes().to_vec();
            unfold(&mut bytes);
            assert_eq!(
                bytes.escape_ascii().to_string(),
                expected.as_bytes().escape_ascii().to_string()
            );
        }
    }

    /// The head is the same at every split, whatever follows it.
    #[test]
    fn an_accepted_invalid_head_is_the_same_at_every_split() {
        let limits = Limits { lenience: ALL, ..Limits::default() };
        let heads = [
            "HTTP/1.1 200 OK\r\na : b\r\nno colon\r\nc: d\r\n e\r\nf: g\r\n\r\n",
            "HTTP/1.1 200 OK\na\t: b\n c\nno colon\n\n",
            "HTTP/1.1 200 OK\r\na: b\r\n \r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 4\r\n\r\n",
        ];
        for head in heads {
            let data = format!("{head}body\r\n more: of it\r\n\r\n");
            let whole = HeadScanner::default().head(data.as_bytes(), &limits).unwrap().unwrap();
            assert_eq!(whole.headers.raw().len(), head.len(), "{head:?}");
            assert!(HeadScanner::default().head(data.as_bytes(), &Limits::default()).is_err());
            for at in 0..data.len() {
                let mut scanner = HeadScanner::default();
                let early = scanner.head(&data.as_bytes()[..at], &limits).unwrap();
                assert_eq!(early.is_some(), at >= head.len(), "{head:?} {at}");
                let found = early.or_else(|| scanner.head(data.as_bytes(), &limits).unwrap());
                assert_eq!(found.unwrap().headers.map(), whole.headers.map(), "{head:?} {at}");
            }
        }
    }

    proptest::proptest! {
        /// Accepted invalid lines do not affect the framing: it is that of the valid lines.
        #[test]
        fn the_framing_is_that_of_the_strict_lines(
            lines in proptest::collection::vec(
                "(content-length|transfer-encoding|a|no colon)?[ \t\r\x01]{0,2}:?[ \t]{0,2}(5|chunked|x)?(\r\n [a-z]?)?",
                0..6,
            ),
        ) {
            use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
            use crate::http1::header_section::Fields as _;
            let limits = Limits { lenience: ALL, ..Limits::default() };
            let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let head = format!("HTTP/1.1 200 OK\r\n{text}\r\n");
            let Ok(Some(head)) = HeadScanner::default().head(head.as_bytes(), &limits) else {
                return Ok(());
            };
            for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
                let strict = text.split("\r\n").take_while(|line| !line.is_empty());
                let strict = strict.filter_map(|line| line.strip_prefix(name.as_str())?.strip_prefix(':'));
                let strict: Vec<_> = strict.map(|value| value.trim().as_bytes()).collect();
                let found: Vec<_> = head.headers.lines(&name).collect();
                proptest::prop_assert_eq!(found, strict);
            }
        }
    }
}
