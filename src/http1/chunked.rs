//! The chunked transfer coding (RFC 9112 §7.1), both ways.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::chunk_line::ChunkLine;
use super::error::ProtocolError;
use super::progress::Progress;
use crate::base::buffer::Buffer;
use crate::base::excerpt::Excerpt;
use crate::http1::field_lines::trim_ows;
use crate::http1::limits::Limits;

/// Takes a chunked body apart.
///
/// Two ways lead through the data of a chunk, and they may be mixed freely:
/// [`decode`](Self::decode) copies it out of a buffer, over as many chunks as there are;
/// [`remaining_in_chunk`](Self::remaining_in_chunk) and [`advance`](Self::advance) let the driver
/// read it straight to where the caller wants it.
///
/// An error is final: whatever is asked afterwards, the decoder answers with the same error.
pub(crate) struct Decoder {
    state: State,
    line: ChunkLine,
    trailer_line: Vec<u8>,
    trailer_bytes: usize,
    trailers: Trailers,
    limits: Limits,
}

/// Trailer fields as they were received.
#[derive(Default)]
pub(crate) struct Trailers(pub(crate) HeaderMap);

impl Decoder {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            state: State::Line,
            line: ChunkLine::new(limits.chunk_extension_bytes),
            trailer_line: Vec::new(),
            trailer_bytes: 0,
            trailers: Trailers::default(),
            limits: limits.clone(),
        }
    }

    /// Decodes as much of `input` as there is and fits into `output`.
    ///
    /// What stands between the data needs no room: with `output` full or empty, everything up to
    /// the next byte of data, or to the end of the body, is consumed all the same. Nothing past
    /// the end of the body is consumed.
    ///
    /// An error comes only after all the data before it was given out.
    pub(crate) fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Progress, ProtocolError> {
        Progress::repeat(input, output, |input, output| {
            let step = self.step(input, output);
            if let Err(error) = &step {
                self.state = State::Failed(error.clone());
            }
            step
        })
    }

    /// How many plain bytes of data come next on the connection; 0 where something else comes.
    pub(crate) fn remaining_in_chunk(&self) -> u64 {
        match self.state {
            State::Data(remaining) => remaining,
            _ => 0,
        }
    }

    /// The driver has itself taken the next `count` bytes of data, at most
    /// [`remaining_in_chunk`](Self::remaining_in_chunk).
    pub(crate) fn advance(&mut self, count: usize) {
        if let State::Data(remaining) = self.state {
            self.state = match remaining.saturating_sub(count as u64) {
                0 => State::DataEnd,
                remaining => State::Data(remaining),
            };
        }
    }

    /// Whether the body is complete, its trailers included.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// What is wrong when the input ends before the body [is done](Self::is_done).
    pub(crate) fn eof(&self) -> ProtocolError {
        match &self.state {
            State::Failed(error) => error.clone(),
            _ => ProtocolError::EofInChunked { missing: self.remaining_in_chunk() },
        }
    }

    /// The trailer fields, once the body is done: all of them as received.
    ///
    /// They are never merged into the head: a `Content-Length` or `Set-Cookie` here has no effect
    /// (RFC 9110 §6.5.1).
    pub(crate) fn take_trailers(&mut self) -> Trailers {
        std::mem::take(&mut self.trailers)
    }

    /// Does the next bit of work; no progress means that none is possible.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, ProtocolError> {
        match &self.state {
            State::Line => self.size_line(input),
            State::Data(remaining) => Ok(self.data(*remaining, input, output)),
            State::DataEnd => self.expect(b'\r', State::DataEndCr, input),
            State::DataEndCr => self.expect(b'\n', State::Line, input),
            State::Trailers => self.trailer(input),
            State::Done => Ok(Progress::default()),
            State::Failed(error) => Err(error.clone()),
        }
    }

    fn size_line(&mut self, input: &[u8]) -> Result<Progress, ProtocolError> {
        let (consumed, size) = self.line.read(input)?;
        match size {
            Some(0) => self.state = State::Trailers,
            Some(size) => self.state = State::Data(size),
            None => {}
        }
        Ok(Progress { consumed, produced: 0 })
    }

    fn data(&mut self, remaining: u64, input: &[u8], output: &mut [u8]) -> Progress {
        let count = usize::try_from(remaining).unwrap_or(usize::MAX);
        let count = count.min(input.len()).min(output.len());
        if let (Some(from), Some(to)) = (input.get(..count), output.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.advance(count);
        Progress { consumed: count, produced: count }
    }

    fn expect(
        &mut self,
        expected: u8,
        next: State,
        input: &[u8],
    ) -> Result<Progress, ProtocolError> {
        match input.first() {
            None => Ok(Progress::default()),
            Some(byte) if *byte == expected => {
                self.state = next;
                Ok(Progress { consumed: 1, produced: 0 })
            }
            Some(byte) => Err(ProtocolError::InvalidChunkEnd(*byte)),
        }
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Progress, ProtocolError> {
        let line = input.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        self.trailer_bytes += line.len();
        if self.trailer_bytes > self.limits.trailer_bytes {
            return Err(ProtocolError::TrailersTooLarge(self.limits.trailer_bytes));
        }
        if self.trailer_line.is_empty() && line == b"\r\n" {
            self.state = State::Done;
        } else {
            self.trailer_line.extend_from_slice(line);
            self.end_trailer_line()?;
        }
        Ok(Progress { consumed: line.len(), produced: 0 })
    }

    /// Takes the field out of the line, if the line is complete.
    fn end_trailer_line(&mut self) -> Result<(), ProtocolError> {
        if !self.trailer_line.ends_with(b"\n") {
            return Ok(());
        }
        let line = std::mem::take(&mut self.trailer_line);
        if line == b"\r\n" {
            self.state = State::Done;
            return Ok(());
        }
        if self.trailers.0.len() >= self.limits.trailer_fields {
            return Err(ProtocolError::TooManyTrailers(self.limits.trailer_fields));
        }
        let invalid = || ProtocolError::InvalidTrailer(Excerpt::field_name(&line));
        let (name, value) = parse_field(&line).ok_or_else(invalid)?;
        self.trailers.0.try_append(name, value).map_err(|_| invalid())?;
        Ok(())
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("state", &self.state)
            .field("trailers", &self.trailers)
            .finish_non_exhaustive()
    }
}

/// Says how many there are, never what: a server's fields may be secrets.
impl fmt::Debug for Trailers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trailers").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum State {
    Line,
    /// Never of 0 bytes.
    Data(u64),
    DataEnd,
    DataEndCr,
    Trailers,
    Done,
    Failed(ProtocolError),
}

/// One field line with its CRLF (RFC 9112 §5): no space before the colon, no control characters,
/// no bare LF as its end.
fn parse_field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let line = line.strip_suffix(b"\r\n")?;
    let (name, value) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?)?;
    let value = trim_ows(value.strip_prefix(b":")?);
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}

/// The room that the size line of a chunk needs at most.
pub(crate) const SIZE_LINE: usize = 18;

/// What follows the data of a chunk.
pub(crate) const CHUNK_END: &[u8] = b"\r\n";

/// What follows the last chunk's data and its [`CHUNK_END`]: the end of a body without trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Writes what follows the last chunk: the end of the body, and the trailers before it.
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

/// Writes the size line of a chunk of `size` bytes to the right end of `space`, and returns where
/// it starts. With the data right behind `space`, the chunk is one piece and needs one write.
///
/// `size` is not 0: that would be the last chunk.
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
