// SPDX-License-Identifier: GPL-2.0

//! What a context knows of its peer (RFC 5533, Section 6.1): replaced as a whole when the peer tells
//! something else.

use super::{
    Identity,
    LocatorList, //
};
use crate::{
    kernel_ext::{
        member::has_member,
        rcu::{
            self,
            RcuArc, //
        },
        rhashtable::ListEntry, //
    },
    proto::{
        locator::Ulid,
        number::Generation,
        tag::ContextTag, //
    },
};
use core::ops::Deref;
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// What a peer told about itself, or is assumed to be before it told anything.
pub(crate) struct PeerFacts {
    /// `CT(peer)`; `None` before the peer gave one.
    pub(crate) tag: Option<ContextTag>,
    /// `Ls(peer)`.
    pub(crate) list: LocatorList,
    /// The generation of the list; `None` if the peer sent no list.
    pub(crate) generation: Option<Generation>,
    /// The CGA Parameter Data Structure that was verified for the ULID; empty if there was none.
    pub(crate) pds: KVec<u8>,
    /// The Keepalive Timeout that the peer asks for, in seconds (RFC 5534, Section 5.3).
    pub(crate) keepalive_timeout: Option<u16>,
}

impl PeerFacts {
    /// A peer that told nothing yet: all that is known is its ULID. May sleep.
    pub(crate) fn unknown(ulid: Ulid) -> Result<Self, AllocError> {
        Ok(Self {
            tag: None,
            list: LocatorList::of_ulid(ulid).map_err(|_| AllocError)?,
            generation: None,
            pds: KVec::new(),
            keepalive_timeout: None,
        })
    }

    /// Whether both are the same peer with the same to say. An Update Request that only asks whether
    /// a pair works repeats what was told before.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        self.tag == other.tag
            && self.list.as_slice() == other.list.as_slice()
            && self.generation == other.generation
            && self.pds.as_slice() == other.pds.as_slice()
            && self.keepalive_timeout == other.keepalive_timeout
    }
}

/// The peer of a context; immutable, and found by its tag.
pub(crate) struct Peer {
    entry: ListEntry<Option<ContextTag>>,
    identity: Identity,
    facts: PeerFacts,
}

has_member!(Peer, entry: ListEntry<Option<ContextTag>>);

pub(super) static PEERS: rcu::Cache<Peer> = rcu::Cache::new(c"shim6_peer");

impl Peer {
    /// The peer of the context with this identity. May sleep.
    pub(super) fn new(identity: Identity, facts: PeerFacts) -> Result<RcuArc<Self>> {
        RcuArc::pin_init_in(
            &PEERS,
            try_init!(Self {
                entry: ListEntry::new(facts.tag),
                identity,
                facts,
            }? Error),
        )
    }

    /// The same peer with another list. May sleep.
    pub(crate) fn facts_with(&self, list: LocatorList) -> Result<PeerFacts, AllocError> {
        let mut pds = KVec::new();
        pds.extend_from_slice(&self.facts.pds, GFP_KERNEL)?;
        Ok(PeerFacts {
            tag: self.facts.tag,
            list,
            generation: self.facts.generation,
            pds,
            keepalive_timeout: self.facts.keepalive_timeout,
        })
    }

    /// Of which context it is the peer.
    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl Deref for Peer {
    type Target = PeerFacts;

    fn deref(&self) -> &PeerFacts {
        &self.facts
    }
}
