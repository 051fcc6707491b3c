//! The blocking client: plain calls, no async runtime.
//!
//! ```no_run
//! let client = leanhttp::blocking::Client::new();
//! let text = client.get("https://example.org/").send()?.text()?;
//! # Ok::<(), leanhttp::Error>(())
//! ```
//!
//! The methods of the client are on the page of [`client::Client`](crate::client::Client), those of a request on
//! [`client::request`](crate::client::request), those of a response on [`client::response`](crate::client::response):
//! both clients share them.
//!
//! Everything at the root of the crate is also here, as in `leanhttp::tokio`. A program that says
//! `reqwest::blocking::Client` takes the crate itself, `use leanhttp as reqwest`; one that imported the module
//! takes this module:
//!
//! ```no_run
//! use leanhttp::blocking as reqwest;
//! use reqwest::{Client, StatusCode, header, redirect};
//! # use reqwest::{Body, CancelToken, EgressPolicy, Error, IntoUrl, Limits, Method, NoProxy, Proxy, Request};
//! # use reqwest::{RequestBuilder, Response, Result, Upgraded, Url, Version, cookie, dns, retry, tls};
//! # #[cfg(feature = "tls")]
//! # use reqwest::{Certificate, Identity};
//!
//! let client = Client::builder().redirect(redirect::Policy::none()).build()?;
//! let request = client.get("https://example.org/").header(header::ACCEPT, "text/html");
//! assert_eq!(request.send()?.status(), StatusCode::OK);
//! # Ok::<(), reqwest::Error>(())
//! ```
//!
//! The only threads that this client starts, up to 64, look up host names, because the system has
//! no way to end a lookup in time; they end when there is nothing left to look up. An IP address or
//! a [`resolve`](ClientBuilder::resolve) entry needs none.

// The public part is this file (the methods that wait: sending, reading bodies, upgraded
// connections), then `streams` (iterators), `body` and `multipart` (request bodies from readers and files). `runtime`
// implements the runtime. Each method runs a future of `client/`, which is never pending here, so
// `run` is a plain call.

mod body;
#[cfg(feature = "download")]
mod download;
#[cfg(feature = "multipart")]
pub mod multipart;
mod runtime;
mod streams;

use std::io::{self, Read, Write};

use bytes::Bytes;

use self::body::Source;
use crate::call::RequestParts;
#[cfg(feature = "export")]
use crate::client::explain::explain;
#[cfg(feature = "middleware")]
use crate::client::middleware::{Function, Handling, Middleware};
use crate::client::send;
#[cfg(feature = "export")]
use crate::client::{Defaults, Explanation};
use crate::driver::runtime::run;

#[cfg(not(feature = "testing"))]
pub use self::runtime::Blocking;
pub use crate::shared::*;

