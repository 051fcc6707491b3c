//! The interface of cookie stores, which needs no jar.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use crate::url::Url;

/// Where a client takes the `Cookie` of its requests from, and puts the `Set-Cookie` of responses.
///
/// `Jar` is the one at hand; implement the trait to keep cookies elsewhere, or to decide for
/// yourself which are kept.
///
/// ```
/// use http::HeaderValue;
/// use leanhttp::{cookie::CookieStore, url::Url};
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
    /// Takes the values of the `Set-Cookie` fields of a response to `url`.
    fn set_cookies(&self, cookie_headers: &mut dyn Iterator<Item = &HeaderValue>, url: &Url);

    /// The value of the `Cookie` field for a request to `url`; `None` sends no such field. Mark it
    /// [sensitive](HeaderValue::set_sensitive) to keep it out of logs, as `Jar` does.
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
