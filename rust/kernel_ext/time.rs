// SPDX-License-Identifier: GPL-2.0

//! Moments, as coarse as the timer tick: cheap enough for every packet.

use crate::bindings;
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};

/// When something happened last, by the timer tick; any CPU may say so, without a lock.
pub(crate) struct LastSeen(AtomicU64);

/// The value that means never. The jiffies counter does not reach it.
const NEVER: u64 = u64::MAX;

impl LastSeen {
    /// Never yet.
    pub(crate) const fn never() -> Self {
        Self(AtomicU64::new(NEVER))
    }

    /// It happens now. Writes only once a tick, so that CPUs do not take the line from each other
    /// for every packet.
    #[inline]
    pub(crate) fn touch(&self) {
        // SAFETY: Reads a counter.
        let now = unsafe { bindings::shim6_helper_jiffies() } as u64;
        if self.0.load(Ordering::Relaxed) != now {
            self.0.store(now, Ordering::Relaxed);
        }
    }

    /// Milliseconds since, `None` for never.
    pub(crate) fn elapsed_msecs(&self) -> Option<u64> {
        let then = self.0.load(Ordering::Relaxed);
        if then == NEVER {
            return None;
        }
        // SAFETY: Reads a counter.
        let now = unsafe { bindings::shim6_helper_jiffies() } as u64;
        // SAFETY: A conversion.
        let msecs =
            unsafe { bindings::shim6_helper_jiffies_to_msecs(now.wrapping_sub(then) as usize) };
        Some(u64::from(msecs))
    }
}

/// Milliseconds of the monotonic clock, which no one sets. Any context.
pub(crate) fn monotonic_msecs() -> u64 {
    // SAFETY: Reads a clock.
    let nanoseconds = unsafe { bindings::ktime_get() };
    nanoseconds.unsigned_abs() / 1_000_000
}
