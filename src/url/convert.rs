//! Conversions between [`Url`] and strings, [`http::Uri`], the `Url` of the crate `url` (feature `url`) and
//! the data formats of serde (feature `json`).

use std::str::FromStr;

use http::Uri;
use http::uri::InvalidUri;

use super::{Component, ParseError, Url};

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
        url.span(Component::Scheme, Component::Query).parse()
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

/// Conversions to and from the `Url` of the crate `url`. None is infallible: the crate knows more schemes, and
/// version 2.5 refuses some hosts.
#[cfg(feature = "url")]
mod whatwg {
    use whatwg_url::Url as Foreign;

    use super::{ParseError, Url};

    /// Fails unless the URL is an `http` or `https` URL.
    impl TryFrom<&Foreign> for Url {
        type Error = ParseError;

        fn try_from(url: &Foreign) -> Result<Self, ParseError> {
            Self::parse(url.as_str())
        }
    }

    impl TryFrom<Foreign> for Url {
        type Error = ParseError;

        fn try_from(url: Foreign) -> Result<Self, ParseError> {
            Self::try_from(&url)
        }
    }

    /// Fails for a host with an invalid `xn--` label: version 2.5 of the crate rejects such labels, which the
    /// URL Standard has allowed since 2026 (*domain to ASCII*, whatwg/url#914).
    impl TryFrom<&Url> for Foreign {
        type Error = whatwg_url::ParseError;

        fn try_from(url: &Url) -> Result<Self, whatwg_url::ParseError> {
            Self::parse(url.as_str())
        }
    }

    impl TryFrom<Url> for Foreign {
        type Error = whatwg_url::ParseError;

        fn try_from(url: Url) -> Result<Self, whatwg_url::ParseError> {
            Self::try_from(&url)
        }
    }

    impl PartialEq<Foreign> for Url {
        fn eq(&self, other: &Foreign) -> bool {
            self.as_str() == other.as_str()
        }
    }

    impl PartialEq<Url> for Foreign {
        fn eq(&self, other: &Url) -> bool {
            self.as_str() == other.as_str()
        }
    }
}

/// A URL is a string in every data format.
#[cfg(feature = "json")]
mod serialization {
    use std::fmt;

    use serde::de::{self, Deserialize, Deserializer, Visitor};
    use serde::ser::{Serialize, Serializer};

    use super::Url;

    impl Serialize for Url {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_str(self.as_str())
        }
    }

    /// Fails unless the string is an absolute `http` or `https` URL. The error does not contain it, since
    /// it may have a password.
    impl<'de> Deserialize<'de> for Url {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(UrlVisitor)
        }
    }

    struct UrlVisitor;

    impl Visitor<'_> for UrlVisitor {
        type Value = Url;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an `http` or `https` URL")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Url, E> {
            Url::parse(text).map_err(E::custom)
        }
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

    #[cfg(feature = "url")]
    #[test]
    fn the_crate_url_round_trips() {
        let here = url("https://u:p@[::1]:81/a?b#c");
        let there = whatwg_url::Url::try_from(&here).unwrap();
        assert_eq!(there.as_str(), here.as_str());
        assert!(there == here && here == there && here != url("https://u:p@[::1]:81/a?b"));
        assert_eq!(Url::try_from(&there), Ok(here.clone()));
        assert_eq!(Url::try_from(there.clone()), Ok(here.clone()));
        assert_eq!(whatwg_url::Url::try_from(here), Ok(there));
    }

    #[cfg(feature = "url")]
    #[test]
    fn other_schemes_are_errors() {
        let ftp = whatwg_url::Url::parse("ftp://h/").unwrap();
        assert_eq!(Url::try_from(ftp), Err(ParseError::UnsupportedScheme("ftp".into())));
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_url_is_a_string_of_serde() {
        let here = url("https://u:p@h:81/a?b=\u{e9}#c");
        let json = serde_json::to_string(&here).unwrap();
        assert_eq!(json, format!("{:?}", here.as_str()));
        assert_eq!(serde_json::from_str::<Url>(&json).unwrap(), here);
        let error = serde_json::from_str::<Url>("\"ftp://u:secret@h/\"").unwrap_err().to_string();
        assert!(error.contains("`ftp`") && !error.contains("secret"), "{error}");
        let error = serde_json::from_str::<Url>("1").unwrap_err().to_string();
        assert!(error.contains("expected an `http` or `https` URL"), "{error}");
    }
}
