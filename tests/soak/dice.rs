//! Reproducible random numbers: SplitMix64.

#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The random numbers of one thread.
    pub fn new(seed: u64, player: u64) -> Dice {
        let mut dice = Dice(seed ^ player.wrapping_mul(0xd1b5_4a32_d192_ed03));
        dice.next();
        dice
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number up to `most`, as often small as large.
    pub fn size(&mut self, most: u64) -> u64 {
        let bits = u64::from(most.ilog2()) + 1;
        let order = self.below(bits + 1);
        self.below(1 << order).min(most)
    }
}
