// SPDX-License-Identifier: GPL-2.0

//! What a run is about: hosts, their providers, what they say to each other, and what goes wrong.
//! All of it follows from the seed and the options.

use shim6_proto::{
    establish,
    locator::{
        Locator,
        Ulid, //
    },
    reap,
    time::{
        Instant,
        Interval, //
    }, //
};

use crate::{
    dice::Dice,
    fault::{
        Fault,
        Incident,
        Kind,
        Kinds, //
    },
    flow::Flow,
    host::{
        HbaSet,
        Host,
        Settings, //
    },
    net::{
        prefix,
        Net, //
    },
    Options, //
};

/// How long all is well after the last fault before everything has to be settled.
pub const SETTLE: Interval = Interval::from_secs(450);

/// How long after the last packet everything has to be gone: a Send Timeout that begins with it and
/// shows that the peer has lost the context, which makes another; the time that makes that idle; one
/// look for idle contexts; and a rest.
pub const TEARDOWN: Interval = Interval::from_secs(400);

/// When a run begins. Not at zero, so that no age is cut off.
pub const START: Instant = Instant::from_millis(1_000_000);

/// A run before it begins.
pub struct Scenario {
    /// The network.
    pub net: Net,
    /// The hosts.
    pub hosts: Vec<Host>,
    /// What they say to each other.
    pub flows: Vec<Flow>,
    /// What goes wrong.
    pub incidents: Vec<Incident>,
    /// Claims of locators that belong to others: who, which, from when to when.
    pub claims: Vec<(usize, Locator, Instant, Instant)>,
    /// Whether routers send ICMPv6 errors.
    pub has_icmp: bool,
    /// Whether upper layers complain.
    pub has_hints: bool,
    /// Whether timers are late.
    pub is_late: bool,
    /// When the last fault has ended.
    pub healed: Instant,
}

/// Draws a scenario.
struct Draw<'a> {
    dice: Dice,
    faults: Kinds,
    options: &'a Options,
    healed: Instant,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(seed: u64, options: &Options) -> Self {
        let mut dice = Dice::new(seed, 1);
        // A kind of trouble that a run may have it has in half of all cases.
        let drawn = Kind::ALL.iter().filter(|kind| options.faults.has(**kind));
        let faults = drawn.fold(Kinds::NONE, |faults, kind| match dice.percent(50) {
            true => faults.with(*kind),
            false => faults,
        });
        let healed = START.saturating_add(Interval::from_secs(60 * options.minutes));
        Draw {
            dice,
            faults,
            options,
            healed,
        }
        .scenario()
    }
}

