// SPDX-License-Identifier: GPL-2.0

//! Every state that REAP (RFC 5534) can come to at the two ends of a context within a number of
//! steps, breadth first. Each end has two locators, and each of the eight directions between them
//! can fail.
//!
//! Any packet under way can arrive next or be lost, a timer may expire at any time while it runs,
//! either end may send payload or be told that something is wrong. From every state that is found,
//! the ends have to become Operational, over pairs that work, as soon as one pair works in each
//! direction, whichever these are.

mod model;

use std::{
    collections::HashSet,
    fmt,
    time::{
        Duration,
        Instant as Clock, //
    }, //
};

use shim6_proto::reap::{
    Expiry,
    State, //
};

use crate::check::Counterexample;

use self::model::{
    Event,
    Model,
    Paths, //
};

/// What is explored.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Steps from the start.
    pub depth: usize,
    /// States after which to stop.
    pub states: usize,
    /// Packets under way at a time; one that would be more is lost.
    pub packets: usize,
    /// Payload packets that the ends send before the paths are repaired.
    pub payloads: u8,
    /// Times that an end is told that something is wrong.
    pub hints: u8,
    /// What is wrong on purpose, to see that it is found.
    pub bug: Option<Bug>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: 6,
            states: usize::MAX,
            packets: 2,
            payloads: 4,
            hints: 2,
            bug: None,
        }
    }
}

/// Something that a wrong implementation might do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bug {
    /// Probes do not report those that were received.
    NoReports,
    /// Nothing is sent again.
    NoRetransmission,
    /// The Send Timer does not expire.
    NoSendTimeout,
}

/// What was explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// Steps between them, those to a state seen before included.
    pub steps: usize,
    /// Steps from the start to the states furthest away.
    pub depth: usize,
    /// Whether there are no other states within the bounds on payload and hints.
    pub complete: bool,
    /// Different states on the ways to recovery, counted for each pair of paths.
    pub settled: usize,
    /// How long it took.
    pub time: Duration,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            states,
            steps,
            depth,
            complete,
            settled,
            time,
        } = self;
        let extent = if *complete {
            "all there are"
        } else {
            "within the bounds"
        };
        let time = time.as_secs_f32();
        write!(
            f,
            "{states} states ({extent}), {steps} steps, depth {depth}, \
             {settled} states on the way to recovery, {time:.1} s"
        )
    }
}

/// The exploration.
pub struct Checker {
    bounds: Bounds,
    /// States from which the ends recover, with the paths that work.
    settled: HashSet<u128>,
}

impl Checker {
    /// An exploration within these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            settled: HashSet::new(),
        }
    }

    /// Explores.
    ///
    /// # Errors
    ///
    /// The first state in which something is wrong: none is nearer to the start.
    pub fn run(&mut self) -> Result<Explored, Box<Counterexample>> {
        let clock = Clock::now();
        let start = Model::start(&self.bounds);
        let mut seen = HashSet::from([start.fingerprint(0)]);
        // Where each state came from, to find the way back to it.
        let mut origins: Vec<Option<(usize, Event)>> = vec![None];
        let mut frontier = vec![(0, start)];
        let (mut steps, mut depth) = (0, 0);

        while !frontier.is_empty() && depth < self.bounds.depth && seen.len() < self.bounds.states {
            depth += 1;
            let mut next = vec![];
            for (origin, model) in frontier {
                for event in model.events() {
                    steps += 1;
                    let mut after = model.clone();
                    after.apply(event);
                    if !seen.insert(after.fingerprint(0)) {
                        continue;
                    }
                    origins.push(Some((origin, event)));
                    let number = origins.len() - 1;
                    if let Err(wrong) = self.judge(&after) {
                        let trace = self.trace(&origins, number);
                        return Err(Box::new(Counterexample { wrong, trace }));
                    }
                    next.push((number, after));
                }
            }
            frontier = next;
        }
        Ok(Explored {
            states: seen.len(),
            steps,
            depth,
            complete: frontier.is_empty(),
            settled: self.settled.len(),
            time: clock.elapsed(),
        })
    }

    /// Whether a state is as it has to be, and the ends recover from it whatever paths work.
    fn judge(&mut self, model: &Model) -> Result<(), String> {
        model.check()?;
        for paths in Paths::all() {
            for is_busy in [true, false] {
                self.settles(model, paths, is_busy)?;
            }
        }
        Ok(())
    }

    /// Whether the ends recover over these paths: packets that do not go over them are lost, all
    /// others arrive. Each end sends payload all the time (`is_busy`) or none at all: then only what
    /// they have begun has to come to an end, and nobody looks at the current pairs.
    ///
    /// Between two times that Send Timers expire there is time for many Probes, as in the RFC.
    fn settles(&mut self, model: &Model, paths: Paths, is_busy: bool) -> Result<(), String> {
        const ROUNDS: usize = 12;
        const PROBES: usize = 9;

        let salt = paths.number() * 2 + u64::from(is_busy) + 1;
        let mut model = model.clone();
        model.repair(paths);
        let mut way = vec![];

        model.drain()?;
        for _ in 0..ROUNDS {
            for _ in 0..PROBES {
                let fingerprint = model.fingerprint(salt);
                if self.settled.contains(&fingerprint) || model.has_recovered(paths, is_busy) {
                    way.push(fingerprint);
                    self.settled.extend(way);
                    return Ok(());
                }
                way.push(fingerprint);
                if is_busy {
                    for end in [0, 1] {
                        model.apply(Event::Payload { end });
                    }
                    model.drain()?;
                }
                self.expire(&mut model, Expiry::Probe)?;
                model.check()?;
            }
            self.expire(&mut model, Expiry::Keepalive)?;
            if is_busy {
                for end in [0, 1] {
                    model.apply(Event::Payload { end });
                }
                model.drain()?;
            }
            self.expire(&mut model, Expiry::Send)?;
        }
        Err(format!(
            "no recovery over {paths}, {}:\n{:#?}",
            if is_busy { "busy" } else { "silent" },
            model.ends
        ))
    }

    /// What runs at either end expires.
    fn expire(&self, model: &mut Model, expiry: Expiry) -> Result<(), String> {
        let never = match self.bounds.bug {
            Some(Bug::NoRetransmission) => Some(Expiry::Probe),
            Some(Bug::NoSendTimeout) => Some(Expiry::Send),
            Some(Bug::NoReports) | None => None,
        };
        if never == Some(expiry) {
            return Ok(());
        }
        for end in [0, 1] {
            if model.runs(usize::from(end), expiry) {
                model.apply(Event::Expire { end, expiry });
                model.drain()?;
            }
        }
        Ok(())
    }

    /// The way to a state in words.
    fn trace(&self, origins: &[Option<(usize, Event)>], mut number: usize) -> Vec<String> {
        let mut events = vec![];
        while let Some(Some((origin, event))) = origins.get(number) {
            events.push(*event);
            number = *origin;
        }
        let mut model = Model::start(&self.bounds);
        let mut trace = vec![];
        for event in events.into_iter().rev() {
            let packet = model.describe(event);
            model.apply(event);
            let states: Vec<(State, _)> = model
                .ends
                .iter()
                .map(|end| (end.reap.state(), end.reap.pair()))
                .collect();
            trace.push(format!("{event:?}{packet}\n      {states:?}"));
        }
        trace
    }
}
