//! The body of a response, which is decoded as it is read.
//!
//! ```text
//! caller ◀── ResponseBody ◀── Decoder ◀── Lease ◀── Connection ◀── socket
//!            errors, limits    coding       │         framing, layers
//!                                           └──▶ the pool, at the end
//! ```
//!
//! [`ResponseBody`] is what the caller reads. It holds a [`Lease`] of the connection, which reads,
//! sends the rest of the request meanwhile (a server may answer before it has read the request),
//! and at its end returns the connection to the pool or closes it. A body that failed once fails
//! again with each read, so that a truncated body never looks complete.
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

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;

use super::checkout::{Grant, Shared};
use super::connection::{Connection, Filling, close};
use super::failure::ExchangeFailure;
#[cfg(any(feature = "tokio", feature = "runtime"))]
use super::pieces::PieceMemory;
#[cfg(feature = "tokio")]
use super::reaper;
use super::runtime::{Meanwhile, Pending, Runtime, read_body, ready};
use crate::base::buffer::{BufferPool, ErasedBox};
use crate::body::Body;
use crate::call::report::Report;
use crate::coding::{CodingError, Decoder};
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::har::recording::{BodyRecording, Recording};
use crate::http1::close::CloseReason;
use crate::http1::exchange::{BodyStep, SendStep};
use crate::policy::deadline::{Budget, Stage};
use crate::url::Url;

/// The size of the first buffer for a body of unknown length.
const FIRST_PIECE: usize = 8 * 1024;

/// The room for a read of a body of unknown length, once the body is that large.
const LARGEST_ROOM: usize = 128 * 1024;

/// The maximum that is allocated on the server's word alone; more is allocated once that much has
/// arrived.
const TRUSTED_LENGTH: u64 = 1024 * 1024;

/// The body of a response, read from the connection.
pub struct ResponseBody<F: Runtime> {
    /// Told how the body ends, before its connection is.
    report: Report,
    source: ResponseSource<F>,
    decoding: Option<Box<Decoder>>,
    pub(crate) trailers: Option<Box<HeaderMap>>,
    /// The URL for errors, if the reader was taken out of its response.
    url: Option<Box<Url>>,
    /// The entry of the client's recorder, until the body ends.
    recording: Option<BodyRecording>,
    /// The memory of the pieces that an async caller reads; `None` before the first.
    #[cfg(any(feature = "tokio", feature = "runtime"))]
    pub(crate) pieces: Option<Box<PieceMemory>>,
}

enum ResponseSource<F: Runtime> {
    Connection(Lease<F>),
    /// The body of a hand-made response. The mutex is for one thing: it makes the response `Sync` even if
    /// the source of the body is not.
    Made(Box<Mutex<Body<F::Source>>>),
    Ended,
    /// A body that failed or of which a piece was lost. Each read fails again, so that a truncated
    /// body never looks complete.
    Broken,
}

/// The source of the rest of a body, while the caller holds a piece of it.
#[cfg(feature = "tokio")]
pub(crate) struct Held<F: Runtime>(ResponseSource<F>);

/// Shows the number of remaining bytes but no content: trailers may be secrets.
impl<F: Runtime> fmt::Debug for ResponseBody<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("left", &self.left()).finish_non_exhaustive()
    }
}

impl<F: Runtime> ResponseBody<F> {
    pub(crate) fn new(lease: Lease<F>, decoder: Option<Decoder>, report: Report) -> Self {
        Self {
            report,
            source: ResponseSource::Connection(lease),
            decoding: decoder.map(Box::new),
            trailers: None,
            url: None,
            recording: None,
            #[cfg(any(feature = "tokio", feature = "runtime"))]
            pieces: None,
        }
    }

    /// Creates the body of a hand-made response.
    pub(crate) fn made(body: Body<F::Source>) -> Self {
        let source = ResponseSource::Made(Box::new(Mutex::new(body)));
        Self {
            report: Report::default(),
            source,
            decoding: None,
            trailers: None,
            url: None,
            recording: None,
            #[cfg(any(feature = "tokio", feature = "runtime"))]
            pieces: None,
        }
    }

