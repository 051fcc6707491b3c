//! Reading a response's body: as bytes, text, JSON, or piece by piece.

use std::io::{self, Read, Write};

use bytes::Bytes;
use http::{HeaderMap, header};

use super::Response;
use crate::charset;
use crate::driver::ready::run;
use crate::error::{Error, Kind, Phase, Result};

/// What `copy_to` moves at once.
const COPY_PIECE: usize = 64 * 1024;

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
        Ok(charset::decode(body, self.head.received.headers.first(&header::CONTENT_TYPE), "utf-8"))
    }

    /// The whole body as text, decoded by `default_encoding` if `Content-Type` names no charset.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    #[cfg(feature = "charset")]
    pub fn text_with_charset(mut self, default_encoding: &str) -> Result<String> {
        let body = self.collect()?;
        let content_type = self.head.received.headers.first(&header::CONTENT_TYPE);
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
        self.body.trailers.as_deref()
    }

    fn collect(&mut self) -> Result<Vec<u8>> {
        run(self.body.collect()).map_err(|error| error.for_url(&self.head.url))
    }

    fn next_bytes(&mut self, into: &mut [u8]) -> Result<usize> {
        run(self.body.next_bytes(into)).map_err(|error| error.for_url(&self.head.url))
    }
}

/// Reads the body as it comes, decoded. An [`Error`] is inside each `io::Error`.
impl Read for Response {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.next_bytes(into).map_err(Error::into_io)
    }
}

impl Error {
    /// The response that [`error_for_status`](crate::response::Response::error_for_status)
    /// refused, or that was [no upgrade](Response::upgrade), so that its body can be read.
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
