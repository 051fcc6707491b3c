//! An HTTP/1.1 client: blocking, and async for tokio, with a connection pool, deadlines, redirects, cookies, proxies,
//! retries and multipart forms. The names are those of reqwest.
//!
//! ```no_run
//! use leanhttp::Client;
//!
//! fn main() -> leanhttp::Result<()> {
//!     let client = Client::new();
//!     let response = client
//!         .get("https://httpbin.org/get")
//!         .query(&[("name1", "value1"), ("name2", "value2")])
//!         .send()?
//!         .error_for_status()?;
//!     println!("{}", response.text()?);
//!     Ok(())
//! }
//! ```
//!
//! With the feature `json` a body is a type of your own: `response.json::<T>()`. With the feature `tokio` the same client
//! exists for tasks, in `leanhttp::tokio`: `client.get(url).send().await?`.
//!
//! # Guide
//!
//! | page | what it answers |
//! | --- | --- |
//! | [Quick start](guide::quick_start) | how to begin, and what the main types are |
//! | [Cookbook](guide::cookbook) | a few lines for each everyday task |
//! | [Async or blocking](guide::async_or_blocking) | which client fits, and what differs |
//! | [Timeouts](guide::timeouts), [retries](guide::retries), [errors](guide::errors) | what happens when something is slow or fails |
//! | [Redirects](guide::redirects), [cookies](guide::cookies), [proxies](guide::proxies), [TLS](guide::tls), [connection pool](guide::connection_pool) | the settings of each, and the rules behind them |
//! | [Streams](guide::streams), [downloads](guide/downloads/index.html), [multipart](multipart/index.html) | large bodies and endless ones |
//! | [Middleware](guide/middleware/index.html), [testing](guide/testing/index.html), [export](guide/export/index.html) | code around calls, tests without a server, curl and HAR |
//! | [Security](guide::security), [limits](guide::limits), [leniency](guide::leniency) | what a hostile peer can do, every limit with its default, what is accepted of a response |
//! | [Features](guide::features), [performance](guide::performance), [design](guide::design), [runtimes](runtime) | what can be switched on, what a request costs, and why |
//! | Coming from [reqwest](guide::coming_from_reqwest), [ureq](guide::coming_from_ureq), [requests](guide::coming_from_requests), [curl](guide::coming_from_curl) | the names that you know; [`guide::compatibility`] lists those of reqwest |
//!
//! # Guarantees
//!
//! The tests and the fuzz targets look for exceptions to these; each exception is a bug.
//!
//! - A body that was cut short is an error, with any framing, over TLS too.
//! - After a failure, a request whose method is not idempotent is not sent again once any of it may
//!   have reached the server, unless a [`retry::Policy`] names the method.
//! - Credentials, client certificates, cookies, header values that are marked sensitive and fields
//!   whose names indicate a credential are not sent to another origin.
//! - Data for an origin is never sent to the proxy of a tunnel, and data for a proxy is never sent to
//!   an origin or to another proxy.
//! - Bytes that a server sends before the request are never taken for the response, as far as that can
//!   be known: HTTP/1.1 does not say which request a response belongs to. The client notices all bytes
//!   that have arrived by the time the first byte of a request is written, on a new connection and on
//!   one from the pool, and does not use the connection. Bytes that are still in transit then, even if
//!   the server sent them earlier, look like a response (RFC 9112 §9.2).
//! - `timeout` is a deadline from `send` to the last byte of the body; that of a client does not end a stream of
//!   events.
//! - Nothing that a server sends makes the client panic, loop without progress or grow beyond its
//!   limits.
//!
//! # Features
//!
//! `cargo add leanhttp --features json,tokio` adds features to the default ones; `--no-default-features` removes the
//! default ones. Without any feature there are 6 crates; the last column is the number of crates that a feature adds to
//! those above it. [`guide::features`] says which to choose.
//!
//! | feature | default | effect | crates |
//! | --- | --- | --- | --- |
//! | `blocking` | yes | the blocking client; without it and `tokio` there are only types and parsers | 2 |
//! | `tls` | yes | `https`, with rustls and the Mozilla root certificates | 8 |
//! | `ring` | yes | the cryptography of TLS, from ring; without it and `aws-lc-rs` the program supplies its own | 3 |
//! | `gzip` | yes | asks for gzip and decodes it | 2 |
//! | `cookies` | yes | a cookie store (RFC 6265bis) | 0 |
//! | `multipart` | yes | `multipart/form-data` bodies | 0 |
//! | `aws-lc-rs` | no | the cryptography of TLS, from AWS-LC, with post-quantum key exchange | 2 |
//! | `platform-verifier` | no | the operating system verifies certificates, by default and with `tls_platform_verifier` | 4 |
//! | `tokio` | no | the async client, `leanhttp::tokio`, with or without `blocking` | 3 |
//! | `stream` | no | together with `tokio`: bodies from and to `futures_core::Stream`, and from tokio files | 1 |
//! | `tower` | no | together with `tokio`: the client is a `tower_service::Service`, also of the types of `http`; bodies are `http_body::Body` | 2 |
//! | `deflate` | no | asks for deflate and decodes it, with and without the zlib wrapper | 0 |
//! | `brotli` | no | asks for brotli and decodes it | 3 |
//! | `zstd` | no | asks for zstd and decodes it, with a decoder in safe code of its own | 0 |
//! | `digest` | no | `digest_auth`: Digest access authentication (RFC 7616) | 8 |
//! | `download` | no | `download()`: files that resume, retry, check digests and are complete or not there | 0 |
//! | `public-suffix` | no | refuses cookies for all of `co.uk`; without it only for single labels such as `com` | 2 |
//! | `json` | no | `json` on requests and responses; `query` and `form` accept serde types | 5 |
//! | `sse` | no | `events` of a response and `event_source`: server-sent events, with reconnects | 0 |
//! | `charset` | no | `text` decodes by the charset of the response; without it as UTF-8 | 1 |
//! | `idna` | no | non-ASCII host names; without it they are an error | 30 |
//! | `middleware` | no | code of the program around each call, and before each attempt | 0 |
//! | `testing` | no | tests without a server: `answer_with`, `Mock`, and a network in memory with faults and a clock | 0 |
//! | `export` | no | a request as a command of curl (`to_curl`), without its secrets unless asked for; what would happen to it (`explain`) | 0 |
//! | `har` | no | with `export`, `json` and `middleware`: requests and responses as HAR files, recorded and replayed | 0 |
//! | `runtime` | no | a client on an async runtime of your own; may change in a minor release | 2 |
//! | `log` | no | logs each call and each decision through the crate `log`: connecting, reuse, closing, sending again, redirects | 1 |
//! | `url` | no | requests accept the `Url` of the crate `url`; conversions from and to it | 2 |
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a runtime the machines are unused, and a part of them on a runtime of the user's alone.
#![cfg_attr(not(any(feature = "blocking", feature = "tokio")), allow(dead_code))]

