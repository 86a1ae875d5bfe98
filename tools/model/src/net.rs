// SPDX-License-Identifier: GPL-2.0

//! Hosts in a network that loses, repeats, delays and reorders, in virtual time. Everything
//! follows from a seed and a script, so whatever goes wrong can be looked at again.

use std::collections::BTreeMap;

use shim6_proto::{
    establish::Constants,
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        UlidPair, //
    },
    number::Fii,
    time::{
        Instant,
        Interval, //
    }, //
};

use crate::{
    crypto::Seeded,
    host::{
        Confused,
        Host,
        World, //
    },
    packet::Packet,
    set::HbaSet,
    settle::{
        agree,
        mirrored, //
    }, //
};

/// What the network does to packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faults {
    /// So many of 100 packets are lost.
    pub loss: u8,
    /// So many of 100 packets come twice.
    pub duplicates: u8,
    /// The longest time that a packet is under way, in milliseconds; the shortest is 1. Packets
    /// are not kept in order.
    pub delay: u32,
}

impl Faults {
    /// A network without faults.
    pub const NONE: Self = Self {
        loss: 0,
        duplicates: 0,
        delay: 20,
    };
}

/// Something that happens to a host. Numbers that are too large are taken modulo what there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// A local trigger for a context with another host.
    Trigger {
        /// Which other host.
        peer: usize,
        /// Which of the own locators is the ULID.
        local_ulid: usize,
        /// Which of the peer's locators is its ULID.
        peer_ulid: usize,
        /// The instance.
        fii: u32,
    },
    /// A ULP sends something over one of the contexts.
    Payload(usize),
    /// REAP tests a pair of one of the contexts.
    Probe {
        /// Which context.
        context: usize,
        /// Which of the own locators.
        local: usize,
        /// Which of the peer's locators.
        peer: usize,
    },
    /// The list of locators becomes shorter, or whole again.
    Announce,
    /// The host begins or ends to claim a locator of another host.
    Lie,
    /// One of the contexts is discarded.
    Discard(usize),
    /// All contexts are lost.
    Forget,
    /// All contexts and the secret of the validators are lost.
    Restart,
    /// A packet that was sent some time ago comes again, however old it is.
    Replay(usize),
    /// A pair of locators stops working in one direction.
    Break {
        /// Which of the own locators.
        local: usize,
        /// Which other host.
        peer: usize,
        /// Which of its locators.
        remote: usize,
    },
    /// All pairs work again.
    Repair,
}

/// What has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Packets that hosts sent.
    pub sent: u64,
    /// Packets that arrived; those that came twice are counted twice.
    pub received: u64,
}

/// The network and its hosts.
pub struct Net {
    now: Instant,
    hosts: Vec<Host>,
    sets: Vec<HbaSet>,
    constants: Constants,
    source: Seeded,
    faults: Faults,
    /// Packets under way, by the time of arrival and a number.
    under_way: BTreeMap<(Instant, u64), Packet>,
    number: u64,
    /// The last packets that were sent, for [`Incident::Replay`].
    history: Vec<Packet>,
    broken: Vec<(Locator, Locator)>,
    /// Contexts that somebody wanted, by the host that did.
    wanted: Vec<(usize, Identity)>,
    statistics: Statistics,
}

/// Packets and timers that there may be while the time goes by once; some hundreds are many.
const MOST_EVENTS: usize = 100_000;

/// How many packets can be replayed.
const HISTORY: usize = 200;

impl Net {
    /// A network with the first `hosts` of the hosts A, B and C. All else follows from the seed.
    pub fn new(seed: u64, hosts: usize, confused: Confused, constants: Constants) -> Self {
        let mut sets = HbaSet::of_vectors();
        sets.truncate(hosts);
        Self {
            now: Instant::from_millis(1_000_000),
            hosts: sets
                .iter()
                .map(|set| Host::new(set.clone(), confused))
                .collect(),
            sets,
            constants,
            source: Seeded::new(seed),
            faults: Faults::NONE,
            under_way: BTreeMap::new(),
            number: 0,
            history: vec![],
            broken: vec![],
            wanted: vec![],
            statistics: Statistics::default(),
        }
    }

    /// Lets hosts draw their tags from few numbers, so that contexts are confused (RFC 5533,
    /// Appendix C.4).
    pub fn use_few_tags(&mut self, bits: u32) {
        self.source.tag_mask = (1 << bits) - 1;
    }

