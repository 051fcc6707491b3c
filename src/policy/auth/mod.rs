//! Authentication: Basic credentials and the rules for fields that count as
//! [credentials](credentials), the answers to Digest challenges (`digest`), and the passwords of a
//! [`netrc`] file. Read `credentials` first.

pub(crate) mod credentials;
#[cfg(feature = "digest")]
pub(crate) mod digest;
pub(crate) mod netrc;
