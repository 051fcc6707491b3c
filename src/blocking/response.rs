//! Reading a response's body: as bytes, text, JSON, or piece by piece.

use std::io::{self, Read, Write};

use bytes::Bytes;
use http::{HeaderMap, header};

use super::Response;
use super::lease::Lease;
use crate::charset;
use crate::coding::queue::DecodingQueue;
use crate::coding::{CodingError, Decoder};
use crate::error::{Error, Kind, Phase, Result};

/// What `copy_to` moves at once.
const COPY_PIECE: usize = 64 * 1024;

/// What a body of unknown length gets at first.
const FIRST_PIECE: usize = 8 * 1024;

/// How much memory is set aside on the server's word alone; the rest when that much has come.
const TRUSTED_LENGTH: u64 = 1024 * 1024;

/// The body of a response, while it is read.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    decoding: Option<DecodingQueue>,
    trailers: Option<HeaderMap>,
    /// What is put into memory at most.
    limit: u64,
}

#[derive(Debug)]
enum Source {
    Connection(Lease),
    Ended,
    /// It failed, and fails again: a cut body must not look complete to who asks twice.
    Broken,
}

impl Reader {
    pub(super) fn new(lease: Lease, decoder: Option<Decoder>) -> Self {
        Self {
            limit: lease.body_limit(),
            source: Source::Connection(lease),
            decoding: decoder.map(DecodingQueue::new),
            trailers: None,
        }
    }

    /// The next decoded bytes; 0 is the end.
    fn next_bytes(&mut self, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.decoding {
            None => self.source.read(into),
            Some(queue) => decode(queue, &mut self.source, into),
        };
        match &read {
            Ok(0) => self.end(),
            Ok(_) => {}
            Err(_) => self.source = Source::Broken,
        }
        read
    }

    /// Lets the connection go back to the pool at once, not when the response is dropped.
    fn end(&mut self) {
        if let Source::Connection(lease) = &mut self.source {
            self.trailers = lease.take_trailers();
            self.source = Source::Ended;
        }
    }

    /// How many bytes will come, if that is known.
    fn left(&self) -> Option<u64> {
        match &self.source {
            Source::Connection(lease) if self.decoding.is_none() => lease.body_left(),
            Source::Connection(_) | Source::Broken => None,
            Source::Ended => Some(0),
        }
    }

    /// The whole rest of the body.
    fn collect(&mut self) -> Result<Vec<u8>> {
        let expected = self.left();
        if expected.is_some_and(|length| length > self.limit) {
            return Err(self.too_large());
        }
        let mut body = vec![0; first_piece(expected)];
        let mut filled = 0;
        while Some(filled as u64) != expected {
            if filled == body.len() {
                self.grow(&mut body, expected);
            }
            match self.next_bytes(body.get_mut(filled..).unwrap_or_default())? {
                0 => break,
                count => filled += count,
            }
            if filled as u64 > self.limit {
                return Err(self.too_large());
            }
        }
        body.truncate(filled);
        Ok(body)
    }

    /// More room for a body that has filled its piece: up to the limit, and one byte more to see
    /// that the body goes beyond.
    fn grow(&self, body: &mut Vec<u8>, expected: Option<u64>) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_add(1);
        let known = expected.and_then(|length| usize::try_from(length).ok());
        let size = known.unwrap_or(body.len().saturating_mul(2)).min(limit);
        body.reserve_exact(size.saturating_sub(body.len())); // a vector would take twice that
        body.resize(size, 0);
    }

    fn too_large(&self) -> Error {
        let detail = format!("the body is larger than {} bytes (body_limit)", self.limit);
        Error::new(Kind::Limit, Phase::Body).detail(detail)
    }
}

fn first_piece(expected: Option<u64>) -> usize {
    let trusted = expected.map(|length| length.min(TRUSTED_LENGTH));
    trusted.and_then(|length| usize::try_from(length).ok()).unwrap_or(FIRST_PIECE)
}

