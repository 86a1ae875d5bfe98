// SPDX-License-Identifier: GPL-2.0

//! The messages that establish and recover a context (RFC 5533, Sections 7.7 to 7.20).

use super::{
    super::{
        identity::Identity,
        locator::LocatorPair,
        number::Nonce,
        random::Random,
        tag::ContextTag,
        wire::{
            message::{
                Arrival,
                I2bis,
                R1bis,
                I1,
                I2,
                R1,
                R2, //
            },
            option::HostOptions, //
        }, //
    },
    check_host,
    lists,
    reverse,
    Action,
    Actions,
    Cause,
    Content,
    Discarded,
    Environment,
    Machine,
    State,
    Step,
    Timer, //
};

/// What a valid I2 or I2bis offers: a tag, and what the initiator tells about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer<'m> {
    /// The initiator's tag, CT(peer) of the receiver.
    tag: ContextTag,
    /// The nonce that R2 has to return.
    nonce: Nonce,
    /// What the initiator tells about itself.
    host: HostOptions<'m>,
}

impl<'m> From<&I2<'m>> for Offer<'m> {
    fn from(i2: &I2<'m>) -> Self {
        Self {
            tag: i2.initiator_tag,
            nonce: i2.initiator_nonce,
            host: i2.host,
        }
    }
}

impl<'m> From<&I2bis<'m>> for Offer<'m> {
    fn from(i2bis: &I2bis<'m>) -> Self {
        Self {
            tag: i2bis.initiator_tag,
            nonce: i2bis.initiator_nonce,
            host: i2bis.host,
        }
    }
}

impl Machine {
    /// A valid I2 or I2bis for which there is no context, or only a
    /// [`Negative`](super::Negative): makes one (RFC 5533, Sections 7.13 and 7.20).
    ///
    /// Its Responder Nonce and Responder Validator have been checked. `tag` becomes CT(local) and
    /// must be that of no other context; it has to be new also after I2bis.
    ///
    /// # Errors
    ///
    /// [`Discarded`]: there is no context, and the tag is unused.
    pub fn respond<'m, R: Random, E: Environment<'m>>(
        step: &mut Step<'_, R>,
        tag: ContextTag,
        offer: &Offer<'m>,
        arrival: &Arrival,
        environment: &mut E,
    ) -> Result<(Self, Actions<'static>), Discarded> {
        let ulid = step.identity.ulids.peer.as_locator();
        if arrival.source != ulid && !lists(offer.host.locator_list.as_ref(), &arrival.source) {
            return Err(Cause::Source.into());
        }
        check_host(&offer.host, None, environment)?;

        let mut machine = Self::new(tag, reverse(arrival), step.now);
        let mut actions = Actions::new();
        machine.peer_tag = Some(offer.tag);
        actions.push(Action::AdoptPeer { tag: offer.tag });
        actions.push(Action::CheckConfusion);
        actions.push(Action::UsePair(machine.proved_pair(
            step.identity,
            &offer.host,
            arrival,
            environment,
        )));
        actions.push(machine.r2(offer.nonce, arrival));
        machine.enter_established(step, &mut actions, false);
        Ok((machine, actions))
    }

