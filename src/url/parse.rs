//! The URL parser (WHATWG URL §4.4) for `http` and `https`.
//!
//! The state machine of the standard reads one code point at a time. For these two schemes it is
//! equivalent to a loop over the parts: find the end of a part, write it normalized, continue with the
//! rest. The methods of `Url` in this file do that, in the order of the parts.
//!
//! Most URLs are normalized already. [`recognize`] scans such a URL once and copies it unchanged; every
//! other one is left to the full parser, [`normalize`]. A test compares the two on generated URLs.
//!
//! ```text
//!   https://user:pw@Example.org:443/a/./b/../c?q=ö#top          input
//!   https://user:pw@example.org/a/c?q=%C3%B6#top                written, from left to right
//!   └scheme └authority          └path └query  └fragment          one function each
//! ```
//!
//! A part is found and written in one pass: its table (`PATH`, `QUERY`, ...) says of each byte
//! whether it is copied, encoded, or ends the part. No part is looked at twice, so parsing is
//! linear, and a URL longer than [`MAX_LEN`] is refused before or while it is written.
//!
//! The fast path must never differ from the full parser, so it recognizes only what the full parser
//! would copy unchanged, and gives up at the first byte that is special in any way
//! (`usual_urls_are_recognized`, `other_urls_are_left_to_the_parser`; the fuzz target `url` and
//! `tests/url_differential.rs` compare both with the crate `url`).

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::Ipv4Addr;

use super::userinfo::may_hold_userinfo;
use super::{Component, Scheme, Url, host, userinfo};
use crate::base::text::{C0_CONTROL, Table};

/// The maximum length of a URL in bytes, before and after normalization. It is the limit of the `http`
/// crate's `Uri`, and far more than servers accept (8 KiB is usual).
///
/// The setters of [`Url`] have no limit: their arguments come from the caller.
pub const MAX_LEN: usize = u16::MAX as usize - 1;

const QUERY_SET: Table = C0_CONTROL.encoding(b" \"#<>");
const PATH_SET: Table = QUERY_SET.encoding(b"?^`{}");

/// The *special-query percent-encode set*.
pub(super) static QUERY: Table = QUERY_SET.encoding(b"'");
pub(super) static FRAGMENT: Table = C0_CONTROL.encoding(b" \"<>`");
/// A segment of a path that only a slash ends.
pub(super) static SEGMENT: Table = PATH_SET.stopping(b"/\\");

/// One segment of a path, in which no byte has a meaning.
pub(super) static PATH_SEGMENT: Table = PATH_SET.encoding(b"/\\%");
static SEGMENT_IN_URL: Table = SEGMENT.stopping(b"?#");
/// A whole path in a normalized URL, including its slashes.
static PATH_IN_URL: Table = PATH_SET.stopping(b"\\");
static QUERY_IN_URL: Table = QUERY.stopping(b"#");

/// Parses `input`, resolving it against `base` if there is one.
pub(super) fn parse(input: &str, base: Option<&Url>) -> Result<Url, ParseError> {
    if input.len() > MAX_LEN {
        return Err(ParseError::TooLong);
    }
    match recognize(input) {
        Some(url) => Ok(url), // a normalized URL is absolute, so `base` does not matter
        None => normalize(input, base),
    }
}

