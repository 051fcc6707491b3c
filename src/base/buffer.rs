//! Memory: a byte queue in one contiguous allocation, to which data is appended at the back and
//! consumed at the front; the free memory of such queues; and a box that keeps the code that drops
//! a large value in one place.
//!
//! ```text
//! memory   │ consumed │ data          │ free space           │
//!          0          start           end                    memory.len()
//!
//! space(n)          data moves to the front only if `n` bytes do not fit behind it, and the memory grows
//!                   only if they do not fit then either
//! filled(n)         the first n bytes of the free space are data
//! filled_behind(g)  the same behind a gap of g bytes, which the data before it then closes: the size line
//!                   of a chunk is written in front of data that is in place already
//! consume(n)        the first n bytes of the data are done with
//! rest, wake        the memory goes to the pool of free buffers, and comes back
//! ```
//!
//! Each direction of a connection has one, and nothing is copied between two of them: a read of the
//! socket fills free space, and a parser reads the data in place. A ring would never move data, but
//! a head or a TLS record must be contiguous to be parsed; a deque of chunks would allocate.
//!
//! Memory is zeroed once when it is allocated, because safe Rust cannot read into uninitialized
//! memory; the pool makes that a cost of the first requests only. It keeps at most 32 buffers of 16
//! KiB, so memory after a burst goes back to the system.

use std::borrow::BorrowMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// The data lies between `start` and `end`; the memory behind `end` is free space.
///
/// A new buffer owns no memory. Its memory is initialized only once, so it is worth reusing: see
/// [`BufferPool`].
#[derive(Default)]
pub(crate) struct Buffer {
    memory: Vec<u8>,
    /// Invariant: `start <= end <= memory.len()`.
    start: usize,
    end: usize,
}

/// Shows the length, never the bytes: they may be a secret, and consumed bytes are still in memory.
impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Buffer {
    pub(crate) fn data(&self) -> &[u8] {
        debug_assert!(self.start <= self.end && self.end <= self.memory.len());
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    #[cfg(any(feature = "tls", test))]
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        debug_assert!(self.start <= self.end && self.end <= self.memory.len());
        self.memory.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns whether there is no free space behind the data.
    pub(crate) fn is_full(&self) -> bool {
        self.end == self.memory.len()
    }

    /// Returns all free space, at least `least` bytes. Moves the data to the front, or grows the
    /// memory, only if it has to.
    pub(crate) fn space(&mut self, least: usize) -> &mut [u8] {
        if self.is_empty() {
            self.clear();
        }
        if self.memory.len() - self.end < least {
            self.memory.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.memory.len() - self.end < least {
            self.grow(least);
        }
        self.memory.get_mut(self.end..).unwrap_or_default()
    }

    /// Marks the first `count` bytes of the free space as data.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = self.memory.len().min(self.end + count);
    }

    /// Marks `count` bytes of the free space, starting at its byte `gap`, as data. The data before it
    /// moves up to close the gap.
    pub(crate) fn filled_behind(&mut self, gap: usize, count: usize) {
        if self.end + gap + count > self.memory.len() {
            return;
        }
        self.memory.copy_within(self.start..self.end, self.start + gap);
        self.start += gap;
        self.end += gap + count;
    }

    /// Removes the first `count` bytes of the data.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Moves data into `into`, as much as fits, and returns the number of bytes.
    pub(crate) fn take(&mut self, into: &mut [u8]) -> usize {
        let count = self.len().min(into.len());
        into.split_at_mut(count).0.copy_from_slice(self.data().split_at(count).0);
        self.consume(count);
        count
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.push_all([bytes]);
    }

    /// Appends all pieces, and checks for space only once.
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

    /// Gives the memory back to the buffer pool, and discards the data.
    pub(crate) fn rest(&mut self, shelf: &mut BufferPool) {
        self.clear();
        let memory = std::mem::take(&mut self.memory);
        match memory.len() {
            0 => {}
            1..=SHELF_PIECE if shelf.memory.len() < SHELF_PIECES => shelf.memory.push(memory),
            length if (shelf.large.len()..=LARGE_PIECE).contains(&length) => shelf.large = memory,
            _ => {}
        }
    }

    /// Takes memory from the store of free buffers, if it has any.
    pub(crate) fn wake(&mut self, shelf: &mut BufferPool) {
        self.clear();
        self.memory = shelf.memory.pop().unwrap_or_default();
    }

    /// Takes the large memory, if it is free, for a body that is larger than [`SHELF_PIECE`].
    pub(crate) fn wake_large(&mut self, shelf: &mut BufferPool) {
        if shelf.large.is_empty() {
            return self.wake(shelf);
        }
        self.clear();
        self.memory = std::mem::take(&mut shelf.large);
    }

    fn grow(&mut self, least: usize) {
        let wanted = (self.end + least).max(self.memory.len() * 2);
        if self.end == 0 {
            // Allocating zeroed memory is cheaper than growing a buffer that holds no data.
            self.memory = vec![0; wanted];
        } else {
            self.memory.resize(wanted, 0);
        }
    }
}

/// Free buffers: an idle connection needs none, and the next active one need not initialize its
/// own. The most recently used is taken first, since it is the most likely to be in the CPU cache.
#[derive(Default)]
pub(crate) struct BufferPool {
    memory: Vec<Vec<u8>>,
    /// One large buffer, for large bodies that are sent one after the other.
    large: Vec<u8>,
}

/// The maximum number of free buffers: enough for some threads at a time.
const SHELF_PIECES: usize = 32;

/// The size of the largest buffer that is kept in that number. Only large bodies need more, which is rare.
pub(crate) const SHELF_PIECE: usize = 16 * 1024;

/// The size of the largest buffer that is kept alone: a piece of a body that is sent, with its head.
const LARGE_PIECE: usize = 128 * 1024;

/// Shows only the number of free buffers, for the same reason as [`Buffer`].
impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool").field("len", &self.memory.len()).finish_non_exhaustive()
    }
}

/// A box behind a trait object. The code that drops `T` is generated once, and not again in every
/// codegen unit of the program that may drop one. It is worth its price (a pointer more, and a call
/// for each access) where it saves 2 % of a program with one GET, built without TLS by the default
/// release profile: 2.3 % for connections, and 1.2 % more for settings, which come with them. Other
/// uses gained less and are plain boxes.
pub(crate) struct ErasedBox<T>(Box<dyn BorrowMut<T> + Send + Sync>);

impl<T: Send + Sync + 'static> ErasedBox<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for ErasedBox<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (*self.0).borrow()
    }
}

impl<T> DerefMut for ErasedBox<T> {
    fn deref_mut(&mut self) -> &mut T {
        (*self.0).borrow_mut()
    }
}

impl<T: Clone + Send + Sync + 'static> Clone for ErasedBox<T> {
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T: fmt::Debug> fmt::Debug for ErasedBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests;
