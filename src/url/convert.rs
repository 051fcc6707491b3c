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

/// Fails unless the URI is absolute: `host:80` is no URL with the scheme `host`.
impl TryFrom<Uri> for Url {
    type Error = ParseError;

    fn try_from(uri: Uri) -> Result<Self, ParseError> {
        if uri.scheme().is_none() {
            return Err(ParseError::RelativeUrlWithoutBase);
        }
        Self::parse(&uri.to_string())
    }
}

/// Omits the fragment, which a `Uri` cannot have. Fails for a URL without a host, and for the few with a character
/// in the host or user name that the URL Standard allows and RFC 3986 does not.
impl TryFrom<&Url> for Uri {
    type Error = InvalidUri;

    fn try_from(url: &Url) -> Result<Self, InvalidUri> {
        // A `Uri` would take `mailto:80` for a host and a port; a space is no URI.
        let uri = if url.has_host() { url.span(Component::Scheme, Component::Query) } else { " " };
        uri.parse()
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

/// Conversions to and from the `Url` of the crate `url`. None is infallible: there is a length limit here, and
/// version 2.5 of the crate refuses some hosts.
#[cfg(feature = "url")]
mod whatwg {
    use whatwg_url::ParseError as ForeignError;
    use whatwg_url::Url as Foreign;

    use super::{ParseError, Url};

    /// Fails if the URL is longer than [`MAX_LEN`](crate::url::MAX_LEN).
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

    /// A reason without a variant here, such as one of a later version of the crate, is
    /// [`InvalidHostCharacter`](ParseError::InvalidHostCharacter) with U+FFFD, because the crate does not say which
    /// character it is.
    impl From<ForeignError> for ParseError {
        fn from(error: ForeignError) -> Self {
            use ForeignError::{RelativeUrlWithCannotBeABaseBase, SetHostOnCannotBeABaseUrl};
            match error {
                ForeignError::EmptyHost => Self::EmptyHost,
                ForeignError::IdnaError => Self::IdnaError,
                ForeignError::InvalidPort => Self::InvalidPort,
                ForeignError::InvalidIpv4Address => Self::InvalidIpv4Address,
                ForeignError::InvalidIpv6Address => Self::InvalidIpv6Address,
                ForeignError::RelativeUrlWithoutBase => Self::RelativeUrlWithoutBase,
                ForeignError::Overflow => Self::TooLong,
                RelativeUrlWithCannotBeABaseBase | SetHostOnCannotBeABaseUrl => Self::CannotBeABase,
                _ => Self::InvalidHostCharacter('\u{fffd}'),
            }
        }
    }

    /// The reasons that the crate does not have become the nearest one.
    impl From<ParseError> for ForeignError {
        fn from(error: ParseError) -> Self {
            match error {
                ParseError::Empty
                | ParseError::RelativeUrlWithoutBase
                | ParseError::UnsupportedScheme(_) => Self::RelativeUrlWithoutBase,
                ParseError::TooLong => Self::Overflow,
                ParseError::CannotBeABase => Self::RelativeUrlWithCannotBeABaseBase,
                ParseError::EmptyHost => Self::EmptyHost,
                ParseError::InvalidHostCharacter(_) => Self::InvalidDomainCharacter,
                ParseError::InvalidIpv4Address => Self::InvalidIpv4Address,
                ParseError::InvalidIpv6Address => Self::InvalidIpv6Address,
                ParseError::InvalidPort => Self::InvalidPort,
                ParseError::IdnaError | ParseError::IdnaFeatureMissing(_) => Self::IdnaError,
            }
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

    /// Fails unless the string is an absolute URL. The error does not contain it, since
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
            f.write_str("a URL")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Url, E> {
            Url::parse(text).map_err(E::custom)
        }
    }
}

#[cfg(test)]
mod tests;
