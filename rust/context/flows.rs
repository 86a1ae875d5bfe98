// SPDX-License-Identifier: GPL-2.0

//! Through which forks of their contexts peers send what: conversations by ports, and the FII of
//! the context that the last packet of each came in by (draft-ietf-shim6-multihome-shim-api-03,
//! Appendix A, alternative 1).
//!
//! A conversation is a connected socket, its connection request before that and its remains after,
//! or an unconnected socket and one of its peers: so listeners need not hand anything to their
//! children, and packets that no socket sends find their way too. The memory is bounded and made
//! once; where there is no place, the conversation that was silent for longest is forgotten.

use crate::{
    control,
    kernel_ext::{
        rcu::{
            RcuArc,
            RcuPtr, //
        },
        siphash, //
    },
    proto::number::Fii,
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu::Guard, //
    },
};

/// Where a conversation can be: one of so many sets, chosen by a keyed hash,
const SETS: usize = 512;

/// in one of so many places.
const PLACES: usize = 8;

/// A place.
struct Place {
    /// The upper half of the hash, and the FII below; 0 if the place is free. In one word, so that
    /// a reader sees both or neither.
    flow: Atomic<u64>,
    /// When a packet came last, in seconds.
    last: Atomic<u32>,
}

/// All places; none before the first fork.
struct Places(KVec<Place>);

/// The conversations of a namespace that go through forks of peers.
pub(crate) struct Flows {
    hash: siphash::Key,
    places: RcuPtr<Places>,
}

/// What a conversation is found by.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn set(self) -> usize {
        (self.0 % SETS as u64) as usize
    }

    fn with(self, fii: Fii) -> u64 {
        (self.0 & !u64::from(u32::MAX)) | u64::from(fii.get())
    }

    /// The FII in a word if that is about this conversation.
    fn fii_in(self, word: u64) -> Option<Fii> {
        let fii = (word & u64::from(u32::MAX)) as u32;
        // Other conversations look like this one with a chance of 8 in 2^32.
        (word != 0 && (word ^ self.0) >> 32 == 0).then_some(Fii::new(fii))
    }
}

impl Places {
    fn new(len: usize) -> Result<RcuArc<Self>, AllocError> {
        let mut places = KVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            places.push(
                Place {
                    flow: Atomic::new(0),
                    last: Atomic::new(0),
                },
                GFP_KERNEL,
            )?;
        }
        RcuArc::pin_init(Ok::<_, AllocError>(Self(places)), GFP_KERNEL)
    }

    fn of(&self, hash: Hash) -> &[Place] {
        let first = hash.set().saturating_mul(PLACES);
        self.0
            .get(first..)
            .and_then(|places| places.get(..PLACES))
            .unwrap_or_default()
    }
}

impl Flows {
    /// None, and no memory for any. May sleep.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            hash: siphash::Key::random(),
            places: RcuPtr::new(Places::new(0)?),
        })
    }

    /// Sees to it that conversations can be remembered, from now on for ever. Process context, may
    /// sleep. Who does it while somebody else does makes a few be forgotten.
    pub(super) fn prepare(&self) -> Result<(), AllocError> {
        if self.places.get().0.is_empty() {
            self.places.replace(Places::new(SETS * PLACES)?);
        }
        Ok(())
    }

    /// By which fork the last packet of a conversation came in. Any context.
    pub(super) fn find(&self, key: &[u8; 40], rcu: &Guard) -> Option<Fii> {
        let hash = Hash(self.hash.hash(key));
        self.places
            .load(rcu)
            .of(hash)
            .iter()
            .find_map(|place| hash.fii_in(place.flow.load(Relaxed)))
    }

    /// A packet of a conversation came in by a fork. True if another conversation had to go for
    /// it. Any context.
    pub(super) fn record(&self, key: &[u8; 40], fii: Fii, rcu: &Guard) -> bool {
        let hash = Hash(self.hash.hash(key));
        let places = self.places.load(rcu).of(hash);
        let word = hash.with(fii);
        let now = seconds();
        let known = places
            .iter()
            .find(|place| hash.fii_in(place.flow.load(Relaxed)).is_some());
        // A place that is free is older than all others.
        let oldest = || {
            places
                .iter()
                .min_by_key(|place| match place.flow.load(Relaxed) {
                    0 => None,
                    _ => Some(place.last.load(Relaxed)),
                })
        };
        let Some(place) = known.or_else(oldest) else {
            return false;
        };
        // Lines that stay as they are need not travel between processors.
        if place.last.load(Relaxed) != now {
            place.last.store(now, Relaxed);
        }
        let before = place.flow.load(Relaxed);
        if before != word {
            place.flow.store(word, Relaxed);
        }
        known.is_none() && before != 0
    }

    /// The last packet of a conversation came in by no fork. Any context.
    pub(super) fn forget(&self, key: &[u8; 40], rcu: &Guard) {
        let hash = Hash(self.hash.hash(key));
        for place in self.places.load(rcu).of(hash) {
            let word = place.flow.load(Relaxed);
            if hash.fii_in(word).is_some() {
                // What somebody else wrote meanwhile stays.
                let _ = place.flow.cmpxchg(word, 0, Relaxed);
            }
        }
    }
}

/// Seconds, of which only the order matters.
fn seconds() -> u32 {
    (control::coarse_now().as_millis() / 1000) as u32
}
