//! A reader for the lexical elements of field values (RFC 9110 §5.6): tokens, quoted strings, parameters, and
//! the text in them, in whichever encoding it is.
//!
//! A [`Cursor`] is a slice that gets shorter. It is `Copy`, so a parser that has to look ahead
//! copies it, reads on, and keeps the copy only if what it found fits. Each method takes the
//! longest run that it can, and none ever fails: at the end of the value it returns nothing. So a
//! parser cannot run past the end, and a loop over a cursor ends as soon as a turn consumes
//! nothing.
//!
//! | element | RFC 9110 | method |
//! | --- | --- | --- |
//! | token | §5.6.2 | [`token`](Cursor::token) |
//! | optional whitespace | §5.6.3 | [`skip_whitespace`](Cursor::skip_whitespace) |
//! | quoted string | §5.6.4 | [`quoted`](Cursor::quoted), which also accepts a missing end |
//! | parameter | §5.6.6 | [`parameter`](Cursor::parameter), which also accepts blanks around `=` |
//! | extended parameter | RFC 8187 | [`extended_value`] |

use crate::base::text::percent_decode;

/// Reads a field value from its start to its end, each byte once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Consumes the next byte if it is `byte`; returns whether it was.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Consumes the longest prefix of bytes for which `is_kind` is true.
    pub(super) fn take_while(&mut self, is_kind: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !is_kind(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Skips OWS or BWS.
    pub(super) fn skip_whitespace(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// Reads a token; empty if there is none.
    pub(super) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_tchar)
    }

    /// Returns the content of a quoted string whose opening quote has been consumed. Without a closing
    /// quote the string extends to the end.
    pub(super) fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut bytes = self.rest.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => text.push(bytes.next().copied().unwrap_or(b'\\')),
                _ => text.push(*byte),
            }
        }
        self.rest = bytes.as_slice();
        text
    }

    /// Reads `; name = value`, whose semicolon has been consumed. The value is a quoted string, or
    /// the text up to a semicolon or `separator`. Whitespace around each element and a missing value are
    /// accepted.
    pub(super) fn parameter(&mut self, separator: Option<u8>) -> Parameter<'a> {
        let ends = |byte| byte == b';' || Some(byte) == separator;
        self.skip_whitespace();
        let name = self.take_while(|byte| byte != b'=' && !ends(byte)).trim_ascii_end();
        let mut value = Vec::new();
        if self.eat(b'=') {
            self.skip_whitespace();
            value = if self.eat(b'"') {
                self.quoted()
            } else {
                self.take_while(|byte| !ends(byte)).trim_ascii_end().to_vec()
            };
        }
        self.skip_whitespace();
        Parameter { name, value }
    }
}

/// A parameter, not yet interpreted.
#[derive(Debug)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Vec<u8>,
}

/// Returns a name in lower case, since names are case-insensitive. One that is not ASCII matches none.
pub(super) fn lower(name: &[u8]) -> String {
    text(&name.to_ascii_lowercase())
}

/// Decodes text of unknown encoding: as UTF-8 if it is valid, since other encodings hardly ever are, and
/// else as ISO-8859-1, the historical charset of field values (RFC 9110 §5.5).
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => latin1(bytes),
    }
}

/// Decodes ISO-8859-1: each byte is the code point of its value.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Decodes a parameter value with an explicit charset (RFC 8187): `UTF-8'en'%e2%82%ac%20rates`. Returns the
/// text, if the charset is UTF-8 or ISO-8859-1, which all recipients support, and the value is
/// well formed.
pub(super) fn extended_value(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, coded) = (parts.next()?, parts.next()?, parts.next()?);
    // Printable ASCII other than space, and two digits after each `%`.
    let is_escape = |after: &[u8]| matches!(after, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let mut behind_percents = coded.split(|byte| *byte == b'%').skip(1);
    if !coded.iter().all(u8::is_ascii_graphic) || !behind_percents.all(is_escape) {
        return None;
    }
    let bytes = percent_decode(coded);
    if charset.eq_ignore_ascii_case(b"utf-8") {
        return String::from_utf8(bytes.into_owned()).ok();
    }
    charset.eq_ignore_ascii_case(b"iso-8859-1").then(|| latin1(&bytes))
}

/// Returns whether a byte is a `tchar` (RFC 9110 §5.6.2).
pub(crate) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests;
