// SPDX-License-Identifier: GPL-2.0

//! The two ends of a context as far as REAP goes, the packets between them, and the steps from
//! state to state.
//!
//! There is no clock: it is always the same time, at which nothing expires by itself. Whatever
//! runs is let expire. All intervals are the same, and so are all nonces: which probe a report
//! means follows from its addresses. So states differ only in what matters to what comes next.

use std::{
    collections::BTreeSet,
    fmt,
    hash::{
        DefaultHasher,
        Hash,
        Hasher, //
    }, //
};

use shim6_proto::{
    compose,
    locator::{
        Locator,
        LocatorPair,
        Preference,
        UlidPair, //
    },
    random::Random,
    reap::{
        ranking::{
            LocalCandidate,
            PeerCandidate,
            Ranking, //
        },
        Action,
        Actions,
        Activity,
        Candidates,
        Constants,
        Expiry,
        Hint,
        Reap,
        State,
        Step,
        Wake, //
    },
    tag::ContextTag,
    time::{
        Instant,
        Interval, //
    },
    wire::{
        build,
        message::{
            Arrival,
            Message, //
        }, //
    }, //
};

use super::{
    Bounds,
    Bug, //
};

/// The time that it always is.
const NOW: Instant = Instant::from_millis(1_000_000);

/// All intervals.
const INTERVAL: Interval = Interval::from_millis(10_000);

/// The tag of the context at both ends; nobody looks at it.
const TAG: ContextTag = ContextTag::from_low_bits(1);

/// The locators of the two ends.
const LOCATORS: [[Locator; 2]; 2] = [
    [address(0xa, 1), address(0xa, 2)],
    [address(0xb, 1), address(0xb, 2)],
];

const fn address(host: u8, net: u8) -> Locator {
    Locator::new([0x20, 1, 0xd, 0xb8, 0, host, 0, net, 0, 0, 0, 0, 0, 0, 0, 1])
}

/// One pair for each direction: locator numbers from the first end to the second, and back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Paths {
    there: (usize, usize),
    back: (usize, usize),
}

impl Paths {
    /// All sixteen. More paths that work are no harder than these, for all that a Probe which
    /// arrives besides can do is among what happens before.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let pairs = || (0..4).map(|number| (number / 2, number % 2));
        pairs().flat_map(move |there| pairs().map(move |back| Self { there, back }))
    }

    /// The number of these.
    pub(super) fn number(self) -> u64 {
        let number = |(a, b): (usize, usize)| (a * 2 + b) as u64;
        number(self.there) * 4 + number(self.back)
    }

    /// Whether packets with these addresses get through.
    fn pass(self, source: Locator, destination: Locator) -> bool {
        let [a, b] = LOCATORS;
        let locator = |end: [Locator; 2], number: usize| end.get(number).copied();
        let there = (locator(a, self.there.0), locator(b, self.there.1));
        let back = (locator(b, self.back.1), locator(a, self.back.0));
        let path = (Some(source), Some(destination));
        path == there || path == back
    }
}

impl fmt::Display for Paths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b) = self.there;
        let (c, d) = self.back;
        let (a, b, c, d) = (a + 1, b + 1, c + 1, d + 1);
        write!(f, "A{a} to B{b} and B{d} to A{c}")
    }
}

/// What a packet is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Content {
    Payload,
    /// A Keepalive or a Probe.
    Octets(Vec<u8>),
}

/// A packet under way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Packet {
    /// The number of the end that it goes to.
    to: usize,
    source: Locator,
    destination: Locator,
    content: Content,
}

/// One end.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct End {
    pub(super) reap: Reap,
    activity: Activity,
}

/// The locators as one end sees them; all is well with them.
struct Locators(usize);

