//! Pages of the guide that stand alone:
//!
//! - [`coming_from_reqwest`], [`coming_from_ureq`], [`coming_from_requests`], [`coming_from_curl`]: for those who know
//!   another client, its names and what behaves differently,
//! - [`timeouts`], [`connection_pool`], [`retries`], [`redirects`], [`tls`], [`proxies`], [`cookies`]: the settings of
//!   each subject, their defaults, rules and common questions,
//! - [`errors`]: what the common errors mean, and what to do,
//! - [`security`]: URLs and responses that you do not trust,
//! - [`streams`]: lines and server-sent events,
//! - `downloads`: files that are downloaded to the end,
//! - `middleware`: code of your own around each call,
//! - `testing`: tests without a server,
//! - [`runtime`](crate::runtime): a client on an async runtime of your own,
//! - `export`: requests as commands of curl, traces as HAR files, what would happen,
//! - `cassettes`: tests that replay a HAR file,
//! - [`compatibility`]: the names of reqwest, and what each does here,
//! - [`leniency`]: what is accepted of a response, compared with other clients,
//! - [`design`]: why the client is made as it is.

#[doc = include_str!("coming_from_reqwest.md")]
pub mod coming_from_reqwest {}

#[doc = include_str!("coming_from_ureq.md")]
pub mod coming_from_ureq {}

#[doc = include_str!("coming_from_requests.md")]
pub mod coming_from_requests {}

#[doc = include_str!("coming_from_curl.md")]
pub mod coming_from_curl {}

#[doc = include_str!("timeouts.md")]
pub mod timeouts {}

#[doc = include_str!("connection_pool.md")]
pub mod connection_pool {}

#[doc = include_str!("retries.md")]
pub mod retries {}

#[doc = include_str!("redirects.md")]
pub mod redirects {}

#[doc = include_str!("tls.md")]
pub mod tls {}

#[doc = include_str!("proxies.md")]
pub mod proxies {}

#[doc = include_str!("cookies.md")]
pub mod cookies {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("streams.md")]
pub mod streams {}

#[cfg(all(feature = "blocking", feature = "download"))]
#[doc = include_str!("downloads.md")]
pub mod downloads {}

#[cfg(all(feature = "middleware", feature = "blocking"))]
#[doc = include_str!("middleware.md")]
pub mod middleware {}

#[cfg(all(
    feature = "testing",
    feature = "blocking",
    feature = "middleware",
    feature = "tokio",
    feature = "cookies"
))]
#[doc = include_str!("testing.md")]
pub mod testing {}

#[cfg(all(feature = "har", feature = "blocking"))]
#[doc = include_str!("export.md")]
pub mod export {}

#[cfg(all(feature = "har", feature = "blocking"))]
#[doc = include_str!("cassettes.md")]
pub mod cassettes {}

#[doc = include_str!("compatibility.md")]
pub mod compatibility {}

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("design.md")]
pub mod design {}
