// SPDX-License-Identifier: GPL-2.0

//! A host: what the module has around the protocol code, without a kernel below it. It drives that
//! code as `rust/control` does, step for step; what it leaves out is said in the README.

mod answer;
mod context;
mod identity;
mod perform;
mod receive;
mod surroundings;
mod traffic;
mod watch;

use std::{
    collections::VecDeque,
    rc::Rc, //
};

use shim6_proto::{
    establish::{
        Constants,
        Negative,
        State, //
    },
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord,
        Ulid,
        UlidPair,
        VerificationMethod, //
    },
    number::{
        Fii,
        Generation, //
    },
    random::Random,
    reap,
    time::{
        Instant,
        Interval, //
    }, //
};

use crate::{
    bug::Bug,
    dice::Dice,
    event::{
        Body,
        Event,
        Packet, //
    },
    map::Map,
    net::Net, //
};

use self::{
    answer::Answers,
    traffic::Candidate, //
};

pub use self::{
    answer::{
        ANSWER_RATE,
        ANSWER_RATE_PEER, //
    },
    context::{
        Context,
        Local,
        Table,
        Watch, //
    },
    identity::HbaSet,
    traffic::Trigger, //
};

/// How long a context without traffic and users lives.
pub const IDLE_TIMEOUT: Interval = Interval::from_secs(300);

/// The longest time between two looks for idle contexts.
pub const SWEEP: Interval = Interval::from_secs(5);

/// Why a packet is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A context wants it, whose peer has this ULID.
    Context(Ulid),
    /// It answers a packet of so many octets, and nothing is kept of it.
    Answer(usize),
    /// An upper layer wants it.
    Payload,
}

/// Something worth knowing that a step did.
#[derive(Clone, Debug)]
pub enum Note {
    /// A context was made.
    Added(u32),
    /// A context is no more.
    Removed(Identity, &'static str),
    /// The state of a context is another.
    State(Identity, State),
    /// Failure detection has changed its state.
    Entered {
        /// Of which context.
        identity: Identity,
        /// To which.
        state: reap::State,
        /// Why.
        cause: reap::Cause,
    },
    /// Another pair is in use.
    Switched {
        /// Of which context.
        identity: Identity,
        /// Which.
        pair: LocatorPair,
        /// Why.
        reason: reap::SwitchReason,
        /// When the context last left Operational.
        left: Option<Instant>,
    },
    /// A packet got to an upper layer.
    Delivered {
        /// Of which flow.
        flow: u32,
        /// From which end of it.
        end: u8,
        /// The ULIDs that the upper layer sees, from its side.
        ulids: UlidPair,
    },
    /// A message was not taken.
    Discarded(&'static str),
}

/// What a step of a host depends on besides the host, and what comes of it.
pub struct World<'a> {
    /// The time.
    pub now: Instant,
    /// What hosts see of the network: their own addresses.
    pub net: &'a Net,
    /// Nonces, tags, jitter.
    pub dice: &'a mut Dice,
    /// What goes wrong on purpose.
    pub bug: Option<Bug>,
    /// Whether timers are late as in the kernel.
    pub is_late: bool,
    /// Tells contexts apart.
    pub serial: &'a mut u64,
    /// Packets that are sent, and why.
    pub sent: Vec<(Packet, Origin)>,
    /// What is to happen later.
    pub later: Vec<(Instant, Event)>,
    /// What happened.
    pub notes: Vec<Note>,
}

impl World<'_> {
    /// Sends a control message.
    fn send(&mut self, pair: LocatorPair, octets: &[u8], origin: Origin) {
        let packet = Packet::new(pair, Body::Control(Rc::from(octets)));
        self.sent.push((packet, origin));
    }

    /// The time as packets are stamped with it: that of the last tick of a kernel with HZ=250.
    fn coarse_now(&self) -> Instant {
        let now = self.now.as_millis();
        Instant::from_millis(if self.is_late { now - now % 4 } else { now })
    }

    /// The state of a context changed, or what it knows.
    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }
}

/// What tells one host from another, besides its addresses.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the state machine.
    pub establish: Constants,
    /// Of failure detection.
    pub reap: reap::Constants,
    /// How long the worker takes to have its turn.
    pub delay: Interval,
    /// Whether it knows nothing of Shim6.
    pub is_legacy: bool,
}

