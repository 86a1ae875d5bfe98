// SPDX-License-Identifier: GPL-2.0

//! Control messages as they come in, in softirq: what needs no context is answered at once, what
//! proves nothing is dropped, and only the rest is worth a place in the queue (RFC 5533,
//! Sections 4.4, 12.3 and 12.4).

use super::Control;
use crate::{
    context::{
        trace::Why,
        Context,
        Counter,
        Establish,
        Identity,
        Listed,
        Namespace,
        State,
        Wish, //
    },
    kernel_ext::{
        address::In6Addr,
        inet6::{
            self,
            Delivery, //
        },
        skbuff::SkBuff, //
    },
    proto::{
        dispatch::{
            Key,
            Unmatched, //
        },
        tag::ContextTag,
        wire::{
            fault::Reason,
            ipv6::Ipv6Header,
            message::{
                Arrival,
                Message, //
            },
            message_type::MessageType,
            quote::{
                Quote,
                QuotedHeader, //
            },
        },
    },
};
use kernel::sync::rcu::Guard;

/// What is kept of a packet in the queue besides itself.
#[derive(Clone, Copy)]
pub(super) struct Notes {
    /// Where its Shim6 header is.
    pub(super) offset: u16,
}

/// What becomes of a control message.
enum Fate {
    /// It is for the worker.
    Queue,
    /// It is done with.
    Done,
    /// It is dropped.
    Drop(Why),
}

impl Control {
    /// A control message to this host. Its Shim6 header is `offset` octets behind the IPv6 header.
    /// Returns the packet if it was not kept. Softirq.
    pub(crate) fn receive(
        &self,
        namespace: &Namespace,
        mut skb: SkBuff,
        offset: usize,
        rcu: &Guard,
    ) -> Delivery {
        namespace.counters.count(Counter::InControl);
        let len = skb.len();
        if !skb.pull_head(len) {
            return drop(namespace, skb, Counter::InNoMemory);
        }
        let Some((arrival, message)) = arrival(&skb, offset) else {
            return drop(namespace, skb, Reason::Truncated);
        };
        let fate = self.decide(namespace, &arrival, message, skb.head(), rcu);
        let offset = match (fate, u16::try_from(offset)) {
            (Fate::Queue, Ok(offset)) => offset,
            (Fate::Drop(why), _) => return drop(namespace, skb, why),
            _ => return Delivery::Consumed(skb),
        };
        let hash = self.hash_peer(arrival.source);
        match skb.keep() {
            Ok((packet, stolen)) => {
                // The lower half tells buckets apart.
                match self.queue.push(packet, Notes { offset }, hash as u32) {
                    Ok(()) => self.worker.queue(),
                    Err(packet) => {
                        namespace.dropped(Counter::ControlQueueFull, packet.head());
                    }
                }
                Delivery::Kept(stolen)
            }
            Err(skb) => drop(namespace, skb, Counter::InNoMemory),
        }
    }

    /// What becomes of a message. `packet` begins with the IPv6 header.
    fn decide(
        &self,
        namespace: &Namespace,
        arrival: &Arrival,
        octets: &[u8],
        packet: &[u8],
        rcu: &Guard,
    ) -> Fate {
        let message = match Message::parse(arrival, octets) {
            Ok(message) => message,
            Err(fault) => {
                if let Some(report) = fault.report {
                    self.answer_error(namespace, arrival, report, packet);
                }
                return Fate::Drop(fault.reason.into());
            }
        };
        namespace.counters.count(in_counter(message.message_type()));

        let Some(key) = Key::of(&message, arrival) else {
            return Fate::Done;
        };
        let context = self.find(namespace, &key, rcu);
        if context.is_none() && !may_begin(namespace, &key) {
            // Somebody takes this host for another, or this host does not want contexts.
            return Fate::Drop(Counter::InControlIgnored.into());
        }
        if !self.is_proved(arrival, &message) {
            return Fate::Drop(Counter::InBadValidator.into());
        }
        match context {
            Some(context) => self.matched(namespace, context, arrival, &message, rcu),
            None => self.unmatched(namespace, arrival, &message),
        }
    }

    /// Whether the validator of a message that has one is right. Before anything else: nothing is
    /// kept, and nothing hashed, for those who cannot show it (RFC 5533, Section 7.13).
    fn is_proved(&self, arrival: &Arrival, message: &Message<'_>) -> bool {
        match message {
            Message::I2(i2) => self.answers.check_i2(arrival, i2).is_ok(),
            Message::I2bis(i2bis) => self.answers.check_i2bis(arrival, i2bis).is_ok(),
            _ => true,
        }
    }

