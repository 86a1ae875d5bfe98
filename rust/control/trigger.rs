// SPDX-License-Identifier: GPL-2.0

//! Traffic that makes this host ask for a context (RFC 5533, Section 4): that of sockets which want
//! one at once, to peers of the policy, and, if the setting says so, of connections that have lasted
//! and carried packets. The packets themselves are never held up.

use super::{
    now,
    Control, //
};
use crate::{
    context::{
        Cause,
        Establish,
        Namespace,
        Options, //
    },
    kernel_ext::{
        lock::{
            new_spinlock_bh,
            SpinLockBh, //
        },
        sock::Sock, //
    },
    proto::{
        locator::UlidPair,
        time::Instant, //
    },
};
use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// Connections that are watched at a time; others wait for a place.
const PLACES: usize = 256;

/// How long a connection without packets keeps its place, in milliseconds.
const STALE: u32 = 60_000;

/// A connection, or several between the same hosts, that may become worth a context.
#[derive(Clone, Copy)]
struct Candidate {
    ulids: UlidPair,
    first: Instant,
    last: Instant,
    packets: u32,
}

/// The connections of a namespace that are watched.
#[pin_data]
pub(super) struct Candidates {
    #[pin]
    places: SpinLockBh<KVec<Option<Candidate>>>,
    /// How many places are taken, for who need not look.
    taken: AtomicU32,
}

impl Candidates {
    /// None. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            places <- new_spinlock_bh!(KVec::from_elem(None, PLACES, GFP_KERNEL)?),
            taken: AtomicU32::new(0),
        }? Error)
    }
}

impl Control {
    /// Whether packets without a context have to be looked at.
    #[inline]
    pub(crate) fn watches(&self, namespace: &Namespace, rcu: &Guard) -> bool {
        match namespace.settings.establish() {
            Establish::Off => false,
            Establish::OnRequest => namespace.sockets.any_impatient() || !self.policy.is_empty(rcu),
            Establish::Auto => true,
        }
    }

    /// A packet without a context leaves. Any context.
    pub(crate) fn sent_without_context(
        &self,
        namespace: &Namespace,
        ulids: UlidPair,
        sender: Option<&Sock>,
        rcu: &Guard,
    ) {
        if !ulids.local.is_shimmable() || !ulids.peer.is_shimmable() {
            return;
        }
        let options = sender.map_or(Options::NONE, |sk| namespace.sockets.options(sk, rcu));
        if options.contains(Options::OPT_OUT) {
            return;
        }
        // What is refused is asked for again by a later packet, if it is still worth it.
        if options.contains(Options::IMPATIENT) {
            let _ = self.request(namespace, ulids, Cause::Socket);
        } else if self.policy.covers(ulids.peer, rcu) {
            let _ = self.request(namespace, ulids, Cause::Trigger);
        } else if namespace.settings.establish() == Establish::Auto
            && sender.is_some_and(Sock::is_established)
        {
            self.count(namespace, ulids, true);
        }
    }

    /// A packet without a context came in. Any context.
    pub(crate) fn received_without_context(&self, namespace: &Namespace, ulids: UlidPair) {
        if namespace.settings.establish() == Establish::Auto
            && self.candidates.taken.load(Ordering::Relaxed) != 0
        {
            self.count(namespace, ulids, false);
        }
    }

    /// Counts a packet of a connection, and asks for a context when it is time to. Only what this
    /// host sends gets a place.
    fn count(&self, namespace: &Namespace, ulids: UlidPair, may_begin: bool) {
        let now = now();
        let mut key = [0; 32];
        let (local, peer) = key.split_at_mut(16);
        local.copy_from_slice(ulids.local.as_octets());
        peer.copy_from_slice(ulids.peer.as_octets());
        let place = (self.hash.hash(&key) % PLACES as u64) as usize;

        let is_worth_it = {
            let mut places = self.candidates.places.lock();
            let Some(slot) = places.get_mut(place) else {
                return;
            };
            match &mut *slot {
                Some(candidate) if candidate.ulids == ulids => {
                    candidate.packets = candidate.packets.saturating_add(1);
                    candidate.last = now;
                }
                Some(candidate) if now.since(candidate.last).as_millis() < STALE => return,
                _ if !may_begin => return,
                place => {
                    if place.is_none() {
                        self.candidates.taken.fetch_add(1, Ordering::Relaxed);
                    }
                    *place = Some(Candidate {
                        ulids,
                        first: now,
                        last: now,
                        packets: 1,
                    });
                }
            }
            let is_worth_it = slot.is_some_and(|candidate| {
                candidate.packets > namespace.settings.establish_packets()
                    && now.since(candidate.first) >= namespace.settings.establish_age()
            });
            if is_worth_it {
                *slot = None;
                self.candidates.taken.fetch_sub(1, Ordering::Relaxed);
            }
            is_worth_it
        };
        // A host that can prove nothing has nothing to offer.
        if is_worth_it {
            let _ = self.request_if_provable(namespace, ulids);
        }
    }
}
