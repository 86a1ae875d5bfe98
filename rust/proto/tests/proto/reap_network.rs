// SPDX-License-Identifier: GPL-2.0

//! Two ends of a context and the paths between their locators, each of which can fail in each
//! direction. Messages go over it as octets, payload over the current pairs.

use std::collections::{
    BTreeMap,
    BTreeSet, //
};

use shim6_proto::{
    compose,
    locator::{
        Locator,
        LocatorPair,
        UlidPair, //
    },
    number::Nonce,
    reap::{
        Action,
        State, //
    },
    time::Instant,
    wire::{
        message::{
            Arrival,
            Message, //
        },
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

use crate::reap_support::*;

/// What is under way.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Content {
    Payload,
    /// A Keepalive or a Probe.
    Octets(Vec<u8>),
    /// An Update Request that confirms a pair, and its acknowledgement.
    Request,
    Acknowledgement,
}

/// A packet under way.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Packet {
    source: Locator,
    destination: Locator,
    content: Content,
}

/// What a message was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    Probe(Said),
    Keepalive,
    Request,
}

/// A message that an end sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Logged {
    pub(crate) at: u64,
    /// 0 or 1.
    pub(crate) end: usize,
    pub(crate) source: Locator,
    pub(crate) destination: Locator,
    pub(crate) sent: Sent,
    /// Whether it was not lost.
    pub(crate) arrives: bool,
}

impl Logged {
    /// End, source and destination, and Sta if it was a Probe.
    pub(crate) fn brief(&self) -> (usize, Locator, Locator, Option<ProbeState>) {
        let state = match &self.sent {
            Sent::Probe(said) => Some(said.state),
            Sent::Keepalive | Sent::Request => None,
        };
        (self.end, self.source, self.destination, state)
    }

    /// The nonces of the probes that are reported.
    pub(crate) fn reports(&self) -> Vec<Nonce> {
        match &self.sent {
            Sent::Probe(said) => said.received.iter().map(|record| record.nonce).collect(),
            Sent::Keepalive | Sent::Request => vec![],
        }
    }

    /// The record of this probe itself.
    pub(crate) fn record(&self) -> ProbeRecord {
        match &self.sent {
            Sent::Probe(said) => said.sent[0],
            Sent::Keepalive | Sent::Request => panic!("no Probe: {self:?}"),
        }
    }
}

/// Two ends and what is between them.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) ends: [Bench; 2],
    /// Sources and destinations between which packets are lost.
    pub(crate) broken: BTreeSet<(Locator, Locator)>,
    /// Time that a packet takes.
    pub(crate) delay: u64,
    /// How often each end sends payload; [`None`] for never.
    pub(crate) traffic: [Option<u64>; 2],
    next_payload: [u64; 2],
    /// Packets in a thousand that are lost, and by how much others may be delayed.
    pub(crate) loss: u64,
    pub(crate) jitter: u64,
    dice: u64,
    packets: BTreeMap<(u64, u64), Packet>,
    number: u64,
    pub(crate) now: u64,
    /// All messages that were sent.
    pub(crate) log: Vec<Logged>,
    /// All that the ends did, and when.
    pub(crate) actions: Vec<(u64, usize, Action)>,
    /// When payload last arrived at each end, and the longest time without that.
    pub(crate) delivered: [u64; 2],
    pub(crate) gap: [u64; 2],
}

impl Network {
    /// Two ends with these locators; the first of each are the ULIDs. All pairs work.
    pub(crate) fn new(a: &[Locator], b: &[Locator]) -> Self {
        let bench = |ours: &[Locator], theirs: &[Locator], first: u32| {
            let ulids = UlidPair {
                local: ours[0].as_ulid(),
                peer: theirs[0].as_ulid(),
            };
            let mut bench = Bench::with(ulids, Locators::new(ours, theirs));
            bench.random = Counter(first);
            bench
        };
        Self {
            ends: [bench(a, b, FIRST), bench(b, a, FIRST + 0x10_0000)],
            broken: BTreeSet::new(),
            delay: 10,
            traffic: [None; 2],
            next_payload: [0; 2],
            loss: 0,
            jitter: 0,
            dice: 1,
            packets: BTreeMap::new(),
            number: 0,
            now: 0,
            log: vec![],
            actions: vec![],
            delivered: [0; 2],
            gap: [0; 2],
        }
    }

