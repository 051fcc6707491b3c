//! The interface of cookie stores, which is available without the jar.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::url::Url;

/// A store that supplies the `Cookie` field of requests and receives the `Set-Cookie` fields of
/// responses.
///
/// `Jar` is the built-in implementation; implement this trait to store cookies elsewhere, or to
/// decide yourself which are kept.
///
/// ```
/// use http::HeaderValue;
/// use leanhttp::cookie::CookieStore;
/// use leanhttp::url::Url;
///
/// /// Sends the same cookie everywhere on one host, and keeps none.
/// struct Fixed(HeaderValue);
///
/// impl CookieStore for Fixed {
///     fn set_cookies(&self, _: &mut dyn Iterator<Item = &HeaderValue>, _: &Url) {}
///
///     fn cookies(&self, url: &Url) -> Option<HeaderValue> {
///         (url.host_str() == Some("example.com")).then(|| self.0.clone())
///     }
/// }
/// ```
pub trait CookieStore: Send + Sync {
    /// Receives the values of the `Set-Cookie` fields of a response from `url`.
    fn set_cookies(&self, cookie_headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url);

    /// Returns the value of the `Cookie` field for a request to `url`; with `None` no such field is
    /// sent. Mark it [sensitive](HeaderValue::set_sensitive) to keep it out of logs, as `Jar` does.
    fn cookies(&self, url: &Url) -> Option<HeaderValue>;
}

/// The cookie store of a client.
#[derive(Clone)]
pub(crate) struct Cookies(pub(crate) Arc<dyn CookieStore>);

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieStore")
    }
}
