//! Connects to several addresses at the same time: all attempts are futures in the task that waits
//! for them.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::tokio::net::{TcpSocket, TcpStream};
use ::tokio::task::yield_now;

use super::endpoint::StreamSocket;
use super::event::Event;
use super::stream::Stream;
use super::system::now;
use crate::config::SocketOptions;
use crate::driver::system::{Failures, in_time};
use crate::driver::{SocketError, connect::race};
use crate::os;
use crate::policy::deadline::Budget;
#[cfg(unix)]
use crate::policy::deadline::Operation;

/// Returns the first connection that succeeds; the other attempts are closed.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
    options: &SocketOptions,
    budget: &Budget,
) -> Result<(Stream, SocketAddr), Failures> {
    let attempts = SocketAttempts { options, budget, running: Vec::new() };
    race::connect(addresses, attempts, budget, now).await
}

/// Connects to a Unix domain socket.
#[cfg(unix)]
pub(super) async fn connect_unix(path: &Path, budget: &Budget) -> Result<Stream, SocketError> {
    let wait = budget.wait(Operation::Connect, now)?;
    let connecting = ::tokio::net::UnixStream::connect(path);
    match in_time::<Event, _>(connecting, wait.at_most, budget).await {
        Some(stream) => Ok(Stream::new(StreamSocket::Unix(stream?))?),
        None => Err(budget.over(wait.expired).into()),
    }
}

#[cfg(not(unix))]
pub(super) async fn connect_unix(_: &Path, _: &Budget) -> Result<Stream, SocketError> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

struct SocketAttempts<'a> {
    options: &'a SocketOptions,
    budget: &'a Budget,
    running: Vec<SocketAttempt>,
}

struct SocketAttempt {
    address: SocketAddr,
    connecting: Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>,
}

impl race::Attempts for SocketAttempts<'_> {
    type Connection = Stream;

    fn start(&mut self, address: SocketAddr) -> io::Result<()> {
        let socket = prepared(address, self.options)?;
        self.running.push(SocketAttempt { address, connecting: Box::pin(socket.connect(address)) });
        Ok(())
    }

    async fn first(
        &mut self,
        at_most: Option<Duration>,
    ) -> Option<(SocketAddr, io::Result<Stream>)> {
        if at_most == Some(Duration::ZERO) {
            yield_now().await; // lets the runtime poll its sockets
        }
        let ended = poll_fn(|cx| poll(&mut self.running, cx));
        let (address, outcome) = in_time::<Event, _>(ended, at_most, self.budget).await?;
        Some((address, outcome.and_then(|stream| Stream::new(StreamSocket::Tcp(stream)))))
    }

    fn running(&self) -> impl Iterator<Item = SocketAddr> {
        self.running.iter().map(|attempt| attempt.address)
    }
}

/// Returns an attempt that has ended.
fn poll(
    running: &mut Vec<SocketAttempt>,
    cx: &mut Context<'_>,
) -> Poll<(SocketAddr, io::Result<TcpStream>)> {
    let ended = running.iter_mut().enumerate().find_map(|(at, attempt)| {
        match attempt.connecting.as_mut().poll(cx) {
            Poll::Ready(outcome) => Some((at, outcome)),
            Poll::Pending => None,
        }
    });
    let Some((at, outcome)) = ended else { return Poll::Pending };
    Poll::Ready((running.swap_remove(at).address, outcome))
}

fn prepared(address: SocketAddr, options: &SocketOptions) -> io::Result<TcpSocket> {
    let socket = os::socket(address, options)?;
    socket.set_nonblocking(true)?;
    Ok(TcpSocket::from_std_stream(socket.into()))
}
