//! Finds, parses and bounds response heads (RFC 9112 §3–§5).
//!
//! # From bytes to a head
//!
//! 1. [`empty_lines`]: CR LF before a status line are skipped (§2.2) and count against the limit.
//! 2. [`HeadScanner::head`]: nearly every head arrives in one piece, so it is parsed right away. If
//!    that fails, or the head is incomplete, the scanner looks for its end, each byte once over all
//!    reads, and the head is parsed when all of it is there. So a head costs what its bytes cost,
//!    also if it arrives in many reads.
//! 3. [`parse_into`]: `httparse` splits the lines; the version, the status and each name and value
//!    are checked again where `http` or RFC 9112 is stricter, and become positions in one copy of
//!    the head ([`HeaderSection`]).
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
use crate::base::text::{Excerpt, find_any};
use crate::http1::header_section::{HeaderLine, HeaderSection};
use crate::http1::limits::{Lenience, Limits};

/// The number of field lines parsed without an allocation; nearly every response has fewer.
const USUAL_FIELDS: usize = 48;

/// So many bytes that begin with more fields than that are probably not all of the head: they fill the first read.
const LIKELY_INCOMPLETE: usize = 8 * 1024;

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
    /// The number of lines before it.
    lines: usize,
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
            let parsed = parse_at_once(data, limits).ok().flatten();
            let sound = parsed.filter(|head| head.headers.raw().len() <= limits.max_line_bytes);
            if sound.is_some() {
                return Ok(sound);
            }
        }
        let Some(end) = self.find_end(data, limits.max_line_bytes)? else { return Ok(None) };
        parse_lines(data.split_at(end).0, self.lines, limits).map(Some)
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
        while let Some(at) = find_any([b'\n'], data.split_at(self.scanned).1) {
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
                _ => (self.scanned, self.line, self.lines) = (after, after, self.lines + 1),
            }
        }
        self.scanned = data.len();
        if data.len() - self.line > line_limit { Err(too_long()) } else { Ok(None) }
    }
}

/// Returns the number of bytes of empty lines before a head, which RFC 9112 §2.2 allows to skip.
pub(crate) fn empty_lines(data: &[u8]) -> usize {
    let mut rest = data;
    while let Some(after) = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")) {
        rest = after;
    }
    data.len() - rest.len()
}

/// Parses the head at the start of the first bytes; `None` if it is not complete.
fn parse_at_once(data: &[u8], limits: &Limits) -> Result<Option<Box<ResponseHead>>, ProtocolError> {
    let strict = ParserConfig::default();
    let mut few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    match parse_into(data, &mut few, limits, &strict) {
        Err(ProtocolError::TooManyFields(_)) if data.len() < LIKELY_INCOMPLETE => {
            let mut many = vec![MaybeUninit::uninit(); limits.max_headers];
            parse_into(data, &mut many, limits, &strict)
        }
        parsed => parsed,
    }
}

/// Parses a complete head.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse(head: &[u8], limits: &Limits) -> Result<Box<ResponseHead>, ProtocolError> {
    parse_lines(head, limits.max_headers, limits)
}

/// Parses a complete head, whose fields are in at most so many lines.
fn parse_lines(
    data: &[u8],
    lines: usize,
    limits: &Limits,
) -> Result<Box<ResponseHead>, ProtocolError> {
    let (mut few, mut many);
    let fields = if lines <= USUAL_FIELDS {
        few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
        &mut few[..]
    } else {
        many = vec![MaybeUninit::uninit(); lines.min(limits.max_headers)];
        &mut many
    };
    let incomplete = || invalid_status_line(data);
    match parse_into(data, fields, limits, &ParserConfig::default()) {
        Err(ProtocolError::InvalidField(_)) if limits.lenience.is_any() => {
            let parsed = parse_into(data, fields, limits, &lenient_parser(limits.lenience))?;
            let mut head = parsed.ok_or_else(incomplete)?;
            check_lenient_framing(head.headers.raw())?;
            head.headers.unfold();
            Ok(head)
        }
        parsed => parsed?.ok_or_else(incomplete),
    }
}

/// Parses the lines and records their positions; `None` if the head is not complete. Only valid lines
/// come out of `httparse`; what `http` refuses beyond that, a status below 100 or a name of 64 KiB, is
/// refused here, so that the map can be made later without an error.
fn parse_into<'h, 'r: 'h>(
    data: &'r [u8],
    fields: &'h mut [MaybeUninit<httparse::Header<'r>>],
    limits: &Limits,
    parser: &ParserConfig,
) -> Result<Option<Box<ResponseHead>>, ProtocolError> {
    let room = fields.len().min(limits.max_headers);
    let mut response = httparse::Response::new(&mut []);
    let parsed =
        parser.parse_response_with_uninit_headers(&mut response, data, fields.split_at_mut(room).0);
    let raw = match parsed {
        Ok(httparse::Status::Complete(length)) => data.split_at(length).0,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(parse_error(error, data, limits)),
    };
    let version = match response.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    let code = response.code.unwrap_or_default();
    let status = StatusCode::from_u16(code)
        .map_err(|_| ProtocolError::InvalidStatus(Excerpt::new(code.to_string().as_bytes())))?;
    let headers = HeaderSection::new(Bytes::copy_from_slice(raw), response.headers.len());
    let mut head = Box::new(ResponseHead { version, status, headers });
    for field in &*response.headers {
        let invalid = || ProtocolError::InvalidField(Excerpt::new(field.name.as_bytes()));
        head.headers.push(HeaderLine::new(field, raw).ok_or_else(invalid)?);
    }
    Ok(Some(head))
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
mod tests;

#[cfg(test)]
mod lenient_tests;
