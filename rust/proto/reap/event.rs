// SPDX-License-Identifier: GPL-2.0

//! Events and what each state makes of them (RFC 5534, Sections 4.1 and 6).

use super::{
    super::wire::{
        message::Arrival,
        probe::Probe, //
    },
    Action,
    Actions,
    Candidates,
    Cause,
    Chance,
    Instant,
    ProbeState,
    Purpose,
    Random,
    Reap,
    State,
    Step,
    Timers, //
};

/// Something that speaks against the current pair. None of these is a proof, so none does more than
/// make this end explore (RFC 5534, Sections 3.3 and 8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Hint {
    /// A program complains.
    NegativeFeedback,
    /// The retransmission timer of a TCP connection has expired as often as the setting says, while
    /// it used this pair.
    TcpTimeout,
    /// An ICMPv6 error quotes a packet that was sent over the current pair.
    IcmpError,
}

impl From<Hint> for Cause {
    fn from(hint: Hint) -> Self {
        match hint {
            Hint::NegativeFeedback => Self::NegativeFeedback,
            Hint::TcpTimeout => Self::TcpTimeout,
            Hint::IcmpError => Self::IcmpError,
        }
    }
}

/// What can expire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expiry {
    /// The Send Timer (RFC 5534, Section 6.4), or the wait for something to send over a pair that
    /// lost a locator while the context was idle.
    Send,
    /// The time to the next Probe (RFC 5534, Section 6.5).
    Probe,
    /// The Keepalive Interval, and with it the Keepalive Timer (RFC 5534, Sections 6.1 and 6.3).
    Keepalive,
    /// The time to confirm a standby, or to go back to a better pair.
    Path,
}

impl Reap {
    /// The timer has fired, or the data path has queued the worker. Nothing happens if nothing has
    /// expired.
    pub fn timeout<R: Random, C: Candidates>(&mut self, step: &mut Step<'_, R, C>) -> Actions {
        let mut actions = self.begin(step);
        // Each expiry is in the future or stopped afterwards, so there are four at most, and a
        // state that changes can add its own.
        for _ in 0..5 {
            match self.expired(step) {
                Some(expiry) => self.on_expiry(step, expiry, &mut actions),
                None => break,
            }
        }
        self.finish(step);
        actions
    }

