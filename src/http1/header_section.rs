//! The header section of a response: its lines as they came, and a map of them for who asks.

use std::fmt;
use std::iter::zip;
use std::sync::OnceLock;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::lenient;
use crate::base::erased_box::Apart;
use crate::http1::field_lines::{Fields, content_length};

/// The fields of a response (RFC 9110 §6.3).
///
/// Few of them are ever looked at. So all that is made of every response is a note of where its
/// lines are; the map, which would cost more than the rest of a small response, is made when it is
/// asked for. Its values are slices of the head.
#[derive(Clone, Default)]
pub(crate) struct HeaderSection {
    /// Every byte of the head as it came, in its order and case.
    raw: Bytes,
    lines: Vec<Line>,
    /// The lengths of their names: most names that are looked up are told by that not to be there.
    lengths: Lengths,
    /// The same lines.
    map: OnceLock<Apart<HeaderMap>>,
    /// What counts in their place once the caller may have changed it.
    changed: Option<Apart<HeaderMap>>,
}

/// Says how many there are, never what: a server's fields may be secrets.
impl fmt::Debug for HeaderSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderSection").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Where a field line stands in a head. Its name and its value are such as a map takes.
#[derive(Debug, Clone)]
pub(super) struct Line {
    name: Span,
    value: Span,
}

/// A part of a head.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

impl HeaderSection {
    /// The lines are those of `raw`.
    pub(super) fn new(raw: Bytes, lines: Vec<Line>) -> Self {
        let lengths = Lengths::of(lines.iter().map(|line| line.name.len()));
        Self { raw, lines, lengths, ..Self::default() }
    }

    /// The section of a head that never came: it is written here, as it would have come.
    pub(crate) fn written(status_line: &str, fields: HeaderMap) -> Self {
        let mut raw = [status_line.as_bytes(), b"\r\n"].concat();
        let mut append = |text: &[u8], end: &[u8]| {
            let start = raw.len();
            raw.extend_from_slice(text);
            raw.extend_from_slice(end);
            Span { start, end: start + text.len() }
        };
        let lines = fields.iter().map(|(name, value)| Line {
            name: append(name.as_str().as_bytes(), b": "),
            value: append(value.as_bytes(), b"\r\n"),
        });
        let lines = lines.collect();
        append(b"\r\n", b"");
        Self { map: Apart::new(fields).into(), ..Self::new(raw.into(), lines) }
    }

    /// Every byte of the head as it came.
    pub(crate) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Makes blanks of the line breaks within values, before anyone has seen them.
    pub(super) fn unfold(&mut self) {
        let mut raw = self.raw.to_vec();
        lenient::unfold(&mut raw);
        self.raw = raw.into();
    }

    /// The number of lines.
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

    /// The first value of that name, as the caller may have changed it.
    pub(crate) fn first(&self, name: &HeaderName) -> Option<&[u8]> {
        match &self.changed {
            Some(map) => map.get(name).map(HeaderValue::as_bytes),
            None => self.lines(name).next(),
        }
    }

    /// What `Content-Length` says, as the caller may have changed it. `Transfer-Encoding` overrides it
    /// (RFC 9112 §6.3).
    pub(crate) fn content_length(&self) -> Option<u64> {
        match &self.changed {
            Some(map) => length_of(&**map),
            None => length_of(self),
        }
    }

    /// Removes all lines of that name, before the caller has seen any; the [raw](Self::raw) head
    /// keeps them.
    pub(crate) fn remove(&mut self, name: &HeaderName) {
        let name = name.as_str().as_bytes();
        self.lines.retain(|line| !line.is_called(name, &self.raw));
        self.map.take();
    }
}

/// The lines that came: what the protocol goes by, before a caller can change any.
impl Fields for HeaderSection {
    #[inline(always)]
    fn lines(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str().as_bytes();
        let lines = if self.lengths.have(name.len()) { self.lines.as_slice() } else { &[] };
        let lines = lines.iter().filter(move |line| line.is_called(name, &self.raw));
        lines.map(|line| line.value.of(&self.raw))
    }
}

/// A set of lengths, each modulo 64.
#[derive(Debug, Clone, Copy, Default)]
struct Lengths(u64);