    /// Changes what the network does to packets from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// The hosts.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What has happened.
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// The contexts that somebody wanted, by the number of the host that did.
    pub fn wanted(&self) -> &[(usize, Identity)] {
        &self.wanted
    }

    /// Lets something happen to a host.
    ///
    /// # Errors
    ///
    /// What must not be.
    pub fn incident(&mut self, host: usize, incident: Incident) -> Result<(), String> {
        let host = host % self.hosts.len();
        match incident {
            Incident::Trigger {
                peer,
                local_ulid,
                peer_ulid,
                fii,
            } => {
                let peer = self.other(host, peer);
                let ulid = |host: usize, index: usize| {
                    let set = self.sets.get(host).expect("a host");
                    set.ulid(index % set.locators.len())
                };
                let identity = Identity {
                    ulids: UlidPair {
                        local: ulid(host, local_ulid),
                        peer: ulid(peer, peer_ulid),
                    },
                    fii: Fii::new(fii),
                };
                if !self
                    .wanted
                    .iter()
                    .any(|(_, wanted)| *wanted == identity || *wanted == mirrored(&identity))
                {
                    self.wanted.push((host, identity));
                }
                self.step(host, |host, world| host.trigger(world, identity))
            }
            Incident::Payload(context) => match self.identity(host, context) {
                Some(identity) => {
                    self.step(host, |host, world| host.send_payload(world, &identity))
                }
                None => Ok(()),
            },
            Incident::Probe {
                context,
                local,
                peer,
            } => match self.identity(host, context) {
                Some(identity) => self.step(host, |host, world| {
                    if let Some(pair) = pair(host, &identity, local, peer) {
                        host.probe(world, &identity, pair);
                    }
                }),
                None => Ok(()),
            },
            Incident::Announce => self.step(host, |host, world| host.announce(world)),
            Incident::Lie => {
                let victim = self.other(host, 0);
                let stolen = self.sets.get(victim).and_then(|set| set.locators.last());
                let stolen = *stolen.expect("a host has locators");
                self.step(host, |host, world| host.lie(world, stolen))
            }
            Incident::Discard(context) => match self.identity(host, context) {
                Some(identity) => self.step(host, |host, _| host.discard(&identity)),
                None => Ok(()),
            },
            Incident::Forget => self.step(host, |host, _| host.forget()),
            Incident::Restart => self.step(host, |host, _| host.restart()),
            Incident::Replay(index) => {
                let len = self.history.len().max(1);
                if let Some(packet) = self.history.get(index % len).cloned() {
                    self.arrive(&packet)?;
                }
                Ok(())
            }
            Incident::Break {
                local,
                peer,
                remote,
            } => {
                let peer = self.other(host, peer);
                let locator = |host: usize, index: usize| {
                    let set = self.sets.get(host).expect("a host");
                    set.ulid(index % set.locators.len()).as_locator()
                };
                self.broken
                    .push((locator(host, local), locator(peer, remote)));
                Ok(())
            }
            Incident::Repair => {
                self.broken.clear();
                Ok(())
            }
        }
    }

