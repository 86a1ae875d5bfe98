// SPDX-License-Identifier: GPL-2.0

//! Objects that readers reach under the RCU read lock.
//!
//! [`RcuArc`] is a reference-counted object whose memory outlives all readers that found it;
//! [`RcuPtr`] publishes an immutable object that readers see either in its old or in its new
//! version, and [`RcuSlot`] does so with one that may be absent.
//!
//! C header: [`include/linux/rcupdate.h`](srctree/include/linux/rcupdate.h)

use super::slab;
use crate::{
    bindings,
    proto::reap::GracePeriod, //
};
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr::{
        self,
        NonNull, //
    }, //
};
use kernel::{
    alloc::AllocError,
    ffi::c_ulong,
    prelude::*,
    sync::{
        rcu::Guard,
        Refcount, //
    },
    types::Opaque, //
};

/// Evidence of the RCU read lock for a function of ours that is called with it: taking it once more
/// would be two calls for every packet.
///
/// # Safety
///
/// The lock is held for `'a`.
#[inline]
pub(super) unsafe fn held<'a>() -> &'a Guard {
    const { assert!(size_of::<Guard>() == 0) };
    // SAFETY: A value without octets is everywhere; what it stands for is the caller's to know. A
    // reference does not drop it.
    unsafe { NonNull::<Guard>::dangling().as_ref() }
}

/// What an allocation looks like: the RCU callback first, so that the callback finds the rest.
#[pin_data]
#[repr(C)]
pub(crate) struct Inner<T> {
    callback: Opaque<bindings::callback_head>,
    references: Refcount,
    #[pin]
    value: T,
}

/// The slab cache of objects in an [`RcuArc`], for [`RcuArc::pin_init_in`].
pub(crate) type Cache<T> = slab::Cache<Inner<T>>;

/// Frees the object whose last reference went away a grace period ago.
///
/// # Safety
///
/// `callback` is the first member of an [`Inner<T>`] that was leaked from a [`KBox`].
unsafe extern "C" fn free<T>(callback: *mut bindings::callback_head) {
    // SAFETY: By the safety requirements this is the box that `RcuArc::new` leaked, and the
    // reference count is zero, so nobody else can reach it.
    drop(unsafe { KBox::from_raw(callback.cast::<Inner<T>>()) });
}

/// A counted reference to an object that is freed a grace period after its last reference.
///
/// A reader under the RCU read lock may use the object after the last reference is gone, and the
/// containers of this directory give out counted references to what they hold.
///
/// The object is dropped in softirq context: its `Drop` must not sleep.
///
/// # Invariants
///
/// The pointer is to a live [`Inner<T>`], one of whose references belongs to `self`.
pub(crate) struct RcuArc<T: Send + Sync + 'static>(NonNull<Inner<T>>);

// SAFETY: As with `Arc`, sharing and sending references is sound for `T: Send + Sync`.
unsafe impl<T: Send + Sync> Send for RcuArc<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for RcuArc<T> {}