    /// One thing expires, whether its time has come or not. This is how timers of which the time
    /// is unknown are explored; whoever has a clock uses [`timeout`](Self::timeout).
    pub fn expire<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        expiry: Expiry,
    ) -> Actions {
        let mut actions = self.begin(step);
        if self.runs(step, expiry) {
            self.on_expiry(step, expiry, &mut actions);
        }
        self.finish(step);
        actions
    }

    /// Whether something is going to expire.
    pub fn runs<R: Random, C: Candidates>(&self, step: &Step<'_, R, C>, expiry: Expiry) -> bool {
        self.due(step, expiry).is_some()
    }

    /// When something expires; [`None`] if it does not run.
    pub(super) fn due<R: Random, C: Candidates>(
        &self,
        step: &Step<'_, R, C>,
        expiry: Expiry,
    ) -> Option<Instant> {
        let is_operational = self.state == State::Operational;
        match expiry {
            Expiry::Send if self.state == State::Exploring => None,
            // What was lost while nobody looked is acted on as soon as somebody sends.
            Expiry::Send if is_operational && self.pending.is_some() => self.timers.send,
            Expiry::Send => self.send_due(step.constants),
            Expiry::Probe => self.exploration.next,
            Expiry::Keepalive => self.keepalives.map(|run| run.due(step.constants)),
            Expiry::Path if is_operational => self.path_due(step),
            Expiry::Path => None,
        }
    }

    /// What has expired; if there is more, what ends the rest goes first.
    fn expired<R: Random, C: Candidates>(&self, step: &Step<'_, R, C>) -> Option<Expiry> {
        [Expiry::Send, Expiry::Probe, Expiry::Keepalive, Expiry::Path]
            .into_iter()
            .find(|expiry| self.due(step, *expiry).is_some_and(|due| due <= step.now))
    }

    fn on_expiry<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        expiry: Expiry,
        actions: &mut Actions,
    ) {
        match expiry {
            Expiry::Send => {
                let cause = self.pending.unwrap_or(Cause::SendTimeout);
                self.explore(step, cause, actions);
            }
            Expiry::Probe => {
                self.scheduled_probe(step, Purpose::Schedule, actions);
                if self.state == State::InboundOk {
                    self.timers.send.get_or_insert(step.now);
                }
            }
            Expiry::Keepalive => self.keepalive(step, actions),
            Expiry::Path => self.check_paths(step, actions),
        }
        self.track(step);
    }

    /// A Keepalive is due (RFC 5534, Sections 6.1 and 6.3).
    fn keepalive<R, C>(&mut self, step: &mut Step<'_, R, C>, actions: &mut Actions)
    where
        R: Random,
    {
        let Some(run) = &mut self.keepalives else {
            return;
        };
        let is_last = run.ends(step.constants, step.now);
        run.last = step.now;
        run.chance = Chance::draw(step.random);
        if is_last {
            self.keepalives = None;
            self.timers.keepalive = None;
        }
        if !step.constants.suppress_keepalives {
            actions.push(Action::Keepalive {
                pair: self.pair,
                is_last,
            });
        }
    }

    /// A Keepalive has come (RFC 5534, Section 6.6).
    pub fn receive_keepalive<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
    ) -> Actions {
        let mut actions = self.begin(step);
        match self.state {
            State::Operational | State::InboundOk => self.timers.send = None,
            State::Exploring => self.hear(step, Cause::Keepalive, &mut actions),
        }
        self.finish(step);
        actions
    }

    /// A Probe has come (RFC 5534, Sections 6.7 to 6.9).
    pub fn receive_probe<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        probe: &Probe<'_>,
        arrival: &Arrival,
    ) -> Actions {
        let mut actions = self.begin(step);
        let is_stale = |calm: &Instant| step.now.since(*calm) >= step.constants.retain;
        if self.calm.as_ref().is_some_and(is_stale) {
            self.exploration.forget();
            self.calm = None;
        }
        self.take_reports(probe, &mut actions);

        match probe.state {
            ProbeState::Exploring => self.peer_explores(step, probe, arrival, &mut actions),
            ProbeState::InboundOk => self.peer_hears(step, probe, arrival, &mut actions),
            ProbeState::Operational => self.peer_is_content(step, probe, arrival, &mut actions),
        }
        self.finish(step);
        actions
    }

    /// Sta is Exploring: the peer does not hear this end (RFC 5534, Section 6.7).
    fn peer_explores<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        probe: &Probe<'_>,
        arrival: &Arrival,
        actions: &mut Actions,
    ) {
        let is_first = self.state == State::Operational;
        if is_first {
            self.leave_operational();
            self.exploration.begin(step.now, self.pair, true);
        }
        self.note(step, probe, arrival);
        self.timers = Timers {
            send: Some(step.now),
            keepalive: None,
        };
        if self.state != State::InboundOk {
            self.enter(State::InboundOk, Cause::PeerExplores, actions);
        }
        if is_first {
            // The answer is the first of the Probes that this end sends on its own.
            self.answer_on_schedule(step, actions);
        } else {
            self.answer(step, actions);
        }
    }

    /// Sta is InboundOk: the peer hears this end, and says over which pairs (RFC 5534,
    /// Section 6.8).
    fn peer_hears<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        probe: &Probe<'_>,
        arrival: &Arrival,
        actions: &mut Actions,
    ) {
        self.note(step, probe, arrival);
        let has_switched = self.choose(step, probe, actions);
        let was_operational = self.state == State::Operational;
        self.timers = Timers {
            send: Some(step.now),
            keepalive: None,
        };
        self.become_operational(step, Cause::PeerHears, actions);
        self.answer(step, actions);
        if has_switched || !was_operational {
            actions.push(Action::Resume);
        }
    }

    /// Sta is Operational: the peer hears this end and knows that it is heard (RFC 5534,
    /// Section 6.9). Never answered, so that this comes to an end.
    fn peer_is_content<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        probe: &Probe<'_>,
        arrival: &Arrival,
        actions: &mut Actions,
    ) {
        self.note(step, probe, arrival);
        self.timers.send = None;
        if self.state == State::Operational {
            self.timers.keepalive.get_or_insert(step.now);
            // What was noted is forgotten after a while.
            self.calm = Some(step.now);
            return;
        }
        // The RFC does not mention the choice here, but its example 4 needs it.
        self.choose(step, probe, actions);
        self.timers.keepalive = Some(step.now);
        self.become_operational(step, Cause::PeerOperational, actions);
        actions.push(Action::Resume);
    }

    /// Something speaks against the current pair.
    ///
    /// A TCP connection that does not get through while other packets of the peer come may be the
    /// only one that does not, because of a firewall or of a program that does not read. That is
    /// looked into once in a while.
    pub fn hint<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        hint: Hint,
    ) -> Actions {
        let mut actions = self.begin(step);
        let is_repeated = hint == Hint::TcpTimeout
            && self.hears_lately(step)
            && self
                .calm
                .is_some_and(|calm| step.now.since(calm) < step.constants.retain);
        if !is_repeated {
            self.suspect(step, hint.into(), &mut actions);
        }
        self.finish(step);
        actions
    }

    /// A program says that packets get through: the Send Timer stops, nothing else.
    pub fn positive_feedback<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
    ) -> Actions {
        let actions = self.begin(step);
        if self.state == State::Operational {
            self.timers.send = None;
        }
        self.finish(step);
        actions
    }

    /// Locators of either end have come or gone, or stand otherwise than before: operational,
    /// acknowledged, verified, BROKEN, preferred. `is_wish` if a socket or an administrator asked
    /// for it, so that a pair that is better now is tried at once.
    pub fn candidates_changed<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        is_wish: bool,
    ) -> Actions {
        let mut actions = self.begin(step);
        let failure = self.failure(step);

        match (failure, self.state) {
            (None, State::Operational) => self.pending = None,
            (None, _) => {}
            // Nothing new: it was acted on, and there was nothing better.
            (Some(_), _) if self.is_suspect => {}
            // Nobody would notice. The next packet that is sent sees to it.
            (Some(cause), State::Operational) if !self.is_in_use(step) => {
                self.pending = Some(cause);
            }
            (Some(cause), State::Operational) => self.explore(step, cause, &mut actions),
            (Some(_), _) => {}
        }
        self.is_suspect = self.failure(step).is_some();
        match self.state {
            State::Operational => {
                self.confirmation = self
                    .confirmation
                    .filter(|confirmation| self.is_usable(step, &confirmation.pair));
                self.standby.restart();
                let has_better = self.has_better(step);
                self.failback
                    .reconsider(is_wish, has_better, step.constants, step.now);
            }
            State::Exploring | State::InboundOk => {
                self.exploration.retry(step.constants, step.now);
            }
        }
        self.finish(step);
        actions
    }
}
