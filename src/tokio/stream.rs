//! A connected socket of the tokio runtime: non-blocking, with waits that are bounded by reusable
//! timers.
//!
//! Each operation tries first, and waits for readiness only if the socket is not ready:
//!
//! ```text
//! read ─▶ attempt ─▶ bytes, or the end
//!           │  ▲
//!           ▼  │ the runtime reports readiness
//!         ready ─▶ the timer fires ─▶ one last attempt, past the runtime's cache
//! ```
//!
//! tokio caches readiness: it learns of new bytes only when its thread polls the system, which a busy
//! program does late. So a look at the input ([`pending`](runtime::Stream::pending)) asks the socket
//! itself, remembers bytes that the runtime does not know of yet (`is_spotted`), and the next read
//! takes them immediately.
//!
//! A future of this file may be dropped at any point. The wait continues when the operation is called
//! again, because its deadline is kept in the [`Alarm`] and not in the future; so an `AsyncRead` that
//! makes a future for each poll has the same limits as one long wait.
//!
//! A socket is registered with one runtime. If it is used in another, it is registered there anew
//! ([`settle`](Stream::settle)). `tests/tokio/` guards all of this.

use std::future::poll_fn;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use ::tokio::io::Interest;
use ::tokio::runtime::Id;
use ::tokio::task::coop::consume_budget;
use ::tokio::time::{Instant, Sleep, sleep_until};
use socket2::Socket;

use super::endpoint::{StreamSocket, current};
use crate::driver::runtime::{self, Meanwhile, Pending, SocketError};
use crate::os;
use crate::policy::deadline::{Expired, Wait};

/// A connected socket.
#[derive(Debug)]
pub struct Stream {
    /// Shared with cancel hooks, which shut the socket down.
    endpoint: Arc<StreamSocket>,
    /// The runtime that the socket is registered with.
    home: Id,
    reading: Alarm,
    writing: Alarm,
    /// True if bytes were seen that the runtime may not have noticed yet.
    is_spotted: AtomicBool,
}

impl Stream {
    /// Creates a stream that is registered with the current runtime.
    pub(super) fn new(endpoint: StreamSocket) -> io::Result<Self> {
        Ok(Self {
            endpoint: Arc::new(endpoint),
            home: current()?,
            reading: Alarm::default(),
            writing: Alarm::default(),
            is_spotted: AtomicBool::new(false),
        })
    }

    /// Makes one non-blocking attempt; returns `None` if the socket is not ready.
    fn attempt(
        &mut self,
        interest: Interest,
        attempt: impl FnOnce(&Socket) -> io::Result<usize>,
    ) -> io::Result<Option<usize>> {
        match self.endpoint.try_io(interest, attempt) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            outcome => {
                self.alarm(interest).clear();
                outcome.map(Some)
            }
        }
    }

    /// Makes a last attempt after a limit has expired, whatever readiness the runtime has cached:
    /// its thread may have been busy and not polled its sockets for a while.
    fn late(
        &self,
        passed: Expired,
        attempt: impl FnOnce(&Socket) -> io::Result<usize>,
    ) -> Result<usize, SocketError> {
        if !passed.is_of_peer() {
            return Err(passed.into());
        }
        match attempt(&self.endpoint.socket()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(passed.into()),
            outcome => Ok(outcome?),
        }
    }

    /// Waits until the runtime reports the socket as ready, within the limit.
    async fn ready(&mut self, interest: Interest, wait: Wait) -> Result<(), SocketError> {
        self.settle()?;
        let endpoint = Arc::clone(&self.endpoint);
        let alarm = self.alarm(interest);
        alarm.set(wait);
        let outcome = poll_fn(|cx| {
            if let Poll::Ready(outcome) = endpoint.poll_ready(interest, cx) {
                return Poll::Ready(outcome.map_err(SocketError::from));
            }
            let expired = ready!(alarm.poll(cx));
            Poll::Ready(Err(expired.into()))
        });
        let outcome = outcome.await;
        if outcome.is_err() {
            alarm.clear();
        }
        outcome
    }

    /// Registers the socket with the current runtime. The previous one may be gone or idle, and
    /// would then not wake this task.
    fn settle(&mut self) -> io::Result<()> {
        let here = current()?;
        if here != self.home {
            self.endpoint = Arc::new(self.endpoint.moved_here()?);
            self.home = here;
            self.reading = Alarm::default();
            self.writing = Alarm::default();
        }
        Ok(())
    }

    fn alarm(&mut self, interest: Interest) -> &mut Alarm {
        match interest.is_writable() {
            true => &mut self.writing,
            false => &mut self.reading,
        }
    }
}

