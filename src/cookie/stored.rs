//! A stored cookie, and the rules by which a `Set-Cookie` becomes one: the steps of RFC 6265bis
//! §5.7 that depend only on the cookie and the site that set it.

use std::fmt;
use std::ops::Deref;
use std::time::{Duration, SystemTime};

use super::set_cookie::{CookieRefusal, SetCookie};
use super::site::{Site, is_public_suffix};
use super::{Limits, SameSite};

/// A cookie that a [`Jar`](super::Jar) holds, as [`Jar::to_vec`](super::Jar::to_vec) returns it.
///
/// Servers may send any bytes; invalid UTF-8 is shown as `U+FFFD` here, and is sent back to the
/// server unchanged. `Debug` omits the value, since it is often a credential.
///
/// ```
/// use leanhttp::cookie::Jar;
/// use leanhttp::url::Url;
///
/// let jar = Jar::default();
/// let url = Url::parse("https://www.example.com/shop/cart")?;
/// jar.add_cookie_str("session=31d4; Domain=example.com; Secure", &url);
///
/// let cookies = jar.to_vec();
/// assert_eq!(cookies[0].name(), "session");
/// assert_eq!(cookies[0].domain(), "example.com");
/// assert_eq!(cookies[0].path(), "/shop");
/// assert!(cookies[0].secure() && !cookies[0].host_only());
/// assert!(!format!("{cookies:?}").contains("31d4"));
/// # Ok::<(), leanhttp::url::ParseError>(())
/// ```
#[derive(Clone)]
pub struct StoredCookie {
    pub(super) name: Octets,
    pub(super) value: Octets,
    pub(super) domain: String,
    pub(super) path: Octets,
    pub(super) expires: Option<SystemTime>,
    /// The RFC's host-only-flag.
    pub(super) host_only: bool,
    pub(super) secure: bool,
    http_only: bool,
    same_site: Option<SameSite>,
    /// Ticks of the store's own counter, which is strictly increasing, unlike the wall clock.
    pub(super) created: u64,
    pub(super) accessed: u64,
}

/// Bytes of a server, which are text nearly always. Others are kept beside the text that shows them, with
/// U+FFFD for invalid UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Octets {
    Text(Box<str>),
    Other { bytes: Box<[u8]>, shown: Box<str> },
}

impl Octets {
    fn as_str(&self) -> &str {
        let (Self::Text(text) | Self::Other { shown: text, .. }) = self;
        text
    }
}

impl Deref for Octets {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Other { bytes, .. } => bytes,
        }
    }
}

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.into()),
            Err(_) => {
                Self::Other { bytes: bytes.into(), shown: String::from_utf8_lossy(bytes).into() }
            }
        }
    }
}

impl StoredCookie {
    /// Returns the name; empty for a cookie that has none.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Returns the value, with its quotes if it has any.
    pub fn value(&self) -> &str {
        self.value.as_str()
    }

    /// Returns the host that set the cookie, or the domain it is for: see
    /// [`host_only`](Self::host_only). Lower-case, without the dot that `Domain` may begin with.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns whether the cookie is sent only to exactly [`domain`](Self::domain) and not to its
    /// subdomains, which is so if the server gave no `Domain`.
    pub fn host_only(&self) -> bool {
        self.host_only
    }

    /// Returns the path; the cookie is sent with requests to it and below it.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Returns whether the cookie is sent only over `https`.
    pub fn secure(&self) -> bool {
        self.secure
    }

    /// Returns whether `HttpOnly` is set, which hides the cookie from scripts; it has no effect in
    /// this library.
    pub fn http_only(&self) -> bool {
        self.http_only
    }

    /// Returns the `SameSite` attribute, if the server set it; [not
    /// enforced](super#not-enforced).
    pub fn same_site(&self) -> Option<SameSite> {
        self.same_site
    }

    /// Returns the expiry time; `None` for a cookie that lives as long as the jar. Never more than
    /// 400 days after it was set (RFC 6265bis §5.5).
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// Returns the cookie that `set_cookie` from `site` creates, unless a rule forbids it.
    pub(super) fn admit(
        set_cookie: &SetCookie<'_>,
        site: Site<'_>,
        limits: &Limits,
        now: SystemTime,
    ) -> Result<Self, CookieRefusal> {
        let (domain, host_only) = domain_and_host_only(set_cookie.domain, site)?;
        let path = set_cookie.path.unwrap_or(site.default_path().as_bytes());
        if domain.len() > MAX_DOMAIN || path.len() > limits.max_attribute_bytes {
            return Err(CookieRefusal::SiteTooLong);
        }
        if set_cookie.secure && !site.is_secure {
            return Err(CookieRefusal::SecureOverPlain);
        }
        if !keeps_prefix_promise(set_cookie, host_only) {
            return Err(CookieRefusal::Prefix);
        }
        Ok(Self {
            name: set_cookie.name.into(),
            value: set_cookie.value.into(),
            domain,
            path: path.into(),
            expires: expiry(set_cookie, now),
            host_only,
            secure: set_cookie.secure,
            http_only: set_cookie.http_only,
            same_site: set_cookie.same_site,
            created: 0,
            accessed: 0,
        })
    }

