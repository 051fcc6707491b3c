//! The methods that wait, on async runtimes: sending, reading a body, the next line or event. tokio and a runtime of
//! the user's share them. What knows tokio's own readers, writers, streams and files is in `tokio/`.
//!
//! A future that is dropped loses nothing: the state of a read is in the connection.

#[cfg(feature = "runtime")]
use std::io;

use bytes::Bytes;
#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

#[cfg(feature = "middleware")]
use super::ClientBuilder;
#[cfg(feature = "sse")]
use super::event_source::EventSource;
#[cfg(feature = "sse")]
use super::events::Events;
#[cfg(feature = "export")]
use super::explain::explain;
#[cfg(feature = "middleware")]
use super::middleware::{Function, Handling, Middleware, Next};
#[cfg(feature = "export")]
use super::request::IntoUrl;
use super::request::{Request, RequestBuilder};
use super::response::{Response, Upgraded};
#[cfg(feature = "json")]
use super::streams::JsonLines;
use super::streams::Lines;
use super::{Client, ResponseBody, send};
#[cfg(feature = "export")]
use super::{Defaults, Explanation};
use crate::call::RequestParts;
use crate::driver::async_runtime::Asynchronous;
use crate::error::{Error, Result};
#[cfg(feature = "sse")]
use crate::extra::streams::sse::Event;