impl runtime::Stream for Stream {
    async fn readable(
        &mut self,
        wait: impl FnOnce() -> Result<Wait, Expired> + Send,
    ) -> Result<(), SocketError> {
        match self.is_spotted.get_mut() {
            true => Ok(()),
            false => self.ready(Interest::READABLE, wait()?).await,
        }
    }

    async fn input(&mut self, wait: Wait) -> Result<(), SocketError> {
        while self.pending() == Pending::Nothing {
            self.ready(Interest::READABLE, wait).await?;
        }
        self.reading.clear();
        Ok(())
    }

    async fn read(&mut self, into: &mut [u8], wait: Wait) -> Result<usize, SocketError> {
        if std::mem::take(self.is_spotted.get_mut()) {
            match (&*self.endpoint.socket()).read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => {
                    self.reading.clear();
                    return Ok(outcome?);
                }
            }
        }
        consume_budget().await; // a socket that is always ready must not starve other tasks
        loop {
            match self.attempt(Interest::READABLE, |mut socket| socket.read(into))? {
                Some(count) => return Ok(count),
                None => match self.ready(Interest::READABLE, wait).await {
                    Err(SocketError::Expired(passed)) => {
                        return self.late(passed, |mut socket| socket.read(into));
                    }
                    ready => ready?,
                },
            }
        }
    }

    async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        wait: Wait,
    ) -> Result<usize, SocketError> {
        // A socket that accepts every byte immediately must not starve other tasks. The first write
        // of a request, which is all of a small one, skips this.
        if meanwhile != Meanwhile::Wait {
            consume_budget().await;
        }
        loop {
            if let Some(count) =
                self.attempt(Interest::WRITABLE, |socket| os::send(socket, bytes))?
            {
                return Ok(count);
            }
            let interest = match meanwhile {
                Meanwhile::Wait => Interest::WRITABLE,
                _ if self.pending() == Pending::Nothing => Interest::READABLE | Interest::WRITABLE,
                Meanwhile::Listen | Meanwhile::Converse => {
                    self.writing.clear();
                    return Ok(0);
                }
            };
            match self.ready(interest, wait).await {
                Err(SocketError::Expired(passed)) => {
                    return self.late(passed, |socket| os::send(socket, bytes));
                }
                ready => ready?,
            }
        }
    }

    /// Checks the socket itself, because the runtime may not have polled it for a while. If there
    /// is no input, the runtime's cached readiness is cleared, so that the next read waits
    /// immediately.
    fn pending(&self) -> Pending {
        let mut seen = None;
        let _ = self.endpoint.try_io(Interest::READABLE, |socket| {
            match *seen.insert(os::pending(socket)) {
                Pending::Nothing => Err(io::ErrorKind::WouldBlock.into()),
                Pending::Bytes | Pending::End => Ok(()),
            }
        });
        let seen = seen.unwrap_or_else(|| os::pending(&self.endpoint.socket()));
        self.is_spotted.store(seen == Pending::Bytes, Ordering::Relaxed);
        seen
    }

    fn forget_waits(&mut self) {
        self.reading.clear();
        self.writing.clear();
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.endpoint.socket().local_addr().ok()?.as_socket()
    }

    fn end_writing(&mut self) -> io::Result<()> {
        self.endpoint.socket().shutdown(Shutdown::Write)
    }

    fn say_farewell(&mut self, bytes: &[u8]) {
        let _ = os::send(&self.endpoint.socket(), bytes);
    }

    fn interrupter(&self) -> impl Fn() + Send + 'static {
        let endpoint = Arc::clone(&self.endpoint);
        move || drop(endpoint.socket().shutdown(Shutdown::Both)) // fails if it is already closed
    }
}

/// A timer for consecutive waits.
///
/// Registering a timer with the runtime costs more than moving the bytes of a small read, so one
/// timer is reused: it is left at an earlier deadline, and moved to the current one only when it
/// fires.
#[derive(Debug, Default)]
struct Alarm {
    /// The deadline of the current wait, and the error after it.
    end: Option<(Instant, Expired)>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Begins a wait, or continues one that was interrupted because its future was dropped.
    fn set(&mut self, wait: Wait) {
        let end = wait.at_most.and_then(|limit| Instant::now().checked_add(limit));
        let end = end.map(|end| (end, wait.expired));
        self.end = end.map(|end| self.end.filter(|earlier| earlier.0 <= end.0).unwrap_or(end));
    }

    /// Ends the wait, after success or after the deadline.
    fn clear(&mut self) {
        self.end = None;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        let Some((end, expired)) = self.end else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if end < timer.deadline() {
            timer.as_mut().reset(end);
        }
        loop {
            ready!(timer.as_mut().poll(cx));
            if timer.deadline() >= end {
                return Poll::Ready(expired);
            }
            timer.as_mut().reset(end);
        }
    }
}