/// The blocking runtime, as a type parameter, which a test can put on a network in memory.
#[cfg(feature = "testing")]
pub type Blocking = crate::testing::Testable<self::runtime::Blocking>;
/// Sends requests and waits for their responses.
///
/// Its methods: [`client::Client`](crate::client::Client).
pub type Client = crate::client::Client<Blocking>;
/// Sets up a [`Client`].
///
/// Its methods: [`client::ClientBuilder`](crate::client::ClientBuilder).
pub type ClientBuilder = crate::client::ClientBuilder<Blocking>;
/// A complete request that is not yet sent.
///
/// Its methods: [`client::request::Request`](crate::client::request::Request).
pub type Request = crate::client::request::Request<Blocking>;
/// Builds a request step by step.
///
/// Its methods: [`client::request::RequestBuilder`](crate::client::request::RequestBuilder).
pub type RequestBuilder = crate::client::request::RequestBuilder<Blocking>;
/// A response, whose body is read as it arrives.
///
/// Its methods: [`client::response::Response`](crate::client::response::Response).
pub type Response = crate::client::response::Response<ResponseBody>;
/// The body of a response, while it is read.
pub type ResponseBody = crate::driver::ResponseBody<Blocking>;
/// The lines of a response's body.
pub type Lines = crate::client::streams::Lines<Blocking>;
/// The JSON values in the lines of a response's body.
#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
pub type JsonLines<T> = crate::client::streams::JsonLines<Blocking, T>;
/// The events of a response.
#[cfg(feature = "sse")]
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
pub type Events = crate::sse::Events<Blocking>;
/// The events of a URL, with reconnects.
#[cfg(feature = "sse")]
#[cfg_attr(docsrs, doc(cfg(feature = "sse")))]
pub type EventSource = crate::sse::EventSource<Blocking>;
/// A connection that was upgraded to another protocol.
pub type Upgraded = crate::client::response::Upgraded<Blocking>;
/// The rest of a call, for [middleware](crate::middleware).
#[cfg(feature = "middleware")]
pub type Next = crate::middleware::Next<Blocking>;
/// A download under construction: it resumes after failures, checks what it got, and leaves a complete file or none.
#[cfg(feature = "download")]
pub type Download = crate::client::download::Download<Blocking>;
/// The body of a request.
///
/// Its methods: [`body::Body`](crate::body::Body).
pub type Body = crate::body::Body<Source>;

/// Sends one GET request with a client of its own.
///
/// ```no_run
/// let text = leanhttp::get("https://example.org/")?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
///
/// # Errors
///
/// As for [`RequestBuilder::send`].
pub fn get<T: IntoUrl>(url: T) -> Result<Response> {
    Client::new().get(url).send()
}

/// Begins a POST request with a client of its own: give it a body and send it.
///
/// ```no_run
/// let parameters = [("name1", "value1")];
/// let text = leanhttp::post("https://example.org/").form(&parameters).send()?.text()?;
/// # Ok::<(), leanhttp::Error>(())
/// ```
pub fn post<T: IntoUrl>(url: T) -> RequestBuilder {
    Client::new().post(url)
}

impl<D> crate::client::Client<Blocking, D> {
    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::send`].
    pub fn execute(&self, request: Request) -> Result<Response> {
        send_parts(self.clone().standard(), Ok(request.parts))
    }
}

impl<D> crate::client::request::RequestBuilder<Blocking, D> {
    /// Sends the request and waits for the head of its response; the body is read later.
    ///
    /// A successful response that comes before the whole request was sent is returned immediately: the
    /// rest of the request is sent while you read the body. If you drop the response, the rest is not
    /// sent. After any other status the rest is never sent.
    ///
    /// ```no_run
    /// let response = leanhttp::Client::new().get("https://example.org/").send()?;
    /// println!("{} {:?}", response.status(), response.headers());
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid, no connection can be made, a deadline passes, the response is not
    /// HTTP/1.1, or a redirect cannot be followed. A status of 400 or more is not an error; see
    /// [`error_for_status`](crate::client::response::Response::error_for_status).
    pub fn send(self) -> Result<Response> {
        let (client, request) = self.finish();
        send_parts(client.standard(), request)
    }
}

#[cfg(feature = "export")]
impl<D: Defaults> crate::client::Client<Blocking, D> {
    /// Returns what would happen to a GET request to this URL: looks its host up, and sends nothing.
    ///
    /// ```no_run
    /// println!("{}", leanhttp::Client::new().explain("https://example.org/")?);
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::explain`].
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub fn explain<U: IntoUrl>(&self, url: U) -> Result<Explanation> {
        self.get(url).explain()
    }
}

#[cfg(feature = "export")]
impl<D> crate::client::request::RequestBuilder<Blocking, D> {
    /// Returns what would happen to the request: looks its host up, within the time limits of a call, and sends
    /// nothing. Middleware is not run.
    ///
    /// ```no_run
    /// let request = leanhttp::Client::new().post("https://example.org/").body("text");
    /// let explanation = request.explain()?;
    /// for address in explanation.addresses() {
    ///     println!("{} {}", address.address(), address.denied().unwrap_or("allowed"));
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid. What would fail later, such as the lookup, is a part of the explanation.
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub fn explain(self) -> Result<Explanation> {
        let (client, request) = self.finish();
        let (client, request) = (client.standard(), request?);
        run(|| explain(&client, request))
    }
}

