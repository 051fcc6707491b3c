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

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use http::HeaderMap;

use super::lease::Lease;
#[cfg(any(feature = "tokio", feature = "runtime"))]
use super::pieces::PieceMemory;
use super::runtime::{Runtime, read_body};
use crate::body::Body;
use crate::call::report::Report;
use crate::coding::{CodingError, Decoder};
use crate::error::{Error, Kind, Phase, Result};
use crate::extra::har::recording::{BodyRecording, Recording};
#[cfg(feature = "sse")]
use crate::policy::deadline::Budget;
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

#[cfg(test)]
mod tests;
