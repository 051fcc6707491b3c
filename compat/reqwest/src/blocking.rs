//! The blocking client, with the defaults of blocking reqwest.
//!
//! ```no_run
//! let text = reqwest::blocking::get("https://example.org/")?.error_for_status()?.text()?;
//! # Ok::<(), reqwest::Error>(())
//! ```

// All of leanhttp's blocking front. What stands in this file takes the place of the items of the same name.
#[doc(no_inline)]
pub use leanhttp::blocking::*;

use std::time::Duration;

use leanhttp::client;

/// Sends requests, with the defaults of blocking reqwest.
pub type Client = client::Client<Blocking, ReqwestDefaults>;
/// Sets up a [`Client`].
pub type ClientBuilder = client::ClientBuilder<Blocking, ReqwestDefaults>;
/// Builds a request step by step.
pub type RequestBuilder = client::request::RequestBuilder<Blocking, ReqwestDefaults>;

/// Sends one GET request with a client of its own.
///
/// # Errors
///
/// As for `RequestBuilder::send`.
pub fn get<T: leanhttp::IntoUrl>(url: T) -> leanhttp::Result<Response> {
    Client::new().get(url).send()
}

/// The defaults of blocking reqwest: one limit for each wait, which is 30 s unless `timeout` sets another.
#[derive(Debug, Clone, Copy)]
pub enum ReqwestDefaults {}

const EACH: Option<Duration> = Some(Duration::from_secs(30));

impl client::Defaults for ReqwestDefaults {
    const CONNECT_TIMEOUT: Option<Duration> = EACH;
    const READ_TIMEOUT: Option<Duration> = EACH;
    const WRITE_TIMEOUT: Option<Duration> = EACH;
    const TIMEOUT_REPLACES_DEFAULTS: bool = true;
}
