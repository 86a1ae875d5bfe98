// SPDX-License-Identifier: GPL-2.0

//! Timers of objects that are counted: one expiry, in softirq, some milliseconds from now.
//!
//! A timer is a member of the object that it belongs to. It does not keep the object alive: an
//! object whose last reference is gone hears nothing any more, and its memory stays until the
//! timer is off.
//!
//! C header: [`include/linux/timer.h`](srctree/include/linux/timer.h)

use super::rcu::{
    self,
    RcuArc, //
};
use crate::bindings;
use core::ptr;
use kernel::{
    ffi::c_uint,
    prelude::*,
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
    types::Opaque, //
};

/// An object with a timer.
pub(crate) trait HasTimer: Sized + Send + Sync + 'static {
    /// The timer, a member of `self`.
    fn timer(&self) -> &Timer<Self>;

    /// The time has come. Softirq; must not sleep. The timer is not armed any more, unless somebody
    /// armed it again meanwhile.
    fn expired(this: &RcuArc<Self>);
}

/// The timer of one `T`: a `timer_list` and a pointer, 48 octets on 64-bit kernels without
/// debugging aids, and nothing else while it is not armed.
///
/// # Invariants
///
/// `owner` is null, or points to the `T` that contains this timer, which is in an [`RcuArc`].
#[pin_data(PinnedDrop)]
#[repr(C)]
pub(crate) struct Timer<T> {
    #[pin]
    timer: Opaque<bindings::timer_list>,
    owner: Atomic<*mut T>,
}

// SAFETY: Timers are used from any context and synchronise themselves; the callback gets a counted
// reference to `T`, on any CPU.
unsafe impl<T: Send + Sync> Send for Timer<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for Timer<T> {}

impl<T: HasTimer> Timer<T> {
    /// A timer that is not armed.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            // SAFETY: The slot is valid; the timer is pinned, and `drop` waits for the callback.
            timer <- Opaque::ffi_init(|slot| unsafe {
                bindings::shim6_helper_timer_setup(slot, Some(expired::<T>), false);
            }),
            owner: Atomic::new(ptr::null_mut()),
        })
    }

    /// Lets the timer of `owner` expire in `msecs` milliseconds, not earlier, whatever was
    /// arranged before. Any context. Does nothing after [`Timer::shutdown`].
    pub(crate) fn arm(owner: &RcuArc<T>, msecs: u32) {
        if let Some(timer) = Self::of(owner) {
            // SAFETY: The timer was set up by `new`, and `drop` turns it off.
            unsafe { bindings::shim6_helper_timer_arm(timer, msecs as c_uint) };
        }
    }

    /// The timer of an object, which now knows its owner. `None`, and a message in the log, if it
    /// is no member of it.
    fn of(owner: &RcuArc<T>) -> Option<*mut bindings::timer_list> {
        let object: &T = owner;
        let timer = object.timer();
        if !rcu::contains(object, timer) {
            pr_err!("a timer is no member of its owner\n");
            return None;
        }
        // INVARIANT: The timer lies inside this object, hence inside no other of the same type.
        timer.owner.store(ptr::from_ref(object).cast_mut(), Relaxed);
        Some(timer.timer.get())
    }
}

impl<T> Timer<T> {
    /// Whether the timer is going to expire.
    #[expect(dead_code, reason = "for the timers of failure detection")]
    pub(crate) fn is_armed(&self) -> bool {
        // SAFETY: The timer was set up by `new`.
        unsafe { bindings::shim6_helper_timer_pending(self.timer.get()) }
    }

    /// Calls the expiry off. One that has begun on another CPU is not waited for. Any context.
    pub(crate) fn disarm(&self) {
        // SAFETY: As above.
        unsafe { bindings::timer_delete(self.timer.get()) };
    }

    /// As [`Timer::disarm`], and for ever. Any context.
    pub(crate) fn shutdown(&self) {
        // SAFETY: As above.
        unsafe { bindings::timer_shutdown(self.timer.get()) };
    }
}

#[pinned_drop]
impl<T> PinnedDrop for Timer<T> {
    fn drop(self: Pin<&mut Self>) {
        // One that was never armed has no callback to wait for.
        if !self.owner.load(Relaxed).is_null() {
            // SAFETY: The timer was set up by `new`. Softirq at worst, as the callback, which
            // therefore is not what was interrupted here; and it takes no lock of the caller's,
            // for it does nothing with an object whose last reference is gone.
            unsafe { bindings::timer_shutdown_sync(self.timer.get()) };
        }
    }
}

/// # Safety
///
/// Called by the timer core only, for the timer of a [`Timer<T>`] that was armed.
unsafe extern "C" fn expired<T: HasTimer>(timer: *mut bindings::timer_list) {
    // SAFETY: The list is the first member of the timer, which waits for us before it goes.
    let timer = unsafe { &*timer.cast::<Timer<T>>() };
    let owner = timer.owner.load(Relaxed);
    // SAFETY: By the type invariant it is in an `RcuArc`, whose memory goes after the timer does.
    if let Some(owner) = unsafe { RcuArc::try_from_raw(owner.cast_const()) } {
        T::expired(&owner);
    }
}
