//! The header section of a response: its lines as received, and a map of them on demand.

use std::fmt;
use std::iter::zip;
use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::lenient;
use crate::http1::field_lines::{Fields, content_length};

/// The fields of a response (RFC 9110 §6.3).
///
/// Most fields are never read. So parsing a response records only the positions of its lines. The map
/// would cost more than the rest of a small response, so it is created on first use. Its values are
/// slices of the head.
#[derive(Clone, Default)]
pub(crate) struct HeaderSection {
    /// The head as received, in its original order and case.
    raw: Bytes,
    lines: Vec<HeaderLine>,
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

/// The position of a field line in a head. Its name and value are valid for a `HeaderMap`.
#[derive(Debug, Clone)]
pub(super) struct HeaderLine {
    name: Span,
    value: Span,
}

/// A range of a head.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

impl HeaderSection {
    /// Creates the section of a head from the lines of `raw`.
    pub(super) fn new(raw: Bytes, lines: Vec<HeaderLine>) -> Self {
        let lengths = Lengths::of(lines.iter().map(|line| line.name.len()));
        Self { raw, lines, lengths, ..Self::default() }
    }

    /// Creates a section that was not received, by writing its lines as a server would.
    pub(crate) fn written(status_line: &str, fields: HeaderMap) -> Self {
        let mut raw = [status_line.as_bytes(), b"\r\n"].concat();
        let mut append = |text: &[u8], end: &[u8]| {
            let start = raw.len();
            raw.extend_from_slice(text);
            raw.extend_from_slice(end);
            Span { start, end: start + text.len() }
        };
        let lines = fields.iter().map(|(name, value)| HeaderLine {
            name: append(name.as_str().as_bytes(), b": "),
            value: append(value.as_bytes(), b"\r\n"),
        });
        let lines = lines.collect();
        append(b"\r\n", b"");
        Self { map: Box::new(fields).into(), ..Self::new(raw.into(), lines) }
    }

    /// Returns the head as received.
    pub(crate) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Replaces line breaks within values by blanks, before the caller has seen any value.
    pub(super) fn unfold(&mut self) {
        let mut raw = self.raw.to_vec();
        lenient::unfold(&mut raw);
        self.raw = raw.into();
    }

    /// Returns the number of lines.
    pub(crate) fn len(&self) -> usize {
        self.changed.as_ref().map_or(self.lines.len(), |map| map.len())
    }

    pub(crate) fn map(&self) -> &HeaderMap {
        let unchanged = || self.map.get_or_init(|| map_of(&self.raw, &self.lines));
        self.changed.as_ref().unwrap_or_else(unchanged)
    }

    pub(crate) fn map_mut(&mut self) -> &mut HeaderMap {
        let made = self.map.take();
        let unchanged = || made.unwrap_or_else(|| map_of(&self.raw, &self.lines));
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
        self.lines.retain(|line| !line.is_called(name, &self.raw));
        self.map.take();
    }
}

/// Returns the lines as received, which control the protocol, and ignores changes of the caller.
impl Fields for HeaderSection {
    #[inline(always)]
    fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str().as_bytes();
        let lines = if self.lengths.have(name.len()) { self.lines.as_slice() } else { &[] };
        let lines = lines.iter().filter(move |line| line.is_called(name, &self.raw));
        lines.map(|line| line.value.of(&self.raw))
    }
}

/// A set of lengths modulo 64.
#[derive(Debug, Clone, Copy, Default)]
struct Lengths(u64);

impl Lengths {
    fn of(lengths: impl Iterator<Item = usize>) -> Self {
        Self(lengths.fold(0, |bits, length| bits | 1 << (length % 64)))
    }

    /// Returns whether the length may be in the set.
    fn have(self, length: usize) -> bool {
        self.0 & 1 << (length % 64) != 0
    }
}

impl HeaderLine {
    /// Records the position of a field in `raw`. Its name must not be longer than [`LONGEST_NAME`], and
    /// httparse must have checked the bytes of its name and value.
    pub(super) fn new(field: &httparse::Header<'_>, raw: &[u8]) -> Self {
        Self { name: Span::new(field.name.as_bytes(), raw), value: Span::new(field.value, raw) }
    }

    /// Compares the name, ignoring case. `name` must be in lower case.
    #[inline]
    fn is_called(&self, name: &[u8], raw: &[u8]) -> bool {
        // Names rarely have equal lengths, so their bytes are rarely compared.
        let equal = |(own, other): (&u8, &u8)| own == other || own.to_ascii_lowercase() == *other;
        self.name.len() == name.len() && zip(self.name.of(raw), name).all(equal)
    }
}

impl Span {
    /// Returns the position of `part`, which must be a slice of `raw`.
    fn new(part: &[u8], raw: &[u8]) -> Self {
        let start = part.as_ptr().addr().saturating_sub(raw.as_ptr().addr());
        Self { start, end: start + part.len() }
    }

    fn len(self) -> usize {
        self.end - self.start
    }

    fn of(self, raw: &[u8]) -> &[u8] {
        raw.get(self.start..self.end).unwrap_or_default()
    }
}

