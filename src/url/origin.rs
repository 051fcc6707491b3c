//! [`Origin`]: scheme, host and port of a URL, or a value that is equal to no other (WHATWG URL §4.7).

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Special;
use super::{Host, Url, parse};

/// The origin of a URL (WHATWG URL §4.7). URLs with equal origins may share credentials.
///
/// ```
/// use leanhttp::url::{Host, Origin, Url};
///
/// let origin = Url::parse("https://user@h:443/path")?.origin();
/// assert_eq!(origin, Origin::Tuple("https".into(), Host::Domain("h".into()), 443));
///
/// let url = Url::parse("file:///etc/hosts")?;
/// assert!(!url.origin().is_tuple());
/// assert_ne!(url.origin(), url.origin());
/// # Ok::<(), leanhttp::url::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The origin of a URL with another scheme than `http`, `https`, `ws`, `wss` and `ftp`. It is equal to itself
    /// and its clones only.
    Opaque(OpaqueOrigin),
    /// Scheme, host and port, which may be the scheme's default.
    Tuple(String, Host, u16),
}

/// A value that is equal to itself and its clones only: see [`Origin::Opaque`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueOrigin(usize);

impl Origin {
    /// Returns the origin of `url`; that of a `blob` URL is that of the `http` or `https` URL in its path.
    pub(super) fn of(url: &Url) -> Self {
        if url.scheme() == "blob" {
            let inner = Url::parse(url.path()).ok().filter(|url| url.http_scheme().is_ok());
            return inner.map_or_else(Self::new_opaque, |url| Self::of(&url));
        }
        let port = url.port_or_known_default().filter(|_| url.is_special());
        match url.host().zip(port) {
            Some((host, port)) => Self::Tuple(url.scheme().to_owned(), host.to_owned(), port),
            None => Self::new_opaque(),
        }
    }

    /// Returns a new opaque origin.
    pub fn new_opaque() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self::Opaque(OpaqueOrigin(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Returns whether this is scheme, host and port, and not opaque.
    pub fn is_tuple(&self) -> bool {
        matches!(self, Self::Tuple(..))
    }

    /// Returns `scheme://host`, and `:port` unless it is the default: the value of an `Origin` field. That of an
    /// opaque origin is `null`.
    ///
    /// ```
    /// let url = leanhttp::url::Url::parse("http://u:p@[::1]:81/a?b")?;
    /// assert_eq!(url.origin().ascii_serialization(), "http://[::1]:81");
    /// # Ok::<(), leanhttp::url::ParseError>(())
    /// ```
    pub fn ascii_serialization(&self) -> String {
        let Self::Tuple(scheme, host, port) = self else { return "null".to_owned() };
        let mut serialization = format!("{scheme}://{host}");
        let default = Special::from_name(scheme).and_then(Special::default_port);
        parse::push_port(&mut serialization, *port, default);
        serialization
    }
}
