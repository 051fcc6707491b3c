//! The guide. Each page begins with an example.
//!
//! **Begin:** [quick start](quick_start), [cookbook], [async or blocking](async_or_blocking).
//!
//! **When it is slow or fails:** [timeouts], [retries], [errors], [limits].
//!
//! **What a client does by itself:** [connection pool](connection_pool), [redirects], [cookies], [proxies],
//! [TLS and trust](tls), [security], [leniency] towards malformed responses.
//!
//! **Bodies:** lines and server-sent events ([streams]), files that are downloaded to the end
//! ([downloads](downloads/index.html)), forms with files ([multipart](crate::multipart)).
//!
//! **Around a call:** [logging], your own code ([middleware](middleware/index.html)), tests without a server
//! ([testing](testing/index.html)), [replayed](cassettes/index.html) answers, curl commands and HAR files
//! ([export](export/index.html)), an async [runtime](crate::runtime) of your own.
//!
//! **Coming from another client:** [reqwest](coming_from_reqwest) with [all its names](compatibility),
//! [ureq](coming_from_ureq), [requests for Python](coming_from_requests), [curl](coming_from_curl).
//!
//! **About the crate:** [features], [performance], [design].

#[doc = include_str!("quick_start.md")]
pub mod quick_start {}

#[doc = include_str!("cookbook.md")]
pub mod cookbook {}

#[doc = include_str!("async_or_blocking.md")]
pub mod async_or_blocking {}

#[doc = include_str!("timeouts.md")]
pub mod timeouts {}

#[doc = include_str!("retries.md")]
pub mod retries {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("limits.md")]
pub mod limits {}

#[doc = include_str!("connection_pool.md")]
pub mod connection_pool {}

#[doc = include_str!("redirects.md")]
pub mod redirects {}

#[doc = include_str!("cookies.md")]
pub mod cookies {}

#[doc = include_str!("proxies.md")]
pub mod proxies {}

#[doc = include_str!("tls.md")]
pub mod tls {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("leniency.md")]
pub mod leniency {}

#[doc = include_str!("streams.md")]
pub mod streams {}

#[cfg(all(feature = "blocking", feature = "download"))]
#[cfg_attr(docsrs, doc(cfg(feature = "download")))]
#[doc = include_str!("downloads.md")]
pub mod downloads {}

#[doc = include_str!("logging.md")]
pub mod logging {}

#[cfg(all(feature = "middleware", feature = "blocking"))]
#[cfg_attr(docsrs, doc(cfg(feature = "middleware")))]
#[doc = include_str!("middleware.md")]
pub mod middleware {}

#[cfg(all(
    feature = "testing",
    feature = "blocking",
    feature = "middleware",
    feature = "tokio",
    feature = "cookies"
))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
#[doc = include_str!("testing.md")]
pub mod testing {}

#[cfg(all(feature = "har", feature = "blocking"))]
#[cfg_attr(docsrs, doc(cfg(feature = "export")))]
#[doc = include_str!("export.md")]
pub mod export {}

#[cfg(all(feature = "har", feature = "blocking"))]
#[cfg_attr(docsrs, doc(cfg(feature = "har")))]
#[doc = include_str!("cassettes.md")]
pub mod cassettes {}

#[doc = include_str!("coming_from_reqwest.md")]
pub mod coming_from_reqwest {}

#[doc = include_str!("compatibility.md")]
pub mod compatibility {}

#[doc = include_str!("coming_from_ureq.md")]
pub mod coming_from_ureq {}

#[doc = include_str!("coming_from_requests.md")]
pub mod coming_from_requests {}

#[doc = include_str!("coming_from_curl.md")]
pub mod coming_from_curl {}

#[doc = include_str!("features.md")]
pub mod features {}

#[doc = include_str!("performance.md")]
pub mod performance {}

#[doc = include_str!("design.md")]
pub mod design {}
