// SPDX-License-Identifier: GPL-2.0

//! What a context knows of its peer (RFC 5533, Section 6.1): replaced as a whole when the peer tells
//! something else.

use super::{
    KnownLocator,
    LocatorList, //
};
use crate::{
    kernel_ext::{
        member::has_member,
        rcu::{
            self,
            RcuArc, //
        },
        rhashtable::ListEntry,
        slices::Slices, //
    },
    proto::{
        locator::Ulid,
        number::Generation,
        tag::ContextTag, //
    },
};
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
}

/// The peer of a context; immutable, and found by its tag.
pub(crate) struct Peer {
    tag: ListEntry<Option<ContextTag>>,
    /// `CT(local)` of the context.
    tag_local: ContextTag,
    /// `Ls(peer)`, and the CGA Parameter Data Structure.
    told: Slices<KnownLocator, u8>,
    generation: Option<Generation>,
    keepalive_timeout: Option<u16>,
}

has_member!(Peer, tag: ListEntry<Option<ContextTag>>);

pub(super) static PEERS: rcu::Cache<Peer> = rcu::Cache::new(c"shim6_peer");

impl Peer {
    /// The peer of the context with this `CT(local)`. May sleep.
    pub(super) fn new(tag_local: ContextTag, facts: &PeerFacts) -> Result<RcuArc<Self>> {
        RcuArc::pin_init_in(
            &PEERS,
            try_init!(Self {
                tag: ListEntry::new(facts.tag),
                tag_local,
                told: Slices::new(&facts.list, &facts.pds)?,
                generation: facts.generation,
                keepalive_timeout: facts.keepalive_timeout,
            }? Error),
        )
    }

    /// `CT(local)` of the context that it is the peer of.
    pub(super) fn tag_local(&self) -> ContextTag {
        self.tag_local
    }

    /// As [`PeerFacts::tag`].
    #[inline]
    pub(crate) fn tag(&self) -> Option<ContextTag> {
        *self.tag.key()
    }

    /// `Ls(peer)`.
    #[inline]
    pub(crate) fn list(&self) -> &[KnownLocator] {
        self.told.first()
    }

    /// As [`PeerFacts::generation`].
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// As [`PeerFacts::pds`].
    pub(crate) fn pds(&self) -> &[u8] {
        self.told.second()
    }

    /// As [`PeerFacts::keepalive_timeout`].
    pub(crate) fn keepalive_timeout(&self) -> Option<u16> {
        self.keepalive_timeout
    }

    /// The same peer with another list. May sleep.
    pub(crate) fn facts_with(&self, list: LocatorList) -> Result<PeerFacts, AllocError> {
        let mut pds = KVec::new();
        pds.extend_from_slice(self.pds(), GFP_KERNEL)?;
        Ok(PeerFacts {
            tag: self.tag(),
            list,
            generation: self.generation,
            pds,
            keepalive_timeout: self.keepalive_timeout,
        })
    }

    /// Whether this is what the peer has told already. An Update Request that only asks whether a
    /// pair works repeats what was told before.
    pub(crate) fn has_told(&self, facts: &PeerFacts) -> bool {
        self.tag() == facts.tag
            && *self.list() == *facts.list
            && self.generation == facts.generation
            && *self.pds() == *facts.pds
            && self.keepalive_timeout == facts.keepalive_timeout
    }
}
