// SPDX-License-Identifier: GPL-2.0

//! Locators of one packet, in the few octets that a packet can carry between the socket and the
//! hooks: on its way out those that were chosen for it ([`Choice`]), on its way in those that it
//! came over ([`Arrival`]).
//!
//! Both say where in the lists of the context the locators are, and have something to tell by
//! whether those are still the same lists.

use super::{
    Context,
    KnownLocator,
    Locators,
    Side,
    Steering, //
};
use crate::proto::locator::{
    Locator,
    LocatorPair,
    MAX_LOCATORS, //
};
use kernel::sync::rcu::Guard;

/// Bits for a place in a list, counted from one, or zero.
const PLACE_BITS: u32 = 6;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

const _: () = assert!(MAX_LOCATORS < PLACE_MASK as usize);

/// Bits of the check.
const CHECK_BITS: u32 = 32 - 2 * PLACE_BITS;

/// The locators that a packet is to go over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice(u32);

impl Choice {
    /// The choice of locators that are in the lists; `None` if one is not, or not to be used.
    pub(crate) fn new(lists: &Locators<'_>, steering: &Steering) -> Option<Self> {
        let place = |side: Side, locator: Option<Locator>| match locator {
            None => Some(0),
            Some(locator) => place_of(lists.side(side), &locator),
        };
        let local = place(Side::Local, steering.local)?;
        let peer = place(Side::Peer, steering.peer)?;
        Some(Self(
            local | peer << PLACE_BITS | check(steering) << (2 * PLACE_BITS),
        ))
    }

    /// The choice that a packet carries.
    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// As a packet carries it.
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    /// What was chosen; `None` if the lists are others than then.
    pub(crate) fn steering(self, lists: &Locators<'_>) -> Option<Steering> {
        let at = |side: Side, place: u32| match place.checked_sub(1) {
            None => Some(None),
            Some(index) => lists
                .side(side)
                .get(index as usize)
                .map(|known| Some(known.locator)),
        };
        let steering = Steering {
            local: at(Side::Local, self.0 & PLACE_MASK)?,
            peer: at(Side::Peer, self.0 >> PLACE_BITS & PLACE_MASK)?,
        };
        (check(&steering) == self.0 >> (2 * PLACE_BITS)).then_some(steering)
    }
}

/// The place of a locator in a list, counted from one.
fn place_of(list: &[KnownLocator], locator: &Locator) -> Option<u32> {
    let index = list.iter().position(|known| known.locator == *locator)?;
    u32::try_from(index).ok()?.checked_add(1)
}

/// Tells most other locators from these. It protects from nothing but lists that change.
fn check(steering: &Steering) -> u32 {
    const FNV_PRIME: u32 = 0x0100_0193;

    let octets = |locator: Option<Locator>| locator.map_or([0; 16], |locator| locator.octets());
    let mut hash: u32 = 0x811c_9dc5;
    for octet in octets(steering.local)
        .into_iter()
        .chain(octets(steering.peer))
    {
        hash = (hash ^ u32::from(octet)).wrapping_mul(FNV_PRIME);
    }
    hash >> (32 - CHECK_BITS)
}

/// The locators that a packet came over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival(u16);

impl Arrival {
    /// Nobody wanted to know.
    pub(crate) const UNKNOWN: Self = Self(0);

    /// The arrival of a packet of a context from `pair.peer` at `pair.local`.
    pub(crate) fn new(context: &Context, pair: &LocatorPair, rcu: &Guard) -> Self {
        let lists = context.locators(rcu);
        let local = place_of(lists.local, &pair.local).unwrap_or(0);
        let peer = place_of(lists.peer, &pair.peer).unwrap_or(0);
        let places = local | peer << PLACE_BITS;
        // Both fit: places have six bits, and the rest four.
        Self((places | version(context, rcu) << (2 * PLACE_BITS)) as u16)
    }

    /// The arrival that a packet carries.
    pub(crate) const fn from_raw(raw: u16) -> Self {
        Self(raw)
    }

    /// As a packet carries it.
    pub(crate) const fn raw(self) -> u16 {
        self.0
    }

    /// The locator of one side; `None` if it is in no list of the context, or the lists are others
    /// than they were.
    pub(crate) fn locator(self, context: &Context, side: Side, rcu: &Guard) -> Option<Locator> {
        let raw = u32::from(self.0);
        if raw >> (2 * PLACE_BITS) != version(context, rcu) {
            return None;
        }
        let place = match side {
            Side::Local => raw & PLACE_MASK,
            Side::Peer => raw >> PLACE_BITS & PLACE_MASK,
        };
        let lists = context.locators(rcu);
        let known: &KnownLocator = lists.side(side).get(place.checked_sub(1)? as usize)?;
        Some(known.locator)
    }
}

/// Four bits that are others when a list is, most probably: generations are random or count.
fn version(context: &Context, rcu: &Guard) -> u32 {
    let local = context.local(rcu).generation.get();
    let peer = context.peer(rcu).generation().map_or(0, |peer| peer.get());
    local & 3 | (peer & 3) << 2
}