    /// Sets the URL for errors of a reader that is taken out of its response.
    pub(crate) fn of_url(mut self, url: Url) -> Self {
        self.url = Some(Box::new(url));
        self
    }

    /// Returns the trailer fields of a chunked body (RFC 9110 §6.5) once it was read to its end, or
    /// `None` if it has none.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_deref()
    }

    /// Reads the next decoded bytes; 0 means the end.
    pub(crate) async fn next_bytes(&mut self, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.decoding {
            None => self.source.read(into).await,
            Some(decoder) => decode(decoder, &mut self.source, into).await,
        };
        if let Some(recording) = &mut self.recording {
            if let ResponseSource::Connection(lease) = &self.source {
                let bytes =
                    read.as_ref().map(|count| into.split_at_checked(*count).unwrap_or_default().0);
                let received = self.decoding.as_ref().map(|decoder| decoder.consumed());
                recording.read(bytes, received, lease.shared.runtime.now());
            }
        }
        self.report.read(&read);
        match &read {
            // If the last byte is known to be the last, the caller need not read the end.
            Ok(count) if *count == 0 || self.decoding.is_none() => self.end(),
            Ok(_) => {}
            Err(_) => self.source = ResponseSource::Broken,
        }
        self.end_recording(matches!(read, Ok(0)));
        read.map_err(|error| match &self.url {
            Some(url) => error.for_url(url),
            None => error,
        })
    }

    /// Records the body from now on, which was not read yet.
    pub(crate) fn record(&mut self, recording: Option<Recording>, now: impl FnOnce() -> Instant) {
        let is_decoded = self.decoding.is_some();
        self.recording = recording.map(|recording| recording.of_body(is_decoded, now()));
        self.end_recording(false);
    }

    /// Ends the recording of a body that has ended.
    fn end_recording(&mut self, has_ended: bool) {
        let has_ended = has_ended || matches!(self.source, ResponseSource::Ended);
        if let Some(mut recording) = self.recording.take_if(|_| has_ended) {
            recording.end();
        }
    }

    /// Takes the source while the caller holds a piece of the body. If it is dropped, the piece is
    /// lost and reading fails.
    #[cfg(feature = "tokio")]
    pub(crate) fn hold(&mut self) -> Held<F> {
        Held(std::mem::replace(&mut self.source, ResponseSource::Broken))
    }

    /// Puts the source back after the piece was delivered.
    #[cfg(feature = "tokio")]
    pub(crate) fn go_on(&mut self, Held(source): Held<F>) {
        self.source = source;
    }

    /// Returns the connection, unless the body was read to its end.
    pub(crate) fn into_lease(mut self) -> Option<Lease<F>> {
        self.report.end();
        match self.source {
            ResponseSource::Connection(lease) => Some(lease),
            ResponseSource::Made(_) | ResponseSource::Ended | ResponseSource::Broken => None,
        }
    }

    /// Returns the deadlines of the body, unless it was read to its end or is hand-made.
    #[cfg(feature = "sse")]
    pub(crate) fn budget_mut(&mut self) -> Option<&mut Budget> {
        match &mut self.source {
            ResponseSource::Connection(lease) => Some(&mut lease.budget),
            ResponseSource::Made(_) | ResponseSource::Ended | ResponseSource::Broken => None,
        }
    }

    /// Returns the connection of a body that is complete to the pool immediately, not when the
    /// response is dropped.
    pub(crate) fn end(&mut self) {
        let ResponseSource::Connection(lease) = &mut self.source else { return };
        if let Some(trailers) = lease.trailers() {
            self.trailers = trailers.filter(|fields| !fields.is_empty()).map(Box::new);
            self.report.end();
            self.source = ResponseSource::Ended;
        }
    }

    /// Returns whether the rest of the request is still being sent. Reading must then continue past
    /// the body's last byte to its end, or the request is cut.
    pub(crate) fn is_sending(&self) -> bool {
        matches!(&self.source, ResponseSource::Connection(lease) if lease.is_sending())
    }

    /// Returns the number of bytes to come, if it is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match &self.source {
            ResponseSource::Connection(lease) if self.decoding.is_none() => lease.body_left(),
            ResponseSource::Connection(_) | ResponseSource::Broken => None,
            ResponseSource::Made(body) => {
                body.lock().unwrap_or_else(PoisonError::into_inner).left()
            }
            ResponseSource::Ended => Some(0),
        }
    }

    /// Reads the whole rest of the body.
    pub(crate) async fn collect(&mut self) -> Result<Vec<u8>> {
        let expected = self.left();
        let limit = self.limit();
        if expected.is_some_and(|length| length > limit) {
            return Err(self.too_large(limit));
        }
        let mut body = vec![0; first_piece(expected)];
        let mut filled = 0;
        while Some(filled as u64) != expected {
            if filled == body.len() {
                grow(&mut body, expected, limit);
            }
            match self.next_bytes(body.split_at_mut(filled).1).await? {
                0 => break,
                count => filled += count,
            }
            if filled as u64 > limit {
                return Err(self.too_large(limit));
            }
        }
        body.truncate(filled);
        if self.is_sending() {
            self.next_bytes(&mut [0]).await?; // reading the end sends the rest of the request
        }
        Ok(body)
    }

    /// Returns the error of a body that is too large to be read into memory.
    fn too_large(&mut self, limit: u64) -> Error {
        let detail = format!("the body is larger than {limit} bytes (body_limit)");
        let error = Error::new(Kind::Limit, Phase::Body)
            .detail(detail)
            .note("a body that is read in pieces has no limit");
        self.report.failed(&error);
        error
    }

    /// Returns the maximum that is read into memory.
    fn limit(&self) -> u64 {
        match &self.source {
            ResponseSource::Connection(lease) => lease.body_limit(),
            ResponseSource::Made(_) => u64::MAX, // the caller's own
            ResponseSource::Ended | ResponseSource::Broken => 0,
        }
    }
}

