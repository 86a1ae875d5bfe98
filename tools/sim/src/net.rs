// SPDX-License-Identifier: GPL-2.0

//! What is between the hosts, and what is true of it: uplinks, providers, the paths between them
//! and what of it fails. Faults are counted, so that each can end without regard to others.

use shim6_proto::{
    locator::Locator,
    time::Instant, //
};

use crate::{
    dice::Dice,
    fault::Fault,
    map::Map, //
};

/// The link of a host to a provider, with the locator that it has there.
#[derive(Clone, Debug)]
pub struct Uplink {
    /// The locator.
    pub locator: Locator,
    /// The provider.
    pub provider: usize,
    /// Renumberings that have taken the locator away from the host.
    unassigned: u8,
    /// Faults of the link that the host notices.
    no_carrier: u8,
    /// Faults that it does not notice: of packets to the host, and from it.
    dead: [u8; 2],
}

/// What becomes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It arrives after so many milliseconds, if nothing happens to it by chance.
    Passes(u32),
    /// It is lost, and nobody says so.
    Lost,
    /// A router knows no way any more.
    Unreachable,
}

/// The network.
#[derive(Debug)]
pub struct Net {
    uplinks: Vec<Vec<Uplink>>,
    host_down: Vec<u8>,
    provider_down: Vec<u8>,
    /// By the provider that packets come from, and the one that they go to.
    cut: Vec<u8>,
    delay: Vec<u32>,
    broken: Map<(Locator, Locator), u8>,
    /// Addresses that a host can prove to be its own and does not have.
    decoys: Map<Locator, usize>,
    /// Packets of 1000 that are lost.
    pub loss: u32,
    /// Packets of 1000 that come twice.
    pub duplicates: u32,
    /// The most that the delay of a packet varies by, in milliseconds.
    pub jitter: u32,
    /// Liars that are at work.
    pub liars: u8,
    /// Hosts that claim what is not theirs.
    claims: u8,
    /// When anything of this last changed.
    pub changed: Instant,
}

/// The subnet prefix at a provider: 2001:db8:PROVIDER:HOST::/64.
pub fn prefix(provider: usize, host: usize) -> [u8; 8] {
    let [a, b] = (provider as u16).to_be_bytes();
    let [c, d] = (host as u16).to_be_bytes();
    [0x20, 0x01, 0x0d, 0xb8, a, b, c, d]
}

impl Net {
    /// A network without hosts, with paths between so many providers.
    pub fn new(providers: usize, jitter: u32, dice: &mut Dice) -> Self {
        Self {
            uplinks: vec![],
            host_down: vec![],
            provider_down: vec![0; providers],
            cut: vec![0; providers * providers],
            delay: (0..providers * providers)
                .map(|_| dice.between(2, 150))
                .collect(),
            broken: Map::default(),
            decoys: Map::default(),
            loss: 0,
            duplicates: 0,
            jitter,
            liars: 0,
            claims: 0,
            changed: Instant::from_millis(0),
        }
    }

    /// Adds a host with these locators, each at a provider, and those that it only pretends.
    pub fn add_host(&mut self, locators: &[(Locator, usize)], decoys: &[Locator]) {
        let host = self.uplinks.len();
        let uplink = |&(locator, provider): &(Locator, usize)| Uplink {
            locator,
            provider,
            unassigned: 0,
            no_carrier: 0,
            dead: [0; 2],
        };
        self.uplinks.push(locators.iter().map(uplink).collect());
        self.host_down.push(0);
        self.decoys
            .extend(decoys.iter().map(|locator| (*locator, host)));
    }

    /// How many providers.
    pub fn providers(&self) -> usize {
        self.provider_down.len()
    }

    /// How many hosts.
    pub fn hosts(&self) -> usize {
        self.uplinks.len()
    }

    /// The links of a host.
    pub fn uplinks(&self, host: usize) -> &[Uplink] {
        self.uplinks.get(host).map_or(&[], Vec::as_slice)
    }

    /// Where a locator is, whether it works or not.
    fn place(&self, locator: Locator) -> Option<(usize, &Uplink)> {
        let [.., c, d] = locator.subnet_prefix();
        let host = usize::from(u16::from_be_bytes([c, d]));
        let mut uplinks = self.uplinks(host).iter();
        let uplink = uplinks.find(|uplink| uplink.locator == locator)?;
        Some((host, uplink))
    }

    /// The host that has a locator, or had it before it was renumbered.
    pub fn host_of(&self, locator: Locator) -> Option<usize> {
        self.place(locator).map(|(host, _)| host)
    }

    /// The host whose own a locator can be proved to be.
    pub fn owner(&self, locator: Locator) -> Option<usize> {
        self.host_of(locator)
            .or_else(|| self.decoys.get(&locator).copied())
    }

    /// Whether a locator is an address of its host now.
    pub fn is_assigned(&self, locator: Locator) -> bool {
        self.place(locator)
            .is_some_and(|(_, uplink)| uplink.unassigned == 0)
    }

