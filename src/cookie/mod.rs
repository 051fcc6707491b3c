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

// For maintainers.
//
//   Set-Cookie ──▶ SetCookie ──▶ StoredCookie ──▶ Store ──▶ Cookie: a=1; b=2
//                  set_cookie       stored          store
//                      ▲              ▲ ▲             ▲
//   a line of a file ──┴─▶ Record ────┘ └── Site      Jar: the lock, the clock, the files
//                          saved            site      jar
//
// Read `set_cookie` first: it parses the field and knows nothing of who sent it. `site` is what cookies need to
// know of a URL: host, path, whether the connection is secure, and whether a domain is a public suffix. `stored`
// puts the two together: `StoredCookie::admit` has the rules of §5.7 that need no other cookie. `store` has those
// that do: replacing, the protection of `Secure` cookies, eviction, the order of the `Cookie` field. It is a value
// without I/O, and the time is an argument. `jar` is the public type around it. `saved` reads and writes lines;
// what it reads goes through `admit` again. `provider` is the trait that clients use, and all that is left without
// the feature `cookies`.
//
// The invariants, and the test that guards each:
//
// - No expired cookie is seen or sent, no domain is empty, no limit is exceeded; the fields sent are those of a
//   simple list that follows the RFC step by step: `store/tests/model.rs` runs both with random steps.
// - Any bytes may come in: property tests in `set_cookie/tests`, and `tests/hostile_cookies.rs`.
// - A file adds no cookie that a server could not have set, and what was saved is loaded again: `saved/tests.rs`.
// - No code of the caller runs under the lock: `clock_and_headers_may_use_the_jar` in `jar/tests`.
mod jar;
mod provider;
mod saved;
mod set_cookie;
mod site;
mod store;
mod stored;

pub use jar::Jar;
pub use provider::CookieStore;
pub(crate) use provider::Cookies;
pub use saved::{LoadReport, SessionCookies};
pub use set_cookie::{Cookie, SameSite};
pub use stored::StoredCookie;

/// The limits on the size and the number of cookies: by default those of RFC 6265bis.
///
/// ```
/// use leanhttp::cookie::{Jar, Limits};
///
/// let mut limits = Limits::default();
/// limits.max_per_domain = 180; // as many as browsers keep
/// let jar = Jar::new().with_limits(limits);
/// assert!(jar.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a cookie's name and value together; a longer cookie is refused (§5.6 step
    /// 5).
    ///
    /// Default: 4096.
    pub max_cookie_bytes: usize,

    /// The most bytes of an attribute's value; a longer attribute is ignored (§5.6, attribute step
    /// 6).
    ///
    /// Default: 1024.
    pub max_attribute_bytes: usize,

    /// The most `Set-Cookie` fields of one response that are used, so that one response cannot
    /// replace the whole jar. Further fields are ignored.
    ///
    /// Default: 50, as in curl.
    pub max_per_response: usize,

    /// The most cookies of one domain. Beyond it the least recently used cookie is evicted, one
    /// without `Secure` before others.
    ///
    /// Default: 50, the minimum that §6.1 requires.
    pub max_per_domain: usize,

    /// The most cookies in total. Beyond it the least recently used cookie is evicted.
    ///
    /// Default: 3000, the minimum that §6.1 requires.
    pub max_total: usize,

    /// The most bytes of the `Cookie` field's value; further cookies are not sent.
    ///
    /// Default: 8182. With the field name that makes 8190 bytes, beyond which servers commonly
    /// refuse a line: the default of Apache's `LimitRequestFieldSize`, and curl's limit.
    pub max_header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_cookie_bytes: 4096,
            max_attribute_bytes: 1024,
            max_per_response: 50,
            max_per_domain: 50,
            max_total: 3000,
            max_header_bytes: 8190 - "cookie: ".len(),
        }
    }
}