impl<T: Send + Sync + 'static> RcuArc<T> {
    /// Allocates an object; process context for `GFP_KERNEL`.
    pub(crate) fn pin_init<E>(
        init: impl PinInit<T, E>,
        flags: kernel::alloc::Flags,
    ) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Ok(Self::leak(KBox::try_pin_init(Self::counted(init), flags)?))
    }

    /// The same in memory of a cache. May sleep.
    pub(crate) fn pin_init_in<E>(cache: &Cache<T>, init: impl PinInit<T, E>) -> Result<Self, E>
    where
        E: From<AllocError>,
    {
        Ok(Self::leak(
            cache.alloc()?.write_pin_init(Self::counted(init))?,
        ))
    }

    fn counted<E>(init: impl PinInit<T, E>) -> impl PinInit<Inner<T>, E> {
        try_pin_init!(Inner {
            callback: Opaque::zeroed(),
            references: Refcount::new(1),
            value <- init,
        }? E)
    }

    /// The reference to an object with a count of one.
    fn leak(inner: Pin<KBox<Inner<T>>>) -> Self {
        // SAFETY: The object stays where it is until `free` drops it in place.
        let inner = KBox::into_raw(unsafe { Pin::into_inner_unchecked(inner) });
        // INVARIANT: The count starts at one, and that reference is this value's.
        // SAFETY: A box is never null.
        Self(unsafe { NonNull::new_unchecked(inner) })
    }

    /// Takes a reference to an object that a reader found; `None` if its last one is gone.
    ///
    /// # Safety
    ///
    /// `value` is what an [`RcuArc<T>`] refers or referred to.
    pub(super) unsafe fn try_from_borrowed(value: &T) -> Option<Self> {
        // SAFETY: The memory is valid while `value` is borrowed; the rest is the caller's.
        unsafe { Self::try_from_raw(value) }
    }

    /// The same for an object that may be about to be dropped.
    ///
    /// # Safety
    ///
    /// `value` is what an [`RcuArc<T>`] refers or referred to, and its memory is not yet freed.
    pub(super) unsafe fn try_from_raw(value: *const T) -> Option<Self> {
        let offset = core::mem::offset_of!(Inner<T>, value);
        // SAFETY: By the safety requirement the value lies in an `Inner<T>`.
        let inner = unsafe { value.byte_sub(offset) }
            .cast::<Inner<T>>()
            .cast_mut();
        // SAFETY: By the safety requirement the memory is valid; the count needs no dropping.
        let references = unsafe { &raw mut (*inner).references };
        // SAFETY: `Refcount` is a transparent `refcount_t`.
        if !unsafe { bindings::shim6_helper_refcount_inc_not_zero(references.cast()) } {
            return None;
        }
        // INVARIANT: The reference was just taken.
        NonNull::new(inner).map(Self)
    }

    /// Gives the reference away as a pointer to the object.
    pub(crate) fn into_raw(self) -> *const T {
        let value = ptr::from_ref::<T>(&self);
        core::mem::forget(self);
        value
    }

    /// Takes back what [`RcuArc::into_raw`] gave away.
    ///
    /// # Safety
    ///
    /// `value` came from `into_raw`, and is taken back once.
    pub(crate) unsafe fn from_raw(value: *const T) -> Self {
        let offset = core::mem::offset_of!(Inner<T>, value);
        // SAFETY: The value lies at this offset of its allocation.
        let inner = unsafe { value.byte_sub(offset) }.cast::<Inner<T>>();
        // INVARIANT: The reference that `into_raw` gave away is this value's again.
        // SAFETY: The pointer came from a reference.
        Self(unsafe { NonNull::new_unchecked(inner.cast_mut()) })
    }
}

impl<T: Send + Sync> Deref for RcuArc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariant the object is live while `self` holds its reference.
        unsafe { &self.0.as_ref().value }
    }
}

impl<T: Send + Sync> Clone for RcuArc<T> {
    fn clone(&self) -> Self {
        // SAFETY: By the type invariant the object is live.
        unsafe { self.0.as_ref() }.references.inc();
        // INVARIANT: The reference was just taken.
        Self(self.0)
    }
}

impl<T: Send + Sync> Drop for RcuArc<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the object is live until this reference is given up.
        let inner = unsafe { self.0.as_ref() };
        if inner.references.dec_and_test() {
            // SAFETY: The last reference is gone, so no other call queues this callback. Readers
            // that still see the object do so until the end of the grace period that precedes
            // `free`. [`Callbacks`] waits for all callbacks before the text of
            // `free` goes away.
            unsafe { bindings::call_rcu(inner.callback.get(), Some(free::<T>)) };
        }
    }
}

/// A place that holds one version of an object at a time, or none.
///
/// Readers load the version in force; a writer replaces it as a whole, and the old one is freed
/// when its readers are gone.
///
/// # Invariants
///
/// The pointer is null or what [`RcuArc::into_raw`] gave away.
pub(crate) struct RcuSlot<T: Send + Sync + 'static> {
    slot: Opaque<*mut kernel::ffi::c_void>,
    _owns: PhantomData<RcuArc<T>>,
}

// SAFETY: Readers get shared references only, writers exchange the pointer atomically.
unsafe impl<T: Send + Sync> Send for RcuSlot<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for RcuSlot<T> {}

