//! The client as a tower service, and bodies of the crate `http_body` (feature `tower`).

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use tower_service::Service;

use super::body::{Pieces, Source};
use super::response::CHUNK;
use super::{Body, Client, Request, Response, ResponseBody};
use crate::body::{AwaitedTrailers, SourceLength};
use crate::error::{Error, Result};

/// Sends requests of the crate `http`, whose URIs have to be absolute; an invalid request is
/// reported by the future.
///
/// See [the page of the async client](crate::tokio#tower) for its behavior as a service.
///
/// ```no_run
/// use leanhttp::tokio::{Body, Client, ResponseBody};
/// use tower_service::Service;
///
/// # async fn example() -> leanhttp::Result<()> {
/// let request = http::Request::post("https://example.org/").body("text").unwrap();
/// let response: http::Response<ResponseBody> = Client::new().call(request).await?;
/// # Ok(())
/// # }
/// ```
impl<B: Into<Body>> Service<http::Request<B>> for Client {
    type Response = http::Response<ResponseBody>;
    type Error = Error;
    type Future = ResponseFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (client, request) = (self.clone(), Request::try_from(request));
        ResponseFuture(Box::pin(async move { client.execute(request?).await.map(Into::into) }))
    }
}

/// Sends requests of this crate, with their own timeouts and policies.
impl Service<Request> for Client {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let client = self.clone();
        ResponseFuture(Box::pin(async move { client.execute(request).await }))
    }
}

impl<R> Service<R> for &Client
where
    Client: Service<R>,
{
    type Response = <Client as Service<R>>::Response;
    type Error = <Client as Service<R>>::Error;
    type Future = <Client as Service<R>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Self::Error>> {
        Client::clone(self).poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        Client::clone(self).call(request)
    }
}

/// The future of a response. Dropping it ends the call and closes its connection.
pub struct ResponseFuture<T>(Pin<Box<dyn Future<Output = Result<T>> + Send>>);

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

/// Returns the decoded body as it arrives, in frames of at most 16 KiB; the last frame has the
/// trailers, if there are any.
impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let mut piece = [0; CHUNK];
        let count = ready!(pin!(self.next_bytes(&mut piece)).poll(cx))?;
        if count > 0 {
            let piece = piece.get(..count).unwrap_or_default();
            return Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(piece)))));
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

impl Body {
    /// Sends another body; its length is announced if its size hint is exact.
    ///
    /// Trailers are sent after a chunked body, that is, if the body's length is not known or the
    /// request has a field `Trailer` (RFC 9110 §6.6.2). After a body of announced length HTTP/1.1
    /// has no trailers, so they are dropped. Fields that a server needs before the body, such as
    /// `Content-Type`, are an error in the trailers.
    ///
    /// An error of the other body ends the call ([`Kind::Body`](crate::error::Kind::Body)), and the
    /// server does not take the request as complete.
    pub fn wrap<B>(body: B) -> Self
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
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
