//! Decodes and encodes the chunked transfer coding (RFC 9112 §7.1).
//!
//! # The decoder
//!
//! ```text
//! Line ──size > 0──▶ Data ──all bytes──▶ DataEnd ──CR──▶ DataEndCr ──LF──▶ Line
//!   └──size = 0──▶ Trailers ──empty line──▶ Done
//! any state ──a byte that is not allowed──▶ Failed
//! ```
//!
//! The size line has states of its own, because it can be split at any byte and has parts that are
//! ignored:
//!
//! ```text
//! 1a4 ; name="value" \r \n
//! │   │              │  └─ Start: the size is known
//! │   │              └──── Cr
//! │   └─────────────────── Extension: any byte but CR and LF
//! └─────────────────────── Size, then perhaps Blank
//! ```
//!
//! # Bounds
//!
//! One body may have any number of chunks (`a_million_one_byte_chunks_pass`), but everything that
//! is not data is paid for: extensions, blanks and leading zeros together by
//! `Limits::max_chunk_extension_bytes`, trailers by `max_trailer_bytes` and `max_trailers`
//! (`bytes_that_are_not_data_are_limited`, `limits_are_inclusive`). A size has at most 63 bits, so
//! that arithmetic on it cannot overflow (`tests/hostile_framing.rs`,
//! `h08_chunk_sizes_that_overflow_are_errors`).
//!
//! # What must hold
//!
//! - The end of the input before the last chunk and its trailers is an error, also between two
//!   chunks: `every_cut_is_an_error`.
//! - Data before an error is delivered, then the error, at every split:
//!   `malformed_bodies_deliver_their_data_and_then_the_reason`, and the fuzz target `chunked`,
//!   which also compares with a naive decoder (as `agrees_with_a_naive_decoder` does).
//! - A bare LF ends nothing here, unlike in a head: RFC 9112 allows it only there, and recipients
//!   that accept it in chunk lines have been used for smuggling (`h15_a_bare_lf_in_a_chunk_line_is_an_error`).
//! - Trailers never become header fields: `trailers_are_kept_as_received_and_have_no_effect`.
//!
//! # Encoding
//!
//! [`write_size_line`] writes into the end of a fixed space in front of the data, so that a chunk
//! leaves in one write without being copied:
//!
//! ```text
//! │ free │ 3e8 CR LF │ 1,000 bytes of data │ CR LF │
//!        └ the returned position
//! ```

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::ProtocolError;
use super::progress::DecodeProgress;
use crate::base::buffer::Buffer;
use crate::base::text::{Excerpt, digit, push_digit};
use crate::http1::header_section::trim_ows;
use crate::http1::limits::Limits;

/// Decodes a chunked body.
///
/// There are two ways to read the data of a chunk, which may be mixed:
/// [`decode`](Self::decode) copies it out of a buffer, across chunk boundaries;
/// [`remaining_in_chunk`](Self::remaining_in_chunk) and [`advance`](Self::advance) let the driver
/// read it directly into the caller's slice.
///
/// An error is final: every later call returns the same error.
pub(crate) struct ChunkedDecoder {
    state: ChunkedState,
    line: ChunkLine,
    trailer_line: Vec<u8>,
    trailer_bytes: usize,
    trailers: ReceivedTrailers,
    limits: Limits,
}

/// The trailer fields as received.
#[derive(Default)]
pub(crate) struct ReceivedTrailers(pub(crate) HeaderMap);

