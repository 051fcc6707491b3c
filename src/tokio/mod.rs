//! The async front: the same client, for tasks of a tokio runtime.
//!
//! ```no_run
//! # async fn example() -> leanhttp::Result<()> {
//! let client = leanhttp::tokio::Client::new();
//! let text = client.get("https://example.org/").send().await?.text().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Two fronts, one client
//!
//! | | [`blocking`](crate::blocking) | `tokio` |
//! | --- | --- | --- |
//! | send | `client.get(url).send()?` | `client.get(url).send().await?` |
//! | whole body | `response.text()?`, `bytes`, `json` | `response.text().await?`, `bytes`, `json` |
//! | piece by piece | `std::io::Read` | [`chunk`](Response::chunk), [`AsyncRead`]; with the feature `stream` `bytes_stream` |
//! | into a writer | `response.copy_to(&mut file)?` | `response.copy_to(&mut file).await?` |
//! | response of an error status | `error.into_response()?` | `Response::try_from(error)?` |
//! | body from a reader | `Body::new(R: Read)` | [`Body::new`](Body::new)`(R: AsyncRead)`; with the feature `stream` `Body::wrap_stream` |
//! | body that can be sent again | `Body::rewindable(R: Read + Seek)` | [`Body::rewindable`](Body::rewindable)`(R: AsyncRead + AsyncSeek)` |
//! | as an `http::Response` | `response.into()`, whose body is `Read` | `response.into()`, whose body is [`AsyncRead`]; with the feature `tower` an `http_body::Body` |
//! | end a call from outside | [`CancelToken`] | drop its future, or the token |
//! | many at once | a thread each | a task each |
//!
//! Settings, requests, heads of responses, errors, cookies and forms are the same types; protocol,
//! pool, deadlines, redirects, retries, proxies and TLS are the same code.
//!
//! Which one? A program that has no runtime wants `blocking`: it needs nothing else, and one thread
//! for each request at a time is plenty for dozens of them. A program that runs on tokio wants this
//! one, and so does one with hundreds of requests at a time. The two can stand side by side, but a
//! call of `blocking` blocks the thread that it is made on: in a task it belongs into
//! `spawn_blocking`.
//!
//! All that the root of the crate has stands here too, so either front can be taken for the whole
//! crate by a program that was written for reqwest:
//!
//! ```no_run
//! use leanhttp::tokio as reqwest;
//! use reqwest::{Client, StatusCode, header, redirect};
//! # use reqwest::{Body, CancelToken, Egress, Error, IntoUrl, Limits, Method, NoProxy, Proxy, Request};
//! # use reqwest::{RequestBuilder, Response, Result, Upgraded, Url, Version, cookie, dns, retry, tls};
//! # #[cfg(feature = "tls")]
//! # use reqwest::{Certificate, Identity};
//!
//! # async fn example() -> Result<(), reqwest::Error> {
//! let client = Client::builder().redirect(redirect::Policy::none()).build()?;
//! let request = client.get("https://example.org/").header(header::ACCEPT, "text/html");
//! assert_eq!(request.send().await?.status(), StatusCode::OK);
//! # Ok(())
//! # }
//! ```
//!
//! # Runtimes
//!
//! Every runtime of tokio will do, of one thread or of many, with its I/O and its timers enabled
//! (`enable_all`); without these, and outside of a runtime, calls are an error. No task is
//! ever spawned: a call is driven by whoever awaits it. A client may be used in several runtimes, and
//! outlive them: a connection moves to the runtime that waits for it.
//!
//! A name is looked up on one of the runtime's threads for what blocks (`spawn_blocking`), by the
//! system as `tokio::net::lookup_host` does it, or by a [`Resolve`](crate::config::dns::Resolve) of yours;
//! an IP address or a [`resolve`](ClientBuilder::resolve) entry needs none. A client takes up to 64 of
//! these threads, so that names whose servers are silent leave the others to the program; see
//! [`Resolve`](crate::config::dns::Resolve).
//!
//! In a test whose clock is paused (`start_paused`), that clock jumps ahead while a server on a socket
//! takes its time, and the limits that hold by default end the call at once. Take them off there:
//! `Client::builder().connect_timeout(None).read_timeout(None).write_timeout(None)`.
//!
//! # Dropping futures
//!
//! Every future here may be dropped at any point. A call that is dropped closes its connection and
//! leaves the place free for the next one; a piece of a body that was not delivered comes next time, but
//! for [`copy_to`](Response::copy_to), which has taken it from the connection.
//!
//! # Tower
//!
//! With the feature `tower`, [`Client`] and `&Client` are `tower_service::Service`s of
//! `http::Request`, which answer with `http::Response`; and of [`Request`], which has timeouts and
//! policies of its own. A [`Reader`] is an `http_body::Body`, and `Body::wrap` sends one.
//!
//! ```no_run
//! # #[cfg(feature = "tower")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use std::time::Duration;
//! use leanhttp::tokio::{Client, Request};
//! use tower::{Service, ServiceBuilder, ServiceExt};
//!
//! let client = Client::new();
//! let request = http::Request::get("https://example.org/").body("")?;
//! let response = client.clone().oneshot(request).await?; // an `http::Response<Reader>`
//!
//! // Which of the two sorts of requests is meant has to be said where no request says it.
//! let mut service = ServiceBuilder::new().timeout(Duration::from_secs(5)).service(client.clone());
//! let request = client.get("https://example.org/").build()?;
//! let response = ServiceExt::<Request>::ready(&mut service).await?.call(request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Such a service is always ready: the client queues by itself where there may be only so many
//! connections ([`pool_max_open_per_host`](ClientBuilder::pool_max_open_per_host)), and connects to
//! as many hosts as it is told to. What is to be bounded beyond that, or refused instead of queued, is
//! for a layer above (`ConcurrencyLimit`, `LoadShed`). A clone is the same client with the same
//! pool, so a middleware may clone it for each call. The futures are `Send` and `'static`, and
//! dropping one, as a layer with a timeout does, ends its call.

