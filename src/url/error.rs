//! Why a string is no URL.

use std::fmt;

use super::MAX_LEN;

/// Why a string is not an `http` or `https` URL. `Display` says it in one line, and shows no part
/// of the URL that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// There is nothing to parse.
    Empty,
    /// The URL is longer than [`MAX_LEN`], as given or as normalized.
    TooLong,
    /// The URL has no scheme, and there is no base to resolve it against.
    RelativeWithoutBase,
    /// The scheme is neither `http` nor `https`. A host and port without a scheme, like
    /// `localhost:80`, end here too.
    UnsupportedScheme(Box<str>),
    /// There is no host.
    EmptyHost,
    /// A character that no host may have, after percent-decoding; U+FFFD where that gave no valid
    /// UTF-8.
    InvalidHostCharacter(char),
    /// The host ends in a number, which makes it an IPv4 address, and is not a valid one.
    InvalidIpv4,
    /// The host is in brackets, which makes it an IPv6 address, and is not a valid one.
    InvalidIpv6,
    /// The port is no number up to 65535.
    InvalidPort,
    /// The host is not a valid internationalized domain name (UTS #46).
    InvalidIdna,
    /// The host is not ASCII, and the feature `idna` is off.
    IdnaFeatureMissing(Box<str>),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            ParseError::Empty => "the URL is empty",
            ParseError::TooLong => return write!(f, "the URL is longer than {MAX_LEN} bytes"),
            ParseError::RelativeWithoutBase => {
                "relative URL without a base: did you mean `http://…` or `https://…`?"
            }
            ParseError::UnsupportedScheme(scheme) => {
                return write!(
                    f,
                    "the scheme `{scheme}` is not supported, only `http` and `https` are"
                );
            }
            ParseError::EmptyHost => "the URL has no host",
            ParseError::InvalidHostCharacter(c) => {
                return write!(f, "the host has the forbidden character {c:?}");
            }
            ParseError::InvalidIpv4 => "the host ends in a number but is no valid IPv4 address",
            ParseError::InvalidIpv6 => "the host is in brackets but is no valid IPv6 address",
            ParseError::InvalidPort => "the port is not a number from 0 to 65535",
            ParseError::InvalidIdna => "the host is not a valid internationalized domain name",
            ParseError::IdnaFeatureMissing(host) => {
                return write!(
                    f,
                    "the host `{host}` is not ASCII, which needs the feature `idna` of leanhttp"
                );
            }
        };
        f.write_str(message)
    }
}

impl std::error::Error for ParseError {}
