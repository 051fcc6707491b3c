//! The reasons for not storing a cookie.

/// The reason why a `Set-Cookie` was not stored. It is not visible to the server; tests and logs
/// use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieRefusal {
    /// A control character other than TAB (RFC 6265bis §5.6 step 1).
    ControlOctet,
    /// Neither name nor value (§5.7 step 2).
    Empty,
    /// Name and value together over [the limit](super::limits::Limits::max_cookie_bytes) (§5.6 step 5).
    PairTooLong,
    /// The request's host or directory is longer than a cookie may carry.
    SiteTooLong,
    /// `Domain` does not domain-match the request's host (§5.7 step 10).
    ForeignDomain,
    /// `Domain` is a public suffix (§5.7 step 9).
    PublicSuffix,
    /// `Secure` from a plain `http` response (§5.7 step 13).
    SecureOverPlain,
    /// `__Secure-` or `__Host-` without meeting the prefix's requirements (§5.7 steps 20 to 22).
    Prefix,
    /// It would overlay a `Secure` cookie, but was received over plain `http` (§5.7 step 16).
    OverlaysSecure,
    /// A saved cookie that no `Set-Cookie` could have set, as with a `;` in its value.
    NotAsWritten,
    /// A saved cookie that has expired.
    Expired,
}
