// SPDX-License-Identifier: GPL-2.0

//! The states of two hosts and the packets between them, and the steps from state to state.

use std::{
    collections::BTreeSet,
    hash::{
        DefaultHasher,
        Hash,
        Hasher, //
    }, //
};

use shim6_proto::{
    establish::Constants,
    identity::Identity,
    locator::{
        LocatorPair,
        UlidPair, //
    },
    number::Fii,
    random::Random,
    tag::ContextTag,
    time::{
        Instant,
        Interval, //
    }, //
};

use super::Bounds;
use crate::{
    crypto::Source,
    host::{
        Host,
        World, //
    },
    packet::Packet,
    set::HbaSet,
    settle::mirrored, //
};

/// What is left of the bounds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Budget {
    triggers: u8,
    duplicates: u8,
    forgets: u8,
    payloads: u8,
    announces: u8,
}

/// Two hosts and the packets between them.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) hosts: Vec<Host>,
    pub(super) packets: BTreeSet<Packet>,
    /// Packets that can be under way.
    pub(super) room: usize,
    budget: Budget,
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Trigger { host: u8, context: u8, tag: u8 },
    Arrive { packet: u8, tag: u8, stays: bool },
    Lose { packet: u8 },
    Expire { host: u8, context: u8 },
    Payload { host: u8, context: u8 },
    Probe { host: u8, context: u8 },
    Announce { host: u8 },
    Forget { host: u8, restart: bool },
}

/// The smallest numbers that nobody holds.
pub(super) struct Unused {
    nonces: Vec<u32>,
    tags: Vec<ContextTag>,
    /// How many tags there are, and which comes first, if they are few.
    few: Option<(u8, u8)>,
}

impl Random for Unused {
    fn u32(&mut self) -> u32 {
        let unused = |number: &u32| !self.nonces.contains(number);
        let number = (1..=u32::MAX).find(unused).unwrap_or_default();
        self.nonces.push(number);
        number
    }

    fn u64(&mut self) -> u64 {
        u64::from(self.u32())
    }
}

impl Source for Unused {
    fn tag(&mut self) -> ContextTag {
        let tag = match &mut self.few {
            Some((number, next)) => {
                let tag = *next;
                *next = (*next + 1) % *number;
                ContextTag::from_low_bits(u64::from(tag))
            }
            None => (1..=u64::MAX)
                .map(ContextTag::from_low_bits)
                .find(|tag| !self.tags.contains(tag))
                .unwrap_or(ContextTag::MAX),
        };
        self.tags.push(tag);
        tag
    }
}

impl Model {
    /// A packet under way.
    pub(super) fn nth(&self, packet: u8) -> Packet {
        let mut packets = self.packets.iter();
        packets
            .nth(usize::from(packet))
            .expect("a packet under way")
            .clone()
    }

    /// 128 bits that stand for a state; with or without what is left of the bounds. Two of some
    /// millions of states have the same with a probability below 10^-24.
    pub(super) fn fingerprint(&self, budget: bool) -> u128 {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            self.hosts.hash(&mut hasher);
            self.packets.hash(&mut hasher);
            if budget {
                self.budget.hash(&mut hasher);
            }
            u128::from(hasher.finish())
        };
        (half(0) << 64) | half(1)
    }
}

/// Which steps there are and what they do.
pub(super) struct Rules {
    pub(super) bounds: Bounds,
    constants: Constants,
    pub(super) sets: Vec<HbaSet>,
    /// The contexts as the first host names them.
    pub(super) identities: Vec<Identity>,
}

impl Rules {
    /// The rules within these bounds. Numbers of retransmissions are smaller than the RFC's,
    /// so that what follows on the last one is not far away.
    pub(super) fn new(bounds: Bounds) -> Self {
        let mut sets = HbaSet::of_vectors();
        sets.truncate(2);
        let ulid = |host: usize| sets.get(host).expect("a host").ulid(0);
        let ulids = UlidPair {
            local: ulid(0),
            peer: ulid(1),
        };
        let identities = (0..u32::from(bounds.contexts))
            .map(|fii| Identity {
                ulids,
                fii: Fii::new(fii),
            })
            .collect();

        Self {
            bounds,
            constants: Constants {
                i1_retries_max: 1,
                i2_retries_max: 1,
                i2bis_retries_max: 1,
                rounds_max: 2,
                resend_interval: Interval::from_millis(0),
                update_spacing: Interval::from_millis(0),
                ..Constants::default()
            },
            sets,
            identities,
        }
    }

    /// Two hosts that know nothing of each other.
    pub(super) fn start(&self) -> Model {
        let Bounds {
            triggers,
            duplicates,
            forgets,
            payloads,
            announces,
            confused,
            ..
        } = self.bounds;
        Model {
            hosts: self
                .sets
                .iter()
                .map(|set| Host::new(set.clone(), confused))
                .collect(),
            packets: BTreeSet::new(),
            room: self.bounds.packets,
            budget: Budget {
                triggers,
                duplicates,
                forgets,
                payloads,
                announces,
            },
        }
    }

    /// The identity of a context as a host names it.
    pub(super) fn identity(&self, host: u8, context: u8) -> Identity {
        let identity = self
            .identities
            .get(usize::from(context))
            .expect("a context");
        if host == 0 {
            *identity
        } else {
            mirrored(identity)
        }
    }

