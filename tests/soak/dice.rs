//! Random choices that a seed repeats.

use std::ops::Range;
use std::time::Duration;

/// A generator after Steele, Lea and Flood's SplitMix64: a few lines, and good enough to choose faults with.
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed. Those for different purposes take different streams, so that one does not disturb another.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of several.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A span of time, in seconds.
    pub fn seconds(&mut self, range: Range<f64>) -> Duration {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        Duration::from_secs_f64(range.start + share * (range.end - range.start))
    }
}
