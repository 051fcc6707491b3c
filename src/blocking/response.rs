//! Reads a response's body: as bytes, text, JSON, or piece by piece.

use std::io::{self, Read, Write};

use bytes::Bytes;

use super::{Response, ResponseBody};
use crate::driver::runtime::run;
use crate::error::{Error, Result};

/// The size of the pieces of `copy_to`.
const COPY_PIECE: usize = 64 * 1024;

impl Response {
    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// If the body is cut short, cannot be decoded, exceeds a time limit, or is larger than
    /// [`body_limit`](crate::client::ClientBuilder::body_limit).
    pub fn bytes(mut self) -> Result<Bytes> {
        run(|| self.collect()).map(Bytes::from)
    }

    /// Reads the whole body as text: decoded by the charset of `Content-Type` (feature `charset`),
    /// or as UTF-8; invalid sequences become U+FFFD. A byte order mark is removed.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes).
    pub fn text(self) -> Result<String> {
        run(|| self.collect_text("utf-8"))
    }

    /// Reads the whole body as text, decoded by `default_encoding` if `Content-Type` names no
    /// charset.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes).
    #[cfg(feature = "charset")]
    pub fn text_with_charset(self, default_encoding: &str) -> Result<String> {
        run(|| self.collect_text(default_encoding))
    }

    /// Reads the whole body and parses it as JSON.
    ///
    /// # Errors
    ///
    /// As for [`bytes`](Self::bytes); and if the body is not JSON or does not have the shape of
    /// `T`: the error names the line, the column and the text there.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        run(|| self.collect_json())
    }

    /// Copies the body to `writer` piece by piece; returns the number of bytes.
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
    /// If the body is cut short, cannot be decoded or exceeds a time limit, or if the writer fails.
    pub fn copy_to<W: Write + ?Sized>(&mut self, writer: &mut W) -> Result<u64> {
        let mut piece = vec![0; COPY_PIECE];
        let mut copied = 0;
        loop {
            let count = run(|| self.next_bytes(&mut piece))?;
            if count == 0 {
                return Ok(copied);
            }
            let written = writer.write_all(piece.get(..count).unwrap_or_default());
            written.map_err(|error| self.writer_error(error))?;
            copied += count as u64;
        }
    }
}

/// Reads the decoded body as it arrives. Each `io::Error` contains an [`Error`].
impl Read for Response {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.next_bytes(into)).map_err(Error::into_io)
    }
}

/// Reads the decoded body as it arrives. Each `io::Error` contains an [`Error`].
impl Read for ResponseBody {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        run(|| self.next_bytes(into)).map_err(Error::into_io)
    }
}

impl Error {
    /// Returns the response of an error, so that its body can be read: one that
    /// [`error_for_status`](crate::client::response::Response::error_for_status) refused, that was
    /// [not an upgrade](Response::upgrade), or that was a redirect which was not followed.
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
    /// The error itself, if it contains no response, or one of the async client: for that use
    /// `leanhttp::tokio::Response::try_from(error)`.
    pub fn into_response(self) -> Result<Response> {
        self.try_into()
    }
}
