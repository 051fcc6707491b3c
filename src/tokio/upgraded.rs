//! Going over to another protocol, whose bytes are then read and written here.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::task::coop::consume_budget;

use super::response::poll_into;
use super::{Response, Upgraded};
use crate::error::{Error, Result};

impl Response {
    /// The connection itself, after a `101 Switching Protocols` (RFC 9110 §7.8); what holds for the
    /// request, for redirects and for proxies is the same on both fronts and stands at
    /// `blocking::Response::upgrade`.
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
    /// [`Kind::Upgrade`](crate::error::Kind::Upgrade) for a response of another status, which is no
    /// error of the server's: it may not know the protocol. The error keeps the response, which
    /// `Response::try_from(error)` gives back.
    #[expect(
        clippy::unused_async,
        reason = "as in reqwest; and there may be something to wait for"
    )]
    pub async fn upgrade(self) -> Result<Upgraded> {
        self.into_upgraded()
    }
}

/// An [`Error`] is inside each `io::Error`.
impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_into(buffer, cx, async |into| self.receive(into).await)
    }
}

/// Over TLS a write may take bytes that cannot be sent at once, and tell only the next time why:
/// `flush` what has to arrive. An [`Error`] is inside each `io::Error`.
///
/// `shutdown` flushes and ends this direction, over TLS with `close_notify`; what the peer still says
/// can be read. Dropping it closes both.
impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let send = async {
            consume_budget().await; // a socket that takes every byte must not starve other tasks
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
