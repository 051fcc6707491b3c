//! Schemes: the six that the URL Standard calls *special*, and the two of them that requests are sent to.

use super::userinfo::may_hold_userinfo;
use super::{ParseError, Url};

/// The scheme of a URL that requests are sent to: see [`Url::http_scheme`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// A *special scheme*: its URLs have a host (that of `file` may be empty) and a path, and the parser is lenient
/// about their slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Http,
    Https,
    Ws,
    Wss,
    Ftp,
    File,
}

impl Special {
    /// Returns the special scheme with this name, ignoring case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Http, Self::Https, Self::Ws, Self::Wss, Self::Ftp, Self::File];
        all.into_iter().find(|it| name.eq_ignore_ascii_case(it.as_str()))
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Ftp => "ftp",
            Self::File => "file",
        }
    }

    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
            Self::Ws => "ws://",
            Self::Wss => "wss://",
            Self::Ftp => "ftp://",
            Self::File => "file://",
        }
    }

    #[inline]
    pub(super) fn default_port(self) -> Option<u16> {
        match self {
            Self::Http | Self::Ws => Some(80),
            Self::Https | Self::Wss => Some(443),
            Self::Ftp => Some(21),
            Self::File => None,
        }
    }
}

impl Url {
    /// Returns the scheme, if requests can be sent to this URL.
    ///
    /// Everything that sends has to ask: a URL is data and may have any scheme. An `http` or `https` URL always has
    /// a host, a port and a path that begins with `/`.
    pub(crate) fn http_scheme(&self) -> Result<Scheme, ParseError> {
        match self.special() {
            Some(Special::Http) => Ok(Scheme::Http),
            Some(Special::Https) => Ok(Scheme::Https),
            _ => Err(self.not_http()),
        }
    }

    #[cold]
    fn not_http(&self) -> ParseError {
        // The scheme of `user:password@host` is a user name.
        let is_shown = self.has_authority() || !may_hold_userinfo(self.as_str());
        let shown = if is_shown { super::error::excerpt(self.scheme()) } else { "".into() };
        ParseError::UnsupportedScheme(shown)
    }

    /// Returns the scheme, if it is special.
    #[inline]
    pub(super) fn special(&self) -> Option<Special> {
        let is = |it: Special| self.serialization.as_bytes().starts_with(it.prefix().as_bytes());
        if is(Special::Https) {
            Some(Special::Https)
        } else if is(Special::Http) {
            Some(Special::Http)
        } else {
            let rare = [Special::Ws, Special::Wss, Special::Ftp, Special::File];
            rare.into_iter().find(|it| is(*it))
        }
    }
}
