// SPDX-License-Identifier: GPL-2.0

//! Where all chance in a run comes from: streams of numbers that follow from its seed.

use shim6_model::crypto::Seeded;
use shim6_proto::{
    random::Random,
    time::Interval, //
};

/// One stream of numbers. A run has several, so that a change of one part of the program does not
/// make all other parts draw other numbers.
#[derive(Clone, Debug)]
pub struct Dice(Seeded);

impl Dice {
    /// The stream with this number of this seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        // Neighbouring seeds begin far from each other.
        let mut mixer = Seeded::new(seed ^ stream.rotate_left(32));
        let first = mixer.u64();
        Self(Seeded::new(first))
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.u64().checked_rem(bound as u64).unwrap_or(0) as usize
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: u32, most: u32) -> u32 {
        let range = most.saturating_sub(least) as usize + 1;
        least.saturating_add(self.below(range) as u32)
    }

    /// A length of time from `least` to `most` milliseconds.
    pub fn millis(&mut self, least: u32, most: u32) -> Interval {
        Interval::from_millis(self.between(least, most))
    }

    /// True in so many of 100 cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent as usize
    }

    /// True in so many of 1000 cases.
    pub fn permille(&mut self, permille: u32) -> bool {
        permille > 0 && self.below(1000) < permille as usize
    }

    /// One of several.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.below(of.len());
        *of.get(index).expect("something to pick")
    }
}

impl Random for Dice {
    fn u32(&mut self) -> u32 {
        self.0.u32()
    }

    fn u64(&mut self) -> u64 {
        self.0.u64()
    }
}