    /// Starts the establishment anew: the peer lost this context and gave its tag to another one
    /// (RFC 5533, Section 7.15).
    pub fn restart<R: Random>(&mut self, step: &mut Step<'_, R>) -> Actions<'static> {
        let mut actions = Actions::new();
        self.rounds = 0;
        self.handshake = step.identity.ulids.as_locators();
        self.send_i1(step, &mut actions);
        actions
    }

    /// Sends a new I1 over the pair of the handshake. What the peer told is void.
    pub(super) fn send_i1<R: Random>(&mut self, step: &mut Step<'_, R>, actions: &mut Actions<'_>) {
        self.drop_peer(actions);
        self.update.abandon();
        self.state = State::I1Sent;
        self.nonce = Nonce::new(step.random.u32());
        self.timer = Timer::start(step.now, step.constants.i1_timeout, step.random);
        actions.push(Action::Send {
            pair: self.handshake,
            content: Content::I1 {
                initiator_tag: self.local_tag,
                initiator_nonce: self.nonce,
            },
        });
    }

    /// I1 for the identity of this context (RFC 5533, Section 7.9).
    ///
    /// R2 has CT(local) in it, so it goes to addresses of the context only, in every state: R1,
    /// which is the answer to all others, leads a peer at another address to an I2 with its list.
    pub(super) fn receive_i1<'m, R: Random, E: Environment<'m>>(
        &self,
        step: &Step<'_, R>,
        i1: &I1,
        arrival: &Arrival,
        environment: &E,
        actions: &mut Actions<'_>,
    ) {
        // Without the option the addresses are the ULIDs.
        let inside = i1.ulid_pair.is_none() || self.is_between(step, environment, arrival);
        let known = match self.state {
            State::I1Sent | State::I2Sent | State::I2bisSent => true,
            State::Established => self.peer_tag == Some(i1.initiator_tag),
            State::Idle | State::EFailed | State::NoSupport => false,
        };

        if inside && known {
            actions.push(self.r2(i1.initiator_nonce, arrival));
        } else {
            actions.push(Action::ReplyR1);
        }
    }

    /// R1 (RFC 5533, Section 7.11).
    pub(super) fn receive_r1<'m, R: Random>(
        &mut self,
        step: &mut Step<'_, R>,
        r1: &R1<'m>,
        arrival: &Arrival,
        actions: &mut Actions<'m>,
    ) -> Result<(), Discarded> {
        if self.state != State::I1Sent {
            return Err(Cause::State.into());
        }
        self.check_answer(r1.initiator_nonce, arrival)?;

        self.state = State::I2Sent;
        self.sent = step.now;
        self.timer = Timer::start(step.now, step.constants.i2_timeout, step.random);
        actions.push(Action::Send {
            pair: self.handshake,
            content: Content::I2 {
                initiator_tag: self.local_tag,
                initiator_nonce: self.nonce,
                responder_nonce: r1.responder_nonce,
                validator: r1.validator,
            },
        });
        Ok(())
    }

    /// I2 or I2bis with a valid Responder Validator (RFC 5533, Sections 7.13 and 7.20).
    pub(super) fn receive_offer<'m, R: Random, E: Environment<'m>>(
        &mut self,
        step: &mut Step<'_, R>,
        offer: &Offer<'m>,
        arrival: &Arrival,
        environment: &mut E,
        actions: &mut Actions<'_>,
    ) -> Result<(), Discarded> {
        let list = offer.host.locator_list.as_ref();
        if self.outstanding().is_none() && self.state != State::Established {
            return Err(Cause::State.into());
        }
        if !self.peer_has(step, environment, &arrival.source) && !lists(list, &arrival.source) {
            return Err(Cause::Source.into());
        }
        check_host(&offer.host, None, environment)?;

        let changed = self.adopt(offer.tag, actions);
        // A repeated I2 that comes late must not undo a change of the pair.
        if changed && self.state != State::I2Sent {
            let pair = self.proved_pair(step.identity, &offer.host, arrival, environment);
            actions.push(Action::UsePair(pair));
        }
        actions.push(self.r2(offer.nonce, arrival));
        match self.state {
            State::I1Sent => self.enter_established(step, actions, false),
            State::Established if changed => self.enter_established(step, actions, true),
            _ => {}
        }
        Ok(())
    }

    /// R2 (RFC 5533, Section 7.16).
    pub(super) fn receive_r2<'m, R: Random, E: Environment<'m>>(
        &mut self,
        step: &mut Step<'_, R>,
        r2: &R2<'m>,
        arrival: &Arrival,
        environment: &mut E,
        actions: &mut Actions<'_>,
    ) -> Result<(), Discarded> {
        if self.outstanding().is_none() {
            return Err(Cause::State.into());
        }
        self.check_answer(r2.initiator_nonce, arrival)?;
        check_host(&r2.host, None, environment)?;

        // The offer that R2 answers had our Parameter Data Structure, whatever tag it is for.
        let parameters_sent = self.parameters_sent;
        self.adopt(r2.responder_tag, actions);
        self.parameters_sent = parameters_sent;
        let pair = self.proved_pair(step.identity, &r2.host, arrival, environment);
        actions.push(Action::UsePair(pair));
        self.enter_established(step, actions, self.state == State::I2bisSent);
        Ok(())
    }

