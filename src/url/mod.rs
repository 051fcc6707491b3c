//! [`Url`]: an absolute URL, parsed and resolved according to the WHATWG URL Standard
//! (<https://url.spec.whatwg.org/>). It may have any scheme; requests need `http` or `https`.
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

// For maintainers.
//
//   text ──▶ parse: recognize ─── normalized already ───▶ Url: one String, and where its parts end
//                   normalize ─── any other ──▶ host ──▶      │
//                                                             ├──▶ getters, positions: slices of it
//   setters: parts of it, each normalized by the same tables ◀┘──▶ Origin, Host
//
//   https:// user:pass@ host :81 /path ?query #fragment       each `Component` with its punctuation
//          │           │    │   │     │      │                `ends`: where each but the last ends
//   mailto:                      a@h   ?query #fragment       the same without authority: its parts are empty
//   foo:/.                       //a                          `/.` belongs to the scheme, see `separate_path`
//
// Read this file first (the value and its getters), then `parse`: the parser in the order of the parts, with a
// short way for the URLs that need no change, which are most. `text` has the bytes of each part, `host` the rules for
// domains and addresses, `file` those for `file` URLs and paths, `userinfo` those for user name and password, which
// no message may show. `set` has the setters and the editors of path and query, `position` slices
// between two positions, `origin` the origin, `options` a parser whose base may be missing, `convert` everything to and from other types.
//
// The source of every rule is the URL Standard, whose terms are in italics in the comments (*path state*). A URL
// is data and may have any scheme; whatever sends something asks for its `http_scheme` first.
//
// Invariants, and the test that guards each:
//
// - A URL is what the URL Standard says, byte by byte: `tests/conformance` has the vectors of the web platform, and
//   `tests/peers/tests/url_differential.rs` compares every method with the crate `url` on generated input, as does the fuzz
//   target `url`.
// - A URL parses as itself: `anything_parses_to_a_fixed_point`. Both ways of the parser agree:
//   `recognizing_agrees_with_parsing`.
// - Every setter leaves the other parts unchanged: `setters_change_one_part`.
// - No message shows a password, nor text that may hold one: `userinfo_is_hidden_and_taken_out`, and
//   `tests/hostile_credentials.rs`.
mod convert;
mod error;
mod file;
mod host;
mod options;
mod origin;
mod parse;
mod position;
mod set;
mod text;
pub(crate) mod userinfo;

#[cfg(test)]
mod tests;

pub use error::ParseError;
pub use host::Host;
pub use options::ParseOptions;
pub use origin::{OpaqueOrigin, Origin};
pub use parse::MAX_LEN;
pub use position::Position;
pub use set::{PathSegmentsMut, UrlQuery};
pub(crate) use userinfo::{Userinfo, may_hold_userinfo, shown};

/// An absolute URL of any scheme. Requests, redirects and cookies need `http` or `https`.
///
/// It is one string, normalized according to the URL Standard: scheme and host in lower case, the host
/// in ASCII, the default port omitted, dot segments resolved, all other parts percent-encoded where
/// necessary. The getters return slices of it. Two URLs are equal if their strings are.
///
/// An `http`, `https`, `ws`, `wss` or `ftp` URL always has a host and a path that begins with `/`; a `file` URL
/// always has such a path, and mostly no host. Others may have a host, as in `socks5://h:1080`, and some have an
/// *opaque path*, as in `mailto:me@example.org`.
///
/// The methods have the names of the `url` crate. Comparisons and the hash are those of the string.
/// [`Debug`](fmt::Debug) shows `***` instead of the user name and password, and instead of a whole URL that may be a
/// misspelled one, such as `user:password@host`; [`Display`](fmt::Display) writes the whole URL.
#[derive(Clone)]
pub struct Url {
    /// All parts in order, each with its punctuation: `https://` `user:pass@` `host` `:81` `/path`
    /// `?query` `#fragment`. Only the scheme is never empty.
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
    /// Returns an error if `input` is relative, its host is invalid, or missing where the scheme needs one, its
    /// port is invalid, or it is longer than [`MAX_LEN`].
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
    /// Returns the errors of [`Url::parse`], except that `reference` may be relative; but only a fragment is
    /// relative to a URL that [cannot be a base](Self::cannot_be_a_base).
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
    /// this URL's, and the query and fragment. `None` if scheme, host or port differ, or if this URL
    /// [cannot be a base](Self::cannot_be_a_base). User name and password do not matter, since a relative reference
    /// cannot have them.
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

    /// Returns the scheme, in lower case: `https`.
    pub fn scheme(&self) -> &str {
        match self.special() {
            Some(special) => special.as_str(),
            None => self.part(Component::Scheme).split(':').next().unwrap_or_default(),
        }
    }

    /// Returns whether the scheme is one that the URL Standard calls special: `http`, `https`, `ws`, `wss`, `ftp` or
    /// `file`.
    pub fn is_special(&self) -> bool {
        self.special().is_some()
    }

