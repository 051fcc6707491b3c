//! A socket whose every wait is bounded by the call's budget.
//!
//! The [`Budget`] knows the limits, and the [`Stream`] of the runtime waits for at most that long. This file stands between them: for each read and write it asks the budget how long the
//! wait may take, and counts what was moved.
//!
//! - A wait that a signal interrupts is continued, with the time that is left of it.
//! - A limit that counts progress, a minimum throughput, ends a wait too early on purpose. If enough
//!   bytes were moved, the wait is continued.
//! - After a limit of the peer has passed, the socket is looked at once more: bytes that arrived in
//!   time are not lost because the thread was busy.
//! - A call that is canceled shuts its socket down. That must not look like the peer's end, so the
//!   budget is checked before an end or an error is believed.
//!
//! The rules for each limit stand in [`deadline`](crate::policy::deadline). `tests/deadlines.rs`,
//! `tests/hostile_time.rs` and the simulation guard them.
//!
//! # One read
//!
//! ```text
//! budget.wait_on ──expired──▶ look_once_more ──▶ one very short read, or the error
//!       │ Wait
//!       ▼
//! stream.read ──▶ came: no byte, and cancelled?        ─▶ the error of the budget
//!                       too slow over the interval?    ─▶ the error of the pace
//!                       interrupted, or only a tick?   ─▶ again, with the time that is left
//!                       otherwise                      ─▶ the result
//! ```
//!
//! The clock is read as rarely as possible: without a deadline not at all, since reading it is a
//! system call on some platforms. That is why the functions take the clock as a closure, and why
//! the start of a wait is read only when the wait has to be continued
//! (`without_a_deadline_the_clock_is_not_called` in the tests of `policy::deadline`).
//!
//! # What each operation is bounded by
//!
//! | operation | used for | when its limit has passed |
//! | --- | --- | --- |
//! | `readable` | the wait for the first byte, without a buffer | one look: is there anything to read? |
//! | `read` | heads and bodies | one more, very short read |
//! | `read_as` with `Operation::Continue` | 100 (Continue), a proxy's refusal | the body is sent, or the refusal is taken as complete |
//! | `write` | heads and bodies | one more, very short write |
//! | `say_farewell` | `close_notify` | not waited for at all |
//! | `pending` | a look | does not wait |
//!
//! A minimum throughput is measured over the waits of one body, in either direction. `waits_since`
//! belongs to the socket and not to the future of a read: an async caller may drop and make that
//! future for each poll, and a peer that sends a byte now and then would never be too slow.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;

use super::runtime::{Meanwhile, Pending, Runtime, SocketError, Stream};
use crate::policy::deadline::{Budget, Operation};
use crate::url::Url;

/// The local and remote address of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) local: Option<SocketAddr>,
}

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket<F: Runtime> {
    pub(super) stream: F::Stream,
    pub(super) runtime: F,
    pub(super) addresses: Arc<Addresses>,
    /// The start of the wait for a body with a minimum throughput. It outlives the future that
    /// waits, because an async caller may create a new future for each poll.
    waits_since: Option<Instant>,
}

impl<F: Runtime> Socket<F> {
    /// Creates a socket. `remote` is `None` for a Unix domain socket.
    pub(crate) fn new(stream: F::Stream, runtime: &F, remote: Option<SocketAddr>) -> Self {
        let addresses = Arc::new(Addresses { remote, local: stream.local_addr() });
        Self { stream, runtime: runtime.clone(), addresses, waits_since: None }
    }

    /// Returns the state of the input without waiting.
    pub(crate) fn pending(&self) -> Pending {
        self.stream.pending()
    }