    /// R1bis: the peer has lost the context (RFC 5533, Section 7.18).
    ///
    /// The pair need not be the current one: a peer answers a Probe on the pair that is probed.
    pub(super) fn receive_r1bis<'m, R: Random, E: Environment<'m>>(
        &mut self,
        step: &mut Step<'_, R>,
        r1bis: &R1bis<'m>,
        arrival: &Arrival,
        environment: &E,
        actions: &mut Actions<'m>,
    ) -> Result<(), Discarded> {
        if self.state != State::Established {
            return Err(Cause::State.into());
        }
        if self.peer_tag != Some(r1bis.packet_tag) {
            return Err(Cause::Tag.into());
        }
        if !self.is_between(step, environment, arrival) {
            return Err(Cause::Addresses.into());
        }

        self.state = State::I2bisSent;
        self.rounds = 0;
        self.sent = step.now;
        self.handshake = reverse(arrival);
        self.nonce = Nonce::new(step.random.u32());
        self.timer = Timer::start(step.now, step.constants.i2bis_timeout, step.random);
        actions.push(Action::Send {
            pair: self.handshake,
            content: Content::I2bis {
                initiator_tag: self.local_tag,
                initiator_nonce: self.nonce,
                responder_nonce: r1bis.responder_nonce,
                packet_tag: r1bis.packet_tag,
                validator: r1bis.validator,
            },
        });
        Ok(())
    }

    /// Whether a message answers the outstanding one.
    fn check_answer(&self, nonce: Nonce, arrival: &Arrival) -> Result<(), Discarded> {
        if nonce != self.nonce {
            return Err(Cause::Nonce.into());
        }
        if reverse(arrival) != self.handshake {
            return Err(Cause::Addresses.into());
        }
        Ok(())
    }

    /// R2 back to where a message came from.
    fn r2(&self, nonce: Nonce, arrival: &Arrival) -> Action<'static> {
        Action::Send {
            pair: reverse(arrival),
            content: Content::R2 {
                responder_tag: self.local_tag,
                initiator_nonce: nonce,
            },
        }
    }

    /// Takes the peer's tag and list; true if the tag is a new one.
    fn adopt(&mut self, tag: ContextTag, actions: &mut Actions<'_>) -> bool {
        let changed = self.peer_tag != Some(tag);
        if changed {
            self.peer_tag = Some(tag);
            self.parameters_sent = false;
        }
        actions.push(Action::AdoptPeer { tag });
        actions.push(Action::CheckConfusion);
        changed
    }

    /// The pair to use after a message that proves that its own pair works: that pair if its
    /// locators may be used, else the ULIDs (RFC 5533, Section 7.2).
    fn proved_pair<'m, E: Environment<'m>>(
        &self,
        identity: &Identity,
        host: &HostOptions<'_>,
        arrival: &Arrival,
        environment: &E,
    ) -> LocatorPair {
        let ulids = identity.ulids.as_locators();
        let pair = reverse(arrival);
        let peer = pair.peer == ulids.peer || lists(host.locator_list.as_ref(), &pair.peer);
        let local = pair.local == ulids.local || environment.local_has(&pair.local);

        if peer && local {
            pair
        } else {
            ulids
        }
    }

    /// Goes to ESTABLISHED, and tells the peer what it does not know yet.
    fn enter_established<R: Random>(
        &mut self,
        step: &mut Step<'_, R>,
        actions: &mut Actions<'_>,
        again: bool,
    ) {
        self.state = State::Established;
        self.rounds = 0;
        self.timer = Timer::STOPPED;
        actions.push(Action::Established { again });
        self.resume_update(step, actions);
    }
}
