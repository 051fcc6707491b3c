//! Upgrades a connection, and reads and writes on it.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::task::coop::consume_budget;

use super::response::poll_into;
use super::{Response, Upgraded};
use crate::error::{Error, Result};

impl Response {
    /// Returns the connection after a `101 Switching Protocols` (RFC 9110 §7.8). The rules for the
    /// request, for redirects and for proxies are those of `blocking::Response::upgrade`.
    ///
    /// ```no_run
    /// use tokio::io::AsyncWrite;
    ///
    /// # async fn example() -> leanhttp::Result<()> {
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
    pub async fn upgrade(self) -> Result<Upgraded> {
        self.into_upgraded()
    }
}

/// Each `io::Error` contains an [`Error`].
impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_into(buffer, cx, async |into| self.receive(into).await)
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
            self.send(bytes).await
        };
        pin!(send).poll(cx).map_err(Error::into_io)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(Upgraded::flush(&mut self)).poll(cx).map_err(Error::into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.end_writing()).poll(cx).map_err(Error::into_io)
    }
}
