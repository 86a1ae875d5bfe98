// SPDX-License-Identifier: GPL-2.0

//! What comes in: decided at once as in softirq, or put into the bounded queue of the worker
//! (`rust/control/receive.rs` and `work.rs`).

use shim6_proto::{
    dispatch::{
        Key,
        Unmatched, //
    },
    establish::{
        Machine,
        Offer,
        State,
        Step, //
    },
    identity::Identity,
    locator::LocatorPair,
    tag::ContextTag,
    wire::message::{
        Arrival,
        Message, //
    }, //
};

use super::{
    answer::hash_peer,
    surroundings::Surroundings,
    watch::Occasion,
    Context,
    Host,
    Note,
    World, //
};
use crate::{
    bug::Bug,
    event::{
        reverse,
        Body,
        Packet, //
    }, //
};

/// Messages that are taken from the queue before the worker lets others run.
pub(super) const BATCH: usize = 64;

/// Messages of peers in one bucket of the queue that may wait.
const QUEUE_BUCKET: usize = 64;

/// Buckets of the queue.
const BUCKETS: u64 = 64;

/// Messages that may wait in all.
const QUEUE: usize = 1024;

/// The message that a step is about.
pub(super) struct Received<'m> {
    /// Where it came from and to.
    pub(super) arrival: Arrival,
    /// The message.
    pub(super) message: Message<'m>,
    /// Its octets.
    pub(super) octets: &'m [u8],
}

impl Host {
    /// A packet that came.
    pub fn receive(&mut self, world: &mut World<'_>, packet: &Packet) {
        match &packet.body {
            Body::Payload { tag, flow, end } => {
                self.receive_payload(world, packet, *tag, (*flow, *end));
            }
            Body::Icmp(icmp) => self.receive_icmp(*icmp),
            Body::Control(octets) => {
                if self.decide(world, &packet.arrival(), octets) {
                    self.enqueue(world, packet);
                }
            }
        }
        self.finish(world);
    }

    fn enqueue(&mut self, world: &mut World<'_>, packet: &Packet) {
        if self.settings.delay.as_millis() == 0 {
            self.received(world, packet);
            return;
        }
        let bucket = |packet: &Packet| hash_peer(packet.source) % BUCKETS;
        let mine = bucket(packet);
        let waiting = self.queue.iter().filter(|other| bucket(other) == mine);
        if self.queue.len() < QUEUE && waiting.count() < QUEUE_BUCKET {
            self.queue.push_back(packet.clone());
        }
    }

    /// What becomes of a message: true if it is for the worker.
    fn decide(&mut self, world: &mut World<'_>, arrival: &Arrival, octets: &[u8]) -> bool {
        let message = match Message::parse(arrival, octets) {
            Ok(message) => message,
            Err(fault) => {
                if let Some(report) = fault.report {
                    self.answer_error(world, arrival, report, octets);
                }
                return false;
            }
        };
        let Some(key) = Key::of(&message, arrival) else {
            return false;
        };
        let slot = self.find(&key);
        if slot.is_none() && !self.may_begin(world, &key) {
            return false;
        }
        if !self.is_proved(world, arrival, &message) {
            world.note(Note::Discarded("validator"));
            return false;
        }
        let len = octets.len();
        match slot.and_then(|slot| self.contexts.get(slot)) {
            Some(context) => {
                let (tag, is_foreign) = (
                    context.machine.local_tag(),
                    context.machine.state().sends_to_pair()
                        && !context.is_between(&reverse(arrival)),
                );
                let is_other_tag = |tag| {
                    context.machine.state() == State::Established && context.peer.tag != Some(tag)
                };
                match &message {
                    Message::I1(i1) if is_other_tag(i1.initiator_tag) => {
                        self.answer_r1(world, arrival, i1, len);
                        false
                    }
                    message if receiver_tag(message).is_some() && is_foreign => {
                        self.answer_r1bis(world, arrival, tag, len);
                        false
                    }
                    _ => true,
                }
            }
            None => match (Unmatched::of(message.message_type()), &message) {
                (Unmatched::ReplyR1, Message::I1(i1)) => {
                    self.answer_r1(world, arrival, i1, len);
                    false
                }
                (Unmatched::Respond, _) => true,
                (Unmatched::ReplyR1bis, message) => {
                    if let Some(tag) = receiver_tag(message) {
                        self.answer_r1bis(world, arrival, tag, len);
                    }
                    false
                }
                (Unmatched::ReplyR1 | Unmatched::Drop, _) => false,
            },
        }
    }

