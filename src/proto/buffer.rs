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

    /// Hands the memory on, without what was in it.
    pub(crate) fn release(&mut self) -> Self {
        let mut released = std::mem::take(self);
        released.clear();
        released
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

/// Empty buffers for connections to come: an idle connection needs none, and the next one to work
/// need not initialise its own.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    buffers: Vec<Buffer>,
}

/// How many buffers are kept: enough for some threads at a time.
const SHELF_BUFFERS: usize = 32;

/// Larger ones served a large body, which is rare, and are not kept.
const SHELF_BUFFER: usize = 16 * 1024;

impl Shelf {
    pub(crate) fn put<const N: usize>(&mut self, buffers: [Buffer; N]) {
        for buffer in buffers {
            let fits = (1..=SHELF_BUFFER).contains(&buffer.memory.len());
            if fits && self.buffers.len() < SHELF_BUFFERS {
                self.buffers.push(buffer);
            }
        }
    }

    /// As many as there are, and empty ones for the rest.
    pub(crate) fn take<const N: usize>(&mut self) -> [Buffer; N] {
        std::array::from_fn(|_| self.buffers.pop().unwrap_or_default())
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
        let released = buffer.release();
        assert!(buffer.is_empty() && buffer.memory.is_empty());
        assert!(released.is_empty() && released.memory.len() >= 100);
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
        let of_size = |size| {
            let mut buffer = Buffer::default();
            buffer.space(size);
            buffer
        };
        let mut shelf = Shelf::default();
        shelf.put([Buffer::default(), of_size(16 * 1024 + 1), of_size(100), of_size(16 * 1024)]);
        let sizes = shelf.take::<3>().map(|buffer| buffer.memory.len());
        assert_eq!(sizes, [16 * 1024, 100, 0]);
        for _ in 0..50 {
            shelf.put([of_size(1)]);
        }
        assert_eq!(shelf.buffers.len(), SHELF_BUFFERS);
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
