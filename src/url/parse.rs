//! The URL parser (WHATWG URL §4.4).
//!
//! The state machine of the standard reads one code point at a time. It is equivalent to a loop over the
//! parts: find the end of a part, write it normalized, continue with the rest. [`UrlParser`] does that, in
//! the order of the parts. What a part may be depends on the scheme:
//!
//! | scheme | authority | path | host, port, query |
//! | --- | --- | --- | --- |
//! | special: `http`, `https`, `ws`, `wss`, `ftp` | always, after any number of slashes | `\` is `/` too | a domain or an address; the default port is omitted; `'` is encoded in the query |
//! | `file` | a host that may be empty | drive letters stay | see `file` |
//! | any other, with `//` | may be empty, but not with a user or a port | may be empty | the host is opaque text |
//! | any other, with `/` | none | begins with `/` | |
//! | any other | none | opaque: one text without segments, as in `mailto:` | |
//!
//! Most `http` and `https` URLs are normalized already. [`recognize`] scans such a URL once and copies it
//! unchanged; every other one is left to the full parser, [`normalize`]. A test compares the two on
//! generated URLs.
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
//! `tests/peers/tests/url_differential.rs` compare both with the crate `url`).

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::Special;
use super::text::{
    FRAGMENT, OPAQUE_IN_URL, OTHER_QUERY_IN_URL, OTHER_SEGMENT_IN_URL, PATH_IN_URL, QUERY_IN_URL,
    SEGMENT_IN_URL, ends_authority, is_of_scheme, without_tabs_and_newlines,
};
use super::{Component, ParseError, Url, file, host, userinfo};
use crate::base::text::{Table, split_before};

/// The maximum length of a URL in bytes, before and after normalization. It is the limit of the `http`
/// crate's `Uri`, and far more than servers accept (8 KiB is usual).
///
/// The setters of [`Url`] have no limit: their arguments come from the caller.
pub const MAX_LEN: usize = u16::MAX as usize - 1;

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

