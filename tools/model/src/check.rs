// SPDX-License-Identifier: GPL-2.0

//! Every state that two hosts can come to within a number of steps, breadth first.
//!
//! The network is a set of packets of which any can arrive next, be lost, or arrive and stay to
//! arrive again. A timer may expire at any time while it runs. There is no clock: the time is
//! always the last one there is, so all deadlines are now, and what differs only in when it
//! happened is one state. Numbers that hosts draw are the smallest that nobody holds: a nonce or a
//! tag that is drawn is always new, but states do not differ in which numbers were drawn before.

mod model;

use std::{
    collections::HashSet,
    fmt,
    time::{
        Duration,
        Instant as Clock, //
    }, //
};

use crate::{
    host::Confused,
    settle::agree, //
};

use self::model::{
    probe,
    Event,
    Model,
    Rules, //
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
    /// Local triggers of the two hosts together.
    pub triggers: u8,
    /// Packets that arrive and stay under way.
    pub duplicates: u8,
    /// Times that a host loses its contexts.
    pub forgets: u8,
    /// Whether a host that does also loses the secret of its validators.
    pub restarts: bool,
    /// Packets sent over established contexts.
    pub payloads: u8,
    /// Changes of a host's locators.
    pub announces: u8,
    /// Contexts that can exist between the hosts: one, and forks.
    pub contexts: u8,
    /// Tags that a host can draw, if they are to be few; every choice is explored.
    pub tags: Option<u8>,
    /// What becomes of a context whose peer gave its tag to another one.
    pub confused: Confused,
    /// Whether the hosts have to come to agree from every state, once messages get through.
    pub settle: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: 12,
            states: usize::MAX,
            packets: 3,
            triggers: 2,
            duplicates: 1,
            forgets: 1,
            restarts: false,
            payloads: 1,
            announces: 0,
            contexts: 1,
            tags: None,
            confused: Confused::Discard,
            settle: true,
        }
    }
}

/// What was explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// Steps between them, those to a state seen before included.
    pub steps: usize,
    /// Steps from the start to the states furthest away that were left.
    pub depth: usize,
    /// Whether there are no other states: every step from every state was taken.
    pub complete: bool,
    /// Different states on the ways to agreement.
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
             {settled} states on the way to agreement, {time:.1} s"
        )
    }
}

/// A state in which something is wrong, and the way there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterexample {
    /// What is wrong.
    pub wrong: String,
    /// What happened, step by step.
    pub trace: Vec<String>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.trace.iter().enumerate() {
            writeln!(f, "{:3} {step}", number + 1)?;
        }
        write!(f, "wrong: {}", self.wrong)
    }
}

/// The exploration.
pub struct Checker {
    rules: Rules,
    /// States from which the hosts come to agree.
    settled: HashSet<u128>,
}

impl Checker {
    /// An exploration within these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            rules: Rules::new(bounds),
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
        let start = self.rules.start();
        let mut seen = HashSet::from([start.fingerprint(true)]);
        // Where each state came from, to find the way back to it.
        let mut origins: Vec<Option<(usize, Event)>> = vec![None];
        let mut frontier = vec![(0, start)];
        let (mut steps, mut depth) = (0, 0);

        while !frontier.is_empty()
            && depth < self.rules.bounds.depth
            && seen.len() < self.rules.bounds.states
        {
            depth += 1;
            let mut next = vec![];
            for (origin, model) in frontier {
                for event in self.rules.events(&model) {
                    steps += 1;
                    let mut after = model.clone();
                    self.rules.apply(&mut after, event);
                    if !seen.insert(after.fingerprint(true)) {
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

    /// Whether a state is as it has to be.
    fn judge(&mut self, model: &Model) -> Result<(), String> {
        for host in &model.hosts {
            host.check(&self.rules.sets)?;
        }
        if self.rules.bounds.settle {
            self.settles(model)?;
        }
        Ok(())
    }

    /// Whether the hosts come to agree from here, now that all packets arrive in some order and
    /// timers expire only when nothing is under way. The first host asks for contexts that it does
    /// not have; both use those that they have.
    fn settles(&mut self, model: &Model) -> Result<(), String> {
        let mut model = model.clone();
        model.room = usize::MAX;
        let mut way = vec![];

        for _ in 0..60 {
            self.drain(&mut model)?;
            let fingerprint = model.fingerprint(false);
            if self.settled.contains(&fingerprint) || self.agreed(&model) {
                way.push(fingerprint);
                self.settled.extend(way);
                return Ok(());
            }
            way.push(fingerprint);

            for context in 0..self.rules.bounds.contexts {
                for host in [0, 1] {
                    let identity = self.rules.identity(host, context);
                    self.rules.step(&mut model, host, 0, |host, world| {
                        host.send_payload(world, &identity);
                        probe(host, world, &identity);
                    });
                    self.drain(&mut model)?;
                }
                let identity = self.rules.identity(0, context);
                self.rules.step(&mut model, 0, context, |host, world| {
                    host.expire_negatives(world.now);
                    host.trigger(world, identity);
                });
                self.drain(&mut model)?;
            }
            for host in [0, 1] {
                self.rules
                    .step(&mut model, host, 0, |host, world| host.timeout(world));
            }
        }
        Err(format!("no agreement:\n{:#?}", model.hosts))
    }

    /// Lets packets arrive until none is under way.
    fn drain(&self, model: &mut Model) -> Result<(), String> {
        for _ in 0..200 {
            let Some(packet) = model.packets.pop_first() else {
                return Ok(());
            };
            self.rules.arrive(model, 0, &packet);
            for host in &model.hosts {
                host.check(&self.rules.sets)?;
            }
        }
        Err(format!("no end of packets: {:?}", model.packets))
    }

    /// Whether the hosts agree about all contexts.
    fn agreed(&self, model: &Model) -> bool {
        match &model.hosts[..] {
            [a, b] => self
                .rules
                .identities
                .iter()
                .all(|identity| agree(a, b, identity)),
            _ => false,
        }
    }

    /// The way to a state in words.
    fn trace(&self, origins: &[Option<(usize, Event)>], mut number: usize) -> Vec<String> {
        let mut events = vec![];
        while let Some(Some((origin, event))) = origins.get(number) {
            events.push(*event);
            number = *origin;
        }
        let mut model = self.rules.start();
        let mut trace = vec![];
        for event in events.into_iter().rev() {
            let packet = match event {
                Event::Arrive { packet, .. } | Event::Lose { packet } => {
                    format!("\n      {:?}", model.nth(packet))
                }
                _ => String::new(),
            };
            self.rules.apply(&mut model, event);
            trace.push(format!("{event:?}{packet}\n{:#?}", model.hosts));
        }
        trace
    }
}
