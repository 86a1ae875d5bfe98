// SPDX-License-Identifier: GPL-2.0

//! Lists of objects that wait for attention, each on at most one list and at most once. No lock is
//! taken, and the objects bound the length.

use super::{
    member::{
        self,
        Has, //
    },
    rcu::RcuArc, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::sync::atomic::{
    ordering::{
        Full,
        Relaxed, //
    },
    Atomic, //
};

/// What lets a `T` wait on a [`Pending<T>`]: a pointer, a member of it.
///
/// # Invariants
///
/// `next` is null while the object does not wait. Otherwise the node is on a list, or in the hands
/// of the one who puts it there or takes it off, and only they change it; it is at its place in an
/// object, a reference to which was given away for it.
pub(crate) struct PendingNode<T> {
    next: Atomic<*mut PendingNode<T>>,
    _of: PhantomData<fn(T)>,
}

impl<T> PendingNode<T> {
    /// What the last node of a list has for `next`: no node is there.
    const END: *mut Self = ptr::dangling_mut();

    /// A node of an object that does not wait.
    pub(crate) const fn new() -> Self {
        Self {
            next: Atomic::new(ptr::null_mut()),
            _of: PhantomData,
        }
    }
}

/// The objects that wait.
///
/// # Invariants
///
/// [`PendingNode::END`], or a list of nodes linked by `next`, the newest first.
pub(crate) struct Pending<T: Has<PendingNode<T>>>(Atomic<*mut PendingNode<T>>);

// SAFETY: The list is changed atomically and hands out counted references.
unsafe impl<T: Has<PendingNode<T>>> Send for Pending<T> {}
// SAFETY: As above.
unsafe impl<T: Has<PendingNode<T>>> Sync for Pending<T> {}

impl<T: Has<PendingNode<T>>> Pending<T> {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(PendingNode::END))
    }

    /// Lets an object wait, with a reference of its own; false if it waits already, here or
    /// elsewhere. What was done to the object before is seen by who takes it off. Any context.
    pub(crate) fn push_once(&self, object: &RcuArc<T>) -> bool {
        let Some(link) = member::place_of::<T, PendingNode<T>>(object) else {
            return false;
        };
        // SAFETY: It is a member of the object.
        let node = unsafe { &*link };
        // Either the one who takes the node off sees what was done before, or the node is free
        // here. A look first: it does not take the cache line from others.
        // SAFETY: No requirements.
        unsafe { bindings::shim6_helper_smp_mb() };
        if !node.next.load(Relaxed).is_null()
            || node
                .next
                .cmpxchg(ptr::null_mut(), PendingNode::END, Full)
                .is_err()
        {
            return false;
        }
        // INVARIANT: This is the reference that is given away for the node, which is at its place.
        core::mem::forget(object.clone());

        let mut first = self.0.load(Relaxed);
        loop {
            // By the invariant of the node it is ours until it is on the list.
            node.next.store(first, Relaxed);
            // INVARIANT: The list goes on behind the node as before.
            match self.0.cmpxchg(first, link, Full) {
                Ok(_) => return true,
                Err(now) => first = now,
            }
        }
    }

    /// Takes all objects off, the one that waited longest first. An object may be put on a list
    /// again from the moment that the iterator gives it out. Any context.
    pub(crate) fn drain(&self) -> Drained<T> {
        let mut node = self.0.xchg(PendingNode::END, Full);
        let mut oldest = PendingNode::END;
        while !ptr::eq(node, PendingNode::END) {
            // SAFETY: By the type invariant it is the node of an object that the list has a
            // reference to.
            let next = &unsafe { &*node }.next;
            // The list is ours now, and with it the links.
            let newer = next.load(Relaxed);
            next.store(oldest, Relaxed);
            oldest = node;
            node = newer;
        }
        // INVARIANT: These are the nodes that were on the list, the other way round.
        Drained(oldest)
    }
}

impl<T: Has<PendingNode<T>>> Drop for Pending<T> {
    fn drop(&mut self) {
        drop(self.drain());
    }
}

/// Objects that were taken off a [`Pending`], oldest first. Those that are left when this is
/// dropped are forgotten.
///
/// # Invariants
///
/// As of [`Pending`], of nodes that nobody else has.
pub(crate) struct Drained<T: Has<PendingNode<T>>>(*mut PendingNode<T>);

impl<T: Has<PendingNode<T>>> Iterator for Drained<T> {
    type Item = RcuArc<T>;

    fn next(&mut self) -> Option<RcuArc<T>> {
        let node = self.0;
        if ptr::eq(node, PendingNode::END) {
            return None;
        }
        // From here on others can have the node again.
        // SAFETY: By the type invariant the node is that of an object we have a reference to.
        self.0 = unsafe { &*node }.next.xchg(ptr::null_mut(), Full);
        // SAFETY: By the invariant of the node it is at its place.
        let object = unsafe { member::object_of::<T, _>(node.cast_const()) };
        // SAFETY: The reference that was given away for the node is ours.
        Some(unsafe { RcuArc::from_raw(object) })
    }
}

impl<T: Has<PendingNode<T>>> Drop for Drained<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
