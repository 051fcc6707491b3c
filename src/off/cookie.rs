//! Cookies: without the feature `cookies` there is no jar for them.

#[path = "../cookie/provider.rs"]
mod provider;

pub use self::provider::CookieStore;
pub(crate) use self::provider::Cookies;
