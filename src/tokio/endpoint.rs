//! A socket that is registered with a runtime.

use std::io;
use std::task::{Context, Poll};

use ::tokio::io::Interest;
use ::tokio::net::TcpStream;
#[cfg(unix)]
use ::tokio::net::UnixStream;
use socket2::{SockRef, Socket};

/// A connected TCP or Unix domain socket.
#[derive(Debug)]
pub(super) enum StreamSocket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl StreamSocket {
    pub(super) fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream),
            #[cfg(unix)]
            Self::Unix(stream) => SockRef::from(stream),
        }
    }

    /// Waits until the runtime reports the socket as ready in one of the directions. The runtime
    /// caches readiness.
    pub(super) fn poll_ready(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if interest.is_readable() {
            if let Poll::Ready(outcome) = self.poll_read_ready(cx) {
                return Poll::Ready(outcome);
            }
        }
        if interest.is_writable() { self.poll_write_ready(cx) } else { Poll::Pending }
    }

    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            #[cfg(unix)]
            Self::Unix(stream) => stream.poll_read_ready(cx),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(cx),
            #[cfg(unix)]
            Self::Unix(stream) => stream.poll_write_ready(cx),
        }
    }

    /// Attempts the operation, unless the runtime has cached that the socket is not ready. Both
    /// that case and an attempt that clears the cached readiness return `WouldBlock`.
    pub(super) fn try_io<T>(
        &self,
        interest: Interest,
        attempt: impl FnOnce(&Socket) -> io::Result<T>,
    ) -> io::Result<T> {
        let attempt = || attempt(&self.socket());
        match self {
            Self::Tcp(stream) => stream.try_io(interest, attempt),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_io(interest, attempt),
        }
    }

    /// Returns the same socket, registered with the current runtime.
    pub(super) fn moved_here(&self) -> io::Result<Self> {
        let socket = self.socket().try_clone()?;
        match self {
            Self::Tcp(_) => TcpStream::from_std(socket.into()).map(Self::Tcp),
            #[cfg(unix)]
            Self::Unix(_) => UnixStream::from_std(socket.into()).map(Self::Unix),
        }
    }
}
