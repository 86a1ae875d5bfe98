// SPDX-License-Identifier: GPL-2.0

//! Spinlocks for what is shared with softirq context.
//!
//! C header: [`include/linux/spinlock.h`](srctree/include/linux/spinlock.h)

use crate::bindings;
use kernel::{
    ffi::c_char,
    sync::lock::{
        Backend,
        Lock, //
    }, //
};

/// A `spinlock_t` that is taken with bottom halves off.
pub(crate) struct BhBackend;

/// A spinlock that process and softirq context may take, hard interrupts not. While it is held,
/// bottom halves do not run on this CPU and nothing may sleep.
///
/// [`new_spinlock_bh`] makes one.
pub(crate) type SpinLockBh<T> = Lock<T, BhBackend>;

/// An initialiser of a [`SpinLockBh`] around a value.
macro_rules! new_spinlock_bh {
    ($inner:expr $(, $name:literal)? $(,)?) => {
        $crate::kernel_ext::lock::SpinLockBh::new(
            $inner, kernel::optional_name!($($name)?), kernel::static_lock_class!())
    };
}
pub(crate) use new_spinlock_bh;

// SAFETY: `spinlock_t` ensures mutual exclusion. `relock` is the default, which locks again.
unsafe impl Backend for BhBackend {
    type State = bindings::spinlock_t;
    type GuardState = ();

    unsafe fn init(ptr: *mut Self::State, name: *const c_char, key: *mut bindings::lock_class_key) {
        // SAFETY: The requirements are the caller's.
        unsafe { bindings::__spin_lock_init(ptr, name, key) }
    }

    #[inline]
    unsafe fn lock(ptr: *mut Self::State) -> Self::GuardState {
        // SAFETY: The requirements are the caller's.
        unsafe { bindings::shim6_helper_spin_lock_bh(ptr) }
    }

    #[inline]
    unsafe fn try_lock(ptr: *mut Self::State) -> Option<Self::GuardState> {
        // SAFETY: The requirements are the caller's.
        unsafe { bindings::shim6_helper_spin_trylock_bh(ptr) }.then_some(())
    }

    #[inline]
    unsafe fn unlock(ptr: *mut Self::State, _guard_state: &Self::GuardState) {
        // SAFETY: The requirements are the caller's.
        unsafe { bindings::shim6_helper_spin_unlock_bh(ptr) }
    }

    #[inline]
    unsafe fn assert_is_held(ptr: *mut Self::State) {
        // SAFETY: The requirements are the caller's.
        unsafe { bindings::shim6_helper_spin_assert_is_held(ptr) }
    }
}
