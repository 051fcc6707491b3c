//! Decodes a response body according to its framing (RFC 9112 §6.3).

use super::chunked::{ChunkedDecoder, ReceivedTrailers};
use super::error::ProtocolError;
use super::exchange::BodyStep;
use crate::base::buffer::Buffer;

/// The minimum size of a read directly into the caller's slice; smaller reads go through the buffer.
const DIRECT_READ: usize = 4 * 1024;

/// The part of a body that has not been read yet.
#[derive(Debug)]
pub(super) enum Incoming {
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
    UntilClose,
}

impl Incoming {
    /// Returns the next step, preferring bytes of `input`. `into` must not be empty.
    pub(super) fn step(
        &mut self,
        input: &mut Buffer,
        into: &mut [u8],
    ) -> Result<BodyStep, ProtocolError> {
        match self {
            Self::Length(left) => Ok(plain_step(input, into, *left)),
            Self::UntilClose => Ok(plain_step(input, into, u64::MAX)),
            Self::Chunked(decoder) => chunked_step(input, into, decoder),
        }
    }

    /// Records `count` bytes that were read directly into the caller's slice, bypassing `input`.
    pub(super) fn passed_by(&mut self, count: usize) {
        if let Self::Chunked(decoder) = self {
            decoder.advance(count);
        }
    }

    /// Records `count` bytes that were delivered to the caller.
    pub(super) fn delivered(&mut self, count: usize) {
        if let Self::Length(left) = self {
            *left = left.saturating_sub(count as u64);
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(decoder) => decoder.is_done(),
            Self::UntilClose => false,
        }
    }

    /// Returns the number of bytes left, if it is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Takes the trailer fields that followed the last chunk.
    pub(super) fn take_trailers(&mut self) -> Option<ReceivedTrailers> {
        match self {
            Self::Chunked(decoder) => Some(decoder.take_trailers()),
            Self::Length(_) | Self::UntilClose => None,
        }
    }

    /// Returns the error for a connection that ended before the body did.
    pub(super) fn cut_off(&self) -> ProtocolError {
        match self {
            Self::Length(left) => ProtocolError::EofInBody { missing: *left },
            Self::Chunked(decoder) => decoder.eof(),
            Self::UntilClose => ProtocolError::TlsCut,
        }
    }
}

/// Reads up to `left` bytes of an uncoded body, from the buffer first.
fn plain_step(input: &mut Buffer, into: &mut [u8], left: u64) -> BodyStep {
    let room = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
    let count = room.min(input.len());
    if count == 0 {
        let worth_it = room >= DIRECT_READ || left == room as u64;
        return if worth_it { BodyStep::Direct(room) } else { BodyStep::Read };
    }
    if let (Some(into), Some(data)) = (into.get_mut(..count), input.data().get(..count)) {
        into.copy_from_slice(data);
    }
    input.consume(count);
    BodyStep::Data(count)
}

fn chunked_step(
    input: &mut Buffer,
    into: &mut [u8],
    decoder: &mut ChunkedDecoder,
) -> Result<BodyStep, ProtocolError> {
    let progress = decoder.decode(input.data(), into)?;
    input.consume(progress.consumed);
    if progress.produced > 0 {
        return Ok(BodyStep::Data(progress.produced));
    }
    if decoder.is_done() {
        return Ok(BodyStep::End);
    }
    // Reads the rest of a small chunk through the buffer, together with the next size line.
    let left = usize::try_from(decoder.remaining_in_chunk()).unwrap_or(usize::MAX);
    let room = left.min(into.len());
    Ok(if room >= DIRECT_READ { BodyStep::Direct(room) } else { BodyStep::Read })
}
