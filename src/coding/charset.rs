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
mod tests;