impl<F: Asynchronous, D> Client<F, D> {
    /// Sends a request and waits for the head of its response. The future does not borrow the client, so
    /// that it can be spawned.
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::send`].
    #[inline(always)] // as `send`
    pub fn execute(
        &self,
        request: Request<F>,
    ) -> impl Future<Output = Result<Response<ResponseBody<F>>>> + Send + use<F, D> {
        let client = self.clone().standard();
        async move { call(client, Ok(request.parts)).await }
    }
}

impl<F: Asynchronous, D> RequestBuilder<F, D> {
    /// Sends the request and waits for the head of its response; the body is read later.
    ///
    /// A successful response that comes before the whole request was sent is returned immediately: the
    /// rest of the request is sent while you read the body. If you drop the response, the rest is not
    /// sent. After any other status the rest is never sent.
    ///
    /// Dropping the future ends the call and closes its connection.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// let response = leanhttp::tokio::Client::new().get("https://example.org/").send().await?;
    /// println!("{} {:?}", response.status(), response.headers());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid, no connection can be made, a deadline passes, the response is not
    /// HTTP/1.1, or a redirect cannot be followed; or if this is not awaited where the runtime can make calls, such as
    /// in a tokio runtime with timers and I/O. A status of 400 or more is not an error; see
    /// [`error_for_status`](Response::error_for_status).
    #[inline(always)] // or the caller moves the whole future twice: 500 instructions
    pub fn send(
        self,
    ) -> impl Future<Output = Result<Response<ResponseBody<F>>>> + Send + use<F, D> {
        let (client, request) = self.finish();
        let client = client.standard();
        async move { call(client, request).await }
    }
}

#[cfg(feature = "export")]
impl<F: Asynchronous, D: Defaults> Client<F, D> {
    /// Returns what would happen to a GET request to this URL: looks its host up, and sends nothing.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// println!("{}", leanhttp::tokio::Client::new().explain("https://example.org/").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`RequestBuilder::explain`].
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub async fn explain<U: IntoUrl>(&self, url: U) -> Result<Explanation> {
        let request = self.get(url);
        request.explain().await
    }
}

#[cfg(feature = "export")]
impl<F: Asynchronous, D> RequestBuilder<F, D> {
    /// Returns what would happen to the request: looks its host up, within the time limits of a call, and sends
    /// nothing. Middleware is not run.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// let request = leanhttp::tokio::Client::new().post("https://example.org/").body("text");
    /// let explanation = request.explain().await?;
    /// for address in explanation.addresses() {
    ///     println!("{} {}", address.address(), address.denied().unwrap_or("allowed"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the request is invalid, or if this is not awaited where the runtime can make calls. What would fail
    /// later, such as the lookup, is a part of the explanation.
    #[cfg_attr(docsrs, doc(cfg(feature = "export")))]
    pub async fn explain(self) -> Result<Explanation> {
        let (client, request) = self.finish();
        let (client, request) = (client.standard(), request?);
        check(&client.shared().runtime)?;
        explain(&client, request).await
    }
}

/// Sends a request. Not generic over the defaults, which make no difference any more.
pub(crate) async fn call<F: Asynchronous>(
    client: Client<F>,
    request: Result<Box<RequestParts<F::Source>>>,
) -> Result<Response<ResponseBody<F>>> {
    let request = request?;
    check(&client.shared().runtime)?;
    send(&client, request).await
}

/// Returns an error where the runtime can make no call.
#[inline]
pub(crate) fn check<F: Asynchronous>(runtime: &F) -> Result<()> {
    match runtime.check() {
        Ok(()) => Ok(()),
        Err(error) => Err(Error::builder(error.to_string())),
    }
}

#[cfg(feature = "middleware")]
impl<F: Asynchronous, D> ClientBuilder<F, D> {
    /// Adds a function as [middleware](crate::middleware), which wraps each call of the client.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use leanhttp::tokio::Client;
    ///
    /// let client = Client::builder()
    ///     .middleware_fn(|mut request, next| async move {
    ///         request.headers_mut().insert("x-tenant", "lean".parse().unwrap());
    ///         next.run(request).await
    ///     })
    ///     .build()?;
    /// # }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    pub fn middleware_fn<M, R>(self, function: M) -> Self
    where
        M: Fn(Request<F>, Next<F>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response<ResponseBody<F>>>> + Send + 'static,
    {
        self.middleware(Function(function))
    }
}

#[cfg(feature = "middleware")]
impl<F: Asynchronous, M, R> Middleware<F> for Function<M>
where
    M: Fn(Request<F>, Next<F>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Response<ResponseBody<F>>>> + Send + 'static,
{
    fn handle<'a>(&'a self, request: Request<F>, next: Next<F>) -> Handling<'a, F> {
        Box::pin((self.0)(request, next))
    }
}

impl<F: Asynchronous> Response<ResponseBody<F>> {
    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded, exceeds a time limit, or is larger than
    /// [`body_limit`](crate::client::ClientBuilder::body_limit).
    pub async fn bytes(mut self) -> Result<Bytes> {
        self.collect().await.map(Bytes::from)
    }

    /// Reads the whole body as text: decoded by the charset of `Content-Type` (feature `charset`),
    /// or as UTF-8; invalid sequences become U+FFFD. A byte order mark is removed.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String> {
        self.collect_text("utf-8").await
    }

    /// Reads the whole body as text, decoded by `default_encoding` if `Content-Type` names no
    /// charset.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes).
    #[cfg(feature = "charset")]
    pub async fn text_with_charset(self, default_encoding: &str) -> Result<String> {
        self.collect_text(default_encoding).await
    }

    /// Reads the whole body and parses it as JSON.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes); and if the body is not JSON or does not have the shape of
    /// `T`: the error names the line, the column and the text there.
    #[cfg(feature = "json")]
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.collect_json().await
    }

    /// Returns the next piece of the body, at most 256 KiB; `None` at its end.
    ///
    /// Dropping the future loses no bytes: the next call continues where this one was.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// let mut response = leanhttp::tokio::get("https://example.org/").await?;
    /// while let Some(chunk) = response.chunk().await? {
    ///     println!("{} bytes", chunk.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded or exceeds a time limit.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let mut pieces = self.body.pieces.take().unwrap_or_default();
        let mut memory = pieces.take(self.body.left());
        // A future that is dropped here loses this memory, and no byte of the body.
        let count = self.next_bytes(&mut memory).await?;
        let piece = (count > 0).then(|| pieces.lend(memory, count));
        self.body.pieces = Some(pieces);
        Ok(piece)
    }

    /// Returns the connection after a `101 Switching Protocols` (RFC 9110 §7.8). The rules for the
    /// request, for redirects and for proxies are those of `blocking::Response::upgrade`.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// use tokio::io::AsyncWrite;
    ///
    /// let client = leanhttp::tokio::Client::new();
    /// let request = client.get("http://example.org/echo");
    /// let response = request.header("Upgrade", "echo").header("Connection", "upgrade").send().await?;
    /// let echo: Box<dyn AsyncWrite> = Box::new(response.upgrade().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Kind::Upgrade`](crate::error::Kind::Upgrade) for a response of another status, which is
    /// not a fault of the server: it may not support the protocol. The error contains the response,
    /// which `Response::try_from(error)` returns.
    #[expect(clippy::unused_async, reason = "as in reqwest; a later version may have to wait")]
    pub async fn upgrade(self) -> Result<Upgraded<F>> {
        self.into_upgraded()
    }
}