impl ChunkedDecoder {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            state: ChunkedState::Line,
            line: ChunkLine::new(limits.max_chunk_extension_bytes),
            trailer_line: Vec::new(),
            trailer_bytes: 0,
            trailers: ReceivedTrailers::default(),
            limits: limits.clone(),
        }
    }

    /// Decodes as much of `input` as fits into `output`.
    ///
    /// The bytes between the data need no room in `output`: even if it is full or empty, everything up
    /// to the next byte of data, or to the end of the body, is consumed. Bytes after the end of the body
    /// are not consumed.
    ///
    /// An error is returned only after all data before it has been delivered.
    pub(crate) fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<DecodeProgress, ProtocolError> {
        DecodeProgress::repeat(input, output, |input, output| {
            let step = self.step(input, output);
            if let Err(error) = &step {
                self.state = ChunkedState::Failed(error.clone());
            }
            step
        })
    }

    /// Returns the number of data bytes left in the chunk; 0 outside the data of a chunk.
    pub(crate) fn remaining_in_chunk(&self) -> u64 {
        match self.state {
            ChunkedState::Data(remaining) => remaining,
            _ => 0,
        }
    }

    /// Records that the driver has read the next `count` bytes of data itself, at most
    /// [`remaining_in_chunk`](Self::remaining_in_chunk).
    pub(crate) fn advance(&mut self, count: usize) {
        if let ChunkedState::Data(remaining) = self.state {
            self.state = match remaining.saturating_sub(count as u64) {
                0 => ChunkedState::DataEnd,
                remaining => ChunkedState::Data(remaining),
            };
        }
    }

    /// Returns whether the body is complete, including its trailers.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, ChunkedState::Done)
    }

    /// Returns the error for input that ends before the body [is done](Self::is_done).
    pub(crate) fn eof(&self) -> ProtocolError {
        match &self.state {
            ChunkedState::Failed(error) => error.clone(),
            _ => ProtocolError::EofInChunked { missing: self.remaining_in_chunk() },
        }
    }

    /// Takes the trailer fields as received. Call it when the body is done.
    ///
    /// They are never merged into the head: a `Content-Length` or `Set-Cookie` here has no effect
    /// (RFC 9110 §6.5.1).
    pub(crate) fn take_trailers(&mut self) -> ReceivedTrailers {
        std::mem::take(&mut self.trailers)
    }

    /// Performs one step; returns no progress if more input or output space is needed.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, ProtocolError> {
        match &self.state {
            ChunkedState::Line => self.size_line(input),
            ChunkedState::Data(remaining) => Ok(self.data(*remaining, input, output)),
            ChunkedState::DataEnd if input.starts_with(CHUNK_END) => {
                self.state = ChunkedState::Line; // nearly always
                Ok(DecodeProgress { consumed: CHUNK_END.len(), produced: 0 })
            }
            ChunkedState::DataEnd => self.expect(b'\r', ChunkedState::DataEndCr, input),
            ChunkedState::DataEndCr => self.expect(b'\n', ChunkedState::Line, input),
            ChunkedState::Trailers => self.trailer(input),
            ChunkedState::Done => Ok(DecodeProgress::default()),
            ChunkedState::Failed(error) => Err(error.clone()),
        }
    }

    fn size_line(&mut self, input: &[u8]) -> Result<DecodeProgress, ProtocolError> {
        let (consumed, size) = match self.line.read_usual(input) {
            Some((consumed, size)) => (consumed, Some(size)),
            None => self.line.read(input)?,
        };
        match size {
            Some(0) => self.state = ChunkedState::Trailers,
            Some(size) => self.state = ChunkedState::Data(size),
            None => {}
        }
        Ok(DecodeProgress { consumed, produced: 0 })
    }

    /// Copies within one chunk only. `decode` repeats the step, so a small chunk costs no extra
    /// call of the caller, and the slices below cannot be out of range, because `count` is the
    /// smallest of the three.
    fn data(&mut self, remaining: u64, input: &[u8], output: &mut [u8]) -> DecodeProgress {
        let count = usize::try_from(remaining).unwrap_or(usize::MAX);
        let count = count.min(input.len()).min(output.len());
        if let (Some(from), Some(to)) = (input.get(..count), output.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.advance(count);
        DecodeProgress { consumed: count, produced: count }
    }

    fn expect(
        &mut self,
        expected: u8,
        next: ChunkedState,
        input: &[u8],
    ) -> Result<DecodeProgress, ProtocolError> {
        match input.first() {
            None => Ok(DecodeProgress::default()),
            Some(byte) if *byte == expected => {
                self.state = next;
                Ok(DecodeProgress { consumed: 1, produced: 0 })
            }
            Some(byte) => Err(ProtocolError::InvalidChunkEnd(*byte)),
        }
    }

    /// A line is appended to what arrived of it before and parsed when its LF arrives, so that the
    /// split of the input cannot matter. The limit counts bytes as they arrive, before they are
    /// kept.
    fn trailer(&mut self, input: &[u8]) -> Result<DecodeProgress, ProtocolError> {
        let line = input.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        self.trailer_bytes += line.len();
        if self.trailer_bytes > self.limits.max_trailer_bytes {
            return Err(ProtocolError::TrailersTooLarge(self.limits.max_trailer_bytes));
        }
        if self.trailer_line.is_empty() && line == b"\r\n" {
            self.state = ChunkedState::Done;
        } else {
            self.trailer_line.extend_from_slice(line);
            self.end_trailer_line()?;
        }
        Ok(DecodeProgress { consumed: line.len(), produced: 0 })
    }

    /// Parses the trailer line and appends its field, if the line is complete.
    fn end_trailer_line(&mut self) -> Result<(), ProtocolError> {
        if !self.trailer_line.ends_with(b"\n") {
            return Ok(());
        }
        let line = std::mem::take(&mut self.trailer_line);
        if line == b"\r\n" {
            self.state = ChunkedState::Done;
            return Ok(());
        }
        if self.trailers.0.len() >= self.limits.max_trailers {
            return Err(ProtocolError::TooManyTrailers(self.limits.max_trailers));
        }
        let invalid = || ProtocolError::InvalidTrailer(Excerpt::field_name(&line));
        let (name, value) = parse_field(&line).ok_or_else(invalid)?;
        self.trailers.0.try_append(name, value).map_err(|_| invalid())?;
        Ok(())
    }
}

