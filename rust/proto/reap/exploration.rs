// SPDX-License-Identifier: GPL-2.0

//! The search for a pair that works: which one is probed next, and when (RFC 5534, Section 4.3).

use super::{
    super::{
        locator::LocatorPair,
        random::Random,
        time::{
            Instant,
            Interval, //
        },
        wire::probe::ProbeRecord, //
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
    record::{
        arrival_pair,
        Newest,
        Sent, //
    },
    Constants, //
};

/// Sequential probing with exponential back-off, and what both ends have probed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Exploration {
    pub(super) sent: Newest<Sent>,
    pub(super) received: Newest<ProbeRecord>,
    /// When the next Probe is due; [`None`] while there is no exploration.
    pub(super) next: Option<Instant>,
    /// The interval that led there, before it was randomized.
    interval: Interval,
    /// Initial probes that have been sent.
    initial: u8,
    /// The pair that is thought to have failed.
    failed: Option<LocatorPair>,
    /// Whether the current pair gets its chance first: the failure may have been short, or the
    /// peer's direction only (RFC 5534, Appendix A).
    current_first: bool,
    /// Pairs that were probed in this round.
    tried: Places,
    /// Pairs over which a probe of the peer came in this round.
    heard: Places,
    /// Whether this round was begun anew.
    is_restarted: bool,
    /// When this exploration, or its last burst of initial probes, began.
    began: Instant,
}

impl Exploration {
    /// Nothing is being explored.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sent: Newest::NONE,
            received: Newest::NONE,
            next: None,
            interval: Interval::from_millis(0),
            initial: 0,
            failed: None,
            current_first: false,
            tried: Places::default(),
            heard: Places::default(),
            is_restarted: false,
            began: now,
        }
    }

    /// Begins: the first Probe is due then.
    pub(super) fn begin(&mut self, first: Instant, failed: LocatorPair, current_first: bool) {
        self.failed = Some(failed);
        self.current_first = current_first;
        self.burst(first);
        self.begin_round();
    }

    /// The pair that is thought to have failed, or was.
    pub(super) const fn failed(&self) -> Option<LocatorPair> {
        self.failed
    }

    /// Begins with the initial probes again, the first of them then.
    fn burst(&mut self, first: Instant) {
        self.next = Some(first);
        self.initial = 0;
        self.began = first;
    }

    /// Begins with the initial probes again, because this host has got a locator that may work.
    /// Not more often than once in a quarter of Max Probe Timeout: a locator that comes and goes
    /// must not make a storm. Nor may it keep pairs from their turn, so it is heeded as hints are.
    pub(super) fn retry(&mut self, constants: &Constants, now: Instant) {
        self.heed();
        if now.since(self.began) >= part(constants.max_probe_timeout, 1, 4) {
            self.burst(now);
        }
    }

    /// Ends: both ends are content. Probes are remembered for a while, for reports that are late.
    pub(super) fn end(&mut self) {
        self.next = None;
    }

    /// Begins with the best pair again.
    pub(super) fn restart_list(&mut self) {
        self.tried.clear();
        self.heard.clear();
    }

    /// Something says once more that the current pair does not work, or that another may: begins with
    /// the best pair again, once in a round. What comes more often than Probes would keep all others
    /// from their turn.
    pub(super) fn heed(&mut self) {
        if !self.is_restarted {
            self.restart_list();
            self.is_restarted = true;
        }
    }

    fn begin_round(&mut self) {
        self.restart_list();
        self.is_restarted = false;
    }

    /// Forgets what both ends have probed.
    pub(super) fn forget(&mut self) {
        self.sent.clear();
        self.received.clear();
    }

    /// Notes a probe of the peer, unless it has come before. `is_true` if it came over the pair
    /// that it says.
    pub(super) fn hear<C: Candidates>(
        &mut self,
        record: ProbeRecord,
        is_true: bool,
        ranking: &Ranking<'_, C>,
    ) {
        if !self.received.iter().any(|known| *known == record) {
            self.received.push(record);
        }
        if !is_true {
            return;
        }
        // One direction works, so the other is worth another try; once, or a pair that only the
        // peer can use would keep all others from being tried.
        let found = ranking.find(&arrival_pair(&record));
        if let Some(ranked) = found.filter(|ranked| self.heard.insert(ranked.place)) {
            self.tried.remove(ranked.place);
        }
    }

    /// The locators in the order of this exploration.
    pub(super) fn ranking<'a, C: Candidates>(
        &self,
        candidates: &'a C,
        ulids: &'a super::UlidPair,
    ) -> Ranking<'a, C> {
        Ranking::new(candidates, ulids, self.failed)
    }

    /// The pair to probe next, which counts as tried then, and whether a new round began with it.
    /// With `follow`, pairs that the peer's probes came on go first.
    pub(super) fn next_pair<C: Candidates, R: Random>(
        &mut self,
        ranking: &Ranking<'_, C>,
        current: &LocatorPair,
        follow: bool,
        random: &mut R,
    ) -> Option<(RankedPair, bool)> {
        let mut is_new_round = false;
        let mut found = self.best(ranking, current, follow, random);

        if found.is_none() {
            self.begin_round();
            self.current_first = false;
            is_new_round = true;
            found = self.best(ranking, current, follow, random);
        }
        let ranked = found?;
        self.tried.insert(ranked.place);
        Some((ranked, is_new_round))
    }

    /// The best of the pairs that were not tried.
    fn best<C: Candidates, R: Random>(
        &self,
        ranking: &Ranking<'_, C>,
        current: &LocatorPair,
        follow: bool,
        random: &mut R,
    ) -> Option<RankedPair> {
        ranking.best(random, |ranked| {
            if self.tried.has(ranked.place) {
                return None;
            }
            let age = || {
                let mut records = self.received.iter();
                records.position(|record| arrival_pair(record) == ranked.pair)
            };
            let turn = match follow.then(age).flatten() {
                Some(age) => (0, age),
                None if self.current_first && ranked.pair == *current => (1, 0),
                None => (2, 0),
            };
            Some((turn, ranked.rank))
        })
    }

    /// A slot of the schedule has been used: says when the next one is.
    pub(super) fn advance(
        &mut self,
        constants: &Constants,
        now: Instant,
        random: &mut impl Random,
    ) {
        let nominal = if self.initial < constants.initial_probes {
            self.initial = self.initial.saturating_add(1);
            constants.initial_probe_timeout
        } else {
            self.interval
        };
        let is_initial = self.initial < constants.initial_probes;
        self.interval = if is_initial {
            nominal
        } else {
            part(nominal, u32::from(constants.backoff), 1)
        }
        .min(constants.max_probe_timeout);
        self.next = Some(now.saturating_add(Chance::draw(random).around(self.interval)));
    }
}