    /// The context that a message is for.
    pub(super) fn find<'rcu>(
        &self,
        namespace: &'rcu Namespace,
        key: &Key,
        rcu: &'rcu Guard,
    ) -> Option<&'rcu Context> {
        let contexts = &namespace.contexts;
        match *key {
            Key::Identity(identity) => contexts.by_identity(&identity, rcu),
            Key::Nonce { nonce, pair } => {
                let identity = self.waiting.find(nonce, pair, rcu)?;
                contexts.by_identity(&identity, rcu)
            }
            Key::PeerTag { tag, pair } => contexts.by_peer_tag(tag, rcu, |context| {
                let locators = context.locators(rcu);
                locators.local.has(&pair.local) && locators.peer.has(&pair.peer)
            }),
            Key::LocalTag(tag) => contexts.by_tag(tag, rcu),
        }
    }

    /// A message for a context that is there. What its machine would surely drop, or answer
    /// without its state, does not get into the queue.
    fn matched(
        &self,
        namespace: &Namespace,
        context: &Context,
        arrival: &Arrival,
        message: &Message<'_>,
        rcu: &Guard,
    ) -> Fate {
        if context.is_static() {
            return Fate::Drop(Counter::InControlIgnored.into());
        }
        match message {
            // The peer lost its context: it gets another chance, ours is not touched.
            Message::I1(i1)
                if context.state() == State::Established
                    && context.peer(rcu).tag() != Some(i1.initiator_tag) =>
            {
                self.answer_r1(namespace, arrival, i1);
                Fate::Done
            }
            Message::UpdateRequest(_)
            | Message::UpdateAcknowledgement(_)
            | Message::Keepalive(_)
            | Message::Probe(_)
                if context.state().sends_to_pair() && !is_between(context, arrival, rcu) =>
            {
                self.answer_r1bis(namespace, arrival, context.tag_local());
                Fate::Drop(Counter::InForeignLocators.into())
            }
            _ => Fate::Queue,
        }
    }

    /// A message whose context is not there.
    fn unmatched(&self, namespace: &Namespace, arrival: &Arrival, message: &Message<'_>) -> Fate {
        match (Unmatched::of(message.message_type()), message) {
            (Unmatched::ReplyR1, Message::I1(i1)) => {
                self.answer_r1(namespace, arrival, i1);
                Fate::Done
            }
            (Unmatched::Respond, _) => Fate::Queue,
            (Unmatched::ReplyR1bis, _) => {
                let Some(tag) = receiver_tag(message) else {
                    return Fate::Done;
                };
                self.answer_r1bis(namespace, arrival, tag);
                Fate::Drop(Counter::InUnknownTag.into())
            }
            (Unmatched::ReplyR1 | Unmatched::Drop, _) => {
                Fate::Drop(Counter::InControlIgnored.into())
            }
        }
    }

    /// An ICMPv6 error of type 4, code 1 quotes this packet: its receiver does not know Shim6. Any
    /// context.
    pub(crate) fn unrecognized(&self, namespace: &Namespace, quoted: &[u8]) {
        let Some(quote) = Quote::parse(quoted) else {
            return;
        };
        let QuotedHeader::Control {
            message: MessageType::I1,
            tag: Some(tag),
        } = quote.header
        else {
            return;
        };
        // Who quotes the tag has seen the I1, or is extremely lucky.
        if let Some(context) = namespace.contexts.get_by_tag(tag) {
            if context.state() == State::I1Sent {
                context.wish(Wish::Unrecognized);
                self.wants_attention(&context);
            }
        }
    }

    /// Payload came for a context whose handshake is not over. Any context.
    pub(crate) fn early_payload(&self, namespace: &Namespace, tag: ContextTag) {
        if let Some(context) = namespace.contexts.get_by_tag(tag) {
            context.wish(Wish::RepeatOffer);
            self.wants_attention(&context);
        }
    }
}

fn drop(namespace: &Namespace, skb: SkBuff, why: impl Into<Why>) -> Delivery {
    let reason = namespace.dropped(why, skb.head());
    Delivery::Dropped(skb, reason)
}

/// What the parser needs of a packet, and its Shim6 header with all behind.
fn arrival(skb: &SkBuff, offset: usize) -> Option<(Arrival, &[u8])> {
    let head = skb.head();
    let header = Ipv6Header::parse(head)?;
    let arrival = Arrival {
        source: header.source,
        destination: header.destination,
        offset,
    };
    Some((arrival, head.get(offset..)?))
}

/// Whether the context that I1, I2 or I2bis asks for is one that this host can have.
fn may_begin(namespace: &Namespace, key: &Key) -> bool {
    let Key::Identity(Identity { ulids, .. }) = key else {
        return true;
    };
    namespace.settings.establish() != Establish::Off
        && ulids.local.is_shimmable()
        && ulids.peer.is_shimmable()
        && ulids.local != ulids.peer
        && inet6::is_local_address(
            namespace.net(),
            &In6Addr::from_octets(ulids.local.as_octets()),
        )
}

/// Whether a message came between locators of a context (RFC 5533, Section 10.4).
fn is_between(context: &Context, arrival: &Arrival, rcu: &Guard) -> bool {
    let locators = context.locators(rcu);
    locators.local.has(&arrival.destination) && locators.peer.has(&arrival.source)
}

/// The tag by which a message names the context of its receiver.
fn receiver_tag(message: &Message<'_>) -> Option<ContextTag> {
    match message {
        Message::UpdateRequest(request) => Some(request.receiver_tag),
        Message::UpdateAcknowledgement(acknowledgement) => Some(acknowledgement.receiver_tag),
        Message::Keepalive(keepalive) => Some(keepalive.receiver_tag),
        Message::Probe(probe) => Some(probe.receiver_tag),
        _ => None,
    }
}

/// What a message is counted as that came in.
fn in_counter(message: MessageType) -> Counter {
    match message {
        MessageType::I1 => Counter::InI1,
        MessageType::R1 => Counter::InR1,
        MessageType::I2 => Counter::InI2,
        MessageType::R2 => Counter::InR2,
        MessageType::R1bis => Counter::InR1bis,
        MessageType::I2bis => Counter::InI2bis,
        MessageType::UpdateRequest => Counter::InUpdateRequest,
        MessageType::UpdateAcknowledgement => Counter::InUpdateAcknowledgement,
        MessageType::Keepalive => Counter::InKeepalive,
        MessageType::Probe => Counter::InProbe,
        MessageType::Error => Counter::InError,
    }
}