    /// The context that something is for.
    fn find(&self, key: &Key) -> Option<u32> {
        match *key {
            Key::Identity(identity) => self.contexts.by_identity(&identity),
            Key::Nonce { nonce, pair } => self.contexts.by_nonce(nonce, pair),
            Key::PeerTag { tag, pair } => self.contexts.by_peer_tag(tag, &pair),
            Key::LocalTag(tag) => self.contexts.by_tag(tag),
        }
    }

    /// Whether the context that I1, I2 or I2bis asks for is one that this host can have.
    fn may_begin(&self, world: &World<'_>, key: &Key) -> bool {
        let Key::Identity(Identity { ulids, .. }) = key else {
            return true;
        };
        let local = ulids.local.as_locator();
        ulids.local.is_shimmable()
            && ulids.peer.is_shimmable()
            && ulids.local != ulids.peer
            && world.net.host_of(local) == Some(self.index)
            && world.net.is_assigned(local)
    }

    /// A message from the queue.
    pub(super) fn received(&mut self, world: &mut World<'_>, packet: &Packet) {
        let Body::Control(octets) = &packet.body else {
            return;
        };
        let arrival = packet.arrival();
        let Ok(message) = Message::parse(&arrival, octets) else {
            return;
        };
        let Some(key) = Key::of(&message, &arrival) else {
            return;
        };
        let mut slot = self.find(&key);
        if world.bug == Some(Bug::SecondContext) && matches!(message, Message::I2(_)) {
            slot = None;
        }
        let received = Received {
            arrival,
            message,
            octets,
        };
        match slot {
            Some(slot) => self.received_by(world, slot, &received),
            None => self.received_by_nobody(world, &key, &received),
        }
    }

    fn received_by(&mut self, world: &mut World<'_>, slot: u32, received: &Received<'_>) {
        if matches!(received.message, Message::Error(_)) {
            return;
        }
        let asked = self.answered(slot, received);
        let is_payload = !matches!(received.message, Message::Probe(_) | Message::Keepalive(_));
        let context = self.contexts.get(slot).filter(|_| is_payload);
        if let Some(context) = context.filter(|context| !context.explores()) {
            // As `stamp` of rust/control/work.rs: the step that follows looks at the stamps.
            let over = LocatorPair {
                local: received.arrival.destination,
                peer: received.arrival.source,
            };
            let is_question = matches!(&received.message, Message::UpdateRequest(request)
                if request.host.locator_list.is_none());
            let _ = if asked.is_some() || is_question && over != context.pair {
                context.stamps.control_received_elsewhere(world.now)
            } else {
                context.stamps.control_received(world.now)
            };
        }
        if let Some(pair) = asked {
            self.watch(world, slot, &Occasion::Confirmed(pair));
            return;
        }
        self.step(
            world,
            slot,
            Some(received),
            |machine, step, surroundings| {
                machine.receive(step, &received.message, &received.arrival, surroundings)
            },
        );
    }

    /// I2 and I2bis with a right validator make a context.
    fn received_by_nobody(&mut self, world: &mut World<'_>, key: &Key, received: &Received<'_>) {
        let offer = match &received.message {
            Message::I2(i2) => Offer::from(i2),
            Message::I2bis(i2bis) => Offer::from(i2bis),
            _ => return,
        };
        let Key::Identity(identity) = key else {
            return;
        };
        let Some(tag) = self.unused_tag(world.dice) else {
            return;
        };
        let local = self.local_for(world, identity.ulids.local);
        let mut surroundings =
            Surroundings::new(identity.ulids.peer, local.clone(), None, world.bug);
        let mut step = Step {
            constants: &self.settings.establish,
            identity,
            now: world.now,
            random: world.dice,
        };
        let arrival = &received.arrival;
        match Machine::respond(&mut step, tag, &offer, arrival, &mut surroundings) {
            Ok((machine, actions)) => self.begin(
                world,
                *identity,
                local,
                machine,
                &actions,
                &mut surroundings,
                Some(received),
            ),
            Err(discarded) => {
                world.note(Note::Discarded(discarded.cause.name()));
                if let Some(report) = discarded.report {
                    self.answer_error(world, arrival, report, received.octets);
                }
            }
        }
    }
}

/// The tag by which a message names the context of its receiver.
pub(super) fn receiver_tag(message: &Message<'_>) -> Option<ContextTag> {
    match message {
        Message::UpdateRequest(request) => Some(request.receiver_tag),
        Message::UpdateAcknowledgement(acknowledgement) => Some(acknowledgement.receiver_tag),
        Message::Keepalive(keepalive) => Some(keepalive.receiver_tag),
        Message::Probe(probe) => Some(probe.receiver_tag),
        _ => None,
    }
}

/// Whether a context is established, for who must not look at a machine that takes a step.
pub(super) fn is_established(context: &Context) -> bool {
    context.machine.state() == State::Established
}
