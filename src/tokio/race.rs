//! Connecting to the first of several addresses that answers (Happy Eyeballs, RFC 8305): all attempts
//! are futures of the one task that waits for them.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::tokio::net::{TcpSocket, TcpStream};

use super::endpoint::Endpoint;
use super::event::Event;
use super::stream::Stream;
use super::system::System;
use crate::cancel::Watch;
use crate::dialling::SocketOptions;
use crate::driver::SocketError;
use crate::driver::system::{Event as _, Failures, System as _};
use crate::os;
use crate::policy::budget::{Budget, Expired, Operation};
use crate::policy::eyeballs::{Move, Race};

/// The connection that is made first; the other attempts are closed.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
    options: &SocketOptions,
    budget: &Budget,
) -> Result<(Stream, SocketAddr), Failures> {
    let patience = Patience::new(budget);
    let race = Race::new(addresses);
    Attempts { race, options, running: Vec::new(), failures: Vec::new() }.run(&patience).await
}

/// The one address of a Unix domain socket.
#[cfg(unix)]
pub(super) async fn connect_unix(path: &Path, budget: &Budget) -> Result<Stream, SocketError> {
    let patience = Patience::new(budget);
    let (at_most, expired) = patience.left()?;
    match patience.first(::tokio::net::UnixStream::connect(path), at_most).await {
        Some(stream) => Ok(Stream::new(Endpoint::Unix(stream?))?),
        None => Err(budget.over(expired).into()),
    }
}

#[cfg(not(unix))]
pub(super) async fn connect_unix(_: &Path, _: &Budget) -> Result<Stream, SocketError> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

struct Attempts<'a> {
    race: Race,
    options: &'a SocketOptions,
    running: Vec<Attempt>,
    failures: Failures,
}

struct Attempt {
    address: SocketAddr,
    connecting: Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>,
}

type Ended = (SocketAddr, io::Result<TcpStream>);

impl Attempts<'_> {
    async fn run(mut self, patience: &Patience<'_>) -> Result<(Stream, SocketAddr), Failures> {
        loop {
            let limit = match self.race.step(System.now()) {
                Move::Start(address) => {
                    self.start(address);
                    continue;
                }
                Move::Lost => return Err(self.failures),
                Move::Wait(limit) => limit,
            };
            let at_most = match patience.left() {
                Ok((at_most, _)) => limit.into_iter().chain(at_most).min(),
                Err(expired) => return Err(self.expired(expired)),
            };
            let first = patience.first(poll_fn(|cx| self.poll(cx)), at_most).await;
            match first.map(|(address, outcome)| (address, outcome.and_then(watched))) {
                Some((address, Ok(stream))) => return Ok((stream, address)),
                Some((address, Err(error))) => self.failed(address, error),
                None => {}
            }
        }
    }

    fn start(&mut self, address: SocketAddr) {
        match prepared(address, self.options) {
            Ok(socket) => {
                let connecting = Box::pin(socket.connect(address));
                self.running.push(Attempt { address, connecting });
            }
            Err(error) => self.failed(address, error),
        }
    }

    /// The attempt that has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let ended = self.running.iter_mut().enumerate().find_map(|(at, attempt)| {
            match attempt.connecting.as_mut().poll(cx) {
                Poll::Ready(outcome) => Some((at, outcome)),
                Poll::Pending => None,
            }
        });
        let Some((at, outcome)) = ended else { return Poll::Pending };
        Poll::Ready((self.running.swap_remove(at).address, outcome))
    }

    fn failed(&mut self, address: SocketAddr, error: io::Error) {
        self.failures.push((address, error.into()));
        self.race.failed(System.now());
    }

    /// The time is over for all of them.
    fn expired(self, expired: Expired) -> Failures {
        let running = self.running.iter().map(|attempt| (attempt.address, expired.into()));
        self.failures.into_iter().chain(running).collect()
    }
}

fn prepared(address: SocketAddr, options: &SocketOptions) -> io::Result<TcpSocket> {
    let socket = os::socket(address, options)?;
    socket.set_nonblocking(true)?;
    Ok(TcpSocket::from_std_stream(socket.into()))
}

fn watched(stream: TcpStream) -> io::Result<Stream> {
    Stream::new(Endpoint::Tcp(stream))
}

/// The budget of making a connection, and what wakes up whoever waits when nobody wants it any more.
struct Patience<'a> {
    budget: &'a Budget,
    cancelled: Arc<Event>,
    _watch: Option<Watch>,
}

impl<'a> Patience<'a> {
    fn new(budget: &'a Budget) -> Self {
        let cancelled = Arc::new(Event::default());
        let watch = budget.cancel_token().map(|token| {
            let cancelled = Arc::clone(&cancelled);
            token.on_cancel(move || cancelled.set())
        });
        Self { budget, cancelled, _watch: watch }
    }

    fn left(&self) -> Result<(Option<Duration>, Expired), Expired> {
        let wait = self.budget.wait(Operation::Connect, || System.now())?;
        Ok((wait.at_most, wait.expired))
    }

    /// What comes of it, if it comes in that time.
    async fn first<T>(
        &self,
        future: impl Future<Output = T>,
        at_most: Option<Duration>,
    ) -> Option<T> {
        let (mut future, mut over) = (pin!(future), pin!(self.cancelled.wait(at_most)));
        let both = poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => over.as_mut().poll(cx).map(|()| None),
        });
        both.await
    }
}
