// SPDX-License-Identifier: GPL-2.0

//! Network namespaces and state of a module in each of them.
//!
//! C header: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h)

use super::{
    fault,
    rcu,
    work::Worker, //
};
use crate::bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::size_of,
    ptr, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_uint,
        c_void, //
    },
    prelude::*,
    sync::{
        atomic::{
            ordering::{
                Acquire,
                Release, //
            },
            Atomic, //
        },
        rcu::Guard, //
    },
    types::Opaque, //
};

/// A network namespace (`struct net`).
///
/// # Invariants
///
/// References exist only while the namespace does.
#[repr(transparent)]
pub(crate) struct Net(Opaque<bindings::net>);

// SAFETY: What is reached through a `&Net` is meant to be used from any context.
unsafe impl Sync for Net {}

impl Net {
    /// A view of a C pointer.
    ///
    /// # Safety
    ///
    /// `net` is a namespace that stays alive for `'a`.
    #[inline]
    pub(crate) unsafe fn from_ptr<'a>(net: *const bindings::net) -> &'a Self {
        // SAFETY: By the safety requirement; the type is transparent.
        unsafe { &*net.cast() }
    }

    /// The C pointer.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *mut bindings::net {
        self.0.get()
    }

    /// How often its addresses have changed, as IPv6 counts it: 0 as long as they have not.
    #[inline]
    pub(super) fn address_changes(&self) -> u32 {
        // SAFETY: The namespace is live; the offset is that of an atomic counter, which C changes at
        // the same time.
        unsafe {
            self.as_ptr()
                .byte_add(bindings::SHIM6_NET_ADDRESS_CHANGES as usize)
                .cast::<u32>()
                .read_volatile()
        }
    }

    /// Whether the namespace is being taken down, so that nobody uses it any more.
    pub(crate) fn is_dying(&self) -> bool {
        // SAFETY: The namespace is live.
        unsafe { bindings::shim6_helper_net_is_dying(self.as_ptr()) }
    }
}

/// What a module keeps in every network namespace.
pub(crate) trait PerNet: Sized + Send + Sync + 'static {
    /// The registration through which this type is found.
    fn slot() -> &'static Slot<Self>;

    /// Makes the state of a new namespace. Process context, may sleep.
    fn new(net: &'static Net) -> Result<Pin<KBox<Self>>>;

    /// The state is in its place: entry points that find it by [`Slot::get`] may be opened.
    fn enter(&self, net: &'static Net) -> Result;

    /// The namespace is going, or the module. Entry points are closed here; after a grace period
    /// the state is dropped. May sleep. [`PerNet::worker`] does not run any more.
    fn pre_exit(&self, net: &Net);

    /// The worker of the state, a member of it and always the same. It can be asked for work from
    /// before [`PerNet::enter`] is called until before [`PerNet::pre_exit`] is.
    fn worker(&self) -> Option<&Worker<Self>> {
        None
    }
}

/// What the core keeps in every namespace for a [`Slot<T>`].
///
/// # Invariants
///
/// `open` is null or equal to `state`. A grace period lies between `open` becoming null and the
/// state being dropped.
#[repr(C)]
struct Cell<T> {
    state: *const T,
    open: Atomic<*mut T>,
}

/// The place of a [`PerNet`] type in every namespace; a static.
pub(crate) struct Slot<T> {
    id: UnsafeCell<c_uint>,
    ops: Opaque<bindings::pernet_operations>,
    _type: PhantomData<T>,
}

// SAFETY: `id` and `ops` are written by registration only, which is done once before any reader.
unsafe impl<T: PerNet> Sync for Slot<T> {}

impl<T: PerNet> Slot<T> {
    /// A place that is not registered yet.
    pub(crate) const fn new() -> Self {
        Self {
            id: UnsafeCell::new(0),
            ops: Opaque::uninit(),
            _type: PhantomData,
        }
    }

    /// The state of a namespace.
    ///
    /// Callers run in entry points that [`PerNet::enter`] opened and [`PerNet::pre_exit`] closed, or
    /// hold the [`Registration`].
    pub(crate) fn get<'a>(&self, net: &'a Net) -> &'a T {
        // SAFETY: `cell` gives the place that `init` filled; the state is dropped by `exit_batch`
        // only, a grace period after `pre_exit` closed all entries of the namespace.
        unsafe { &*(*self.cell(net)).state }
    }

    /// As [`Slot::get`], for every packet.
    #[inline]
    pub(crate) fn get_rcu<'a>(&self, net: &'a Net, _rcu: &'a Guard) -> &'a T {
        // SAFETY: As `net_generic()`: the array may be replaced, and the old one is good under RCU.
        // The id is that of this slot, whose place in the array does not change.
        let cell = unsafe {
            let generic = net
                .as_ptr()
                .byte_add(bindings::SHIM6_NET_GEN as usize)
                .cast::<*const c_void>()
                .read_volatile();
            *generic
                .byte_add(bindings::SHIM6_NET_GENERIC_PTR as usize)
                .cast::<*const Cell<T>>()
                .add(*self.id.get() as usize)
        };
        // SAFETY: As in `get`.
        unsafe { &*(*cell).state }
    }

    /// The state of a namespace, for who comes by no entry point of it: `None` before it is in its
    /// place, and from when [`PerNet::pre_exit`] is called on. Any context. The [`Registration`] is
    /// held, or being made.
    pub(crate) fn find<'rcu>(&self, net: &'rcu Net, _rcu: &'rcu Guard) -> Option<&'rcu T> {
        let cell = self.cell(net);
        if cell.is_null() {
            return None;
        }
        // SAFETY: The core allocated the place, of zeroes at first, and frees it after all devices
        // of the namespace are gone.
        let open = unsafe { &(*cell).open }.load(Acquire);
        // SAFETY: By the invariant of `Cell` the state lives as long as the RCU read lock is held.
        unsafe { open.as_ref() }
    }

    /// The place in a namespace that is for this slot.
    fn cell(&self, net: &Net) -> *mut Cell<T> {
        // SAFETY: The namespace is live and the id was set by registration.
        unsafe { bindings::shim6_helper_net_generic(net.as_ptr(), *self.id.get()) }.cast()
    }

    /// Registers for all namespaces, those that exist and those to come. Process context.
    ///
    /// Called once for a slot.
    pub(crate) fn register(&'static self) -> Result<Registration<T>> {
        // SAFETY: Nobody reads `ops` before this call returns or the callbacks run.
        unsafe {
            self.ops.get().write(bindings::pernet_operations {
                init: Some(init::<T>),
                pre_exit: Some(pre_exit::<T>),
                exit_batch: Some(exit_batch::<T>),
                id: self.id.get(),
                size: size_of::<Cell<T>>(),
                ..pin_init::zeroed()
            });
        }
        // SAFETY: `ops` is static and complete.
        to_result(unsafe { bindings::register_pernet_subsys(self.ops.get()) })?;
        Ok(Registration(self))
    }
}

