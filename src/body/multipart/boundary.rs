//! The boundary between the parts of a form (RFC 2046 §5.1.1).

use http::HeaderValue;

use crate::error::{Error, Result};
use crate::fields::is_tchar;
use crate::fields::media_type::MediaType;

/// The text of the delimiter line, without the leading dashes.
#[derive(Debug)]
pub(crate) enum Boundary {
    Random(Result<String, getrandom::Error>),
    Given(String),
}

impl Boundary {
    /// Creates a boundary of 128 random bits. The author of a part cannot guess it, and so cannot forge the
    /// end of the part.
    pub(crate) fn random() -> Self {
        let mut bits = [0; 16];
        let filled = getrandom::getrandom(&mut bits);
        Self::Random(filled.map(|()| format!("{:032x}", u128::from_ne_bytes(bits))))
    }

    /// Checks a boundary set by the caller.
    pub(crate) fn given(text: String) -> Result<Self> {
        let ends_well = text.bytes().last().is_some_and(|last| last != b' ');
        if !ends_well || text.len() > 70 || !text.bytes().all(is_bchar) {
            return Err(Error::builder("invalid boundary of a form"));
        }
        Ok(Self::Given(text))
    }

    pub(crate) fn as_str(&self) -> Result<&str> {
        match self {
            Self::Random(Ok(text)) | Self::Given(text) => Ok(text),
            // The text of the error, because its type does not implement `std::error::Error`.
            Self::Random(Err(error)) => {
                Err(Error::builder("no randomness for the boundary").cause(error.to_string()))
            }
        }
    }

    /// Returns whether `content` contains the boundary. Always false for a random boundary, which is newer
    /// than the content.
    pub(crate) fn is_in(&self, content: &[u8]) -> bool {
        let Self::Given(text) = self else { return false };
        let line = format!("--{text}");
        content.windows(line.len()).any(|window| window == line.as_bytes())
    }

    /// Returns the `Content-Type` of the form.
    pub(crate) fn content_type(&self) -> Result<HeaderValue> {
        with_boundary(b"multipart/form-data", self.as_str()?)
    }
}

/// Adds the boundary to a multipart `Content-Type` of the caller that has none. `None` keeps the caller's
/// type; another boundary than the form's is an error.
pub(crate) fn completed(given: &HeaderValue, own: &HeaderValue) -> Result<Option<HeaderValue>> {
    if given == own {
        return Ok(None); // nearly always
    }
    let parse = |value: &HeaderValue| MediaType::parse(value.as_bytes());
    let (Some(named), Some(own)) = (parse(given), parse(own)) else { return Ok(None) };
    let boundary = own.parameter("boundary").unwrap_or_default();
    if !named.essence.starts_with("multipart/") {
        return Ok(None);
    }
    match named.parameter("boundary") {
        Some(named) if named == boundary => Ok(None),
        Some(_) => Err(Error::builder("Content-Type names another boundary than the form's")),
        None => with_boundary(given.as_bytes(), boundary).map(Some),
    }
}

fn with_boundary(mut media_type: &[u8], boundary: &str) -> Result<HeaderValue> {
    while let [rest @ .., b';' | b' ' | b'\t'] = media_type {
        media_type = rest;
    }
    let quote = if boundary.bytes().all(is_tchar) { "" } else { "\"" };
    let parameter = format!("; boundary={quote}{boundary}{quote}");
    HeaderValue::from_bytes(&[media_type, parameter.as_bytes()].concat())
        .map_err(|error| Error::builder("boundary of a form").cause(error))
}

fn is_bchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_boundary_is_a_token_of_128_bits_and_never_twice_the_same() {
        let boundaries: std::collections::BTreeSet<_> =
            (0..100).map(|_| Boundary::random().as_str().unwrap().to_owned()).collect();
        assert_eq!(boundaries.len(), 100);
        for boundary in boundaries {
            assert_eq!(boundary.len(), 32);
            assert!(boundary.bytes().all(|byte| byte.is_ascii_hexdigit()), "{boundary}");
        }
    }

    #[test]
    fn without_randomness_there_is_no_form() {
        let boundary = Boundary::Random(Err(getrandom::Error::UNSUPPORTED));
        for error in [boundary.as_str().unwrap_err(), boundary.content_type().unwrap_err()] {
            assert!(error.is_builder());
            assert!(error.to_string().starts_with("no randomness for the boundary"), "{error}");
        }
    }

    #[test]
    fn a_given_boundary_is_checked_and_quoted_where_it_must() {
        let longest = "b".repeat(70);
        let too_long = "b".repeat(71);
        let table = [
            ("abc123", Some("abc123")),
            ("a'+_-.z", Some("a'+_-.z")),
            ("a b", Some("\"a b\"")),
            ("(a,b/c:d=e?)", Some("\"(a,b/c:d=e?)\"")),
            (&longest, Some(&longest)),
            (&too_long, None),
            ("", None),
            (" ", None),
            ("a ", None),
            ("a;b", None),
            ("a\"b", None),
            ("a\\b", None),
            ("a\r\nb", None),
            ("a\u{e9}", None),
        ];
        for (given, expected) in table {
            let content_type = Boundary::given(given.to_owned())
                .and_then(|boundary| boundary.content_type())
                .map(|value| value.to_str().unwrap().to_owned());
            let expected = expected.map(|text| format!("multipart/form-data; boundary={text}"));
            assert_eq!(content_type.ok(), expected, "{given:?}");
        }
    }
}