fn decode(queue: &mut DecodingQueue, source: &mut Source, into: &mut [u8]) -> Result<usize> {
    let broken = |error: CodingError| error.into_error();
    loop {
        let decoded = queue.decode(into).map_err(broken)?;
        if decoded > 0 {
            return Ok(decoded);
        }
        let count = source.read(queue.space())?;
        queue.filled(count).map_err(broken)?;
        if count == 0 {
            return Ok(0);
        }
    }
}

impl Source {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Self::Connection(lease) => lease.read(into),
            Self::Ended => Ok(0),
            Self::Broken => Err(Error::new(Kind::Io, Phase::Body).detail("it failed before")),
        }
    }
}

impl Response {
    /// The whole body.
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded, comes too late, or is larger than
    /// [`body_limit`](crate::config::ClientBuilder::body_limit).
    pub fn bytes(mut self) -> Result<Bytes> {
        self.collect().map(Bytes::from)
    }

    /// The whole body as text: decoded by the charset of `Content-Type` (feature `charset`), or as
    /// UTF-8; what is no character becomes U+FFFD. A byte order mark is removed.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    pub fn text(mut self) -> Result<String> {
        let body = self.collect()?;
        Ok(charset::decode(body, self.head.headers.get(header::CONTENT_TYPE), "utf-8"))
    }

    /// The whole body as text, decoded by `default_encoding` if `Content-Type` names no charset.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[cfg(feature = "charset")]
    pub fn text_with_charset(mut self, default_encoding: &str) -> Result<String> {
        let body = self.collect()?;
        let content_type = self.head.headers.get(header::CONTENT_TYPE);
        Ok(charset::decode(body, content_type, default_encoding))
    }

    /// The whole body, parsed as JSON.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes); and if the body is not JSON or not of the shape of `T`: the error
    /// names line, column and what stands there.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(mut self) -> Result<T> {
        let body = self.collect()?;
        crate::json::parse(&body).map_err(|error| error.for_url(&self.head.url))
    }

    /// Copies the body to `writer` piece by piece; says how many bytes it had.
    ///
    /// ```no_run
    /// let mut response = leanhttp::get("https://example.org/large.iso")?;
    /// let mut file = std::fs::File::create("large.iso").expect("a file");
    /// response.copy_to(&mut file)?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded or comes too late, or if the writer fails.
    pub fn copy_to<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<u64> {
        let mut piece = vec![0; COPY_PIECE];
        let mut copied = 0;
        loop {
            let count = self.next_bytes(&mut piece)?;
            if count == 0 {
                return Ok(copied);
            }
            writer.write_all(piece.get(..count).unwrap_or_default()).map_err(|error| {
                let error = Error::new(Kind::Io, Phase::Body).detail("writing it on").cause(error);
                error.for_url(&self.head.url)
            })?;
            copied += count as u64;
        }
    }

    /// The trailer fields of a chunked body (RFC 9110 §6.5), once it was read to its end. They are
    /// never merged into the head.
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.body.trailers.as_ref()
    }

    fn collect(&mut self) -> Result<Vec<u8>> {
        self.body.collect().map_err(|error| error.for_url(&self.head.url))
    }

    fn next_bytes(&mut self, into: &mut [u8]) -> Result<usize> {
        self.body.next_bytes(into).map_err(|error| error.for_url(&self.head.url))
    }
}

/// Reads the body as it comes, decoded. An [`Error`] is inside each `io::Error`.
impl Read for Response {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next_bytes(into).map_err(|error| {
            let kind = match error.kind() {
                Kind::Timeout => io::ErrorKind::TimedOut,
                Kind::Truncated => io::ErrorKind::UnexpectedEof,
                Kind::Protocol | Kind::Decode => io::ErrorKind::InvalidData,
                _ => io::ErrorKind::Other,
            };
            io::Error::new(kind, error)
        })
    }
}

impl Error {
    /// The response that [`error_for_status`](crate::response::Response::error_for_status)
    /// refused, so that its body can be read.
    ///
    /// ```no_run
    /// # let response = leanhttp::get("https://example.org/")?;
    /// if let Err(error) = response.error_for_status() {
    ///     let explanation = error.into_response()?.text()?;
    /// }
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error itself, if there is no response in it.
    pub fn into_response(self) -> Result<Response> {
        self.try_into()
    }
}
