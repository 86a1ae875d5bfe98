// SPDX-License-Identifier: GPL-2.0

//! Two ULIDs that talk: whether they have a context, whether it works, and how long it may take
//! until it does. The bounds are derived in the README.

use shim6_proto::{
    establish::State,
    locator::{
        LocatorPair,
        Ulid,
        UlidPair, //
    },
    reap,
    time::{
        Instant,
        Interval, //
    }, //
};

use super::{
    Finding,
    View, //
};
use crate::host::{
    default_identity,
    Context,
    Trigger, //
};

/// The most that an interval is randomized by in RFC 5534: 1.2 for Probes.
const PROBE_JITTER: (u64, u64) = (12, 10);

/// The Send Timeout is lengthened by a tenth at most.
const SEND_JITTER: (u64, u64) = (11, 10);

/// Time between two looks at all relations, in milliseconds.
pub const AUDIT: u64 = 10_000;

/// Two ULIDs that talk.
pub struct Relation {
    /// Hosts and ULIDs.
    pub ends: [(usize, Ulid); 2],
    /// Flows between them, and whether their first end is our second.
    pub flows: Vec<(u32, bool)>,
    /// Since when it could have recovered and has not, and how long it may take.
    recovery: Option<(Instant, u64)>,
    /// Since when it could have been established and has not.
    establishment: Option<Instant>,
    /// When both ends were last seen to agree.
    agreed: Option<Instant>,
    /// Since when all has been well.
    calm: Option<Instant>,
    /// Whether something is not well, so that it is worth to look at each packet that arrives.
    pub is_bad: bool,
}

/// A recovery that has come to its end.
#[derive(Clone, Copy, Debug)]
pub struct Recovery {
    /// How long it took, in milliseconds.
    pub took: u64,
    /// How long it might have taken.
    pub bound: u64,
}

/// What an audit has to know of the traffic.
struct Traffic {
    /// Since when there has been some without a pause.
    busy: Option<Instant>,
    /// The longest time between two packets, in milliseconds.
    gap: u64,
    /// Since when nothing has arrived that should have.
    stalled: Option<Instant>,
    /// Since when an end has asked for a context that it does not have, at the latest.
    asks: Option<Instant>,
    /// The time after which an end that is refused asks again, in milliseconds.
    patience: u64,
}

impl Relation {
    /// A relation without traffic.
    pub fn new(ends: [(usize, Ulid); 2]) -> Self {
        Self {
            ends,
            flows: vec![],
            recovery: None,
            establishment: None,
            agreed: None,
            calm: None,
            is_bad: false,
        }
    }

    /// The ULIDs as an end sees them.
    fn ulids(&self, end: usize) -> UlidPair {
        let [(_, first), (_, second)] = self.ends;
        if end == 0 {
            UlidPair {
                local: first,
                peer: second,
            }
        } else {
            UlidPair {
                local: second,
                peer: first,
            }
        }
    }

