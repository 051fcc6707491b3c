//! The body of a response, which is decoded as it is read.

use std::fmt;

use bytes::{Buf, Bytes};
use http::HeaderMap;

use super::lease::Lease;
use crate::coding::queue::DecodingQueue;
use crate::coding::{CodingError, Decoder};
use crate::driver::runtime::Runtime;
use crate::error::{Error, Kind, Phase, Result};
use crate::url::Url;

/// The size of the first buffer for a body of unknown length.
const FIRST_PIECE: usize = 8 * 1024;

/// The maximum that is allocated on the server's word alone; more is allocated once that much has
/// arrived.
const TRUSTED_LENGTH: u64 = 1024 * 1024;

/// The body of a response, read from the connection.
pub struct ResponseBody<F: Runtime> {
    source: ResponseSource<F>,
    decoding: Option<Box<DecodingQueue>>,
    pub(crate) trailers: Option<Box<HeaderMap>>,
    /// The URL for errors, if the reader was taken out of its response.
    url: Option<Box<Url>>,
}

enum ResponseSource<F: Runtime> {
    Connection(Lease<F>),
    /// A body that did not arrive over a connection.
    Memory(Box<Bytes>),
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
    pub(crate) fn new(lease: Lease<F>, decoder: Option<Decoder>) -> Self {
        Self {
            source: ResponseSource::Connection(lease),
            decoding: decoder.map(|decoder| Box::new(DecodingQueue::new(decoder))),
            trailers: None,
            url: None,
        }
    }

    /// Creates the body of a hand-made response.
    pub(crate) fn of_bytes(body: Bytes) -> Self {
        let source = ResponseSource::Memory(Box::new(body));
        Self { source, decoding: None, trailers: None, url: None }
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
            Some(queue) => decode(queue, &mut self.source, into).await,
        };
        match &read {
            // If the last byte is known to be the last, the caller need not read the end.
            Ok(count) if *count == 0 || self.decoding.is_none() => self.end(),
            Ok(_) => {}
            Err(_) => self.source = ResponseSource::Broken,
        }
        read.map_err(|error| match &self.url {
            Some(url) => error.for_url(url),
            None => error,
        })
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
    pub(crate) fn into_lease(self) -> Option<Lease<F>> {
        match self.source {
            ResponseSource::Connection(lease) => Some(lease),
            ResponseSource::Memory(_) | ResponseSource::Ended | ResponseSource::Broken => None,
        }
    }

    /// Returns the connection of a body that is complete to the pool immediately, not when the
    /// response is dropped.
    pub(crate) fn end(&mut self) {
        let ResponseSource::Connection(lease) = &mut self.source else { return };
        if let Some(trailers) = lease.trailers() {
            self.trailers = trailers.filter(|fields| !fields.is_empty()).map(Box::new);
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
            ResponseSource::Memory(rest) => Some(rest.len() as u64),
            ResponseSource::Ended => Some(0),
        }
    }

    /// Reads the whole rest of the body.
    pub(crate) async fn collect(&mut self) -> Result<Vec<u8>> {
        let expected = self.left();
        let limit = self.limit();
        if expected.is_some_and(|length| length > limit) {
            return Err(too_large(limit));
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
                return Err(too_large(limit));
            }
        }
        body.truncate(filled);
        if self.is_sending() {
            self.next_bytes(&mut [0]).await?; // reading the end sends the rest of the request
        }
        Ok(body)
    }

    /// Returns the maximum that is read into memory.
    fn limit(&self) -> u64 {
        match &self.source {
            ResponseSource::Connection(lease) => lease.body_limit(),
            ResponseSource::Memory(_) => u64::MAX, // already in memory
            ResponseSource::Ended | ResponseSource::Broken => 0,
        }
    }
}

/// Enlarges the buffer of a body: up to the limit plus one byte, which shows that the body is
/// longer.
fn grow(body: &mut Vec<u8>, expected: Option<u64>, limit: u64) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
    let known = expected.and_then(|length| usize::try_from(length).ok());
    let size = known.unwrap_or(body.len().saturating_mul(2)).min(limit);
    // The system's new memory is zero already, so this writes only the bytes so far; `resize` would
    // write all of it.
    let mut larger = vec![0; size];
    if let Some(start) = larger.get_mut(..body.len()) {
        start.copy_from_slice(body);
    }
    *body = larger;
}

const BROKEN: &str = "the body failed earlier, or a read of it was dropped";

fn too_large(limit: u64) -> Error {
    let detail = format!("the body is larger than {limit} bytes (body_limit)");
    Error::new(Kind::Limit, Phase::Body).detail(detail)
}

fn first_piece(expected: Option<u64>) -> usize {
    let trusted = expected.map(|length| length.min(TRUSTED_LENGTH));
    trusted.and_then(|length| usize::try_from(length).ok()).unwrap_or(FIRST_PIECE)
}

async fn decode<F: Runtime>(
    queue: &mut DecodingQueue,
    source: &mut ResponseSource<F>,
    into: &mut [u8],
) -> Result<usize> {
    let broken = |error: CodingError| error.into_error();
    loop {
        let decoded = queue.decode(into).map_err(broken)?;
        if decoded > 0 {
            return Ok(decoded);
        }
        let count = source.read(queue.space()).await?;
        queue.filled(count).map_err(broken)?;
        if count == 0 {
            return Ok(0);
        }
    }
}

impl<F: Runtime> ResponseSource<F> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Self::Connection(lease) => lease.read(into).await,
            Self::Memory(rest) => {
                let count = into.len().min(rest.len());
                rest.copy_to_slice(into.split_at_mut(count).0);
                Ok(count)
            }
            Self::Ended => Ok(0),
            Self::Broken => Err(Error::new(Kind::Io, Phase::Body).detail(BROKEN)),
        }
    }
}
