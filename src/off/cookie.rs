//! Cookies in a build without the feature `cookies`: there is no jar.

#[path = "../cookie/provider.rs"]
mod provider;

pub use self::provider::CookieStore;
pub(crate) use self::provider::Cookies;
