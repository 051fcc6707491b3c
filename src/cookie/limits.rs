//! Limits of the cookie store.

/// How large cookies may be, and how many there may be of them: by default what RFC 6265bis says.
///
/// ```
/// use leanhttp::cookie::{Jar, Limits};
///
/// let mut limits = Limits::default();
/// limits.per_domain = 180; // as many as a browser keeps
/// let jar = Jar::new().with_limits(limits);
/// assert!(jar.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a cookie's name and value together; a longer one is refused (§5.6 step 5).
    ///
    /// 4096.
    pub cookie_bytes: usize,

    /// Bytes of an attribute's value; a longer one is ignored (§5.6, attribute step 6).
    ///
    /// 1024.
    pub attribute_bytes: usize,

    /// `Set-Cookie` fields of one response that are heeded, so that one answer cannot turn over the
    /// whole jar.
    ///
    /// 50, as in curl.
    pub per_response: usize,

    /// Cookies of one domain; the one used longest ago goes, one that is not secure before others.
    ///
    /// 50, the least that §6.1 asks for.
    pub per_domain: usize,

    /// Cookies in all; the one used longest ago goes.
    ///
    /// 3000, the least that §6.1 asks for.
    pub in_all: usize,

    /// Bytes of the `Cookie` field's value: cookies beyond it stay at home.
    ///
    /// With its name that is 8190, beyond which servers commonly refuse a line: the default of
    /// Apache's `LimitRequestFieldSize`, and curl's limit.
    pub header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cookie_bytes: 4096,
            attribute_bytes: 1024,
            per_response: 50,
            per_domain: 50,
            in_all: 3000,
            header_bytes: 8190 - "cookie: ".len(),
        }
    }
}
