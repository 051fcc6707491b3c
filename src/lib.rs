//! An HTTP/1.1 client over TCP and TLS, with a connection pool, deadlines, redirects, cookies, proxies
//! and multipart forms. It is blocking and needs no async runtime; the same client also exists for
//! tokio (feature `tokio`). The names are those of reqwest.
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
//! # Overview
//!
//! - [`Client`](client::Client) sends requests and owns what they share: connections, settings,
//!   cookies. Create one and clone it freely; a clone is the same client. `leanhttp::get` is for a
//!   small program with a single request.
//! - [`ClientBuilder`](client::ClientBuilder) has every setting with its default.
//! - [`RequestBuilder`](request::RequestBuilder) builds a request step by step. If a value is
//!   invalid, such as a line break in a header, `build` and `send` return an error and nothing is
//!   sent.
//! - [`Response`](response::Response) has the status, the fields and the final URL; its body is read
//!   as it arrives, by `text`, `bytes`, `json` (with the feature `json`), `copy_to` or
//!   [`std::io::Read`]. After a 101, `upgrade` returns the connection.
//! - [`Error`] shows in one line what was tried, for which URL, and why it failed; it has a
//!   [`kind`](Error::kind), a [`phase`](Error::phase) and the predicates of reqwest.
//! - [`Url`] is parsed as in browsers (WHATWG), for `http` and `https`.
//! - [`Method`], [`StatusCode`] and the items of [`header`] are the types of the crate `http`.
//!
//! These types are generic over the runtime that drives the client ([`runtime`]): `blocking`, whose
//! aliases without the parameter are at the root of the crate, or `tokio`, whose aliases are in
//! `leanhttp::tokio`; the page of that module shows both side by side and helps to choose. This guide
//! applies to both.
//!
//! The guide has pages for those who come [from reqwest](guide::coming_from_reqwest), [ureq](guide::coming_from_ureq),
//! [requests](guide::coming_from_requests) or [curl](guide::coming_from_curl); [`guide::compatibility`] lists the names
//! of reqwest.
//!
//! # Cookbook
//!
//! `cargo run --release --example recipe` runs all of these examples against a local server.
//!
//! **GET with query parameters; the body as bytes, as text, as JSON** (feature `json`)
//!
//! ```no_run
//! # use leanhttp::Client;
//! # let client = Client::new();
//! let get = || client.get("https://httpbin.org/get").query(&[("name1", "value1")]);
//! let bytes = get().send()?.bytes()?;
//! let text = get().send()?.text()?;
//! # #[cfg(feature = "json")]
//! let json: serde_json::Value = get().send()?.json()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **POST of urlencoded parameters**
//!
//! ```no_run
//! # use leanhttp::Client;
//! # let client = Client::new();
//! let parameters = [("name1", "value1"), ("name2", "value 2")];
//! let text = client.post("https://httpbin.org/post").form(&parameters).send()?.text()?;
//!
//! // The encoding is also available on its own.
//! assert_eq!(leanhttp::form::encode(&parameters)?, "name1=value1&name2=value+2");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Custom headers, another User-Agent**
//!
//! ```no_run
//! # use leanhttp::Client;
//! let client = Client::builder().user_agent("weather-station/2.1").build()?;
//! let text = client.get("https://httpbin.org/headers").header("Spam", "Eggs").send()?.text()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **Several headers, and the headers of the response**
//!
//! ```no_run
//! # use leanhttp::Client;
//! use leanhttp::header::{self, HeaderMap, HeaderValue};
//!
//! # let client = Client::new();
//! let mut headers = HeaderMap::new();
//! headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
//! let request = client.post("https://httpbin.org/post").form(&[("name1", "value1")]);
//! let response = request.headers(headers).send()?;
//! println!("{} {:?}", response.status(), response.headers().get("Content-Type"));
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **HEAD**
//!
//! ```no_run
//! # use leanhttp::Client;
//! # let client = Client::new();
//! let response = client.head("https://httpbin.org/get").send()?;
//! println!("{:?} bytes from {:?}", response.content_length(), response.remote_addr());
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **Login with basic auth, kept for the session.** Credentials are sent only to the origin that a
//! request names.
//!
//! ```no_run
//! # use leanhttp::Client;
//! let session = Client::builder().basic_auth("user", Some("passwd")).build()?;
//! let url = "https://httpbin.org/basic-auth/user/passwd";
//! session.get(url).send()?.error_for_status()?;
//!
//! // For one request only:
//! let client = Client::new();
//! client.get(url).basic_auth("user", Some("passwd")).send()?;
//! client.get("https://httpbin.org/bearer").bearer_auth("token").send()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **Cookies across requests and redirects** (feature `cookies`)
//!
//! ```no_run
//! # use leanhttp::Client;
//! # #[cfg(feature = "cookies")] {
//! use std::sync::Arc;
//! use leanhttp::cookie::Jar;
//!
//! let jar = Arc::new(Jar::default());
//! let client = Client::builder().cookie_provider(Arc::clone(&jar)).build()?;
//! client.get("https://httpbin.org/cookies/set/flavor/oat").send()?;
//! for cookie in jar.to_vec() {
//!     println!("{}={} of {}", cookie.name(), cookie.value(), cookie.domain());
//! }
//! # }
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! If you do not need access to the jar, `ClientBuilder::cookie_store(true)` is enough.
//!
//! **Default headers of the session, merged with the request's**
//!
//! ```no_run
//! # use leanhttp::Client;
//! use leanhttp::header::{HeaderMap, HeaderValue};
//!
//! let mut defaults = HeaderMap::new();
//! let mut key = HeaderValue::from_static("secret");
//! key.set_sensitive(true); // sent only to the origin, hidden in `Debug`
//! defaults.insert("x-api-key", key);
//! let client = Client::builder().default_headers(defaults).build()?;
//! client.get("https://httpbin.org/headers").header("X-Request", "1").send()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **Upload of a file with its name and type** (feature `multipart`). It is streamed from disk.
//!
//! ```no_run
//! # use leanhttp::Client;
//! # #[cfg(feature = "multipart")] {
//! use leanhttp::multipart::{Form, Part};
//!
//! let photo = Part::file("photo.raw")?.mime_str("image/x-raw")?;
//! let form = Form::new().text("note", "holiday").file("data", "data.csv")?.part("photo", photo);
//! Client::new().post("https://httpbin.org/post").multipart(form).send()?.error_for_status()?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **One TCP connection for many requests.** A connection is free for the next request once the body
//! of the response was read to its end.
//!
//! ```no_run
//! # use leanhttp::Client;
//! # let client = Client::new();
//! for page in 1..=100 {
//!     let page = page.to_string();
//!     client.get("https://httpbin.org/get").query(&[("page", &page)]).send()?.bytes()?;
//! }
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **A deadline, and telling failures apart**
//!
//! ```no_run
//! # use leanhttp::Client;
//! use std::time::Duration;
//!
//! # let client = Client::new();
//! match client.get("https://httpbin.org/delay/9").timeout(Duration::from_secs(5)).send() {
//!     Ok(response) => println!("{}", response.status()),
//!     Err(error) if error.is_timeout() => println!("too slow: {error}"),
//!     Err(error) if error.is_connect() => println!("not there: {error}"),
//!     Err(error) => println!("{error}"),
//! }
//! ```
//!
//! **Retries**, which are off by default; see [`retry`].
//!
//! ```no_run
//! # use leanhttp::Client;
//! use leanhttp::retry;
//!
//! let policy = retry::Policy::new().max_attempts(4).on_retry(|retry| {
//!     eprintln!("{}: {:?}, again in {:?}", retry.url(), retry.reason(), retry.delay());
//! });
//! let client = Client::builder().retry(policy).build()?;
//! let text = client.get("https://httpbin.org/status/503").send()?.text()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **Through a proxy.** By default the proxy is taken from the environment; see [`proxy`].
//!
//! ```no_run
//! # use leanhttp::Client;
//! use leanhttp::{NoProxy, Proxy};
//!
//! let proxy = Proxy::all("socks5h://user:passwd@proxy.example")?
//!     .no_proxy(NoProxy::from_string("localhost, .example.org, 10.0.0.0/8"));
//! let client = Client::builder().proxy(proxy).build()?;
//! println!("{}", client.get("https://httpbin.org/ip").send()?.text()?);
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! **A private certificate authority, and a client certificate.** There is more in [`tls`].
//!
//! ```no_run
//! # #[cfg(feature = "tls")] {
//! use leanhttp::{Certificate, Client, Identity};
//!
//! let client = Client::builder()
//!     .tls_certs_only([Certificate::from_pem(&std::fs::read("company-ca.pem")?)?])
//!     .identity(Identity::from_pem(&std::fs::read("client.pem")?)?)
//!     .build()?;
//! println!("{:?}", client.get("https://intranet.example/").send()?.tls());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Another protocol on the same connection**, such as WebSocket. A read that times out loses no
//! bytes: it is a good moment to send a ping.
//!
//! ```no_run
//! # use leanhttp::Client;
//! use std::io::{Read, Write};
//!
//! # let client = Client::new();
//! let request = client.get("https://example.org/echo").header("Upgrade", "echo");
//! let mut echo = request.header("Connection", "upgrade").send()?.upgrade()?;
//! echo.write_all(b"hello")?;
//! let mut reply = [0; 5];
//! echo.read_exact(&mut reply)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **A large download, piece by piece**
//!
//! ```no_run
//! let mut response = leanhttp::get("https://httpbin.org/bytes/100000")?.error_for_status()?;
//! let mut file = std::fs::File::create("download")?;
//! response.copy_to(&mut file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **A download that finishes** (feature `download`): it resumes after a lost connection, checks what it got, and
//! leaves a complete file or none. There is more in `guide::downloads`.
//!
//! ```no_run
//! # #[cfg(feature = "download")] {
//! let request = leanhttp::Client::new().get("https://httpbin.org/bytes/100000");
//! let done = request.download().to_file("download")?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Requests and responses at the same time
//!
//! A server may answer before it has read the whole request (RFC 9112 §9.5). `send` returns as soon as
//! the final head has arrived:
//!
//! - After a success (2xx), reading the response also sends the rest of the request. Both bodies may be
//!   of any length; each takes the memory of one piece. A read returns the end of the response once
//!   the request is sent, as far as the server accepts it; a source of unknown length that then returns
//!   nothing for one second is not waited for. Dropping the response drops the rest of the request,
//!   and its connection: read a response to its end if the server needs the whole request.
//! - After any other status, or a success in place of `100 Continue`, the rest is not sent.
//! - If the server closes the connection before it answers, the attempt fails immediately, because no
//!   response can arrive any more.
//!
//! The async client waits for a pending source, a pending write and the socket together, so it can
//! hold a conversation in which each piece of the request is made from the response so far. The
//! blocking client reads from the server between the pieces of the request, and while a write makes no
//! progress, but not while a reader blocks.
//!
//! `timeout` limits both halves. `write_timeout` ends the wait for a server that accepts no byte, also
//! while its response is read; reading then continues. `read_timeout` also counts while the request is
//! sent and there is nothing of the response to read. The time that the caller's source takes counts
//! for neither.
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
//! [`guide::leniency`] lists the deviations that are accepted in a response, and compares curl, Go,
//! hyper and Node. [`guide::design`] says why the client is made as it is, and what that costs.
//!
//! # Limits and defaults
//!
//! | limit | default | changed by |
//! | --- | --- | --- |
//! | the whole call, from `send` to the last byte of the body | no limit | `timeout` |
//! | opening a connection: lookup, TCP, proxy and TLS together | 10 s | `connect_timeout` |
//! | name lookup, within that | no separate limit | `resolve_timeout` |
//! | concurrent lookups of a client, of one site | 64, 13 | |
//! | TLS and tunnel handshakes, within that | no separate limit | `handshake_timeout` |
//! | delay before the next address of a host is tried too | 0.25 s, or its share of a short `connect_timeout` | |
//! | waiting for a free connection under `pool_max_open_per_host` | the `connect_timeout` | `pool_wait_timeout` |
//! | from the end of the request to the first byte of the response | blocking: 30 s, async: no limit | `first_byte_timeout`; `read_timeout`, if set |
//! | between two bytes received, once the response has begun | 30 s | `read_timeout` |
//! | between two bytes sent | 30 s | `write_timeout` |
//! | lowest average throughput of a body, sent or received | no limit | `min_throughput` |
//! | lookup threads of a blocking client | 64 | |
//! | redirects followed | 10 | `redirect` |
//! | attempts of a request, with a retry policy | 3 | `retry::Policy::max_attempts` |
//! | delay before the first retry, before any | at most 0.2 s, 10 s | `backoff` |
//! | longest `Retry-After` that is honored | 60 s | `max_retry_after` |
//! | retry budget per host | 10 | `budget` |
//! | failures in a row of a download that are forgiven | 5 | `Download::retries` |
//! | idle time of a connection; the next call or `close_idle_connections` closes it | 90 s, or one second less than the server's `Keep-Alive` | `pool_idle_timeout` |
//! | time without pooling for a host that closes connections right after each response | 10 s, up to 10 min | |
//! | idle connections to one host | 32 | `pool_max_idle_per_host` |
//! | idle connections in total | 128 | `pool_max_idle` |
//! | open connections to one host; further calls wait | no limit | `pool_max_open_per_host` |
//! | age of a connection | no limit | `pool_max_age` |
//! | unread body drained when a response is dropped, if already received | 16 KiB | `Limits::max_drain_bytes` |
//! | unread body of a redirect drained, and wait for it | 16 KiB, 0.1 s | |
//! | waiting for `100 Continue`, with `expect_continue` | 1 s | |
//! | body of a proxy's refusal that is kept, and wait for it | 1 KiB, 1 s | |
//! | body read into memory by `bytes`, `text` and `json` | 256 MiB | `body_limit` |
//! | a line of `lines` and `json_lines` | 1 MiB | `max_line_bytes` |
//! | an event of `events` and `event_source`, and one line of it | 8 MiB | `max_event_bytes` |
//! | silence within the stream of an `event_source` | 5 min, or the `read_timeout` of its request | `idle_timeout` |
//! | failures in a row before an `event_source` gives up | 10 | `Reconnect::failures` |
//! | time that a server may ask an `event_source` to wait | 0.5 s to 10 min | `Reconnect::first` if it is less, `max_retry_after` |
//! | heads of one response, including interim ones (1xx) | 64 KiB | `Limits::max_head_bytes`, `max_line_bytes` for one line |
//! | header fields of a response | 128 | `http1_max_headers` |
//! | interim responses to one request | 16 | `Limits::max_informational_responses` |
//! | chunk extensions of one body | 16 KiB | `Limits::max_chunk_extension_bytes` |
//! | TLS records of a handshake | 1.5 MiB | |
//! | TLS records without data, such as tickets, of one exchange | 256 KiB more than its data | |
//! | trailers of one body | 16 KiB, 64 fields | `Limits::max_trailer_bytes`, `max_trailers` |
//! | decoded bytes per received byte, after the first 16 MiB | 250 | `Limits::max_decompression_ratio`, `decompressed_ratio_threshold` |
//! | consecutive coded bytes that decode to (almost) nothing | 1 MiB | `Limits::max_coded_bytes_without_output` |
//! | content codings of one body | 4 | `Limits::max_content_codings` |
//! | window of a zstd body, of a brotli body | 8 MiB, 16 MiB | |
//! | entries of a `har::Recorder`, bytes of each body | 1000, 0 | `Recorder::max_entries`, `bodies` |
//! | bytes of each body that a `har::Cassette` records, of a HAR file that is read | 1 MiB, 256 MiB | `Cassette::open_with` |
//! | body that a response or an error keeps for `to_curl` | 1 MiB | |
//! | a URL | 65,534 bytes | |
//! | a cookie's name and value | 4096 bytes | `cookie::Limits` |
//! | cookies of one response, of one domain, in total | 50, 50, 3000 | `cookie::Limits` |
//!
//! # Features
//!
//! `cargo add leanhttp --features json,tokio` adds features to the default ones;
//! `--no-default-features` removes the default ones.
//!
//! Without any feature there are 6 crates; the last column is the number of crates that a feature
//! adds to those above it.
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
#[cfg(all(doctest, feature = "json"))]
#[doc = include_str!("../README.md")]
struct Readme;