impl Draw<'_> {
    /// Most runs are small.
    fn number_of_hosts(&mut self) -> usize {
        let drawn = match self.dice.below(4_000) {
            0 => self.dice.between(1_000, 3_000),
            1..=12 => self.dice.between(100, 400),
            13..=92 => self.dice.between(21, 60),
            93..=492 => self.dice.between(7, 20),
            _ => self.dice.between(2, 6),
        };
        self.options.hosts.unwrap_or(drawn as usize)
    }

    fn scenario(mut self) -> Scenario {
        let number = self.number_of_hosts();
        let providers = self.dice.between(4, 8) as usize;
        let base_jitter = self.dice.pick(&[1, 10, 50]);
        let is_late = self.faults.has(Kind::Late);
        let mut net = Net::new(providers, base_jitter, &mut self.dice);
        let hosts: Vec<_> = (0..number)
            .map(|index| self.host(index, number, &mut net, is_late))
            .collect();
        let flows = self.flows(&net);
        let incidents = self.incidents(&net, &flows);
        let claims = self.claims(&net);
        Scenario {
            has_icmp: self.faults.has(Kind::Icmp),
            has_hints: self.faults.has(Kind::Hints),
            healed: self.healed,
            net,
            hosts,
            flows,
            incidents,
            claims,
            is_late,
        }
    }

    fn host(&mut self, index: usize, number: usize, net: &mut Net, is_late: bool) -> Host {
        let dice = &mut self.dice;
        let uplinks = match dice.below(20) {
            0..=1 => 1,
            2..=11 => 2,
            12..=16 => 3,
            _ => 4,
        };
        let mut providers: Vec<_> = (0..net.providers()).collect();
        let mut mine = vec![];
        for _ in 0..uplinks {
            let at = dice.below(providers.len());
            mine.push(providers.swap_remove(at));
        }
        let mut prefixes: Vec<_> = mine
            .iter()
            .map(|provider| prefix(*provider, index))
            .collect();
        // A liar may put the prefix of somebody else into its set (RFC 5533, Section 16).
        let has_decoy = self.faults.has(Kind::Liar) && number > 1 && dice.percent(10);
        if has_decoy {
            let victim = (index + 1 + dice.below(number - 1)) % number;
            prefixes.push(prefix(dice.below(net.providers()), victim));
        }
        let set = HbaSet::new(&prefixes, dice);
        let located: Vec<_> = set.addresses.iter().copied().zip(mine).collect();
        let decoys = set.addresses.get(uplinks..).unwrap_or_default();
        net.add_host(&located, decoys);

        let is_provable = uplinks > 1 || dice.percent(50);
        let send_timeout = match dice.below(10) {
            0 => Interval::from_secs(10),
            1 => dice.millis(10_000, 30_000),
            _ => reap::Constants::default().send_timeout,
        };
        let settings = Settings {
            establish: establish::Constants::default(),
            reap: reap::Constants {
                send_timeout,
                hot_standby: dice.percent(25),
                failback_hold: Interval::from_millis(dice.pick(&[60_000, 60_000, 5_000, 0])),
                ..reap::Constants::default()
            },
            delay: if is_late && dice.percent(50) {
                dice.millis(1, 20)
            } else {
                Interval::from_millis(0)
            },
            is_legacy: dice.percent(3),
        };
        Host::new(index, is_provable.then_some(set), settings, dice)
    }

    /// One of the ULIDs of a host.
    fn ulid(&mut self, net: &Net, host: usize) -> Ulid {
        let uplinks = net.uplinks(host);
        let index = self.dice.below(uplinks.len());
        let uplink = uplinks.get(index).expect("every host has an uplink");
        uplink.locator.as_ulid()
    }

    fn flows(&mut self, net: &Net) -> Vec<Flow> {
        let number = net.hosts();
        if number < 2 {
            return vec![];
        }
        let is_large = number > 50;
        let periods = match number {
            0..=6 => (300, 4_000),
            7..=50 => (1_000, 6_000),
            _ => (4_000, 8_000),
        };
        // Either everybody talks to everybody, or all to a few.
        let servers = if self.dice.percent(30) {
            1 + self.dice.below(number.div_ceil(50).max(1))
        } else {
            number
        };
        let all = match number {
            2 => 1 + self.dice.below(2),
            3..=6 => number - 1 + self.dice.below(3),
            _ => number,
        };
        let closing = self.healed.saturating_add(SETTLE);
        (0..all)
            .map(|index| {
                let client = index % number;
                let mut server = self.dice.below(servers);
                if server == client {
                    server = (server + 1) % number;
                }
                let ends = [
                    (client, self.ulid(net, client)),
                    (server, self.ulid(net, server)),
                ];
                let turbulence = self.healed.since(START).as_millis();
                let begins = if self.dice.percent(70) || is_large {
                    self.dice.millis(0, 30_000)
                } else {
                    self.dice.millis(0, turbulence)
                };
                let opens = START.saturating_add(begins);
                let closes = if self.dice.percent(75) {
                    closing
                } else {
                    opens
                        .saturating_add(self.dice.millis(10_000, 600_000))
                        .min(closing)
                };
                Flow::draw(ends, periods, opens, closes, &mut self.dice)
            })
            .collect()
    }

    /// Locators that liars claim (the lists are refused, so they are as good as silent meanwhile).
    fn claims(&mut self, net: &Net) -> Vec<(usize, Locator, Instant, Instant)> {
        if !self.faults.has(Kind::Liar) || net.hosts() < 2 || self.dice.percent(50) {
            return vec![];
        }
        let liar = self.dice.below(net.hosts());
        let victim = (liar + 1 + self.dice.below(net.hosts() - 1)) % net.hosts();
        let stolen = self.ulid(net, victim).as_locator();
        let (begins, ends) = self.time(1_000, 120_000);
        vec![(liar, stolen, begins, ends)]
    }

    /// A time before all is healed.
    fn time(&mut self, least: u32, most: u32) -> (Instant, Instant) {
        let turbulence = self.healed.since(START).as_millis();
        let begins = START.saturating_add(self.dice.millis(0, turbulence));
        let ends = begins.saturating_add(self.dice.millis(least, most));
        (begins, ends.min(self.healed))
    }

    fn incidents(&mut self, net: &Net, flows: &[Flow]) -> Vec<Incident> {
        let minutes = self.options.minutes as usize;
        let pace = self.dice.pick(&[1, 1, 2, 5]);
        let local = (net.hosts() / 3).clamp(1, 100);
        let mut incidents = vec![];
        for kind in Kind::ALL {
            if !self.faults.has(*kind) {
                continue;
            }
            // What concerns single hosts comes more often if there are many.
            let often = match kind {
                Kind::Links | Kind::OneWay | Kind::Renumber | Kind::Restart => local,
                Kind::Icmp | Kind::Hints | Kind::Late => 0,
                _ => 1,
            };
            let most = (minutes * pace * often).div_ceil(4);
            for _ in 0..self.dice.below(most + 1) {
                self.incident(*kind, net, flows, &mut incidents);
            }
        }
        incidents
    }

    fn incident(&mut self, kind: Kind, net: &Net, flows: &[Flow], incidents: &mut Vec<Incident>) {
        let long = self.dice.pick(&[5_000, 30_000, 120_000, 400_000]);
        let (begins, ends) = self.time(500, long);
        let mut add = |fault| {
            incidents.push(Incident {
                fault,
                begins,
                ends,
            });
        };
        let host = self.dice.below(net.hosts());
        let uplink = self.dice.below(net.uplinks(host).len());
        let dice = &mut self.dice;
        let provider = dice.below(net.providers());
        match kind {
            Kind::Loss => add(Fault::Loss(dice.pick(&[10, 50, 200, 500]))),
            Kind::Duplicates => add(Fault::Duplicates(dice.pick(&[10, 100, 400]))),
            Kind::Jitter => add(Fault::Jitter(dice.pick(&[20, 200, 900]))),
            Kind::Liar => add(Fault::Liar),
            Kind::Providers => add(Fault::Provider(provider)),
            Kind::Partition => {
                let other = dice.below(net.providers());
                add(Fault::Cut(provider, other));
                if dice.percent(60) {
                    add(Fault::Cut(other, provider));
                }
            }
            Kind::Restart => add(Fault::Down(host)),
            Kind::Renumber => add(Fault::Renumber(host, uplink)),
            Kind::Links => match dice.below(4) {
                0 => add(Fault::Carrier(host, uplink)),
                1 | 2 => add(Fault::Silent(host, uplink)),
                // Again and again, once a second.
                _ => {
                    for second in 0..u64::from(dice.between(3, 30)) {
                        let at = |half: u64| {
                            let millis = begins.as_millis() + second * 1_000 + half * 500;
                            Instant::from_millis(millis)
                        };
                        if at(1) <= self.healed {
                            incidents.push(Incident {
                                fault: Fault::Carrier(host, uplink),
                                begins: at(0),
                                ends: at(1),
                            });
                        }
                    }
                }
            },
            Kind::OneWay => {
                let flow = dice.below(flows.len());
                match flows.get(flow).filter(|_| dice.percent(70)) {
                    Some(flow) => {
                        let mut locator = |end: u8| {
                            let uplinks = net.uplinks(flow.end(end).host);
                            let uplink = uplinks.get(dice.below(uplinks.len()));
                            uplink.expect("every host has an uplink").locator
                        };
                        let (a, b) = (locator(0), locator(1));
                        let pair = if dice.percent(50) { (a, b) } else { (b, a) };
                        add(Fault::Pair(pair.0, pair.1));
                    }
                    None => add(Fault::OneWay(host, uplink, dice.percent(50))),
                }
            }
            Kind::Icmp | Kind::Hints | Kind::Late => {}
        }
    }
}
