// SPDX-License-Identifier: GPL-2.0

//! Packets to this host whose chain of headers leads to protocol 140: control messages, and payload
//! that the hook in PRE_ROUTING could not translate, because its header stood behind an outer
//! Fragment or Destination Options header or its tag is nobody's.

use super::{
    accepts_payload,
    arrival,
    at,
    conversation, //
};
use crate::{
    context::{
        trace::Why,
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
        chain,
        fault::Reason,
        flow::Direction,
        ipv6::Ipv6Header,
        message::Arrival,
        payload::PayloadHeader,
        rewrite, //
    },
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

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
            Ok(None) => namespace.control.receive(namespace, skb, offset, rcu),
            Err(reason) => drop(namespace, skb, reason),
        }
    }

    fn error(net: &Net, kind: u8, code: u8, quoted: &[u8], _rcu: &Guard) {
        if (kind, code) == UNRECOGNIZED_NEXT_HEADER {
            let namespace = Namespace::of(net);
            namespace.control.unrecognized(namespace, quoted);
        }
    }
}

/// ICMPv6 type 4, Parameter Problem, code 1: its sender does not know protocol 140 (RFC 4443,
/// Section 3.4).
const UNRECOGNIZED_NEXT_HEADER: (u8, u8) = (4, 1);

fn drop(namespace: &Namespace, skb: SkBuff, why: impl Into<Why>) -> Delivery {
    let reason = namespace.dropped(why, skb.head());
    Delivery::Dropped(skb, reason)
}

/// Payload that PRE_ROUTING left. Translated it is a packet that no firewall has seen, so it goes
/// through PRE_ROUTING and INPUT as such.
fn payload(
    namespace: &Namespace,
    mut skb: SkBuff,
    offset: usize,
    shim6: &PayloadHeader,
    rcu: &Guard,
) -> Delivery {
    if skb.is_marked_translated() {
        return drop(namespace, skb, Reason::PayloadNested);
    }
    // A group of this host is not this host: the header must not make unicast of multicast.
    let unicast = Ipv6Header::parse(skb.head())
        .filter(|header| header.source.is_unicast() && header.destination.is_unicast());
    let Some(header) = unicast else {
        return drop(namespace, skb, Reason::Address);
    };
    let Some(context) = namespace.contexts.by_tag(shim6.tag, rcu) else {
        // The peer has a context that this host lost (RFC 5533, Section 7.17).
        let arrival = Arrival {
            source: header.source,
            destination: header.destination,
            offset,
        };
        namespace
            .control
            .answer_r1bis(namespace, &arrival, shim6.tag);
        return drop(namespace, skb, Counter::InUnknownTag);
    };
    if !accepts_payload(namespace, context) {
        return drop(namespace, skb, Counter::InEarly);
    }
    let Some(place) = chain::at(skb.head(), offset) else {
        return drop(namespace, skb, Counter::InBadHeaders);
    };
    let arrival = arrival(namespace, context, &skb, rcu);
    let ulids = context.ulids();
    let end = offset.saturating_add(PayloadHeader::LEN);
    let flow = if namespace.contexts.any_forks() {
        conversation(&mut skb, end, shim6.next_header, Direction::Inbound)
    } else {
        None
    };
    let len = skb.len();
    let tally = namespace.counters.tally(Counter::InTranslatedLate);
    let written = skb.open_head(end).and_then(|open| {
        open.close(PayloadHeader::LEN, tally, |head| {
            rewrite::inbound(head, len, &place, shim6, ulids).or(Err(EINVAL))
        })
    });
    let Ok(msecs) = written else {
        return drop(namespace, skb, Counter::InNoMemory);
    };
    skb.mark_translated(arrival.raw());
    if let Some(flow) = flow {
        namespace.came_by(Some(context), ulids, flow, rcu);
    }
    if context.is_fork() {
        namespace.counters.count(Counter::InForked);
    }
    if context.received(at(msecs), rcu) {
        namespace.control.stamped(namespace, context);
    }
    Delivery::Anew(skb)
}
