//! A decoder with the bytes that wait for it.

use super::{CodingError, Decoder};
use crate::base::buffer::Buffer;

/// How much of the coded body is read at once: small ones are usual, and need no more.
const FIRST_PIECE: usize = 8 * 1024;

/// The same once that was filled: a large body is decoded in less time by larger pieces.
const PIECE: usize = 64 * 1024;

/// Coded bytes go in through [`space`](Self::space), decoded bytes come out of
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

    /// How many bytes came out; none: it needs more first.
    pub(crate) fn decode(&mut self, into: &mut [u8]) -> Result<usize, CodingError> {
        let progress = self.decoder.decode(self.coded.data(), into)?;
        self.coded.consume(progress.consumed);
        Ok(progress.produced)
    }

    /// Room for coded bytes.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.coded.space(self.piece)
    }

    /// So many bytes came into the space; none: the body has ended.
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

    /// Room grows once it was all used, and not before.
    #[test]
    fn large_bodies_are_read_by_large_pieces() {
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
