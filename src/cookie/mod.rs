//! Cookies: state that servers store in the client and receive with later requests.
//!
//! A [`Jar`] stores them according to RFC 6265bis (draft-ietf-httpbis-rfc6265bis), with the limits
//! of current browsers. To use a store of your own, implement [`CookieStore`]. [`Cookie`] is a
//! cookie as a response set it, for programs that only read it.
//!
//! ```
//! use leanhttp::cookie::{CookieStore, Jar};
//! use leanhttp::url::Url;
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
//! | size | name and value together at most 4096 bytes, else the cookie is refused; an attribute of more than 1024 bytes is ignored (§5.6) |
//! | number | 50 in a domain, 3000 in all (§6.1), 50 from one response; the least recently used are evicted first; in a full domain, those without `Secure` before others (§5.7) |
//! | header | at most 8182 bytes; cookies with longer paths first, then older ones, further cookies are not sent (§5.8.3) |
//! | lifetime | `Max-Age` takes precedence over `Expires`, at most 400 days (§5.5); without either, the lifetime of the jar |
//! | control characters | a cookie with any except TAB is refused (§5.6) |
//! | `Secure` | only `https` may set, receive, replace or delete such a cookie (§5.7) |
//! | `__Secure-`, `__Host-` | refused if the prefix's requirements are not met; prefixes are case-insensitive (§5.7) |
//! | IP addresses | match only themselves (§5.1.3) |
//! | ports | are ignored: cookies are sent to all ports of a host (§8.5) |
//!
//! # Not enforced
//!
//! - **`SameSite` is stored but not enforced.** It restricts requests that one web site causes to
//!   another, and a client library does not know on whose behalf it sends. For the same reason
//!   `SameSite=None` does not require `Secure`.
//!
//! # Files
//!
//! A jar can be saved and loaded in either of two formats. The rules above apply to loaded cookies
//! too, so a broken or forged file can do no more than a hostile server.
//!
//! **JSON lines** keep every property of a cookie: [`Jar::save_json`], [`Jar::load_json`]. Each
//! line is one object; `expires`, in seconds since 1970, and `same_site` are absent if the cookie
//! has none. A string that is not UTF-8 is encoded in base64, with `_b64` appended to its key.
//!
//! ```json
//! {"name":"a","value":"b","domain":"example.com","path":"/","host_only":false,"secure":true,"http_only":true,"expires":1924992000,"same_site":"Lax"}
//! ```
//!
//! **The Netscape cookie file** is the format of curl, wget, browser extensions and many scripts:
//! [`Jar::save_netscape`], [`Jar::load_netscape`]. Each line has seven fields separated by TABs:
//! domain, whether subdomains are included, path, `Secure`, seconds since 1970 or 0, name, value;
//! `#HttpOnly_` may precede them. The format has no `SameSite`, and cookies with a TAB in name or
//! path are not written.
//!
//! # Public suffixes
//!
//! A cookie for all of `co.uk` would be sent to unrelated sites. With the feature `public-suffix`
//! it is refused according to Mozilla's list, which is compiled in: `cargo update -p psl` updates
//! it. Without the feature only single labels such as `com` are treated as public suffixes.

// Reading order: `parse` and `stored` (from `Set-Cookie` to a cookie), `store` (the cookies of a
// jar), `jar` (the public type), `saved` (files). The others hold one rule or type each.
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

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::HeaderValue;

pub use self::limits::Limits;
use self::parse::SetCookie;
pub use self::provider::CookieStore;
pub(crate) use self::provider::Cookies;
pub(crate) use self::refusal::CookieRefusal;
pub use self::same_site::SameSite;
pub use self::saved::{LoadReport, SessionCookies};
pub use self::stored::StoredCookie;
pub use crate::cookie::jar::Jar;

/// A cookie as a response set it: parsed, but not checked against the rules. A [`Jar`] may refuse
/// it.
///
/// Servers may send any bytes; invalid UTF-8 is shown as `U+FFFD` here. `Debug` omits the value,
/// since it is often a credential.
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
    /// Parses the value of a `Set-Cookie` field (RFC 6265bis §5.6). Returns `None` for one that
    /// must be ignored: without name and value, too long, or with control characters.
    pub fn parse(set_cookie: &'a HeaderValue) -> Option<Self> {
        let parsed = SetCookie::parse(set_cookie.as_bytes(), &Limits::default()).ok()?;
        Some(Self {
            name: String::from_utf8_lossy(parsed.name),
            value: String::from_utf8_lossy(parsed.value),
            domain: parsed.domain.map(String::from_utf8_lossy),
            path: parsed.path.map(String::from_utf8_lossy),
            parsed,
        })
    }

    /// Returns the name; empty for a cookie that has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value, with its quotes if it has any.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns whether `HttpOnly` is set, which hides the cookie from scripts.
    pub fn http_only(&self) -> bool {
        self.parsed.http_only
    }

    /// Returns whether the cookie is sent only over `https`.
    pub fn secure(&self) -> bool {
        self.parsed.secure
    }

    /// Returns whether `SameSite=Lax` is set.
    pub fn same_site_lax(&self) -> bool {
        self.parsed.same_site == Some(SameSite::Lax)
    }

    /// Returns whether `SameSite=Strict` is set.
    pub fn same_site_strict(&self) -> bool {
        self.parsed.same_site == Some(SameSite::Strict)
    }

    /// Returns the `Path` attribute, if present and absolute.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Returns the `Domain` attribute, if present, without a leading dot and with the case
    /// unchanged.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Returns the `Max-Age` attribute, if present and a number: zero for a negative one, and never
    /// more than `u64::MAX` seconds.
    pub fn max_age(&self) -> Option<Duration> {
        self.parsed.max_age
    }

    /// Returns the `Expires` attribute, if present and a valid date (§5.1.1).
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
    fn cookie_shows_the_attributes_as_sent() {
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
    fn invalid_utf8_is_shown_as_replacement_characters() {
        let header = HeaderValue::from_bytes(b"a\xFF=\xC3\xA9\xFE").unwrap();
        let cookie = Cookie::parse(&header).unwrap();
        assert_eq!((cookie.name(), cookie.value()), ("a\u{FFFD}", "é\u{FFFD}"));
    }

    #[test]
    fn debug_omits_the_value() {
        let header = HeaderValue::from_static("name=secret");
        let shown = format!("{:?}", Cookie::parse(&header));
        assert!(shown.contains("name") && !shown.contains("secret"), "{shown}");
    }
}
