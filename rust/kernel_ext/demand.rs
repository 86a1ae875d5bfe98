// SPDX-License-Identifier: GPL-2.0

//! What takes long to make and to take back, and is there while somebody needs it.
//!
//! Who needs it [enters](Demand::enter), and waits if it has to be made. Who needs it no more
//! [leaves](Demand::leave), in any context; some time after the last has left it is taken back by
//! a work item.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use super::module::OnDemand;
use crate::bindings;
use core::mem::offset_of;
use kernel::{
    prelude::*,
    sync::atomic::{
        ordering::{
            Full,
            Relaxed, //
        },
        Atomic, //
    },
    types::Opaque, //
};

kernel::sync::global_lock! {
    // SAFETY: `Ready::new` initialises it before any demand is opened.
    unsafe(uninit) static TURN: Mutex<()> = ();
}

/// How long nobody has needed the value when it is taken back, in milliseconds: who opens socket
/// after socket does not wait each time.
const LINGER: u32 = 2_000;

/// Evidence that demands can be opened.
pub(crate) struct Ready(());

impl Ready {
    /// Called once, when the module is loaded.
    pub(crate) fn new() -> Self {
        // SAFETY: The only call, by the requirement of this function.
        unsafe { TURN.init() };
        Self(())
    }
}

/// A value that is there while somebody needs it; a static.
///
/// # Invariants
///
/// `work` is initialised from [`Demand::open`] on, and idle when the [`Opened`] was dropped.
#[repr(C)]
pub(crate) struct Demand<T> {
    work: Opaque<bindings::delayed_work>,
    users: Atomic<u32>,
    value: OnDemand<T>,
}

// SAFETY: The work item synchronises itself, and the value is shared under its own bounds.
unsafe impl<T: Send + Sync> Sync for Demand<T> {}

/// A [`Demand`] that can be entered. Dropping this takes the value back; nobody may enter or leave
/// any more.
#[must_use = "a demand that is dropped ends"]
pub(crate) struct Opened<T: Send + Sync + 'static>(&'static Demand<T>);

impl<T: Send + Sync + 'static> Demand<T> {
    /// Nobody needs it yet.
    pub(crate) const fn new() -> Self {
        Self {
            work: Opaque::uninit(),
            users: Atomic::new(0),
            value: OnDemand::new(),
        }
    }

    /// From now on it can be entered. Called once, when the module is loaded.
    pub(crate) fn open(&'static self, _ready: &Ready) -> Opened<T> {
        // INVARIANT: Initialised here.
        // SAFETY: The work item is static, and nobody knows it yet.
        unsafe { bindings::shim6_helper_init_delayed_work(self.work.get(), Some(expire::<T>)) };
        Opened(self)
    }

    /// Somebody needs the value, which is made if it is not there. May sleep.
    ///
    /// # Errors
    ///
    /// Those of `make`. Nobody has entered then.
    pub(crate) fn enter(&'static self, make: impl FnOnce() -> Result<T>) -> Result {
        let _turn = TURN.lock();
        self.value.ensure(make)?;
        self.users.add(1, Relaxed);
        Ok(())
    }

    /// Somebody else needs the value, while one who entered does. Any context.
    pub(crate) fn join(&'static self) {
        self.users.add(1, Relaxed);
    }

    /// Somebody who entered or joined needs the value no more. Any context.
    pub(crate) fn leave(&'static self) {
        if self.users.fetch_sub(1, Full) == 1 {
            // SAFETY: By the type invariant.
            unsafe { bindings::shim6_helper_queue_delayed_work(self.work.get(), LINGER) };
        }
    }
}

impl<T: Send + Sync + 'static> Drop for Opened<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant. Nobody leaves any more, so that it is not queued again.
        unsafe { bindings::cancel_delayed_work_sync(self.0.work.get()) };
        self.0.value.clear();
    }
}

/// # Safety
///
/// Called with the work item of a `Demand<T>` only.
unsafe extern "C" fn expire<T: Send + Sync + 'static>(work: *mut bindings::work_struct) {
    const {
        assert!(offset_of!(Demand<T>, work) == 0);
        assert!(offset_of!(bindings::delayed_work, work) == 0);
    }
    // SAFETY: The work item is the first member of the delayed one, which is that of the demand;
    // demands are static.
    let demand: &'static Demand<T> = unsafe { &*work.cast() };
    let _turn = TURN.lock();
    if demand.users.load(Relaxed) == 0 {
        demand.value.clear();
    }
}