    /// Draws loss and delay from this number on.
    pub(crate) fn seed(&mut self, seed: u64) {
        self.dice = seed.wrapping_mul(2).wrapping_add(1);
        for (end, bench) in self.ends.iter_mut().enumerate() {
            bench.random = Counter((self.dice >> 16) as u32 ^ ((end as u32) << 31));
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's MMIX.
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % bound.max(1)
    }

    /// Packets from the first to the second are lost.
    pub(crate) fn break_one_way(&mut self, source: Locator, destination: Locator) {
        self.broken.insert((source, destination));
    }

    /// Packets between two locators are lost.
    pub(crate) fn break_both_ways(&mut self, a: Locator, b: Locator) {
        self.break_one_way(a, b);
        self.break_one_way(b, a);
    }

    /// What an end did is carried out.
    pub(crate) fn perform(&mut self, end: usize, actions: Vec<Action>) {
        for action in actions {
            self.actions.push((self.now, end, action));
            match action {
                Action::Probe { pair, .. } => {
                    let octets = self.ends[end].composed(&action);
                    self.send(end, pair, Content::Octets(octets));
                }
                Action::Keepalive { pair, .. } => {
                    let mut buffer = [0; 64];
                    let octets = compose::keepalive(&mut buffer, PEER).unwrap().to_vec();
                    self.send(end, pair, Content::Octets(octets));
                }
                // It has a time of its own to be answered in.
                Action::Confirm { pair, .. } => self.send(end, pair, Content::Request),
                _ => {}
            }
        }
    }

    /// Sends an acknowledgement, which is payload for REAP.
    fn send_control(&mut self, end: usize, pair: LocatorPair, content: Content) {
        self.send(end, pair, content);
        let bench = &mut self.ends[end];
        if bench.stamps.control_sent(bench.now) {
            let actions = bench.timeout();
            self.perform(end, actions);
        }
    }

    /// A packet goes out.
    fn send(&mut self, end: usize, pair: LocatorPair, content: Content) {
        let (source, destination) = (pair.local, pair.peer);
        let is_lost = self.below(1000) < self.loss;
        let arrives = !is_lost && !self.broken.contains(&(source, destination));
        let arrival = Arrival {
            source,
            destination,
            offset: 40,
        };
        let sent = match &content {
            Content::Payload | Content::Acknowledgement => None,
            Content::Request => Some(Sent::Request),
            Content::Octets(octets) => Some(match Message::parse(&arrival, octets) {
                Ok(Message::Keepalive(_)) => Sent::Keepalive,
                _ => Sent::Probe(read_probe(octets, &arrival)),
            }),
        };
        if let Some(sent) = sent {
            self.log.push(Logged {
                at: self.now,
                end,
                source,
                destination,
                sent,
                arrives,
            });
        }
        if arrives {
            let jitter = self.jitter;
            let at = self.now + self.delay + self.below(jitter + 1);
            self.number += 1;
            let packet = Packet {
                source,
                destination,
                content,
            };
            self.packets.insert((at, self.number), packet);
        }
    }

    /// A packet arrives.
    fn receive(&mut self, packet: &Packet) {
        let is_at = |bench: &Bench| {
            let mut locals = bench.locators.locals.iter();
            locals.any(|local| local.locator == packet.destination)
        };
        let end = self.ends.iter().position(is_at).expect("a known address");
        let arrival = Arrival {
            source: packet.source,
            destination: packet.destination,
            offset: 40,
        };
        let back = pair(packet.destination, packet.source);
        let now = self.now;
        let bench = &mut self.ends[end];
        let actions = match &packet.content {
            Content::Payload => {
                self.gap[end] = self.gap[end].max(now - self.delivered[end]);
                self.delivered[end] = now;
                bench.receive()
            }
            Content::Octets(octets) => match Message::parse(&arrival, octets) {
                Ok(Message::Keepalive(_)) => bench.keepalive(),
                _ => bench.probe_in(octets, &arrival),
            },
            Content::Request | Content::Acknowledgement => {
                let is_woken = if back == bench.reap.pair() {
                    bench.stamps.control_received(bench.now)
                } else {
                    bench.stamps.control_received_elsewhere(bench.now)
                };
                if is_woken {
                    bench.timeout()
                } else {
                    vec![]
                }
            }
        };
        self.perform(end, actions);
        match packet.content {
            Content::Request => self.send_control(end, back, Content::Acknowledgement),
            Content::Acknowledgement => {
                let actions = self.ends[end].confirmed(back);
                self.perform(end, actions);
            }
            Content::Payload | Content::Octets(_) => {}
        }
    }

    /// The time passes until so many milliseconds since the beginning.
    pub(crate) fn run_until(&mut self, end_of_time: u64) {
        let start = START.as_millis();
        loop {
            let deadline = |bench: &Bench| {
                let deadline = bench.reap.next_deadline()?;
                Some(deadline.as_millis().saturating_sub(start))
            };
            let timers = self.ends.iter().filter_map(deadline).min();
            let packet = self.packets.keys().next().map(|(at, _)| *at);
            let payload = (0..2)
                .filter(|end| self.traffic[*end].is_some())
                .map(|end| self.next_payload[end])
                .min();
            let next = [timers, packet, payload].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end_of_time) else {
                break;
            };
            self.set_clock(next.max(self.now));
            self.events();
            assert!(self.log.len() < 100_000, "a storm of messages");
        }
        self.set_clock(end_of_time);
    }