/// A host.
pub struct Host {
    /// Its number.
    pub index: usize,
    /// What is set.
    pub settings: Settings,
    /// Who it is; [`None`] if it can prove nothing.
    set: Option<HbaSet>,
    /// A locator of somebody else that it claims.
    claimed: Option<Locator>,
    /// What it tells in contexts with its ULIDs.
    told: Map<Ulid, Rc<Local>>,
    /// Its contexts.
    pub contexts: Table,
    negatives: Map<Identity, Negative>,
    answers: Answers,
    candidates: Map<UlidPair, Candidate>,
    /// Connected sockets.
    sockets: Map<UlidPair, u32>,
    queue: VecDeque<Packet>,
    attention: VecDeque<u32>,
    work_is_due: bool,
    is_sweeping: bool,
}

/// The identity of the default context of a ULID pair.
pub const fn default_identity(ulids: UlidPair) -> Identity {
    Identity {
        ulids,
        fii: Fii::DEFAULT,
    }
}

impl Host {
    /// A host that has just been started.
    pub fn new(index: usize, set: Option<HbaSet>, settings: Settings, dice: &mut Dice) -> Self {
        Self {
            index,
            settings,
            set,
            claimed: None,
            told: Map::default(),
            contexts: Table::default(),
            negatives: Map::default(),
            answers: Answers::new(dice),
            candidates: Map::default(),
            sockets: Map::default(),
            queue: VecDeque::new(),
            attention: VecDeque::new(),
            work_is_due: false,
            is_sweeping: false,
        }
    }

    /// Forgets everything but who it is and its sockets, which programs open again.
    pub fn restart(&mut self, dice: &mut Dice) {
        let fresh = Self::new(self.index, self.set.take(), self.settings.clone(), dice);
        let before = std::mem::replace(self, fresh);
        self.sockets = before.sockets;
        self.is_sweeping = before.is_sweeping;
        self.work_is_due = before.work_is_due;
    }

    /// Whether it can prove its addresses.
    pub fn is_provable(&self) -> bool {
        self.set.is_some()
    }

    /// Whether it leaves a peer alone.
    pub fn shuns(&self, identity: &Identity, now: Instant) -> bool {
        self.negatives
            .get(identity)
            .is_some_and(|negative| !negative.is_over(now))
    }

    /// What it tells in contexts with a ULID: that, then all others that it can send with and
    /// prove, in order.
    fn local_for(&mut self, world: &mut World<'_>, ulid: Ulid) -> Rc<Local> {
        let record = |locator| LocatorRecord {
            locator,
            method: VerificationMethod::HBA,
        };
        let mut list = vec![record(ulid.as_locator())];
        let Some(set) = &self.set else {
            let generation = Generation::new(0);
            return Rc::new(Local { list, generation });
        };
        let usable = set.addresses.iter().copied();
        let usable =
            usable.filter(|address| *address != ulid.as_locator() && world.net.is_usable(*address));
        let mut others: Vec<_> = usable.map(record).collect();
        others.sort_by_key(|record| record.locator);
        // Decoys of a liar are in its set, but on no interface.
        let decoys = set.addresses.iter().copied();
        others.extend(
            decoys
                .filter(|decoy| world.net.host_of(*decoy) != Some(self.index))
                .map(record),
        );
        list.extend(others);
        list.extend(self.claimed.map(record));
        if let Some(told) = self.told.get(&ulid).filter(|told| told.list == list) {
            return told.clone();
        }
        let generation = Generation::new(world.dice.u32());
        let local = Rc::new(Local { list, generation });
        self.told.insert(ulid, local.clone());
        local
    }

    /// Begins to claim a locator that is not its own, or ends it.
    pub fn claim(&mut self, world: &mut World<'_>, locator: Option<Locator>) {
        self.claimed = locator;
        self.addresses_changed(world, None);
    }

