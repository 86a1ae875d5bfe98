// SPDX-License-Identifier: GPL-2.0

//! The monotonic clock, which no one sets, in milliseconds.

use crate::bindings;

/// The time now. Any context.
pub(crate) fn monotonic_msecs() -> u64 {
    // SAFETY: Reads a clock.
    let nanoseconds = unsafe { bindings::ktime_get() };
    nanoseconds.unsigned_abs() / 1_000_000
}

/// The time of the last timer tick: never later than [`monotonic_msecs`], and cheap enough for every
/// packet. Any context.
#[inline]
pub(crate) fn coarse_msecs() -> u64 {
    // SAFETY: Reads a clock.
    unsafe { bindings::shim6_helper_coarse_msecs() }
}