impl fmt::Debug for ChunkedDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkedDecoder")
            .field("state", &self.state)
            .field("trailers", &self.trailers)
            .finish_non_exhaustive()
    }
}

/// Shows the number of fields, never their content: a server's fields may be secrets.
impl fmt::Debug for ReceivedTrailers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedTrailers").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum ChunkedState {
    Line,
    /// Never 0 bytes.
    Data(u64),
    DataEnd,
    DataEndCr,
    Trailers,
    Done,
    Failed(ProtocolError),
}

/// Parses the size line of a chunk byte by byte (RFC 9112 §7.1, §7.1.1). One value is used for all
/// chunks of a body.
///
/// ```text
/// chunk-size *( SP / HTAB ) [ ";" *( any byte but CR and LF ) ] CRLF
/// chunk-size = 1*HEXDIG
/// ```
///
/// The grammar of the RFC is stricter. Two deviations are accepted, because they cannot make recipients
/// disagree about the size: blanks after the size, which old servers pad it with, and any bytes in an
/// extension, because a recipient ignores unknown extensions (§7.1.1). Everything on which recipients
/// disagree, and which has been used for smuggling, is an error: a bare LF or CR, blanks before or
/// between digits, a sign, `0x`.
#[derive(Debug)]
struct ChunkLine {
    state: ChunkLineState,
    /// The value of the digits so far.
    size: u64,
    /// The bytes of all lines so far, except significant digits and CRLF; includes blanks.
    extension_bytes: usize,
    /// The maximum of `extension_bytes`.
    limit: usize,
}

/// The number of digits of a size that is parsed at once: fewer than overflow.
const USUAL_DIGITS: usize = 8;

impl ChunkLine {
    fn new(limit: usize) -> Self {
        Self { state: ChunkLineState::Start, size: 0, extension_bytes: 0, limit }
    }

    /// Parses a whole line that is a number without leading zeros, as nearly every one is. Returns the number of
    /// bytes consumed and the size, or `None` for any other line and any part of one.
    fn read_usual(&self, input: &[u8]) -> Option<(usize, u64)> {
        if !matches!(self.state, ChunkLineState::Start) || input.starts_with(b"0") {
            return None;
        }
        let mut size = 0;
        for (at, byte) in input.iter().enumerate().take(USUAL_DIGITS + 1) {
            match digit(*byte, 16) {
                Some(digit) => size = size << 4 | u64::from(digit),
                None if at == 0 => return None,
                None => return input.get(at..)?.starts_with(b"\r\n").then_some((at + 2, size)),
            }
        }
        None
    }

    /// Parses up to the end of the line. Returns the number of bytes consumed, and the size once the
    /// line is complete.
    fn read(&mut self, input: &[u8]) -> Result<(usize, Option<u64>), ProtocolError> {
        for (at, byte) in input.iter().enumerate() {
            if let Some(size) = self.push(*byte)? {
                return Ok((at + 1, Some(size)));
            }
        }
        Ok((input.len(), None))
    }