impl<T: Send + Sync + 'static> RcuSlot<T> {
    /// Publishes the first version.
    pub(crate) fn new(value: Option<RcuArc<T>>) -> Self {
        Self {
            slot: Opaque::new(Self::into_slot(value)),
            _owns: PhantomData,
        }
    }

    /// The version in force.
    #[inline]
    pub(crate) fn load<'rcu>(&'rcu self, _rcu: &'rcu Guard) -> Option<&'rcu T> {
        // SAFETY: The slot is only ever replaced as a whole word. The data dependency orders the
        // reads through the pointer, as `rcu_dereference` does.
        let value = unsafe { ptr::read_volatile(self.slot.get()) };
        // SAFETY: By the type invariant this is null or a live object; `replace` frees it not
        // before a grace period, which cannot end before `_rcu` does.
        unsafe { value.cast::<T>().as_ref() }
    }

    /// Publishes another version; readers that have the old one may go on using it.
    pub(crate) fn replace(&self, value: Option<RcuArc<T>>) {
        // SAFETY: The slot is valid, and xchg is fully ordered: who sees the pointer sees the object.
        let old =
            unsafe { bindings::shim6_helper_rcu_swap(self.slot.get(), Self::into_slot(value)) };
        // SAFETY: By the type invariant `old` is null or came from `into_raw`, and nobody else got it.
        drop(unsafe { Self::from_slot(old) });
    }

    fn into_slot(value: Option<RcuArc<T>>) -> *mut kernel::ffi::c_void {
        value.map_or(ptr::null_mut(), |value| value.into_raw().cast_mut().cast())
    }

    /// # Safety
    ///
    /// `value` is of `into_slot`, and is taken back once.
    unsafe fn from_slot(value: *mut kernel::ffi::c_void) -> Option<RcuArc<T>> {
        // SAFETY: By the safety requirement.
        (!value.is_null()).then(|| unsafe { RcuArc::from_raw(value.cast::<T>().cast_const()) })
    }
}

impl<T: Send + Sync> Drop for RcuSlot<T> {
    fn drop(&mut self) {
        // SAFETY: Nobody else can reach the slot any more.
        let value = unsafe { *self.slot.get() };
        // SAFETY: By the type invariant.
        drop(unsafe { Self::from_slot(value) });
    }
}

/// An [`RcuSlot`] that always holds an object.
///
/// # Invariants
///
/// There is a version in force.
pub(crate) struct RcuPtr<T: Send + Sync + 'static>(RcuSlot<T>);

impl<T: Send + Sync + 'static> RcuPtr<T> {
    /// Publishes the first version.
    pub(crate) fn new(value: RcuArc<T>) -> Self {
        // INVARIANT: This is one.
        Self(RcuSlot::new(Some(value)))
    }

    /// The version in force.
    #[inline]
    pub(crate) fn load<'rcu>(&'rcu self, rcu: &'rcu Guard) -> &'rcu T {
        // SAFETY: By the type invariant.
        unsafe { self.0.load(rcu).unwrap_unchecked() }
    }

    /// A counted reference to the version in force. Any context.
    pub(crate) fn get(&self) -> RcuArc<T> {
        let rcu = kernel::sync::rcu::read_lock();
        loop {
            // SAFETY: What is published here came out of an `RcuArc<T>`.
            if let Some(value) = unsafe { RcuArc::try_from_borrowed(self.load(&rcu)) } {
                return value;
            }
            // It was replaced and given up since; the next look finds the new version.
        }
    }

    /// Publishes another version; readers that have the old one may go on using it.
    pub(crate) fn replace(&self, value: RcuArc<T>) {
        // INVARIANT: One version follows another.
        self.0.replace(Some(value));
    }
}

/// A grace period: all readers that were there when it began are gone when it is over.
pub(crate) struct Period(c_ulong);

impl GracePeriod for Period {
    fn begin() -> Self {
        // SAFETY: There are no requirements. A full barrier orders it after what was done before.
        Self(unsafe { bindings::start_poll_synchronize_rcu() })
    }

    fn is_over(&self) -> bool {
        // SAFETY: The cookie is of `start_poll_synchronize_rcu`. If the period is over, a full
        // barrier orders what follows after it.
        unsafe { bindings::poll_state_synchronize_rcu(self.0) }
    }
}

/// How deep objects in [`RcuArc`]s hold others that are: dropping one queues callbacks for those.
const DEPTH: usize = 2;

/// Waits until all callbacks that are queued have run, and those that they queue. May sleep.
pub(crate) fn drain_callbacks() {
    for _ in 0..DEPTH {
        // SAFETY: Process context; there are no further requirements.
        unsafe { bindings::rcu_barrier() };
    }
}

/// Evidence that callbacks of this module may be queued; dropping it waits for all of them. May
/// sleep.
pub(crate) struct Callbacks;

impl Drop for Callbacks {
    fn drop(&mut self) {
        drain_callbacks();
    }
}