    fn set_clock(&mut self, now: u64) {
        self.now = now;
        for bench in &mut self.ends {
            bench.now = Instant::from_millis(START.as_millis() + now);
        }
    }

    /// What happens now: packets arrive, timers fire, payload is sent.
    fn events(&mut self) {
        while let Some(entry) = self.packets.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let packet = entry.remove();
            self.receive(&packet);
        }
        for end in 0..2 {
            let bench = &mut self.ends[end];
            if bench.reap.next_deadline().is_some_and(|at| at <= bench.now) {
                let actions = bench.timeout();
                self.perform(end, actions);
            }
            if let Some(interval) = self.traffic[end] {
                if self.next_payload[end] <= self.now {
                    self.next_payload[end] = self.now + interval;
                    self.send_payload(end);
                }
            }
        }
    }

    /// An end sends payload over its current pair.
    pub(crate) fn send_payload(&mut self, end: usize) {
        let pair = self.ends[end].reap.pair();
        self.send(end, pair, Content::Payload);
        let actions = self.ends[end].send();
        self.perform(end, actions);
    }

    /// Both ends send payload from now on, so often.
    pub(crate) fn start_traffic(&mut self, intervals: [Option<u64>; 2]) {
        self.traffic = intervals;
        self.next_payload = [self.now; 2];
        self.delivered = [self.now; 2];
    }

    /// Whether both ends are Operational.
    pub(crate) fn are_operational(&self) -> bool {
        let is_operational = |bench: &Bench| bench.reap.state() == State::Operational;
        self.ends.iter().all(is_operational)
    }

    /// Whether the current pair of an end works.
    pub(crate) fn works(&self, end: usize) -> bool {
        let LocatorPair { local, peer } = self.ends[end].reap.pair();
        !self.broken.contains(&(local, peer))
    }

    /// The messages that were sent at this time or later.
    pub(crate) fn since(&self, at: u64) -> Vec<Logged> {
        let log = self.log.iter().filter(|logged| logged.at >= at);
        log.cloned().collect()
    }
}
