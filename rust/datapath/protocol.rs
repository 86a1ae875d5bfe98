// SPDX-License-Identifier: GPL-2.0

//! Packets to this host whose chain of headers leads to protocol 140: control messages, and payload
//! that the hook in PRE_ROUTING could not translate, because its header stood behind an outer
//! Fragment header or its tag is nobody's.

use crate::{
    context::{
        Counter,
        Namespace, //
    },
    kernel_ext::{
        inet6::{
            Delivery,
            Protocol,
            Received, //
        },
        net::Net,
        skbuff::SkBuff, //
    },
    proto::wire::{
        fault::Reason,
        ipv6::{
            self,
            Ipv6Header, //
        },
        message::{
            Arrival,
            Message, //
        },
        payload::PayloadHeader, //
    },
};
use kernel::sync::rcu::Guard;

/// The receiver of protocol 140.
pub(super) struct Shim6;

impl Protocol for Shim6 {
    fn receive(packet: Received, net: &Net, rcu: &Guard) -> Delivery {
        let namespace = Namespace::of(net);
        let offset = packet.header_offset();
        let mut skb = packet.into_packet();

        let header = if skb.pull_head(offset.saturating_add(PayloadHeader::LEN)) {
            PayloadHeader::parse(skb.head().get(offset..).unwrap_or_default())
        } else {
            Err(Reason::Truncated)
        };
        match header {
            Ok(Some(shim6)) => payload(namespace, skb, offset, &shim6, rcu),
            Ok(None) => {
                control(namespace, &mut skb, offset);
                Delivery::Consumed(skb)
            }
            Err(reason) => {
                namespace.counters.count_drop(reason);
                Delivery::Consumed(skb)
            }
        }
    }
}

/// Payload that PRE_ROUTING left: the addresses are translated and the header stays where it is,
/// for input goes on behind it.
fn payload(
    namespace: &Namespace,
    mut skb: SkBuff,
    offset: usize,
    shim6: &PayloadHeader,
    rcu: &Guard,
) -> Delivery {
    // A group of this host is not this host: the header must not make unicast of multicast.
    let is_unicast = Ipv6Header::parse(skb.head())
        .is_some_and(|header| header.source.is_unicast() && header.destination.is_unicast());
    if !is_unicast {
        namespace.counters.count_drop(Reason::Address);
        return Delivery::Consumed(skb);
    }
    let Some(context) = namespace.contexts.by_tag(shim6.tag, rcu) else {
        namespace.counters.count(Counter::InUnknownTag);
        return Delivery::Consumed(skb);
    };
    let ulids = context.ulids();
    let written = skb.edit_head(ipv6::HEADER_LEN, |head| {
        ipv6::set_addresses(head, ulids.peer.as_octets(), ulids.local.as_octets())
    });
    if !matches!(written, Ok(Some(()))) {
        namespace.counters.count(Counter::InNoMemory);
        return Delivery::Consumed(skb);
    }
    skb.mark_translated();
    context.received();
    namespace.counters.count(Counter::InTranslatedLate);
    Received::resubmit(skb, offset, PayloadHeader::LEN)
}

/// A control message: counted as what it is, good or why not. No state machine wants it yet that
/// contexts made by an administrator have, which need no messages.
fn control(namespace: &Namespace, skb: &mut SkBuff, offset: usize) {
    namespace.counters.count(Counter::InControl);
    let len = skb.len();
    if !skb.pull_head(len) {
        namespace.counters.count(Counter::InNoMemory);
        return;
    }
    let head = skb.head();
    let (Some(header), Some(message)) = (Ipv6Header::parse(head), head.get(offset..)) else {
        namespace.counters.count_drop(Reason::Truncated);
        return;
    };
    let arrival = Arrival {
        source: header.source,
        destination: header.destination,
        offset,
    };
    match Message::parse(&arrival, message) {
        Ok(_) => namespace.counters.count(Counter::InControlIgnored),
        Err(fault) => namespace.counters.count_drop(fault.reason),
    }
}
