// SPDX-License-Identifier: GPL-2.0

//! The contexts of a namespace: by identity, by `CT(local)` for received payload, by `CT(peer)` for
//! what ICMPv6 errors quote (RFC 5533, Section 12.4). Bounded by a setting.

use super::{
    default_identity,
    trace,
    Cause,
    Context,
    Counter,
    Event,
    ForkError,
    Identity,
    Namespace,
    NewContext,
    Origin,
    Peer,
    SetPairError,
    State, //
};
use crate::{
    kernel_ext::{
        net::Net,
        rcu::RcuArc,
        rhashtable::{
            Key,
            ListTable,
            Table,
            Walk, //
        },
    },
    proto::{
        locator::{
            Ulid,
            UlidPair, //
        },
        number::Fii,
        tag::ContextTag, //
    },
};
use core::{
    ops::ControlFlow,
    sync::atomic::{
        AtomicU32,
        Ordering, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu::{
        self,
        Guard, //
    },
};

/// Why a context is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// There is a context with this identity.
    Exists,
    /// Another context has this `CT(local)`.
    TagInUse,
    /// As many contexts exist as `net.shim6.max_contexts` allows.
    Full,
    /// The current pair cannot be that.
    Pair(SetPairError),
    /// No memory.
    NoMemory,
}

/// Contexts that are taken out of a walk together.
pub(crate) const BATCH: usize = 16;

impl Key for Identity {
    const SAMPLE: Self = default_identity(UlidPair {
        local: Ulid::new([0; 16]),
        peer: Ulid::new([0; 16]),
    });
}

impl Key for ContextTag {
    const SAMPLE: Self = Self::MAX;
}

impl Key for Option<ContextTag> {
    const SAMPLE: Self = None;
}

/// The contexts of a namespace.
#[pin_data]
#[repr(C)]
pub(crate) struct Contexts {
    len: AtomicU32,
    /// Those with an FII other than 0.
    forks: AtomicU32,
    generation: AtomicU32,
    #[pin]
    by_identity: Table<Context, Identity>,
    #[pin]
    by_tag: Table<Context, ContextTag>,
    #[pin]
    by_peer_tag: ListTable<Peer, Option<ContextTag>>,
}

