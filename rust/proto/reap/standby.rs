// SPDX-License-Identifier: GPL-2.0

//! A second pair that is kept confirmed, so that a failure needs no exploration.
//!
//! RFC 5534 has no message for this: a Probe says that something is wrong, and one that does not
//! is not answered (Section 6.9). So the peer is asked with an ordinary Update Request over that
//! pair, whose acknowledgement has its nonce (RFC 5533, Section 10). Reports of probes count as
//! well. Only a context in use does this.

use super::{
    super::{
        locator::LocatorPair,
        random::Random,
        time::{
            Instant,
            Interval, //
        }, //
    },
    constants::{
        part,
        Chance, //
    },
    ranking::{
        Candidates,
        Places,
        RankedPair,
        Ranking, //
    },
    ConfirmPurpose,
    Constants, //
};

/// A question to the peer that is not answered yet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Confirmation {
    pub(super) pair: LocatorPair,
    pub(super) purpose: ConfirmPurpose,
    pub(super) attempt: u8,
    /// When it is asked again, or given up.
    pub(super) due: Instant,
}

impl Confirmation {
    /// The first or another try.
    pub(super) fn ask(
        pair: LocatorPair,
        purpose: ConfirmPurpose,
        attempt: u8,
        constants: &Constants,
        now: Instant,
        random: &mut impl Random,
    ) -> Self {
        let doublings = u32::from(attempt.saturating_sub(1)).min(8);
        let timeout = part(constants.confirm_timeout, 1 << doublings, 1);
        Self {
            pair,
            purpose,
            attempt,
            due: now.saturating_add(Chance::draw(random).around(timeout)),
        }
    }
}

/// The least time between the first questions over two pairs. The current pair may change with each
/// locator that comes or goes at either end, and each change begins the search for a standby anew.
const SPACING: Interval = Interval::from_secs(1);

/// The second pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Standby {
    /// The pair and when it was last confirmed.
    ready: Option<(LocatorPair, Instant)>,
    /// When the next pair is to be confirmed; [`None`] for as soon as possible.
    next: Option<Instant>,
    /// When the peer was last asked over another pair than before.
    asked: Option<Instant>,
    /// Pairs that did not answer since `next` last passed.
    cold: Places,
}

impl Standby {
    /// None, and none is kept yet.
    pub(super) fn new() -> Self {
        Self {
            ready: None,
            next: None,
            asked: None,
            cold: Places::default(),
        }
    }

    /// The pair that is ready at `now`: not the current one, and confirmed not longer ago than
    /// two intervals, in which one confirmation can fail and another be tried.
    pub(super) fn ready(
        &self,
        constants: &Constants,
        now: Instant,
        current: &LocatorPair,
    ) -> Option<LocatorPair> {
        let lifetime = constants.standby_interval.saturating_double();
        self.ready
            .filter(|(pair, confirmed)| pair != current && now.since(*confirmed) <= lifetime)
            .map(|(pair, _)| pair)
    }

    /// Whether no pair is ready, and another one would be looked for at once.
    pub(super) fn is_forgotten(
        &self,
        constants: &Constants,
        now: Instant,
        current: &LocatorPair,
    ) -> bool {
        self.ready(constants, now, current).is_none() && self.next(constants, now) <= now
    }

    /// A pair was proved to work.
    pub(super) fn confirm(&mut self, pair: LocatorPair, now: Instant) {
        self.ready = Some((pair, now));
    }

    /// The pair that was asked for is ready, or none can be had: nothing to do for an interval.
    pub(super) fn rest(&mut self, constants: &Constants, now: Instant, random: &mut impl Random) {
        self.cold.clear();
        let interval = Chance::draw(random).below(constants.standby_interval);
        self.next = Some(now.saturating_add(interval));
    }

    /// A pair did not answer; true if it was the one that is ready.
    pub(super) fn give_up(&mut self, ranked: Option<RankedPair>, pair: &LocatorPair) -> bool {
        if let Some(ranked) = ranked {
            self.cold.insert(ranked.place);
        }
        let was_ready = self.ready.is_some_and(|(ready, _)| ready == *pair);
        if was_ready {
            self.ready = None;
        }
        was_ready
    }

    /// Pairs or preferences have changed, or the current pair has: begins with the best pair, as soon
    /// as may be.
    pub(super) fn restart(&mut self) {
        self.cold.clear();
        self.next = None;
    }

    /// When a pair is to be confirmed next.
    pub(super) fn next(&self, constants: &Constants, now: Instant) -> Instant {
        let spacing = SPACING.min(part(constants.standby_interval, 1, 2));
        let earliest = self.asked.map(|asked| asked.saturating_add(spacing));
        let next = self.next.unwrap_or(now);
        earliest.map_or(next, |earliest| next.max(earliest))
    }

    /// The peer is asked over a pair.
    pub(super) fn ask(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// The pair to confirm now: that with least in common with the current one. [`None`] if none
    /// is left.
    pub(super) fn choose<C: Candidates>(
        &self,
        ranking: &Ranking<'_, C>,
        current: &LocatorPair,
        random: &mut impl Random,
    ) -> Option<RankedPair> {
        ranking.best(random, |ranked| {
            (ranked.pair != *current && !self.cold.has(ranked.place)).then_some(ranked.rank)
        })
    }
}
