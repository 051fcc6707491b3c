//! Decodes text in a build without the feature `charset`: as UTF-8, whatever the response declares.

/// Decodes UTF-8. Invalid sequences become U+FFFD; a byte order mark is removed.
pub(crate) fn decode(body: Vec<u8>, _content_type: Option<&[u8]>, _default: &str) -> String {
    let text = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match text.strip_prefix('\u{feff}') {
        Some(without_mark) => without_mark.to_owned(),
        None => text,
    }
}

/// Returns the decoded text of a body that begins with a byte order mark; `None` if the body is
/// already its own text.
#[cfg(feature = "json")]
pub(crate) fn recoded(body: &[u8], _content_type: Option<&[u8]>) -> Option<String> {
    let marked = body.strip_prefix(b"\xef\xbb\xbf")?;
    Some(String::from_utf8_lossy(marked).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_with_replacements_and_without_mark() {
        let cases: [(&[u8], &str); 4] = [
            ("gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            (b"\xef\xbb\xbfa", "a"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"", ""),
        ];
        for (bytes, text) in cases {
            let latin1 = b"text/plain; charset=iso-8859-1";
            assert_eq!(decode(bytes.to_vec(), Some(latin1), "utf-8"), text);
        }
    }
}
