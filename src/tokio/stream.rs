//! A socket that does not block, and is waited for no longer than one is told.

use std::future::poll_fn;
use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, ready};

use ::tokio::io::Interest;
use ::tokio::runtime::Id;
use ::tokio::task::coop::consume_budget;
use socket2::Socket;

use super::alarm::Alarm;
use super::endpoint::Endpoint;
use super::runtime;
use crate::driver::SocketError;
use crate::driver::system::{self, Meanwhile, Pending};
use crate::os;
use crate::policy::deadline::budget::{Expired, Wait};

/// A connected socket.
#[derive(Debug)]
pub struct Stream {
    /// Shared with whoever may have to end a call.
    endpoint: Arc<Endpoint>,
    /// The runtime that watches it.
    home: Id,
    reading: Alarm,
    writing: Alarm,
    /// Bytes were seen of which the runtime may not know yet.
    is_spotted: AtomicBool,
}

impl Stream {
    /// A socket that the runtime which this is called in watches.
    pub(super) fn new(endpoint: Endpoint) -> io::Result<Self> {
        Ok(Self {
            endpoint: Arc::new(endpoint),
            home: runtime::current()?,
            reading: Alarm::default(),
            writing: Alarm::default(),
            is_spotted: AtomicBool::new(false),
        })
    }

    /// Tries once; nothing, if it was in vain.
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

    /// Tries once more after a limit has passed, whatever the runtime says: its thread was busy perhaps,
    /// and it has not looked at any socket for a while.
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

    /// Waits until the runtime says that it is worth a try, as long as that.
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

    /// Moves to the runtime that is to wait. The one before may be gone, or not be running: what it
    /// watches would be ready and nobody told.
    fn settle(&mut self) -> io::Result<()> {
        let here = runtime::current()?;
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

impl system::Stream for Stream {
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
        // Nor must one that takes every byte at once. The first write of a request, which is all of a
        // small one, does without.
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

    /// The runtime gets to know it if there is nothing, so that the next read waits at once. What it
    /// remembers itself is no answer: it may not have looked for a while.
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
        move || drop(endpoint.socket().shutdown(Shutdown::Both)) // what is closed already cannot be
    }
}
