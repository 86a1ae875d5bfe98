// SPDX-License-Identifier: GPL-2.0

//! Telling the peer about new locators and preferences, and being told (RFC 5533, Section 10).

use super::{
    super::{
        number::Nonce,
        random::Random,
        tag::ContextTag,
        time::{
            Instant,
            Interval, //
        },
        wire::message::{
            Arrival,
            UpdateAcknowledgement,
            UpdateRequest, //
        }, //
    },
    check_host,
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

/// How far the peer knows what this host has to say about itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Phase {
    /// All that it was told has arrived.
    Quiet,
    /// There is something to tell, and no request is under way.
    Pending,
    /// The last request is under way.
    Outstanding,
    /// The last request is under way, and there is more to tell.
    Superseded,
}

/// The Update Request of a context. At most one is under way (RFC 5533, Section 10.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Update {
    phase: Phase,
    /// Of the last request.
    nonce: Nonce,
    /// When the last request was sent for the first time.
    sent: Option<Instant>,
    /// Whether another was abandoned for it. That one may still arrive, and nothing in it tells the
    /// peer that it is older.
    is_doubtful: bool,
}

impl Update {
    /// Nothing to tell.
    pub(super) const NONE: Self = Self {
        phase: Phase::Quiet,
        nonce: Nonce::new(0),
        sent: None,
        is_doubtful: false,
    };

    /// Whether nothing is under way, and the next request need not wait for the last.
    pub(super) fn is_at_rest(&self, spacing: Interval, now: Instant) -> bool {
        self.phase == Phase::Quiet && self.sent.is_none_or(|sent| now.since(sent) >= spacing)
    }

    /// The peer is forgotten, and with it the request that was under way to it.
    pub(super) fn abandon(&mut self) {
        if self.phase != Phase::Quiet {
            self.phase = Phase::Pending;
        }
    }
}

impl Machine {
    /// The locators of this host or its preferences have changed: tells the peer, as soon as the
    /// context is established and [`update_spacing`](super::Constants::update_spacing) allows.
    ///
    /// The request is composed when it is sent, so it has everything that is not acknowledged.
    pub fn announce<R: Random>(&mut self, step: &mut Step<'_, R>) -> Actions<'static> {
        let mut actions = Actions::new();
        self.update.phase = match self.update.phase {
            Phase::Quiet | Phase::Pending => Phase::Pending,
            Phase::Outstanding | Phase::Superseded => Phase::Superseded,
        };
        if self.state == State::Established {
            self.send_update_when_due(step, &mut actions);
        }
        actions
    }

    /// Whether the peer has acknowledged everything that was [announced](Self::announce).
    pub fn is_announced(&self) -> bool {
        self.update.phase == Phase::Quiet
    }

    /// The context has come to ESTABLISHED: what the peer may not know is told anew.
    pub(super) fn resume_update<R: Random>(
        &mut self,
        step: &mut Step<'_, R>,
        actions: &mut Actions<'_>,
    ) {
        if self.update.phase != Phase::Quiet {
            self.update.phase = Phase::Pending;
            self.send_update_when_due(step, actions);
        }
    }

    /// Sends a new request, or sets the timer for it.
    fn send_update_when_due<R: Random>(
        &mut self,
        step: &mut Step<'_, R>,
        actions: &mut Actions<'_>,
    ) {
        let due = self
            .update
            .sent
            .map(|sent| sent.saturating_add(step.constants.update_spacing))
            .filter(|&due| due > step.now);

        if due.is_some() {
            self.timer.deadline = due;
        } else if let Some(receiver_tag) = self.peer_tag {
            let nonce = Nonce::new(step.random.u32());
            self.update = Update {
                phase: Phase::Outstanding,
                nonce,
                sent: Some(step.now),
                is_doubtful: self.update.phase == Phase::Superseded,
            };
            self.timer = Timer::start(step.now, step.constants.update_timeout, step.random);
            actions.push(Action::SendUpdate {
                receiver_tag,
                request_nonce: nonce,
            });
        }
    }

    /// The timer has expired in ESTABLISHED.
    pub(super) fn update_timeout<R: Random>(
        &mut self,
        step: &mut Step<'_, R>,
        actions: &mut Actions<'_>,
    ) {
        match self.update.phase {
            Phase::Quiet => self.timer = Timer::STOPPED,
            Phase::Pending | Phase::Superseded => self.send_update_when_due(step, actions),
            Phase::Outstanding => {
                let max = step.constants.max_update_timeout;
                self.timer = self.timer.again(step.now, max, step.random);
                actions.push(Action::ResendUpdate);
            }
        }
    }

    /// Update Request (RFC 5533, Section 10.4), in a state that processes it. It came between
    /// locators of the context.
    pub(super) fn receive_update_request<'m, E: Environment<'m>>(
        &self,
        request: &UpdateRequest<'m>,
        arrival: &Arrival,
        environment: &mut E,
        actions: &mut Actions<'_>,
    ) -> Result<(), Discarded> {
        // In I2-SENT it may be unknown, and then there is nothing to answer with.
        let receiver_tag: ContextTag = self.peer_tag.ok_or(Cause::State)?;
        check_host(&request.host, environment.peer_list(), environment)?;

        actions.push(Action::UpdatePeer);
        if request.host.locator_list.is_some() {
            actions.push(Action::CheckConfusion);
        }
        actions.push(Action::Send {
            pair: reverse(arrival),
            content: Content::UpdateAcknowledgement {
                receiver_tag,
                request_nonce: request.request_nonce,
            },
        });
        Ok(())
    }

    /// Update Acknowledgement (RFC 5533, Section 10.5), in a state that processes it. It came
    /// between locators of the context.
    ///
    /// If an older request was abandoned for the one that is acknowledged (Section 10.3), it may
    /// arrive last: what is new is then told once more, by when the older one has had its time.
    pub(super) fn receive_update_acknowledgement<R: Random>(
        &mut self,
        step: &mut Step<'_, R>,
        acknowledgement: &UpdateAcknowledgement,
        actions: &mut Actions<'_>,
    ) -> Result<(), Discarded> {
        let phase = match self.update.phase {
            Phase::Outstanding if self.update.is_doubtful => Phase::Pending,
            Phase::Outstanding => Phase::Quiet,
            Phase::Superseded => Phase::Pending,
            Phase::Quiet | Phase::Pending => return Err(Cause::State.into()),
        };
        if acknowledgement.request_nonce != self.update.nonce {
            return Err(Cause::Nonce.into());
        }

        self.update.phase = phase;
        actions.push(Action::Acknowledged);
        if self.state == State::Established {
            match phase {
                Phase::Pending => self.send_update_when_due(step, actions),
                _ => self.timer = Timer::STOPPED,
            }
        }
        Ok(())
    }
}
