//! A decoder with its input buffer.

use super::{CodingError, Decoder};
use crate::base::buffer::Buffer;

/// The first read size for coded bytes: small bodies are usual and need no more.
const FIRST_PIECE: usize = 8 * 1024;

/// The read size once the first buffer was filled: larger reads decode large bodies faster.
const PIECE: usize = 64 * 1024;

/// Coded bytes are written into [`space`](Self::space); decoded bytes are returned by
/// [`decode`](Self::decode).
#[derive(Debug)]
pub(crate) struct DecodingQueue {
    decoder: Decoder,
    coded: Buffer,
    piece: usize,
}

impl DecodingQueue {
    pub(crate) fn new(decoder: Decoder) -> Self {
        Self { decoder, coded: Buffer::default(), piece: FIRST_PIECE }
    }

    /// Returns the number of bytes decoded; zero if more input is needed first.
    pub(crate) fn decode(&mut self, into: &mut [u8]) -> Result<usize, CodingError> {
        let progress = self.decoder.decode(self.coded.data(), into)?;
        self.coded.consume(progress.consumed);
        Ok(progress.produced)
    }

    /// Returns the space for coded bytes.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.coded.space(self.piece)
    }

    /// Reports that `count` bytes were written into the space; zero reports the end of the body.
    pub(crate) fn filled(&mut self, count: usize) -> Result<(), CodingError> {
        self.coded.filled(count);
        if count >= FIRST_PIECE {
            self.piece = PIECE;
        }
        if count == 0 { self.decoder.eof() } else { Ok(()) }
    }
}

#[cfg(all(test, feature = "gzip"))]
mod tests {
    use super::super::testing::planned;
    use super::*;

    /// The buffer grows only after it was filled.
    #[test]
    fn large_bodies_are_read_in_large_pieces() {
        let mut queue = DecodingQueue::new(planned("gzip"));
        let room = [FIRST_PIECE - 1, FIRST_PIECE, 1, PIECE].map(|count| {
            let room = queue.space().len();
            queue.filled(count).unwrap();
            queue.coded.clear();
            room
        });
        assert_eq!(room, [FIRST_PIECE, FIRST_PIECE, PIECE, PIECE]);
    }
}
