// SPDX-License-Identifier: GPL-2.0

//! A context: a machine, what the machine leaves to others to remember, and what it asks them.

use std::fmt;

use shim6_proto::{
    compose::{
        compose,
        update_request,
        HostView,
        Update, //
    },
    establish::{
        confuses,
        Action,
        Claim,
        Environment,
        Machine, //
    },
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord, //
    },
    number::Generation,
    verify::{
        Rejection,
        VerifiedHost, //
    },
    wire::{
        build,
        option::HostOptions, //
    }, //
};

use crate::{
    crypto::{
        Hashes,
        NoSignatures, //
    },
    packet::Packet,
    set::HbaSet, //
};

/// A context.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Context {
    /// What tells it from the others of the host.
    pub identity: Identity,
    /// Its control part.
    pub machine: Machine,
    /// The current pair.
    pub pair: LocatorPair,
    /// Ls(peer), all verified.
    peer: Vec<Locator>,
    /// Generation and length of the list that Ls(peer) is from.
    list: Option<(Generation, usize)>,
    /// The message that may have to be sent again.
    kept: Option<Packet>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        write!(
            f,
            "{} - {} fii {}: {} local {:x}",
            self.identity.ulids.local,
            self.identity.ulids.peer,
            self.identity.fii.get(),
            machine.state().name(),
            machine.local_tag().get()
        )?;
        if let Some(tag) = machine.peer_tag() {
            write!(f, " peer {:x}", tag.get())?;
        }
        if let Some((nonce, pair)) = machine.outstanding() {
            write!(f, " nonce {:x} to {}", nonce.get(), pair.peer)?;
        }
        write!(f, " pair {} - {}", self.pair.local, self.pair.peer)?;
        write!(f, " {} locators", self.peer.len())
    }
}

impl Context {
    /// A context that knows nothing of its peer.
    pub(super) const fn new(identity: Identity, machine: Machine, pair: LocatorPair) -> Self {
        Self {
            identity,
            machine,
            pair,
            peer: vec![],
            list: None,
            kept: None,
        }
    }

    /// Ls(peer).
    pub fn peer(&self) -> &[Locator] {
        &self.peer
    }

    /// The message that may have to be sent again.
    pub const fn kept(&self) -> Option<&Packet> {
        self.kept.as_ref()
    }

    /// Whether the addresses are in the sets.
    pub(super) fn has(&self, pair: &LocatorPair, told: &[LocatorRecord]) -> bool {
        self.peer.contains(&pair.peer) && told.iter().any(|record| record.locator == pair.local)
    }

    /// What it claims of its peer.
    fn claim(&self) -> Claim {
        Claim {
            identity: self.identity,
            state: self.machine.state(),
            peer_tag: self.machine.peer_tag(),
        }
    }

    /// Whether this context proves that the peer has lost another one.
    pub(super) fn confuses(&self, older: &Self) -> bool {
        confuses(&self.claim(), &older.claim(), || {
            self.peer.iter().any(|locator| older.peer.contains(locator))
        })
    }

    /// Does what the machine says about the context.
    pub(super) fn carry_out(
        &mut self,
        host: &HostView<'_>,
        action: &Action<'_>,
        verified: Option<&VerifiedHost<'_>>,
        sent: &mut Vec<Packet>,
    ) {
        match action {
            Action::AdoptPeer { .. } => {
                self.peer = vec![self.identity.ulids.peer.as_locator()];
                self.list = None;
                self.take(verified);
            }
            Action::UpdatePeer => self.take(verified),
            Action::DropPeer => {
                self.peer.clear();
                self.list = None;
                self.pair = self.identity.ulids.as_locators();
            }
            Action::UsePair(pair) => self.pair = *pair,
            Action::Send { pair, content } => {
                let mut buffer = [0; build::MAX_LEN];
                let composed = compose(&mut buffer, &self.identity, *pair, content, host)
                    .expect("what a host of the model tells fits");
                let packet = Packet::new(*pair, composed.octets);
                if content.is_kept() {
                    self.kept = Some(packet.clone());
                }
                sent.push(packet);
            }
            Action::SendUpdate {
                receiver_tag,
                request_nonce,
            } => {
                let mut buffer = [0; build::MAX_LEN];
                let update = Update::Everything { parameters: true };
                let composed = update_request(
                    &mut buffer,
                    &self.identity,
                    self.pair,
                    *receiver_tag,
                    *request_nonce,
                    update,
                    host,
                )
                .expect("what a host of the model tells fits");
                let packet = Packet::new(self.pair, composed.octets);
                self.kept = Some(packet.clone());
                sent.push(packet);
            }
            Action::Resend { pair } => {
                let kept = self.kept.as_ref().expect("a message is outstanding");
                assert_eq!((kept.source, kept.destination), (pair.local, pair.peer));
                sent.push(kept.clone());
            }
            Action::ResendUpdate => {
                let kept = self.kept.as_ref().expect("a request is outstanding");
                sent.push(Packet::new(self.pair, &kept.octets));
            }
            _ => {}
        }
    }

