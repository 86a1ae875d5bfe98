// SPDX-License-Identifier: GPL-2.0

//! Random numbers that nobody can guess. Any context.
//!
//! C header: [`include/linux/random.h`](srctree/include/linux/random.h)

use crate::bindings;

/// 32 random bits.
pub(crate) fn u32() -> u32 {
    // SAFETY: No requirements.
    unsafe { bindings::get_random_u32() }
}

/// 64 random bits.
pub(crate) fn u64() -> u64 {
    // SAFETY: No requirements.
    unsafe { bindings::get_random_u64() }
}
