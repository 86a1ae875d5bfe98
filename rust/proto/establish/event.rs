// SPDX-License-Identifier: GPL-2.0

//! Events: a message, the timer, a payload packet, an ICMPv6 error, and what each state makes of
//! them (RFC 5533, Sections 7, 10 and 12).

use super::{
    super::{
        locator::LocatorPair,
        random::Random,
        tag::ContextTag,
        time::Interval,
        wire::message::{
            Arrival,
            Message, //
        }, //
    },
    handshake::Offer,
    Action,
    Actions,
    Cause,
    Discarded,
    Environment,
    Machine,
    Negative,
    State,
    Step,
    Timer, //
};

impl Machine {
    /// A control message for this context, found as [`dispatch`](super::super::dispatch) says.
    ///
    /// The Responder Nonce and Responder Validator of I2 and I2bis have been checked, and what
    /// is recent about them has been accepted: that is cheap, needs no context, and comes before
    /// anything else (RFC 5533, Section 7.13).
    pub fn receive<'m, R: Random, E: Environment<'m>>(
        &mut self,
        step: &mut Step<'_, R>,
        message: &Message<'m>,
        arrival: &Arrival,
        environment: &mut E,
    ) -> Actions<'m> {
        let mut actions = Actions::new();
        let taken = match message {
            Message::I1(i1) => {
                self.receive_i1(step, i1, arrival, environment, &mut actions);
                Ok(())
            }
            Message::R1(r1) => self.receive_r1(step, r1, arrival, &mut actions),
            Message::I2(i2) => {
                self.receive_offer(step, &Offer::from(i2), arrival, environment, &mut actions)
            }
            Message::R2(r2) => self.receive_r2(step, r2, arrival, environment, &mut actions),
            Message::R1bis(r1bis) => {
                self.receive_r1bis(step, r1bis, arrival, environment, &mut actions)
            }
            Message::I2bis(i2bis) => {
                let offer = Offer::from(i2bis);
                self.receive_offer(step, &offer, arrival, environment, &mut actions)
            }
            Message::UpdateRequest(_)
            | Message::UpdateAcknowledgement(_)
            | Message::Keepalive(_)
            | Message::Probe(_) => {
                self.receive_tagged(step, message, arrival, environment, &mut actions)
            }
            // A hint for people, without consequence (RFC 5533, Section 5.14).
            Message::Error(_) => Err(Cause::State.into()),
        };

