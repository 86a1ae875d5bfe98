// SPDX-License-Identifier: GPL-2.0

//! What must hold all along. Each check has a name, by which the README says what it is.

mod relation;
mod storm;

use shim6_proto::{
    locator::{
        Locator,
        LocatorPair,
        Ulid, //
    },
    number::Nonce,
    reap::SwitchReason,
    time::{
        Instant,
        Interval, //
    },
    wire::{
        message::Message,
        message_type::MessageType, //
    }, //
};

use crate::{
    event::{
        Body,
        Packet, //
    },
    flow::Flow,
    host::{
        Host,
        Origin, //
    },
    map::{
        Map,
        Set, //
    },
    net::Net,
    stats::type_of, //
};

pub use self::{
    relation::{
        Recovery,
        Relation,
        AUDIT, //
    },
    storm::Meter, //
};

/// A check that found something, and what.
pub type Finding = (&'static str, String);

/// What checks look at.
pub struct View<'a> {
    /// The time.
    pub now: Instant,
    /// The network.
    pub net: &'a Net,
    /// The hosts.
    pub hosts: &'a [Host],
    /// The traffic.
    pub flows: &'a [Flow],
    /// Whether messages were forged or repeated.
    pub has_lied: bool,
}

impl<'a> View<'a> {
    /// A host.
    ///
    /// # Panics
    ///
    /// If there is no such host.
    pub fn host(&self, index: usize) -> &'a Host {
        self.hosts.get(index).expect("a host")
    }
}

/// Pairs over which something that asks for an answer got to its receiver, and when that last
/// was. Somebody who heard it can carry it there with other addresses, and the answer is the same:
/// what counts is over which pair it was meant to go.
#[derive(Default)]
pub struct Arrivals {
    arrived: Map<(Locator, Locator), Instant>,
    /// Pairs over which payload or another message got there: one that was current need not have
    /// been asked about, and may stand by when it is so no more.
    used: Set<(Locator, Locator)>,
    /// The pairs of Update Requests that were sent, by their nonces.
    asked: Map<Nonce, (Locator, Locator)>,
}

impl Arrivals {
    /// A host sends a control message.
    pub fn sent(&mut self, packet: &Packet, octets: &[u8]) {
        if let Some(MessageType::UpdateRequest) = type_of(octets) {
            if let Ok(Message::UpdateRequest(request)) = Message::parse(&packet.arrival(), octets) {
                let pair = (packet.source, packet.destination);
                self.asked.insert(request.request_nonce, pair);
            }
        }
    }

    /// A packet arrives.
    pub fn note(&mut self, packet: &Packet, now: Instant) {
        let octets = match &packet.body {
            Body::Control(octets) => octets,
            Body::Payload { .. } => {
                self.used.insert((packet.source, packet.destination));
                return;
            }
            Body::Icmp(_) => return,
        };
        let asks = [MessageType::UpdateRequest, MessageType::Probe];
        if !type_of(octets).is_some_and(|message| asks.contains(&message)) {
            self.used.insert((packet.source, packet.destination));
            return;
        }
        let pair = match Message::parse(&packet.arrival(), octets) {
            Ok(Message::UpdateRequest(request)) => self.asked.get(&request.request_nonce).copied(),
            Ok(Message::Probe(probe)) => {
                let own = probe.sent.iter().next();
                own.map(|own| (own.source, own.destination))
            }
            _ => None,
        };
        if let Some(pair) = pair {
            self.arrived.insert(pair, now);
        }
    }

    /// `belief`: a context switches only to a pair over which its probe got to the peer since it
    /// last left Operational, or its request if the peer confirmed the pair.
    ///
    /// # Errors
    ///
    /// That it did not.
    pub fn check(
        &self,
        pair: LocatorPair,
        reason: SwitchReason,
        left: Option<Instant>,
    ) -> Result<(), Finding> {
        let arrived = self.arrived.get(&(pair.local, pair.peer)).copied();
        let since = match reason {
            SwitchReason::Reported => left,
            SwitchReason::Standby | SwitchReason::Failback => None,
        };
        let is_new = |arrived: Instant| since.is_none_or(|since| arrived >= since);
        let was_current = reason != SwitchReason::Reported;
        if arrived.is_some_and(is_new)
            || (was_current && self.used.contains(&(pair.local, pair.peer)))
        {
            return Ok(());
        }
        Err((
            "belief",
            format!(
                "switched ({reason}) to {} - {}, where nothing arrived",
                pair.local, pair.peer
            ),
        ))
    }
}