    /// Addresses came or went; this one was deleted.
    pub fn addresses_changed(&mut self, world: &mut World<'_>, gone: Option<Locator>) {
        for slot in self.contexts.slots() {
            let Some(context) = self.contexts.get_mut(slot) else {
                continue;
            };
            context.wishes.paths = true;
            let ulid = context.identity.ulids.local;
            if gone == Some(ulid.as_locator()) {
                self.discard(world, slot, "its ULID is gone");
                continue;
            }
            self.wants_attention(slot);
            // What was told without an identity stays the ULID alone.
            if self.set.is_none() {
                continue;
            }
            let local = self.local_for(world, ulid);
            if let Some(context) = self.contexts.get_mut(slot) {
                if context.local.generation != local.generation {
                    context.local = local;
                    context.changed = world.now;
                    context.wishes.announce = true;
                }
            }
        }
        self.finish(world);
    }

    /// Forgets contexts without traffic and users.
    pub fn sweep(&mut self, world: &mut World<'_>) {
        let is_idle = |context: &Context| {
            let last = context.stamps.read().last();
            context.machine.state() == State::Established
                && last.is_none_or(|last| world.now.since(last) >= IDLE_TIMEOUT)
                && world.now.since(context.made) >= IDLE_TIMEOUT
        };
        let idle: Vec<_> = self
            .contexts
            .iter()
            .filter(|(_, context)| is_idle(context))
            .filter(|(_, context)| !self.sockets.contains_key(&context.identity.ulids))
            .map(|(slot, _)| slot)
            .collect();
        if world.bug != Some(Bug::NoTeardown) {
            for slot in idle {
                self.discard(world, slot, "idle");
            }
        }
        self.is_sweeping = !self.contexts.is_empty();
        if self.is_sweeping {
            self.sweep_later(world);
        }
        self.finish(world);
    }

    fn sweep_later(&mut self, world: &mut World<'_>) {
        self.is_sweeping = true;
        let at = world.now.saturating_add(SWEEP);
        world.later.push((at, Event::Sweep(self.index as u32)));
    }

    /// A context goes, and nothing of it is left.
    fn discard(&mut self, world: &mut World<'_>, slot: u32, why: &'static str) {
        if let Some(context) = self.contexts.take(slot) {
            self.contexts.remove(slot, &context);
            world.note(Note::Removed(context.identity, why));
        }
    }

    /// The worker is to look at a context.
    fn wants_attention(&mut self, slot: u32) {
        if let Some(context) = self.contexts.get_mut(slot) {
            if !context.wants_attention {
                context.wants_attention = true;
                self.attention.push_back(slot);
            }
        }
    }

    /// The end of every entry: the worker has its turn, at once or later.
    fn finish(&mut self, world: &mut World<'_>) {
        if self.settings.delay > Interval::from_millis(0) {
            let has_work = !self.attention.is_empty() || !self.queue.is_empty();
            if !self.work_is_due && has_work {
                self.work_is_due = true;
                let at = world.now.saturating_add(self.settings.delay);
                world.later.push((at, Event::Work(self.index as u32)));
            }
            return;
        }
        self.attend_all(world);
    }

    fn attend_all(&mut self, world: &mut World<'_>) {
        while let Some(slot) = self.attention.pop_front() {
            self.attend(world, slot);
        }
    }

    /// The worker has its turn.
    pub fn work(&mut self, world: &mut World<'_>) {
        self.work_is_due = false;
        self.attend_all(world);
        for _ in 0..receive::BATCH {
            let Some(packet) = self.queue.pop_front() else {
                break;
            };
            self.received(world, &packet);
        }
        self.finish(world);
    }

    /// The timer of a context fires.
    pub fn timer(&mut self, world: &mut World<'_>, slot: u32, serial: u64) {
        let Some(context) = self.contexts.get_mut(slot) else {
            return;
        };
        if context.serial != serial || context.timer.queued != Some(world.now) {
            return;
        }
        context.timer.queued = None;
        match context.timer.armed {
            Some(armed) if armed > world.now => {
                context.timer.queued = Some(armed);
                let host = self.index as u32;
                world
                    .later
                    .push((armed, Event::Timer { host, slot, serial }));
            }
            Some(_) => {
                context.timer.armed = None;
                self.wants_attention(slot);
                self.finish(world);
            }
            None => {}
        }
    }
}
