//! A byte queue in one piece of memory: filled at the back, consumed at the front.

use std::fmt;

/// Bytes wait between `start` and `end`; what is behind `end` is free space.
///
/// A new buffer holds no memory. Memory is initialised once, so it is worth handing on: see
/// [`Shelf`].
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    /// Invariant: `start <= end <= memory.len()`.
    start: usize,
    end: usize,
}

/// Says how much there is, never what: it may be a secret, and what was consumed still stands there.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Buffer {
    pub(crate) fn data(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether there is no space behind the data.
    pub(crate) fn is_full(&self) -> bool {
        self.end == self.memory.len()
    }

    /// All free space, at least `least` bytes of it; bytes are moved to the front, or the memory
    /// grows, only when that is needed.
    pub(crate) fn space(&mut self, least: usize) -> &mut [u8] {
        if self.is_empty() {
            self.clear();
        }
        if self.memory.len() - self.end < least {
            self.compact();
        }
        if self.memory.len() - self.end < least {
            self.grow(least);
        }
        self.memory.get_mut(self.end..).unwrap_or_default()
    }

    /// The first `count` bytes of the space now hold data.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = self.memory.len().min(self.end + count);
    }

    /// The space now holds data from its byte `gap` on, `count` bytes of it. What waited already
    /// moves up to it, so that all is one piece.
    pub(crate) fn filled_behind(&mut self, gap: usize, count: usize) {
        if self.end + gap + count > self.memory.len() {
            return;
        }
        self.memory.copy_within(self.start..self.end, self.start + gap);
        self.start += gap;
        self.end += gap + count;
    }

    /// The first `count` bytes of the data are done with.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.push_all([bytes]);
    }

    /// Appends all pieces, with one look at the space.
    pub(crate) fn push_all<const N: usize>(&mut self, pieces: [&[u8]; N]) {
        let count = pieces.iter().map(|piece| piece.len()).sum();
        if self.memory.len() - self.end < count {
            self.space(count);
        }
        let mut space = self.memory.get_mut(self.end..).unwrap_or_default();
        for piece in pieces {
            let Some((room, rest)) = space.split_at_mut_checked(piece.len()) else { return };
            room.copy_from_slice(piece);
            space = rest;
        }
        self.filled(count);
    }

    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Hands the memory on, and forgets what was in it.
    pub(crate) fn rest(&mut self, shelf: &mut Shelf) {
        self.clear();
        shelf.put(std::mem::take(&mut self.memory));
    }

    /// Takes memory to work in, if there is any.
    pub(crate) fn wake(&mut self, shelf: &mut Shelf) {
        self.clear();
        self.memory = shelf.memory.pop().unwrap_or_default();
    }

    fn compact(&mut self) {
        self.memory.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    fn grow(&mut self, least: usize) {
        let wanted = (self.end + least).max(self.memory.len() * 2);
        if self.end == 0 {
            // Fresh zeroed memory is cheaper than growing what holds nothing.
            self.memory = vec![0; wanted];
        } else {
            self.memory.resize(wanted, 0);
        }
    }
}

/// Memory for buffers to come: an idle connection needs none, and the next one to work need not
/// initialise its own. What came last goes first: it is the most likely to be near the processor.
#[derive(Default)]
pub(crate) struct Shelf {
    memory: Vec<Vec<u8>>,
}

/// How many pieces are kept: enough for some threads at a time.
const SHELF_PIECES: usize = 32;

/// Larger ones served a large body, which is rare, and are not kept.
const SHELF_PIECE: usize = 16 * 1024;

impl Shelf {
    fn put(&mut self, memory: Vec<u8>) {
        let fits = (1..=SHELF_PIECE).contains(&memory.len());
        if fits && self.memory.len() < SHELF_PIECES {
            self.memory.push(memory);
        }
    }
}

