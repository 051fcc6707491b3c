//! Decodes parameter values with an explicit charset (RFC 8187): `UTF-8'en'%e2%82%ac%20rates`.

use super::cursor::latin1;
use crate::base::text::percent_decode;

/// Returns the text, if the charset is UTF-8 or ISO-8859-1, which all recipients support, and the value is
/// well formed.
pub(super) fn decode(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, coded) = (parts.next()?, parts.next()?, parts.next()?);
    if !is_well_formed(coded) {
        return None;
    }
    let bytes = percent_decode(coded);
    if charset.eq_ignore_ascii_case(b"utf-8") {
        return String::from_utf8(bytes.into_owned()).ok();
    }
    charset.eq_ignore_ascii_case(b"iso-8859-1").then(|| latin1(&bytes))
}

/// Returns whether all bytes are printable ASCII other than space, and each `%` has two digits.
fn is_well_formed(coded: &[u8]) -> bool {
    let is_escape = |after: &[u8]| matches!(after, [a, b, ..] if [a, b].iter().all(|digit| digit.is_ascii_hexdigit()));
    coded.iter().all(u8::is_ascii_graphic)
        && coded.split(|byte| *byte == b'%').skip(1).all(is_escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8187 §3.2.
    #[test]
    fn utf_8_and_latin_1_are_decoded() {
        let cases: [(&[u8], Option<&str>); 12] = [
            (b"UTF-8'en'%e2%82%ac%20rates", Some("\u{20ac} rates")),
            (b"utf-8''plain", Some("plain")),
            (b"iso-8859-1'en'%A3%20rates", Some("\u{a3} rates")),
            (b"utf-8'''%27", Some("''")),
            (b"utf-8''", Some("")),
            (b"utf-8''%A3", None),
            (b"utf-8''%", None),
            (b"utf-8''%2", None),
            (b"utf-8''%zz", None),
            (b"utf-8''a b", None),
            (b"utf-7''a", None),
            (b"''a", None),
        ];
        for (value, expected) in cases {
            assert_eq!(decode(value).as_deref(), expected, "{}", value.escape_ascii());
        }
        assert_eq!(decode(b"utf-8"), None);
        assert_eq!(decode(b""), None);
    }
}
