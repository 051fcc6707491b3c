//! Conversions to and from the `Url` of the crate `url`.

use super::{ParseError, Url};

type Foreign = whatwg_url::Url;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::tests::url;

    #[test]
    fn conversions_round_trip() {
        let here = url("https://u:p@[::1]:81/a?b#c");
        let there = Foreign::try_from(&here).unwrap();
        assert_eq!(there.as_str(), here.as_str());
        assert_eq!(Url::try_from(&there), Ok(here.clone()));
        assert_eq!(Url::try_from(there.clone()), Ok(here.clone()));
        assert_eq!(Foreign::try_from(here), Ok(there));
    }

    #[test]
    fn other_schemes_are_errors() {
        let ftp = Foreign::parse("ftp://h/").unwrap();
        assert_eq!(Url::try_from(ftp), Err(ParseError::UnsupportedScheme("ftp".into())));
    }
}