/// As [`Buffer`]'s.
impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("len", &self.memory.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut buffer = Buffer::default();
        let mut expected = Vec::new();
        for round in 0..200_usize {
            let piece = vec![round as u8; round % 17];
            buffer.push(&piece);
            expected.extend_from_slice(&piece);
            let eaten = (round % 13).min(buffer.len());
            buffer.consume(eaten);
            expected.drain(..eaten);
            assert_eq!(buffer.data(), expected);
        }
    }

    #[test]
    fn space_is_reused_before_memory_grows() {
        let mut buffer = Buffer::default();
        assert_eq!(buffer.space(100).len(), 100);
        buffer.filled(100);
        buffer.consume(60);
        assert_eq!(buffer.space(50).len(), 60, "moved to the front");
        buffer.filled(60);
        assert!(!buffer.space(1).is_empty());
        assert_eq!(buffer.len(), 100);
        let mut shelf = Shelf::default();
        buffer.rest(&mut shelf);
        assert!(buffer.is_empty() && buffer.memory.is_empty());
        buffer.wake(&mut shelf);
        assert!(buffer.is_empty() && buffer.memory.len() >= 100);
    }

    /// Space that is just enough is neither moved nor grown: one byte more is first looked for in
    /// front of the data, then allocated, and then twice as much as there was.
    #[test]
    fn just_enough_space_is_enough() {
        let half_eaten = || {
            let mut buffer = Buffer::default();
            buffer.space(100);
            buffer.push(&[7; 80]);
            buffer.consume(50);
            buffer
        };
        for (least, space) in [(0, 20), (20, 20), (21, 70), (70, 70), (71, 170), (200, 200)] {
            let mut buffer = half_eaten();
            assert_eq!(buffer.space(least).len(), space, "{least}");
            assert_eq!(buffer.data(), [7; 30], "{least}");
        }
    }

    #[test]
    fn a_buffer_is_full_when_no_space_is_behind_the_data() {
        let mut buffer = Buffer::default();
        buffer.space(3);
        buffer.push(b"ab");
        assert!(!buffer.is_full());
        buffer.push(b"c");
        assert!(buffer.is_full());
        buffer.consume(2);
        assert!(buffer.is_full(), "space in front is none to read into");
        buffer.data_mut()[0] = b'd';
        assert_eq!(buffer.data(), b"d");
    }

    #[test]
    fn a_shelf_keeps_a_bounded_number_of_small_buffers() {
        let put = |size, shelf: &mut Shelf| {
            let mut buffer = Buffer::default();
            buffer.space(size);
            buffer.rest(shelf);
        };
        let mut shelf = Shelf::default();
        for size in [0, 16 * 1024 + 1, 100, 16 * 1024] {
            put(size, &mut shelf);
        }
        let sizes = [(); 3].map(|()| {
            let mut buffer = Buffer::default();
            buffer.wake(&mut shelf);
            buffer.memory.len()
        });
        assert_eq!(sizes, [16 * 1024, 100, 0]);
        for _ in 0..50 {
            put(1, &mut shelf);
        }
        assert_eq!(shelf.memory.len(), SHELF_PIECES);
    }

    #[test]
    fn a_gap_is_closed_by_moving_what_waits() {
        let mut buffer = Buffer::default();
        buffer.push(b"head");
        buffer.space(10)[..6].copy_from_slice(b"___abc");
        buffer.filled_behind(3, 3);
        assert_eq!(buffer.data(), b"headabc");
    }

    /// What cannot be behind the gap is not taken: what waits stays as it is.
    #[test]
    fn a_gap_lies_within_the_space() {
        for (gap, count, expected) in [
            (3, 3, &b"headdef"[..]),
            (6, 0, b"head"),
            (0, 6, b"headabcdef"),
            (3, 4, b"head"),
            (7, 0, b"head"),
            (0, 7, b"head"),
        ] {
            let mut buffer = Buffer::default();
            buffer.space(10);
            buffer.push(b"head");
            buffer.space(6).copy_from_slice(b"abcdef");
            buffer.filled_behind(gap, count);
            assert_eq!(buffer.data(), expected, "{gap} {count}");
        }
    }

    #[test]
    fn counts_beyond_the_end_are_clamped() {
        let mut buffer = Buffer::default();
        buffer.push(b"ab");
        buffer.consume(5);
        assert!(buffer.is_empty());
        buffer.filled(9);
        assert!(buffer.len() <= 2);
    }
}
