//! The blocking runtime: std's clock and threads, and sockets that block within their timeouts.
//!
//! 1. [`Blocking`]: connecting and name lookups. The system makes the attempts; std has no way to
//!    wait for the first of several, so [`any_of`](Runtime::any_of) waits inside the connect call of
//!    the newest one, and looks at the others from time to time.
//! 2. [`Stream`]: a connected socket. Reads and writes end by the socket's timeouts. Setting one
//!    costs a system call, so the stream remembers what is set.
//! 3. [`Event`]: a condition variable.
//!
//! No future here is ever pending.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
#[cfg(unix)]
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

use socket2::Socket;
#[cfg(unix)]
use socket2::{Domain, Type};

use super::body::Source;
use crate::config::SocketOptions;
use crate::config::dns::Resolver;
use crate::driver::runtime::{
    self, Dial, Dialled, Found, Meanwhile, Oneshot, Pending, Runtime, SocketError,
};
use crate::os::lookups::{Lookups, Threads};
use crate::os::{self, Connecting};
use crate::policy::deadline::Wait;

/// The blocking runtime, as a type parameter; each client has one of its own.
#[derive(Debug, Clone, Default)]
pub struct Blocking {
    lookups: Arc<Lookups<Event, Threads>>,
}

impl runtime::sealed::Sealed for Blocking {}

impl Runtime for Blocking {
    type Source = Source;
    type Stream = Stream;
    type Connecting = SocketAttempt;
    type Event = Event;

    const BLOCKS: bool = true;

    async fn read(source: &mut Source, into: &mut [u8]) -> io::Result<usize> {
        source.read(into)
    }

    fn connect(&self, address: SocketAddr, options: &SocketOptions) -> io::Result<SocketAttempt> {
        let socket = os::socket(address, options)?;
        Ok(SocketAttempt { socket, has_begun: false, write_limit: None })
    }

    async fn any_of(
        &self,
        attempts: &mut Vec<Dial<SocketAttempt>>,
        at_most: Option<Duration>,
        stop: Option<&Event>,
    ) -> Option<Dialled<Stream>> {
        let tick = (stop.is_some() || attempts.len() != 1).then_some(TICK);
        let limit = shorter(at_most, tick).unwrap_or(Duration::MAX);
        match attempts.iter().position(|attempt| !attempt.connecting.has_begun) {
            Some(new) => match begin(attempts.get_mut(new)?, limit) {
                Ok(Connecting::Done) => Some(end(attempts.swap_remove(new), Ok(()))),
                Ok(Connecting::GoesOn) => look(attempts),
                Err(error) => Some(end(attempts.swap_remove(new), Err(error))),
            },
            None => {
                thread::sleep(limit.min(TICK));
                look(attempts)
            }
        }
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path, wait: Wait) -> Result<Stream, SocketError> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = socket2::SockAddr::unix(path)?;
        let begin = Instant::now();
        let mut left = wait.at_most;
        loop {
            // While the listener's queue is full, Linux waits for at most the write timeout; a
            // non-blocking socket would get an error.
            socket.set_write_timeout(for_system(left))?;
            match socket.connect(&address) {
                Ok(()) => return Ok(Stream::new(socket, Some(left))),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    left = wait.at_most.map(|limit| limit.saturating_sub(begin.elapsed()));
                }
                Err(error) => return Err(in_vain(error, wait)),
            }
        }
    }

    fn look_up(&self, host: String, resolver: Resolver, answer: Arc<Oneshot<Found, Event>>) {
        self.lookups.begin(&host, resolver, Threads, &answer);
    }

    fn lookup_obstacle(&self, host: &str) -> Option<String> {
        self.lookups.obstacle(host)
    }
}

/// The interval at which attempts are polled if there are several, or if the call can be canceled.
/// Several exist only after the first 0.25 s.
const TICK: Duration = Duration::from_millis(5);

/// The shortest wait for the system to connect.
const SHORTEST: Duration = Duration::from_millis(1);

