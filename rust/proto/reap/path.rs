// SPDX-License-Identifier: GPL-2.0

//! What an Operational context in use does for the time when its pair fails, or works again: keeps
//! a standby confirmed, and goes back to a better pair.

use super::{
    ranking::Ranking,
    Action,
    Actions,
    Candidates,
    ConfirmPurpose,
    Confirmation,
    Instant,
    LocatorPair,
    Random,
    Reap,
    Step,
    SwitchReason, //
};

impl Reap {
    /// When a pair is to be asked for, or for the last time; [`None`] if there is no reason or the
    /// context is not in use.
    pub(super) fn path_due<R, C>(&self, step: &Step<'_, R, C>) -> Option<Instant> {
        if !self.is_in_use(step) {
            return None;
        }
        if let Some(confirmation) = &self.confirmation {
            return Some(confirmation.due);
        }
        let standby = step
            .constants
            .hot_standby
            .then(|| self.standby.next(step.constants, step.now));
        let failback = self.failback.due(step.constants);
        [standby, failback].into_iter().flatten().min()
    }

    /// The time has come that `path_due` said.
    pub(super) fn check_paths<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        actions: &mut Actions,
    ) {
        if let Some(confirmation) = self.confirmation.take() {
            if confirmation.attempt < step.constants.confirm_tries {
                let attempt = confirmation.attempt.saturating_add(1);
                let (pair, purpose) = (confirmation.pair, confirmation.purpose);
                self.ask(step, pair, purpose, attempt, actions);
                return;
            }
            self.give_up(step, &confirmation, actions);
        }
        if !self.try_failback(step, actions) {
            self.try_standby(step, actions);
        }
    }

    /// The peer has answered over a pair: the acknowledgement came of what
    /// [`Action::Confirm`] sent there.
    pub fn confirmed<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        pair: LocatorPair,
    ) -> Actions {
        let mut actions = self.begin(step);
        let answered = self
            .confirmation
            .filter(|confirmation| confirmation.pair == pair && self.is_usable(step, &pair));
        if answered.is_some() {
            self.confirmation = None;
        }

        match answered.map(|confirmation| confirmation.purpose) {
            Some(ConfirmPurpose::Standby) => {
                self.standby.confirm(pair, step.now);
                self.standby.rest(step.constants, step.now, step.random);
                actions.push(Action::Standby(Some(pair)));
            }
            Some(ConfirmPurpose::Failback) => {
                let before = self.pair;
                self.switch(step, pair, SwitchReason::Failback, &mut actions);
                if step.constants.hot_standby {
                    // The pair that was used up to now works.
                    self.standby.confirm(before, step.now);
                    actions.push(Action::Standby(Some(before)));
                }
                self.standby.restart();
            }
            None => {}
        }
        self.finish(step);
        actions
    }

    /// Asks the peer over a pair.
    fn ask<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        pair: LocatorPair,
        purpose: ConfirmPurpose,
        attempt: u8,
        actions: &mut Actions,
    ) {
        self.confirmation = Some(Confirmation::ask(
            pair,
            purpose,
            attempt,
            step.constants,
            step.now,
            step.random,
        ));
        actions.push(Action::Confirm {
            pair,
            purpose,
            attempt,
        });
    }

    /// The peer has not answered over a pair.
    fn give_up<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        confirmation: &Confirmation,
        actions: &mut Actions,
    ) {
        let ranking = Ranking::new(step.candidates, step.ulids, None);
        let ranked = ranking.find(&confirmation.pair);
        match confirmation.purpose {
            ConfirmPurpose::Standby => {
                if self.standby.give_up(ranked, &confirmation.pair) {
                    actions.push(Action::Standby(None));
                }
            }
            ConfirmPurpose::Failback => {
                let rank = ranked.map(|ranked| ranked.rank);
                self.failback.rejected(rank, step.constants, step.now);
            }
        }
    }

    /// Whether there is a pair that would be gone back to.
    pub(super) fn has_better<R, C: Candidates>(&self, step: &Step<'_, R, C>) -> bool {
        let ranking = Ranking::new(step.candidates, step.ulids, None);
        ranking
            .find(&self.pair)
            .is_none_or(|current| self.failback.choose(&ranking, &current.rank).is_some())
    }

    /// Asks over a better pair, if there is one and it is time; true if so.
    fn try_failback<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        actions: &mut Actions,
    ) -> bool {
        let due = self.failback.due(step.constants);
        if due.is_none_or(|due| due > step.now) {
            return false;
        }
        let ranking = Ranking::new(step.candidates, step.ulids, None);
        // Anything is better than a pair that may not be used.
        let better = match ranking.find(&self.pair) {
            Some(current) => self.failback.choose(&ranking, &current.rank),
            None => ranking.best(step.random, |ranked| Some(ranked.rank)),
        };
        match better {
            Some(better) => {
                self.ask(step, better.pair, ConfirmPurpose::Failback, 1, actions);
                true
            }
            None => {
                self.failback.rest();
                false
            }
        }
    }

    /// Asks over a pair that is to be the standby, if it is time.
    fn try_standby<R: Random, C: Candidates>(
        &mut self,
        step: &mut Step<'_, R, C>,
        actions: &mut Actions,
    ) {
        if !step.constants.hot_standby || self.standby.next(step.constants, step.now) > step.now {
            return;
        }
        let ranking = Ranking::new(step.candidates, step.ulids, Some(self.pair));
        match self.standby.choose(&ranking, &self.pair, step.random) {
            Some(ranked) => {
                self.standby.ask(step.now);
                self.ask(step, ranked.pair, ConfirmPurpose::Standby, 1, actions);
            }
            None => self.standby.rest(step.constants, step.now, step.random),
        }
    }
}