fn length_of(fields: &impl Fields) -> Option<u64> {
    match fields.has(&TRANSFER_ENCODING) {
        true => None,
        false => content_length(fields).ok().flatten(),
    }
}

/// The maximum length of a name that `http` accepts.
pub(super) const LONGEST_NAME: usize = u16::MAX as usize;

fn map_of(raw: &Bytes, lines: &[HeaderLine]) -> Box<HeaderMap> {
    let mut map = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.of(raw));
        let value = HeaderValue::from_maybe_shared(raw.slice(line.value.start..line.value.end));
        // Neither fails: every line is valid for a map, and the limits bound their number.
        if let (Ok(name), Ok(value)) = (name, value) {
            let _ = map.try_append(name, value);
        }
    }
    Box::new(map)
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_LENGTH, ETAG, VARY};
    use proptest::prelude::*;

    use super::super::error::ProtocolError;
    use super::super::head;
    use super::*;
    use crate::http1::limits::Limits;

    fn section(lines: &[u8]) -> Result<HeaderSection, ProtocolError> {
        let raw = [b"HTTP/1.1 200 OK\r\n", lines, b"\r\n"].concat();
        head::parse(&raw, &Limits::default()).map(|head| head.headers)
    }

    /// Checks that the map contains all lines of the section.
    fn assert_whole(section: &HeaderSection) {
        assert_eq!(section.map().len(), section.lines.len());
        for (name, value) in section.map() {
            assert!(section.lines(name).any(|line| line == value), "{name:?}");
        }
    }

    /// Every byte that httparse accepts in a line is valid in a `HeaderMap`.
    #[test]
    fn every_accepted_byte_is_valid_in_the_map() {
        let mut passed = (0, 0);
        for byte in 0..=u8::MAX {
            if let Ok(section) = section(&[b"a", &[byte][..], b": c\r\n"].concat()) {
                assert_whole(&section);
                passed.0 += 1;
            }
            if let Ok(section) = section(&[b"a: b", &[byte][..], b"c\r\n"].concat()) {
                assert_whole(&section);
                passed.1 += 1;
            }
        }
        // Names: the characters of a token, and the colon, which ends the name. Values: all bytes except
        // control characters and DEL, but including HTAB.
        assert_eq!(passed, (77 + 1, 256 - 32 + 1 - 1));
    }

    #[test]
    fn names_longer_than_a_map_allows_are_errors() {
        let line = |length| [b"a".repeat(length).as_slice(), b": b\r\n"].concat();
        assert_whole(&section(&line(LONGEST_NAME)).unwrap());
        let refused = section(&line(LONGEST_NAME + 1));
        assert!(matches!(refused, Err(ProtocolError::InvalidField(_))), "{refused:?}");
    }

    #[test]
    fn a_written_section_equals_a_received_one() {
        let read = section(b"etag: a\r\nvary: b\r\nvary: \xff\r\n").unwrap();
        let written = HeaderSection::written("HTTP/1.1 200 OK", read.map().clone());
        assert_eq!((written.raw(), written.len()), (read.raw(), 3));
        assert_whole(&written);
        assert!(written.lines(&VARY).eq([&b"b"[..], b"\xff"]));
        assert_eq!((written.first(&ETAG), written.first(&CONTENT_LENGTH)), (Some(&b"a"[..]), None));
    }

    #[test]
    fn changes_of_the_caller_do_not_affect_the_protocol() {
        let mut section = section(b"ETag: a\r\nVary: b\r\nVARY: c\r\n").unwrap();
        assert_eq!((section.first(&ETAG), section.len()), (Some(&b"a"[..]), 3));
        section.map();
        section.remove(&ETAG);
        assert_eq!((section.first(&ETAG), section.map().len(), section.len()), (None, 2, 2));
        section.map_mut().insert(VARY, HeaderValue::from_static("d"));
        section.map_mut().append(ETAG, HeaderValue::from_static("e"));
        assert_eq!(section.first(&VARY), Some(&b"d"[..]));
        assert_eq!((&section.map()[ETAG], section.len()), (&HeaderValue::from_static("e"), 2));
        assert_eq!(section.lines(&VARY).collect::<Vec<_>>(), [b"b", b"c"], "as received");
        assert!(section.raw().starts_with(b"HTTP/1.1 200 OK\r\nETag: a\r\n"));
    }

    proptest! {
        #[test]
        fn lines_are_found_as_in_the_map(
            lines in prop::collection::vec(("(?i)(etag|vary|content-length)", "[ -~]{0,9}"), 0..9),
        ) {
            let text: String =
                lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let section = section(text.as_bytes()).unwrap();
            for name in [ETAG, VARY, CONTENT_LENGTH] {
                let found: Vec<_> = section.lines(&name).collect();
                let mapped: Vec<_> = section.map().lines(&name).collect();
                prop_assert_eq!(&found, &mapped);
                let wanted = lines.iter().filter(|(own, _)| name == own.to_lowercase().as_str());
                let wanted: Vec<_> = wanted.map(|(_, value)| value.trim().as_bytes()).collect();
                prop_assert_eq!(found, wanted);
            }
        }
    }
}