/// A socket that is to be connected, or that the system is connecting.
#[derive(Debug)]
pub struct SocketAttempt {
    socket: Socket,
    has_begun: bool,
    /// The write timeout that the socket was left with, if it is known.
    write_limit: Option<Limit>,
}

/// Starts to connect, and waits for at most `limit`.
fn begin(attempt: &mut Dial<SocketAttempt>, limit: Duration) -> io::Result<Connecting> {
    let Dial { address, connecting } = attempt;
    let limit = limit.max(SHORTEST);
    connecting.has_begun = true;
    connecting.write_limit = os::CONNECT_SETS_WRITE_LIMIT.then_some(Some(limit));
    os::connect(&connecting.socket, *address, limit)
}

/// Checks all attempts without waiting. The system returns an error only once, so only one attempt
/// is asked for its error.
fn look(attempts: &mut Vec<Dial<SocketAttempt>>) -> Option<Dialled<Stream>> {
    let sockets = || attempts.iter().map(|attempt| &attempt.connecting.socket);
    // A connected socket has a peer.
    if let Some(at) = sockets().position(|socket| socket.peer_addr().is_ok()) {
        return Some(end(attempts.swap_remove(at), Ok(())));
    }
    let failure = |socket: &Socket| socket.take_error().unwrap_or_else(Some);
    let failed = sockets().enumerate().find_map(|(at, socket)| Some((at, failure(socket)?)));
    let (at, error) = failed?;
    Some(end(attempts.swap_remove(at), Err(error)))
}

fn end(attempt: Dial<SocketAttempt>, outcome: io::Result<()>) -> Dialled<Stream> {
    let SocketAttempt { socket, write_limit, .. } = attempt.connecting;
    (attempt.address, outcome.map(|()| Stream::new(socket, write_limit)))
}

/// The limit of a wait; `None` waits without limit.
type Limit = Option<Duration>;

/// A connected socket.
#[derive(Debug)]
pub struct Stream {
    /// Shared with cancel hooks, which shut the socket down.
    socket: Arc<Socket>,
    /// The timeouts that are set on the socket, if they are known: setting one costs a system call.
    read_limit: Option<Limit>,
    write_limit: Option<Limit>,
}

impl Stream {
    /// Creates a stream. `write_limit` is the write timeout that is set on the socket, if it is
    /// known.
    fn new(socket: Socket, write_limit: Option<Limit>) -> Self {
        Self { socket: Arc::new(socket), read_limit: None, write_limit }
    }

    #[inline]
    fn write_for(&mut self, bytes: &[u8], limit: Limit) -> io::Result<usize> {
        if !self.write_limit.is_some_and(|known| is_near(known, limit)) {
            self.socket.set_write_timeout(for_system(limit))?;
            self.write_limit = Some(limit);
        }
        os::send(&self.socket, bytes)
    }
}

