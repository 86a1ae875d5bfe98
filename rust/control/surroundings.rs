// SPDX-License-Identifier: GPL-2.0

//! What a state machine asks about its context, and what a message told about its sender once it
//! was verified (RFC 5533, Section 7.2).

use super::crypto::{
    KernelDigests,
    KernelVerifier, //
};
use crate::{
    context::{
        KnownLocator,
        Listed,
        Local,
        LocatorList,
        Peer,
        PeerFacts, //
    },
    kernel_ext::rcu::RcuArc,
    proto::{
        establish::Environment,
        locator::{
            Locator,
            Preference,
            Ulid, //
        },
        number::Generation,
        tag::ContextTag,
        verify::{
            Refusal,
            Rejection,
            VerifiedHost, //
        },
        wire::option::HostOptions,
    },
};
use kernel::{
    alloc::AllocError,
    prelude::*, //
};

/// What a verified message tells about its sender.
struct Told {
    /// `Ls(peer)` with its generation and preferences, if the message has a list.
    list: Option<(LocatorList, Generation)>,
    /// Preferences for the list that was there before.
    preferences: KVec<Preference>,
    /// The PDS; empty if the message has none.
    pds: KVec<u8>,
    keepalive_timeout: Option<u16>,
}

/// The surroundings of one step of one machine.
pub(super) struct Surroundings<'a> {
    /// ULID(peer).
    ulid: Ulid,
    local: &'a Local,
    /// `None` while there is no context.
    peer: Option<RcuArc<Peer>>,
    told: Option<Told>,
    /// Why the last message was refused.
    refusal: Option<Refusal>,
}

impl<'a> Surroundings<'a> {
    /// The surroundings of a context with this peer.
    pub(super) fn new(ulid: Ulid, local: &'a Local, peer: Option<RcuArc<Peer>>) -> Self {
        Self {
            ulid,
            local,
            peer,
            told: None,
            refusal: None,
        }
    }

    /// Why the message was refused, if its verification was.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// The peer as the message tells; its sender proved that it is at `source`. May sleep.
    pub(super) fn adopt(
        &mut self,
        tag: ContextTag,
        source: Locator,
    ) -> Result<PeerFacts, AllocError> {
        let told = self.told.take();
        let mut facts = PeerFacts {
            tag: Some(tag),
            list: LocatorList::of_ulid(self.ulid).map_err(|_| AllocError)?,
            generation: None,
            pds: KVec::new(),
            keepalive_timeout: None,
        };
        if let Some(told) = told {
            if let Some((list, generation)) = told.list {
                facts.list = list;
                facts.generation = Some(generation);
            }
            facts.pds = told.pds;
            facts.keepalive_timeout = told.keepalive_timeout;
        }
        if let (true, Some(peer)) = (facts.pds.is_empty(), &self.peer) {
            facts.pds.extend_from_slice(peer.pds(), GFP_KERNEL)?;
        }
        facts.list = facts
            .list
            .map(|known| known.is_reachable |= known.locator == source)?;
        Ok(facts)
    }

    /// The peer with what an Update Request tells. May sleep.
    pub(super) fn update(&mut self) -> Result<Option<PeerFacts>, AllocError> {
        let (Some(told), Some(peer)) = (self.told.take(), &self.peer) else {
            return Ok(None);
        };
        let (list, generation) = match told.list {
            // What was found out about a locator before is as true as it was.
            Some((list, generation)) => (
                list.map(|known| {
                    known.is_reachable |= peer
                        .list()
                        .find(&known.locator)
                        .is_some_and(|before| before.is_reachable);
                })?,
                Some(generation),
            ),
            None => {
                let mut preferences = told.preferences.iter();
                let list = peer.list().map(|known| {
                    if let Some(preference) = preferences.next() {
                        known.preference = *preference;
                    }
                })?;
                (list, peer.generation())
            }
        };
        let mut facts = peer.facts_with(list)?;
        facts.generation = generation;
        if !told.pds.is_empty() {
            facts.pds = told.pds;
        }
        facts.keepalive_timeout = told.keepalive_timeout.or(facts.keepalive_timeout);
        Ok(Some(facts))
    }
}

impl<'m> Environment<'m> for Surroundings<'_> {
    fn local_has(&self, locator: &Locator) -> bool {
        self.local.list.has(locator)
    }

    fn peer_has(&self, locator: &Locator) -> bool {
        match &self.peer {
            Some(peer) => peer.list().has(locator),
            None => *locator == self.ulid.as_locator(),
        }
    }

    fn peer_list(&self) -> Option<(Generation, usize)> {
        let peer = self.peer.as_ref()?;
        Some((peer.generation()?, peer.list().len()))
    }

    fn verify(&mut self, host: &HostOptions<'m>) -> Result<(), Rejection> {
        let told = {
            let stored = self
                .peer
                .as_ref()
                .map(|peer| peer.pds())
                .filter(|pds| !pds.is_empty());
            VerifiedHost::verify(&KernelDigests, &mut KernelVerifier, self.ulid, stored, host)
                .and_then(|verified| {
                    self::told(&verified, host).map_err(|_| Refusal::Unavailable.into())
                })
        };
        match told {
            Ok(told) => {
                self.told = Some(told);
                Ok(())
            }
            Err(rejection) => {
                self.refusal = Some(rejection.refusal);
                Err(rejection)
            }
        }
    }
}

/// What was verified, in memory of its own. May sleep.
fn told(verified: &VerifiedHost<'_>, host: &HostOptions<'_>) -> Result<Told, AllocError> {
    let mut preferences = KVec::new();
    for preference in host.locator_preferences.iter().flat_map(|all| all.iter()) {
        preferences.push(preference, GFP_KERNEL)?;
    }
    let mut list = None;
    if let Some(verified) = &verified.list {
        let records = verified
            .iter()
            .enumerate()
            .map(|(index, record)| KnownLocator {
                locator: record.locator,
                verification: Some(record.method),
                preference: preferences.get(index).copied().unwrap_or_default(),
                is_reachable: false,
                is_excluded: false,
            });
        let records = LocatorList::told(records).map_err(|_| AllocError)?;
        list = Some((records, verified.generation()));
    }
    let mut pds = KVec::new();
    if let Some(parameters) = &verified.parameters {
        pds.extend_from_slice(parameters.pds().as_octets(), GFP_KERNEL)?;
    }
    Ok(Told {
        list,
        preferences,
        pds,
        keepalive_timeout: host.keepalive_timeout.map(|timeout| timeout.seconds()),
    })
}
