// SPDX-License-Identifier: GPL-2.0

//! A context with what the module keeps of it, and the table of them.

use std::rc::Rc;

use shim6_proto::{
    establish::{
        Claim,
        Machine, //
    },
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord,
        Preference,
        Ulid, //
    },
    number::{
        Generation,
        Nonce, //
    },
    reap::{
        self,
        Reap,
        Stamps, //
    },
    tag::ContextTag,
    time::Instant, //
};

use crate::map::Map;

/// What a host tells about itself in contexts with one ULID.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Local {
    /// `Ls(local)`, ULID(local) first.
    pub list: Vec<LocatorRecord>,
    /// The number of this version.
    pub generation: Generation,
}

impl Local {
    /// Whether a locator is in the list.
    pub fn has(&self, locator: Locator) -> bool {
        self.list.iter().any(|record| record.locator == locator)
    }
}

/// A locator of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The locator.
    pub locator: Locator,
    /// What the peer says about its use.
    pub preference: Preference,
    /// Whether the peer answered there.
    pub is_reachable: bool,
}

/// What a context knows of its peer.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `CT(peer)`.
    pub tag: Option<ContextTag>,
    /// `Ls(peer)`.
    pub list: Vec<Known>,
    /// The number of its version, if the peer sent a list.
    pub generation: Option<Generation>,
    /// The CGA Parameter Data Structure; empty if there was none.
    pub parameters: Rc<[u8]>,
    /// The Keepalive Timeout that the peer asks for, in seconds.
    pub keepalive_timeout: Option<u16>,
}

impl Peer {
    /// A peer of which nothing is known but its ULID.
    pub fn unknown(ulid: Ulid) -> Self {
        Self {
            tag: None,
            list: vec![Known {
                locator: ulid.as_locator(),
                preference: Preference::default(),
                is_reachable: false,
            }],
            generation: None,
            parameters: Rc::from([]),
            keepalive_timeout: None,
        }
    }

    /// Whether a locator is in the list.
    pub fn has(&self, locator: Locator) -> bool {
        self.list.iter().any(|known| known.locator == locator)
    }
}

/// What an established context keeps for failure detection.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The machine.
    pub reap: Reap,
    /// The Update Request that asks whether a pair works.
    pub asked: Option<(Nonce, LocatorPair)>,
    /// Since when it is in its state.
    pub since: Instant,
    /// When it last left Operational.
    pub left: Option<Instant>,
    /// Whether it has not come back since.
    pub is_away: bool,
    /// Probes that were sent, for a host that believes too much.
    pub probed: Vec<(LocatorPair, Nonce)>,
    /// When the pair was last chosen or found to work.
    pub trusted: Instant,
}

/// What others than its worker want done for a context.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wishes {
    /// Payload came before the handshake was over.
    pub repeat_offer: bool,
    /// The peer does not know Shim6.
    pub unrecognized: bool,
    /// Locators of this host changed.
    pub announce: bool,
    /// Addresses or links of this host changed.
    pub paths: bool,
    /// An ICMPv6 error is about the current pair.
    pub icmp_error: bool,
    /// TCP waits in vain.
    pub tcp_timeout: bool,
    /// A program complains.
    pub complaint: bool,
}

/// The timer of a context. One that is moved to later is looked at when it fires.
#[derive(Clone, Copy, Default, Debug)]
pub struct Timer {
    /// When it is to fire.
    pub armed: Option<Instant>,
    /// When it is going to fire next, if that is in the queue.
    pub queued: Option<Instant>,
}

/// A context.
#[derive(Debug)]
pub struct Context {
    /// Tells it from others that had its place before.
    pub serial: u64,
    /// The identity.
    pub identity: Identity,
    /// The state machine.
    pub machine: Machine,
    /// The octets that may have to be sent again.
    pub kept: Rc<[u8]>,
    /// What it tells the peer.
    pub local: Rc<Local>,
    /// What the peer has acknowledged of that.
    pub acknowledged: Option<Rc<Local>>,
    /// What it knows of the peer.
    pub peer: Rc<Peer>,
    /// The current pair.
    pub pair: LocatorPair,
    /// When packets went.
    pub stamps: Stamps,
    /// Failure detection, while it is established.
    pub watch: Option<Box<Watch>>,
    /// What is wished.
    pub wishes: Wishes,
    /// Whether the worker is to look at it.
    pub wants_attention: bool,
    /// The timer.
    pub timer: Timer,
    /// When it was made.
    pub made: Instant,
    /// When state, tags or lists last changed.
    pub changed: Instant,
}

