//! The body of a response line by line: as text, or as a JSON value in each line. See
//! [the guide](crate::guide::streams).

// `advance` is the one place that reads; what it makes of a line is the caller's matter. A future of it may be
// dropped at any point: what was read is in the buffer, and what was not read is still in the body.

use std::fmt;
#[cfg(feature = "json")]
use std::marker::PhantomData;
use std::str;

#[cfg(feature = "json")]
use serde::de::DeserializeOwned;

use super::response::Response;
#[cfg(feature = "json")]
use crate::coding::json;
use crate::driver::ResponseBody;
use crate::driver::runtime::Runtime;
use crate::error::{Error, Result};
use crate::extra::streams::line_buffer::{LineBuffer, LineTooLong, invalid};
use crate::url::Url;

/// The default limit on a line: rows of data are often longer than 64 KiB, and seldom than this.
const MAX_LINE: usize = 1024 * 1024;

impl<F: Runtime> Response<ResponseBody<F>> {
    /// Returns the lines of the body, as they arrive.
    ///
    /// LF ends a line, and one CR before it is dropped; a last line without LF is a line too. Nothing else
    /// ends a line. The text is UTF-8, whatever the charset of the response; a byte order mark at the start is
    /// skipped. A line may have 1 MiB, which [`max_line_bytes`](Lines::max_line_bytes) changes.
    ///
    /// On the blocking client this is an `Iterator`, on the async one it has `next().await` and is a `Stream`
    /// with the feature `stream`.
    ///
    /// ```
    /// use leanhttp::blocking::Response;
    ///
    /// # fn example(response: Response) -> leanhttp::Result<()> {
    /// for line in response.lines() {
    ///     println!("{}", line?);
    /// }
    /// # Ok(())
    /// # }
    /// # example(http::Response::new("one\r\ntwo").into())?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A line that is not UTF-8 is an error, and the next line is read as usual. A line that is too long and
    /// a failure of the body end the lines; a body that was cut short gives its error in place of the line that
    /// was cut. Each error has the number of its line: [`line_number`](Error::line_number).
    pub fn lines(self) -> Lines<F> {
        Lines::new(self)
    }

    /// Returns the values of a body with one JSON text in each line (NDJSON, JSON Lines), as they arrive.
    /// Lines of white space are skipped.
    ///
    /// ```
    /// use leanhttp::blocking::Response;
    ///
    /// # fn example(response: Response) -> leanhttp::Result<()> {
    /// for row in response.json_lines::<Vec<u32>>() {
    ///     println!("{}", row?.len());
    /// }
    /// # Ok(())
    /// # }
    /// # example(http::Response::new("[1, 2]\n[]\n").into())?;
    /// # Ok::<(), leanhttp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`lines`](Self::lines). A line that is not one JSON text, or does not have the shape of `T`, is
    /// an error, and the next line is read as usual.
    #[cfg(feature = "json")]
    #[cfg_attr(docsrs, doc(cfg(feature = "json")))]
    pub fn json_lines<T: DeserializeOwned>(self) -> JsonLines<F, T> {
        JsonLines { lines: Lines::new(self), value: PhantomData }
    }
}

/// The lines of a body; see [`Response::lines`].
#[must_use]
pub struct Lines<F: Runtime> {
    /// `None` after the end of the body.
    response: Option<Response<ResponseBody<F>>>,
    url: Url,
    buffer: LineBuffer,
}

impl<F: Runtime> Lines<F> {
    fn new(response: Response<ResponseBody<F>>) -> Self {
        let url = response.url().clone();
        Self { response: Some(response), url, buffer: LineBuffer::of_text(MAX_LINE) }
    }

    /// Sets the limit on a line, in bytes and without its end. Default: 1 MiB.
    pub fn max_line_bytes(mut self, limit: usize) -> Self {
        self.buffer.set_limit(limit);
        self
    }

    /// Returns the number of the line that was returned last, counted from 1; 0 before the first.
    pub fn line_number(&self) -> u64 {
        self.buffer.number()
    }

    /// Reads the next line; `None` at the end.
    pub(crate) async fn next_line(&mut self) -> Option<Result<String>> {
        match self.advance().await {
            Ok(false) => None,
            Ok(true) => Some(self.text()),
            Err(error) => Some(Err(error)),
        }
    }

    fn text(&self) -> Result<String> {
        str::from_utf8(self.buffer.line()).map(str::to_owned).map_err(|cause| {
            let number = self.buffer.number();
            invalid(format!("line {number} is not UTF-8"), number).cause(cause).for_url(&self.url)
        })
    }

    /// Reads up to the next line; returns whether there is one. An error ends the lines.
    async fn advance(&mut self) -> Result<bool> {
        loop {
            match self.buffer.advance() {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(LineTooLong) => return Err(self.too_long()),
            }
            let Some(response) = &mut self.response else { return Ok(false) };
            match response.next_bytes(self.buffer.space()).await {
                Ok(0) => {
                    self.response = None;
                    self.buffer.finish();
                }
                Ok(count) => self.buffer.filled(count),
                Err(error) => {
                    let line = self.buffer.number() + 1;
                    self.end();
                    return Err(error.in_line(line));
                }
            }
        }
    }

    #[cold]
    fn too_long(&mut self) -> Error {
        let (number, limit) = (self.buffer.number(), self.buffer.limit());
        self.end();
        let detail = format!("line {number} is longer than {limit} bytes (max_line_bytes)");
        invalid(detail, number).for_url(&self.url)
    }

    /// Closes the connection and discards what was read.
    fn end(&mut self) {
        self.response = None;
        self.buffer.restart();
    }
}

/// Shows no content.
impl<F: Runtime> fmt::Debug for Lines<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("url", &self.url).field("read", &self.buffer).finish()
    }
}

/// The JSON values of the lines of a body; see [`Response::json_lines`].
#[cfg(feature = "json")]
#[cfg_attr(docsrs, doc(cfg(feature = "json")))]
#[must_use]
pub struct JsonLines<F: Runtime, T> {
    lines: Lines<F>,
    value: PhantomData<fn() -> T>,
}

#[cfg(feature = "json")]
impl<F: Runtime, T: DeserializeOwned> JsonLines<F, T> {
    /// Sets the limit on a line, in bytes and without its end. Default: 1 MiB.
    pub fn max_line_bytes(mut self, limit: usize) -> Self {
        self.lines = self.lines.max_line_bytes(limit);
        self
    }

    /// Returns the number of the line that was returned last, counted from 1; 0 before the first.
    pub fn line_number(&self) -> u64 {
        self.lines.line_number()
    }

    /// Reads the next value; `None` at the end.
    pub(crate) async fn next_value(&mut self) -> Option<Result<T>> {
        loop {
            match self.lines.advance().await {
                Ok(false) => return None,
                Ok(true) if is_white(self.lines.buffer.line()) => {}
                Ok(true) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        let (line, number) = (self.lines.buffer.line(), self.lines.buffer.number());
        Some(json::parse_line(line, number).map_err(|error| error.for_url(&self.lines.url)))
    }
}

/// RFC 8259 §2: *ws*.
#[cfg(feature = "json")]
fn is_white(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Shows no content.
#[cfg(feature = "json")]
impl<F: Runtime, T> fmt::Debug for JsonLines<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").field("lines", &self.lines).finish()
    }
}
