//! A connection whose response is being read: it reads, sends the rest of the request meanwhile, and goes back to the
//! pool at the end.
//!
//! # The life of a lease
//!
//! ```text
//!                    ┌── read: the body, and meanwhile the rest of the request ──┐
//! head delivered ──▶ Lease ◀─────────────────────────────────────────────────────┘
//!                    ├── the body's last byte ─────▶ end: drained, clean ──▶ the next waiter, or the pool
//!                    ├── dropped half-read ────────▶ end(false): drains only what has arrived
//!                    ├── skip_body (a redirect) ───▶ end(true): drains for up to 100 ms
//!                    └── into_connection (a 101) ──▶ the caller's, never pooled
//! ```
//!
//! Draining pays off only if it is cheaper than a new connection. So it is limited in bytes
//! (`Limits::max_drain_bytes`) and in time, and not tried at all if something else prevents reuse
//! or the length is known to be too large. `tests/redirects.rs` (`small_ones_are_drained`,
//! `large_endless_and_slow_ones_are_not_drained`, `a_missing_body_is_not_waited_for`) and
//! `tests/limits.rs` (`draining_is_limited`) check both sides.
//!
//! # Reading while sending
//!
//! A server may answer before it has read the request, and a caller may converse with it (an echo
//! of unlimited length must work: `tests/duplex.rs`, `s15_*`). With one thread and no second task,
//! reading and sending take turns:
//!
//! 1. What is decoded already is returned.
//! 2. If the last turn was a write and there is input, it is read.
//! 3. Otherwise the request advances by one step: a piece is filled, or bytes are written. A write
//!    that the peer does not accept immediately is given up for input ([`Meanwhile::Converse`]).
//!
//! So neither side waits for the other, and neither uses more memory than a piece of its body. A
//! write that fails ends the request and not the response.
//!
//! # The end of a response whose request is not sent yet
//!
//! The response is whole, and the peer may have stopped to read. The rest is sent as far as the
//! peer takes it ([`Connection::send_rest`]); a source of unknown length gets a second per read,
//! since it may be waiting for the caller. If the rest cannot be sent, the connection is not
//! reused, and the response stands (`tests/tokio/pending_uploads.rs`,
//! `a_failure_after_a_complete_response_is_not_its_error`).
//!
//! # Which reads go where
//!
//! [`Connection::read_body`] hands the caller's slice down as far as possible:
//!
//! | body | layers | a read goes |
//! | --- | --- | --- |
//! | at least 4 KiB, or the exact rest, and nothing is buffered | none | from the socket into the caller's slice |
//! | the same | TLS | ciphertext into TLS, plaintext into the caller's slice |
//! | small, or the end of a chunk | any | into the exchange's input, and from there |
//! | coded (gzip) | any | into the decoder's input, then decoded into the caller's slice |

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;

use super::checkout::{Grant, Shared};
use super::connection::{Connection, Filling, close};
use super::failure::ExchangeFailure;
#[cfg(feature = "tokio")]
use super::reaper;
use super::runtime::{Meanwhile, Pending, Runtime, ready};
use crate::base::buffer::{BufferPool, ErasedBox};
use crate::body::Body;
use crate::error::Result;
use crate::http1::close::CloseReason;
use crate::http1::exchange::{BodyStep, SendStep};
use crate::policy::deadline::{Budget, Stage};

/// The limit for draining a redirect's body. A new connection takes one round trip, with TLS two or
/// three.
const SKIP_PATIENCE: Duration = Duration::from_millis(100);

/// The limit for each read of a source of unknown length once the response is complete. A caller
/// that converses with the server may wait for the end of the response before it ends the request.
const REST_PATIENCE: Duration = Duration::from_secs(1);

/// A connection whose response is being read. When the lease ends, the connection is pooled if it
/// is clean or can be drained without waiting; otherwise it is closed.
#[derive(Debug)]
pub(crate) struct Lease<F: Runtime> {
    /// `None` after the end of the lease.
    connection: Option<ErasedBox<Connection<F>>>,
    pub(super) shared: Arc<Shared<F>>,
    pub(super) budget: Budget,
    /// The rest of the request's body, while it is still to be sent. The mutex is never locked: it
    /// makes the response `Sync` even if the request's source is not.
    request: Option<Box<Mutex<Body<F::Source>>>>,
    /// Ends the lease. A function pointer keeps this large code out of the caller's crate, where it
    /// would be repeated for each place that drops a response.
    release: fn(&mut Self),
}

impl<F: Runtime> Lease<F> {
    pub(crate) fn new(
        connection: ErasedBox<Connection<F>>,
        shared: &Arc<Shared<F>>,
        budget: Budget,
        request: Option<Body<F::Source>>,
    ) -> Self {
        Self {
            connection: Some(connection),
            shared: Arc::clone(shared),
            budget,
            request: request.map(|request| Box::new(Mutex::new(request))),
            // Only what has already arrived is drained.
            release: |lease| ready(lease.end(false)).unwrap_or_default(),
        }
    }

