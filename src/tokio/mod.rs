//! The async client, for tasks of a tokio runtime.
//!
//! ```no_run
//! # async fn example() -> leanhttp::Result<()> {
//! let client = leanhttp::tokio::Client::new();
//! let text = client.get("https://example.org/").send().await?.text().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Blocking or async
//!
//! | | [`blocking`](crate::blocking) | `tokio` |
//! | --- | --- | --- |
//! | send | `client.get(url).send()?` | `client.get(url).send().await?` |
//! | whole body | `response.text()?`, `bytes`, `json` | `response.text().await?`, `bytes`, `json` |
//! | piece by piece | `std::io::Read` | [`chunk`](Response::chunk), [`AsyncRead`]; with the feature `stream` `bytes_stream` |
//! | line by line, event by event | `for line in response.lines()`, `events()?` | `lines().next().await`, `events()?.next().await`; with the feature `stream` a `Stream` |
//! | into a writer | `response.copy_to(&mut file)?` | `response.copy_to(&mut file).await?` |
//! | response of an error status | `error.into_response()?` | `Response::try_from(error)?` |
//! | body from a reader | `Body::new(R: Read)` | [`Body::new`](Body::new)`(R: AsyncRead)`; with the feature `stream` `Body::wrap_stream` |
//! | body that can be sent again | `Body::rewindable(R: Read + Seek)` | [`Body::rewindable`](Body::rewindable)`(R: AsyncRead + AsyncSeek)` |
//! | as an `http::Response` | `response.into()`, whose body is `Read` | `response.into()`, whose body is [`AsyncRead`]; with the feature `tower` an `http_body::Body` |
//! | cancel a call | [`CancelToken`] | drop its future, or the token |
//! | concurrent requests | a thread each | a task each |
//!
//! Settings, requests, response heads, errors, cookies and forms are the same types; protocol,
//! pool, deadlines, redirects, retries, proxies and TLS are the same code.
//!
//! Which one? Use `blocking` in a program without a runtime: it needs nothing else, and one thread
//! per concurrent request is fine for dozens of them. Use this one in a program that runs on tokio,
//! or that has hundreds of concurrent requests. You can use both, but a call of `blocking` blocks
//! its thread: in a task run it inside `spawn_blocking`.
//!
//! The methods of the client are on the page of [`client::Client`](crate::client::Client), those of a request on
//! [`client::request`](crate::client::request), those of a response on [`client::response`](crate::client::response):
//! both clients share them.
//!
//! Everything at the root of the crate is also here, so a program that was written for reqwest can
//! use either module in place of the crate:
//!
//! ```no_run
//! use leanhttp::tokio as reqwest;
//! use reqwest::{Client, StatusCode, header, redirect};
//! # use reqwest::{Body, CancelToken, EgressPolicy, Error, IntoUrl, Limits, Method, NoProxy, Proxy, Request};
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
//! Any tokio runtime works, with one thread or many, if its I/O and its timers are enabled
//! (`enable_all`); without these, and outside of a runtime, calls return an error. No task is
//! spawned, except for the lookups of an asynchronous resolver of your own: the task that awaits a call drives it. A client may be used in several runtimes, and
//! outlive them: a connection is registered with the runtime that waits for it.
//!
//! A name is looked up on one of the runtime's blocking threads (`spawn_blocking`), by the system
//! as in `tokio::net::lookup_host`, or by your own [`Resolve`](dns::Resolve); an IP
//! address or a [`resolve`](ClientBuilder::resolve) entry needs none. A client uses up to 64 of
//! these threads, so that names with silent name servers leave the others to the program; see
//! [`Resolve`](dns::Resolve).
//!
//! In a test with a paused clock (`start_paused`), that clock jumps ahead while a server on a
//! socket is busy, and the default limits end the call immediately. Remove them there:
//! `Client::builder().connect_timeout(None).read_timeout(None).write_timeout(None)`.
//!
//! # Dropping futures
//!
//! Every future here may be dropped at any point. A dropped call closes its connection and releases
//! its permit to the next one; a piece of a body that was not delivered is returned by the next
//! read, except for [`copy_to`](Response::copy_to), which has taken it from the connection.
//!
//! # Tower
//!
//! With the feature `tower`, [`Client`] and `&Client` are `tower_service::Service`s of [`Request`], which has its
//! own timeouts and policies. `Client::http_service` is one of `http::Request` with any `http_body::Body`,
//! and its response is an `http::Response`. Both [`ResponseBody`] and [`Body`] are an `http_body::Body`, and
//! `Body::wrap` sends one.
//!
//! ```no_run
//! # #[cfg(feature = "tower")]
//! # async fn example() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use leanhttp::tokio::Client;
//! use tower_service::Service;
//!
//! let client = Client::new();
//! let request = http::Request::get("https://example.org/").body(String::new())?;
//! let response = client.http_service().call(request).await?; // an `http::Response<ResponseBody>`
//!
//! let request = client.get("https://example.org/").build()?;
//! let response = client.clone().call(request).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The example `tower` puts layers around it, by `ServiceBuilder`.
//!
//! Such a service is always ready: the client queues by itself under a limit on connections
//! ([`pool_max_open_per_host`](ClientBuilder::pool_max_open_per_host)), and connects to any number
//! of hosts. To bound more than that, or to refuse instead of queueing, add a layer
//! (`ConcurrencyLimit`, `LoadShed`). A clone is the same client with the same pool, so a middleware
//! may clone it for each call. The futures are `Send`, `Sync` and `'static`, and dropping one, as a layer
//! with a timeout does, ends its call.
//!
//! [`AsyncRead`]: ::tokio::io::AsyncRead

