//! The host of a URL (WHATWG URL §3): a domain or an IP address, parsed and serialized.
//!
//! [`push`] is the *host parser*. It percent-decodes the text, converts a domain to ASCII (which takes the
//! feature `idna` unless it is ASCII already), and reads a domain whose last label is a number as an IPv4
//! address. IPv6 addresses are parsed by the standard library, whose grammar is that of the URL Standard;
//! its serializer differs, so there is one here.
//!
//! | text | becomes | rule |
//! | --- | --- | --- |
//! | `EXAMPLE.org` | `example.org` | lower case |
//! | `ex%61mple.org` | `example.org` | percent-decoded first |
//! | `bücher.example` | `xn--bcher-kva.example` | IDNA, with the feature `idna`; else an error |
//! | `0x7f.1`, `2130706433`, `127.1` | `127.0.0.1` | a last label that is a number makes it IPv4 |
//! | `1.2.3.4.5`, `256.0.0.1` | an error | a number, and no address |
//! | `[0:0::1]` | `[::1]` | compressed as in the URL Standard |
//!
//! This is for special schemes. The host of another one is any text or an IPv6 address: [`push_opaque`].
//!
//! The IPv4 forms matter for security: a filter that compares texts would let `0x7f.1` pass. Here
//! each has one spelling before any policy sees it (`v4`, `v6` in the tests,
//! `tests/peers/tests/url_differential.rs`).

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::ParseError;
use crate::base::text::{C0_CONTROL, percent_decode};

/// The host of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host<S = String> {
    /// A domain name: ASCII, lower case, optionally with a trailing dot. For a scheme that is not special it is any
    /// other text than an IPv6 address, percent-encoded.
    Domain(S),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address, which is in brackets in the URL.
    Ipv6(Ipv6Addr),
}

impl<'a> Host<&'a str> {
    /// Parses the host of a serialized [`Url`](super::Url).
    pub(super) fn from_serialized(text: &'a str, is_special: bool) -> Self {
        let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Some(address) = bracketed.and_then(|address| address.parse().ok()) {
            return Host::Ipv6(address);
        }
        // The parser has rejected domains whose last label is a number, unless they are IPv4 addresses.
        let v4 = text.parse().ok().filter(|_| is_special);
        v4.map_or(Host::Domain(text), Host::Ipv4)
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

impl Host {
    /// Parses the host of a special scheme, such as `http`; an IPv6 address is in brackets.
    ///
    /// # Errors
    ///
    /// Returns an error if a URL with this host would not parse for its sake.
    ///
    /// ```
    /// use leanhttp::url::{Host, ParseError};
    ///
    /// assert_eq!(Host::parse("Example.ORG")?, Host::Domain("example.org".into()));
    /// assert_eq!(Host::parse("0x7f.1")?, Host::Ipv4([127, 0, 0, 1].into()));
    /// assert_eq!(Host::parse("a/b"), Err(ParseError::InvalidHostCharacter('/')));
    /// # Ok::<(), ParseError>(())
    /// ```
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        Ok(match parse(input)? {
            Host::Domain(domain) => Self::Domain(domain.into_owned()),
            Host::Ipv4(address) => Self::Ipv4(address),
            Host::Ipv6(address) => Self::Ipv6(address),
        })
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
    /// assert!(Url::parse("http://example.com./")?.host().unwrap().is_resolvable());
    /// assert!(!Url::parse("http://example..com/")?.host().unwrap().is_resolvable());
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
            // *IPv6 serializer*: the dotted form, which the standard library gives these addresses, is not used.
            Self::Ipv6(address) => match address.to_ipv4_mapped() {
                Some(v4) => {
                    let [a, b, c, d] = v4.octets().map(u16::from);
                    write!(f, "[::ffff:{:x}:{:x}]", a << 8 | b, c << 8 | d)
                }
                None => write!(f, "[{address}]"),
            },
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

/// *Opaque-host parser*: appends the host of a URL whose scheme is not special. It may be empty.
pub(super) fn push_opaque(out: &mut String, input: &str) -> Result<(), ParseError> {
    if input.starts_with('[') {
        return push(out, input);
    }
    // *Forbidden host code points*.
    match input.chars().find(|&c| "\0\t\n\r #/:<>?@[\\]^|".contains(c)) {
        Some(c) => Err(ParseError::InvalidHostCharacter(c)),
        None => {
            C0_CONTROL.push(out, input);
            Ok(())
        }
    }
}

fn parse(input: &str) -> Result<Host<Cow<'_, str>>, ParseError> {
    if let Some(bracketed) = input.strip_prefix('[') {
        let address = bracketed.strip_suffix(']').and_then(|address| address.parse().ok());
        return address.map(Host::Ipv6).ok_or(ParseError::InvalidIpv6Address);
    }
    let domain = parse_domain(input)?;
    if ends_in_number(&domain) {
        parse_v4(&domain).map(Host::Ipv4)
    } else {
        Ok(Host::Domain(domain))
    }
}

fn parse_domain(input: &str) -> Result<Cow<'_, str>, ParseError> {
    if !input.is_empty() && input.bytes().all(is_plain) {
        return Ok(Cow::Borrowed(input));
    }
    // *Domain to ASCII* does not check the `xn--` labels of a domain that is ASCII.
    let decoded = percent_decode(input.as_bytes());
    let domain = String::from_utf8_lossy(&decoded);
    let domain =
        if domain.is_ascii() { domain.to_ascii_lowercase() } else { idna_to_ascii(&domain)? };
    if domain.is_empty() {
        return Err(ParseError::EmptyHost);
    }
    // *Forbidden domain code points*.
    match domain.chars().find(|&c| c.is_ascii_control() || " #%/:<>?@[\\]^|".contains(c)) {
        // The text before an `@` may be a password, of which not one character is shown.
        Some(_) if domain.as_bytes().contains(&b'@') => Err(ParseError::InvalidHostCharacter('@')),
        Some(c) => Err(ParseError::InvalidHostCharacter(c)),
        None => Ok(Cow::Owned(domain)),
    }
}

/// Returns whether a byte needs no change in a domain; most domains have only such bytes.
pub(super) fn is_plain(byte: u8) -> bool {
    PLAIN.get(usize::from(byte)).is_some_and(|&is_plain| is_plain)
}

/// The bytes that [`is_plain`] knows: one look each, where four ranges took ten instructions.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut rest: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-._";
    while let [byte, after @ ..] = rest {
        plain[*byte as usize] = true;
        rest = after;
    }
    plain
};