impl Candidates for Locators {
    fn local(&self, index: usize) -> Option<LocalCandidate> {
        Some(LocalCandidate {
            locator: *LOCATORS.get(self.0)?.get(index)?,
            preference: Preference::default(),
            is_wanted: false,
            is_operational: true,
            is_acknowledged: true,
            is_deprecated: false,
        })
    }

    fn peer(&self, index: usize) -> Option<PeerCandidate> {
        Some(PeerCandidate {
            locator: *LOCATORS.get(1 - self.0)?.get(index)?,
            preference: Preference::default(),
            is_wanted: false,
            is_verified: true,
        })
    }
}

/// Always the same number.
struct Same;

impl Random for Same {
    fn u32(&mut self) -> u32 {
        1
    }

    fn u64(&mut self) -> u64 {
        1
    }
}

/// A step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    Payload { end: u8 },
    Hint { end: u8 },
    Expire { end: u8, expiry: Expiry },
    Arrive { packet: u8 },
    Lose { packet: u8 },
}

/// Two ends and the packets between them.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) ends: [End; 2],
    packets: BTreeSet<Packet>,
    /// Packets that can be under way.
    room: usize,
    payloads: u8,
    hints: u8,
    bug: Option<Bug>,
    /// What gets through; everything can before the paths are repaired.
    paths: Option<Paths>,
    constants: Constants,
    /// A step with more actions than there is room for, or a Probe where none may go.
    wrong: Option<&'static str>,
}

impl Model {
    /// Two ends that have just established the context.
    pub(super) fn start(bounds: &Bounds) -> Self {
        let end = |number: usize| End {
            reap: Reap::new(ulids(number).as_locators(), NOW),
            activity: Activity::default(),
        };
        Self {
            ends: [end(0), end(1)],
            packets: BTreeSet::new(),
            room: bounds.packets,
            payloads: bounds.payloads,
            hints: bounds.hints,
            bug: bounds.bug,
            paths: None,
            constants: Constants {
                initial_probe_timeout: INTERVAL,
                initial_probes: 1,
                max_probe_timeout: INTERVAL,
                send_timeout: INTERVAL,
                answers_per_second: Constants::UNLIMITED,
                failback_hold: Interval::from_millis(0),
                ..Constants::default()
            },
            wrong: None,
        }
    }

    /// 128 bits that stand for a state. Two of some millions of states have the same with a
    /// probability below 10^-24.
    pub(super) fn fingerprint(&self, salt: u64) -> u128 {
        let half = |which: u8| {
            let mut hasher = DefaultHasher::new();
            (which, salt, &self.ends, &self.packets).hash(&mut hasher);
            if self.paths.is_none() {
                (self.payloads, self.hints).hash(&mut hasher);
            }
            u128::from(hasher.finish())
        };
        (half(0) << 64) | half(1)
    }

    /// From now on only these paths work, and there is room for all packets.
    pub(super) fn repair(&mut self, paths: Paths) {
        self.paths = Some(paths);
        self.room = usize::MAX;
        self.payloads = u8::MAX;
        self.packets
            .retain(|packet| paths.pass(packet.source, packet.destination));
    }

