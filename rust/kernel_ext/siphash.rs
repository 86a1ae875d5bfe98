// SPDX-License-Identifier: GPL-2.0

//! SipHash: a hash whose collisions only those can find who know its key.
//!
//! C header: [`include/linux/siphash.h`](srctree/include/linux/siphash.h)

use super::random;
use crate::bindings;

/// A key.
pub(crate) struct Key([u64; 2]);

impl Key {
    /// A new random key. Any context.
    pub(crate) fn random() -> Self {
        Self([random::u64(), random::u64()])
    }

    /// The hash of some octets. Any context.
    pub(crate) fn hash(&self, octets: &[u8]) -> u64 {
        siphash(&self.0, octets)
    }
}

/// The hash of some octets with this key. Any context.
pub(crate) fn siphash(key: &[u64; 2], octets: &[u8]) -> u64 {
    // SAFETY: The slice has this length, and a key consists of two words.
    unsafe { bindings::shim6_helper_siphash(octets.as_ptr().cast(), octets.len(), key.as_ptr()) }
}