/// Enlarges the buffer of a body by the room for the next read: at most to the limit plus one byte, which shows that
/// the body is longer.
fn grow(body: &mut Vec<u8>, expected: Option<u64>, limit: u64) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    if let Some(length) = expected.and_then(|length| usize::try_from(length).ok()) {
        // New memory of the system is zero already: this writes only the bytes so far, `resize` would write all.
        let mut whole = vec![0; length.min(limit)];
        if let Some((start, _)) = whole.split_at_mut_checked(body.len()) {
            start.copy_from_slice(body);
        }
        *body = whole;
        return;
    }
    // Large blocks grow in place, and only the room of the next read is touched. Growing by half keeps the
    // peak below 1.5 times the body.
    let room = body.len().clamp(FIRST_PIECE, LARGEST_ROOM);
    if body.capacity() - body.len() < room {
        body.reserve_exact(room.max(body.len() / 2));
    }
    body.resize((body.len() + room).min(limit), 0);
}

const BROKEN: &str = "the body failed earlier, or a read of it was dropped";

fn first_piece(expected: Option<u64>) -> usize {
    let trusted = expected.map(|length| length.min(TRUSTED_LENGTH));
    trusted.and_then(|length| usize::try_from(length).ok()).unwrap_or(FIRST_PIECE)
}

async fn decode<F: Runtime>(
    decoder: &mut Decoder,
    source: &mut ResponseSource<F>,
    into: &mut [u8],
) -> Result<usize> {
    let broken = |error: CodingError| error.into_error();
    loop {
        let decoded = decoder.decode_read(into).map_err(broken)?;
        if decoded > 0 {
            return Ok(decoded);
        }
        let count = source.read(decoder.space()).await?;
        decoder.filled(count).map_err(broken)?;
        if count == 0 {
            return Ok(0);
        }
    }
}

impl<F: Runtime> ResponseSource<F> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Self::Connection(lease) => lease.read(into).await,
            Self::Made(body) => {
                let body = body.get_mut().unwrap_or_else(PoisonError::into_inner);
                let failed = |error| Error::new(Kind::Body, Phase::Body).cause(error);
                read_body::<F>(body, into).await.map_err(failed)
            }
            Self::Ended => Ok(0),
            Self::Broken => Err(Error::new(Kind::Io, Phase::Body).detail(BROKEN)),
        }
    }
}

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
    shared: Arc<Shared<F>>,
    budget: Budget,
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

#[cfg(test)]
mod tests;
