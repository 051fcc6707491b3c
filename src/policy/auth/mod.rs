//! TODO policy/auth

pub(crate) mod credentials;
#[cfg(feature = "digest")]
pub(crate) mod digest;
pub(crate) mod netrc;
