//! The URL parser (WHATWG URL §4.4) for `http` and `https`.
//!
//! The state machine of the standard reads one code point at a time. For these two schemes it is
//! equivalent to a loop over the parts: find the end of a part, write it normalized, continue with the
//! rest. The methods of `Url` in this file do that, in the order of the parts.

use super::syntax::{is_scheme, without_tabs_and_newlines};
use std::fmt::Write;

use super::error::excerpt;
use super::userinfo::may_hold_userinfo;
use super::{ParseError, Part, Scheme, Url, host, normal, userinfo};
use crate::base::percent::{C0_CONTROL, Table};

/// The maximum length of a URL in bytes, before and after normalization. It is the limit of the `http`
/// crate's `Uri`, and far more than servers accept (8 KiB is usual).
///
/// The setters of [`Url`](super::Url) have no limit: their arguments come from the caller.
pub const MAX_LEN: usize = u16::MAX as usize - 1;

const QUERY_SET: Table = C0_CONTROL.encoding(b" \"#<>");
pub(super) const PATH_SET: Table = QUERY_SET.encoding(b"?^`{}");

/// The *special-query percent-encode set*.
pub(super) static QUERY: Table = QUERY_SET.encoding(b"'");
pub(super) static FRAGMENT: Table = C0_CONTROL.encoding(b" \"<>`");
/// A segment of a path that only a slash ends.
pub(super) static SEGMENT: Table = PATH_SET.stopping(b"/\\");

static SEGMENT_IN_URL: Table = SEGMENT.stopping(b"?#");
pub(super) static QUERY_IN_URL: Table = QUERY.stopping(b"#");

/// Parses `input`, resolving it against `base` if there is one.
pub(super) fn parse(input: &str, base: Option<&Url>) -> Result<Url, ParseError> {
    if input.len() > MAX_LEN {
        return Err(ParseError::TooLong);
    }
    match normal::recognize(input) {
        Some(url) => Ok(url), // a normalized URL is absolute, so `base` does not matter
        None => normalize(input, base),
    }
}

/// The full parser, without the fast path.
pub(super) fn normalize(input: &str, base: Option<&Url>) -> Result<Url, ParseError> {
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
    let mut url = Url::with_scheme(scheme, input.len());
    url.push_authority(authority)?;
    Ok(url.with_path(rest))
}

/// *Relative state* and *relative slash state*: copies the parts of `base` up to the first part that the
/// input has.
fn relative(input: &str, base: &Url) -> Result<Url, ParseError> {
    let base_up_to = |last| base.up_to(last, input.len());
    match input.as_bytes() {
        [b'/' | b'\\', b'/' | b'\\', ..] => absolute(base.scheme_kind(), input),
        [b'/' | b'\\', ..] => Ok(base_up_to(Part::Port).with_path(input)),
        [b'?', ..] => Ok(base_up_to(Part::Path).with_query(input)),
        [b'#', ..] | [] => Ok(base_up_to(Part::Query).with_fragment(input)),
        _ => Ok(base_up_to(Part::Path).without_last_segment().with_path(input)),
    }
}

const SLASHES: [char; 2] = ['/', '\\'];

impl Url {
    /// Starts a URL with its scheme, with capacity for `input_len` more bytes.
    fn with_scheme(scheme: Scheme, input_len: usize) -> Self {
        let prefix = scheme.prefix();
        // One more byte, for the slash of an empty path.
        let mut serialization = String::with_capacity(prefix.len() + input_len + 1);
        serialization.push_str(prefix);
        let ends = [prefix.len(); Part::Fragment as usize];
        Self { serialization, ends }
    }

    /// Copies the parts up to `last`, with capacity for `input_len` more bytes.
    fn up_to(&self, last: Part, input_len: usize) -> Self {
        let kept = self.span(Part::Scheme, last);
        let mut serialization = String::with_capacity(kept.len() + input_len + 1);
        serialization.push_str(kept);
        let ends = self.ends.map(|end| end.min(kept.len()));
        Self { serialization, ends }
    }

    /// Records the end of `part`, which has just been written.
    fn finish(&mut self, part: Part) {
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
        self.finish(Part::Userinfo);
        let (host, port) = split_port(host_and_port)?;
        host::push(&mut self.serialization, host)?;
        self.finish(Part::Host);
        if let Some(port) = parse_port(port)? {
            let scheme = self.scheme_kind();
            push_port(&mut self.serialization, port, scheme);
        }
        self.finish(Part::Port);
        Ok(())
    }

    /// *Path start state*: writes the path and the parts after it.
    fn with_path(mut self, input: &str) -> Self {
        let input = input.strip_prefix(SLASHES).unwrap_or(input);
        let start = self.start(Part::Path);
        let rest = push_segments(&mut self.serialization, start, &SEGMENT_IN_URL, input);
        self.finish(Part::Path);
        self.with_query(rest)
    }

    /// *Query state*: writes the query, if there is one, and the parts after it.
    fn with_query(mut self, input: &str) -> Self {
        let mut rest = input;
        if let Some(query) = input.strip_prefix('?') {
            self.serialization.push('?');
            rest = QUERY_IN_URL.push(&mut self.serialization, query);
        }
        self.finish(Part::Query);
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

    fn without_last_segment(mut self) -> Self {
        let start = self.start(Part::Path);
        pop_segment(&mut self.serialization, start);
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
        let dots = out.get(before + 1..).and_then(Dots::of);
        if let Some(dots) = dots {
            out.truncate(before);
            if dots == Dots::Double {
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

/// A *single-dot* or *double-dot URL path segment*.
#[derive(PartialEq, Eq)]
enum Dots {
    Single,
    Double,
}

impl Dots {
    fn of(segment: &str) -> Option<Self> {
        match strip_dot(segment)? {
            "" => Some(Self::Single),
            rest if strip_dot(rest) == Some("") => Some(Self::Double),
            _ => None,
        }
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