/// The reason why a string is not an `http` or `https` URL. `Display` is one line, and shows nothing of
/// the URL but the beginning of its scheme or host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// The input is empty.
    Empty,
    /// The URL is longer than [`MAX_LEN`], as given or after normalization.
    TooLong,
    /// The URL has no scheme, and there is no base to resolve it against.
    RelativeWithoutBase,
    /// The scheme is neither `http` nor `https`; contains its beginning. A host and port without a scheme,
    /// like `localhost:80`, is this error too. The text is empty where it may be a user name before a
    /// password.
    UnsupportedScheme(Box<str>),
    /// The URL has no host.
    EmptyHost,
    /// The host has a character that is forbidden there, even percent-encoded.
    InvalidHostCharacter(char),
    /// The host ends in a number, so it must be an IPv4 address, but is not a valid one.
    InvalidIpv4,
    /// The host is in brackets, so it must be an IPv6 address, but is not a valid one.
    InvalidIpv6,
    /// The port is not a number from 0 to 65535.
    InvalidPort,
    /// The host is not a valid internationalized domain name (UTS #46).
    InvalidIdna,
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
            Self::RelativeWithoutBase => {
                write!(f, "relative URL without a base: did you mean `http://…` or `https://…`?")
            }
            Self::UnsupportedScheme(scheme) if scheme.is_empty() => {
                write!(f, "the scheme is neither `http` nor `https`")
            }
            Self::UnsupportedScheme(scheme) => {
                write!(f, "the scheme `{scheme}` is not supported, only `http` and `https` are")
            }
            Self::EmptyHost => write!(f, "the URL has no host"),
            Self::InvalidHostCharacter(c) => {
                write!(f, "the host has the forbidden character {c:?}")
            }
            Self::InvalidIpv4 => {
                write!(f, "the host ends in a number but is no valid IPv4 address")
            }
            Self::InvalidIpv6 => {
                write!(f, "the host is in brackets but is no valid IPv6 address")
            }
            Self::InvalidPort => write!(f, "the port is not a number from 0 to 65535"),
            Self::InvalidIdna => {
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

/// Returns `input` as a URL, if it is normalized already.
///
/// Recognizes only common URLs: without userinfo, an IPv6 address, or a segment that begins like a dot
/// segment. The parser handles all others.
fn recognize(input: &str) -> Option<Url> {
    let mut schemes = [Scheme::Http, Scheme::Https].into_iter();
    let scheme = schemes.find(|scheme| input.starts_with(scheme.prefix()))?;
    let authority = input.strip_prefix(scheme.prefix())?;

    let (host, behind_host) = split_before(authority, |byte| !host::is_plain(byte));
    let is_domain = || !host.is_empty() && !host::ends_in_number(host);
    if host.parse::<Ipv4Addr>().is_err() && !is_domain() {
        return None;
    }
    let behind_port = match behind_host.strip_prefix(':') {
        Some(port) => skip_port(port, scheme)?,
        None => behind_host,
    };
    let (path, behind_path) = PATH_IN_URL.split(behind_port);
    let may_be_dots = |pair: &[u8]| matches!(pair, [b'/', b'.' | b'%']);
    if !path.starts_with('/') || path.as_bytes().windows(2).any(may_be_dots) {
        return None;
    }
    let behind_query = match behind_path.strip_prefix('?') {
        Some(query) => QUERY_IN_URL.split(query).1,
        None => behind_path,
    };
    let behind_fragment = match behind_query.strip_prefix('#') {
        Some(fragment) => FRAGMENT.split(fragment).1,
        None => behind_query,
    };
    if !behind_fragment.is_empty() {
        return None;
    }
    let parts = [authority, authority, behind_host, behind_port, behind_path, behind_query];
    Some(Url {
        serialization: input.to_owned(),
        ends: parts.map(|behind| input.len() - behind.len()),
    })
}

/// Skips a port that is not the scheme's default and has no leading zero.
fn skip_port(input: &str, scheme: Scheme) -> Option<&str> {
    let (digits, behind) = split_before(input, |byte| !byte.is_ascii_digit());
    let port: u16 = digits.parse().ok()?;
    let is_usual = port != scheme.default_port() && !digits.starts_with('0');
    is_usual.then_some(behind)
}

/// The full parser, without the fast path.
fn normalize(input: &str, base: Option<&Url>) -> Result<Url, ParseError> {
    let input = without_tabs_and_newlines(input.trim_matches(|c| c <= ' '));
    let url = match (split_scheme(&input)?, base) {
        (Some((scheme, rest)), Some(base)) if scheme == base.scheme_kind() => relative(rest, base),
        (Some((scheme, rest)), _) => absolute(scheme, rest),
        (None, Some(base)) => relative(&input, base),
        (None, None) if input.is_empty() => Err(ParseError::Empty),
        (None, None) => Err(ParseError::RelativeWithoutBase),
    }?;
    if url.serialization.len() > MAX_LEN { Err(ParseError::TooLong) } else { Ok(url) }
}

/// *Scheme start state* and *scheme state*: returns the scheme and the text after its colon, if there
/// is a scheme.
fn split_scheme(input: &str) -> Result<Option<(Scheme, &str)>, ParseError> {
    let Some((name, rest)) = input.split_once(':') else { return Ok(None) };
    if !is_scheme(name) {
        return Ok(None);
    }
    match Scheme::from_name(name) {
        Some(scheme) => Ok(Some((scheme, rest))),
        None if rest.starts_with("//") || !may_hold_userinfo(input) => {
            Err(ParseError::UnsupportedScheme(excerpt(name)))
        }
        None => Err(ParseError::UnsupportedScheme("".into())),
    }
}

/// *Special authority ignore slashes state*: parses a URL from its authority on, after any number of
/// slashes.
fn absolute(scheme: Scheme, input: &str) -> Result<Url, ParseError> {
    let input = input.trim_start_matches(SLASHES);
    let (authority, rest) = split_before(input, |byte| matches!(byte, b'/' | b'\\' | b'?' | b'#'));
    let prefix = scheme.prefix();
    // One more byte, for the slash of an empty path.
    let mut serialization = String::with_capacity(prefix.len() + input.len() + 1);
    serialization.push_str(prefix);
    let mut url = Url { serialization, ends: [prefix.len(); Component::Fragment as usize] };
    url.push_authority(authority)?;
    Ok(url.with_path(rest))
}

/// *Relative state* and *relative slash state*: copies the parts of `base` up to the first part that the
/// input has.
fn relative(input: &str, base: &Url) -> Result<Url, ParseError> {
    let base_up_to = |last| base.up_to(last, input.len());
    match input.as_bytes() {
        [b'/' | b'\\', b'/' | b'\\', ..] => absolute(base.scheme_kind(), input),
        [b'/' | b'\\', ..] => Ok(base_up_to(Component::Port).with_path(input)),
        [b'?', ..] => Ok(base_up_to(Component::Path).with_query(input)),
        [b'#', ..] | [] => Ok(base_up_to(Component::Query).with_fragment(input)),
        _ => {
            let mut url = base_up_to(Component::Path);
            let start = url.start(Component::Path);
            pop_segment(&mut url.serialization, start);
            Ok(url.with_path(input))
        }
    }
}

/// *The reverse of the relative state*: returns the shortest reference from `base` to `target`, if both have
/// the same origin.
///
/// The reference is that of the crate `url`, unless that would resolve to another URL: `a:b` begins with a
/// scheme, an empty one has the query of the base, `//a` begins with a host. Then it is the whole path.
pub(super) fn relative_reference(base: &Url, target: &Url) -> Option<String> {
    if base.scheme_kind() != target.scheme_kind() || base.host_header() != target.host_header() {
        return None;
    }
    let behind_path = target.span(Component::Query, Component::Fragment);
    let reference = relative_path(base.path(), target.path()) + behind_path;
    let resolves = base.join(&reference).is_ok_and(|url| {
        let behind_host = url.span(Component::Path, Component::Fragment);
        url.host_header() == target.host_header()
            && behind_host == target.span(Component::Path, Component::Fragment)
    });
    if resolves {
        return Some(reference);
    }
    // A path that begins with two slashes would be taken for a host.
    let prefix = if target.path().starts_with("//") { "/." } else { "" };
    Some([prefix, target.path(), behind_path].concat())
}

/// Returns `target` relative to `base`: one `..` for each directory of `base` that `target` is not in, then the
/// rest of `target`. Empty if the paths are equal.
fn relative_path(base: &str, target: &str) -> String {
    let (base_directory, base_name) = base.rsplit_once('/').unwrap_or_default();
    let (directory, name) = target.rsplit_once('/').unwrap_or_default();
    let (mut ups, mut downs) =
        (base_directory.split('/').peekable(), directory.split('/').peekable());
    while ups.peek().is_some() && ups.peek() == downs.peek() {
        ups.next();
        downs.next();
    }
    let mut relative = String::new();
    let mut push = |segment: &str| {
        if !relative.is_empty() {
            relative.push('/');
        }
        relative.push_str(segment);
    };
    ups.take_while(|up| !up.is_empty()).for_each(|_| push(".."));
    downs.for_each(&mut push);
    if relative.is_empty() && base_name == name {
        return relative;
    }
    // Without a name it is a directory, which ends in a slash.
    if name.is_empty() || !relative.is_empty() {
        relative.push('/');
    }
    relative + name
}

const SLASHES: [char; 2] = ['/', '\\'];

impl Url {
    /// Copies the parts up to `last`, with capacity for `input_len` more bytes.
    fn up_to(&self, last: Component, input_len: usize) -> Self {
        let kept = self.span(Component::Scheme, last);
        let mut serialization = String::with_capacity(kept.len() + input_len + 1);
        serialization.push_str(kept);
        let ends = self.ends.map(|end| end.min(kept.len()));
        Self { serialization, ends }
    }

    /// Records the end of `part`, which has just been written.
    fn finish(&mut self, part: Component) {
        let len = self.serialization.len();
        self.ends.iter_mut().skip(part as usize).for_each(|end| *end = len);
    }

    /// *Authority state* to *port state*: writes userinfo, host and port.
    fn push_authority(&mut self, input: &str) -> Result<(), ParseError> {
        let host_and_port = match input.rsplit_once('@') {
            None => input,
            Some((userinfo, host_and_port)) => {
                let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
                userinfo::push(&mut self.serialization, username, password);
                host_and_port
            }
        };
        self.finish(Component::Userinfo);
        let (host, port) = split_port(host_and_port)?;
        host::push(&mut self.serialization, host)?;
        self.finish(Component::Host);
        if let Some(port) = parse_port(port)? {
            let scheme = self.scheme_kind();
            push_port(&mut self.serialization, port, scheme);
        }
        self.finish(Component::Port);
        Ok(())
    }

    /// *Path start state*: writes the path and the parts after it.
    fn with_path(mut self, input: &str) -> Self {
        let input = input.strip_prefix(SLASHES).unwrap_or(input);
        let start = self.start(Component::Path);
        let rest = push_segments(&mut self.serialization, start, &SEGMENT_IN_URL, input);
        self.finish(Component::Path);
        self.with_query(rest)
    }

    /// *Query state*: writes the query, if there is one, and the parts after it.
    fn with_query(mut self, input: &str) -> Self {
        let mut rest = input;
        if let Some(query) = input.strip_prefix('?') {
            self.serialization.push('?');
            rest = QUERY_IN_URL.push(&mut self.serialization, query);
        }
        self.finish(Component::Query);
        self.with_fragment(rest)
    }

    /// *Fragment state*: writes the fragment, if there is one.
    fn with_fragment(mut self, input: &str) -> Self {
        if let Some(fragment) = input.strip_prefix('#') {
            self.serialization.push('#');
            FRAGMENT.push(&mut self.serialization, fragment);
        }
        self
    }
}

/// *Path state*: writes the segments of `input` with a slash before each, and resolves dot segments, but
/// not beyond `start`. `table` defines the end of the path; returns the rest of the input.
pub(super) fn push_segments<'a>(
    out: &mut String,
    start: usize,
    table: &Table,
    mut input: &'a str,
) -> &'a str {
    loop {
        let before = out.len();
        out.push('/');
        let rest = table.push(out, input);
        let next = rest.strip_prefix(SLASHES);
        let dots = out.get(before + 1..).map_or(0, dots_in);
        if dots > 0 {
            out.truncate(before);
            if dots == 2 {
                pop_segment(out, start);
            }
            if next.is_none() {
                out.push('/');
            }
        }
        match next {
            Some(next) => input = next,
            None => return rest,
        }
    }
}