    /// Returns whether the URL has an authority, which may be empty as in `file:///path`: whether `//` follows the
    /// scheme.
    pub fn has_authority(&self) -> bool {
        self.part(Component::Scheme).ends_with("//")
    }

    /// Returns whether the URL has a host that is not empty.
    pub fn has_host(&self) -> bool {
        !self.part(Component::Host).is_empty()
    }

    /// Returns whether the URL has an opaque path, like `mailto:` and `data:` URLs. Only a fragment is relative to
    /// it, and it has no host and no path segments.
    ///
    /// ```
    /// use leanhttp::url::Url;
    ///
    /// let url = Url::parse("mailto:me@example.org")?;
    /// assert!(url.cannot_be_a_base());
    /// assert_eq!((url.host(), url.path()), (None, "me@example.org"));
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn cannot_be_a_base(&self) -> bool {
        !self.has_authority() && !self.path().starts_with('/')
    }

    /// Returns user name, password, host and port as in the URL: `user:pass@host:81`. Empty if there are none.
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

    /// Returns the host as in the URL, an IPv6 address in brackets; `None` if there is none or it is empty.
    pub fn host_str(&self) -> Option<&str> {
        Some(self.part(Component::Host)).filter(|host| !host.is_empty())
    }

    /// Returns the host, a domain or an IP address; `None` if there is none or it is empty. An `http` or `https` URL
    /// always has a host.
    pub fn host(&self) -> Option<Host<&str>> {
        self.host_str().map(|host| Host::from_serialized(host, self.is_special()))
    }

    /// Returns the host, if there is one and it is not an IP address.
    pub fn domain(&self) -> Option<&str> {
        match self.host()? {
            Host::Domain(domain) => Some(domain),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// Returns the port, unless it is the scheme's default, which the URL omits.
    pub fn port(&self) -> Option<u16> {
        self.part(Component::Port).strip_prefix(':')?.parse().ok()
    }

    /// Returns the port, or the scheme's default: 80 for `http` and `ws`, 443 for `https` and `wss`, 21 for `ftp`.
    /// `None` for any other scheme.
    pub fn port_or_known_default(&self) -> Option<u16> {
        self.port().or_else(|| self.special()?.default_port())
    }

    /// Looks the host up with the system's resolver, and returns its addresses with the port, which is that of
    /// `default_port` if neither the URL nor its scheme has one. Blocks the thread. A client does not use this: it
    /// has a resolver and time limits of its own.
    ///
    /// # Errors
    ///
    /// Returns an [`InvalidData`](io::ErrorKind::InvalidData) error if there is no host or no port, and the errors
    /// of the lookup.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://127.0.0.1/").unwrap();
    /// assert_eq!(url.socket_addrs(|| None)?, ["127.0.0.1:80".parse().unwrap()]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn socket_addrs(
        &self,
        default_port: impl Fn() -> Option<u16>,
    ) -> io::Result<Vec<SocketAddr>> {
        let missing = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let host = self.host().ok_or_else(|| missing("the URL has no host"))?;
        let port = self.port_or_known_default().or_else(default_port);
        let port = port.ok_or_else(|| missing("neither the URL nor its scheme has a port"))?;
        Ok(match host {
            Host::Domain(domain) => (domain, port).to_socket_addrs()?.collect(),
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
        })
    }

    /// Returns the path, percent-encoded. That of a special scheme starts with `/`; any other may be empty or
    /// [opaque](Self::cannot_be_a_base).
    pub fn path(&self) -> &str {
        self.part(Component::Path)
    }

    /// Returns the segments of the path, percent-encoded: at least one, which may be empty. `None` if the path does
    /// not start with `/`.
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

    /// Returns scheme, host and port, or an opaque origin. URLs with the same origin may share credentials.
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
        Origin::of(self)
    }

    /// Returns path and query: the request target in origin form (RFC 9112 §3.2.1).
    pub(crate) fn request_target(&self) -> &str {
        self.span(Component::Path, Component::Query)
    }

    /// Returns host and port without userinfo: the value of the `Host` field (RFC 9110 §7.2).
    pub(crate) fn host_header(&self) -> &str {
        self.span(Component::Host, Component::Port)
    }

    /// *URL serializing*: keeps a path that begins with two slashes apart from a scheme without an authority, by
    /// `/.` between them; else its first segment would be taken for a host.
    fn separate_path(&mut self) {
        if self.has_authority() {
            return;
        }
        let mark = if self.path().starts_with("//") { ":/." } else { ":" };
        if !self.part(Component::Scheme).ends_with(mark) {
            let scheme = [self.scheme(), mark].concat();
            self.replace(Component::Scheme, &scheme);
        }
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
        let shown = if is_shown { error::excerpt(self.scheme()) } else { "".into() };
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