    /// Whether a host can send with a locator, as far as it can see itself.
    pub fn is_usable(&self, locator: Locator) -> bool {
        self.place(locator)
            .is_some_and(|(_, uplink)| uplink.unassigned == 0 && uplink.no_carrier == 0)
    }

    /// Whether a host is there.
    pub fn is_up(&self, host: usize) -> bool {
        self.host_down.get(host) == Some(&0)
    }

    /// The host that a packet arrives at now, whatever was between.
    pub fn receiver(&self, destination: Locator) -> Option<usize> {
        let (host, uplink) = self.place(destination)?;
        let is_there = uplink.unassigned == 0 && uplink.no_carrier == 0 && self.is_up(host);
        is_there.then_some(host)
    }

    /// What becomes of a packet, but for what happens by chance.
    pub fn fate(&self, source: Locator, destination: Locator) -> Fate {
        let Some((from_host, from)) = self.place(source) else {
            return Fate::Lost;
        };
        if from.unassigned > 0 || from.no_carrier > 0 || !self.is_up(from_host) {
            return Fate::Lost;
        }
        if from.dead.last() != Some(&0) || self.provider_down.get(from.provider) != Some(&0) {
            return Fate::Lost;
        }
        let Some((to_host, to)) = self.place(destination) else {
            return Fate::Unreachable;
        };
        let path = from.provider * self.providers() + to.provider;
        if self.cut.get(path) != Some(&0) || self.broken.contains_key(&(source, destination)) {
            return Fate::Lost;
        }
        if self.provider_down.get(to.provider) != Some(&0) {
            return Fate::Unreachable;
        }
        if to.unassigned > 0 || to.no_carrier > 0 {
            return Fate::Unreachable;
        }
        if to.dead.first() != Some(&0) || !self.is_up(to_host) {
            return Fate::Lost;
        }
        Fate::Passes(self.delay.get(path).copied().unwrap_or(1))
    }

    /// Whether packets get from one locator to another, all of them.
    pub fn works(&self, source: Locator, destination: Locator) -> bool {
        self.loss == 0 && matches!(self.fate(source, destination), Fate::Passes(_))
    }

    /// Whether nothing happens by chance or malice.
    pub fn is_quiet(&self) -> bool {
        self.loss == 0 && self.liars == 0 && self.claims == 0
    }

    /// The longest time that a packet is under way, in milliseconds.
    pub fn longest_delay(&self) -> u32 {
        self.delay.iter().max().copied().unwrap_or(0) + self.jitter
    }

    /// A host begins or ends to claim what is not its own.
    pub fn claim(&mut self, begins: bool, now: Instant) {
        self.changed = now;
        self.claims = if begins {
            self.claims.saturating_add(1)
        } else {
            self.claims.saturating_sub(1)
        };
    }

    /// A fault begins or ends.
    pub fn apply(&mut self, fault: Fault, begins: bool, now: Instant) {
        self.changed = now;
        let count = |counter: &mut u8| {
            *counter = if begins {
                counter.saturating_add(1)
            } else {
                counter.saturating_sub(1)
            };
        };
        let add = |value: &mut u32, by: u32| {
            *value = if begins {
                value.saturating_add(by)
            } else {
                value.saturating_sub(by)
            };
        };
        match fault {
            Fault::Loss(permille) => add(&mut self.loss, permille),
            Fault::Duplicates(permille) => add(&mut self.duplicates, permille),
            Fault::Jitter(millis) => add(&mut self.jitter, millis),
            Fault::Liar => count(&mut self.liars),
            Fault::Provider(provider) => {
                self.provider_down.get_mut(provider).map(count);
            }
            Fault::Cut(from, to) => {
                let path = from * self.providers() + to;
                self.cut.get_mut(path).map(count);
            }
            Fault::Pair(source, destination) => {
                let counter = self.broken.entry((source, destination)).or_insert(0);
                count(counter);
                if *counter == 0 {
                    self.broken.remove(&(source, destination));
                }
            }
            Fault::Down(host) => {
                self.host_down.get_mut(host).map(count);
            }
            Fault::Carrier(host, uplink) => {
                if let Some(uplink) = self.uplink_mut(host, uplink) {
                    count(&mut uplink.no_carrier);
                }
            }
            Fault::Renumber(host, uplink) => {
                if let Some(uplink) = self.uplink_mut(host, uplink) {
                    count(&mut uplink.unassigned);
                }
            }
            Fault::Silent(host, uplink) => {
                if let Some(uplink) = self.uplink_mut(host, uplink) {
                    uplink.dead.iter_mut().for_each(count);
                }
            }
            Fault::OneWay(host, uplink, is_outbound) => {
                self.uplink_mut(host, uplink)
                    .and_then(|uplink| uplink.dead.get_mut(usize::from(is_outbound)))
                    .map(count);
            }
        }
    }

    fn uplink_mut(&mut self, host: usize, uplink: usize) -> Option<&mut Uplink> {
        self.uplinks.get_mut(host)?.get_mut(uplink)
    }
}