/// Sends the parts of a request. It is not generic, so that the whole driver is compiled here, once, and not
/// again in each program: 2 % of a small one.
fn send_parts(client: Client, request: Result<Box<RequestParts<Source>>>) -> Result<Response> {
    let request = request?;
    run(|| send(&client, request))
}

#[cfg(feature = "middleware")]
impl<D> crate::client::ClientBuilder<Blocking, D> {
    /// Adds a function as [middleware](crate::middleware), which wraps each call of the client.
    ///
    /// ```
    /// use leanhttp::Client;
    ///
    /// let client = Client::builder()
    ///     .middleware_fn(|mut request, next| {
    ///         request.headers_mut().insert("x-tenant", "lean".parse().unwrap());
    ///         next.send(request)
    ///     })
    ///     .build()?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn middleware_fn<M>(self, function: M) -> Self
    where
        M: Fn(Request, Next) -> Result<Response> + Send + Sync + 'static,
    {
        self.middleware(Function(function))
    }
}

#[cfg(feature = "middleware")]
impl Next {
    /// Sends a request on and waits for the head of its response.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run), which does the same for middleware that is written for both clients.
    pub fn send(&self, request: Request) -> Result<Response> {
        run(|| self.run(request))
    }
}

#[cfg(feature = "middleware")]
impl<M> Middleware<Blocking> for Function<M>
where
    M: Fn(Request, Next) -> Result<Response> + Send + Sync + 'static,
{
    fn handle<'a>(&'a self, request: Request, next: Next) -> Handling<'a, Blocking> {
        Box::pin(async move { (self.0)(request, next) })
    }
}

/// The size of the pieces of `copy_to`.
const COPY_PIECE: usize = 64 * 1024;

impl Response {
    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded, exceeds a time limit, or is larger than
    /// [`body_limit`](crate::client::ClientBuilder::body_limit).
    pub fn bytes(mut self) -> Result<Bytes> {
        run(|| self.collect()).map(Bytes::from)
    }

    /// Reads the whole body as text: decoded by the charset of `Content-Type` (feature `charset`),
    /// or as UTF-8; invalid sequences become U+FFFD. A byte order mark is removed.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes).
    pub fn text(self) -> Result<String> {
        run(|| self.collect_text("utf-8"))
    }

    /// Reads the whole body as text, decoded by `default_encoding` if `Content-Type` names no
    /// charset.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes).
    #[cfg(feature = "charset")]
    pub fn text_with_charset(self, default_encoding: &str) -> Result<String> {
        run(|| self.collect_text(default_encoding))
    }

    /// Reads the whole body and parses it as JSON.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes); and if the body is not JSON or does not have the shape of
    /// `T`: the error names the line, the column and the text there.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        run(|| self.collect_json())
    }

    /// Copies the body to `writer` piece by piece; returns the number of bytes.
    ///
    /// ```no_run
    /// let mut response = leanhttp::get("https://example.org/large.iso")?;
    /// let mut file = std::fs::File::create("large.iso").expect("a file");
    /// response.copy_to(&mut file)?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded or exceeds a time limit, or if the writer fails.
    pub fn copy_to<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<u64> {
        let mut piece = vec![0; COPY_PIECE];
        let mut copied = 0;
        loop {
            let count = run(|| self.next_bytes(&mut piece))?;
            if count == 0 {
                return Ok(copied);
            }
            writer.write_all(piece.split_at(count).0).map_err(|error| self.writer_error(error))?;
            copied += count as u64;
        }
    }
}

