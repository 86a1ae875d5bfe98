// SPDX-License-Identifier: GPL-2.0

//! The data path of a host: payload goes out and comes in (RFC 5533, Sections 11 and 12.2), leaves
//! its stamps, and asks for contexts as `rust/control/trigger.rs` says.

use shim6_proto::{
    establish::{
        Machine,
        State,
        Step, //
    },
    locator::UlidPair,
    tag::ContextTag,
    time::{
        Instant,
        Interval, //
    }, //
};

use super::{
    default_identity,
    surroundings::Surroundings,
    Host,
    Note,
    Origin,
    World, //
};
use crate::{
    bug::Bug,
    event::{
        Body,
        Icmp,
        Packet, //
    }, //
};

/// Age of a connection before it gets a context on its own.
const ESTABLISH_AGE: Interval = Interval::from_secs(1);

/// When traffic asks for a context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// At once.
    Impatient,
    /// After so many packets in both directions, if this host can prove its ULID.
    Auto(u32),
}

/// Traffic that may become worth a context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    first: Instant,
    packets: u32,
}

impl Host {
    /// A program opens a connected socket, or closes it.
    pub fn socket(&mut self, ulids: UlidPair, is_open: bool) {
        let users = self.sockets.entry(ulids).or_insert(0);
        *users = if is_open {
            *users + 1
        } else {
            users.saturating_sub(1)
        };
        if *users == 0 {
            self.sockets.remove(&ulids);
        }
    }

    /// An upper layer sends something.
    pub fn send_payload(
        &mut self,
        world: &mut World<'_>,
        ulids: UlidPair,
        (flow, end): (u32, u8),
        trigger: Trigger,
    ) {
        let now = world.coarse_now();
        let slot = self.contexts.by_identity(&default_identity(ulids));
        let (mut pair, mut tag) = (ulids.as_locators(), None);
        if let Some((slot, context)) =
            slot.and_then(|slot| Some((slot, self.contexts.get_mut(slot)?)))
        {
            pair = context.pair;
            tag = context.path_tag();
            if world.bug != Some(Bug::NoStamps) && context.stamps.sent(now) {
                self.wants_attention(slot);
            }
        } else if !self.settings.is_legacy {
            self.trigger(world, ulids, trigger);
        }
        let body = Body::Payload { tag, flow, end };
        world.sent.push((Packet::new(pair, body), Origin::Payload));
        self.finish(world);
    }

    /// A packet without a context was sent.
    fn trigger(&mut self, world: &mut World<'_>, ulids: UlidPair, trigger: Trigger) {
        match trigger {
            Trigger::Impatient => self.request(world, ulids),
            Trigger::Auto(enough) => {
                let candidate = self.candidates.entry(ulids).or_insert(Candidate {
                    first: world.now,
                    packets: 0,
                });
                candidate.packets += 1;
                if candidate.packets > enough && world.now.since(candidate.first) >= ESTABLISH_AGE {
                    self.candidates.remove(&ulids);
                    if self.set.is_some() {
                        self.request(world, ulids);
                    }
                }
            }
        }
    }

    /// Asks for a context.
    fn request(&mut self, world: &mut World<'_>, ulids: UlidPair) {
        let identity = default_identity(ulids);
        let is_refused =
            !world.net.is_assigned(ulids.local.as_locator()) || self.shuns(&identity, world.now);
        if is_refused || world.bug == Some(Bug::NoRequests) {
            return;
        }
        let Some(tag) = self.unused_tag(world.dice) else {
            return;
        };
        let local = self.local_for(world, ulids.local);
        let mut step = Step {
            constants: &self.settings.establish,
            identity: &identity,
            now: world.now,
            random: world.dice,
        };
        let (machine, actions) = Machine::initiate(&mut step, tag, ulids.as_locators());
        let mut surroundings = Surroundings::new(ulids.peer, local.clone(), None, world.bug);
        self.begin(
            world,
            identity,
            local,
            machine,
            &actions,
            &mut surroundings,
            None,
        );
    }