fn pop_segment(out: &mut String, start: usize) {
    let last = out.get(start..).and_then(|path| path.rfind('/'));
    out.truncate(start + last.unwrap_or(0));
}

/// Returns 1 for a *single-dot URL path segment*, 2 for a *double-dot* one, and 0 for any other.
fn dots_in(segment: &str) -> usize {
    match strip_dot(segment) {
        Some("") => 1,
        Some(rest) if strip_dot(rest) == Some("") => 2,
        _ => 0,
    }
}

fn strip_dot(segment: &str) -> Option<&str> {
    [".", "%2e", "%2E"].into_iter().find_map(|dot| segment.strip_prefix(dot))
}

/// Splits `host:port` at the colon; for an IPv6 address at the one after the closing bracket.
fn split_port(input: &str) -> Result<(&str, &str), ParseError> {
    if !input.starts_with('[') {
        return Ok(input.split_once(':').unwrap_or((input, "")));
    }
    let (address, rest) = split_before(input, |byte| byte == b']');
    let rest = rest.strip_prefix(']').ok_or(ParseError::InvalidIpv6)?;
    let (host, _) = input.split_at_checked(address.len() + 1).ok_or(ParseError::InvalidIpv6)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if rest.is_empty() => Ok((host, "")),
        None => Err(ParseError::InvalidIpv6),
    }
}

