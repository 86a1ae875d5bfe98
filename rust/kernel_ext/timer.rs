// SPDX-License-Identifier: GPL-2.0

//! Timers of objects that are counted: one expiry, in softirq, some milliseconds from now.
//!
//! A timer is a member of the object that it belongs to. It does not keep the object alive: an
//! object whose last reference is gone hears nothing any more, and its memory stays until the
//! timer is off.
//!
//! C header: [`include/linux/timer.h`](srctree/include/linux/timer.h)

use super::{
    member::{
        self,
        Has, //
    },
    rcu::RcuArc, //
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    ffi::c_uint,
    prelude::*,
    types::Opaque, //
};

/// An object with a timer.
pub(crate) trait HasTimer: Has<Timer<Self>> {
    /// The time has come. Softirq; must not sleep. The timer is not armed any more, unless somebody
    /// armed it again meanwhile.
    fn expired(this: &RcuArc<Self>);
}

/// The timer of one `T`: a `timer_list`, 40 octets on 64-bit kernels without debugging aids, and
/// nothing else while it is not armed.
///
/// # Invariants
///
/// One that was armed is at its place in a `T`, which is in an [`RcuArc`].
#[pin_data(PinnedDrop)]
#[repr(C)]
pub(crate) struct Timer<T> {
    #[pin]
    timer: Opaque<bindings::timer_list>,
    _of: PhantomData<fn(T)>,
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
            _of: PhantomData,
        })
    }

    /// Lets the timer of `owner` expire in `msecs` milliseconds, not earlier, whatever was
    /// arranged before. Any context. Does nothing after [`Timer::shutdown`].
    pub(crate) fn arm(owner: &RcuArc<T>, msecs: u32) {
        let timer: Option<*mut Self> = member::place_of::<T, _>(owner);
        if let Some(timer) = timer {
            // INVARIANT: It is at its place.
            // SAFETY: The list is the first member of the timer, which was set up by `new`, and
            // `drop` turns it off.
            unsafe { bindings::shim6_helper_timer_arm(timer.cast(), msecs as c_uint) };
        }
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
        // SAFETY: The timer was set up by `new`. Softirq at worst, as the callback, which
        // therefore is not what was interrupted here; and it takes no lock of the caller's,
        // for it does nothing with an object whose last reference is gone.
        unsafe { bindings::timer_shutdown_sync(self.timer.get()) };
    }
}

/// # Safety
///
/// Called by the timer core only, for the timer of a [`Timer<T>`] that was armed.
unsafe extern "C" fn expired<T: HasTimer>(timer: *mut bindings::timer_list) {
    // SAFETY: The list is the first member of the timer, which by its invariant is at its place.
    let owner = unsafe { member::object_of::<T, _>(timer.cast_const().cast::<Timer<T>>()) };
    // SAFETY: By the type invariant it is in an `RcuArc`, whose memory goes after the timer does,
    // which waits for us.
    if let Some(owner) = unsafe { RcuArc::try_from_raw(owner) } {
        T::expired(&owner);
    }
}
