//! brotli (RFC 7932), decoded by the crate `brotli-decompressor`.
//!
//! A body is one stream; nothing may follow it. Windows over 16 MiB ("large window brotli") are no part of
//! the format, and refused. The decoder's memory is the window, which grows with what was decoded, and up
//! to a few MiB of tables.
//!
//! The crate delivers everything that the input decodes to before it asks for more. Only when it meets a
//! fault, it keeps back what it decoded since it last delivered, which depends on the split of the input. So
//! [`Brotli::rescue`] takes those bytes from it. What is left of the difference: if a command is longer
//! than its meta-block, some more or fewer bytes of that command come before the error.

use std::fmt;

use brotli_decompressor::{
    BrotliDecoderErrorCode, BrotliDecoderTakeOutput, BrotliDecompressStream, BrotliResult,
    BrotliState, StandardAlloc,
};

use super::Codec;
use crate::base::buffer::Buffer;
use crate::http1::progress::DecodeProgress;

/// The decoder of brotli.
pub(super) struct Brotli {
    state: State,
    decoder: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    /// The output before a fault that was not yet delivered.
    rescued: Buffer,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// No byte has come yet.
    Start,
    Data,
    Ended,
    Failed(&'static str),
}

impl Codec for Brotli {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        DecodeProgress::repeat(input, output, |input, output| self.step(input, output))
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Start | State::Ended)
    }
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default();
        let decoder = Box::new(BrotliState::new_strict(alloc, alloc, alloc));
        Self { state: State::Start, decoder, rescued: Buffer::default() }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        match (self.state, input) {
            (State::Failed(detail), _) => match self.rescued.take(output) {
                0 if self.rescued.is_empty() => Err(detail),
                produced => Ok(DecodeProgress { consumed: 0, produced }),
            },
            (State::Start | State::Ended, []) => Ok(DecodeProgress::default()),
            (State::Ended, _) => {
                self.state = State::Failed("unexpected data after its end");
                self.step(input, output)
            }
            (State::Start | State::Data, _) => self.run(input, output),
        }
    }

    /// Runs the decoder once.
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Result<DecodeProgress, &'static str> {
        let (mut unread, mut consumed) = (input.len(), 0);
        let (mut room, mut produced, mut total) = (output.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut unread,
            &mut consumed,
            input,
            &mut room,
            &mut produced,
            output,
            &mut total,
            &mut self.decoder,
        );
        self.state = match result {
            BrotliResult::ResultSuccess => State::Ended,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => State::Data,
            BrotliResult::ResultFailure => {
                self.rescue();
                State::Failed("malformed")
            }
        };
        if produced == 0 && matches!(self.state, State::Failed(_)) {
            return self.step(&[], output);
        }
        Ok(DecodeProgress { consumed, produced })
    }

    /// Takes what was decoded before a fault out of the decoder, which has only an error for it.
    fn rescue(&mut self) {
        self.decoder.error_code = BrotliDecoderErrorCode::BROTLI_DECODER_SUCCESS;
        self.decoder.meta_block_remaining_len = 0; // may be negative, which is a fault of its own
        loop {
            let mut size = 0;
            let data = BrotliDecoderTakeOutput(&mut self.decoder, &mut size);
            if data.is_empty() {
                return;
            }
            self.rescued.push(data);
        }
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli").field("state", &self.state).finish_non_exhaustive()
    }
}