#[cfg(feature = "runtime")]
impl<F: Asynchronous> Response<ResponseBody<F>> {
    /// Reads the next decoded bytes of the body into a buffer, at least one unless `into` is empty; 0 means the end.
    /// Dropping the future loses no bytes.
    ///
    /// This is for runtimes of your own, whose traits for readers differ; in tokio a response is an `AsyncRead`.
    ///
    /// # Errors
    ///
    /// As for [`chunk`](Self::chunk); the `io::Error` contains an [`Error`].
    pub async fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next_bytes(into).await.map_err(Error::into_io)
    }
}

#[cfg(feature = "runtime")]
impl<F: Asynchronous> Upgraded<F> {
    /// Reads at least one byte, unless `into` is empty; 0 means the end. Dropping the future loses no bytes.
    ///
    /// These methods are for runtimes of your own; in tokio an upgraded connection is an `AsyncRead` and an
    /// `AsyncWrite`.
    ///
    /// # Errors
    ///
    /// If the connection is broken, or a read takes longer than its timeout; then you may read again. The `io::Error`
    /// contains an [`Error`].
    pub async fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_once(into).await.map_err(Error::into_io)
    }

    /// Accepts at least one of these bytes, unless there are none, and returns their number. Over TLS they may be sent
    /// only by the next call or by [`flush`](Self::flush). Dropping the future sends nothing.
    ///
    /// # Errors
    ///
    /// If the connection is broken, or a write takes longer than its timeout. The `io::Error` contains an [`Error`].
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_once(bytes).await.map_err(Error::into_io)
    }

    /// Sends all bytes that were accepted.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn flush(&mut self) -> io::Result<()> {
        self.flush_accepted().await.map_err(Error::into_io)
    }

    /// Shuts down the sending half, over TLS with `close_notify`; you can still read what the peer sends.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn end_writing(&mut self) -> io::Result<()> {
        self.finish_writing().await.map_err(Error::into_io)
    }
}

impl<F: Asynchronous> Lines<F> {
    /// Returns the next line; `None` at the end. Dropping the future loses nothing. See
    /// [`Response::lines`].
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// let mut lines = leanhttp::tokio::get("https://example.org/log").await?.lines();
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", line?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Result<String>> {
        self.next_line().await
    }
}

#[cfg(feature = "json")]
impl<F: Asynchronous, T: DeserializeOwned> JsonLines<F, T> {
    /// Returns the next value; `None` at the end. Dropping the future loses nothing. See
    /// [`Response::json_lines`].
    pub async fn next(&mut self) -> Option<Result<T>> {
        self.next_value().await
    }
}

#[cfg(feature = "sse")]
impl<F: Asynchronous> Events<F> {
    /// Returns the next event; `None` at the end. Dropping the future loses nothing. See
    /// [`Response::events`].
    pub async fn next(&mut self) -> Option<Result<Event>> {
        self.next_event().await
    }
}

#[cfg(feature = "sse")]
impl<F: Asynchronous> EventSource<F> {
    /// Returns the next event; `None` at the end. Dropping the future loses nothing, also while the source
    /// connects or waits: the next future continues. Dropping the source ends the call and closes the
    /// connection.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tokio")]
    /// # async fn example() -> leanhttp::Result<()> {
    /// let client = leanhttp::tokio::Client::new();
    /// let mut source = client.event_source("https://example.org/events").build()?;
    /// while let Some(event) = source.next().await {
    ///     println!("{}", event?.data());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`EventSource`]; and if this is not awaited where the runtime can make calls, such as in a tokio
    /// runtime with timers and I/O.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        if let Err(error) = check(self.runtime()) {
            return Some(Err(error));
        }
        self.next_event().await
    }
}
