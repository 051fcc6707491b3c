//! Splits bytes into lines, whatever the pieces in which they arrive.
//!
//! ```text
//! memory  │ taken │ the current line │ end │ scanned: no line end in it │ not scanned yet │ free space │
//! ```
//!
//! A line end is looked for once in each byte: `scanned` remembers how far the search has come, so a line of
//! many pieces is not read again from its start. Bytes are moved only when the free space behind them is used
//! up, as in every [`Buffer`].
//!
//! There are two kinds of line ends. In a text (NDJSON and the like) LF ends a line, and one CR before it
//! belongs to the end; nothing else ends a line. In an event stream (WHATWG HTML §9.2.5) CR, LF and CR LF do.
//! A CR ends its line at once: an LF that follows is skipped when it arrives, since a source may pause between
//! the two.

use std::fmt;

use crate::base::buffer::Buffer;
use crate::base::text::find_any;
use crate::error::{Error, Kind, Phase};

/// The smallest room for a read.
const ROOM: usize = 8 * 1024;

/// Memory that is always kept. A larger one is left by a long line, and is wanted again if more of them follow.
const KEPT: usize = 256 * 1024;

/// The number of short lines in a row after which a larger memory is given back.
const SHORT_LINES: u32 = 256;

/// U+FEFF in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Received bytes, of which each line is taken in turn.
pub(crate) struct LineBuffer {
    buffer: Buffer,
    /// True if a CR ends a line, as in event streams.
    ends_at_cr: bool,
    /// The largest number of bytes in a line, without its end.
    limit: usize,
    /// The length of the current line, at the front of the buffer.
    current: usize,
    /// The bytes at the front that are done with at the next line: the current line and its end.
    taken: usize,
    /// The bytes behind `taken` that hold no line end.
    scanned: usize,
    /// Nothing was taken yet, so a byte order mark may come.
    is_at_start: bool,
    /// The last line ended with a CR, so an LF belongs to its end.
    skips_lf: bool,
    is_finished: bool,
    /// The number of lines since the last one that needed a large memory.
    short_lines: u32,
    /// The number of the current line; 0 before the first.
    number: u64,
    #[cfg(test)]
    pub(crate) bytes_scanned: usize,
}

/// A line is longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineTooLong;

impl LineBuffer {
    /// Creates a buffer for lines that end with LF or CR LF.
    pub(crate) fn of_text(limit: usize) -> Self {
        Self {
            buffer: Buffer::default(),
            ends_at_cr: false,
            limit,
            current: 0,
            taken: 0,
            scanned: 0,
            is_at_start: true,
            skips_lf: false,
            is_finished: false,
            short_lines: 0,
            number: 0,
            #[cfg(test)]
            bytes_scanned: 0,
        }
    }

    /// Creates a buffer for lines that end with LF, CR or CR LF.
    #[cfg(feature = "sse")]
    pub(crate) fn of_events(limit: usize) -> Self {
        Self { ends_at_cr: true, ..Self::of_text(limit) }
    }

    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the space for the next bytes, which is never empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.drop_taken();
        self.buffer.space(ROOM)
    }

    /// Marks the first `count` bytes of the space as received.
    pub(crate) fn filled(&mut self, count: usize) {
        self.buffer.filled(count);
    }

    /// Appends received bytes.
    #[cfg(any(feature = "sse", test))]
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.drop_taken();
        self.buffer.push(bytes);
    }

    /// Marks the end of the input: what is left is the last line.
    pub(crate) fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Discards everything that was received and not taken, and starts again as for new input.
    pub(crate) fn restart(&mut self) {
        let (ends_at_cr, limit) = (self.ends_at_cr, self.limit);
        *self = Self { ends_at_cr, ..Self::of_text(limit) };
    }

    /// Advances to the next line; returns whether there is one.
    pub(crate) fn advance(&mut self) -> Result<bool, LineTooLong> {
        self.drop_taken();
        if !self.skip_mark() {
            return Ok(false);
        }
        self.skip_lf();
        let unscanned = self.buffer.data().get(self.scanned..).unwrap_or_default();
        let found = match self.ends_at_cr {
            true => find_any([b'\n', b'\r'], unscanned),
            false => find_any([b'\n'], unscanned),
        };
        #[cfg(test)]
        {
            self.bytes_scanned += found.map_or(unscanned.len(), |at| at + 1);
        }
        let Some(at) = found else {
            self.scanned = self.buffer.len();
            return self.last_line();
        };
        let end = self.scanned + at;
        self.skips_lf = self.buffer.data().get(end) == Some(&b'\r');
        self.take(self.without_cr(end), end + 1)
    }

    /// Returns the current line, without its end.
    pub(crate) fn line(&self) -> &[u8] {
        self.buffer.data().get(..self.current).unwrap_or_default()
    }

    /// Returns the number of the current line, counted from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Removes the current line, and in time the memory that a long one has left behind.
    fn drop_taken(&mut self) {
        if self.taken == 0 {
            return;
        }
        self.buffer.consume(self.taken);
        let is_short = self.taken <= KEPT / 2;
        self.short_lines = if is_short { self.short_lines.saturating_add(1) } else { 0 };
        (self.taken, self.current) = (0, 0);
        if self.short_lines >= SHORT_LINES && self.buffer.is_empty() {
            self.short_lines = 0;
            if self.buffer.space(0).len() > KEPT {
                self.buffer = Buffer::default();
            }
        }
    }

    /// Skips a byte order mark at the start of the input; returns whether it is known that there is none left.
    fn skip_mark(&mut self) -> bool {
        if !self.is_at_start {
            return true;
        }
        let data = self.buffer.data();
        if data.starts_with(MARK) {
            self.buffer.consume(MARK.len());
        } else if MARK.starts_with(data) && !self.is_finished {
            return false;
        }
        self.is_at_start = false;
        true
    }

    /// Skips an LF that belongs to the end of the line before.
    fn skip_lf(&mut self) {
        if self.skips_lf && !self.buffer.is_empty() {
            self.skips_lf = false;
            if self.buffer.data().starts_with(b"\n") {
                self.buffer.consume(1);
            }
        }
    }

    /// Ends the current line before `end`: in a text, a CR there belongs to the line's end.
    fn without_cr(&self, end: usize) -> usize {
        let line = self.buffer.data().get(..end).unwrap_or_default();
        match line {
            [.., b'\r'] if !self.ends_at_cr => end - 1,
            _ => end,
        }
    }

    /// Takes what is left as the last line once the input has ended.
    fn last_line(&mut self) -> Result<bool, LineTooLong> {
        let length = self.buffer.len();
        let line = self.without_cr(length);
        if self.is_finished && length > 0 {
            return self.take(line, length);
        }
        if line > self.limit {
            self.number += 1;
            return Err(LineTooLong);
        }
        Ok(false)
    }

    /// Makes the first `line` bytes the current line, of which `taken` are used up.
    fn take(&mut self, line: usize, taken: usize) -> Result<bool, LineTooLong> {
        self.scanned = 0;
        self.number += 1;
        if line > self.limit {
            return Err(LineTooLong);
        }
        (self.current, self.taken) = (line, taken);
        Ok(true)
    }
}

/// Shows no byte of the content.
impl fmt::Debug for LineBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineBuffer")
            .field("number", &self.number)
            .field("received", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// Returns the error for content of a body that cannot be converted.
pub(crate) fn invalid(detail: String, line: u64) -> Error {
    Error::new(Kind::Decode, Phase::Decode).detail(detail).in_line(line)
}

#[cfg(test)]
mod tests;