    /// Reads the next bytes of the body; 0 means the end. `into` is not empty. Reading also sends
    /// the rest of the request.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let Some(connection) = &mut self.connection else { return Ok(0) };
        let connection = &mut **connection;
        self.budget.enter(Stage::Body, &|| self.shared.runtime.now());
        let Some(request) = &mut self.request else {
            let read = connection.read_body(into, &mut self.budget).await;
            connection.show_received(&read);
            return read.map_err(|failure| connection.body_error(failure));
        };
        let request = request.get_mut().unwrap_or_else(PoisonError::into_inner);
        let read = connection.read_while_sending(into, request, &mut self.budget).await;
        connection.show_received(&read);
        let count = read.map_err(|failure| connection.body_error(failure))?;
        if count == 0 || !connection.is_sending() {
            self.request = None;
        }
        Ok(count)
    }

    /// Returns whether the rest of the request is still being sent.
    pub(super) fn is_sending(&self) -> bool {
        self.request.is_some()
    }

    /// Returns the number of body bytes still to be read, if it is known.
    pub(super) fn body_left(&self) -> Option<u64> {
        self.connection.as_ref().map_or(Some(0), |connection| connection.body_left())
    }

    /// Returns the maximum that `bytes`, `text` and `json` read into memory.
    pub(super) fn body_limit(&self) -> u64 {
        self.shared.config.limits.max_body_bytes
    }

    /// Returns the trailers, once the whole response was read and the whole request was sent.
    pub(super) fn trailers(&mut self) -> Option<Option<HeaderMap>> {
        let Some(connection) = &mut self.connection else { return Some(None) };
        let is_complete = self.request.is_none() && connection.body_left() == Some(0);
        is_complete.then(|| connection.exchange.take_trailers())
    }

    /// Drains the body to keep the connection: most servers send a short body right after the head,
    /// which is worth a short wait.
    pub(super) async fn skip_body(mut self) {
        self.budget = self.budget.shortened(SKIP_PATIENCE, self.shared.runtime.now());
        self.end(true).await;
    }

    /// Ends the lease without returning the connection to the pool.
    pub(crate) fn into_connection(mut self) -> Option<(ErasedBox<Connection<F>>, Budget)> {
        Some((self.connection.take()?, self.budget.clone()))
    }

    /// Returns the connection to the pool, or closes it. `may_wait`: whether draining waits for
    /// bytes that have not arrived.
    async fn end(&mut self, may_wait: bool) {
        let Some(mut connection) = self.connection.take() else { return };
        let limit = self.shared.config.limits.max_drain_bytes;
        if let Err(reason) = connection.drain(limit, may_wait, &mut self.budget).await {
            return connection.close(reason);
        }
        let now = self.shared.runtime.now();
        let mut idle = self.shared.idle();
        connection.release(&mut idle.shelf);
        if let Err(reason) = idle.pool.may_keep(&connection, now) {
            drop(idle);
            return connection.close(reason);
        }
        let of = connection.limited_route(idle.process);
        match of.and_then(|of| idle.permits.next(of)) {
            Some(next) => {
                drop(idle);
                next.grant(Grant::Connection(connection));
            }
            None => {
                let evicted = idle.pool.put(connection, now);
                #[cfg(feature = "tokio")]
                let needs_reaper = idle.pool.needs_reaper();
                drop(idle);
                close(evicted); // outside the lock of the pool
                #[cfg(feature = "tokio")]
                if needs_reaper {
                    reaper::call(&self.shared);
                }
            }
        }
    }
}

impl<F: Runtime> Drop for Lease<F> {
    fn drop(&mut self) {
        (self.release)(self);
    }
}

impl<F: Runtime> Connection<F> {
    /// Returns whether more of the request is to be sent.
    pub(crate) fn is_sending(&self) -> bool {
        self.pipe.is_sending(&self.exchange)
    }

    /// Shows how much of a body was received, if the program wants that.
    fn show_received(&self, read: &Result<usize, ExchangeFailure>) {
        if let (Some(wire), Ok(count @ 1..)) = (&self.wire, read) {
            wire.received(*count);
        }
    }

    pub(crate) fn body_left(&self) -> Option<u64> {
        self.exchange.body_left()
    }

    /// Reads the next bytes of the body; 0 means the end. `into` is not empty.
    pub(crate) async fn read_body(
        &mut self,
        into: &mut [u8],
        budget: &mut Budget,
    ) -> Result<usize, ExchangeFailure> {
        loop {
            match self.pipe.read_body(&mut self.exchange, into)? {
                BodyStep::Data(count) => return Ok(count),
                BodyStep::End => return Ok(0),
                BodyStep::Read => self.read(budget).await?,
                BodyStep::Direct(room) => match self.socket.read(room, budget).await? {
                    0 => self.pipe.read(&mut self.exchange, 0)?,
                    count => {
                        self.exchange.read_direct(count);
                        return Ok(count);
                    }
                },
            }
        }
    }