    /// Lets time go by.
    ///
    /// # Errors
    ///
    /// What must not be, or that there is no end of packets and timers.
    pub fn run(&mut self, interval: Interval) -> Result<(), String> {
        let end = self.now.saturating_add(interval);
        for _ in 0..MOST_EVENTS {
            let arrival = self.under_way.keys().next().map(|(at, _)| *at);
            let deadline = self.hosts.iter().filter_map(Host::next_deadline).min();
            let next = arrival.into_iter().chain(deadline).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return Ok(());
            };
            // A deadline may have passed while something else happened.
            self.now = next.max(self.now);
            if arrival.is_some_and(|arrival| arrival <= self.now) {
                if let Some((_, packet)) = self.under_way.pop_first() {
                    self.arrive(&packet)?;
                }
            } else {
                for host in 0..self.hosts.len() {
                    self.step(host, |host, world| host.timeout(world))?;
                }
            }
        }
        Err(format!("no end of packets and timers: {:#?}", self.hosts))
    }

    /// Ends all faults and lets the hosts talk until they agree about all contexts that somebody
    /// wanted. Every second hosts that have a context use it and test one of its pairs, and hosts
    /// that wanted one and have none ask for it.
    ///
    /// # Errors
    ///
    /// What must not be, or that they do not agree after ten minutes.
    pub fn settle(&mut self) -> Result<(), String> {
        self.faults = Faults::NONE;
        self.broken.clear();
        for host in 0..self.hosts.len() {
            self.step(host, |host, world| host.tell_all(world))?;
        }
        for second in 0..600 {
            if self.is_settled() {
                return Ok(());
            }
            for (host, identity) in self.wanted.clone() {
                self.step(host, |host, world| {
                    host.expire_negatives(world.now);
                    host.trigger(world, identity);
                })?;
            }
            for host in 0..self.hosts.len() {
                for index in 0..self.hosts.get(host).map_or(0, |host| host.contexts().len()) {
                    self.incident(host, Incident::Payload(index))?;
                    self.incident(
                        host,
                        Incident::Probe {
                            context: index,
                            local: second,
                            peer: second / 3,
                        },
                    )?;
                }
            }
            self.run(Interval::from_secs(1))?;
        }
        Err(format!("no agreement after ten minutes: {:#?}", self.hosts))
    }

    /// Whether all agree about all contexts that somebody wanted.
    pub fn is_settled(&self) -> bool {
        self.wanted.iter().all(|(host, identity)| {
            let peer = identity.ulids.peer.as_locator();
            let ours = self.hosts.get(*host);
            let theirs = self.hosts.iter().find(|host| host.set.has(peer));
            ours.zip(theirs)
                .is_some_and(|(ours, theirs)| agree(ours, theirs, identity))
        })
    }

    /// The number of another host.
    fn other(&self, host: usize, which: usize) -> usize {
        let others = self.hosts.len().saturating_sub(1).max(1);
        (host + 1 + which % others) % self.hosts.len()
    }

    /// The identity of one of a host's contexts, if it has any.
    fn identity(&self, host: usize, context: usize) -> Option<Identity> {
        let contexts = self.hosts.get(host)?.contexts();
        let context = contexts.get(context.checked_rem(contexts.len())?)?;
        Some(context.identity)
    }

    /// A packet arrives, if the pair works and there is a host.
    fn arrive(&mut self, packet: &Packet) -> Result<(), String> {
        let Packet {
            source,
            destination,
            ..
        } = *packet;
        if self.broken.contains(&(source, destination)) {
            return Ok(());
        }
        let mut hosts = self.hosts.iter();
        if let Some(host) = hosts.position(|host| host.set.has(destination)) {
            self.statistics.received += 1;
            self.step(host, |host, world| host.receive(world, packet))?;
        }
        Ok(())
    }

    /// One step of a host. What it sends is under way afterwards.
    fn step(
        &mut self,
        host: usize,
        event: impl FnOnce(&mut Host, &mut World<'_, Seeded>),
    ) -> Result<(), String> {
        let mut world = World {
            now: self.now,
            constants: &self.constants,
            source: &mut self.source,
            sent: vec![],
        };
        let Some(host) = self.hosts.get_mut(host) else {
            return Ok(());
        };
        event(host, &mut world);
        let sent = world.sent;
        host.check(&self.sets)?;

        for packet in sent {
            self.statistics.sent += 1;
            let copies = 1 + u8::from(self.source.percent(self.faults.duplicates));
            for _ in 0..copies {
                if !self.source.percent(self.faults.loss) {
                    let delay = 1 + self.source.below(u64::from(self.faults.delay));
                    let delay = Interval::from_millis(u32::try_from(delay).unwrap_or(u32::MAX));
                    let at = self.now.saturating_add(delay);
                    self.number += 1;
                    self.under_way.insert((at, self.number), packet.clone());
                }
            }
            if self.history.len() == HISTORY {
                self.history.remove(0);
            }
            self.history.push(packet);
        }
        Ok(())
    }
}

/// One of the pairs of a context.
fn pair(host: &Host, identity: &Identity, local: usize, peer: usize) -> Option<LocatorPair> {
    let context = host.context(identity)?;
    let told = host.told();
    Some(LocatorPair {
        local: told.get(local.checked_rem(told.len())?)?.locator,
        peer: *context
            .peer()
            .get(peer.checked_rem(context.peer().len())?)?,
    })
}
