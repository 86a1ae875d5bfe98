// SPDX-License-Identifier: GPL-2.0

//! What events have in common: states that change, pairs that are chosen, Probes that are sent
//! (RFC 5534, Sections 4.3 and 6).

use super::{
    super::wire::{
        message::Arrival,
        probe::Probe, //
    },
    ranking::{
        Ranking,
        MAX_LOCATORS, //
    },
    record::arrival_pair,
    Action,
    Actions,
    Candidates,
    Cause,
    LocatorPair,
    Nonce,
    Purpose,
    Random,
    Reap,
    Sent,
    State,
    Step,
    SwitchReason,
    Timers, //
};

impl Reap {
    /// What is wrong with a locator of the current pair.
    pub(super) fn failure<R, C: Candidates>(&self, step: &Step<'_, R, C>) -> Option<Cause> {
        let mut locals = (0..MAX_LOCATORS).map_while(|i| step.candidates.local(i));
        let mut peers = (0..MAX_LOCATORS).map_while(|i| step.candidates.peer(i));
        let local = locals.find(|candidate| candidate.locator == self.pair.local);
        let peer = peers.find(|candidate| candidate.locator == self.pair.peer);

        if local.is_none_or(|local| !local.is_operational) {
            Some(Cause::LocalLost)
        } else if peer.is_none_or(|peer| peer.preference.flags.is_broken()) {
            Some(Cause::PeerBroken)
        } else {
            None
        }
    }