    /// The contexts of both ends.
    fn contexts<'a>(&self, view: &View<'a>) -> [Option<&'a Context>; 2] {
        let context = |end: usize| {
            let (host, _) = *self.ends.get(end)?;
            let table = &view.host(host).contexts;
            table.get(table.by_identity(&default_identity(self.ulids(end)))?)
        };
        [context(0), context(1)]
    }

    fn traffic(&self, view: &View<'_>, contexts: [Option<&Context>; 2]) -> Traffic {
        let now = view.now;
        let mut traffic = Traffic {
            busy: None,
            gap: 0,
            stalled: None,
            asks: None,
            patience: 0,
        };
        for (index, is_swapped) in &self.flows {
            let Some(flow) = view.flows.get(*index as usize) else {
                continue;
            };
            let period = u64::from(flow.period.as_millis());
            for end in [0, 1] {
                let Some(since) = flow.busy_since(end, now).filter(|_| flow.sends(end)) else {
                    continue;
                };
                traffic.busy = Some(traffic.busy.map_or(since, |busy| busy.min(since)));
                traffic.gap = traffic.gap.max(period * 11 / 10);
                let arrived = flow.end(1 - end).received.unwrap_or(since).max(since);
                let patience = 3 * period + u64::from(view.net.longest_delay()) + 1_000;
                if elapsed(arrived, now) > patience {
                    let stalled = traffic.stalled.unwrap_or(arrived);
                    traffic.stalled = Some(stalled.min(arrived));
                }
                let side = usize::from(end) ^ usize::from(*is_swapped);
                let host = self.ends.get(side);
                let is_provable = host.is_some_and(|(host, _)| view.host(*host).is_provable());
                let context = contexts.get(side).copied().flatten();
                let patience = match flow.trigger {
                    // Who has one that is established does not ask for it.
                    _ if context.is_some_and(is_established) => None,
                    Trigger::Impatient => Some(0),
                    Trigger::Auto(packets) if is_provable => {
                        Some(u64::from(packets + 1) * period * 11 / 10 + 1_000)
                    }
                    Trigger::Auto(_) => None,
                };
                traffic.patience = traffic.patience.max(patience.unwrap_or(0));
                let asks = patience.map(|patience| later(since, patience));
                traffic.asks = [traffic.asks, asks].into_iter().flatten().min();
            }
        }
        traffic
    }

    /// Looks at everything: `recovery` and `establishment`. Tells of a recovery that is complete.
    ///
    /// # Errors
    ///
    /// What takes too long.
    pub fn audit(&mut self, view: &View<'_>) -> Result<Option<Recovery>, Finding> {
        let legacy = |&(host, _): &(usize, Ulid)| view.host(host).settings.is_legacy;
        if self.ends.iter().any(legacy) {
            return Ok(None);
        }
        let contexts = self.contexts(view);
        let traffic = self.traffic(view, contexts);
        if let [Some(a), Some(b)] = contexts {
            if agree(a, b) {
                self.agreed = Some(view.now);
                self.establishment = None;
                return self.audit_agreed(view, &traffic, a, b);
            }
        }
        self.recovery = None;
        self.calm = None;
        self.is_bad = traffic.busy.is_some();
        self.audit_others(view, &traffic)?;
        Ok(None)
    }

    fn audit_agreed(
        &mut self,
        view: &View<'_>,
        traffic: &Traffic,
        a: &Context,
        b: &Context,
    ) -> Result<Option<Recovery>, Finding> {
        let now = view.now;
        let away = |context: &Context| {
            let watch = context.watch.as_ref()?;
            watch.left.filter(|_| watch.is_away)
        };
        let bad = [away(a), away(b), traffic.stalled]
            .into_iter()
            .flatten()
            .min();
        self.is_bad = bad.is_some();
        let Some(bad) = bad else {
            let recovered = self.recovery.take();
            self.note_calm(view, a, b);
            return Ok(recovered.map(|(start, bound)| Recovery {
                took: elapsed(start, now),
                bound,
            }));
        };
        self.calm = None;
        let ways = [ways(view, a, b), ways(view, b, a)];
        let is_good = view.net.is_quiet() && ways.iter().all(|ways| ways.working > 0);
        let Some(busy) = traffic.busy.filter(|_| is_good) else {
            self.recovery = None;
            return Ok(None);
        };
        let could = [view.net.changed, a.changed, b.changed, busy]
            .into_iter()
            .fold(bad, Instant::max);
        let (start, bound) = match self.recovery {
            Some((start, bound)) if start >= a.changed.max(b.changed) => (start, bound),
            _ => {
                let settings = self.ends.map(|(host, _)| view.host(host).settings.reap);
                (
                    could,
                    recovery_bound(view, traffic, [a, b], ways, settings, could),
                )
            }
        };
        self.recovery = Some((start, bound));
        if elapsed(start, now) > bound {
            let state = |context: &Context| {
                let watch = context.watch.as_ref();
                let state = watch.map(|watch| watch.reap.state().name());
                let LocatorPair { local, peer } = context.pair;
                format!("{} over {local} - {peer}", state.unwrap_or("nothing"))
            };
            let [(one, _), (other, _)] = self.ends;
            let text = format!(
                "hosts {one} and {other} could have recovered for {} s, the bound is {} s; {}, {}; \
                 {} and {} of {} and {} pairs work",
                elapsed(start, now) / 1000,
                bound / 1000,
                state(a),
                state(b),
                ways[0].working,
                ways[1].working,
                ways[0].usable,
                ways[1].usable
            );
            return Err(("recovery", text));
        }
        Ok(None)
    }

    /// No context on both sides that fit each other.
    fn audit_others(&mut self, view: &View<'_>, traffic: &Traffic) -> Result<(), Finding> {
        let now = view.now;
        let [(_, first), (_, second)] = self.ends.map(|(host, ulid)| (host, ulid.as_locator()));
        let works =
            view.net.is_quiet() && view.net.works(first, second) && view.net.works(second, first);
        // While packets get through between the ULIDs, nothing tells an end that has a context that
        // the other end has none, or another (RFC 5533, Section 7.5).
        let asks = traffic.asks.or(traffic.stalled).filter(|_| works);
        let Some(asks) = asks else {
            self.establishment = None;
            return Ok(());
        };
        let start = *self.establishment.get_or_insert_with(|| {
            let agreed = self.agreed.unwrap_or(asks);
            asks.max(view.net.changed).max(agreed)
        });
        // Something that changed since has begun it anew.
        let start = start.max(view.net.changed);
        let contexts = self.contexts(view);
        let slots: u64 = contexts
            .iter()
            .flatten()
            .map(|context| {
                let pairs = context.local.list.len() * context.peer.list.len();
                let away = context.watch.as_ref().and_then(|watch| watch.left);
                let away = away.map_or(0, |left| elapsed(left, start));
                schedule(away, 2 * pairs as u64 + 2, &reap::Constants::default())
            })
            .sum();
        let bound = establishment_bound(view, traffic) + slots;
        if elapsed(start, now) > bound {
            let state = |context: &Option<&Context>| {
                context.map_or("no context", |context| context.machine.state().name())
            };
            let [(one, _), (other, _)] = self.ends;
            let [a, b] = contexts;
            let text = format!(
                "hosts {one} and {other} could have agreed for {} s, the bound is {} s; {}, {}",
                elapsed(start, now) / 1000,
                bound / 1000,
                state(&a),
                state(&b)
            );
            return Err(("establishment", text));
        }
        Ok(())
    }

    fn note_calm(&mut self, view: &View<'_>, a: &Context, b: &Context) {
        // What comes from a locator that the other end does not know is not taken.
        let works = |from: &Context, to: &Context| {
            let LocatorPair { local, peer } = from.pair;
            let back = LocatorPair {
                local: peer,
                peer: local,
            };
            view.net.works(local, peer) && to.is_between(&back)
        };
        self.calm = if view.net.is_quiet() && works(a, b) && works(b, a) {
            self.calm.or(Some(view.now))
        } else {
            None
        };
    }

    /// `calm`: the Send Timeout of an end has passed without an answer. That must not be if both
    /// current pairs have worked for longer.
    ///
    /// # Errors
    ///
    /// That they have.
    pub fn check_timeout(&self, host: usize, view: &View<'_>) -> Result<(), Finding> {
        // An end that has lost its context since the last look does not answer.
        let (Some(calm), [Some(a), Some(b)]) = (self.calm, self.contexts(view)) else {
            return Ok(());
        };
        if !agree(a, b) {
            return Ok(());
        }
        let timeout = u64::from(view.host(host).settings.reap.send_timeout.as_millis());
        let longest = timeout * SEND_JITTER.0 / SEND_JITTER.1 + AUDIT;
        let well = elapsed(calm, view.now);
        if well > longest {
            let text = format!(
                "host {host} explores, and all has been well for {} s",
                well / 1000
            );
            return Err(("calm", text));
        }
        Ok(())
    }

    /// `settled`, of a relation in use: both ends agree, and each knows the list of the other.
    ///
    /// # Errors
    ///
    /// What they do not agree about.
    pub fn check_settled(&self, view: &View<'_>) -> Result<(), Finding> {
        let legacy = |&(host, _): &(usize, Ulid)| view.host(host).settings.is_legacy;
        let contexts = self.contexts(view);
        let traffic = self.traffic(view, contexts);
        let Some(busy) = traffic.busy else {
            return Ok(());
        };
        // When the last began that does not have what it asks for.
        let began = traffic.asks.map_or(busy, |asks| asks.max(busy));
        let is_new = elapsed(began, view.now) < establishment_bound(view, &traffic);
        if is_new || self.ends.iter().any(legacy) {
            return Ok(());
        }
        let [(one, _), (other, _)] = self.ends;
        let wrong = |what: &str| {
            let text = format!("hosts {one} and {other} {what} after all faults");
            Err(("settled", text))
        };
        if traffic.stalled.is_some() {
            return wrong("do not hear each other");
        }
        let (a, b) = match contexts {
            [Some(a), Some(b)] if agree(a, b) => (a, b),
            _ if traffic.asks.is_some() => return wrong("do not agree"),
            // Packets get through, so nobody can know.
            _ => return Ok(()),
        };
        let knows = |one: &Context, other: &Context| {
            let known = one.peer.list.iter().map(|known| known.locator);
            known.eq(other.local.list.iter().map(|record| record.locator))
        };
        // Who has heard an Update Request can repeat it when it is no longer true. Nothing in
        // RFC 5533 tells that from a new one.
        let is_known = knows(a, b) && knows(b, a);
        if !view.has_lied && !is_known {
            return wrong("do not know each other's locators");
        }
        Ok(())
    }
}