impl Contexts {
    /// No contexts. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            by_identity <- Table::new_for_packets(),
            by_tag <- Table::new_for_packets(),
            by_peer_tag <- ListTable::new(),
            len: AtomicU32::new(0),
            forks: AtomicU32::new(0),
            generation: AtomicU32::new(0),
        }? Error)
    }

    /// How many contexts there are.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there are none: then no packet concerns us.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them are forks.
    #[inline]
    pub(crate) fn forks(&self) -> u32 {
        self.forks.load(Ordering::Relaxed)
    }

    /// Whether any is one, so that packets have to be looked up by socket and ports.
    #[inline]
    pub(crate) fn any_forks(&self) -> bool {
        self.forks() != 0
    }

    /// One more is about to be made.
    pub(super) fn count_fork(&self) {
        self.forks.fetch_add(1, Ordering::Relaxed);
    }

    /// One has gone, or was not made.
    pub(super) fn discount_fork(&self) {
        self.forks.fetch_sub(1, Ordering::Relaxed);
    }

    /// The context with this identity.
    #[inline]
    pub(crate) fn by_identity<'rcu>(
        &'rcu self,
        identity: &Identity,
        rcu: &'rcu Guard,
    ) -> Option<&'rcu Context> {
        self.by_identity.lookup(identity, rcu)
    }

    /// The context that gave out this tag.
    #[inline]
    pub(crate) fn by_tag<'rcu>(
        &'rcu self,
        tag: ContextTag,
        rcu: &'rcu Guard,
    ) -> Option<&'rcu Context> {
        self.by_tag.lookup(&tag, rcu)
    }

    /// The context that sends this tag, among those that `accept` accepts.
    pub(crate) fn by_peer_tag<'rcu>(
        &'rcu self,
        tag: ContextTag,
        rcu: &'rcu Guard,
        mut accept: impl FnMut(&Context) -> bool,
    ) -> Option<&'rcu Context> {
        let mut found = None;
        self.by_peer_tag.find(&Some(tag), rcu, |peer| {
            // What is found may have been replaced just now.
            found = self
                .by_tag(peer.tag_local(), rcu)
                .filter(|context| core::ptr::eq(context.peer(rcu), peer) && accept(context));
            found.is_some()
        });
        found
    }

    /// Makes a peer found by its tag, if it has one. May sleep.
    pub(super) fn add_peer(&self, peer: &RcuArc<Peer>) -> Result {
        match peer.tag() {
            Some(_) => self.by_peer_tag.insert(peer),
            None => Ok(()),
        }
    }

    /// The peer is no longer found by its tag.
    pub(super) fn remove_peer(&self, peer: &Peer) {
        if peer.tag().is_some() {
            self.by_peer_tag.remove(peer);
        }
    }

    /// A counted reference to the context with this identity, for process context.
    pub(crate) fn get_by_identity(&self, identity: &Identity) -> Option<RcuArc<Context>> {
        self.by_identity.get(identity)
    }

    /// A counted reference to the context that gave out this tag, for process context.
    pub(crate) fn get_by_tag(&self, tag: ContextTag) -> Option<RcuArc<Context>> {
        self.by_tag.get(&tag)
    }

    /// A walk over all contexts, for process context.
    pub(crate) fn walk(&self) -> Result<Walk<'_, Context, Identity>> {
        self.by_identity.walk()
    }

    /// Gives the contexts that are wanted to `each`, some at a time and outside of the walk, so that
    /// it may sleep, and change or remove them. Process context.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]; nothing was given then.
    pub(crate) fn for_each_batch(
        &self,
        wanted: impl Fn(&Context) -> bool,
        mut each: impl FnMut(&[Option<RcuArc<Context>>]),
    ) -> Result {
        let mut walk = self.walk()?;
        loop {
            let mut batch = [const { None }; BATCH];
            let finished = self.next_batch(&mut walk, &wanted, &mut batch);
            each(&batch);
            if finished {
                return Ok(());
            }
        }
    }

    /// Fills a batch from a walk; true if the walk has come to its end.
    pub(crate) fn next_batch(
        &self,
        walk: &mut Walk<'_, Context, Identity>,
        wanted: impl Fn(&Context) -> bool,
        batch: &mut [Option<RcuArc<Context>>; BATCH],
    ) -> bool {
        let mut places = batch.iter_mut();
        walk.resume(|context, _| {
            if wanted(context) {
                // One that finds no place is visited again.
                let Some(place) = places.next() else {
                    return ControlFlow::Break(());
                };
                *place = self.get_by_identity(context.identity());
            }
            ControlFlow::Continue(())
        })
    }

    /// How often contexts were added or removed, for who wants to know whether a walk saw all.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Makes a context and puts it into the tables. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]; nothing is changed then.
    pub(crate) fn add(
        &self,
        namespace: &Namespace,
        new: NewContext,
        cause: Cause,
    ) -> Result<RcuArc<Context>, Refusal> {
        let net = namespace.net();
        let place =
            Reservation::take(self, namespace.settings.max_contexts()).ok_or_else(|| {
                namespace.counters.count(Counter::ContextTableFull);
                Refusal::Full
            })?;
        let fork_place = ForkReservation::take(namespace, &new)?;
        // The place counts already, so they are needed.
        namespace.open_hooks().map_err(|_| Refusal::NoMemory)?;
        let context = Context::new(net, new).map_err(Refusal::Pair)?;
        let mut locked = context.lock_even_removed();
        let refused = |taken: Refusal| {
            move |error: Error| {
                if error == EEXIST {
                    taken
                } else {
                    Refusal::NoMemory
                }
            }
        };
        self.by_identity
            .insert(&context)
            .map_err(refused(Refusal::Exists))?;
        if let Err(error) = self.by_tag.insert(&context) {
            self.by_identity.remove(&context);
            return Err(refused(Refusal::TagInUse)(error));
        }
        if self.add_peer(&locked.peer()).is_err() {
            self.by_tag.remove(&context);
            self.by_identity.remove(&context);
            return Err(Refusal::NoMemory);
        }
        let moves = !context.is_at_ulids(&rcu::read_lock());
        locked.adjust_last_resort(net, moves);
        place.keep();
        if let Some(place) = fork_place {
            place.keep();
        }
        self.generation.fetch_add(1, Ordering::Relaxed);
        namespace.counters.count(Counter::ContextAdded);
        trace::state(&context, State::Idle, context.state(), cause);
        locked.record(net, Event::Added, cause);
        drop(locked);
        Ok(context)
    }

    /// Takes a context out of the tables; false if somebody else did. Process context, may sleep.
    pub(crate) fn remove(&self, net: &Net, context: &Context, cause: Cause) -> bool {
        let namespace = Namespace::of(net);
        let mut locked = context.lock_even_removed();
        if !locked.mark_removed() {
            return false;
        }
        context.timer.shutdown();
        self.remove_peer(&locked.peer());
        self.by_tag.remove(context);
        self.by_identity.remove(context);
        locked.adjust_last_resort(net, false);
        self.len.fetch_sub(1, Ordering::Relaxed);
        if context.is_fork() {
            namespace
                .forks
                .removed(namespace, context.identity(), context.origin());
        }
        self.generation.fetch_add(1, Ordering::Relaxed);
        namespace.counters.count(Counter::ContextDeleted);
        trace::state(context, context.state(), State::Idle, cause);
        locked.record(net, Event::Removed, cause);
        true
    }

    /// No timer of any context fires any more, because the namespace is going. May sleep.
    pub(super) fn stop_timers(&self) {
        if let Ok(mut walk) = self.walk() {
            walk.resume(|context, _| {
                context.timer.shutdown();
                ControlFlow::Continue(())
            });
        }
    }
}

/// A place for one more fork, given back unless it is kept.
struct ForkReservation<'a> {
    namespace: &'a Namespace,
    identity: Identity,
    origin: Origin,
}

impl<'a> ForkReservation<'a> {
    /// `None` for a context that is no fork.
    fn take(namespace: &'a Namespace, new: &NewContext) -> Result<Option<Self>, Refusal> {
        let (identity, origin) = (new.identity, new.origin);
        if identity.fii == Fii::DEFAULT {
            return Ok(None);
        }
        namespace
            .forks
            .adding(namespace, &identity, origin)
            .map_err(|error| match error {
                ForkError::TooMany | ForkError::KernelSocket => Refusal::Full,
                ForkError::Failed(_) => Refusal::NoMemory,
            })?;
        Ok(Some(Self {
            namespace,
            identity,
            origin,
        }))
    }

    fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for ForkReservation<'_> {
    fn drop(&mut self) {
        self.namespace
            .forks
            .removed(self.namespace, &self.identity, self.origin);
    }
}

/// A place for one more context, given back unless it is kept.
struct Reservation<'a>(&'a AtomicU32);

impl<'a> Reservation<'a> {
    fn take(contexts: &'a Contexts, limit: u32) -> Option<Self> {
        contexts
            .len
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |len| {
                (len < limit).then(|| len.wrapping_add(1))
            })
            .ok()
            .map(|_| Self(&contexts.len))
    }

    fn keep(self) {
        core::mem::forget(self);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