// The methods that wait are those of every async runtime, in `client/asynchronous.rs`. Here is what knows tokio's
// traits: `response` (bodies and upgraded connections as readers and writers), `streams`, `body` and `multipart`
// (request bodies from readers, streams and files) and `service` (the traits of tower and http-body). The rest
// implements the runtime: `runtime` first, then `stream` and `endpoint` (a socket).

mod body;
#[cfg(feature = "download")]
mod download;
mod endpoint;
#[cfg(feature = "multipart")]
pub mod multipart;
#[cfg(any(all(feature = "stream", feature = "multipart"), feature = "tower"))]
mod pieces;
mod response;
mod runtime;
#[cfg(feature = "tower")]
mod service;
mod stream;
#[cfg(feature = "stream")]
mod streams;

use self::body::Source;

#[cfg(not(feature = "testing"))]
pub use self::runtime::Tokio;
pub use crate::shared::*;

/// The tokio runtime, as a type parameter, which a test can put on a network in memory.
#[cfg(feature = "testing")]
pub type Tokio = crate::testing::Testable<self::runtime::Tokio>;
/// Sends requests and waits for their responses.
///
/// Its methods: [`client::Client`](crate::client::Client).
pub type Client = crate::client::Client<Tokio>;
/// Sets up a [`Client`].
///
/// Its methods: [`client::ClientBuilder`](crate::client::ClientBuilder).
pub type ClientBuilder = crate::client::ClientBuilder<Tokio>;
/// A complete request that is not yet sent.
///
/// Its methods: [`client::request::Request`](crate::client::request::Request).
pub type Request = crate::client::request::Request<Tokio>;
/// Builds a request step by step.
///
/// Its methods: [`client::request::RequestBuilder`](crate::client::request::RequestBuilder).
pub type RequestBuilder = crate::client::request::RequestBuilder<Tokio>;
/// A response, whose body is read as it arrives.
///
/// Its methods: [`client::response::Response`](crate::client::response::Response).
pub type Response = crate::client::response::Response<ResponseBody>;
/// The body of a response, while it is read.
pub type ResponseBody = crate::driver::ResponseBody<Tokio>;
/// The lines of a response's body.
pub type Lines = crate::client::streams::Lines<Tokio>;
/// The JSON values in the lines of a response's body.
#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
pub type JsonLines<T> = crate::client::streams::JsonLines<Tokio, T>;
/// The events of a response.
#[cfg(feature = "sse")]
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
pub type Events = crate::sse::Events<Tokio>;
/// The events of a URL, with reconnects.
#[cfg(feature = "sse")]
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
pub type EventSource = crate::sse::EventSource<Tokio>;
/// A connection that was upgraded to another protocol.
pub type Upgraded = crate::client::response::Upgraded<Tokio>;
/// The rest of a call, for [middleware](crate::middleware).
#[cfg(feature = "middleware")]
pub type Next = crate::middleware::Next<Tokio>;
/// A download under construction: it resumes after failures, checks what it got, and leaves a complete file or none.
#[cfg(feature = "download")]
pub type Download = crate::client::download::Download<Tokio>;
/// The body of a request.
///
/// Its methods: [`body::Body`](crate::body::Body).
pub type Body = crate::body::Body<Source>;

#[cfg(feature = "stream")]
pub use response::BytesStream;
#[cfg(feature = "tower")]
pub use service::{HttpService, ResponseFuture};

/// Sends one GET request with a client of its own.
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
/// As for [`RequestBuilder::send`].
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

/// Takes the settings to a blocking client. With middleware, which is of one client, its `build` fails.
///
/// ```
/// use leanhttp::{blocking, tokio};
///
/// let settings = tokio::Client::builder().user_agent("weather-station/2.1");
/// let client = blocking::ClientBuilder::from(settings).build()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
#[cfg(feature = "blocking")]
impl<D, E> From<crate::client::ClientBuilder<Tokio, D>>
    for crate::client::ClientBuilder<crate::blocking::Blocking, E>
{
    fn from(settings: crate::client::ClientBuilder<Tokio, D>) -> Self {
        settings.for_runtime()
    }
}