/// The time since `earlier`, in milliseconds.
fn elapsed(earlier: Instant, now: Instant) -> u64 {
    now.as_millis().saturating_sub(earlier.as_millis())
}

/// The time so many milliseconds later.
fn later(since: Instant, millis: u64) -> Instant {
    Instant::from_millis(since.as_millis() + millis)
}

fn is_established(context: &Context) -> bool {
    context.machine.state() == State::Established
}

/// Whether both are established with each other.
fn agree(a: &Context, b: &Context) -> bool {
    is_established(a)
        && is_established(b)
        && a.machine.peer_tag() == Some(b.machine.local_tag())
        && b.machine.peer_tag() == Some(a.machine.local_tag())
}

/// The pairs of one end.
#[derive(Clone, Copy)]
struct Ways {
    /// How many it may use.
    usable: u64,
    /// How many of these get to the other end, which takes what comes over them.
    working: u64,
}

fn ways(view: &View<'_>, from: &Context, to: &Context) -> Ways {
    let mut ways = Ways {
        usable: 0,
        working: 0,
    };
    let ulid = from.identity.ulids.local.as_locator();
    for record in &from.local.list {
        let local = record.locator;
        let is_known = local == ulid || from.is_acknowledged(local);
        if !is_known || !view.net.is_usable(local) {
            continue;
        }
        for known in &from.peer.list {
            ways.usable += 1;
            let back = LocatorPair {
                local: known.locator,
                peer: local,
            };
            let works = view.net.works(local, known.locator) && to.is_between(&back);
            ways.working += u64::from(works);
        }
    }
    ways
}

