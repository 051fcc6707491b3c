//! Bodies as streams of chunks, in both directions (feature `stream`).

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::AsyncRead;

use super::pieces::Pieces;
use crate::body::SourceLength;
use crate::error::Result;
use crate::tokio::{Body, Response, Source, filled};

impl Body {
    /// Creates a body of unknown length, which is sent in chunks as the stream returns them.
    ///
    /// An error of the stream ends the call ([`Kind::Body`](crate::error::Kind::Body)), and the
    /// server does not take the request as complete.
    pub fn wrap_stream<S, O, E>(stream: S) -> Self
    where
        S: Stream<Item = std::result::Result<O, E>> + Send + 'static,
        O: Into<Bytes>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self::from_source(Source::new(reader(stream)), SourceLength::Unknown)
    }
}

impl Response {
    /// Returns the body as a stream of chunks, each as [`chunk`](Self::chunk) returns it. It ends
    /// with the body, or after the first error.
    pub fn bytes_stream(self) -> BytesStream {
        BytesStream { response: Some(self), piece: Vec::new() }
    }
}

/// A stream of the chunks of a response's body.
pub struct BytesStream {
    /// `None` after the end.
    response: Option<Response>,
    /// The buffer for the next chunk.
    piece: Vec<u8>,
}

impl Stream for BytesStream {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Self { response, piece } = self.get_mut();
        let Some(body) = response else { return Poll::Ready(None) };
        if piece.is_empty() {
            piece.resize(body.room(), 0);
        }
        let read = ready!(pin!(body.next_bytes(piece)).poll(cx));
        if !matches!(read, Ok(1..)) {
            *response = None;
        }
        let piece = std::mem::take(piece);
        Poll::Ready(read.map(|count| (count > 0).then(|| filled(piece, count))).transpose())
    }
}

impl fmt::Debug for BytesStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesStream").field("response", &self.response).finish_non_exhaustive()
    }
}

/// Returns an `AsyncRead` over a stream of chunks.
fn reader<S, O, E>(stream: S) -> impl AsyncRead + Send + 'static
where
    S: Stream<Item = std::result::Result<O, E>> + Send + 'static,
    O: Into<Bytes>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut stream = Box::pin(stream);
    Pieces::new(move |cx: &mut Context<'_>| {
        let piece = stream.as_mut().poll_next(cx);
        piece.map_ok(Into::into).map_err(io::Error::other)
    })
}