    /// All steps that are possible.
    pub(super) fn events(&self, model: &Model) -> Vec<Event> {
        let mut events = vec![];
        let budget = &model.budget;
        let tags = self.bounds.tags.unwrap_or(1);

        for (host, state) in (0_u8..).zip(&model.hosts) {
            for context in 0..self.bounds.contexts {
                let identity = self.identity(host, context);
                match state.context(&identity) {
                    None if budget.triggers > 0 => {
                        events.extend((0..tags).map(|tag| Event::Trigger { host, context, tag }));
                    }
                    None => {}
                    Some(known) => {
                        if known.machine.next_deadline().is_some() {
                            events.push(Event::Expire { host, context });
                        }
                        if budget.payloads > 0 && known.machine.state().sends_to_pair() {
                            events.push(Event::Payload { host, context });
                            events.push(Event::Probe { host, context });
                        }
                    }
                }
            }
            if budget.announces > 0 {
                events.push(Event::Announce { host });
            }
            if budget.forgets > 0 && !state.contexts().is_empty() {
                events.push(Event::Forget {
                    host,
                    restart: false,
                });
                if self.bounds.restarts {
                    events.push(Event::Forget {
                        host,
                        restart: true,
                    });
                }
            }
        }
        for (packet, _) in (0_u8..).zip(&model.packets) {
            for tag in 0..tags {
                events.push(Event::Arrive {
                    packet,
                    tag,
                    stays: false,
                });
                if budget.duplicates > 0 {
                    events.push(Event::Arrive {
                        packet,
                        tag,
                        stays: true,
                    });
                }
            }
            events.push(Event::Lose { packet });
        }
        events
    }

    /// Takes a step.
    pub(super) fn apply(&self, model: &mut Model, event: Event) {
        let budget = &mut model.budget;
        match event {
            Event::Trigger { host, context, tag } => {
                budget.triggers -= 1;
                let identity = self.identity(host, context);
                self.step(model, host, tag, |host, world| {
                    host.expire_negatives(world.now);
                    host.trigger(world, identity);
                });
            }
            Event::Arrive { packet, tag, stays } => {
                let packet = model.nth(packet);
                if stays {
                    model.budget.duplicates -= 1;
                } else {
                    model.packets.remove(&packet);
                }
                self.arrive(model, tag, &packet);
            }
            Event::Lose { packet } => {
                let packet = model.nth(packet);
                model.packets.remove(&packet);
            }
            Event::Expire { host, context } => {
                let identity = self.identity(host, context);
                self.step(model, host, 0, |host, world| {
                    host.timeout_of(world, &identity);
                });
            }
            Event::Payload { host, context } => {
                budget.payloads -= 1;
                let identity = self.identity(host, context);
                self.step(model, host, 0, |host, world| {
                    host.send_payload(world, &identity);
                });
            }
            Event::Probe { host, context } => {
                budget.payloads -= 1;
                let identity = self.identity(host, context);
                self.step(model, host, 0, |host, world| probe(host, world, &identity));
            }
            Event::Announce { host } => {
                budget.announces -= 1;
                self.step(model, host, 0, |host, world| host.announce(world));
            }
            Event::Forget { host, restart } => {
                budget.forgets -= 1;
                self.step(model, host, 0, |host, _| {
                    if restart {
                        host.restart();
                    } else {
                        host.forget();
                    }
                });
            }
        }
    }

    /// A packet arrives at the host that has the address.
    pub(super) fn arrive(&self, model: &mut Model, tag: u8, packet: &Packet) {
        let mut hosts = (0_u8..).zip(&model.hosts);
        let to = hosts.find(|(_, host)| host.set.has(packet.destination));
        if let Some((host, _)) = to {
            self.step(model, host, tag, |host, world| host.receive(world, packet));
        }
    }

    /// One step of one host. What it sends is under way afterwards, as far as there is room.
    pub(super) fn step(
        &self,
        model: &mut Model,
        host: u8,
        tag: u8,
        event: impl FnOnce(&mut Host, &mut World<'_, Unused>),
    ) {
        let mut source = self.unused(model, tag);
        let mut world = World {
            now: Instant::from_millis(u64::MAX),
            constants: &self.constants,
            source: &mut source,
            sent: vec![],
        };
        if let Some(host) = model.hosts.get_mut(usize::from(host)) {
            event(host, &mut world);
        }
        for packet in world.sent {
            if model.packets.len() < model.room {
                model.packets.insert(packet);
            }
        }
    }

    /// The numbers that nobody holds.
    fn unused(&self, model: &Model, tag: u8) -> Unused {
        let mut unused = Unused {
            nonces: vec![],
            tags: vec![],
            few: self.bounds.tags.map(|number| (number, tag)),
        };
        let mut hold = |packet: &Packet| {
            let (tags, nonces) = packet.numbers();
            unused.tags.extend(tags);
            unused.nonces.extend(nonces.iter().map(|nonce| nonce.get()));
        };
        model.packets.iter().for_each(&mut hold);
        let contexts = || model.hosts.iter().flat_map(Host::contexts);
        contexts()
            .filter_map(|context| context.kept())
            .for_each(hold);
        for context in contexts() {
            unused.tags.push(context.machine.local_tag());
            unused.tags.extend(context.machine.peer_tag());
        }
        unused
    }
}

/// Tests the pair of the last locators.
pub(super) fn probe(host: &Host, world: &mut World<'_, Unused>, identity: &Identity) {
    let local = host.told().last();
    let peer = host
        .context(identity)
        .and_then(|context| context.peer().last());
    if let Some((local, peer)) = local.zip(peer) {
        let pair = LocatorPair {
            local: local.locator,
            peer: *peer,
        };
        host.probe(world, identity, pair);
    }
}
