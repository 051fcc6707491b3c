//! The `SameSite` attribute.

/// The server's instruction to browsers about sending a cookie with requests caused by another site
/// (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// Never send it.
    Strict,
    /// Send it only with top-level navigation, such as following a link.
    Lax,
    /// Always send it.
    None,
}
