//! A socket that is registered with a runtime, and the check that there is one.

use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::panic::{self, AssertUnwindSafe};
use std::task::{Context, Poll};
use std::time::Duration;

use ::tokio::io::Interest;
#[cfg(unix)]
use ::tokio::net::UnixStream;
use ::tokio::net::{self, TcpStream};
use ::tokio::runtime::{Handle, Id, TryCurrentError};
use ::tokio::time::sleep;
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

thread_local! {
    /// The last runtime that this thread has checked.
    static FIT: Cell<Option<Id>> = const { Cell::new(None) };
}

/// Returns the current runtime, or an error if there is none, or if it has no timers or no I/O.
///
/// A thread checks each runtime once.
pub(super) fn current() -> io::Result<Id> {
    let runtime = Handle::try_current().map_err(outside)?.id();
    if FIT.get() != Some(runtime) {
        check()?;
        FIT.set(Some(runtime));
    }
    Ok(runtime)
}

fn outside(error: TryCurrentError) -> io::Error {
    io::Error::other(format!("the call is not made in a runtime of tokio: {error}"))
}

/// Tries both out, because tokio has no way to ask: it panics when the first timer is created or
/// the first socket is registered. Nothing else happens within `catch_unwind`, so no state can be
/// left inconsistent.
#[cold]
fn check() -> io::Result<()> {
    let timer = panic::catch_unwind(|| drop(sleep(Duration::ZERO)));
    if timer.is_err() {
        return Err(io::Error::other(
            "the runtime of tokio has no timers (enable_time, or enable_all)",
        ));
    }
    // If there is no such socket, opening a connection will fail with the reason.
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { return Ok(()) };
    socket.set_nonblocking(true)?;
    let register = AssertUnwindSafe(|| drop(net::UdpSocket::from_std(socket)));
    let registered = panic::catch_unwind(register);
    registered
        .map_err(|_| io::Error::other("the runtime of tokio has no I/O (enable_io, or enable_all)"))
}