fn parse_port(digits: &str) -> Result<Option<u16>, ParseError> {
    if digits.is_empty() {
        return Ok(None);
    }
    let port = digits.chars().try_fold(0u16, |port, c| {
        let digit = u16::try_from(c.to_digit(10)?).ok()?;
        port.checked_mul(10)?.checked_add(digit)
    });
    port.map(Some).ok_or(ParseError::InvalidPort)
}

/// Writes `:port`, unless it is the scheme's default.
pub(super) fn push_port(out: &mut String, port: u16, scheme: Scheme) {
    if port != scheme.default_port() {
        // Writing to a string does not fail.
        let _ = write!(out, ":{port}");
    }
}

/// Splits `input` before the first byte for which `is_end` is true; without one the second part is empty.
fn split_before(input: &str, is_end: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = input.bytes().position(is_end);
    end.and_then(|end| input.split_at_checked(end)).unwrap_or((input, ""))
}

/// Returns whether `name` has the syntax of a scheme, known or not.
pub(super) fn is_scheme(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Removes tabs and newlines, which the URL Standard ignores everywhere.
pub(super) fn without_tabs_and_newlines(input: &str) -> Cow<'_, str> {
    let dropped = |c: char| matches!(c, '\t' | '\n' | '\r');
    // Checks every byte without a branch, which is faster than stopping at the first match: there is
    // hardly ever one.
    if input.bytes().fold(false, |found, byte| found | dropped(char::from(byte))) {
        Cow::Owned(input.replace(dropped, ""))
    } else {
        Cow::Borrowed(input)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::url_like;
    use super::*;

    #[test]
    fn usual_urls_are_recognized() {
        for usual in [
            "http://h/",
            "https://example.com/",
            "http://127.0.0.1:8080/small",
            "https://a-b.xn--c_.example./d/e.f/~g;h=i/j%20/?j=k&l=%22/?#m?n#",
            "http://h:443/?",
            "https://h:80//a//b/#",
            "http://h:65535/a.../b%2e",
        ] {
            assert_eq!(recognize(usual), normalize(usual, None).ok(), "{usual}");
            assert!(recognize(usual).is_some(), "{usual}");
        }
    }

    /// URLs that the parser changes or rejects, and uncommon ones, which are left to it.
    #[test]
    fn other_urls_are_left_to_the_parser() {
        for other in [
            "",
            "http",
            "http:",
            "http:/h/",
            "HTTP://h/",
            "ftp://h/",
            "http://",
            "http:///",
            "http://h",
            "http://h?a",
            "http://H/",
            "http://h%41/",
            "http://u@h/",
            "http://[::1]/",
            "http://1.2.3/",
            "http://1.2.3.4./",
            "http://1.2.3.04/",
            "http://1.2.3.256/",
            "http://h.0x1/",
            "http://h.1/",
            "http://h:/",
            "http://h:80/",
            "https://h:443/",
            "http://h:081/",
            "http://h:0/",
            "http://h:65536/",
            "http://h:+81/",
            "http://h:81a/",
            "http://h\\a",
            "http://h/a\\b",
            "http://h/.",
            "http://h/a/../b",
            "http://h/%2e",
            "http://h/.a",
            "http://h/a b",
            "http://h/a\n",
            "http://h/ ",
            "http://h/^",
            "http://h/\u{e9}",
            "http://h/?'",
            "http://h/?a b",
            "http://h/#`",
            "http://h/#a b",
            "http://h/#\u{e9}",
            "http://\u{e9}/",
        ] {
            assert_eq!(recognize(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn recognizing_agrees_with_parsing(input in url_like()) {
            if let Some(url) = recognize(&input) {
                proptest::prop_assert_eq!(Ok(url), normalize(&input, None));
            }
            if let Ok(url) = normalize(&input, None) {
                let again = recognize(url.as_str());
                proptest::prop_assert!(again.is_none_or(|again| again == url && again.ends == url.ends));
            }
        }
    }
}