/// Reads the decoded body as it arrives. Each `io::Error` contains an [`Error`].
impl Read for Response {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.next_bytes(into)).map_err(Error::into_io)
    }
}

/// Reads the decoded body as it arrives. Each `io::Error` contains an [`Error`].
impl Read for ResponseBody {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.next_bytes(into)).map_err(Error::into_io)
    }
}

impl Error {
    /// Returns the response of an error, so that its body can be read: one that
    /// [`error_for_status`](crate::client::response::Response::error_for_status) refused, that was
    /// [not an upgrade](Response::upgrade), or that was a redirect which was not followed.
    ///
    /// ```no_run
    /// # let response = leanhttp::get("https://example.org/")?;
    /// if let Err(error) = response.error_for_status() {
    ///     let explanation = error.into_response()?.text()?;
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error itself, if it contains no response, or one of the async client: for that use
    /// `leanhttp::tokio::Response::try_from(error)`.
    pub fn into_response(self) -> Result<Response> {
        self.try_into()
    }
}

impl Response {
    /// Returns the connection after a `101 Switching Protocols` (RFC 9110 §7.8).
    ///
    /// A request asks for it with its `Upgrade` and `Connection` fields, in HTTP/1.1; its body, if
    /// it has one, is sent to its end first. A 101 with a protocol that `Upgrade` did not offer is
    /// an error of `send`. Check other requirements of the protocol on the head of the response
    /// yourself, such as WebSocket's `Sec-WebSocket-Accept`.
    ///
    /// A redirect within the origin keeps the offer; a redirect to another origin removes
    /// `Upgrade`. A plain `http` request through an HTTP proxy makes the offer to the proxy; one
    /// over TLS or SOCKS uses a tunnel.
    ///
    /// ```no_run
    /// use std::io::{Read, Write};
    ///
    /// let client = leanhttp::Client::new();
    /// let request = client.get("http://example.org/echo");
    /// let response = request.header("Upgrade", "echo").header("Connection", "upgrade").send()?;
    /// let mut echo = response.upgrade()?;
    /// echo.write_all(b"hello")?;
    /// let mut reply = [0; 5];
    /// echo.read_exact(&mut reply)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Kind::Upgrade`](crate::error::Kind::Upgrade) for a response of another status, which is
    /// not a fault of the server: it may not support the protocol. The error contains the response;
    /// [`into_response`](Error::into_response) returns it.
    pub fn upgrade(self) -> Result<Upgraded> {
        self.into_upgraded()
    }
}

impl Upgraded {
    /// Flushes and shuts down the sending half, over TLS with `close_notify`; you can still read
    /// what the peer sends. Dropping the connection closes both halves. A second call does nothing.
    ///
    /// # Errors
    ///
    /// As for `flush`; the `io::Error` contains an [`Error`].
    ///
    /// ```no_run
    /// # fn example(mut upgraded: leanhttp::blocking::Upgraded) -> std::io::Result<()> {
    /// use std::io::{Read, Write};
    ///
    /// upgraded.write_all(b"that is all")?;
    /// upgraded.shutdown_write()?;
    /// let mut answer = String::new();
    /// upgraded.read_to_string(&mut answer)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn shutdown_write(&mut self) -> io::Result<()> {
        run(|| self.finish_writing()).map_err(Error::into_io)
    }
}

/// Each `io::Error` contains an [`Error`].
impl Read for Upgraded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.read_once(into)).map_err(Error::into_io)
    }
}

/// Over TLS a write may accept bytes that cannot be sent immediately, and only the next call
/// reports the error: call `flush` for data that has to arrive. Each `io::Error` contains an
/// [`Error`].
impl Write for Upgraded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        run(|| self.write_once(bytes)).map_err(Error::into_io)
    }

    fn flush(&mut self) -> io::Result<()> {
        run(|| self.flush_accepted()).map_err(Error::into_io)
    }
}
