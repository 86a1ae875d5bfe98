// SPDX-License-Identifier: GPL-2.0

//! What a state machine asks about its context, and what a message told once it was verified, as
//! in the module.

use std::rc::Rc;

use shim6_model::crypto::{
    Hashes,
    NoSignatures, //
};
use shim6_proto::{
    establish::Environment,
    locator::{
        Locator,
        Preference,
        Ulid, //
    },
    number::Generation,
    tag::ContextTag,
    verify::{
        Rejection,
        VerifiedHost, //
    },
    wire::option::HostOptions, //
};

use super::context::{
    Known,
    Local,
    Peer, //
};
use crate::bug::Bug;

/// What a verified message tells about its sender.
struct Told {
    list: Option<(Vec<Known>, Generation)>,
    preferences: Vec<Preference>,
    parameters: Option<Rc<[u8]>>,
    keepalive_timeout: Option<u16>,
}

/// The surroundings of one step.
pub(super) struct Surroundings {
    ulid: Ulid,
    local: Rc<Local>,
    /// [`None`] while there is no peer.
    peer: Option<Rc<Peer>>,
    told: Option<Told>,
    bug: Option<Bug>,
}

impl Surroundings {
    pub(super) fn new(
        ulid: Ulid,
        local: Rc<Local>,
        peer: Option<Rc<Peer>>,
        bug: Option<Bug>,
    ) -> Self {
        Self {
            ulid,
            local,
            peer,
            told: None,
            bug,
        }
    }

    /// The peer as a message tells; its sender proved that it is at `source`, if that is given.
    pub(super) fn adopt(&mut self, tag: ContextTag, source: Option<Locator>) -> Peer {
        let told = self.told.take();
        let mut peer = Peer {
            tag: Some(tag),
            ..Peer::unknown(self.ulid)
        };
        if let Some(told) = told {
            if let Some((list, generation)) = told.list {
                peer.list = list;
                peer.generation = Some(generation);
            }
            peer.parameters = told.parameters.unwrap_or_default();
            peer.keepalive_timeout = told.keepalive_timeout;
        }
        if let (true, Some(before)) = (peer.parameters.is_empty(), &self.peer) {
            peer.parameters = before.parameters.clone();
        }
        for known in &mut peer.list {
            known.is_reachable |= Some(known.locator) == source;
        }
        peer
    }

    /// The peer with what an Update Request tells.
    pub(super) fn update(&mut self) -> Option<Peer> {
        let told = self.told.take()?;
        let mut peer = Peer::clone(self.peer.as_ref()?);
        match told.list {
            Some((mut list, generation)) => {
                for known in &mut list {
                    let mut before = peer.list.iter();
                    known.is_reachable =
                        before.any(|before| before.locator == known.locator && before.is_reachable);
                }
                peer.list = list;
                peer.generation = Some(generation);
            }
            None => {
                for (known, preference) in peer.list.iter_mut().zip(told.preferences) {
                    known.preference = preference;
                }
            }
        }
        if let Some(parameters) = told.parameters {
            peer.parameters = parameters;
        }
        peer.keepalive_timeout = told.keepalive_timeout.or(peer.keepalive_timeout);
        Some(peer)
    }
}

impl<'m> Environment<'m> for Surroundings {
    fn local_has(&self, locator: &Locator) -> bool {
        self.local.has(*locator)
    }

    fn peer_has(&self, locator: &Locator) -> bool {
        match &self.peer {
            Some(peer) => peer.has(*locator),
            None => *locator == self.ulid.as_locator(),
        }
    }

    fn peer_list(&self) -> Option<(Generation, usize)> {
        let peer = self.peer.as_ref()?;
        Some((peer.generation?, peer.list.len()))
    }

    fn verify(&mut self, host: &HostOptions<'m>) -> Result<(), Rejection> {
        let preferences: Vec<_> = host
            .locator_preferences
            .iter()
            .flat_map(|all| all.iter())
            .collect();
        let known = |(index, locator)| Known {
            locator,
            preference: preferences.get(index).copied().unwrap_or_default(),
            is_reachable: false,
        };
        let (list, parameters) = if self.bug == Some(Bug::NoVerification) {
            let list = host.locator_list.map(|list| {
                let locators = list.iter().map(|record| record.locator);
                (locators.enumerate().map(known).collect(), list.generation())
            });
            (list, host.cga_parameters.map(Rc::from))
        } else {
            let stored = self.peer.as_ref().map(|peer| &*peer.parameters);
            let stored = stored.filter(|stored| !stored.is_empty());
            // A host of the simulation has no RSA keys, and nobody can claim one for it.
            let verified =
                VerifiedHost::verify(&Hashes, &mut NoSignatures, self.ulid, stored, host)?;
            let list = verified.list.map(|list| {
                let locators = list.iter().map(|record| record.locator);
                (locators.enumerate().map(known).collect(), list.generation())
            });
            let parameters = verified
                .parameters
                .map(|parameters| Rc::from(parameters.pds().as_octets()));
            (list, parameters)
        };
        self.told = Some(Told {
            list,
            preferences,
            parameters,
            keepalive_timeout: host.keepalive_timeout.map(|timeout| timeout.seconds()),
        });
        Ok(())
    }
}
