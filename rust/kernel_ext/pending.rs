// SPDX-License-Identifier: GPL-2.0

//! Lists of objects that wait for attention, each on at most one list and at most once. No lock is
//! taken, and the objects bound the length.

use super::rcu::{
    self,
    RcuArc, //
};
use crate::bindings;
use core::{
    cell::UnsafeCell,
    ptr, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        ordering::{
            Full,
            Relaxed, //
        },
        Atomic, //
    }, //
};

/// What lets a `T` wait on a [`Pending<T>`]: 16 octets, a member of it.
///
/// # Invariants
///
/// `object` is null, or a reference that [`RcuArc::into_raw`] gave away, to the object that
/// contains this node; then the node is on a list, or in the hands of the one who takes it off.
/// Only they use `next`.
pub(crate) struct PendingNode<T> {
    next: UnsafeCell<*const PendingNode<T>>,
    object: Atomic<*mut T>,
}

// SAFETY: By the type invariant one thread at a time uses `next`.
unsafe impl<T: Send + Sync> Send for PendingNode<T> {}
// SAFETY: As above.
unsafe impl<T: Send + Sync> Sync for PendingNode<T> {}

impl<T> PendingNode<T> {
    /// A node of an object that does not wait.
    pub(crate) const fn new() -> Self {
        Self {
            next: UnsafeCell::new(ptr::null()),
            object: Atomic::new(ptr::null_mut()),
        }
    }
}

/// An object that can wait for attention.
pub(crate) trait HasPending: Sized + Send + Sync + 'static {
    /// The node, a member of `self`.
    fn pending(&self) -> &PendingNode<Self>;
}

/// The objects that wait.
///
/// # Invariants
///
/// A list of nodes linked by `next`, the newest first, each with an object.
pub(crate) struct Pending<T: HasPending>(Atomic<*mut PendingNode<T>>);

// SAFETY: The list is changed atomically and hands out counted references.
unsafe impl<T: HasPending> Send for Pending<T> {}
// SAFETY: As above.
unsafe impl<T: HasPending> Sync for Pending<T> {}

impl<T: HasPending> Pending<T> {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(ptr::null_mut()))
    }

    /// Lets an object wait, with a reference of its own; false if it waits already, here or
    /// elsewhere. What was done to the object before is seen by who takes it off. Any context.
    pub(crate) fn push_once(&self, object: &RcuArc<T>) -> bool {
        let node = object.pending();
        if !rcu::contains::<T, _>(object, node) {
            pr_err!("a node is no member of its object\n");
            return false;
        }
        let reference = ptr::from_ref::<T>(object).cast_mut();
        // Either the one who takes the node off sees what was done before, or the node is free
        // here. A look first: it does not take the cache line from others.
        // SAFETY: No requirements.
        unsafe { bindings::shim6_helper_smp_mb() };
        if !node.object.load(Relaxed).is_null()
            || node
                .object
                .cmpxchg(ptr::null_mut(), reference, Full)
                .is_err()
        {
            return false;
        }
        // INVARIANT: This is the reference that the node has now.
        core::mem::forget(object.clone());

        let link = ptr::from_ref(node).cast_mut();
        let mut first = self.0.load(Relaxed);
        loop {
            // SAFETY: By the invariant of the node it is ours until it is on the list.
            unsafe { *node.next.get() = first };
            // INVARIANT: The node has an object, and the list goes on behind it as before.
            match self.0.cmpxchg(first, link, Full) {
                Ok(_) => return true,
                Err(now) => first = now,
            }
        }
    }

    /// Takes all objects off, the one that waited longest first. An object may be put on a list
    /// again from the moment that the iterator gives it out. Any context.
    pub(crate) fn drain(&self) -> Drained<T> {
        let mut node: *const PendingNode<T> = self.0.xchg(ptr::null_mut(), Full);
        let mut oldest: *const PendingNode<T> = ptr::null();
        while !node.is_null() {
            // SAFETY: By the type invariant it is the node of an object that the list has a
            // reference to.
            let link = unsafe { (*node).next.get() };
            // SAFETY: The list is ours now, and with it the links.
            let next = unsafe { link.replace(oldest) };
            oldest = node;
            node = next;
        }
        // INVARIANT: These are the nodes that were on the list, the other way round.
        Drained(oldest)
    }
}

impl<T: HasPending> Drop for Pending<T> {
    fn drop(&mut self) {
        drop(self.drain());
    }
}

/// Objects that were taken off a [`Pending`], oldest first. Those that are left when this is
/// dropped are forgotten.
///
/// # Invariants
///
/// A list of nodes linked by `next`, each with an object, that nobody else has.
pub(crate) struct Drained<T: HasPending>(*const PendingNode<T>);

impl<T: HasPending> Iterator for Drained<T> {
    type Item = RcuArc<T>;

    fn next(&mut self) -> Option<RcuArc<T>> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: By the type invariant the node is that of an object we have a reference to.
        let node = unsafe { &*self.0 };
        // SAFETY: As above. This comes before others can have the node again.
        self.0 = unsafe { *node.next.get() };
        let object = node.object.xchg(ptr::null_mut(), Full);
        // SAFETY: By the invariant of the node, which gives the reference to us.
        Some(unsafe { RcuArc::from_raw(object.cast_const()) })
    }
}

impl<T: HasPending> Drop for Drained<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