    /// Returns whether the cookie is sent with a request to `site` (§5.8.3 step 1).
    pub(super) fn matches(&self, site: Site<'_>) -> bool {
        let is_for_host = if self.host_only {
            site.host == self.domain
        } else {
            site.domain_matches(&self.domain)
        };
        is_for_host && site.path_matches(&self.path) && (site.is_secure || !self.secure)
    }

    /// Returns whether `new` replaces this cookie (§5.7 step 23).
    pub(super) fn is_replaced_by(&self, new: &Self) -> bool {
        self.name == new.name
            && self.domain == new.domain
            && self.host_only == new.host_only
            && self.path == new.path
    }

    /// Returns whether the limits on sizes would have let the cookie in.
    pub(super) fn fits(&self, limits: &Limits) -> bool {
        self.name.len() + self.value.len() <= limits.max_cookie_bytes
            && self.path.len() <= limits.max_attribute_bytes
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Appends `name=value`, or the bare value of a cookie without a name (§5.8.3 step 4).
    pub(super) fn write_pair(&self, out: &mut Vec<u8>) {
        if !self.name.is_empty() {
            out.extend_from_slice(&self.name);
            out.push(b'=');
        }
        out.extend_from_slice(&self.value);
    }
}

impl fmt::Debug for StoredCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCookie")
            .field("name", &self.name())
            .field("domain", &self.domain)
            .field("host_only", &self.host_only())
            .field("path", &self.path())
            .field("expires", &self.expires)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .finish_non_exhaustive()
    }
}

/// §5.7 steps 7 to 10: returns the domain and the host-only-flag.
fn domain_and_host_only(
    domain: Option<&[u8]>,
    site: Site<'_>,
) -> Result<(String, bool), CookieRefusal> {
    let host_only = (site.host.to_owned(), true);
    let Some(domain) = domain else { return Ok(host_only) };
    // A non-ASCII domain matches no host, so it needs no rule of its own.
    let domain = std::str::from_utf8(domain).map_err(|_| CookieRefusal::ForeignDomain)?;
    let domain = domain.to_ascii_lowercase();
    if is_public_suffix(&domain) {
        return if domain == site.host { Ok(host_only) } else { Err(CookieRefusal::PublicSuffix) };
    }
    if !site.domain_matches(&domain) {
        return Err(CookieRefusal::ForeignDomain);
    }
    Ok((domain, false))
}

/// §5.7 steps 20 to 22. A cookie without a name whose value begins with a prefix is refused too,
/// because the server would mistake the value for a name.
fn keeps_prefix_promise(cookie: &SetCookie<'_>, host_only: bool) -> bool {
    if cookie.name.is_empty() {
        return !has_prefix(cookie.value, SECURE_PREFIX) && !has_prefix(cookie.value, HOST_PREFIX);
    }
    if has_prefix(cookie.name, HOST_PREFIX) {
        return cookie.secure && host_only && cookie.path == Some(b"/");
    }
    cookie.secure || !has_prefix(cookie.name, SECURE_PREFIX)
}

fn has_prefix(bytes: &[u8], prefix: &str) -> bool {
    bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// §5.7 step 6: `Max-Age` takes precedence over `Expires`, and both are limited to the longest
/// lifetime. An instant that the platform's clock cannot represent counts as never.
fn expiry(cookie: &SetCookie<'_>, now: SystemTime) -> Option<SystemTime> {
    let asked = match cookie.max_age {
        Some(max_age) => now.checked_add(max_age.min(MAX_LIFE)),
        None => cookie.expires,
    };
    match now.checked_add(MAX_LIFE) {
        Some(latest) => asked.map(|expires| expires.min(latest)),
        None => asked,
    }
}

const SECURE_PREFIX: &str = "__Secure-";
const HOST_PREFIX: &str = "__Host-";

/// The limit that RFC 6265bis §5.5 recommends: 400 days.
const MAX_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// A name has at most 253 bytes in the DNS (RFC 1035 §2.3.4), 254 with a trailing dot.
const MAX_DOMAIN: usize = 255;

#[cfg(test)]
mod tests;
