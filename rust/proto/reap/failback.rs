// SPDX-License-Identifier: GPL-2.0

//! Going back to a better pair that works again, and not too often.
//!
//! After the current pair failed, a better one is tried when a hold has passed. The hold doubles
//! each time that a pair which was gone back to fails within the hold, up to a limit; otherwise it
//! is `failback_hold` again. So between two times there is always `failback_hold` at least, and a
//! path that keeps failing soon is gone back to at most `1 + log2(1 + t / failback_hold)` times in
//! a time `t`, until the hold has its limit, and then once in `failback_hold_max`.

use super::{
    super::time::{
        Instant,
        Interval, //
    },
    ranking::{
        Candidates,
        Rank,
        RankedPair,
        Ranking, //
    },
    Constants, //
};

/// When a better pair may be tried.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Failback {
    /// The hold that the last failure led to; zero if there was none.
    hold: Interval,
    /// When a better pair may be tried; [`None`] if there is no reason to.
    due: Option<Instant>,
    /// When a better pair was last gone back to.
    back: Option<Instant>,
    /// The pair that was tried last and did not answer; those behind it have their turn.
    behind: Option<Rank>,
}

impl Failback {
    /// Nothing has failed.
    pub(super) const NONE: Self = Self {
        hold: Interval::from_millis(0),
        due: None,
        back: None,
        behind: None,
    };

    /// When a better pair is to be tried.
    pub(super) fn due(&self, constants: &Constants) -> Option<Instant> {
        self.due
            .filter(|_| constants.failback_hold > Interval::from_millis(0))
    }

    /// Whether nothing has failed that would make a difference.
    pub(super) fn is_forgotten(&self, now: Instant) -> bool {
        self.due.is_none()
            && self.behind.is_none()
            && self.back.is_none_or(|back| now.since(back) > self.hold)
    }

    /// The current pair has failed and is another now.
    pub(super) fn failed(&mut self, constants: &Constants, now: Instant) {
        let relapsed = self
            .back
            .take()
            .is_some_and(|back| now.since(back) <= self.hold);

        self.hold = if relapsed {
            self.hold.saturating_double()
        } else {
            constants.failback_hold
        }
        .max(constants.failback_hold)
        .min(constants.failback_hold_max);
        self.behind = None;
        self.wait(now);
    }

    /// A better pair did not answer.
    pub(super) fn rejected(&mut self, rank: Option<Rank>, constants: &Constants, now: Instant) {
        self.behind = rank;
        self.hold = self.hold.max(constants.failback_hold);
        self.wait(now);
    }

    /// A better pair is the current one.
    pub(super) fn went_back(&mut self, now: Instant) {
        self.back = Some(now);
        self.behind = None;
        // There may be one that is still better.
        self.wait(now);
    }

    /// Locators or preferences have changed. `is_wish` if somebody asked for it: then there is no
    /// hold. Nothing is waited for if no pair is better now.
    pub(super) fn reconsider(
        &mut self,
        is_wish: bool,
        has_better: bool,
        constants: &Constants,
        now: Instant,
    ) {
        self.behind = None;
        if is_wish {
            self.due = Some(now);
        } else if self.due.is_none() && has_better {
            self.hold = self.hold.max(constants.failback_hold);
            self.wait(now);
        }
    }

    /// There is no better pair.
    pub(super) fn rest(&mut self) {
        self.due = None;
        self.behind = None;
    }

    fn wait(&mut self, now: Instant) {
        self.due = Some(now.saturating_add(self.hold));
    }

    /// The best pair that is better than the one that is used.
    pub(super) fn choose<C: Candidates>(
        &self,
        ranking: &Ranking<'_, C>,
        current: &Rank,
    ) -> Option<RankedPair> {
        let best = |behind: Option<Rank>| {
            ranking
                .usable()
                .filter(|ranked| ranked.rank < *current)
                .filter(|ranked| behind.is_none_or(|behind| ranked.rank > behind))
                .min_by_key(|ranked| ranked.rank)
        };
        best(self.behind).or_else(|| best(None))
    }
}