    /// Takes what was verified of a message.
    fn take(&mut self, verified: Option<&VerifiedHost<'_>>) {
        let verified = verified.expect("a message that is taken was verified");
        if let Some(list) = &verified.list {
            self.list = Some((list.generation(), list.len()));
            self.peer = list.iter().map(|record| record.locator).collect();
        }
        // The pair in use stays until another one is found to work; to have no more than one rule
        // here, the ULIDs are that, since REAP is no part of this.
        if !self.peer.contains(&self.pair.peer) {
            self.pair = self.identity.ulids.as_locators();
        }
    }

    /// What must hold of a context.
    pub(super) fn check(&self, own: &HbaSet, everybody: &[HbaSet]) -> Result<(), String> {
        let machine = &self.machine;
        let peer = self.identity.ulids.peer.as_locator();
        let owner = everybody.iter().find(|set| set.has(peer));

        if !self
            .peer
            .iter()
            .all(|locator| owner.is_some_and(|owner| owner.has(*locator)))
        {
            return Err(format!("a locator of somebody else: {self:?}"));
        }
        if machine.state().sends_to_pair() {
            if machine.peer_tag().is_none() {
                return Err(format!("no tag of the peer: {self:?}"));
            }
            if self.pair.peer != peer && !self.peer.contains(&self.pair.peer) {
                return Err(format!(
                    "payload to a locator that is not verified: {self:?}"
                ));
            }
        }
        if !own.has(self.pair.local) {
            return Err(format!("payload from somebody else's address: {self:?}"));
        }
        if machine.outstanding().is_some() && machine.next_deadline().is_none() {
            return Err(format!("nothing is going to happen: {self:?}"));
        }
        Ok(())
    }
}

/// What a machine may ask while a message is being received.
pub(super) struct View<'a, 'm> {
    identity: Identity,
    told: &'a [LocatorRecord],
    peer: Vec<Locator>,
    list: Option<(Generation, usize)>,
    /// What was verified.
    pub(super) verified: Option<VerifiedHost<'m>>,
}

impl<'a> View<'a, '_> {
    /// The view of a context.
    pub(super) fn new(context: &Context, told: &'a [LocatorRecord]) -> Self {
        Self {
            peer: context.peer.clone(),
            list: context.list,
            ..Self::of_nobody(&context.identity, told)
        }
    }

    /// The view when there is no context.
    pub(super) const fn of_nobody(identity: &Identity, told: &'a [LocatorRecord]) -> Self {
        Self {
            identity: *identity,
            told,
            peer: vec![],
            list: None,
            verified: None,
        }
    }
}

impl<'m> Environment<'m> for View<'_, 'm> {
    fn local_has(&self, locator: &Locator) -> bool {
        self.told.iter().any(|record| record.locator == *locator)
    }

    fn peer_has(&self, locator: &Locator) -> bool {
        self.peer.contains(locator)
    }

    fn peer_list(&self) -> Option<(Generation, usize)> {
        self.list
    }

    fn verify(&mut self, host: &HostOptions<'m>) -> Result<(), Rejection> {
        assert!(self.verified.is_none(), "verified twice");
        let ulid = self.identity.ulids.peer;
        // Hosts of the model send their parameters with every list, so none are stored.
        let verified = VerifiedHost::verify(&Hashes, &mut NoSignatures, ulid, None, host)?;
        self.verified = Some(verified);
        Ok(())
    }
}
