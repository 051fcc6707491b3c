//! The memory of the pieces of a body that an async caller reads, which is used again when they are dropped.

use bytes::{Bytes, BytesMut};

/// The memory of the pieces that a caller reads: blocks that are initialized once, since zeroing takes longer
/// than reading.
///
/// ```text
/// the caller drops its pieces    a block is one piece, and is used again when the piece is dropped
/// the caller keeps them          a block is cut into pieces, so that little of it is lost
/// ```
///
/// A block that was cut cannot be used again, because safe code does not know that it is initialized. So two
/// blocks are never cut: one of them can be read into while the caller passes the other on.
///
/// Blocks have the size of the reads: they double while reads fill them, and halve after two reads that fill less
/// than a quarter. Such a piece is copied, because a caller that keeps it for long would keep its block.
#[derive(Debug, Default)]
pub(crate) struct PieceMemory {
    /// Memory that no piece uses: a block, or the rest of one that was cut.
    free: BytesMut,
    /// The size of the block of `free`.
    block: usize,
    /// The blocks that are pieces of the caller. Empty ones are of no piece.
    lent: [Bytes; 2],
    /// The size of the next block; 0 before the first.
    wanted: usize,
    /// True if the last read filled less than a quarter of its block.
    was_small: bool,
}

impl PieceMemory {
    /// The first block for a body of unknown length, the smallest and the largest of all.
    const FIRST: usize = 16 * 1024;
    const SMALLEST: usize = 4 * 1024;
    const LARGEST: usize = 256 * 1024;

    /// Takes memory for the next read, at least one byte. `left` is the length of the rest of the
    /// body, if it is known.
    pub(crate) fn take(&mut self, left: Option<u64>) -> BytesMut {
        if self.free.is_empty() {
            let known = left.map(|left| usize::try_from(left).unwrap_or(usize::MAX));
            let first = known.map_or(Self::FIRST, |_| 4 * Self::FIRST);
            let wanted = if self.wanted == 0 { first } else { self.wanted };
            let least = wanted.min(known.unwrap_or(usize::MAX)).max(1);
            let dropped =
                self.dropped_block().filter(|block| (least..=wanted).contains(&block.len()));
            self.free = dropped.unwrap_or_else(|| new_block(least));
            self.block = self.free.len();
        }
        std::mem::take(&mut self.free)
    }

    /// Takes memory back unused.
    #[cfg(any(feature = "stream", feature = "tower", test))]
    pub(crate) fn put_back(&mut self, memory: BytesMut) {
        self.free = memory;
    }

    /// Returns the first `count` bytes of the memory as a piece.
    pub(crate) fn lend(&mut self, mut memory: BytesMut, count: usize) -> Bytes {
        let quarter = self.block / 4;
        let (is_full, is_small) = (count == memory.len(), count < quarter);
        self.wanted = match std::mem::replace(&mut self.was_small, is_small) {
            _ if is_full => self.block.max(Self::LARGEST.min(2 * count)), // more is likely to follow
            true if is_small => Self::SMALLEST.max(self.block / 2),
            _ => self.block,
        };
        if is_small {
            let piece = Bytes::copy_from_slice(memory.split_at(count).0);
            if self.wanted >= self.block {
                self.free = memory;
            }
            return piece;
        }
        let is_whole = memory.len() == self.block;
        if let Some(slot) = self.lent.iter_mut().find(|lent| is_whole && lent.is_empty()) {
            *slot = memory.freeze();
            return slot.slice(..count);
        }
        let piece = memory.split_to(count).freeze();
        if memory.len() >= quarter {
            self.free = memory; // a smaller rest could hold only pieces that are copied
        }
        piece
    }

    /// Returns a block whose piece the caller has dropped.
    fn dropped_block(&mut self) -> Option<BytesMut> {
        self.lent.iter_mut().find_map(|lent| match std::mem::take(lent).try_into_mut() {
            Ok(block) => Some(block),
            Err(used) => {
                *lent = used;
                None
            }
        })
    }
}

/// Allocates a block, with the count of its pieces: that is then part of the block whenever it is used again, and
/// no allocation of each piece.
fn new_block(length: usize) -> BytesMut {
    let mut block = BytesMut::zeroed(length);
    drop(block.split_off(length));
    block
}

#[cfg(test)]
mod tests;
