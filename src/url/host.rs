//! The host of a URL (WHATWG URL §3).

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{ParseError, idna, ip};
use crate::base::percent;

/// The host of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host<S = String> {
    /// A domain name: ASCII, lower case, optionally with a trailing dot.
    Domain(S),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address, which is in brackets in the URL.
    Ipv6(Ipv6Addr),
}

impl<'a> Host<&'a str> {
    /// Parses the host of a serialized [`Url`](super::Url).
    pub(super) fn from_serialized(text: &'a str) -> Self {
        let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Some(address) = bracketed.and_then(|address| address.parse().ok()) {
            return Host::Ipv6(address);
        }
        // The parser has rejected domains whose last label is a number, unless they are IPv4 addresses.
        text.parse().map_or(Host::Domain(text), Host::Ipv4)
    }

    /// Returns the same host as an owned value.
    pub fn to_owned(&self) -> Host<String> {
        match *self {
            Host::Domain(domain) => Host::Domain(domain.to_owned()),
            Host::Ipv4(address) => Host::Ipv4(address),
            Host::Ipv6(address) => Host::Ipv6(address),
        }
    }
}

impl<S: AsRef<str>> Host<S> {
    /// Returns whether the host can be looked up: its labels have 1 to 63 bytes each, and the whole name
    /// at most 253, not counting a trailing dot (RFC 1035 §2.3.4). Always true for an IP address, which
    /// needs no lookup.
    ///
    /// Parsing does not check this, because the URL Standard does not.
    ///
    /// ```
    /// use leanhttp::url::Url;
    ///
    /// assert!(Url::parse("http://example.com./")?.host().is_resolvable());
    /// assert!(!Url::parse("http://example..com/")?.host().is_resolvable());
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn is_resolvable(&self) -> bool {
        let Self::Domain(domain) = self else { return true };
        let domain = domain.as_ref();
        let name = domain.strip_suffix('.').unwrap_or(domain);
        name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
    }
}

impl<S: fmt::Display> fmt::Display for Host<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Ipv4(address) => address.fmt(f),
            Self::Ipv6(address) => ip::write_v6(f, *address),
        }
    }
}

/// *Host parser*: appends the normalized form of the host `input`.
pub(super) fn push(out: &mut String, input: &str) -> Result<(), ParseError> {
    // An address in its normal form needs no change.
    if input.parse::<Ipv4Addr>().is_ok() {
        out.push_str(input);
        return Ok(());
    }
    match parse(input)? {
        Host::Domain(domain) => out.push_str(&domain),
        // Writing to a string does not fail.
        address => drop(write!(out, "{address}")),
    }
    Ok(())
}

fn parse(input: &str) -> Result<Host<Cow<'_, str>>, ParseError> {
    if let Some(bracketed) = input.strip_prefix('[') {
        let address = bracketed.strip_suffix(']').and_then(|address| address.parse().ok());
        return address.map(Host::Ipv6).ok_or(ParseError::InvalidIpv6);
    }
    let domain = parse_domain(input)?;
    if ip::ends_in_number(&domain) {
        ip::parse_v4(&domain).map(Host::Ipv4)
    } else {
        Ok(Host::Domain(domain))
    }
}

fn parse_domain(input: &str) -> Result<Cow<'_, str>, ParseError> {
    if !input.is_empty() && input.bytes().all(is_plain) {
        return Ok(Cow::Borrowed(input));
    }
    let domain = to_ascii(input)?;
    if domain.is_empty() {
        return Err(ParseError::EmptyHost);
    }
    match domain.chars().find(|&c| is_forbidden(c)) {
        // The text before an `@` may be a password, of which not one character is shown.
        Some(_) if domain.contains('@') => Err(ParseError::InvalidHostCharacter('@')),
        Some(c) => Err(ParseError::InvalidHostCharacter(c)),
        None => Ok(Cow::Owned(domain)),
    }
}

/// Returns whether a byte needs no change in a domain; most domains have only such bytes.
pub(super) fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_')
}

/// Percent-decodes, then applies *domain to ASCII*. An ASCII domain is converted to lower case, and
/// its `xn--` labels are not checked.
fn to_ascii(input: &str) -> Result<String, ParseError> {
    let decoded = percent::decode(input.as_bytes());
    let domain = String::from_utf8_lossy(&decoded);
    if domain.is_ascii() { Ok(domain.to_ascii_lowercase()) } else { idna::to_ascii(&domain) }
}

/// *Forbidden domain code points*.
fn is_forbidden(c: char) -> bool {
    c.is_ascii_control() || " #%/:<>?@[\\]^|".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::tests::url;

    #[test]
    fn an_owned_host_displays_the_same() {
        for (text, host) in [
            ("a.example", Host::Domain("a.example".to_owned())),
            ("1.2.3.4", Host::Ipv4(Ipv4Addr::new(1, 2, 3, 4))),
            ("[::ffff:1.2.3.4]", Host::Ipv6("::ffff:102:304".parse().unwrap())),
        ] {
            let url = url(&format!("http://{text}/"));
            assert_eq!(url.host().to_owned(), host);
            assert_eq!(Some(host.to_string().as_str()), url.host_str());
        }
    }

    /// RFC 1035 §2.3.4: 63 bytes a label, and 255 for the encoded name, which is 253 in text.
    #[test]
    fn resolvable_hosts_respect_the_length_limits() {
        let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
        let four = [longest.as_str(), &longest, &longest, &"a".repeat(61)].join(".");
        let table = [
            (longest.as_str(), true),
            (&too_long, false),
            (&four, true),
            (&format!("{four}."), true),
            (&format!("{four}a"), false),
            ("a.b", true),
            ("a.b.", true),
            ("a..b", false),
            (".a", false),
            ("a..", false),
            (".", false),
            ("1.2.3.4", true),
            ("[::1]", true),
        ];
        for (host, resolvable) in table {
            assert_eq!(
                url(&format!("http://{host}/")).host().is_resolvable(),
                resolvable,
                "{host}"
            );
        }
    }
}
