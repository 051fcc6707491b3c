//! The pieces that field values are made of (RFC 9110 §5.6).

use crate::fields::token::is_tchar;

/// Reads a field value from its start to its end. Nothing is read twice.
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

    /// Whether the next byte is `byte`, which is then taken.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        match self.rest.strip_prefix(&[byte]) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Everything up to the first byte that is not of this kind.
    pub(super) fn take_while(&mut self, is_kind: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !is_kind(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// OWS, BWS.
    pub(super) fn skip_whitespace(&mut self) {
        self.take_while(is_whitespace);
    }

    /// A token; empty, if there is none.
    pub(super) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_tchar)
    }

    /// What a quoted string says, its opening quote taken already. Without a closing quote it goes
    /// up to the end.
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

    /// `; name = value`, whose semicolon is taken already. The value is a quoted string, or
    /// everything up to a semicolon or `separator`. Whitespace around everything is let pass, as
    /// is a missing value.
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

/// A parameter as it was written.
#[derive(Debug)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: Vec<u8>,
}

/// Names compare in any case; a name that is not ASCII is none that anybody looks for.
pub(super) fn lower(name: &[u8]) -> String {
    text(&name.to_ascii_lowercase())
}

/// Text of unknown encoding: UTF-8, which hardly anything else looks like, or ISO-8859-1, which
/// field values were once said to be in (RFC 9110 §5.5).
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => latin1(bytes),
    }
}

/// Each byte is the character of that number.
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
