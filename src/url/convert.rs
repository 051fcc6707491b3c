//! Conversions between [`Url`] and strings or [`http::Uri`].

use std::str::FromStr;

use http::Uri;
use http::uri::InvalidUri;

use super::{ParseError, Part, Url};

impl FromStr for Url {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

impl TryFrom<&str> for Url {
    type Error = ParseError;

    fn try_from(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

impl TryFrom<String> for Url {
    type Error = ParseError;

    fn try_from(input: String) -> Result<Self, ParseError> {
        Self::parse(&input)
    }
}

/// Fails unless the URI is an absolute `http` or `https` URI.
impl TryFrom<Uri> for Url {
    type Error = ParseError;

    fn try_from(uri: Uri) -> Result<Self, ParseError> {
        Self::parse(&uri.to_string())
    }
}

/// Omits the fragment, which a `Uri` cannot have. Fails for the few URLs with a character in the host
/// or user name that the URL Standard allows and RFC 3986 does not.
impl TryFrom<&Url> for Uri {
    type Error = InvalidUri;

    fn try_from(url: &Url) -> Result<Self, InvalidUri> {
        url.span(Part::Scheme, Part::Query).parse()
    }
}

impl From<Url> for String {
    fn from(url: Url) -> Self {
        url.serialization
    }
}

impl AsRef<str> for Url {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::tests::url;

    #[test]
    fn conversions() {
        let url = url("https://u:p@h:81/a?b#c");
        assert_eq!(url.as_str().parse(), Ok(url.clone()));
        assert_eq!(Url::try_from(url.as_str()), Ok(url.clone()));
        assert_eq!(Url::try_from(url.to_string()), Ok(url.clone()));
        assert_eq!(url.as_ref() as &str, url.as_str());
        assert_eq!(String::from(url.clone()), url.as_str());
        assert_eq!(Uri::try_from(&url).unwrap(), "https://u:p@h:81/a?b");
        assert_eq!(
            Url::try_from(Uri::from_static("HTTP://H/a?b")).unwrap().as_str(),
            "http://h/a?b"
        );
        assert_eq!(Url::try_from(Uri::from_static("/a")), Err(ParseError::RelativeWithoutBase));
        let scheme = ParseError::UnsupportedScheme("h".into());
        assert_eq!(Url::try_from(Uri::from_static("h:80")), Err(scheme));
        assert!(Uri::try_from(&Url::parse("http://a`/").unwrap()).is_err());
    }
}
