//! Reads a response's body with tokio's `AsyncRead`, into its `AsyncWrite`, or as a stream; and the same for an
//! upgraded connection.
//!
//! The state of a read is in the connection and not in its future, so a future that is dropped loses nothing,
//! and each poll of `AsyncRead` or `Stream` may use a new one.

#[cfg(feature = "stream")]
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::task::coop::consume_budget;
#[cfg(any(feature = "stream", feature = "tower"))]
use bytes::Bytes;
#[cfg(feature = "stream")]
use futures_core::Stream;

use super::body::uninterrupted;
use super::{Response, ResponseBody, Upgraded};
use crate::error::{Error, Result};

/// The size of the first piece of `copy_to`, and of the largest: it doubles while reads fill it.
const COPY_PIECE: usize = 64 * 1024;
const LARGEST_COPY_PIECE: usize = 256 * 1024;

/// The part of a buffer that a read initializes, if the caller has not.
const READ_ROOM: usize = 64 * 1024;

impl Response {
    #[cfg(feature = "stream")]
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        self.body.poll_piece(cx).map_err(|error| error.for_url(&self.head.url))
    }

    /// Copies the body to `writer` piece by piece, and flushes it; returns the number of bytes.
    ///
    /// If the future is dropped while `writer` takes a piece, that piece is lost, and each later
    /// read is an error.
    ///
    /// ```no_run
    /// # async fn example(mut file: impl tokio::io::AsyncWrite + Unpin) -> leanhttp::Result<()> {
    /// let mut response = leanhttp::tokio::get("https://example.org/large.iso").await?;
    /// response.copy_to(&mut file).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded or exceeds a time limit, or if the writer fails.
    pub async fn copy_to<W: AsyncWrite + Unpin + ?Sized>(&mut self, writer: &mut W) -> Result<u64> {
        let mut piece = vec![0; COPY_PIECE];
        let mut copied = 0;
        loop {
            let count = self.next_bytes(&mut piece).await?;
            if count == 0 {
                let flushed = poll_fn(|cx| Pin::new(&mut *writer).poll_flush(cx)).await;
                return flushed.map(|()| copied).map_err(|error| self.writer_error(error));
            }
            let held = self.body.hold();
            write_all(writer, piece.split_at(count).0)
                .await
                .map_err(|error| self.writer_error(error))?;
            self.body.go_on(held);
            copied += count as u64;
            if count == piece.len() && count < LARGEST_COPY_PIECE {
                piece = vec![0; 2 * count];
            }
        }
    }
}

#[cfg(any(feature = "stream", feature = "tower"))]
impl ResponseBody {
    /// Polls for the next piece of the body; `None` at its end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let mut pieces = self.pieces.take().unwrap_or_default();
        let mut memory = pieces.take(self.left());
        let read = pin!(self.next_bytes(&mut memory)).poll(cx);
        let piece = match read {
            Poll::Ready(Ok(count @ 1..)) => Poll::Ready(Ok(Some(pieces.lend(memory, count)))),
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(None)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                pieces.put_back(memory);
                Poll::Pending
            }
        };
        self.pieces = Some(pieces);
        piece
    }
}

pub(super) async fn write_all<W: AsyncWrite + Unpin + ?Sized>(
    writer: &mut W,
    mut bytes: &[u8],
) -> io::Result<()> {
    while !bytes.is_empty() {
        let write = poll_fn(|cx| {
            let written = Pin::new(&mut *writer).poll_write(cx, bytes);
            uninterrupted(written, cx)
        });
        let count = write.await?;
        bytes = match bytes.split_at_checked(count) {
            Some((_, rest)) if count > 0 => rest,
            _ => return Err(io::ErrorKind::WriteZero.into()),
        };
    }
    Ok(())
}

/// Reads the decoded body as it arrives. Each `io::Error` contains an [`Error`].
impl AsyncRead for Response {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_into(buffer, cx, async |into| self.next_bytes(into).await)
    }
}

/// Reads the decoded body as it arrives. Each `io::Error` contains an [`Error`].
impl AsyncRead for ResponseBody {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_into(buffer, cx, async |into| self.next_bytes(into).await)
    }
}

#[cfg(feature = "stream")]
impl Response {
    /// Returns the body as a stream of chunks, each as [`chunk`](Self::chunk) returns it. It ends
    /// with the body, or after the first error.
    pub fn bytes_stream(self) -> BytesStream {
        BytesStream { response: Some(self) }
    }
}

/// A stream of the chunks of a response's body.
#[cfg(feature = "stream")]
pub struct BytesStream {
    /// `None` after the end.
    response: Option<Response>,
}

#[cfg(feature = "stream")]
impl Stream for BytesStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Some(response) = &mut self.response else { return Poll::Ready(None) };
        let chunk = ready!(response.poll_chunk(cx)).transpose();
        if !matches!(chunk, Some(Ok(_))) {
            self.response = None;
        }
        Poll::Ready(chunk)
    }
}

#[cfg(feature = "stream")]
impl fmt::Debug for BytesStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesStream").field("response", &self.response).finish_non_exhaustive()
    }
}

/// Each `io::Error` contains an [`Error`].
impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_into(buffer, cx, async |into| self.read_once(into).await)
    }
}

/// Over TLS a write may accept bytes that cannot be sent immediately, and only the next call
/// reports the error: call `flush` for data that has to arrive. Each `io::Error` contains an
/// [`Error`].
///
/// `shutdown` flushes and shuts down the sending half, over TLS with `close_notify`; you can still
/// read what the peer sends. Dropping the connection closes both halves.
impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let send = async {
            consume_budget().await; // a socket that accepts every byte must not starve other tasks
            self.write_once(bytes).await
        };
        pin!(send).poll(cx).map_err(Error::into_io)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.flush_accepted()).poll(cx).map_err(Error::into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.finish_writing()).poll(cx).map_err(Error::into_io)
    }
}

/// Reads into the unfilled part of a buffer. The state is in the connection and not in the future,
/// so each poll can use a new future.
fn poll_into(
    buffer: &mut ReadBuf<'_>,
    cx: &mut Context<'_>,
    read: impl AsyncFnOnce(&mut [u8]) -> Result<usize>,
) -> Poll<io::Result<()>> {
    // Memory that the caller has not initialized is initialized here, but no more of it than a read needs: the
    // cost of a read must not depend on the size of its buffer.
    let initialized = buffer.initialized().len() - buffer.filled().len();
    let room = buffer.remaining().min(initialized.max(READ_ROOM));
    let read = ready!(pin!(read(buffer.initialize_unfilled_to(room))).poll(cx));
    buffer.advance(read.map_err(Error::into_io)?);
    Poll::Ready(Ok(()))
}

#[cfg(test)]
mod tests;
