//! Decodes text by its charset (RFC 9110 §8.3.2, WHATWG Encoding).

use crate::fields::media_type::MediaType;
use encoding_rs::{Encoding, UTF_8};

/// Decodes by the byte order mark, else by the charset of `Content-Type`, else by `default`, else
/// as UTF-8. Invalid sequences become U+FFFD.
pub(crate) fn decode(body: Vec<u8>, content_type: Option<&[u8]>, default: &str) -> String {
    let encoding = content_type
        .and_then(|value| declared(value, &body))
        .or_else(|| Encoding::for_label(default.as_bytes()))
        .unwrap_or(UTF_8);
    if encoding == UTF_8 && Encoding::for_bom(&body).is_none() {
        // The usual case needs no copy.
        return String::from_utf8(body)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    }
    encoding.decode(&body).0.into_owned()
}

/// Returns the decoded text of a body that is not in UTF-8 or begins with a byte order mark; `None`
/// if the body is already its own text.
#[cfg(feature = "json")]
pub(crate) fn recoded(body: &[u8], content_type: Option<&[u8]>) -> Option<String> {
    let encoding = content_type.and_then(|value| declared(value, body)).unwrap_or(UTF_8);
    if encoding == UTF_8 && Encoding::for_bom(body).is_none() {
        return None;
    }
    Some(encoding.decode(body).0.into_owned())
}

/// Returns the text of a body in the charset that `Content-Type` declares, if the whole of it is valid.
#[cfg(feature = "har")]
pub(crate) fn decode_exactly(body: &[u8], content_type: Option<&[u8]>) -> Option<String> {
    let encoding = content_type.and_then(|value| declared(value, body))?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(body)?;
    Some(text.into_owned())
}

/// Returns the charset that `Content-Type` declares. JSON is UTF-8 and has no charset (RFC 8259
/// §8.1, §11): a declared one counts only if the body is not UTF-8 JSON.
fn declared(content_type: &[u8], body: &[u8]) -> Option<&'static Encoding> {
    let media_type = MediaType::parse(content_type)?;
    let encoding = Encoding::for_label(media_type.parameter("charset")?.as_bytes());
    let essence = media_type.essence.as_str();
    let is_json = matches!(essence, "application/json" | "text/json") || essence.ends_with("+json");
    // Most declare UTF-8, which needs no inspection of the body.
    let is_doubtful = is_json && encoding != Some(UTF_8);
    if is_doubtful && is_json_in_utf8(body) { Some(UTF_8) } else { encoding }
}

/// JSON allows no control characters other than these (RFC 8259 §2, §7). UTF-16 text contains NUL
/// bytes and ISO-2022-JP text contains ESC, so both could otherwise pass for UTF-8.
fn is_json_in_utf8(body: &[u8]) -> bool {
    let may_be = |byte: &u8| *byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r');
    body.iter().all(may_be) && std::str::from_utf8(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_by_mark_then_charset_then_default() {
        let cases: [(&[u8], Option<&'static str>, &str, &str); 15] = [
            (b"gr\xfcn", Some("text/plain; charset=iso-8859-1"), "utf-8", "gr\u{fc}n"),
            (b"gr\xfcn", Some("text/plain; CHARSET=\"latin1\""), "utf-8", "gr\u{fc}n"),
            (b"gr\xfcn", Some("charset=latin1"), "utf-8", "gr\u{fffd}n"),
            (b"gr\xfcn", Some("text/plain"), "latin1", "gr\u{fc}n"),
            (b"gr\xfcn", None, "utf-8", "gr\u{fffd}n"),
            (b"gr\xfcn", None, "no such charset", "gr\u{fffd}n"),
            (b"\x83e\x83X", Some("text/plain; charset=shift_jis"), "utf-8", "\u{30c6}\u{30b9}"),
            (b"\xef\xbb\xbfa", Some("text/plain; charset=latin1"), "utf-8", "a"),
            (b"\xff\xfea\0", None, "utf-8", "a"),
            (b"\"\xc3\xa9\"", Some("a/b+json; charset=utf-16"), "latin1", "\"\u{e9}\""),
            (b"\"\xe9\"", Some("application/json; charset=latin1"), "utf-8", "\"\u{e9}\""),
            (b"\"\xc3\xa9\"", Some("text/json; charset=latin1"), "utf-8", "\"\u{e9}\""),
            (b"\"\0a\0\"\0", Some("application/json; charset=utf-16le"), "utf-8", "\"a\""),
            (b"\"\x1b$B%F\x1b(B\"", Some("a/b+json; charset=iso-2022-jp"), "utf-8", "\"\u{30c6}\""),
            (b"plain", Some("text/plain; charset=unknown-8bit"), "utf-8", "plain"),
        ];
        for (body, content_type, default, expected) in cases {
            let content_type = content_type.map(str::as_bytes);
            assert_eq!(decode(body.to_vec(), content_type, default), expected);
        }
    }
}
