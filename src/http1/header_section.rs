//! The header section of a response: its lines as received, a map of them on demand, and the fields that control
//! a connection. Those are read from all lines of a name: a list is neither a single string nor only its
//! first line.
//!
//! # Two readers, two views
//!
//! | reader | view | why |
//! | --- | --- | --- |
//! | the protocol: framing, close, upgrade | [`Fields::lines`], as received | a caller's change must not move the end of a body |
//! | the caller | [`HeaderSection::map`] and `map_mut` | the type that programs know, with the caller's changes |
//!
//! `changes_of_the_caller_do_not_affect_the_protocol` holds the two apart. `first` and
//! `content_length` are for the caller's view without the cost of a map.
//!
//! # Memory
//!
//! ```text
//! raw     HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nserver: x\r\n\r\n      one allocation
//! lines                     [17..29, 31..40]           [42..48, 50..51]        positions, without one if they are few
//! map     made when the caller asks; its values are slices of `raw`
//! ```
//!
//! A lookup of a field that is absent, the usual case for `Upgrade` or `Keep-Alive`, first asks a
//! set of the lengths of all names, and compares no name then ([`Lengths`]).
//!
//! # Lists
//!
//! RFC 9110 §5.3 lets a sender split a list over several lines, so a list is read from all lines of
//! its name ([`members`]); a parser that takes only the first line can be made to miss `close` or
//! `chunked`. A list of tokens needs no parser of quoted strings: a piece of a string holds a
//! quote, which no token does, so it equals none of those that are looked for.
//!
//! `Content-Length` and `Transfer-Encoding` are read strictly ([`content_length`],
//! [`transfer_coding`]): what is only partly understood is an error, because another recipient on
//! the path may have understood it otherwise (`invalid_content_lengths_are_errors`,
//! `transfer_coding_is_chunked_once_or_an_error`).

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::error::ProtocolError;
use super::head::unfold;
use crate::base::text::{Excerpt, decimal};

/// The fields of a response (RFC 9110 §6.3).
///
/// Most fields are never read. So parsing a response records only the positions of its lines. The map
/// would cost more than the rest of a small response, so it is created on first use. Its values are
/// slices of the head.
#[derive(Clone, Default)]
pub(crate) struct HeaderSection {
    /// The head as received, in its original order and case.
    raw: Bytes,
    lines: FieldLines,
    /// The lengths of the names, so that most lookups of an absent name fail fast.
    lengths: Lengths,
    /// A map of the same lines.
    map: OnceLock<Box<HeaderMap>>,
    /// A map that replaces the lines once the caller may have changed it.
    changed: Option<Box<HeaderMap>>,
}

/// Shows the number of fields, never their content: a server's fields may be secrets.
impl fmt::Debug for HeaderSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderSection").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The positions of the lines of a head, in order. Those of nearly every head need no allocation.
#[derive(Clone, Default)]
struct FieldLines {
    few: [HeaderLine; FEW_LINES],
    count: usize,
    /// All lines, if they are more than fit into `few`.
    many: Vec<HeaderLine>,
}

/// The number of lines whose positions are kept without an allocation.
const FEW_LINES: usize = 12;

/// The position of a field line in a head. Its name and value are valid for a `HeaderMap`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct HeaderLine {
    name: Span,
    value: Span,
}