    /// A local event (RFC 5534, Section 4.1): as if the Send Timer had expired.
    pub(super) fn suspect<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        cause: Cause,
        actions: &mut Actions,
    ) {
        match self.state {
            State::Operational => self.explore(step, cause, actions),
            State::Exploring => self.exploration.heed(),
            State::InboundOk => {}
        }
    }

    /// The state becomes Exploring, and a Probe is sent, or soon will be. If a standby is ready, it is
    /// used at once, and the Probe goes over it.
    ///
    /// The current pair is probed first after the Send Timeout: the failure may have been short or
    /// the peer's direction only. So it is after an ICMPv6 error, which anybody may have sent, and
    /// after a timeout of one TCP connection while others are heard: if the pair works it is kept,
    /// and no standby takes over (RFC 5534, Section 3.3). Who else complains on this host means this
    /// very pair, so others are probed first.
    pub(super) fn explore<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        cause: Cause,
        actions: &mut Actions,
    ) {
        let failed = self.pair;
        let is_doubtful =
            cause == Cause::IcmpError || (cause == Cause::TcpTimeout && self.hears_lately(step));
        let mut current_first = is_doubtful || cause == Cause::SendTimeout;

        if self.state == State::Operational {
            self.leave_operational();
            let standby = self
                .standby(step.constants, step.now)
                .filter(|pair| !is_doubtful && self.is_usable(step, pair));
            if let Some(pair) = standby {
                self.switch(step, pair, SwitchReason::Standby, actions);
                current_first = true;
            }
        }
        self.exploration.received.clear();
        self.timers = Timers::default();
        self.enter(State::Exploring, cause, actions);
        let first = step.now.saturating_add(step.probe_delay);
        self.exploration.begin(first, failed, current_first);
        if first == step.now {
            self.scheduled_probe(step, Purpose::First, actions);
        }
    }

    /// What an exploration begins without.
    pub(super) fn leave_operational(&mut self) {
        self.pending = None;
        self.confirmation = None;
        self.calm = None;
        self.exploration.forget();
    }

    /// The peer is heard again while this end explores (RFC 5534, Sections 6.1 and 6.6).
    pub(super) fn hear<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        cause: Cause,
        actions: &mut Actions,
    ) {
        self.timers = Timers {
            send: Some(step.now),
            keepalive: None,
        };
        self.enter(State::InboundOk, cause, actions);
        self.probe(step, Purpose::Answer, actions);
    }

    pub(super) fn enter(&mut self, state: State, cause: Cause, actions: &mut Actions) {
        self.state = state;
        actions.push(Action::Enter { state, cause });
    }

    /// The state becomes Operational, if it is not.
    pub(super) fn become_operational<R, C: Candidates>(
        &mut self,
        step: &Step<'_, R, C>,
        cause: Cause,
        actions: &mut Actions,
    ) {
        self.calm = Some(step.now);
        if self.state != State::Operational {
            self.exploration.end();
            self.is_suspect = self.failure(step).is_some();
            self.standby.restart();
            self.enter(State::Operational, cause, actions);
        }
    }

    /// Another pair is the current one.
    pub(super) fn switch<R: Random, C: Candidates>(
        &mut self,
        step: &Step<'_, R, C>,
        pair: LocatorPair,
        reason: SwitchReason,
        actions: &mut Actions,
    ) {
        self.pair = pair;
        self.is_suspect = self.failure(step).is_some();
        match reason {
            SwitchReason::Reported | SwitchReason::Standby => {
                self.failback.failed(step.constants, step.now);
            }
            SwitchReason::Failback => self.failback.went_back(step.now),
        }
        actions.push(Action::Switch { pair, reason });
    }

    /// Marks the probes that the peer reports.
    pub(super) fn take_reports(&mut self, probe: &Probe<'_>, actions: &mut Actions) {
        let mut is_new = false;
        let mut unbelieved: u8 = 0;

        for sent in self.exploration.sent.iter_mut() {
            sent.is_news = false;
        }
        for record in probe.received.iter() {
            match self
                .exploration
                .sent
                .iter_mut()
                .find(|sent| sent.is(&record))
            {
                Some(sent) if sent.is_reported => {}
                Some(sent) => {
                    sent.is_reported = true;
                    sent.is_news = true;
                    is_new = true;
                }
                None => unbelieved = unbelieved.saturating_add(1),
            }
        }
        if is_new {
            actions.push(Action::Reported);
        }
        if unbelieved > 0 {
            actions.push(Action::Unbelieved(unbelieved));
        }
    }

    /// Chooses the current pair from what the peer reports in this Probe (RFC 5534, Section 6.8):
    /// the one that is current if it is among them, else the best, else the newest. None of a Probe
    /// that another one of the peer has overtaken. Also notes another pair that works, to have it ready.
    /// True if it is another pair than before.
    pub(super) fn choose<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        probe: &Probe<'_>,
        actions: &mut Actions,
    ) -> bool {
        let ranking = self.exploration.ranking(step.candidates, step.ulids);
        let is_reported = |sent: &&Sent| probe.received.iter().any(|record| sent.is(&record));
        // The peer reports what it has received, with the newest among it. What was reported of
        // later Probes than that came from a later state of the peer.
        let newest = self.exploration.sent.iter().find(|sent| sent.is_reported);
        if !newest.is_some_and(|newest| is_reported(&newest)) {
            return false;
        }
        let reported = || {
            let sent = self.exploration.sent.iter().filter(is_reported);
            sent.filter_map(|sent| ranking.find(&sent.pair))
        };
        // Of several with the least rank this takes the first, which is the newest.
        let chosen = reported()
            .find(|ranked| ranked.pair == self.pair)
            .or_else(|| reported().min_by_key(|ranked| ranked.rank));
        let Some(chosen) = chosen else {
            return false;
        };
        let spare = reported()
            .filter(|ranked| ranked.pair != chosen.pair)
            .min_by_key(|ranked| ranked.rank);

        let has_switched = chosen.pair != self.pair;
        if has_switched {
            self.switch(step, chosen.pair, SwitchReason::Reported, actions);
        }
        if let Some(spare) = spare.filter(|_| step.constants.hot_standby) {
            self.standby.confirm(spare.pair, step.now);
            actions.push(Action::Standby(Some(spare.pair)));
        }
        has_switched
    }

    /// Notes a Probe of the peer. What its first record says is echoed; over which pair it really
    /// came is what gives hope for that pair.
    pub(super) fn note<R: Random, C: Candidates>(
        &mut self,
        step: &Step<'_, R, C>,
        probe: &Probe<'_>,
        arrival: &Arrival,
    ) {
        let Some(record) = probe.sent.iter().next() else {
            return;
        };
        let ranking = self.exploration.ranking(step.candidates, step.ulids);
        let came_on = LocatorPair {
            local: arrival.destination,
            peer: arrival.source,
        };
        self.exploration
            .hear(record, arrival_pair(&record) == came_on, &ranking);
    }

    /// Answers a Probe, unless too many were answered lately.
    pub(super) fn answer<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        actions: &mut Actions,
    ) {
        if self.may_answer(step, actions) {
            self.probe(step, Purpose::Answer, actions);
        }
    }

    /// As [`answer`](Self::answer), in the first slot of the schedule.
    pub(super) fn answer_on_schedule<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        actions: &mut Actions,
    ) {
        if self.may_answer(step, actions) {
            self.scheduled_probe(step, Purpose::Answer, actions);
        } else {
            self.exploration
                .advance(step.constants, step.now, step.random);
        }
    }

    pub(super) fn may_answer<R, C>(
        &mut self,
        step: &Step<'_, R, C>,
        actions: &mut Actions,
    ) -> bool {
        let limit = step.constants.answers_per_second;
        let may = self.answers.take(limit, step.now);
        if !may {
            actions.push(Action::NotAnswered);
        }
        may
    }

    /// Sends the Probe of a slot of the schedule (RFC 5534, Section 6.5).
    pub(super) fn scheduled_probe<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        purpose: Purpose,
        actions: &mut Actions,
    ) {
        self.probe(step, purpose, actions);
        self.exploration
            .advance(step.constants, step.now, step.random);
    }

    /// Sends a Probe: over the current pair in Operational, else over the next in the order.
    pub(super) fn probe<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        purpose: Purpose,
        actions: &mut Actions,
    ) {
        let pair = if self.state == State::Operational {
            self.pair
        } else {
            let ranking = self.exploration.ranking(step.candidates, step.ulids);
            let follow = self.state == State::InboundOk;
            let next = self
                .exploration
                .next_pair(&ranking, &self.pair, follow, step.random);
            let Some((ranked, is_new_round)) = next else {
                actions.push(Action::NoPair);
                return;
            };
            if is_new_round {
                actions.push(Action::RoundOver);
            }
            ranked.pair
        };
        let nonce = Nonce::new(step.random.u32());
        let probe = Sent {
            pair,
            nonce,
            is_reported: false,
            is_news: false,
        };
        // If a nonce is drawn again for the same pair, a report of it means the newer probe.
        self.exploration
            .sent
            .retain(|sent| !sent.is(&probe.record()));
        self.exploration.sent.push(probe);
        actions.push(Action::Probe {
            pair,
            state: self.state.to_probe(),
            nonce,
            purpose,
        });
    }

    /// Whether packets may be sent over a pair.
    pub(super) fn is_usable<R, C: Candidates>(
        &self,
        step: &Step<'_, R, C>,
        pair: &LocatorPair,
    ) -> bool {
        Ranking::new(step.candidates, step.ulids, None)
            .find(pair)
            .is_some()
    }
}