    /// Reads like [`read_body`](Self::read_body), while the rest of the request is sent. Reads and
    /// sends in turns: neither half may starve the other, nor use more memory than a piece of its
    /// body.
    async fn read_while_sending(
        &mut self,
        into: &mut [u8],
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<usize, ExchangeFailure> {
        loop {
            match self.pipe.read_body(&mut self.exchange, into)? {
                BodyStep::Data(count) => return Ok(count),
                BodyStep::End => return self.send_rest(body, budget).await.map(|()| 0),
                BodyStep::Read | BodyStep::Direct(_) => {}
            }
            let step = self.pipe.send_step(&mut self.exchange)?;
            let reads = std::mem::replace(&mut self.reads_next, false);
            if step == SendStep::Done || (reads && self.socket.pending() != Pending::Nothing) {
                self.read(budget).await?;
                continue;
            }
            self.reads_next = true;
            if step == SendStep::Fill {
                self.fill_or_read(body, budget).await?;
                continue;
            }
            // A peer that accepts no more bytes, or not in time, may still send more of the
            // response.
            match self.write(Meanwhile::Converse, budget).await {
                Err(ExchangeFailure::Io(_)) => self.pipe.write_failed(&mut self.exchange),
                Err(ExchangeFailure::Expired(_)) => self.pipe.stop_sending(&mut self.exchange),
                written => written?,
            }
        }
    }

    /// Sends the rest of the request after the response is complete, as far as the peer accepts it.
    /// The peer does not want the part that it does not accept.
    async fn send_rest(
        &mut self,
        body: &mut Body<F::Source>,
        budget: &mut Budget,
    ) -> Result<(), ExchangeFailure> {
        // A body of known length was announced, so its source has the usual time limits.
        let patience = body.length().is_none().then_some(REST_PATIENCE);
        loop {
            let sent = match self.pipe.send_step(&mut self.exchange) {
                Err(error) => Err(error.into()),
                Ok(SendStep::Done) => return Ok(()),
                Ok(SendStep::Write) => self.write(Meanwhile::Listen, budget).await,
                Ok(SendStep::Fill) => match self.fill(body, patience, budget).await {
                    Ok(Filling::Done) => Ok(()),
                    Ok(Filling::Input) => self.read(budget).await,
                    Ok(Filling::Late) => break,
                    Err(failure) => Err(failure),
                },
            };
            match sent {
                Err(failure)
                    if failure.is_cancelled() || matches!(failure, ExchangeFailure::Body(_)) =>
                {
                    return Err(failure);
                }
                Ok(()) if self.exchange.leftover().is_empty() => {}
                Ok(()) | Err(_) => break,
            }
        }
        self.pipe.stop_sending(&mut self.exchange);
        Ok(())
    }

    /// Reads and discards the rest of the body, if it has at most `limit` bytes, and has arrived
    /// already or arrives in time.
    async fn drain(
        &mut self,
        limit: usize,
        may_wait: bool,
        budget: &mut Budget,
    ) -> Result<(), CloseReason> {
        self.exchange.may_be_reused()?;
        if self.is_sending() {
            return Err(CloseReason::RequestIncomplete);
        }
        if !may_wait {
            // The reason that remains if this future is dropped while it is pending.
            self.closing = CloseReason::BodyUnread;
        }
        match self.body_left() {
            Some(0) => return self.pipe.reusable(&self.exchange),
            Some(left) if left > limit as u64 => return Err(CloseReason::BodyUnread),
            _ => {}
        }
        let mut scratch = vec![0; 2048]; // an array would be part of every future
        let mut left = limit;
        loop {
            let step = self.pipe.read_body(&mut self.exchange, &mut scratch);
            let count = match step.map_err(|_| CloseReason::ProtocolError)? {
                BodyStep::End => return self.pipe.reusable(&self.exchange),
                BodyStep::Data(count) => count,
                _ if !may_wait && self.socket.pending() != Pending::Bytes => {
                    return Err(CloseReason::BodyUnread);
                }
                BodyStep::Read => {
                    self.read(budget).await.map_err(|_| CloseReason::Io)?;
                    0
                }
                BodyStep::Direct(room) => {
                    match self.socket.read(room, budget).await.map_err(|_| CloseReason::Io)? {
                        0 => return Err(CloseReason::EarlyEof),
                        count => {
                            self.exchange.read_direct(count);
                            count
                        }
                    }
                }
            };
            self.show_received(&Ok(count));
            left = left.checked_sub(count).ok_or(CloseReason::BodyUnread)?;
        }
    }

    /// Releases the connection from a call that is over, and returns its buffers before it becomes
    /// idle.
    fn release(&mut self, shelf: &mut BufferPool) {
        self.watch = None;
        self.closing = CloseReason::LetGo;
        self.exchange.rest(shelf);
        self.pipe.rest(shelf);
    }
}