// ARCHITECTURE.md describes each module, and which may use which.
mod base;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod body;
mod call;
pub mod client;
mod coding;
mod config;
#[cfg(feature = "cookies")]
pub mod cookie;
/// Without the feature `cookies`: no jar.
#[cfg(not(feature = "cookies"))]
pub mod cookie {
    mod provider;

    pub use self::provider::CookieStore;
    pub(crate) use self::provider::Cookies;
}
mod driver;
pub mod error;
mod extra;
mod fields;
pub mod form;
mod http1;
mod off;
#[cfg(any(feature = "blocking", feature = "tokio", feature = "runtime"))]
mod os;
mod policy;
mod pool;
#[cfg(any(feature = "testing", fuzzing, test))]
pub mod testing;
#[cfg(feature = "tokio")]
pub mod tokio;
mod transport;
pub mod url;

pub mod guide;
#[cfg(test)]
#[cfg(all(feature = "cookies", feature = "gzip", feature = "ring"))]
#[path = "../tests/simulation/mod.rs"]
mod simulation;

pub use http::{Method, StatusCode, Version, header};

pub use base::cancel::CancelToken;
pub use base::timings;
#[cfg(all(feature = "blocking", feature = "download"))]
#[doc(inline)]
pub use blocking::Download;
#[cfg(feature = "blocking")]
#[doc(inline)]
pub use blocking::{
    Body, Client, ClientBuilder, Lines, Request, RequestBuilder, Response, ResponseBody, Upgraded,
    get, post,
};
#[cfg(feature = "download")]
#[doc(inline)]
pub use client::download::{DownloadProgress, Downloaded};
#[doc(inline)]
pub use client::request::IntoUrl;
#[doc(inline)]
pub use client::response::ResponseBuilderExt;
#[doc(inline)]
pub use client::{request, response};
pub use config::IpFamily;
pub use config::proxy;
pub use config::proxy::{NoProxy, Proxy};
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use config::tls;
#[cfg(feature = "tls")]
pub use config::tls::{Certificate, Identity};
#[doc(inline)]
pub use error::{Error, Result};
pub use http1::limits::Limits;
pub use policy::egress::EgressPolicy;
pub use policy::retry;
#[cfg(any(fuzzing, test))]
pub use testing::harness::fuzzing;
#[doc(inline)]
pub use url::Url;

