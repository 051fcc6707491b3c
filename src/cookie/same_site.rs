//! When a cookie is sent to another site, as browsers see it.

/// What a server wants browsers to do with a cookie when another site causes the request
/// (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SameSite {
    /// Not to send it.
    Strict,
    /// To send it only when the user follows a link.
    Lax,
    /// To send it.
    None,
}
