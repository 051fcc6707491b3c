//! Percent-encoding and -decoding (WHATWG URL §1.3).
//!
//! A [`Table`] states for every byte whether it is copied, encoded, or ends the component. A parser
//! can so find the end of a component and write it in one pass, one run of unchanged bytes at a time.

use std::borrow::Cow;

/// The rule for each byte of one component of a URL: copy, encode, or stop.
///
/// Bytes that are not ASCII are always encoded, so a copied run ends on a character boundary.
#[derive(Clone, Copy)]
pub(crate) struct Table([Class; 256]);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Copy,
    Encode,
    Stop,
}

/// The *C0 control percent-encode set*: controls and everything above `~`.
pub(crate) const C0_CONTROL: Table = Table([Class::Copy; 256]).with_controls();

impl Table {
    /// Returns this table with `bytes` encoded too.
    pub(crate) const fn encoding(self, bytes: &[u8]) -> Self {
        self.with(bytes, Class::Encode)
    }

    /// Returns this table with `bytes` ending the component.
    pub(crate) const fn stopping(self, bytes: &[u8]) -> Self {
        self.with(bytes, Class::Stop)
    }

    /// Appends `input` up to its first stop byte, encoded. Returns the rest of the input, which is
    /// empty or starts with the stop byte.
    pub(crate) fn push<'a>(&self, out: &mut String, mut input: &'a str) -> &'a str {
        loop {
            let (plain, rest) = self.split(input);
            out.push_str(plain);
            let mut chars = rest.chars();
            let Some(first) = chars.next().filter(|&first| !self.stops(first)) else {
                return rest;
            };
            push_escaped(out, first);
            input = chars.as_str();
        }
    }

    /// Splits `input` after the longest prefix that is copied unchanged.
    pub(crate) fn split<'a>(&self, input: &'a str) -> (&'a str, &'a str) {
        let run = input.bytes().position(|byte| self.class(byte) != Class::Copy);
        run.and_then(|run| input.split_at_checked(run)).unwrap_or((input, ""))
    }

    fn stops(&self, c: char) -> bool {
        u8::try_from(c).is_ok_and(|byte| self.class(byte) == Class::Stop)
    }

    #[inline]
    fn class(&self, byte: u8) -> Class {
        let Self(classes) = self;
        classes.get(usize::from(byte)).copied().unwrap_or(Class::Encode)
    }

    #[allow(
        clippy::indexing_slicing,
        reason = "runs only at compile time, and every byte is a valid index"
    )]
    const fn with(mut self, mut bytes: &[u8], class: Class) -> Self {
        while let [byte, rest @ ..] = bytes {
            self.0[*byte as usize] = class;
            bytes = rest;
        }
        self
    }

    const fn with_controls(mut self) -> Self {
        let mut byte = 0;
        while byte < u8::MAX {
            if byte < b' ' || byte > b'~' {
                self = self.encoding(&[byte]);
            }
            byte += 1;
        }
        self.encoding(&[u8::MAX])
    }
}

fn push_escaped(out: &mut String, c: char) {
    for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
        out.push_str(percent_encoding::percent_encode_byte(byte));
    }
}

/// Replaces each `%` with two hexadecimal digits by the byte; any other `%` stays as it is.
pub(crate) fn decode(input: &[u8]) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode(input).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    static UNRESERVED_ONLY: Table = C0_CONTROL.encoding(b" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}");
    static UP_TO_SLASH: Table = C0_CONTROL.stopping(b"/");

    fn encode(table: &Table, input: &str) -> (String, String) {
        let mut out = String::new();
        let rest = table.push(&mut out, input).to_owned();
        (out, rest)
    }

    #[test]
    fn encodes_up_to_a_stop() {
        let table = [
            ("", "", ""),
            ("abc", "abc", ""),
            ("a\u{0}b\u{7f}", "a%00b%7F", ""),
            ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80", ""),
            ("a/b", "a", "/b"),
            ("/", "", "/"),
            ("é/é", "%C3%A9", "/é"),
            ("a b~", "a b~", ""),
        ];
        for (input, encoded, rest) in table {
            let expected = (encoded.to_owned(), rest.to_owned());
            assert_eq!(encode(&UP_TO_SLASH, input), expected, "{input:?}");
        }
    }

    #[test]
    fn decodes_only_whole_escapes() {
        let table: [(&[u8], &[u8]); 9] = [
            (b"", b""),
            (b"abc", b"abc"),
            (b"%41%7a", b"Az"),
            (b"%C3%a9", b"\xC3\xA9"),
            (b"%", b"%"),
            (b"%4", b"%4"),
            (b"%zz%41", b"%zzA"),
            (b"%%41", b"%A"),
            (b"%+1%00", b"%+1\0"),
        ];
        for (input, decoded) in table {
            assert_eq!(*decode(input), *decoded, "{}", input.escape_ascii());
        }
        assert!(matches!(decode(b"plain"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(input in any::<String>()) {
            let (encoded, rest) = encode(&UNRESERVED_ONLY, &input);
            prop_assert!(encoded.is_ascii() && rest.is_empty());
            prop_assert_eq!(&*decode(encoded.as_bytes()), input.as_bytes());
        }
    }
}