/// A range of a head, which is shorter than 4 GiB.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl HeaderSection {
    /// Creates the section of a head with so many lines, which are [pushed](Self::push).
    #[inline]
    pub(super) fn new(raw: Bytes, lines: usize) -> Self {
        let mut section = Self { raw, ..Self::default() };
        if lines > FEW_LINES {
            section.lines.many.reserve_exact(lines);
        }
        section
    }

    /// Appends a line of the head.
    #[inline]
    pub(super) fn push(&mut self, line: HeaderLine) {
        self.lengths.add(line.name.len());
        self.lines.push(line);
    }

    /// Creates a section that was not received, by writing its lines as a server would.
    pub(crate) fn written(status_line: &str, fields: HeaderMap) -> Self {
        let mut raw = [status_line.as_bytes(), b"\r\n"].concat();
        let mut append = |text: &[u8], end: &[u8]| {
            let start = raw.len();
            raw.extend_from_slice(text);
            raw.extend_from_slice(end);
            Span::new(start, text.len())
        };
        let lines = fields.iter().filter_map(|(name, value)| {
            let name = append(name.as_str().as_bytes(), b": ");
            let value = append(value.as_bytes(), b"\r\n");
            Some(HeaderLine { name: name?, value: value? })
        });
        let lines: Vec<_> = lines.collect();
        append(b"\r\n", b"");
        let mut section = Self::new(raw.into(), lines.len());
        lines.into_iter().for_each(|line| section.push(line));
        section.map = Box::new(fields).into();
        section
    }

    /// Returns the head as received.
    pub(crate) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Replaces line breaks within values by blanks, before the caller has seen any value.
    pub(super) fn unfold(&mut self) {
        let mut raw = self.raw.to_vec();
        unfold(&mut raw);
        self.raw = raw.into();
    }

    /// Returns the number of lines.
    pub(crate) fn len(&self) -> usize {
        self.changed.as_ref().map_or(self.lines.count, |map| map.len())
    }

    pub(crate) fn map(&self) -> &HeaderMap {
        let unchanged = || self.map.get_or_init(|| map_of(&self.raw, self.lines.as_slice()));
        self.changed.as_ref().unwrap_or_else(unchanged)
    }

    pub(crate) fn map_mut(&mut self) -> &mut HeaderMap {
        let made = self.map.take();
        let unchanged = || made.unwrap_or_else(|| map_of(&self.raw, self.lines.as_slice()));
        self.changed.get_or_insert_with(unchanged)
    }

    /// Returns the first value with that name, including changes of the caller.
    pub(crate) fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        match &self.changed {
            Some(map) => map.get(name).map(HeaderValue::as_bytes),
            None => self.lines(name).next(),
        }
    }

    /// Returns the value of `Content-Length`, including changes of the caller. `None` if
    /// `Transfer-Encoding` overrides it (RFC 9112 §6.3).
    pub(crate) fn content_length(&self) -> Option<u64> {
        match &self.changed {
            Some(map) => length_of(&**map),
            None => length_of(self),
        }
    }

    /// Removes all lines with that name before the caller has seen any; the [raw](Self::raw) head
    /// keeps them.
    pub(crate) fn remove(&mut self, name: &HeaderName) {
        let name = name.as_str().as_bytes();
        let before = std::mem::take(&mut self.lines);
        let kept = before.as_slice().iter().filter(|line| !line.is_called(name, &self.raw));
        kept.for_each(|line| self.lines.push(*line));
        self.map.take();
    }
}

/// Returns the lines as received, which control the protocol, and ignores changes of the caller.
impl Fields for HeaderSection {
    #[inline(always)]
    fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str().as_bytes();
        let lines = if self.lengths.have(name.len()) { self.lines.as_slice() } else { &[] };
        Values { lines: lines.iter(), name, raw: &self.raw }
    }
}

/// The values of the lines with one name. Every response is asked for six names, of which it usually has one.
struct Values<'h, 'n> {
    lines: std::slice::Iter<'h, HeaderLine>,
    name: &'n [u8],
    raw: &'h [u8],
}

impl<'h> Iterator for Values<'h, '_> {
    type Item = &'h [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'h [u8]> {
        let line = self.lines.find(|line| line.is_called(self.name, self.raw))?;
        Some(line.value.of(self.raw))
    }
}

/// A set of lengths modulo 64.
#[derive(Debug, Clone, Copy, Default)]
struct Lengths(u64);

impl Lengths {
    fn add(&mut self, length: usize) {
        self.0 |= 1 << (length % 64);
    }

    /// Returns whether the length may be in the set.
    fn have(self, length: usize) -> bool {
        self.0 & 1 << (length % 64) != 0
    }
}

impl FieldLines {
    #[inline]
    fn push(&mut self, line: HeaderLine) {
        match self.few.get_mut(self.count) {
            Some(place) => *place = line,
            None => {
                if self.many.is_empty() {
                    self.many.extend_from_slice(&self.few);
                }
                self.many.push(line);
            }
        }
        self.count += 1;
    }

    #[inline]
    fn as_slice(&self) -> &[HeaderLine] {
        self.few.get(..self.count).unwrap_or(&self.many)
    }
}

impl HeaderLine {
    /// Records the position of a field in `raw`. httparse must have found it there, so that its bytes are
    /// checked. Returns `None` if the name is longer than a `HeaderMap` takes, or lies beyond 4 GiB.
    #[inline]
    pub(super) fn new(field: &httparse::Header<'_>, raw: &[u8]) -> Option<Self> {
        if field.name.len() > LONGEST_NAME {
            return None;
        }
        let (name, value) = (field.name.as_bytes(), field.value);
        Some(Self { name: Span::within(raw, name)?, value: Span::within(raw, value)? })
    }

    /// Compares the name, ignoring case. `name` must be in lower case.
    #[inline]
    fn is_called(&self, name: &[u8], raw: &[u8]) -> bool {
        // Names rarely have equal lengths, so their bytes are rarely compared.
        self.name.len() == name.len() && is_lowercase_of(self.name.of(raw), name)
    }
}

