//! Random decisions, as a function of one number.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Random numbers that are the same for the same seed (SplitMix64).
#[derive(Debug, Clone, Default)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A second sequence, so that more decisions of one kind do not change all others.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(super) fn within(&mut self, range: RangeInclusive<usize>) -> usize {
        let count = (range.end() - range.start()) as u64 + 1;
        range.start() + usize::try_from(self.next() % count).unwrap()
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.within(1..=count) == 1
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.within(0..=from.len() - 1)].clone()
    }

    pub(super) fn ms(&mut self, range: RangeInclusive<usize>) -> Duration {
        Duration::from_millis(self.within(range) as u64)
    }
}

/// The bytes that stand for a number: they begin with it, and differ from those of any other
/// number.
pub(super) fn content(number: u64, length: usize) -> Vec<u8> {
    let mut seed = Seed::new(number);
    let mut bytes = format!("#{number}#").into_bytes();
    while bytes.len() < length {
        bytes.extend_from_slice(&seed.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
