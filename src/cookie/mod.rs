//! Cookies: what servers store with the client and get back with later requests.
//!
//! A [`Jar`] keeps them as RFC 6265bis (draft-ietf-httpbis-rfc6265bis) has it, with the limits and
//! refusals of today's browsers. A [`CookieStore`] of your own can take its place. [`Cookie`] is
//! what a response set, for programs that only want to look.
//!
//! ```
//! use leanhttp::{cookie::{CookieStore, Jar}, url::Url};
//!
//! let jar = Jar::default();
//! jar.add_cookie_str("session=31d4; Path=/", &Url::parse("https://example.com/login")?);
//!
//! let header = jar.cookies(&Url::parse("https://example.com/account")?);
//! assert_eq!(header.unwrap(), "session=31d4");
//! assert_eq!(jar.cookies(&Url::parse("https://example.org/")?), None);
//! # Ok::<(), leanhttp::url::ParseError>(())
//! ```
//!
//! # Rules and limits
//!
//! | what | rule |
//! | --- | --- |
//! | size | name and value together at most 4096 octets, else the cookie is refused; an attribute of more than 1024 octets is ignored (§5.6) |
//! | number | 50 in a domain, 3000 in all (§6.1), 50 from one response; the least recently used go first; for one more of its domain, no `Secure` one as long as there is another (§5.7) |
//! | header | at most 8182 octets; cookies with longer paths first, then older ones, the rest stays at home (§5.8.3) |
//! | life | `Max-Age` before `Expires`, at most 400 days (§5.5); without either as long as the jar |
//! | control octets | a cookie with any but TAB is refused (§5.6) |
//! | `Secure` | only `https` sets, gets, replaces or deletes such a cookie (§5.7) |
//! | `__Secure-`, `__Host-` | refused without what they promise, in any case of letters (§5.7) |
//! | IP addresses | match only themselves (§5.1.3) |
//! | ports | do not matter: cookies go to all ports of a host (§8.5) |
//!
//! # What is not done
//!
//! - **`SameSite` is kept but not enforced.** It is about requests that one web site causes to
//!   another, and a client library does not know on whose behalf it sends. For the same reason
//!   `SameSite=None` does not need `Secure`.
//!
//! # Files
//!
//! A jar can be saved and loaded, in either of two formats. What a file says is judged by the rules
//! above once more, so that a broken or forged file does no more than a hostile server could.
//!
//! **JSON lines** keep all there is to a cookie: [`Jar::save_json`], [`Jar::load_json`]. Each line is
//! one object; `expires`, in seconds since 1970, and `same_site` are left out when there is none. A
//! string that is not UTF-8 stands in base64 under its key with `_b64` behind it.
//!
//! ```json
//! {"name":"a","value":"b","domain":"example.com","path":"/","host_only":false,"secure":true,"http_only":true,"expires":1924992000,"same_site":"Lax"}
//! ```
//!
//! **The Netscape cookie file** is what curl, wget, browser extensions and many scripts read and
//! write: [`Jar::save_netscape`], [`Jar::load_netscape`]. Seven fields with a TAB between: domain,
//! whether it goes to the hosts below too, path, `Secure`, seconds since 1970 or 0, name, value;
//! `#HttpOnly_` may stand before. `SameSite` gets lost, and cookies with a TAB in name or path.
//!
//! # Public suffixes
//!
//! A cookie for all of `co.uk` would go to strangers. With the feature `public-suffix` it is refused,
//! by Mozilla's list, which is part of the program: `cargo update -p psl` brings a newer one. Without
//! the feature only single labels such as `com` are known to be public.

#[cfg(feature = "cookies")]
pub(crate) mod jar;

mod date;
mod limits;
mod parse;
mod provider;
mod refusal;
mod same_site;
pub(crate) mod saved;
mod site;
mod store;
mod stored;
mod suffix;

use std::{
    borrow::Cow,
    fmt,
    time::{Duration, SystemTime},
};

use http::HeaderValue;

pub use self::limits::Limits;
use self::parse::SetCookie;
pub use self::{
    provider::CookieStore,
    same_site::SameSite,
    saved::{Loaded, SessionCookies},
    stored::StoredCookie,
};
pub(crate) use self::{provider::Cookies, refusal::Refusal};
pub use crate::cookie::jar::Jar;