impl Lengths {
    fn of(lengths: impl Iterator<Item = usize>) -> Self {
        Self(lengths.fold(0, |bits, length| bits | 1 << (length % 64)))
    }

    /// Whether it may be there.
    fn have(self, length: usize) -> bool {
        self.0 & 1 << (length % 64) != 0
    }
}

impl Line {
    /// Takes note of a field of `raw`, whose name is no longer than [`LONGEST_NAME`]. The bytes of
    /// its name and its value were checked by httparse.
    pub(super) fn new(field: &httparse::Header<'_>, raw: &[u8]) -> Self {
        Self { name: Span::new(field.name.as_bytes(), raw), value: Span::new(field.value, raw) }
    }

    /// `name` is in lower case.
    #[inline]
    fn is_called(&self, name: &[u8], raw: &[u8]) -> bool {
        // Hardly any two names have the same length, so hardly any bytes are looked at.
        let equal = |(own, other): (&u8, &u8)| own == other || own.to_ascii_lowercase() == *other;
        self.name.len() == name.len() && zip(self.name.of(raw), name).all(equal)
    }
}

impl Span {
    /// Where `part` stands, which is a part of `raw`.
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

/// The longest that `http` takes.
pub(super) const LONGEST_NAME: usize = u16::MAX as usize;

fn map_of(raw: &Bytes, lines: &[Line]) -> Apart<HeaderMap> {
    let mut map = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name = HeaderName::from_bytes(line.name.of(raw));
        let value = HeaderValue::from_maybe_shared(raw.slice(line.value.start..line.value.end));
        // Neither fails: a line is only made of what a map takes, and no head has too many.
        if let (Ok(name), Ok(value)) = (name, value) {
            let _ = map.try_append(name, value);
        }
    }
    Apart::new(map)
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

    /// The lines of the section, as the map has them.
    fn assert_whole(section: &HeaderSection) {
        assert_eq!(section.map().len(), section.lines.len());
        for (name, value) in section.map() {
            assert!(section.lines(name).any(|line| line == value), "{name:?}");
        }
    }

    /// httparse takes nothing into a line that `http` does not take into a map.
    #[test]
    fn every_byte_that_passes_gets_into_the_map() {
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
        // Characters of a token and the colon, which ends the name; all bytes but controls, of
        // which HTAB may stand in a value and DEL may not.
        assert_eq!(passed, (77 + 1, 256 - 32 + 1 - 1));
    }

    #[test]
    fn names_are_no_longer_than_a_map_takes() {
        let line = |length| [b"a".repeat(length).as_slice(), b": b\r\n"].concat();
        assert_whole(&section(&line(LONGEST_NAME)).unwrap());
        let refused = section(&line(LONGEST_NAME + 1));
        assert!(matches!(refused, Err(ProtocolError::InvalidField(_))), "{refused:?}");
    }

    #[test]
    fn what_is_written_is_what_would_be_read() {
        let read = section(b"etag: a\r\nvary: b\r\nvary: \xff\r\n").unwrap();
        let written = HeaderSection::written("HTTP/1.1 200 OK", read.map().clone());
        assert_eq!((written.raw(), written.len()), (read.raw(), 3));
        assert_whole(&written);
        assert!(written.lines(&VARY).eq([&b"b"[..], b"\xff"]));
        assert_eq!((written.first(&ETAG), written.first(&CONTENT_LENGTH)), (Some(&b"a"[..]), None));
    }

    #[test]
    fn what_the_caller_changes_counts_for_him() {
        let mut section = section(b"ETag: a\r\nVary: b\r\nVARY: c\r\n").unwrap();
        assert_eq!((section.first(&ETAG), section.len()), (Some(&b"a"[..]), 3));
        section.map();
        section.remove(&ETAG);
        assert_eq!((section.first(&ETAG), section.map().len(), section.len()), (None, 2, 2));
        section.map_mut().insert(VARY, HeaderValue::from_static("d"));
        section.map_mut().append(ETAG, HeaderValue::from_static("e"));
        assert_eq!(section.first(&VARY), Some(&b"d"[..]));
        assert_eq!((&section.map()[ETAG], section.len()), (&HeaderValue::from_static("e"), 2));
        assert_eq!(section.lines(&VARY).collect::<Vec<_>>(), [b"b", b"c"], "as they came");
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
