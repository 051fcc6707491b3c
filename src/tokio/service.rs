//! The client as a tower service, and bodies of the crate `http_body` (feature `tower`).

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use tower_service::Service;

use super::body::{Pieces, Source};
use super::{Body, Client, Request, Response, ResponseBody, Tokio};
use crate::body::{AwaitedTrailers, SourceLength};
use crate::client::asynchronous::call;
use crate::error::{Error, Result};

/// Sends requests, with their own timeouts and policies. See [the page of the async
/// client](crate::tokio#tower) for its behavior as a service.
impl<D> Service<Request> for crate::client::Client<Tokio, D> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        ResponseFuture(Box::pin(call(self.clone().standard(), Ok(request.parts))))
    }
}

impl<D> Service<Request> for &crate::client::Client<Tokio, D> {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        ResponseFuture(Box::pin(call(self.clone().standard(), Ok(request.parts))))
    }
}

impl<D> crate::client::Client<Tokio, D> {
    /// Returns this client as a service of `http::Request`, for programs and middleware that know only the
    /// crates `http` and `tower`. It shares the client's connections and settings.
    ///
    /// ```no_run
    /// use leanhttp::tokio::{Client, ResponseBody};
    /// use tower_service::Service;
    ///
    /// # async fn example() -> leanhttp::Result<()> {
    /// let mut service = Client::new().http_service();
    /// let request = http::Request::post("https://example.org/").body("text".to_owned()).unwrap();
    /// let response: http::Response<ResponseBody> = service.call(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_service(&self) -> HttpService {
        HttpService { client: self.clone().standard() }
    }
}

/// A client as a service of requests of the crate `http`, by [`Client::http_service`].
///
/// Their URIs have to be absolute; an invalid request is reported by the future. A body is sent as by
/// [`Body::wrap`].
#[derive(Debug, Clone)]
pub struct HttpService {
    client: Client,
}

impl<B> Service<http::Request<B>> for HttpService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = http::Response<ResponseBody>;
    type Error = Error;
    type Future = ResponseFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let call = Request::try_from(request.map(Body::wrap)).map(|r| self.client.execute(r));
        ResponseFuture(Box::pin(async move { call?.await.map(Into::into) }))
    }
}

/// The future of a response. Dropping it ends the call and closes its connection.
pub struct ResponseFuture<T>(Pin<Box<dyn Future<Output = Result<T>> + Send + Sync>>);

impl<T> Future for ResponseFuture<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> fmt::Debug for ResponseFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

/// Returns the decoded body as it arrives, in frames of at most 256 KiB; the last frame has the
/// trailers, if there are any.
impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Some(piece) = ready!(self.poll_piece(cx))? {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        Poll::Ready(
            self.trailers
                .take()
                .map(|mut fields| Ok(Frame::trailers(std::mem::take(&mut *fields)))),
        )
    }

    /// Returns false while the rest of the request is sent: a caller that stopped here would cut
    /// it.
    fn is_end_stream(&self) -> bool {
        self.left() == Some(0) && self.trailers.is_none() && !self.is_sending()
    }

    /// Returns an exact hint, except while the rest of the request is sent, for the same reason.
    fn size_hint(&self) -> SizeHint {
        let Some(left) = self.left() else { return SizeHint::default() };
        if !self.is_sending() {
            return SizeHint::with_exact(left);
        }
        let mut hint = SizeHint::default();
        hint.set_lower(left);
        hint
    }
}

/// Returns the body in frames: each piece of bytes as it is, readers in pieces of at most 16 KiB, and then
/// the trailers, if there are any.
impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        if let Some(piece) = ready!(self.poll_piece(cx)) {
            return Poll::Ready(Some(piece.map(Frame::data)));
        }
        Poll::Ready(self.take_trailers().map(|fields| match fields {
            Ok(fields) => Ok(Frame::trailers(fields)),
            Err(error) => Err(Error::builder("body").cause(error)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.is_at_end()
    }

    fn size_hint(&self) -> SizeHint {
        self.left().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Body {
    /// Sends another body; its length is announced if its size hint is exact.
    ///
    /// Trailers are sent after a chunked body, that is, if the body's length is not known or the
    /// request has a field `Trailer` (RFC 9110 §6.6.2). After a body of announced length HTTP/1.1
    /// has no trailers, so they are dropped. Fields that a server needs before the body, such as
    /// `Content-Type`, are an error in the trailers.
    ///
    /// A `String`, and a body of this crate, is sent as it is: it can be sent again if it has to be.
    ///
    /// An error of the other body ends the call ([`Kind::Body`](crate::error::Kind::Body)), and the
    /// server does not take the request as complete.
    pub fn wrap<B>(body: B) -> Self
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let mut body = Some(body);
        let any: &mut dyn Any = &mut body;
        // Bytes in memory can be sent again, which no frames of another body can.
        if let Some(own) = any.downcast_mut::<Option<Self>>().and_then(Option::take) {
            return own;
        }
        if let Some(text) = any.downcast_mut::<Option<String>>().and_then(Option::take) {
            return text.into();
        }
        let Some(body) = body else { return Self::default() };
        let length = body.size_hint().exact().map_or(SourceLength::Unknown, SourceLength::Exactly);
        let (mut body, trailers) = (Box::pin(body), Arc::<AwaitedTrailers>::default());
        let came = Arc::clone(&trailers);
        let pieces = Pieces::new(move |cx| next_piece(body.as_mut(), &came, cx));
        Self::from_source(Source::new(pieces), length).awaiting(trailers)
    }
}

fn next_piece<B>(
    mut body: Pin<&mut B>,
    trailers: &AwaitedTrailers,
    cx: &mut Context<'_>,
) -> Poll<Option<io::Result<Bytes>>>
where
    B: http_body::Body,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    loop {
        match ready!(body.as_mut().poll_frame(cx)).transpose().map_err(io::Error::other) {
            Err(error) => return Poll::Ready(Some(Err(error))),
            Ok(None) => return Poll::Ready(None),
            Ok(Some(frame)) => {
                match frame.into_data().map_err(Frame::into_trailers) {
                    Ok(mut piece) => {
                        return Poll::Ready(Some(Ok(piece.copy_to_bytes(piece.remaining()))));
                    }
                    Err(Ok(fields)) => trailers.came(fields),
                    Err(Err(_)) => {} // an unknown kind of frame
                }
            }
        }
    }
}