impl Span {
    /// Returns the position of `part` in `raw`, or `None` if it is not a slice of it.
    #[inline]
    fn within(raw: &[u8], part: &[u8]) -> Option<Self> {
        let start = part.as_ptr().addr().wrapping_sub(raw.as_ptr().addr());
        let last = raw.len().checked_sub(part.len())?;
        if start <= last { Self::new(start, part.len()) } else { None }
    }

    #[inline]
    fn new(start: usize, length: usize) -> Option<Self> {
        let end = u32::try_from(start + length).ok()?;
        Some(Self { start: u32::try_from(start).ok()?, end })
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn len(self) -> usize {
        self.range().len()
    }

    fn of(self, raw: &[u8]) -> &[u8] {
        let Range { start, end } = self.range();
        raw.split_at(end).0.split_at(start).1
    }
}

/// Returns whether a name of a line in lower case is `lower`, which is as long. Eight bytes at a time, because every
/// response is asked for its `Content-Length`. Not inlined, so that the comparison of lengths before it is.
#[inline(never)]
fn is_lowercase_of(name: &[u8], lower: &[u8]) -> bool {
    let is_same = |(name, lower): (&[u8; 8], &[u8; 8])| {
        lowercase(u64::from_le_bytes(*name)) == u64::from_le_bytes(*lower)
    };
    let (Some(last), (mut name, mut lower)) =
        (name.last_chunk().zip(lower.last_chunk()), (name, lower))
    else {
        return name.eq_ignore_ascii_case(lower);
    };
    while let (Some((word, name_rest)), Some((lower_word, lower_rest))) =
        (name.split_first_chunk(), lower.split_first_chunk())
    {
        if !is_same((word, lower_word)) {
            return false;
        }
        (name, lower) = (name_rest, lower_rest);
    }
    is_same(last)
}

/// Returns eight ASCII bytes in lower case: adding to each byte sets its highest bit from a letter on.
#[inline]
fn lowercase(word: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let from_a = word.wrapping_add(const { all(0x80 - b'A') });
    let behind_z = word.wrapping_add(const { all(0x7f - b'Z') });
    word | ((from_a & !behind_z & const { all(0x80) }) >> 2)
}

fn length_of(fields: &impl Fields) -> Option<u64> {
    match fields.has(&TRANSFER_ENCODING) {
        true => None,
        false => content_length(fields).ok().flatten(),
    }
}

/// The maximum length of a name that `http` accepts.
const LONGEST_NAME: usize = u16::MAX as usize;

/// Makes the map that a caller sees. Its values share the memory of the head.
fn map_of(raw: &Bytes, lines: &[HeaderLine]) -> Box<HeaderMap> {
    let mut map = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.of(raw));
        let value = HeaderValue::from_maybe_shared(raw.slice(line.value.range()));
        // Neither fails: every line is valid for a map, and the limits bound their number.
        if let (Ok(name), Ok(value)) = (name, value) {
            let _ = map.try_append(name, value);
        }
    }
    Box::new(map)
}

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
#[inline]
pub(crate) fn has_member(headers: &impl Fields, name: &HeaderName, token: &str) -> bool {
    let is_token = |element: &[u8]| element.eq_ignore_ascii_case(token.as_bytes());
    headers.lines(name).any(|line| split(line).any(is_token))
}

/// Returns the value of `Content-Length`, or `None` without such a field.
///
/// Repeated values in one line or several count once if they are equal; an empty element or anything but
/// digits is an error (RFC 9110 §8.6, RFC 9112 §6.3 step 5).
#[inline]
pub(crate) fn content_length(headers: &impl Fields) -> Result<Option<u64>, ProtocolError> {
    let mut length = None;
    for line in headers.lines(&CONTENT_LENGTH) {
        let number = match decimal(line) {
            Some(number) => number, // nearly always
            None => repeated_length(line)?,
        };
        if length.is_some_and(|length| length != number) {
            return Err(ProtocolError::ConflictingContentLength);
        }
        length = Some(number);
    }
    Ok(length)
}

/// Returns the value that all elements of a line have.
#[cold]
fn repeated_length(line: &[u8]) -> Result<u64, ProtocolError> {
    let elements = split(line).map(|element| {
        decimal(element).ok_or_else(|| ProtocolError::InvalidContentLength(Excerpt::new(element)))
    });
    let mut length = None;
    for element in elements {
        let number = element?;
        if length.is_some_and(|length| length != number) {
            return Err(ProtocolError::ConflictingContentLength);
        }
        length = Some(number);
    }
    length.ok_or_else(|| ProtocolError::InvalidContentLength(Excerpt::new(line)))
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
#[inline]
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
mod tests;

#[cfg(test)]
mod field_tests;
