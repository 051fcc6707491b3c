//! Cookies.

use http::HeaderValue;

use crate::url::Url;

/// Where a client keeps cookies.
pub trait CookieStore: Send + Sync {
    /// Takes the `Set-Cookie` values of a response from `url`.
    fn set_cookies(&self, cookie_headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url);
    /// The value of `Cookie` for a request to `url`.
    fn cookies(&self, url: &Url) -> Option<HeaderValue>;
}
