//! A reader for the lexical elements of field values (RFC 9110 §5.6).

use crate::fields::token::is_tchar;

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
        match self.rest.strip_prefix(&[byte]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
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
        self.take_while(is_whitespace);
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
            value = match self.eat(b'"') {
                true => self.quoted(),
                false => self.take_while(|byte| !ends(byte)).trim_ascii_end().to_vec(),
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

fn is_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings() {
        let cases: [(&[u8], &[u8], &[u8]); 7] = [
            (b"a b\";", b"a b", b";"),
            (b"\"", b"", b""),
            (br#"\"\\\a""#, br#""\a"#, b""),
            (br#"a\";"#, br#"a";"#, b""),
            (b"open", b"open", b""),
            (b"open\\", b"open\\", b""),
            (b"", b"", b""),
        ];
        for (input, text, rest) in cases {
            let mut cursor = Cursor::new(input);
            assert_eq!((&*cursor.quoted(), cursor.rest), (text, rest));
        }
    }

    #[test]
    fn parameters() {
        let cases: [(&[u8], [&[u8]; 3]); 8] = [
            (b"a=b;c", [b"a", b"b", b";c"]),
            (b" a = b , c", [b"a", b"b", b", c"]),
            (b"a=\"b;,\" ;", [b"a", b"b;,", b";"]),
            (b"a = \"b\"", [b"a", b"b", b""]),
            (b"a", [b"a", b"", b""]),
            (b"a;", [b"a", b"", b";"]),
            (b"=b", [b"", b"b", b""]),
            (b"", [b"", b"", b""]),
        ];
        for (input, expected) in cases {
            let mut cursor = Cursor::new(input);
            let parameter = cursor.parameter(Some(b','));
            assert_eq!([parameter.name, &parameter.value, cursor.rest], expected);
        }
    }

    #[test]
    fn text_is_utf8_or_latin1() {
        assert_eq!(text("\u{e4}".as_bytes()), "\u{e4}");
        assert_eq!(text(b"\xe4"), "\u{e4}");
        assert_eq!(lower(b"TiTLe*"), "title*");
    }
}
