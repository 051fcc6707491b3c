//! The async front: the tests of the blocking one, from the same source, and what only this one can
//! get wrong.
//!
//! For the modules below, `leanhttp` is this crate: the real one, but with a `blocking` that is the
//! async front, driven to its end by each call.
#![cfg(all(
    feature = "tokio",
    feature = "blocking",
    feature = "tls",
    feature = "gzip",
    feature = "cookies",
    feature = "multipart"
))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]
#![allow(
    clippy::duplicate_mod,
    clippy::module_inception,
    reason = "each of these files is a crate of its own elsewhere"
)]

extern crate leanhttp as real;
extern crate self as leanhttp;

#[path = "tokio/blocking.rs"]
pub mod blocking;
#[path = "tokio/drop_in.rs"]
mod drop_in;
#[cfg(feature = "download")]
#[path = "tokio/dropped_downloads.rs"]
mod dropped_downloads;
#[path = "tokio/front.rs"]
pub mod front;
#[path = "tokio/futures.rs"]
mod futures;
#[path = "tokio/http_types.rs"]
mod http_types;
#[path = "tokio/pending_uploads.rs"]
mod pending_uploads;
#[path = "tokio/reaper.rs"]
mod reaper;
#[path = "tokio/runtimes.rs"]
mod runtimes;
#[path = "tokio/sent_on.rs"]
mod sent_on;
#[cfg(all(feature = "sse", feature = "stream"))]
#[path = "tokio/streams.rs"]
mod streams;
mod support;
#[path = "tokio/time.rs"]
mod time;
#[path = "tokio/uploads.rs"]
mod uploads;
#[path = "tokio/wakers.rs"]
mod wakers;

pub use self::blocking::{Body, Client, ClientBuilder, Request, RequestBuilder, Response, get};
pub use real::*;

/// As the real module, with the forms of the front.
pub mod multipart {
    pub use crate::blocking::multipart::{Form, Part};
}

/// Each of these files is a crate of its own elsewhere.
#[path = "."]
mod both {
    #[path = "bad_input.rs"]
    mod bad_input;
    #[path = "bad_responses.rs"]
    mod bad_responses;
    #[path = "base_url.rs"]
    mod base_url;
    #[path = "callbacks.rs"]
    mod callbacks;
    #[path = "cancel.rs"]
    mod cancel;
    #[cfg(all(feature = "brotli", feature = "zstd"))]
    #[path = "codings.rs"]
    mod codings;
    #[path = "credentials.rs"]
    mod credentials;
    #[path = "deadlines.rs"]
    mod deadlines;
    #[path = "dialling.rs"]
    mod dialling;
    #[cfg(feature = "digest")]
    #[path = "digest.rs"]
    mod digest;
    #[cfg(feature = "download")]
    #[path = "downloads.rs"]
    mod downloads;
    #[cfg(feature = "ring")]
    #[path = "drop_in.rs"]
    mod drop_in;
    #[path = "duplex.rs"]
    mod duplex;
    #[path = "dying_connections.rs"]
    mod dying_connections;
    #[path = "ends.rs"]
    mod ends;
    #[path = "errors.rs"]
    mod errors;
    #[path = "expect.rs"]
    mod expect;
    #[cfg(feature = "export")]
    #[path = "explain.rs"]
    mod explain;
    #[path = "framing.rs"]
    mod framing;
    #[cfg(feature = "har")]
    #[path = "har.rs"]
    mod har;
    #[path = "hostile_connections.rs"]
    mod hostile_connections;
    #[path = "hostile_cookies.rs"]
    mod hostile_cookies;
    #[path = "hostile_credentials.rs"]
    mod hostile_credentials;
    #[path = "hostile_framing.rs"]
    mod hostile_framing;
    #[path = "hostile_input.rs"]
    mod hostile_input;
    #[path = "hostile_redirects.rs"]
    mod hostile_redirects;
    #[path = "hostile_size.rs"]
    mod hostile_size;
    #[path = "hostile_time.rs"]
    mod hostile_time;
    #[path = "hostile_tls.rs"]
    mod hostile_tls;
    #[path = "informational.rs"]
    mod informational;
    #[path = "keep_alive.rs"]
    mod keep_alive;
    #[path = "limits.rs"]
    mod limits;
    #[cfg(feature = "middleware")]
    #[path = "middleware.rs"]
    mod middleware;
    #[path = "netrc.rs"]
    mod netrc;
    #[cfg(unix)]
    #[path = "odd_certificates.rs"]
    mod odd_certificates;
    #[path = "pool.rs"]
    mod pool;
    #[path = "pool_limits.rs"]
    mod pool_limits;
    #[path = "proxy.rs"]
    mod proxy;
    #[path = "recipe.rs"]
    mod recipe;
    #[path = "redirects.rs"]
    mod redirects;
    #[path = "request_fields.rs"]
    mod request_fields;
    #[path = "retries.rs"]
    mod retries;
    #[path = "socks.rs"]
    mod socks;
    #[path = "stale.rs"]
    mod stale;
    #[cfg(all(feature = "sse", feature = "json"))]
    #[path = "streams.rs"]
    mod streams;
    #[cfg(all(feature = "testing", feature = "middleware", feature = "json"))]
    #[path = "testing.rs"]
    mod testing;
    #[path = "timings.rs"]
    mod timings;
    #[path = "tls.rs"]
    mod tls;
    #[path = "upgrade.rs"]
    mod upgrade;
    #[path = "upload_progress.rs"]
    mod upload_progress;
    #[path = "wire.rs"]
    mod wire;
}