    /// What must hold in every state.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(wrong) = self.wrong {
            return Err(wrong.to_owned());
        }
        for (number, end) in self.ends.iter().enumerate() {
            let timers = end.reap.timers();
            let probes = self.runs(number, Expiry::Probe);
            let is_right = match end.reap.state() {
                State::Operational => {
                    !probes && (timers.send.is_none() || timers.keepalive.is_none())
                }
                State::Exploring => {
                    probes && !self.runs(number, Expiry::Send) && self.keepalives(number)
                }
                State::InboundOk => probes && self.keepalives(number),
            };
            if !is_right {
                return Err(format!("timers of {end:#?}"));
            }
        }
        Ok(())
    }

    /// Whether no Keepalive is due.
    fn keepalives(&self, end: usize) -> bool {
        !self.runs(end, Expiry::Keepalive)
    }

    /// Whether both ends are content and, if they are busy, their current pairs work.
    pub(super) fn has_recovered(&self, paths: Paths, is_busy: bool) -> bool {
        self.ends.iter().all(|end| {
            let LocatorPair { local, peer } = end.reap.pair();
            end.reap.state() == State::Operational && (!is_busy || paths.pass(local, peer))
        })
    }

    /// Whether something is going to expire at an end.
    pub(super) fn runs(&self, number: usize, expiry: Expiry) -> bool {
        let Some(end) = self.ends.get(number) else {
            return false;
        };
        let ulids = ulids(number);
        let mut step = Step {
            constants: &self.constants,
            ulids: &ulids,
            now: NOW,
            random: &mut Same,
            candidates: &Locators(number),
            activity: end.activity,
            probe_delay: Interval::from_millis(0),
        };
        if end.activity.timers == end.reap.timers() {
            return end.reap.runs(&step, expiry);
        }
        // What the data path has started since the last step counts.
        let mut reap = end.reap;
        reap.timeout(&mut step);
        end.reap.state() == reap.state() && reap.runs(&step, expiry)
    }

    /// All steps that are possible.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = vec![];
        for end in [0, 1] {
            if self.payloads > 0 {
                events.push(Event::Payload { end });
            }
            if self.hints > 0 {
                events.push(Event::Hint { end });
            }
            for expiry in [Expiry::Send, Expiry::Probe, Expiry::Keepalive] {
                if self.runs(usize::from(end), expiry) {
                    events.push(Event::Expire { end, expiry });
                }
            }
        }
        for (packet, _) in (0_u8..).zip(&self.packets) {
            events.push(Event::Arrive { packet });
            events.push(Event::Lose { packet });
        }
        events
    }

    /// What packet a step is about.
    pub(super) fn describe(&self, event: Event) -> String {
        match event {
            Event::Arrive { packet } | Event::Lose { packet } => {
                let packet = self.packets.iter().nth(usize::from(packet));
                packet.map_or(String::new(), |packet| format!(" {packet:?}"))
            }
            Event::Payload { .. } | Event::Hint { .. } | Event::Expire { .. } => String::new(),
        }
    }

    /// Takes a step.
    pub(super) fn apply(&mut self, event: Event) {
        match event {
            Event::Payload { end } => {
                self.payloads = self.payloads.saturating_sub(u8::from(self.paths.is_none()));
                self.send_payload(usize::from(end));
            }
            Event::Hint { end } => {
                self.hints = self.hints.saturating_sub(1);
                self.step(usize::from(end), |reap, step| {
                    reap.hint(step, Hint::NegativeFeedback)
                });
            }
            Event::Expire { end, expiry } => {
                self.step(usize::from(end), |reap, step| reap.expire(step, expiry));
            }
            Event::Arrive { packet } => {
                if let Some(packet) = self.take(packet) {
                    self.receive(&packet);
                }
            }
            Event::Lose { packet } => {
                self.take(packet);
            }
        }
    }

    /// Lets packets arrive until none is under way.
    pub(super) fn drain(&mut self) -> Result<(), String> {
        for _ in 0..200 {
            let Some(packet) = self.packets.pop_first() else {
                return self.check();
            };
            self.receive(&packet);
        }
        Err(format!("no end of packets: {:?}", self.packets))
    }

    fn take(&mut self, packet: u8) -> Option<Packet> {
        let packet = self.packets.iter().nth(usize::from(packet))?.clone();
        self.packets.remove(&packet);
        Some(packet)
    }

    /// An end sends payload over its current pair, as its data path does.
    fn send_payload(&mut self, number: usize) {
        let Some(end) = self.ends.get_mut(number) else {
            return;
        };
        let pair = end.reap.pair();
        let timers = &mut end.activity.timers;
        timers.keepalive = None;
        let is_first = timers.send.replace(NOW).is_none();
        let is_woken = is_first && end.reap.wake() == Wake::Any;
        self.send(number, pair, Content::Payload);
        if is_woken {
            self.step(number, |reap, step| reap.timeout(step));
        }
    }

    /// A packet arrives.
    fn receive(&mut self, packet: &Packet) {
        let arrival = Arrival {
            source: packet.source,
            destination: packet.destination,
            offset: 40,
        };
        match &packet.content {
            Content::Payload => {
                let Some(end) = self.ends.get_mut(packet.to) else {
                    return;
                };
                let timers = &mut end.activity.timers;
                timers.send = None;
                let is_first = timers.keepalive.replace(NOW).is_none();
                if is_first && end.reap.wake() != Wake::Never {
                    self.step(packet.to, |reap, step| reap.timeout(step));
                }
            }
            Content::Octets(octets) => match Message::parse(&arrival, octets) {
                Ok(Message::Keepalive(_)) => {
                    self.step(packet.to, |reap, step| reap.receive_keepalive(step));
                }
                Ok(Message::Probe(probe)) => {
                    self.step(packet.to, |reap, step| {
                        reap.receive_probe(step, &probe, &arrival)
                    });
                }
                _ => self.wrong = Some("a message that is neither Keepalive nor Probe"),
            },
        }
    }

    /// One step of one end. What it sends is under way afterwards, as far as there is room.
    fn step(
        &mut self,
        number: usize,
        event: impl FnOnce(&mut Reap, &mut Step<'_, Same, Locators>) -> Actions,
    ) {
        let Some(end) = self.ends.get_mut(number) else {
            return;
        };
        let locators = Locators(number);
        let ulids = ulids(number);
        let mut step = Step {
            constants: &self.constants,
            ulids: &ulids,
            now: NOW,
            random: &mut Same,
            candidates: &locators,
            activity: end.activity,
            probe_delay: Interval::from_millis(0),
        };
        let actions = event(&mut end.reap, &mut step);
        end.activity.timers = end.reap.timers();
        if actions.len() > Actions::MAX {
            self.wrong = Some("too many actions");
        }

        let reap = end.reap;
        let mut buffer = [0; build::MAX_LEN];
        for action in actions.iter() {
            let (pair, composed) = match action {
                Action::Probe {
                    pair, state, nonce, ..
                } => {
                    if Ranking::new(&locators, &ulids, None).find(&pair).is_none() {
                        self.wrong = Some("a Probe over a pair that may not be used");
                    }
                    let composed = if self.bug == Some(Bug::NoReports) {
                        let (sent, _) = reap.records(nonce);
                        build::probe(&mut buffer, TAG, state, sent, None)
                            .and_then(|builder| builder.finish())
                    } else {
                        compose::probe(&mut buffer, TAG, state, nonce, &reap)
                    };
                    (pair, composed)
                }
                Action::Keepalive { pair, .. } => (pair, compose::keepalive(&mut buffer, TAG)),
                _ => continue,
            };
            match composed {
                Ok(octets) => {
                    let octets = Content::Octets(octets.to_vec());
                    self.send(number, pair, octets);
                }
                Err(_) => self.wrong = Some("a message that cannot be composed"),
            }
        }
    }

    /// A packet goes out.
    fn send(&mut self, from: usize, pair: LocatorPair, content: Content) {
        let (source, destination) = (pair.local, pair.peer);
        let passes = self
            .paths
            .is_none_or(|paths| paths.pass(source, destination));
        if passes && self.packets.len() < self.room {
            self.packets.insert(Packet {
                to: 1 - from,
                source,
                destination,
                content,
            });
        }
    }
}

/// The ULIDs as an end sees them.
const fn ulids(number: usize) -> UlidPair {
    let [[a, _], [b, _]] = LOCATORS;
    let (local, peer) = if number == 0 { (a, b) } else { (b, a) };
    UlidPair {
        local: local.as_ulid(),
        peer: peer.as_ulid(),
    }
}