    /// Payload comes in.
    pub(super) fn receive_payload(
        &mut self,
        world: &mut World<'_>,
        packet: &Packet,
        tag: Option<ContextTag>,
        (flow, end): (u32, u8),
    ) {
        let now = world.coarse_now();
        let addresses = UlidPair {
            local: packet.destination.as_ulid(),
            peer: packet.source.as_ulid(),
        };
        let Some(tag) = tag else {
            let slot = self.contexts.by_identity(&default_identity(addresses));
            match slot.and_then(|slot| Some((slot, self.contexts.get_mut(slot)?))) {
                Some((slot, context)) => {
                    if context.stamps.received(now) {
                        self.wants_attention(slot);
                    }
                }
                None => {
                    if let Some(candidate) = self.candidates.get_mut(&addresses) {
                        candidate.packets += 1;
                    }
                }
            }
            world.note(Note::Delivered {
                flow,
                end,
                ulids: addresses,
            });
            return;
        };
        let mut slot = self.contexts.by_tag(tag);
        if world.bug == Some(Bug::WrongContext) {
            slot = self.contexts.iter().map(|(slot, _)| slot).last();
        }
        let Some((slot, context)) =
            slot.and_then(|slot| Some((slot, self.contexts.get_mut(slot)?)))
        else {
            // A payload extension header has 8 octets.
            self.answer_r1bis(world, &packet.arrival(), tag, 8);
            return;
        };
        let state = context.machine.state();
        let ulids = context.identity.ulids;
        if state != State::Established {
            context.wishes.repeat_offer = true;
        }
        let mut wants = state != State::Established;
        if state.delivers_payload() {
            wants |= context.stamps.received(now);
            world.note(Note::Delivered { flow, end, ulids });
        }
        if wants {
            self.wants_attention(slot);
        }
    }

    /// An ICMPv6 error comes in.
    pub(super) fn receive_icmp(&mut self, icmp: Icmp) {
        let slot = match icmp {
            Icmp::Unreachable { pair } => {
                let mut contexts = self.contexts.iter();
                // Over the ULIDs, what is quoted has the addresses of the context, and only that.
                let found = contexts.find(|(_, context)| {
                    context.pair == pair
                        && (context.path_tag().is_some()
                            || pair == context.identity.ulids.as_locators())
                });
                found.map(|(slot, _)| slot)
            }
            Icmp::Unrecognized { tag, .. } => self.contexts.by_tag(tag),
        };
        let Some((slot, context)) =
            slot.and_then(|slot| Some((slot, self.contexts.get_mut(slot)?)))
        else {
            return;
        };
        match icmp {
            Icmp::Unreachable { .. } => context.wishes.icmp_error = true,
            Icmp::Unrecognized { .. } if context.machine.state() == State::I1Sent => {
                context.wishes.unrecognized = true;
            }
            Icmp::Unrecognized { .. } => return,
        }
        self.wants_attention(slot);
    }

    /// TCP has waited in vain for so long, or a program complains.
    pub fn complain(
        &mut self,
        world: &mut World<'_>,
        ulids: UlidPair,
        waited: Interval,
        is_tcp: bool,
    ) {
        let slot = self.contexts.by_identity(&default_identity(ulids));
        let Some((slot, context)) =
            slot.and_then(|slot| Some((slot, self.contexts.get_mut(slot)?)))
        else {
            return;
        };
        // What was sent before the pair was chosen says nothing about it.
        let trusted = context.watch.as_ref().map(|watch| watch.trusted);
        if trusted.is_none_or(|trusted| world.now.since(trusted) < waited) {
            return;
        }
        if is_tcp {
            context.wishes.tcp_timeout = true;
        } else {
            context.wishes.complaint = true;
        }
        self.wants_attention(slot);
        self.finish(world);
    }
}
