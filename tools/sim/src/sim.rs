// SPDX-License-Identifier: GPL-2.0

//! A run: what happens, one event after the other, from the first packet to the last context.

mod happen;
mod trace;

use std::{
    io::Write,
    panic::{
        catch_unwind,
        AssertUnwindSafe, //
    }, //
};

use shim6_proto::{
    locator::{
        Ulid,
        UlidPair, //
    },
    time::{
        Instant,
        Interval, //
    }, //
};

use crate::{
    audit::{
        check_end,
        check_settled,
        Arrivals,
        Finding,
        Meter,
        Relation,
        View, //
    },
    dice::Dice,
    event::{
        Event,
        Queue, //
    },
    flow::Flow,
    host::Host,
    liar::Liar,
    map::Map,
    net::Net,
    scenario::{
        Scenario,
        SETTLE,
        START,
        TEARDOWN, //
    },
    stats::{
        Statistics,
        Violation, //
    },
    Options, //
};

/// More events than any run of the sizes that are drawn can have: there is no end of them.
const MOST_EVENTS_A_HOST: u64 = 1_000_000;

/// A run.
pub struct Sim<'w> {
    seed: u64,
    options: Options,
    now: Instant,
    queue: Queue,
    net: Net,
    hosts: Vec<Host>,
    flows: Vec<Flow>,
    relations: Vec<Relation>,
    /// The relation of two ULIDs, whichever comes first.
    by_ulids: Map<(Ulid, Ulid), usize>,
    meters: Vec<Meter>,
    arrivals: Arrivals,
    liar: Liar,
    /// When routers last sent each host an error.
    errors: Vec<Option<Instant>>,
    has_icmp: bool,
    has_hints: bool,
    is_late: bool,
    serial: u64,
    /// For the network, for the hosts, for liars.
    dice: [Dice; 3],
    statistics: Statistics,
    trace: Option<&'w mut dyn Write>,
}

/// Lets a seed run, and says what was counted.
pub fn run(seed: u64, options: &Options) -> Statistics {
    attempt(seed, options, None)
}

/// Lets a seed run, and tells what happens.
pub fn replay(seed: u64, options: &Options, trace: &mut dyn Write) -> Statistics {
    attempt(seed, options, Some(trace))
}

/// `panic`: protocol code that panics is a kernel that does. The panic itself says on standard error
/// where it was.
fn attempt(seed: u64, options: &Options, trace: Option<&mut dyn Write>) -> Statistics {
    // What the run had is gone with it.
    let run = AssertUnwindSafe(|| Sim::new(seed, options, trace).run());
    catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied());
        let violation = Violation {
            seed,
            check: "panic",
            at: None,
            text: text.unwrap_or_default().to_owned(),
        };
        Statistics {
            seeds: 1,
            violations: vec![violation],
            ..Statistics::default()
        }
    })
}

impl<'w> Sim<'w> {
    fn new(seed: u64, options: &Options, trace: Option<&'w mut dyn Write>) -> Self {
        let scenario = Scenario::draw(seed, options);
        let hosts = scenario.hosts.len();
        let mut sim = Self {
            seed,
            options: options.clone(),
            now: START,
            queue: Queue::default(),
            net: scenario.net,
            hosts: scenario.hosts,
            flows: scenario.flows,
            relations: vec![],
            by_ulids: Map::default(),
            meters: (0..hosts).map(|_| Meter::default()).collect(),
            arrivals: Arrivals::default(),
            liar: Liar::default(),
            errors: vec![None; hosts],
            has_icmp: scenario.has_icmp,
            has_hints: scenario.has_hints,
            is_late: scenario.is_late,
            serial: 0,
            dice: [2, 3, 4].map(|stream| Dice::new(seed, stream)),
            statistics: Statistics {
                seeds: 1,
                hosts: hosts as u64,
                most_hosts: hosts as u64,
                digest: 0xcbf2_9ce4_8422_2325,
                ..Statistics::default()
            },
            trace,
        };
        sim.relate();
        for (flow, index) in sim.flows.iter().zip(0..) {
            sim.queue.push(flow.opens, Event::Open(index));
            sim.queue.push(flow.closes, Event::Close(index));
        }
        for incident in &scenario.incidents {
            let begins = Event::Fault(Box::new(incident.fault), true);
            sim.queue.push(incident.begins, begins);
            let ends = Event::Fault(Box::new(incident.fault), false);
            sim.queue.push(incident.ends, ends);
        }
        for (host, locator, begins, ends) in scenario.claims {
            let host = host as u32;
            sim.queue
                .push(begins, Event::Claim(host, Some(Box::new(locator))));
            sim.queue.push(ends, Event::Claim(host, None));
        }
        // A moment before the last flows end.
        let settled = scenario.healed.saturating_add(SETTLE);
        let before = Instant::from_millis(settled.as_millis() - 1);
        sim.queue.push(before, Event::Settled);
        sim.queue.push(settled.saturating_add(TEARDOWN), Event::End);
        sim.queue.push(START, Event::Audit);
        sim
    }