#[cfg(any(feature = "stream", feature = "tower"))]
pub(crate) mod interop;

mod alarm;
mod client;
mod endpoint;
mod event;
#[cfg(feature = "stream")]
mod file;
#[cfg(feature = "multipart")]
pub mod multipart;
mod race;
mod response;
mod runtime;
mod source;
mod stream;
mod system;
mod upgraded;

use std::future::poll_fn;
use std::io;

use ::tokio::io::{AsyncRead, AsyncSeek};

#[cfg(feature = "tower")]
pub(crate) use response::CHUNK;
#[cfg(feature = "stream")]
pub(crate) use response::filled;

pub(crate) use source::Source;

use crate::body::SourceLength;
use crate::driver::runtime::{Front, sealed};

pub use crate::shared::*;

/// The async front, as a type parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tokio;

impl sealed::Sealed for Tokio {}

impl Front for Tokio {
    type Source = Source;
    type System = system::System;

    /// Whoever waits for long costs no thread: long polling, reports and models take their time.
    const FIRST_BYTE: Option<std::time::Duration> = None;

    async fn read(source: &mut Self::Source, into: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| source.poll_read(cx, into)).await
    }
}

/// Sends requests and waits for their responses.
pub type Client = crate::client::Client<Tokio>;
/// Sets up a [`Client`].
pub type ClientBuilder = crate::client::ClientBuilder<Tokio>;
/// A request, complete and not yet sent.
pub type Request = crate::client::request::Request<Tokio>;
/// Builds a request step by step.
pub type RequestBuilder = crate::client::request::RequestBuilder<Tokio>;
/// A response, whose body is read as it comes.
pub type Response = crate::client::response::Response<Reader>;
/// The body of a response, while it is read.
pub type Reader = crate::driver::Reader<Tokio>;
/// A connection that has gone over to another protocol.
pub type Upgraded = crate::client::response::Upgraded<Tokio>;
/// The body of a request.
pub type Body = crate::body::Body<Source>;

#[cfg(feature = "stream")]
pub use crate::tokio::interop::BytesStream;
#[cfg(feature = "tower")]
pub use crate::tokio::interop::Sending;

/// One GET request with a client of its own.
///
/// ```no_run
/// # async fn example() -> leanhttp::Result<()> {
/// let text = leanhttp::tokio::get("https://example.org/").await?.text().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`RequestBuilder::send`] fails.
pub async fn get<T: IntoUrl>(url: T) -> Result<Response> {
    let request = Client::new().get(url);
    request.send().await
}

/// Begins a POST request with a client of its own: give it a body and send it.
///
/// ```no_run
/// # async fn example() -> leanhttp::Result<()> {
/// let request = leanhttp::tokio::post("https://example.org/").form(&[("name1", "value1")]);
/// let text = request.send().await?.text().await?;
/// # Ok(())
/// # }
/// ```
pub fn post<T: IntoUrl>(url: T) -> RequestBuilder {
    Client::new().post(url)
}

impl Body {
    /// A body of unknown length: sent in chunks, as the reader gives them. It can be sent once; see
    /// [`rewindable`](Self::rewindable).
    pub fn new<R: AsyncRead + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Unknown)
    }

    /// A body of `len` bytes, the next that the reader gives: it is not read beyond them, so that a part of
    /// a file can be sent.
    ///
    /// A reader that gives fewer is an error ([`Kind::Body`](crate::error::Kind::Body)), with the
    /// connection closed before the server can take the request for complete.
    pub fn sized<R: AsyncRead + Send + 'static>(reader: R, len: u64) -> Self {
        Self::from_source(Source::new(reader), SourceLength::Exactly(len))
    }

    /// As [`new`](Self::new), of a reader that can seek, such as a file of tokio: where the request has
    /// to be sent again, for a 307 or 308, a stale connection, a challenge of Digest or a retry, it is
    /// read again from where it stood at first. A reader that cannot seek after all can be sent once, and
    /// the error that comes of it says so.
    ///
    /// ```no_run
    /// use leanhttp::tokio::{Body, Client};
    ///
    /// # async fn example() -> leanhttp::Result<()> {
    /// let body = Body::rewindable(std::io::Cursor::new("what a reader gives"));
    /// Client::new().put("https://example.org/a").body(body).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewindable<R: AsyncRead + AsyncSeek + Send + 'static>(reader: R) -> Self {
        Self::from_source(Source::rewindable(reader), SourceLength::Unknown)
    }

    /// As [`sized`](Self::sized), of a reader that can seek, from where it stands on; see
    /// [`rewindable`](Self::rewindable).
    ///
    /// ```no_run
    /// use leanhttp::tokio::{Body, Client};
    ///
    /// # async fn example() -> leanhttp::Result<()> {
    /// let content = "what a reader gives";
    /// let body = Body::rewindable_sized(std::io::Cursor::new(content), content.len() as u64);
    /// Client::new().put("https://example.org/a").body(body).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn rewindable_sized<R>(reader: R, len: u64) -> Self
    where
        R: AsyncRead + AsyncSeek + Send + 'static,
    {
        Self::from_source(Source::rewindable(reader), SourceLength::Exactly(len))
    }
}