/// The items of the crate root that do not depend on the runtime. `blocking` and `tokio` reexport them,
/// so that a program can use either module in place of the crate: `use leanhttp::tokio as reqwest`.
#[cfg(any(feature = "blocking", feature = "tokio"))]
mod shared {
    #[cfg(feature = "sse")]
    #[doc(no_inline)]
    pub use crate::sse;
    #[doc(no_inline)]
    pub use crate::{
        CancelToken, EgressPolicy, Error, IntoUrl, IpFamily, Limits, Method, NoProxy, Proxy,
        ResponseBuilderExt, Result, StatusCode, Url, Version, header,
    };
    #[cfg(feature = "tls")]
    #[doc(no_inline)]
    pub use crate::{Certificate, Identity};
    #[cfg(feature = "download")]
    #[doc(no_inline)]
    pub use crate::{DownloadProgress, Downloaded};
    #[doc(no_inline)]
    pub use crate::{cookie, dns, egress, error, form, proxy, redirect, retry, timings, tls, url};
}

/// DNS lookup by the operating system or by a resolver of your own.
pub mod dns {
    pub use crate::config::dns::{
        Addrs, FromFn, IntoResolve, Name, Resolve, Resolving, SystemResolver, from_fn,
    };
}

/// Restricts the addresses that the client may connect to.
pub mod egress {
    pub use crate::policy::egress::EgressPolicy;
    pub use crate::policy::egress::{Network, NetworkError};
}

/// Server-sent events: `text/event-stream` (WHATWG HTML §9.2). See [the guide](guide::streams).
#[cfg(feature = "sse")]
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
pub mod sse {
    pub use crate::client::event_source::{EventSource, EventSourceBuilder, IntoEventSource};
    pub use crate::client::events::Events;
    pub use crate::extra::streams::reconnect::Reconnect;
    pub use crate::extra::streams::sse::{Event, Parser};
}

#[cfg(feature = "multipart")]
#[doc = include_str!("guide/multipart.md")]
pub mod multipart {
    #[cfg(feature = "blocking")]
    pub use crate::blocking::multipart::{Form, Part};
}

/// HAR 1.2 files: requests and responses that are recorded, and replayed. See the guide on
/// [exports](guide::export) and [cassettes](guide::cassettes).
#[cfg(feature = "har")]
#[cfg_attr(docsrs, doc(cfg(feature = "har")))]
pub mod har {
    pub use crate::extra::har::{Cassette, Recorder, Replay};
}

#[cfg(feature = "middleware")]
#[doc(inline)]
pub use client::middleware;

/// The runtimes that drive a client.
#[cfg_attr(feature = "runtime", doc = "")]
#[cfg_attr(feature = "runtime", doc = include_str!("guide/runtime.md"))]
pub mod runtime {
    #[cfg(any(feature = "tokio", feature = "runtime"))]
    pub use crate::driver::async_runtime::{AsyncRuntime, Asynchronous};
    pub use crate::driver::runtime::Runtime;
    #[cfg(feature = "runtime")]
    #[cfg_attr(docsrs, doc(cfg(feature = "runtime")))]
    pub use crate::{
        body::{Source, Unrewindable},
        config::SocketOptions,
        driver::async_runtime::NameLookup,
        driver::runtime::{Meanwhile, Pending, SocketError, Stream},
        os::lookups::NameLookups,
        policy::deadline::{Expired, Wait},
    };
}

/// Redirect policies.
pub mod redirect {
    pub use crate::policy::redirect::{Action, Attempt, Hop, Policy};
}

/// Compiles the examples of the README as doctests.
#[cfg(all(doctest, feature = "json", feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct Readme;