/// `destination`, `reachability` and `amplification`: where a packet goes, and how large it is.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_sent(
    view: &View<'_>,
    host: usize,
    packet: &Packet,
    origin: Origin,
) -> Result<(), Finding> {
    let to = packet.destination;
    match (&packet.body, origin) {
        (Body::Payload { flow, end, .. }, _) => {
            let peer = view
                .flows
                .get(*flow as usize)
                .map(|flow| flow.end(1 - *end).host);
            if view.net.owner(to) != peer {
                let text = format!("host {host} sends payload to {to}, which is not its peer's");
                return Err(("destination", text));
            }
            if view.net.host_of(to) != peer {
                let text = format!("host {host} sends payload to {to}, where its peer never was");
                return Err(("reachability", text));
            }
        }
        (Body::Control(octets), Origin::Context(ulid)) => {
            let peer = |ulid: Ulid| view.net.owner(ulid.as_locator());
            let name = type_of(octets).map_or("a message", MessageType::name);
            if view.net.owner(to) != peer(ulid) {
                let text =
                    format!("host {host} sends {name} for {ulid} to {to}, which is not its peer's");
                return Err(("destination", text));
            }
            // What asks whether the peer is there, and what answers a message that came from there.
            let is_use = type_of(octets) == Some(MessageType::Keepalive);
            if view.net.host_of(to) != peer(ulid) && is_use {
                let text = format!("host {host} sends {name} to {to}, where its peer never was");
                return Err(("reachability", text));
            }
        }
        (Body::Control(octets), Origin::Answer(received)) => {
            let most = (received + 48).max(56);
            if octets.len() > most {
                let text = format!(
                    "host {host} answers {received} octets with {}, more than {most}",
                    octets.len()
                );
                return Err(("amplification", text));
            }
        }
        _ => {}
    }
    Ok(())
}

/// `identity`: after a context was made at this place, no other of the host has its identity or
/// its tag, or is one that the peer could take for it (RFC 5533, Section 7.15).
///
/// # Errors
///
/// Which two do.
pub fn check_contexts(host: &Host, slot: u32) -> Result<(), Finding> {
    let Some(new) = host.contexts.get(slot) else {
        return Ok(());
    };
    for (_, other) in host.contexts.iter().filter(|(other, _)| *other != slot) {
        let ulids = new.identity.ulids;
        let text = || {
            format!(
                "host {}: two contexts {} - {}",
                host.index, ulids.local, ulids.peer
            )
        };
        if other.identity == new.identity {
            return Err(("identity", text()));
        }
        if other.machine.local_tag() == new.machine.local_tag() {
            return Err(("identity", format!("{}: one tag twice", text())));
        }
        let (new_claim, other_claim) = (new.claim(), other.claim());
        let are_confused = new_claim.state.sends_to_pair()
            && shim6_proto::establish::confuses(&new_claim, &other_claim, || new.overlaps(other));
        if are_confused {
            return Err(("identity", format!("{}: confused", text())));
        }
    }
    Ok(())
}

/// The age of a context that may still be on the way.
const NEW: Interval = Interval::from_secs(60);

/// `settled`: long after the last fault every context that is established is Operational.
///
/// # Errors
///
/// Which is not.
pub fn check_settled(view: &View<'_>) -> Result<(), Finding> {
    use shim6_proto::{
        establish::State,
        reap, //
    };
    for host in view.hosts {
        for (_, context) in host.contexts.iter() {
            let age = view.now.since(context.made);
            if age < NEW {
                continue;
            }
            let ulids = context.identity.ulids;
            let name = format!("host {}: {} - {}", host.index, ulids.local, ulids.peer);
            let state = context.machine.state();
            // Only a forged R2 makes a context with a host that knows nothing of it.
            let legacy = |host: usize| view.host(host).settings.is_legacy;
            if view.net.owner(ulids.peer.as_locator()).is_some_and(legacy) {
                continue;
            }
            if state != State::Established {
                let text = format!("{name} is in {} after all faults", state.name());
                return Err(("settled", text));
            }
            let reap = context.watch.as_ref().map(|watch| watch.reap.state());
            if reap.is_some_and(|state| state != reap::State::Operational) {
                let text = format!("{name} is not Operational after all faults: {reap:?}");
                return Err(("settled", text));
            }
        }
    }
    Ok(())
}

/// `teardown`: long after the last packet there is no context.
///
/// # Errors
///
/// Which is there.
pub fn check_end(view: &View<'_>) -> Result<(), Finding> {
    for host in view.hosts {
        if let Some((_, context)) = host.contexts.iter().next() {
            let ulids = context.identity.ulids;
            let state = context.machine.state().name();
            let text = format!(
                "host {}: {} - {} is still there, {state}",
                host.index, ulids.local, ulids.peer
            );
            return Err(("teardown", text));
        }
    }
    Ok(())
}