/// How long so many Probes of the schedule take from now on at most, if the exploration has lasted
/// for `away` milliseconds. The first of an exploration is sent at once.
fn schedule(away: u64, slots: u64, constants: &reap::Constants) -> u64 {
    let longest = u64::from(constants.max_probe_timeout.as_millis());
    let mut interval = u64::from(constants.initial_probe_timeout.as_millis());
    let mut initial = u64::from(constants.initial_probes).saturating_sub(1);
    let (mut earliest, mut total, mut left) = (0, 0, slots);
    while left > 0 {
        // As early as the interval can end.
        if earliest + interval * 8 / 10 <= away && interval < longest {
            earliest += interval * 8 / 10;
        } else {
            total += interval * PROBE_JITTER.0 / PROBE_JITTER.1;
            left -= 1;
        }
        if initial > 0 {
            initial -= 1;
        } else {
            interval = (interval * u64::from(constants.backoff)).min(longest);
        }
    }
    total
}

/// How long a recovery may take from `start` on, in milliseconds.
fn recovery_bound(
    view: &View<'_>,
    traffic: &Traffic,
    contexts: [&Context; 2],
    ways: [Ways; 2],
    settings: [reap::Constants; 2],
    start: Instant,
) -> u64 {
    let millis = |interval: Interval| u64::from(interval.as_millis());
    let timeout = settings.map(|settings| millis(settings.send_timeout));
    let [one, other] = timeout;
    let keepalive = one.max(other);
    let send = keepalive * SEND_JITTER.0 / SEND_JITTER.1;
    let slots: u64 = contexts
        .iter()
        .zip(ways)
        .zip(settings)
        .map(|((context, ways), settings)| {
            let watch = context.watch.as_ref();
            let left = watch.and_then(|watch| watch.left.filter(|_| watch.is_away));
            let away = left.map_or(0, |left| elapsed(left, start));
            schedule(away, 2 * (ways.usable - ways.working) + 2, &settings)
        })
        .sum();
    let delay = u64::from(view.net.longest_delay());
    keepalive + send + 2 * traffic.gap + slots + 2 * send + 6 * delay + AUDIT
}

/// How long it may take at most, in milliseconds, until both ends agree: what is left of a
/// handshake that cannot succeed any more, the time for which a peer is left alone and in which
/// packets that ask are counted in vain, and what it takes an end that does not know that the other
/// has lost its context to find out.
fn establishment_bound(view: &View<'_>, traffic: &Traffic) -> u64 {
    // Send Timeout of any host, I2 or I2bis three times, I1 after its last retransmission.
    const SEND: u64 = 33_000;
    const KEEPALIVE: u64 = 30_000;
    const I2: u64 = (4_000 + 8_000 + 16_000) * 3 / 2;
    const I1: u64 = 64_000 * 3 / 2;
    const HOLDDOWN: u64 = 60_000;

    let delay = u64::from(view.net.longest_delay());
    SEND + KEEPALIVE + I2 + I1 + HOLDDOWN + traffic.patience + 2 * traffic.gap + 8 * delay + AUDIT
}