    /// Parses one byte; returns the size when it ends the line.
    fn push(&mut self, byte: u8) -> Result<Option<u64>, ProtocolError> {
        self.state = self.state.next(byte).ok_or_else(|| self.state.error(byte))?;
        match self.state {
            ChunkLineState::Size => self.push_digit(byte)?,
            ChunkLineState::Cr => {}
            ChunkLineState::Start => return Ok(Some(std::mem::take(&mut self.size))),
            _ => self.count_extension_byte()?,
        }
        Ok(None)
    }

    fn push_digit(&mut self, byte: u8) -> Result<(), ProtocolError> {
        let digit = digit(byte, 16).unwrap_or_default();
        self.size = push_digit(self.size, digit, 16).ok_or(ProtocolError::ChunkTooLarge)?;
        // Leading zeros are valid in any number, so they count like extensions.
        if self.size == 0 { self.count_extension_byte() } else { Ok(()) }
    }

    fn count_extension_byte(&mut self) -> Result<(), ProtocolError> {
        self.extension_bytes += 1;
        if self.extension_bytes > self.limit {
            return Err(ProtocolError::ChunkExtensionsTooLarge(self.limit));
        }
        Ok(())
    }
}

/// The position in the line, named after the element that was just read.
#[derive(Debug, Clone, Copy)]
enum ChunkLineState {
    Start,
    Size,
    /// Blanks after the size.
    Blank,
    Extension,
    Cr,
}

impl ChunkLineState {
    /// Returns the state after this byte, or `None` if it is not allowed here. The whole grammar of
    /// a size line is this table.
    fn next(self, byte: u8) -> Option<Self> {
        use ChunkLineState::*;
        Some(match (self, byte) {
            (Start | Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => Size,
            (Size | Blank, b' ' | b'\t') => Blank,
            (Size | Blank, b';') => Extension,
            (Size | Blank | Extension, b'\r') => Cr,
            (Extension, byte) if byte != b'\n' => Extension,
            (Cr, b'\n') => Start,
            _ => return None,
        })
    }

    /// Returns the error for a `byte` that is invalid at this position.
    fn error(self, byte: u8) -> ProtocolError {
        match self {
            Self::Start | Self::Size | Self::Blank => ProtocolError::InvalidChunkSize(byte),
            Self::Cr => ProtocolError::InvalidChunkLineEnd(byte),
            Self::Extension => ProtocolError::InvalidChunkExtension(byte),
        }
    }
}

/// Parses one field line with its CRLF (RFC 9112 §5). Whitespace before the colon, control characters and
/// a bare LF at the end are errors.
fn parse_field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let line = line.strip_suffix(b"\r\n")?;
    let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    let value = trim_ows(value.strip_prefix(b":")?);
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}

/// The maximum length of the size line of a chunk.
pub(crate) const SIZE_LINE: usize = 18;

/// The line end after the data of a chunk.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";

/// The last chunk, after the [`CHUNK_END`] of the one before: the end of a body without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Writes the last chunk and the trailers.
pub(crate) fn write_end(trailers: &HeaderMap, out: &mut Buffer) {
    if trailers.is_empty() {
        return out.push(LAST_CHUNK);
    }
    out.push(b"0\r\n");
    for (name, value) in trailers {
        out.push_all([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"]);
    }
    out.push(b"\r\n");
}

/// Writes the size line of a chunk of `size` bytes to the right end of `space`, and returns the position
/// of its first byte. If the data follows `space` directly, the chunk is contiguous and needs one write.
///
/// `size` must not be 0, which is the last chunk.
pub(crate) fn write_size_line(size: usize, space: &mut [u8; SIZE_LINE]) -> usize {
    let [digits @ .., cr, lf] = space;
    (*cr, *lf) = (b'\r', b'\n');
    let mut rest = size;
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = match (rest & 0xf) as u8 {
            value @ ..10 => b'0' + value,
            value => b'a' - 10 + value,
        };
        rest >>= 4;
        start -= 1;
        if rest == 0 {
            break;
        }
    }
    start
}

#[cfg(test)]
mod tests;
