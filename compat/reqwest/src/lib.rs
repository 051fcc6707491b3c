//! [leanhttp] under the names of reqwest: the async client at the root, the blocking one in
//! `blocking`, every feature name of reqwest 0.12 and 0.13, and reqwest's defaults where a program
//! that moves would notice others in production.
//!
//! ```no_run
//! # async fn example() -> Result<(), reqwest::Error> {
//! let client = reqwest::Client::builder().user_agent("weather-station/2.1").build()?;
//! let text = client.get("https://example.org/").send().await?.error_for_status()?.text().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The README of this package says what each feature switches on and what differs from reqwest. The
//! documentation of each item is that of leanhttp.
//!
//! [leanhttp]: https://docs.rs/leanhttp

// All of leanhttp's async front. What stands in this file takes the place of the items of the same name:
// those that begin with the defaults of leanhttp.
#[doc(no_inline)]
pub use leanhttp::tokio::*;

use std::time::Duration;

use leanhttp::client;

/// Sends requests, with the defaults of reqwest.
pub type Client = client::Client<Tokio, ReqwestDefaults>;
/// Sets up a [`Client`].
pub type ClientBuilder = client::ClientBuilder<Tokio, ReqwestDefaults>;
/// Builds a request step by step.
pub type RequestBuilder = client::request::RequestBuilder<Tokio, ReqwestDefaults>;

/// Sends one GET request with a client of its own.
///
/// # Errors
///
/// As for `RequestBuilder::send`.
pub async fn get<T: IntoUrl>(url: T) -> Result<Response> {
    let request = Client::new().get(url);
    request.send().await
}

/// The defaults of async reqwest: no limit on connecting, and none on silence.
#[derive(Debug, Clone, Copy)]
pub enum ReqwestDefaults {}

impl client::Defaults for ReqwestDefaults {
    const CONNECT_TIMEOUT: Option<Duration> = None;
    const READ_TIMEOUT: Option<Duration> = None;
    const WRITE_TIMEOUT: Option<Duration> = None;
}

#[cfg(feature = "blocking")]
pub mod blocking;