impl runtime::Stream for Stream {
    async fn read(&mut self, into: &mut [u8], wait: Wait) -> Result<usize, SocketError> {
        if !self.read_limit.is_some_and(|known| is_near(known, wait.at_most)) {
            self.socket.set_read_timeout(for_system(wait.at_most))?;
            self.read_limit = Some(wait.at_most);
        }
        (&*self.socket).read(into).map_err(|error| in_vain(error, wait))
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> Result<usize, SocketError> {
        let mut left = wait.at_most;
        if meanwhile == Meanwhile::Converse {
            match os::try_send(&self.socket, bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Ok(sent?),
            }
            if self.pending() != Pending::Nothing {
                return Ok(0);
            }
        }
        let longest = match meanwhile {
            Meanwhile::Converse => CONVERSING_WRITE,
            Meanwhile::Listen => LONGEST_WRITE,
            // Nothing else is watched, so the timeout that connecting has left on the socket is
            // good enough.
            Meanwhile::Wait => self.write_limit.flatten().or(LONGEST_WRITE),
        };
        while left != Some(Duration::ZERO) {
            let now = shorter(left, longest);
            match self.write_for(bytes, now) {
                Err(error) if now.is_some() && error.kind() == LIMIT_PASSED => {}
                sent => return Ok(sent?),
            }
            if meanwhile != Meanwhile::Wait && self.pending() != Pending::Nothing {
                return Ok(0);
            }
            left = left.map(|left| left.saturating_sub(now.unwrap_or(left)));
        }
        Err(wait.expired.into())
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()?.as_socket()
    }

    fn pending(&self) -> Pending {
        pending(&self.socket)
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let socket = Arc::clone(&self.socket);
        move || drop(socket.shutdown(Shutdown::Both)) // fails if it is already closed
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        if self.socket.set_write_timeout(Some(FAREWELL)).is_ok() {
            let _ = os::send(&self.socket, bytes);
        }
    }
}

/// The interval after which a blocked write checks whether the peer has answered or is gone; the
/// system may not report either while the peer accepts no bytes. Not on Windows, which loses the
/// count of sent bytes when a write times out.
const LONGEST_WRITE: Limit = if cfg!(unix) { Some(Duration::from_millis(250)) } else { None };

/// The interval while both halves of the exchange move: the peer may answer as soon as it has read.
const CONVERSING_WRITE: Limit = if cfg!(unix) { Some(Duration::from_millis(10)) } else { None };

fn shorter(one: Limit, other: Limit) -> Limit {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Returns whether a timeout can stay as it is: it is equal, or longer by at most 1/64. In a
/// handshake each step has slightly less time than the one before.
fn is_near(known: Limit, wanted: Limit) -> bool {
    match (known, wanted) {
        _ if known == wanted => true,
        (Some(known), Some(wanted)) => {
            known.checked_sub(wanted).is_some_and(|longer| longer <= wanted / 64)
        }
        _ => false,
    }
}

/// Returns the limit as a socket timeout, which has microseconds, with 0 for no limit.
fn for_system(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit.max(Duration::from_micros(1)))
}

#[cfg(unix)]
fn pending(socket: &Socket) -> Pending {
    os::pending(socket)
}

/// Such platforms have no flag for a non-blocking peek.
#[cfg(not(unix))]
fn pending(socket: &Socket) -> Pending {
    let looked = socket.set_nonblocking(true).map(|()| os::pending(socket));
    let restored = socket.set_nonblocking(false);
    looked.and_then(|pending| restored.map(|()| pending)).unwrap_or(Pending::End)
}

/// The time limit for the final bytes: they need none unless the system's buffers are full.
const FAREWELL: Duration = Duration::from_millis(1);

/// The error kind of an expired socket timeout. On Unix `TimedOut` has another meaning: the system
/// has given the connection up.
const LIMIT_PASSED: io::ErrorKind =
    if cfg!(unix) { io::ErrorKind::WouldBlock } else { io::ErrorKind::TimedOut };

/// Maps the error of a system call to an expired limit or an I/O error.
fn in_vain(error: io::Error, wait: Wait) -> SocketError {
    if error.kind() == LIMIT_PASSED && wait.at_most.is_some() {
        return wait.expired.into();
    }
    error.into()
}

/// A one-shot event that a thread waits for.
#[derive(Debug, Default)]
pub struct Event {
    is_set: Mutex<bool>,
    changed: Condvar,
    /// Woken as well: a thread that waits on another clock.
    waker: Mutex<Option<Waker>>,
}

impl runtime::Event for Event {
    fn set(&self) {
        *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll_set(&self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let old = self.waker.lock().unwrap_or_else(PoisonError::into_inner).replace(waker);
        drop(old);
        match *self.is_set.lock().unwrap_or_else(PoisonError::into_inner) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    async fn wait(&self, at_most: Option<Duration>) {
        let is_set = self.is_set.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |is_set: &mut bool| !*is_set;
        match at_most {
            Some(limit) => drop(self.changed.wait_timeout_while(is_set, limit, waits)),
            None => drop(self.changed.wait_while(is_set, waits)),
        }
    }
}

#[cfg(test)]
mod tests;
