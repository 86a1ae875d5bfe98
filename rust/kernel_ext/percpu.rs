// SPDX-License-Identifier: GPL-2.0

//! Counters that every CPU increments in memory of its own.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use crate::{
    bindings,
    kernel_ext::fault, //
};
use core::marker::PhantomData;
use kernel::{
    ffi::{
        c_uint,
        c_void, //
    },
    prelude::*, //
};

/// An array of `N` 64-bit counters.
///
/// # Invariants
///
/// The pointer is a per-CPU allocation of `N` counters.
pub(crate) struct Counters<const N: usize>(*mut c_void);

// SAFETY: Counters are per CPU and reads tolerate concurrent increments.
unsafe impl<const N: usize> Send for Counters<N> {}
// SAFETY: As above.
unsafe impl<const N: usize> Sync for Counters<N> {}

impl<const N: usize> Counters<N> {
    /// Counters at zero. May sleep.
    pub(crate) fn new() -> Result<Self> {
        fault::point(fault::Point::PerCpu)?;
        // SAFETY: No requirements.
        let counters = unsafe { bindings::shim6_helper_alloc_counters(N as c_uint) };
        if counters.is_null() {
            return Err(ENOMEM);
        }
        // INVARIANT: Allocated just now.
        Ok(Self(counters))
    }

    /// Adds one to counter `index`; any context. An index out of range is not counted.
    #[inline]
    pub(crate) fn inc(&self, index: usize) {
        if index < N {
            // SAFETY: By the type invariant and the check above.
            unsafe { bindings::shim6_helper_counter_inc(self.0, index as c_uint) };
        }
    }

    /// Counter `index` for a function in C that counts on the way; it must exist.
    #[inline]
    pub(crate) fn tally(&self, index: usize) -> Tally<'_> {
        // INVARIANT: By the type invariant and the bound.
        Tally {
            counters: self.0,
            index: index.min(N.saturating_sub(1)) as c_uint,
            _counters: PhantomData,
        }
    }

    /// The sum over all CPUs; not a snapshot while others count.
    pub(crate) fn sum(&self, index: usize) -> u64 {
        if index >= N {
            return 0;
        }
        // SAFETY: By the type invariant and the check above.
        unsafe { bindings::shim6_helper_counter_sum(self.0, index as c_uint) }
    }
}

/// One counter of an array.
///
/// # Invariants
///
/// `counters` is a per-CPU allocation of more than `index` counters, for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Tally<'a> {
    pub(super) counters: *mut c_void,
    pub(super) index: c_uint,
    _counters: PhantomData<&'a ()>,
}

impl Tally<'_> {
    /// Adds one. The time, as [`coarse_msecs`](super::time::coarse_msecs) has it. Any context.
    #[inline]
    pub(crate) fn count(self) -> u64 {
        // SAFETY: By the type invariant.
        unsafe { bindings::shim6_helper_counter_inc_at(self.counters, self.index) }
    }
}

impl<const N: usize> Drop for Counters<N> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; nobody else has the pointer.
        unsafe { bindings::shim6_helper_free_counters(self.0) };
    }
}