impl Context {
    /// What it claims of its peer.
    pub fn claim(&self) -> Claim {
        Claim {
            identity: self.identity,
            state: self.machine.state(),
            peer_tag: self.machine.peer_tag(),
        }
    }

    /// Whether two contexts have a locator of the peer in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let mut list = self.peer.list.iter();
        list.any(|known| other.peer.has(known.locator))
    }

    /// Whether it is looking for a pair, and does not hear the peer.
    pub fn explores(&self) -> bool {
        let watch = self.watch.as_ref();
        watch.is_some_and(|watch| watch.reap.state() == reap::State::Exploring)
    }

    /// Whether the peer has acknowledged a locator of this host.
    pub fn is_acknowledged(&self, locator: Locator) -> bool {
        self.acknowledged
            .as_ref()
            .is_some_and(|told| told.has(locator))
    }

    /// Whether addresses are in the sets.
    pub fn is_between(&self, pair: &LocatorPair) -> bool {
        self.local.has(pair.local) && self.peer.has(pair.peer)
    }

    /// The tag of packets over the current pair; [`None`] if it is the ULIDs.
    pub fn path_tag(&self) -> Option<ContextTag> {
        self.peer
            .tag
            .filter(|_| self.pair != self.identity.ulids.as_locators())
    }
}

/// The contexts of a host. A context that takes a step is not in its place meanwhile.
#[derive(Default, Debug)]
pub struct Table {
    slots: Vec<Option<Box<Context>>>,
    free: Vec<u32>,
    by_identity: Map<Identity, u32>,
    by_tag: Map<ContextTag, u32>,
    len: usize,
}

impl Table {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All that are in their places.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Context)> {
        let numbered = (0..).zip(&self.slots);
        numbered.filter_map(|(slot, context)| Some((slot, context.as_deref()?)))
    }

    /// The places of all.
    pub fn slots(&self) -> Vec<u32> {
        self.iter().map(|(slot, _)| slot).collect()
    }

    /// The context at a place.
    pub fn get(&self, slot: u32) -> Option<&Context> {
        self.slots.get(slot as usize)?.as_deref()
    }

    /// The context at a place, to be changed.
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Context> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Takes a context from its place for a step.
    pub fn take(&mut self, slot: u32) -> Option<Box<Context>> {
        self.slots.get_mut(slot as usize)?.take()
    }

    /// Puts it back.
    pub fn put(&mut self, slot: u32, context: Box<Context>) {
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(context);
        }
    }

    /// Adds a context.
    pub fn add(&mut self, context: Box<Context>) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.by_identity.insert(context.identity, slot);
        self.by_tag.insert(context.machine.local_tag(), slot);
        self.len += 1;
        self.put(slot, context);
        slot
    }

    /// A context that was taken from its place does not come back.
    pub fn remove(&mut self, slot: u32, context: &Context) {
        if self.by_identity.get(&context.identity) == Some(&slot) {
            self.by_identity.remove(&context.identity);
        }
        self.by_tag.remove(&context.machine.local_tag());
        self.len -= 1;
        self.free.push(slot);
    }

    /// Whether a tag is that of a context.
    pub fn has_tag(&self, tag: ContextTag) -> bool {
        self.by_tag.contains_key(&tag)
    }

    /// The context with an identity.
    pub fn by_identity(&self, identity: &Identity) -> Option<u32> {
        self.by_identity.get(identity).copied()
    }

    /// The context that gave out a tag.
    pub fn by_tag(&self, tag: ContextTag) -> Option<u32> {
        self.by_tag.get(&tag).copied()
    }

    /// The context that waits for an answer with this nonce over this pair.
    pub fn by_nonce(&self, nonce: Nonce, pair: LocatorPair) -> Option<u32> {
        self.iter()
            .find(|(_, context)| context.machine.outstanding() == Some((nonce, pair)))
            .map(|(slot, _)| slot)
    }

    /// The context that sends this tag between locators of which these are some.
    pub fn by_peer_tag(&self, tag: ContextTag, pair: &LocatorPair) -> Option<u32> {
        self.iter()
            .find(|(_, context)| context.peer.tag == Some(tag) && context.is_between(pair))
            .map(|(slot, _)| slot)
    }
}