/// *Domain to ASCII* (UTS #46, nontransitional, `beStrict` false) for a domain that is not ASCII.
#[cfg(feature = "idna")]
fn idna_to_ascii(domain: &str) -> Result<String, ParseError> {
    idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map(String::from)
        .map_err(|_| ParseError::IdnaError)
}

/// Always fails: without the feature there are no tables to validate or convert `domain` with.
#[cfg(not(feature = "idna"))]
fn idna_to_ascii(domain: &str) -> Result<String, ParseError> {
    let is_hidden = super::userinfo::may_hold_userinfo(domain);
    let shown = if is_hidden { "".into() } else { super::error::excerpt(domain) };
    Err(ParseError::IdnaFeatureMissing(shown))
}

/// *Ends in a number checker*: if this returns true, the domain must be an IPv4 address.
pub(super) fn ends_in_number(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let last = domain.rsplit('.').next().unwrap_or_default();
    let all_digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    all_digits || parse_number(last).is_some()
}

/// *IPv4 parser*: parses one to four numbers, the last of which fills the remaining bytes.
fn parse_v4(domain: &str) -> Result<Ipv4Addr, ParseError> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let mut address = 0;
    let mut parts = domain.split('.').peekable();
    for place in 0..4 {
        let number = parts.next().and_then(parse_number).ok_or(ParseError::InvalidIpv4Address)?;
        let bits_left = 32 - 8 * place;
        if parts.peek().is_none() {
            let fits = number < 1 << bits_left;
            let address =
                address | u32::try_from(number).map_err(|_| ParseError::InvalidIpv4Address)?;
            return if fits {
                Ok(Ipv4Addr::from(address))
            } else {
                Err(ParseError::InvalidIpv4Address)
            };
        }
        let byte = u8::try_from(number).map_err(|_| ParseError::InvalidIpv4Address)?;
        address |= u32::from(byte) << (bits_left - 8);
    }
    Err(ParseError::InvalidIpv4Address)
}

/// *IPv4 number parser*: parses a decimal number, octal after `0`, or hexadecimal after `0x`. A number
/// too large for `u64` saturates, which is too large for an address too.
fn parse_number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [] => return None,
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] => (digits, 8),
        digits => (digits, 10),
    };
    digits.iter().try_fold(0u64, |number, &digit| {
        let digit = char::from(digit).to_digit(radix)?;
        Some(number.saturating_mul(radix.into()).saturating_add(digit.into()))
    })
}

#[cfg(test)]
mod tests;
