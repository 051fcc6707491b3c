//! Who the client says it is: Basic credentials and which fields count as [credentials](credentials), the
//! answers to Digest challenges, and the passwords of a [`netrc`] file.

pub(crate) mod credentials;
#[cfg(feature = "digest")]
pub(crate) mod digest;
pub(crate) mod netrc;
