//! [`Url`]: an absolute `http` or `https` URL, parsed and resolved according to the WHATWG URL Standard
//! (<https://url.spec.whatwg.org/>).
//!
//! ```
//! use leanhttp::url::Url;
//!
//! let base = Url::parse("HTTPS://Example.COM:443/a/./b/../c?q=ö#top")?;
//! assert_eq!(base.as_str(), "https://example.com/a/c?q=%C3%B6#top");
//!
//! let next = base.join("../d")?;
//! assert_eq!(next.as_str(), "https://example.com/d");
//! # Ok::<(), leanhttp::url::ParseError>(())
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::form;

mod convert;
mod host;
mod parse;
mod position;
mod set;
pub(crate) mod userinfo;

#[cfg(test)]
mod tests;

pub use host::Host;
pub use parse::{MAX_LEN, ParseError};
pub use position::Position;
pub use set::{PathSegmentsMut, QueryPairsMut};
pub(crate) use userinfo::{Userinfo, may_hold_userinfo, shown};

/// An absolute `http` or `https` URL.
///
/// It is one string, normalized according to the URL Standard: scheme and host in lower case, the host
/// in ASCII, the default port omitted, dot segments resolved, all other parts percent-encoded where
/// necessary. The getters return slices of it. Two URLs are equal if their strings are.
///
/// The methods have the names of the `url` crate. What can fail there and not here still returns a `Result` or
/// an `Option`, so that programs need no change. Comparisons and the hash are those of the string. [`Debug`](fmt::Debug) shows `***` instead of the user
/// name and password; [`Display`](fmt::Display) writes the whole URL.
#[derive(Clone)]
pub struct Url {
    /// All parts in order, each with its punctuation: `https://` `user:pass@` `host` `:81` `/path`
    /// `?query` `#fragment`. Scheme, host and path are never empty.
    serialization: String,
    /// The end of each [`Component`] except the last, as an index into `serialization`.
    ends: [usize; Component::Fragment as usize],
}

/// A part of the serialization, including its punctuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Component {
    Scheme,
    Userinfo,
    Host,
    Port,
    Path,
    Query,
    Fragment,
}