/// Returns `input` as a URL, if it is normalized already.
///
/// Recognizes only common URLs: without userinfo, an IPv6 address, or a segment that begins like a dot
/// segment. The parser handles all others.
fn recognize(input: &str) -> Option<Url> {
    let mut schemes = [Special::Http, Special::Https].into_iter();
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
fn skip_port(input: &str, scheme: Special) -> Option<&str> {
    let (digits, behind) = split_before(input, |byte| !byte.is_ascii_digit());
    let port: u16 = digits.parse().ok()?;
    let is_usual = Some(port) != scheme.default_port() && !digits.starts_with('0');
    is_usual.then_some(behind)
}

/// The full parser, without the fast path.
fn normalize(input: &str, base: Option<&Url>) -> Result<Url, ParseError> {
    let input = without_tabs_and_newlines(input.trim_matches(|c| c <= ' '));
    let url = match (split_scheme(&input), base) {
        (Some((scheme, rest)), _) => with_scheme(scheme, rest, base),
        (None, Some(base)) => relative(&input, base),
        (None, None) if input.is_empty() => Err(ParseError::Empty),
        (None, None) => Err(ParseError::RelativeUrlWithoutBase),
    }?;
    if url.serialization.len() > MAX_LEN { Err(ParseError::TooLong) } else { Ok(url) }
}

/// *Scheme start state*: returns the scheme and the text after its colon, if there is a scheme.
fn split_scheme(input: &str) -> Option<(&str, &str)> {
    let (name, rest) = split_before(input, |byte| !is_of_scheme(byte));
    let rest = rest.strip_prefix(':')?;
    name.starts_with(|first: char| first.is_ascii_alphabetic()).then_some((name, rest))
}

/// *Scheme state*: a special scheme that is that of the base may be followed by a relative reference.
fn with_scheme(name: &str, rest: &str, base: Option<&Url>) -> Result<Url, ParseError> {
    let Some(special) = Special::from_name(name) else { return not_special(name, rest) };
    match base.filter(|base| base.special() == Some(special)) {
        Some(base) => relative(rest, base),
        None if special == Special::File => file::parse(rest, None),
        None => absolute(special, rest),
    }
}

/// *Special authority ignore slashes state*: parses a URL from its authority on, after any number of
/// slashes.
fn absolute(special: Special, input: &str) -> Result<Url, ParseError> {
    let input = input.trim_start_matches(SLASHES);
    UrlParser::new(special.prefix(), Some(special), input.len()).with_authority(input)
}

/// *Path or authority state* and *opaque path state*: parses a URL from the end of its scheme on.
fn not_special(name: &str, input: &str) -> Result<Url, ParseError> {
    let name = name.to_ascii_lowercase();
    if let Some(input) = input.strip_prefix("//") {
        return UrlParser::new(&(name + "://"), None, input.len()).with_authority(input);
    }
    let parser = UrlParser::new(&(name + ":"), None, input.len());
    let has_segments = input.starts_with('/');
    Ok(if has_segments { parser.with_path(input) } else { parser.with_opaque_path(input) })
}

/// *No scheme state*, *relative state* and *relative slash state*: copies the parts of `base` up to the first
/// part that the input has.
fn relative(input: &str, base: &Url) -> Result<Url, ParseError> {
    let special = base.special();
    let base_up_to = |last| UrlParser::with_parts_of(base, last, special, input.len());
    let is_slash = |byte: u8| byte == b'/' || byte == b'\\' && special.is_some();
    match *input.as_bytes() {
        _ if special == Some(Special::File) => file::parse(input, Some(base)),
        [b'#', ..] => Ok(base_up_to(Component::Query).with_fragment(input)),
        _ if special.is_none() && base.cannot_be_a_base() => Err(ParseError::CannotBeABase),
        [first, second, ..] if is_slash(first) && is_slash(second) => match special {
            Some(special) => absolute(special, input),
            None => not_special(base.scheme(), input),
        },
        [first, ..] if is_slash(first) => Ok(base_up_to(Component::Port).with_path(input)),
        [b'?', ..] => Ok(base_up_to(Component::Path).with_query(input)),
        [] => Ok(base_up_to(Component::Query).with_fragment(input)),
        _ => Ok(base_up_to(Component::Path).with_sibling(input)),
    }
}

/// *The reverse of the relative state*: returns the shortest reference from `base` to `target`, if scheme, host and
/// port are the same.
///
/// The reference is that of the crate `url`, unless that would resolve to another URL: `a:b` begins with a
/// scheme, an empty one has the query of the base, `//a` begins with a host. Then it is the whole path, or if not
/// even that will do (an empty path, another drive) the host and the path.
pub(super) fn relative_reference(base: &Url, target: &Url) -> Option<String> {
    let behind_host = |url: &Url| url.span(Component::Path, Component::Fragment).to_owned();
    let is_target = |url: &Url| {
        (url.scheme(), url.has_authority(), url.host_header())
            == (target.scheme(), target.has_authority(), target.host_header())
    };
    if base.cannot_be_a_base() || !is_target(base) {
        return None;
    }
    let behind_path = target.span(Component::Query, Component::Fragment);
    // A path that begins with two slashes would be taken for a host.
    let prefix = if target.path().starts_with("//") { "/." } else { "" };
    let references = [
        relative_path(base.path(), target.path()) + behind_path,
        [prefix, target.path(), behind_path].concat(),
        ["//", target.host_header(), target.path(), behind_path].concat(),
    ];
    references.into_iter().find(|reference| {
        let resolved = base.join(reference);
        resolved.is_ok_and(|url| {
            // Host and path alone would lose the user.
            is_target(&url)
                && url.authority() == base.authority()
                && behind_host(&url) == behind_host(target)
        })
    })
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

/// A URL whose first parts are written.
pub(super) struct UrlParser {
    pub(super) url: Url,
    special: Option<Special>,
}

impl UrlParser {
    /// Writes the scheme with its punctuation. There is capacity for `input_len` more bytes, and one for the slash
    /// of an empty path.
    pub(super) fn new(prefix: &str, special: Option<Special>, input_len: usize) -> Self {
        let mut serialization = String::with_capacity(prefix.len() + input_len + 1);
        serialization.push_str(prefix);
        let ends = [prefix.len(); Component::Fragment as usize];
        Self { url: Url { serialization, ends }, special }
    }

    /// Copies the parts of `base` up to `last`.
    pub(super) fn with_parts_of(
        base: &Url,
        last: Component,
        special: Option<Special>,
        input_len: usize,
    ) -> Self {
        let kept = base.span(Component::Scheme, last);
        let mut serialization = String::with_capacity(kept.len() + input_len + 1);
        serialization.push_str(kept);
        let ends = base.ends.map(|end| end.min(kept.len()));
        Self { url: Url { serialization, ends }, special }
    }

    /// Records the end of `part`, which has just been written.
    pub(super) fn finish(&mut self, part: Component) {
        let len = self.url.serialization.len();
        self.url.ends.iter_mut().skip(part as usize).for_each(|end| *end = len);
    }

    /// Writes the authority and the parts after it.
    fn with_authority(mut self, input: &str) -> Result<Url, ParseError> {
        let is_special = self.special.is_some();
        let (authority, rest) = split_before(input, |byte| ends_authority(byte, is_special));
        self.push_authority(authority)?;
        Ok(self.with_path(rest))
    }

    /// *Authority state* to *port state*: writes userinfo, host and port.
    fn push_authority(&mut self, input: &str) -> Result<(), ParseError> {
        let out = &mut self.url.serialization;
        let host_and_port = match input.rsplit_once('@') {
            None => input,
            Some((userinfo, host_and_port)) => {
                let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
                userinfo::push(out, username, password);
                host_and_port
            }
        };
        self.finish(Component::Userinfo);
        let (host, port) = split_port(host_and_port)?;
        let out = &mut self.url.serialization;
        match self.special {
            Some(_) => host::push(out, host)?,
            None if host.is_empty() && !input.is_empty() => return Err(ParseError::EmptyHost),
            None => host::push_opaque(out, host)?,
        }
        self.finish(Component::Host);
        if let Some(port) = parse_port(port)? {
            let default = self.special.and_then(Special::default_port);
            push_port(&mut self.url.serialization, port, default);
        }
        self.finish(Component::Port);
        Ok(())
    }

    /// *Path start state*: writes the path and the parts after it.
    pub(super) fn with_path(mut self, input: &str) -> Url {
        let start = self.url.start(Component::Path);
        let is_file = self.special == Some(Special::File);
        let out = &mut self.url.serialization;
        if self.special.is_some() {
            let input = input.strip_prefix(SLASHES).unwrap_or(input);
            let rest = push_segments(out, start, &SEGMENT_IN_URL, is_file, input);
            self.finish(Component::Path);
            return self.with_query(rest);
        }
        let mut rest = input;
        if !matches!(input.as_bytes(), [] | [b'?' | b'#', ..]) {
            let input = input.strip_prefix('/').unwrap_or(input);
            rest = push_segments(out, start, &OTHER_SEGMENT_IN_URL, false, input);
        }
        self.finish(Component::Path);
        self.url.separate_path();
        self.with_query(rest)
    }

    /// *Relative state*, its last step: replaces the last segment of the path.
    #[inline]
    pub(super) fn with_sibling(mut self, input: &str) -> Url {
        let start = self.url.start(Component::Path);
        let is_file = self.special == Some(Special::File);
        pop_segment(&mut self.url.serialization, start, is_file);
        self.with_path(input)
    }

    /// *Opaque path state*: a space that would end the path is encoded, since spaces at the end of a URL are
    /// ignored.
    fn with_opaque_path(mut self, input: &str) -> Url {
        let out = &mut self.url.serialization;
        let rest = OPAQUE_IN_URL.push(out, input);
        if out.ends_with(' ') {
            out.pop();
            out.push_str("%20");
        }
        self.finish(Component::Path);
        self.with_query(rest)
    }

    /// *Query state*: writes the query, if there is one, and the parts after it.
    pub(super) fn with_query(mut self, input: &str) -> Url {
        let mut rest = input;
        if let Some(query) = input.strip_prefix('?') {
            let table = if self.special.is_some() { &QUERY_IN_URL } else { &OTHER_QUERY_IN_URL };
            self.url.serialization.push('?');
            rest = table.push(&mut self.url.serialization, query);
        }
        self.finish(Component::Query);
        self.with_fragment(rest)
    }

    /// *Fragment state*: writes the fragment, if there is one.
    #[inline]
    pub(super) fn with_fragment(mut self, input: &str) -> Url {
        if let Some(fragment) = input.strip_prefix('#') {
            self.url.serialization.push('#');
            FRAGMENT.push(&mut self.url.serialization, fragment);
        }
        self.url
    }
}

/// *Path state*: writes the segments of `input` with a slash before each, and resolves dot segments, but
/// not beyond `start`. `table` defines the end of the path; returns the rest of the input.
pub(super) fn push_segments<'a>(
    out: &mut String,
    start: usize,
    table: &Table,
    is_file: bool,
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
                pop_segment(out, start, is_file);
            }
            if next.is_none() {
                out.push('/');
            }
        } else if is_file && before == start {
            file::normalize_drive_letter(out, start);
        }
        match next {
            Some(next) => input = next,
            None => return rest,
        }
    }
}

/// *Shorten*: removes the last segment, unless it is the drive letter of a `file` URL.
fn pop_segment(out: &mut String, start: usize, is_file: bool) {
    let path = out.get(start..).unwrap_or_default();
    if is_file && file::is_drive(path) {
        return;
    }
    let last = path.rfind('/');
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
    let rest = rest.strip_prefix(']').ok_or(ParseError::InvalidIpv6Address)?;
    let (host, _) =
        input.split_at_checked(address.len() + 1).ok_or(ParseError::InvalidIpv6Address)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, port)),
        None if rest.is_empty() => Ok((host, "")),
        None => Err(ParseError::InvalidIpv6Address),
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
pub(super) fn push_port(out: &mut String, port: u16, default: Option<u16>) {
    if Some(port) != default {
        // Writing to a string does not fail.
        let _ = write!(out, ":{port}");
    }
}

#[cfg(test)]
mod tests;
