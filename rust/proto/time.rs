// SPDX-License-Identifier: GPL-2.0

//! Points in time and lengths of time. The protocol has no clock: whoever calls it says what time
//! it is.

/// A point in time: milliseconds of a clock that never goes back. Its zero has no meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Instant(u64);

impl Instant {
    /// The point in time when the clock shows so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// What the clock shows at this point in time, in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The point in time that is `interval` later, or the last one there is.
    pub const fn saturating_add(self, interval: Interval) -> Self {
        Self(self.0.saturating_add(interval.0 as u64))
    }

    /// The time since `earlier`: zero if that is later, and at most what an [`Interval`] can hold.
    pub const fn since(self, earlier: Self) -> Interval {
        let millis = self.0.saturating_sub(earlier.0);

        if millis > u32::MAX as u64 {
            Interval::MAX
        } else {
            Interval(millis as u32)
        }
    }
}

/// A length of time: up to 49 days, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Interval(u32);

impl Interval {
    /// The longest interval.
    pub const MAX: Self = Self(u32::MAX);

    /// So many milliseconds.
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis)
    }

    /// So many seconds, or the longest interval if that is more.
    pub const fn from_secs(secs: u32) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The milliseconds.
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    /// Twice as long, or the longest interval if that is more.
    pub const fn saturating_double(self) -> Self {
        Self(self.0.saturating_mul(2))
    }
}