impl Url {
    /// Parses an absolute URL.
    ///
    /// Ignores spaces and control characters at both ends, and tabs and newlines anywhere.
    ///
    /// # Errors
    ///
    /// Returns an error if `input` is relative, its scheme is neither `http` nor `https`, its host or port
    /// is missing or invalid, or it is longer than [`MAX_LEN`].
    ///
    /// ```
    /// use leanhttp::url::{ParseError, Url};
    ///
    /// assert_eq!(Url::parse(" http://0x7F.1 ")?.as_str(), "http://127.0.0.1/");
    /// assert_eq!(Url::parse("http://:80/"), Err(ParseError::EmptyHost));
    /// # Ok::<(), ParseError>(())
    /// ```
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        parse::parse(input, None)
    }

    /// Returns a placeholder URL, for hand-made responses (RFC 6761 §6.4: `.invalid` never resolves).
    pub(crate) fn nowhere() -> Self {
        let ends = [7, 7, 21, 21, 22, 22];
        Self { serialization: "http://no.url.invalid/".to_owned(), ends }
    }

    /// Parses an absolute URL and appends pairs to its query, form-encoded.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Url::parse`].
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse_with_params("http://h/?a=1", [("b", "2 3")])?;
    /// assert_eq!(url.as_str(), "http://h/?a=1&b=2+3");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn parse_with_params<I, K, V>(input: &str, params: I) -> Result<Self, ParseError>
    where
        I: IntoIterator<Item: std::borrow::Borrow<(K, V)>>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut url = Self::parse(input)?;
        url.query_pairs_mut().extend_pairs(params);
        Ok(url)
    }

    /// Resolves `reference`, which may be relative, against this URL.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Url::parse`], except that `reference` may be relative.
    ///
    /// ```
    /// let base = leanhttp::url::Url::parse("http://user@h/dir/page?q#f")?;
    /// assert_eq!(base.join("other")?.as_str(), "http://user@h/dir/other");
    /// assert_eq!(base.join("?p")?.as_str(), "http://user@h/dir/page?p");
    /// assert_eq!(base.join("//g/x")?.as_str(), "http://g/x");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn join(&self, reference: &str) -> Result<Self, ParseError> {
        parse::parse(reference, Some(self))
    }

    /// Returns the reference to `target` that [`join`](Self::join) resolves back to it: the path relative to
    /// this URL's, and the query and fragment. `None` if scheme, host or port differ. User name and password
    /// do not matter, since a relative reference cannot have them.
    ///
    /// ```
    /// use leanhttp::url::Url;
    ///
    /// let base = Url::parse("http://h/a/b?q")?;
    /// let target = Url::parse("http://h/c/d#f")?;
    /// assert_eq!(base.make_relative(&target).as_deref(), Some("../c/d#f"));
    /// assert_eq!(base.make_relative(&Url::parse("http://g/c")?), None);
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn make_relative(&self, target: &Self) -> Option<String> {
        parse::relative_reference(self, target)
    }

    /// Returns the whole URL.
    pub fn as_str(&self) -> &str {
        &self.serialization
    }

    /// Returns `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.scheme_of().as_str()
    }

    /// Returns whether the scheme is one that the URL Standard calls special. Always true: `http` and `https`
    /// are.
    pub fn is_special(&self) -> bool {
        true
    }

    /// Returns whether the URL has an authority. Always true, as for every `http` URL.
    pub fn has_authority(&self) -> bool {
        true
    }

    /// Returns whether the URL has a host. Always true, as for every `http` URL.
    pub fn has_host(&self) -> bool {
        true
    }

    /// Returns whether the URL cannot be the base of a relative one. Always false, as for every `http` URL.
    pub fn cannot_be_a_base(&self) -> bool {
        false
    }

    /// Returns user name, password, host and port as in the URL: `user:pass@host:81`.
    pub fn authority(&self) -> &str {
        self.span(Component::Userinfo, Component::Port)
    }

    /// Returns the user name, percent-encoded; empty if there is none.
    pub fn username(&self) -> &str {
        self.userinfo().0
    }

    /// Returns the password, percent-encoded; `None` if there is none or it is empty.
    pub fn password(&self) -> Option<&str> {
        self.userinfo().1
    }

    /// Returns the host as in the URL, an IPv6 address in brackets. It is always `Some`, an `Option`
    /// only for compatibility with the `url` crate.
    pub fn host_str(&self) -> Option<&str> {
        Some(self.part(Component::Host))
    }

    /// Returns the host: a domain or an IP address.
    pub fn host(&self) -> Host<&str> {
        Host::from_serialized(self.part(Component::Host))
    }

    /// Returns the host, if it is a domain and not an IP address.
    pub fn domain(&self) -> Option<&str> {
        match self.host() {
            Host::Domain(domain) => Some(domain),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// Returns the port, unless it is the scheme's default, which the URL omits.
    pub fn port(&self) -> Option<u16> {
        self.part(Component::Port).strip_prefix(':')?.parse().ok()
    }

    /// Returns the port, or the scheme's default: 80 or 443. It is always `Some`, an `Option` only for
    /// compatibility with the `url` crate.
    pub fn port_or_known_default(&self) -> Option<u16> {
        Some(self.effective_port())
    }

    /// Looks the host up with the system's resolver, and returns its addresses with the port. Blocks the
    /// thread. A client does not use this: it has a resolver and time limits of its own.
    ///
    /// `default_port` is never called, since both schemes have a default port; it is there only for
    /// compatibility with the `url` crate.
    ///
    /// # Errors
    ///
    /// Returns the errors of the lookup.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://127.0.0.1/").unwrap();
    /// assert_eq!(url.socket_addrs(|| None)?, ["127.0.0.1:80".parse().unwrap()]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn socket_addrs(
        &self,
        _default_port: impl Fn() -> Option<u16>,
    ) -> io::Result<Vec<SocketAddr>> {
        let port = self.effective_port();
        Ok(match self.host() {
            Host::Domain(domain) => (domain, port).to_socket_addrs()?.collect(),
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
        })
    }

    /// Returns the path, percent-encoded; it starts with `/`.
    pub fn path(&self) -> &str {
        self.part(Component::Path)
    }

    /// Returns the segments of the path, percent-encoded: at least one, which may be empty. It is always
    /// `Some`, an `Option` only for compatibility with the `url` crate.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://h/a/b%20c/")?;
    /// assert_eq!(url.path_segments().unwrap().collect::<Vec<_>>(), ["a", "b%20c", ""]);
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn path_segments(&self) -> Option<std::str::Split<'_, char>> {
        self.path().strip_prefix('/').map(|path| path.split('/'))
    }

    /// Returns the query, percent-encoded, without its `?`.
    pub fn query(&self) -> Option<&str> {
        self.part(Component::Query).strip_prefix('?')
    }

    /// Returns the pairs of the query, decoded as a form.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://h/?a=1&b=x+y")?;
    /// let pairs: Vec<_> = url.query_pairs().collect();
    /// assert_eq!(pairs, [("a".into(), "1".into()), ("b".into(), "x y".into())]);
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn query_pairs(&self) -> form::Parse<'_> {
        form::parse(self.query().unwrap_or_default().as_bytes())
    }

    /// Returns the fragment, percent-encoded, without its `#`. It is never sent.
    pub fn fragment(&self) -> Option<&str> {
        self.part(Component::Fragment).strip_prefix('#')
    }

    /// Returns scheme, host and port. URLs with the same origin may share credentials.
    ///
    /// ```
    /// use leanhttp::url::Url;
    ///
    /// let url = Url::parse("https://user@h:443/path")?;
    /// assert_eq!(url.origin(), Url::parse("https://h/")?.origin());
    /// assert_eq!(url.origin().ascii_serialization(), "https://h");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn origin(&self) -> Origin {
        Origin {
            scheme: self.scheme_of(),
            host: self.part(Component::Host).into(),
            port: self.effective_port(),
        }
    }

    /// Returns path and query: the request target in origin form (RFC 9112 §3.2.1).
    pub(crate) fn request_target(&self) -> &str {
        self.span(Component::Path, Component::Query)
    }

    /// Returns host and port without userinfo: the value of the `Host` field (RFC 9110 §7.2).
    pub(crate) fn host_header(&self) -> &str {
        self.span(Component::Host, Component::Port)
    }

    fn scheme_of(&self) -> Scheme {
        if self.part(Component::Scheme) == Scheme::Https.prefix() {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }

    fn effective_port(&self) -> u16 {
        self.port().unwrap_or_else(|| self.scheme_of().default_port())
    }

    fn part(&self, part: Component) -> &str {
        self.span(part, part)
    }

    /// Returns whether the URL has a user name or a password.
    #[inline]
    pub(crate) fn has_userinfo(&self) -> bool {
        let [scheme, userinfo, ..] = self.ends;
        scheme != userinfo
    }

    /// Returns the text from the start of `first` to the end of `last`.
    fn span(&self, first: Component, last: Component) -> &str {
        let range = self.start(first)..self.end(last);
        debug_assert!(self.serialization.get(range.clone()).is_some(), "{:?}", self.ends);
        self.serialization.get(range).unwrap_or_default()
    }

    fn start(&self, part: Component) -> usize {
        let before = (part as usize).checked_sub(1);
        before.and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }

    fn end(&self, part: Component) -> usize {
        self.ends.get(part as usize).copied().unwrap_or(self.serialization.len())
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.serialization == other.serialization
    }
}

impl Eq for Url {}

impl PartialOrd for Url {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Url {
    fn cmp(&self, other: &Self) -> Ordering {
        self.serialization.cmp(&other.serialization)
    }
}

impl Hash for Url {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.serialization.hash(state);
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Url").field(&format_args!("{}", self.redacted())).finish()
    }
}

/// The schemes of a [`Url`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|it| name.eq_ignore_ascii_case(it.as_str()))
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Http => "http://",
            Self::Https => "https://",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The scheme, host and port of a URL (WHATWG URL §4.7). URLs with equal origins may share credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Box<str>,
    port: u16,
}

impl Origin {
    /// Returns `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.scheme.as_str()
    }

    /// Returns the host as in the URL, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, which may be the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns `scheme://host`, and `:port` unless it is the default: the value of an `Origin` field.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://u:p@[::1]:81/a?b")?;
    /// assert_eq!(url.origin().ascii_serialization(), "http://[::1]:81");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn ascii_serialization(&self) -> String {
        let Self { scheme, host, port } = self;
        let mut serialization = [scheme.prefix(), host].concat();
        parse::push_port(&mut serialization, *port, *scheme);
        serialization
    }
}