/// A registered [`Slot`]; dropping it takes the state out of every namespace.
pub(crate) struct Registration<T: PerNet>(&'static Slot<T>);

impl<T: PerNet> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: `self` is evidence that the operations are registered. All `pre_exit` run, then
        // a grace period passes, then `exit_batch`.
        unsafe { bindings::unregister_pernet_subsys(self.0.ops.get()) };
    }
}

/// # Safety
///
/// Called by the namespace core only.
unsafe extern "C" fn init<T: PerNet>(net: *mut bindings::net) -> c_int {
    // SAFETY: The namespace lives until `exit_batch` has run.
    let net: &'static Net = unsafe { Net::from_ptr(net) };
    let place = || -> Result {
        fault::point(fault::Point::Namespace)?;
        let state = T::new(net)?;
        // SAFETY: The state stays pinned in its box until `exit_batch` drops it.
        let state = KBox::into_raw(unsafe { Pin::into_inner_unchecked(state) });
        let cell = T::slot().cell(net);
        // SAFETY: The core allocated the place for this slot, and no entry point is open yet.
        unsafe { (*cell).state = state };
        // SAFETY: The place is valid, and shared from here on.
        let open = unsafe { &(*cell).open };
        // SAFETY: It was put there just now, and is dropped by `exit`, or below.
        let placed = unsafe { &*state };
        if let Some(worker) = placed.worker() {
            // SAFETY: The worker is a member of the state, and is shut down by `close`.
            unsafe { worker.open(placed) };
        }
        open.store(state, Release);
        placed.enter(net).inspect_err(|_| {
            close(placed, open);
            // SAFETY: Process context.
            unsafe { bindings::synchronize_rcu() };
            // SAFETY: `enter` failed and left nothing open, and nobody found the state for a grace
            // period, so the box is ours alone; the core does not call `exit_batch` after a failed
            // `init`.
            drop(unsafe { KBox::from_raw(state) });
        })
    };
    match place() {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// Called by the namespace core only.
unsafe extern "C" fn pre_exit<T: PerNet>(net: *mut bindings::net) {
    // SAFETY: The namespace is alive during the call.
    let net = unsafe { Net::from_ptr(net) };
    let state = T::slot().get(net);
    // SAFETY: The core allocated the place.
    close(state, unsafe { &(*T::slot().cell(net)).open });
    state.pre_exit(net);
}

/// Lets nobody find the state any more, and ends its work.
fn close<T: PerNet>(state: &T, open: &Atomic<*mut T>) {
    open.store(ptr::null_mut(), Release);
    if let Some(worker) = state.worker() {
        worker.shutdown();
    }
}

/// # Safety
///
/// Called by the namespace core only.
unsafe extern "C" fn exit_batch<T: PerNet>(namespaces: *mut bindings::list_head) {
    // SAFETY: The list is the core's, of namespaces that are alive during the call.
    unsafe { bindings::shim6_helper_for_each_exiting_net(namespaces, Some(exit::<T>)) };
    // What was dropped may hold routes until its callbacks ran, and IPv6 takes the counters of
    // routes down right after us.
    rcu::drain_callbacks();
}

/// # Safety
///
/// Called for a namespace that [`pre_exit`] was called for a grace period ago.
unsafe extern "C" fn exit<T: PerNet>(net: *mut bindings::net) {
    // SAFETY: The namespace is alive during the call.
    let net = unsafe { Net::from_ptr(net) };
    // SAFETY: `pre_exit` closed all entries and a grace period has passed: nobody uses the state.
    drop(unsafe { KBox::from_raw((*T::slot().cell(net)).state.cast_mut()) });
}
