// SPDX-License-Identifier: GPL-2.0

//! What each event does, and what comes of it.

use shim6_proto::{
    locator::{
        Locator,
        LocatorPair, //
    },
    reap,
    time::{
        Instant,
        Interval, //
    },
    wire::message::Message, //
};

use super::Sim;
use crate::{
    audit::{
        check_contexts,
        check_sent,
        Finding,
        View,
        AUDIT, //
    },
    event::{
        Body,
        Event,
        Icmp,
        Packet, //
    },
    fault::Fault,
    flow::Pattern,
    host::{
        Host,
        Note,
        Origin,
        World, //
    },
    net::Fate,
    stats::type_of, //
};

/// A router sends a host an error at most so often.
const ICMP_INTERVAL: Interval = Interval::from_secs(1);

/// Errors take so long to come back, in milliseconds.
const ICMP_DELAY: Interval = Interval::from_millis(20);

/// The longest time between two complaints of an upper layer, as between retransmissions of TCP.
const LONGEST_WAIT: Interval = Interval::from_secs(120);

impl Sim<'_> {
    /// An event.
    pub(super) fn happen(&mut self, event: Event) -> Result<(), Finding> {
        match event {
            Event::Arrive(packet) => self.arrive(&packet),
            Event::Timer { host, slot, serial } => {
                self.step(host as usize, |host, world| host.timer(world, slot, serial))
            }
            Event::Work(host) => self.step(host as usize, |host, world| host.work(world)),
            Event::Sweep(host) => self.step(host as usize, |host, world| host.sweep(world)),
            Event::Send { flow, end } => self.send(flow, end),
            Event::Open(flow) => {
                self.open(flow, true);
                Ok(())
            }
            Event::Close(flow) => {
                self.open(flow, false);
                Ok(())
            }
            Event::Fault(fault, begins) => self.fault(*fault, begins),
            Event::Lie => {
                self.lie();
                Ok(())
            }
            Event::Claim(host, locator) => self.claim(host as usize, locator.as_deref().copied()),
            Event::Audit => {
                self.queue.push(self.later(AUDIT as u32), Event::Audit);
                self.audit_all()
            }
            Event::Settled => self.check_settled(),
            Event::End => Ok(()),
        }
    }

    fn later(&self, millis: u32) -> Instant {
        self.now.saturating_add(Interval::from_millis(millis))
    }

    /// One step of a host, and what comes of it.
    fn step(
        &mut self,
        index: usize,
        event: impl FnOnce(&mut Host, &mut World<'_>),
    ) -> Result<(), Finding> {
        let [_, dice, _] = &mut self.dice;
        let mut world = World {
            now: self.now,
            net: &self.net,
            dice,
            bug: self.options.bug,
            is_late: self.is_late,
            serial: &mut self.serial,
            sent: vec![],
            later: vec![],
            notes: vec![],
        };
        let Some(host) = self.hosts.get_mut(index) else {
            return Ok(());
        };
        event(host, &mut world);
        let World {
            sent, later, notes, ..
        } = world;
        for (at, event) in later {
            self.queue.push(at, event);
        }
        for note in notes {
            self.note(index, note)?;
        }
        for (packet, origin) in sent {
            self.sent(index, packet, origin)?;
        }
        Ok(())
    }

    /// How many contexts a host has.
    fn contexts(&self, host: usize) -> usize {
        self.hosts.get(host).map_or(0, |host| host.contexts.len())
    }

    /// Something that a host did.
    fn note(&mut self, host: usize, note: Note) -> Result<(), Finding> {
        if !matches!(note, Note::Delivered { .. }) {
            self.tell(|| format!("host {host}: {note:?}"));
        }
        let (now, contexts) = (self.now, self.contexts(host));
        let view = View {
            now,
            net: &self.net,
            hosts: &self.hosts,
            flows: &self.flows,
            has_lied: self.statistics.lies > 0,
        };
        match note {
            Note::Added(slot) => {
                self.statistics.contexts += 1;
                check_contexts(view.host(host), slot)?;
                if let Some(meter) = self.meters.get_mut(host) {
                    meter.made(now, contexts);
                }
            }
            Note::State(identity, _) => {
                let table = &view.host(host).contexts;
                if let Some(slot) = table.by_identity(&identity) {
                    check_contexts(view.host(host), slot)?;
                }
                // Failure detection may begin anew with it.
                if let Some(meter) = self.meters.get_mut(host) {
                    meter.reason(now, contexts, 1);
                }
            }
            Note::Entered {
                identity,
                state: reap::State::Exploring,
                cause,
            } => {
                self.statistics.explored += 1;
                if cause == reap::Cause::SendTimeout {
                    let ulids = (identity.ulids.local, identity.ulids.peer);
                    let relation = self.by_ulids.get(&ulids).copied();
                    let relation = relation.and_then(|relation| self.relations.get(relation));
                    relation.map_or(Ok(()), |relation| relation.check_timeout(host, &view))?;
                }
            }
            Note::Switched {
                pair, reason, left, ..
            } => {
                self.statistics.switched += 1;
                self.arrivals.check(pair, reason, left)?;
            }
            Note::Delivered { flow, end, ulids } => return self.delivered(host, flow, end, ulids),
            Note::Entered { .. } | Note::Removed(..) | Note::Discarded(_) => {}
        }
        Ok(())
    }

    /// `delivery`: payload got to the upper layer at the other end of its flow, and it sees the
    /// ULIDs of the flow.
    fn delivered(
        &mut self,
        host: usize,
        index: u32,
        end: u8,
        ulids: shim6_proto::locator::UlidPair,
    ) -> Result<(), Finding> {
        let now = self.now;
        self.statistics.delivered += 1;
        let Some(flow) = self.flows.get_mut(index as usize) else {
            return Ok(());
        };
        let to = 1 - end;
        let is_here = flow.end(to).host == host;
        if is_here && flow.ulids(to) != ulids && self.statistics.lies > 0 {
            // An R2 needs no more than a nonce, and nonces can be overheard: two contexts of the
            // same hosts are confused until one of them begins anew (RFC 5533, Section 7.15).
            return Ok(());
        }
        if !is_here || flow.ulids(to) != ulids {
            let text = format!(
                "payload of flow {index} came to host {host} as {} - {}",
                ulids.local, ulids.peer
            );
            return Err(("delivery", text));
        }
        let receiver = flow.end_mut(to);
        receiver.received = Some(now);
        receiver.complains = None;
        if flow.pattern == Pattern::Echo && to == 1 && flow.is_open {
            self.queue.push(
                now,
                Event::Send {
                    flow: index,
                    end: to,
                },
            );
        }
        let relation = self.by_ulids.get(&(ulids.local, ulids.peer)).copied();
        match relation {
            Some(index) if self.relations.get(index).is_some_and(|found| found.is_bad) => {
                self.audit(index)
            }
            _ => Ok(()),
        }
    }

    /// A host sends a packet.
    fn sent(&mut self, host: usize, packet: Packet, origin: Origin) -> Result<(), Finding> {
        let now = self.now;
        check_sent(&self.view(), host, &packet, origin)?;
        if let Body::Control(octets) = &packet.body {
            if let Some(message) = type_of(octets) {
                self.statistics.sent.count(message);
                self.arrivals.sent(&packet, octets);
                let contexts = self.contexts(host);
                if let Some(meter) = self.meters.get_mut(host) {
                    meter.sends(message, packet.destination, now, contexts)?;
                }
            }
            self.digest(octets);
            if self.net.liars > 0 {
                let [_, _, dice] = &mut self.dice;
                self.liar.hear(&packet, dice);
            }
        } else {
            self.statistics.payload += 1;
            self.digest(packet.source.as_octets());
        }
        self.transmit(packet);
        Ok(())
    }

    fn digest(&mut self, octets: &[u8]) {
        let mut mix = |value: u64| {
            let digest = &mut self.statistics.digest;
            *digest = (*digest ^ value).wrapping_mul(0x0000_0100_0000_01b3);
            *digest ^= *digest >> 29;
        };
        mix(self.now.as_millis());
        for chunk in octets.chunks(8) {
            let word = chunk
                .iter()
                .fold(0, |word, octet| (word << 8) | u64::from(*octet));
            mix(word);
        }
    }

    /// A packet goes into the network.
    fn transmit(&mut self, packet: Packet) {
        let fate = self.net.fate(packet.source, packet.destination);
        let [dice, _, _] = &mut self.dice;
        let is_lost = dice.permille(self.net.loss);
        let comes_twice = dice.permille(self.net.duplicates);
        if self.trace.is_some() {
            let text = self.describe(&packet);
            let what = match fate {
                Fate::Passes(_) if is_lost => " (lost)",
                Fate::Passes(_) => "",
                Fate::Lost => " (no way)",
                Fate::Unreachable => " (unreachable)",
            };
            self.tell(|| format!("{text}{what}"));
        }
        match fate {
            Fate::Passes(base) => {
                let copies = usize::from(!is_lost) + usize::from(comes_twice);
                for _ in 0..copies {
                    let [dice, _, _] = &mut self.dice;
                    let delay = base + dice.between(0, self.net.jitter);
                    let at = self.later(delay);
                    self.queue.push(at, Event::Arrive(Box::new(packet.clone())));
                }
            }
            Fate::Unreachable if self.has_icmp => self.unreachable(&packet),
            Fate::Unreachable | Fate::Lost => {}
        }
    }

    /// A router tells the sender of payload that there is no way.
    fn unreachable(&mut self, packet: &Packet) {
        let (Body::Payload { .. }, Some(host)) = (&packet.body, self.net.host_of(packet.source))
        else {
            return;
        };
        let now = self.now;
        let Some(last) = self.errors.get_mut(host) else {
            return;
        };
        if last.is_some_and(|last| now.since(last) < ICMP_INTERVAL) {
            return;
        }
        *last = Some(now);
        let pair = LocatorPair {
            local: packet.source,
            peer: packet.destination,
        };
        let error = Packet {
            source: packet.destination,
            destination: packet.source,
            body: Body::Icmp(Icmp::Unreachable { pair }),
        };
        let at = now.saturating_add(ICMP_DELAY);
        self.queue.push(at, Event::Arrive(Box::new(error)));
    }

    /// A packet arrives.
    fn arrive(&mut self, packet: &Packet) -> Result<(), Finding> {
        let now = self.now;
        let Some(index) = self.net.receiver(packet.destination) else {
            return Ok(());
        };
        let (contexts, is_legacy) = match self.hosts.get(index) {
            Some(host) => (host.contexts.len(), host.settings.is_legacy),
            None => return Ok(()),
        };
        if is_legacy {
            return self.arrive_at_legacy(index, packet);
        }
        if let Some(meter) = self.meters.get_mut(index) {
            match &packet.body {
                Body::Control(octets) => {
                    if let Some(message) = type_of(octets) {
                        meter.got(message, now, contexts);
                    }
                }
                Body::Payload { .. } => meter.got_payload(now, contexts),
                Body::Icmp(_) => meter.reason(now, contexts, 1),
            }
        }
        self.arrivals.note(packet, now);
        self.step(index, |host, world| host.receive(world, packet))
    }

    /// A host that knows nothing of Shim6 says so, and takes what is between its ULIDs.
    fn arrive_at_legacy(&mut self, index: usize, packet: &Packet) -> Result<(), Finding> {
        let octets = match &packet.body {
            Body::Payload { tag: None, .. } => {
                return self.step(index, |host, world| host.receive(world, packet));
            }
            Body::Control(octets) => octets,
            _ => return Ok(()),
        };
        if let Ok(Message::I1(i1)) = Message::parse(&packet.arrival(), octets) {
            let pair = LocatorPair {
                local: packet.source,
                peer: packet.destination,
            };
            let icmp = Icmp::Unrecognized {
                tag: i1.initiator_tag,
                pair,
            };
            let back = LocatorPair {
                local: packet.destination,
                peer: packet.source,
            };
            self.transmit(Packet::new(back, Body::Icmp(icmp)));
        }
        Ok(())
    }

    /// A flow begins or ends.
    fn open(&mut self, index: u32, is_open: bool) {
        let now = self.now;
        let Some(flow) = self.flows.get_mut(index as usize) else {
            return;
        };
        if flow.is_open == is_open || (is_open && now >= flow.closes) {
            return;
        }
        flow.is_open = is_open;
        for end in [0, 1] {
            let (host, ulids) = (flow.end(end).host, flow.ulids(end));
            if flow.is_connected {
                if let Some(host) = self.hosts.get_mut(host) {
                    host.socket(ulids, is_open);
                }
            }
            if is_open && flow.has_clock(end) {
                self.queue.push(now, Event::Send { flow: index, end });
            }
        }
        let word = if is_open { "begins" } else { "ends" };
        let ends = flow.ends.map(|end| end.host);
        self.tell(|| format!("flow {index} between hosts {ends:?} {word}"));
    }

    /// An end of a flow has its turn.
    fn send(&mut self, index: u32, end: u8) -> Result<(), Finding> {
        let now = self.now;
        let [dice, _, _] = &mut self.dice;
        let Some(flow) = self
            .flows
            .get_mut(index as usize)
            .filter(|flow| flow.is_open)
        else {
            return Ok(());
        };
        let (is_time, next) = flow.beat(now, dice);
        if flow.has_clock(end) {
            self.queue.push(next, Event::Send { flow: index, end });
        }
        let host = flow.end(end).host;
        if !is_time || !self.net.is_up(host) {
            return Ok(());
        }
        flow.note_sent(end, now);
        let (ulids, trigger) = (flow.ulids(end), flow.trigger);
        if self.has_hints && flow.complains {
            self.complain(index, end)?;
        }
        self.step(host, |host, world| {
            host.send_payload(world, ulids, (index, end), trigger);
        })
    }

    /// An upper layer that waits for an answer complains, less and less often.
    fn complain(&mut self, index: u32, end: u8) -> Result<(), Finding> {
        let now = self.now;
        let Some(flow) = self.flows.get_mut(index as usize) else {
            return Ok(());
        };
        let Some(since) = flow.busy_since(end, now) else {
            return Ok(());
        };
        let patience = Interval::from_millis(3 * flow.period.as_millis() + 1_000);
        let (ulids, host) = (flow.ulids(end), flow.end(end).host);
        let is_tcp = flow.is_connected;
        let sender = flow.end_mut(end);
        let waited = now.since(sender.received.unwrap_or(since).max(since));
        if waited < patience {
            return Ok(());
        }
        let (at, wait) = sender.complains.unwrap_or((now, patience));
        if now < at {
            return Ok(());
        }
        let wait = wait.saturating_double().min(LONGEST_WAIT);
        sender.complains = Some((now.saturating_add(wait), wait));
        let contexts = self.contexts(host);
        if let Some(meter) = self.meters.get_mut(host) {
            meter.reason(now, contexts, 1);
        }
        self.step(host, |host, world| {
            host.complain(world, ulids, patience, is_tcp)
        })
    }

    /// A fault begins or ends.
    fn fault(&mut self, fault: Fault, begins: bool) -> Result<(), Finding> {
        let word = if begins { "begins" } else { "ends" };
        self.tell(|| format!("fault {word}: {fault:?}"));
        let was_up = |host| self.net.is_up(host);
        let goes_down = matches!(fault, Fault::Down(host) if begins && was_up(host));
        let lost = match fault {
            Fault::Renumber(host, uplink) if begins => {
                let uplink = self.net.uplinks(host).get(uplink);
                uplink.map(|uplink| uplink.locator)
            }
            _ => None,
        };
        self.net.apply(fault, begins, self.now);
        match fault {
            Fault::Down(host) if goes_down => {
                let [_, dice, _] = &mut self.dice;
                if let Some(host) = self.hosts.get_mut(host) {
                    host.restart(dice);
                }
            }
            Fault::Liar if begins => self.queue.push(self.now, Event::Lie),
            _ => {}
        }
        if let Some(locator) = lost {
            self.end_flows(locator);
        }
        if let Some(host) = fault.renumbers() {
            self.reason(host);
            self.step(host, |host, world| host.addresses_changed(world, lost))?;
        }
        self.audit_all()
    }

    fn reason(&mut self, host: usize) {
        let (now, contexts) = (self.now, self.contexts(host));
        if let Some(meter) = self.meters.get_mut(host) {
            meter.reason(now, contexts, contexts);
        }
    }

    /// A ULID is no longer an address of its host: what uses it ends (RFC 5533, Section 1.5).
    fn end_flows(&mut self, locator: Locator) {
        let uses = |flow: &crate::flow::Flow| {
            let mut ends = flow.ends.iter();
            flow.is_open && ends.any(|end| end.ulid.as_locator() == locator)
        };
        let ended: Vec<u32> = (0..)
            .zip(&self.flows)
            .filter(|(_, flow)| uses(flow))
            .map(|(index, _)| index)
            .collect();
        for flow in ended {
            self.open(flow, false);
        }
    }

    /// A host begins or ends to claim a locator of another.
    fn claim(&mut self, host: usize, locator: Option<Locator>) -> Result<(), Finding> {
        self.tell(|| format!("host {host} claims {locator:?}"));
        self.net.claim(locator.is_some(), self.now);
        self.reason(host);
        self.step(host, |host, world| host.claim(world, locator))?;
        self.audit_all()
    }

    /// A liar does something, and goes on.
    fn lie(&mut self) {
        if self.net.liars == 0 {
            return;
        }
        let [_, _, dice] = &mut self.dice;
        let packets = self.liar.lie(&self.net, dice);
        let next = dice.between(20, 2_000);
        let delay = dice.between(1, 50);
        self.queue.push(self.later(next), Event::Lie);
        self.statistics.lies += packets.len() as u64;
        for packet in packets {
            if self.trace.is_some() {
                let text = self.describe(&packet);
                self.tell(|| format!("LIE {text}"));
            }
            self.queue
                .push(self.later(delay), Event::Arrive(Box::new(packet)));
        }
    }
}
