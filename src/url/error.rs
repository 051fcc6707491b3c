//! [`ParseError`]: the reasons why a text is not a URL, or a URL not one that requests are sent to.

use std::fmt;

use super::MAX_LEN;

/// The reason why a string is not a URL, or not one that a request can be sent to. `Display` is one line, and
/// shows nothing of the URL but the beginning of its scheme or host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The input is empty.
    Empty,
    /// The URL is longer than [`MAX_LEN`], as given or after normalization.
    TooLong,
    /// The URL has no scheme, and there is no base to resolve it against.
    RelativeUrlWithoutBase,
    /// A request, a redirect or anything else that is sent needs an `http` or `https` URL; contains the
    /// beginning of the scheme. A host and port without a scheme, like `localhost:80`, is this error too. The
    /// text is empty where it may be a user name before a password. [`Url::parse`](super::Url::parse) never
    /// returns it.
    UnsupportedScheme(Box<str>),
    /// The base is a URL with an opaque path, like `mailto:`, to which nothing but a fragment is relative; or such
    /// a URL was to get a host.
    CannotBeABase,
    /// The URL has no host, although its scheme, user name, password or port needs one.
    EmptyHost,
    /// The host has a character that is forbidden there, even percent-encoded.
    InvalidHostCharacter(char),
    /// The host ends in a number, so it must be an IPv4 address, but is not a valid one.
    InvalidIpv4Address,
    /// The host is in brackets, so it must be an IPv6 address, but is not a valid one.
    InvalidIpv6Address,
    /// The port is not a number from 0 to 65535.
    InvalidPort,
    /// The host is not a valid internationalized domain name (UTS #46).
    IdnaError,
    /// The host is not ASCII, and the feature `idna` is off; contains the beginning of the host. The text
    /// is empty where it may contain a user name.
    IdnaFeatureMissing(Box<str>),
}

/// Returns the beginning of a part of the input, so that an error is never longer than a line.
pub(super) fn excerpt(text: &str) -> Box<str> {
    text.chars().take(60).collect()
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the URL is empty"),
            Self::TooLong => write!(f, "the URL is longer than {MAX_LEN} bytes"),
            Self::RelativeUrlWithoutBase => {
                write!(f, "relative URL without a base: did you mean `http://…` or `https://…`?")
            }
            Self::UnsupportedScheme(scheme) if scheme.is_empty() => {
                write!(f, "the scheme is not `http` or `https`")
            }
            Self::UnsupportedScheme(scheme) => {
                write!(f, "the scheme `{scheme}` is not `http` or `https`")
            }
            Self::CannotBeABase => {
                write!(f, "a URL with an opaque path, like `mailto:`, has no host and is no base")
            }
            Self::EmptyHost => write!(f, "the URL has no host"),
            Self::InvalidHostCharacter(c) => {
                write!(f, "the host has the forbidden character {c:?}")
            }
            Self::InvalidIpv4Address => {
                write!(f, "the host ends in a number but is no valid IPv4 address")
            }
            Self::InvalidIpv6Address => {
                write!(f, "the host is in brackets but is no valid IPv6 address")
            }
            Self::InvalidPort => write!(f, "the port is not a number from 0 to 65535"),
            Self::IdnaError => {
                write!(f, "the host is not a valid internationalized domain name")
            }
            Self::IdnaFeatureMissing(host) if host.is_empty() => {
                write!(f, "the host is not ASCII, which needs the feature `idna`")
            }
            Self::IdnaFeatureMissing(host) => {
                write!(f, "the host {host:?} is not ASCII, which needs the feature `idna`")
            }
        }
    }
}

impl std::error::Error for ParseError {}