    pub(crate) fn say_farewell(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.stream.say_farewell(bytes);
        }
    }

    pub(crate) fn begin(&mut self, method: &Method, url: &Url) {
        self.forget_waits();
        self.stream.begin(method, url);
    }

    /// See [`Stream::forget_waits`].
    pub(crate) fn forget_waits(&mut self) {
        self.waits_since = None;
        self.stream.forget_waits();
    }

    pub(crate) fn now(&self) -> Instant {
        self.runtime.now()
    }

    /// Waits for the first byte of a response, or for the end.
    pub(crate) async fn readable(&mut self, budget: &Budget) -> Result<(), SocketError> {
        let runtime = &self.runtime;
        let wait = || budget.wait(Operation::Read, || runtime.now());
        match self.stream.readable(wait).await {
            Err(SocketError::Expired(passed))
                if passed.is_of_peer() && self.pending() != Pending::Nothing =>
            {
                Ok(())
            }
            readable => readable,
        }
    }

    /// Reads at least one byte; 0 means the end.
    pub(crate) async fn read(
        &mut self,
        into: &mut [u8],
        budget: &mut Budget,
    ) -> Result<usize, SocketError> {
        self.read_as(Operation::Read, into, None, budget).await
    }

    /// Reads at least one byte within the limit of `operation`, whose wait began at `first`.
    pub(crate) async fn read_as(
        &mut self,
        operation: Operation,
        into: &mut [u8],
        mut first: Option<Instant>,
        budget: &mut Budget,
    ) -> Result<usize, SocketError> {
        loop {
            let wait = budget.wait_on(operation, self.since(first), &|| self.runtime.now());
            let wait = match wait {
                Ok(wait) => wait,
                Err(passed) => budget.look_once_more(passed, || self.runtime.now())?,
            };
            let began = budget.has_pace(operation).then(|| self.begin_waiting());
            let read = self.stream.read(into, wait).await;
            self.waits_since = None;
            if let Some(count) = self.came(read, began, budget)? {
                return Ok(count);
            }
            first = first.or(began).or_else(|| Some(self.runtime.now()));
        }
    }

    /// Writes at least one byte; returns 0 if input arrived first, unless `meanwhile` is `Wait`.
    pub(crate) async fn write(
        &mut self,
        bytes: &[u8],
        meanwhile: Meanwhile,
        budget: &mut Budget,
    ) -> Result<usize, SocketError> {
        let mut first = None;
        loop {
            let wait = budget.wait_on(Operation::Write, self.since(first), &|| self.runtime.now());
            let wait = match wait {
                Ok(wait) => wait,
                Err(passed) => budget.look_once_more(passed, || self.runtime.now())?,
            };
            let began = budget.has_pace(Operation::Write).then(|| self.begin_waiting());
            let written = self.stream.write(bytes, meanwhile, wait).await;
            self.waits_since = None;
            match self.came(written, began, budget)? {
                Some(0) if meanwhile == Meanwhile::Wait => {
                    return Err(io::Error::from(io::ErrorKind::WriteZero).into());
                }
                Some(count) => return Ok(count),
                None => first = first.or(began).or_else(|| Some(self.runtime.now())),
            }
        }
    }

    fn begin_waiting(&mut self) -> Instant {
        *self.waits_since.get_or_insert_with(|| self.runtime.now())
    }

    /// Returns the result, or `None` to retry.
    fn came(
        &self,
        outcome: Result<usize, SocketError>,
        began: Option<Instant>,
        budget: &mut Budget,
    ) -> Result<Option<usize>, SocketError> {
        let count = *outcome.as_ref().unwrap_or(&0);
        if count == 0 {
            budget.check()?; // our own shutdown must not look like the peer's end
        }
        if began.is_some() {
            let in_time = budget.moved(count, self.since(began));
            if count == 0 {
                in_time?; // moved bytes are returned first; the next operation fails
            }
        }
        match outcome {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.is_for_now() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the time since `first`. A retry does not restart the limit; if the clock was not
    /// read before, the limit counts from the first interruption.
    fn since(&self, first: Option<Instant>) -> Duration {
        first.map_or(Duration::ZERO, |first| self.runtime.now().saturating_duration_since(first))
    }
}

impl SocketError {
    /// Returns whether to retry: a signal interrupted the operation, or a throughput interval ended
    /// and was fast enough.
    fn is_for_now(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() == io::ErrorKind::Interrupted,
            Self::Expired(expired) => expired.is_pace(),
        }
    }
}

#[cfg(test)]
mod tests;