    /// Which ULIDs talk.
    fn relate(&mut self) {
        for (flow, index) in self.flows.iter().zip(0..) {
            let UlidPair { local, peer } = flow.ulids(0);
            let ends = flow.ends.map(|end| (end.host, end.ulid));
            let relations = &mut self.relations;
            let relation = *self.by_ulids.entry((local, peer)).or_insert_with(|| {
                relations.push(Relation::new(ends));
                relations.len() - 1
            });
            self.by_ulids.insert((peer, local), relation);
            if let Some(relation) = self.relations.get_mut(relation) {
                let is_swapped = relation.ends != ends;
                relation.flows.push((index, is_swapped));
            }
        }
    }

    fn run(mut self) -> Statistics {
        let most = MOST_EVENTS_A_HOST * self.hosts.len() as u64;
        let found = loop {
            let Some((at, event)) = self.queue.pop() else {
                break None;
            };
            self.now = at;
            self.statistics.events += 1;
            if self.statistics.events > most {
                break Some(("storm", "there is no end of events".to_owned()));
            }
            match event {
                Event::End => break check_end(&self.view()).err(),
                event => {
                    if let Err(finding) = self.happen(event) {
                        break Some(finding);
                    }
                }
            }
        };
        if let Some((check, text)) = found {
            let violation = Violation {
                seed: self.seed,
                check,
                at: Some(self.age()),
                text,
            };
            self.tell(|| format!("VIOLATION {violation}"));
            self.statistics.violations.push(violation);
        }
        self.statistics
    }

    /// What checks look at.
    fn view(&self) -> View<'_> {
        View {
            now: self.now,
            net: &self.net,
            hosts: &self.hosts,
            flows: &self.flows,
            has_lied: self.statistics.lies > 0,
        }
    }

    /// Looks at all relations.
    fn audit_all(&mut self) -> Result<(), Finding> {
        (0..self.relations.len()).try_for_each(|relation| self.audit(relation))
    }

    /// Looks at one relation.
    fn audit(&mut self, relation: usize) -> Result<(), Finding> {
        let view = View {
            now: self.now,
            net: &self.net,
            hosts: &self.hosts,
            flows: &self.flows,
            has_lied: self.statistics.lies > 0,
        };
        let Some(relation) = self.relations.get_mut(relation) else {
            return Ok(());
        };
        if let Some(recovery) = relation.audit(&view)? {
            let share = recovery.took * 1000 / recovery.bound.max(1);
            let statistics = &mut self.statistics;
            statistics.recoveries.push(recovery.took as u32);
            statistics.worst_share = statistics.worst_share.max(share as u32);
            let [(one, _), (other, _)] = relation.ends;
            self.tell(|| {
                let (took, bound) = (recovery.took, recovery.bound);
                format!("hosts {one} and {other} recovered in {took} ms, the bound is {bound}")
            });
        }
        Ok(())
    }

    /// Everything has had time to settle.
    fn check_settled(&self) -> Result<(), Finding> {
        let view = self.view();
        check_settled(&view)?;
        let mut relations = self.relations.iter();
        relations.try_for_each(|relation| relation.check_settled(&view))
    }

    /// How long a run has lasted.
    fn age(&self) -> Interval {
        self.now.since(START)
    }
}
