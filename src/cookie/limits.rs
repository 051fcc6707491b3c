//! Limits of the cookie store.

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