        if let Err(discarded) = taken {
            actions.discard(discarded);
        }
        actions
    }

    /// A message that refers to the context by CT(local) (RFC 5533, Sections 10.4, 10.5 and
    /// 12.4; RFC 5534, Section 5).
    fn receive_tagged<'m, R: Random, E: Environment<'m>>(
        &mut self,
        step: &mut Step<'_, R>,
        message: &Message<'m>,
        arrival: &Arrival,
        environment: &mut E,
        actions: &mut Actions<'m>,
    ) -> Result<(), Discarded> {
        if !self.state.delivers_payload() {
            return Err(Cause::State.into());
        }
        if !self.is_between(step, environment, arrival) {
            // The tag was reused, and the sender means a context that is gone. Before there is
            // a list of the peer, this cannot be told from a sender whose locators are unknown.
            if self.state != State::I2Sent {
                actions.push(Action::ReplyR1bis);
            }
            return Err(Cause::Addresses.into());
        }
        self.repeat_offer(step, actions);

        match message {
            Message::UpdateRequest(request) => {
                self.receive_update_request(request, arrival, environment, actions)
            }
            Message::UpdateAcknowledgement(acknowledgement) => {
                self.receive_update_acknowledgement(step, acknowledgement, actions)
            }
            _ if self.state == State::Established => {
                actions.push(Action::Reap);
                Ok(())
            }
            _ => Err(Cause::State.into()),
        }
    }

    /// A payload extension header with CT(local) has come (RFC 5533, Section 12.2). Whether its
    /// packet is delivered follows from [`State::delivers_payload`].
    pub fn payload<R: Random>(&mut self, step: &Step<'_, R>) -> Actions<'static> {
        let mut actions = Actions::new();
        if self.state.delivers_payload() {
            self.repeat_offer(step, &mut actions);
        } else {
            actions.discard(Cause::State.into());
        }
        actions
    }

    /// The time has come that [`next_deadline`](Self::next_deadline) said. Nothing happens if it
    /// has not.
    pub fn timeout<R: Random>(&mut self, step: &mut Step<'_, R>) -> Actions<'static> {
        let mut actions = Actions::new();
        if self
            .timer
            .deadline
            .is_none_or(|deadline| step.now < deadline)
        {
            return actions;
        }
        let retransmissions = self.timer.retransmissions;

        match self.state {
            State::I1Sent if retransmissions < step.constants.i1_retries_max => {
                self.retransmit(step, &mut actions);
            }
            State::I1Sent => {
                let hold = step.constants.no_r1_holddown;
                self.end(step, State::EFailed, hold, &mut actions);
            }
            State::I2Sent if retransmissions < step.constants.i2_retries_max => {
                self.retransmit(step, &mut actions);
            }
            State::I2bisSent if retransmissions < step.constants.i2bis_retries_max => {
                self.retransmit(step, &mut actions);
            }
            State::I2Sent | State::I2bisSent => self.fall_back(step, &mut actions),
            State::Established => self.update_timeout(step, &mut actions),
            State::Idle | State::EFailed | State::NoSupport => self.timer = Timer::STOPPED,
        }
        actions
    }

    /// An ICMPv6 error of type 4, code 1 quotes an I1 with this tag and these addresses: the peer
    /// does not know Shim6 (RFC 5533, Section 7.8).
    pub fn unrecognized<R: Random>(
        &mut self,
        step: &Step<'_, R>,
        tag: ContextTag,
        pair: LocatorPair,
    ) -> Actions<'static> {
        let mut actions = Actions::new();
        if self.state != State::I1Sent {
            actions.discard(Cause::State.into());
        } else if tag != self.local_tag {
            actions.discard(Cause::Tag.into());
        } else if pair != self.handshake {
            actions.discard(Cause::Addresses.into());
        } else {
            let hold = step.constants.icmp_holddown;
            self.end(step, State::NoSupport, hold, &mut actions);
        }
        actions
    }

    /// Repeats I2 or I2bis because a packet shows that the peer has what it needs, unless that
    /// was done a moment ago. The timer goes on as it was.
    fn repeat_offer<R>(&mut self, step: &Step<'_, R>, actions: &mut Actions<'_>) {
        let waiting = matches!(self.state, State::I2Sent | State::I2bisSent);
        if waiting && step.now.since(self.sent) >= step.constants.resend_interval {
            self.sent = step.now;
            actions.push(Action::Resend {
                pair: self.handshake,
            });
        }
    }

    /// Sends the outstanding handshake message again because there was no answer.
    fn retransmit<R: Random>(&mut self, step: &mut Step<'_, R>, actions: &mut Actions<'_>) {
        self.sent = step.now;
        self.timer = self.timer.again(step.now, Interval::MAX, step.random);
        actions.push(Action::Resend {
            pair: self.handshake,
        });
    }

    /// I2 or I2bis was not answered: begins again with I1 (RFC 5533, Sections 7.12 and 7.19),
    /// but not for ever.
    fn fall_back<R: Random>(&mut self, step: &mut Step<'_, R>, actions: &mut Actions<'_>) {
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds >= step.constants.rounds_max {
            self.end(step, State::EFailed, step.constants.no_r1_holddown, actions);
        } else {
            self.send_i1(step, actions);
        }
    }

    /// Ends in a negative cache entry.
    fn end<R>(
        &mut self,
        step: &Step<'_, R>,
        state: State,
        hold: Interval,
        actions: &mut Actions<'_>,
    ) {
        self.drop_peer(actions);
        self.state = state;
        self.timer = Timer::STOPPED;
        actions.push(Action::Negative(Negative {
            state,
            until: step.now.saturating_add(hold),
        }));
    }
}