/// A cookie as a response set it: read, but not judged. A [`Jar`] may well refuse it.
///
/// Servers may send any octets; what is not UTF-8 shows as `U+FFFD` here. `Debug` leaves the value
/// out, since it is often a credential.
///
/// ```
/// use http::HeaderValue;
/// use leanhttp::cookie::Cookie;
///
/// let header = HeaderValue::from_static("lang=de; Domain=.example.com; Path=/; Max-Age=3600");
/// let cookie = Cookie::parse(&header).unwrap();
/// assert_eq!((cookie.name(), cookie.value()), ("lang", "de"));
/// assert_eq!((cookie.domain(), cookie.path()), (Some("example.com"), Some("/")));
/// assert_eq!(cookie.max_age().unwrap().as_secs(), 3600);
/// assert!(!cookie.secure() && cookie.expires().is_none());
/// ```
pub struct Cookie<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    domain: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    parsed: SetCookie<'a>,
}

impl<'a> Cookie<'a> {
    /// Reads the value of a `Set-Cookie` field (RFC 6265bis §5.6). `None` for one that says to
    /// ignore it: without name and value, too long, or with control octets.
    pub fn parse(set_cookie: &'a HeaderValue) -> Option<Cookie<'a>> {
        let parsed = SetCookie::parse(set_cookie.as_bytes(), &Limits::default()).ok()?;
        Some(Cookie {
            name: String::from_utf8_lossy(parsed.name),
            value: String::from_utf8_lossy(parsed.value),
            domain: parsed.domain.map(String::from_utf8_lossy),
            path: parsed.path.map(String::from_utf8_lossy),
            parsed,
        })
    }

    /// The name; empty for a cookie that has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, with its quotes if it has any.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the cookie is hidden from scripts.
    pub fn http_only(&self) -> bool {
        self.parsed.http_only
    }

    /// Whether the cookie goes only over `https`.
    pub fn secure(&self) -> bool {
        self.parsed.secure
    }

    /// Whether `SameSite=Lax` was given.
    pub fn same_site_lax(&self) -> bool {
        self.parsed.same_site == Some(SameSite::Lax)
    }

    /// Whether `SameSite=Strict` was given.
    pub fn same_site_strict(&self) -> bool {
        self.parsed.same_site == Some(SameSite::Strict)
    }

    /// `Path`, if given and absolute.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// `Domain`, if given, without a leading dot and in the letters of the server.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// `Max-Age`, if given and a number: zero for a negative one, and never more than `u64::MAX`
    /// seconds.
    pub fn max_age(&self) -> Option<Duration> {
        self.parsed.max_age
    }

    /// `Expires`, if given and a date (§5.1.1).
    pub fn expires(&self) -> Option<SystemTime> {
        self.parsed.expires
    }
}

impl fmt::Debug for Cookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("path", &self.path)
            .field("max_age", &self.parsed.max_age)
            .field("expires", &self.parsed.expires)
            .field("secure", &self.parsed.secure)
            .field("http_only", &self.parsed.http_only)
            .field("same_site", &self.parsed.same_site)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_shows_what_was_sent() {
        let header = HeaderValue::from_static(
            "a=\"b\"; Path=/c; Domain=.Example.com; Secure; HttpOnly; SameSite=Lax; Max-Age=-1; \
             Expires=Thu, 01 Jan 1970 00:01:00 GMT",
        );
        let cookie = Cookie::parse(&header).unwrap();
        assert_eq!((cookie.name(), cookie.value()), ("a", "\"b\""));
        assert_eq!((cookie.path(), cookie.domain()), (Some("/c"), Some("Example.com")));
        assert!(cookie.secure() && cookie.http_only());
        assert!(cookie.same_site_lax() && !cookie.same_site_strict());
        assert_eq!(cookie.max_age(), Some(Duration::ZERO));
        assert_eq!(cookie.expires(), Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
    }

    #[test]
    fn cookie_without_attributes() {
        let header = HeaderValue::from_static("token; SameSite=Strict");
        let cookie = Cookie::parse(&header).unwrap();
        assert_eq!((cookie.name(), cookie.value()), ("", "token"));
        assert!(!cookie.secure() && !cookie.http_only());
        assert!(cookie.same_site_strict() && !cookie.same_site_lax());
        assert_eq!((cookie.path(), cookie.domain()), (None, None));
        assert_eq!((cookie.max_age(), cookie.expires()), (None, None));
    }

    #[test]
    fn octets_that_are_not_utf8_show_as_replacement() {
        let header = HeaderValue::from_bytes(b"a\xFF=\xC3\xA9\xFE").unwrap();
        let cookie = Cookie::parse(&header).unwrap();
        assert_eq!((cookie.name(), cookie.value()), ("a\u{FFFD}", "é\u{FFFD}"));
    }

    #[test]
    fn debug_keeps_the_value_to_itself() {
        let header = HeaderValue::from_static("name=secret");
        let shown = format!("{:?}", Cookie::parse(&header));
        assert!(shown.contains("name") && !shown.contains("secret"), "{shown}");
    }
}
