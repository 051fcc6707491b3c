//! The charset of a text (RFC 9110 §8.3.2, WHATWG Encoding).

use encoding_rs::{Encoding, UTF_8};
use http::HeaderValue;

/// Decodes by the byte order mark, else by the charset of `Content-Type`, else by `default`, else
/// as UTF-8. What is no character becomes U+FFFD.
pub(crate) fn decode(body: Vec<u8>, content_type: Option<&HeaderValue>, default: &str) -> String {
    let encoding = content_type
        .and_then(|value| label(value.as_bytes()))
        .and_then(|label| Encoding::for_label(&label))
        .or_else(|| Encoding::for_label(default.as_bytes()))
        .unwrap_or(UTF_8);
    if encoding == UTF_8 && Encoding::for_bom(&body).is_none() {
        // The usual case needs no copy.
        return String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    }
    encoding.decode(&body).0.into_owned()
}

/// The first `charset` parameter, without quotes.
fn label(content_type: &[u8]) -> Option<Vec<u8>> {
    let mut parameters = Parameters { rest: content_type };
    parameters.next()?; // the type itself
    parameters.find_map(|(name, value)| name.eq_ignore_ascii_case(b"charset").then_some(value))
}

/// The parts of a media type, split at semicolons outside of quotes, as name and value.
struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| matches!(byte, b';' | b'='));
        let (name, after) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let (value, rest) = match after {
            [b'=', value @ ..] => parameter_value(value),
            [_, rest @ ..] => (Vec::new(), rest),
            [] => (Vec::new(), after),
        };
        self.rest = rest;
        Some((name.trim_ascii(), value))
    }
}

/// A token or a quoted string, and what follows behind the next semicolon.
fn parameter_value(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let Some(quoted) = text.trim_ascii_start().strip_prefix(b"\"") else {
        let (token, rest) = split_at_semicolon(text);
        return (token.trim_ascii().to_vec(), rest);
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let after = quoted.get(at + 1..).unwrap_or_default();
                return (value, split_at_semicolon(after).1);
            }
            b'\\' => value.extend(bytes.next().map(|(_, escaped)| *escaped)),
            _ => value.push(*byte),
        }
    }
    (value, &[])
}

fn split_at_semicolon(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b';') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (text, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charset_parameters_are_found() {
        let cases: [(&str, Option<&str>); 12] = [
            ("text/html", None),
            ("text/html; charset=utf-8", Some("utf-8")),
            ("text/html;charset=UTF-8", Some("UTF-8")),
            ("text/html; CHARSET = latin1 ", Some("latin1")),
            ("text/html; charset=\"iso-8859-1\"", Some("iso-8859-1")),
            ("text/html; charset=\"a\\\"b\"", Some("a\"b")),
            ("text/html; a=\"x; charset=no\"; charset=yes", Some("yes")),
            ("text/html; charset=one; charset=two", Some("one")),
            ("text/html; charset", Some("")),
            ("text/html; charset=\"open", Some("open")),
            ("charset=utf-8", None),
            ("", None),
        ];
        for (content_type, expected) in cases {
            let found = label(content_type.as_bytes());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{content_type:?}");
        }
    }

    #[test]
    fn text_is_decoded_by_mark_then_charset_then_default() {
        let cases: [(&[u8], Option<&'static str>, &str, &str); 8] = [
            (b"gr\xfcn", Some("text/plain; charset=iso-8859-1"), "utf-8", "gr\u{fc}n"),
            (b"gr\xfcn", Some("text/plain"), "latin1", "gr\u{fc}n"),
            (b"gr\xfcn", None, "utf-8", "gr\u{fffd}n"),
            (b"gr\xfcn", None, "no such charset", "gr\u{fffd}n"),
            (b"\x83e\x83X", Some("text/plain; charset=shift_jis"), "utf-8", "\u{30c6}\u{30b9}"),
            (b"\xef\xbb\xbfa", Some("text/plain; charset=latin1"), "utf-8", "a"),
            (b"\xff\xfea\0", None, "utf-8", "a"),
            (b"plain", Some("text/plain; charset=unknown-8bit"), "utf-8", "plain"),
        ];
        for (body, content_type, default, expected) in cases {
            let content_type = content_type.map(HeaderValue::from_static);
            assert_eq!(decode(body.to_vec(), content_type.as_ref(), default), expected);
        }
    }
}
