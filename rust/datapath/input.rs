// SPDX-License-Identifier: GPL-2.0

//! Packets on their way in: the context tag tells the ULIDs, which replace the locators, and the
//! header is removed (RFC 5533, Section 12.2). In PRE_ROUTING, before all others, so that firewalls
//! see ULIDs and ports; and only for packets to this host. At the end of PRE_ROUTING, behind its
//! firewalls, a translated datagram gets the route of the last one, and others are noted.

use super::{
    accepts_payload,
    arrival,
    at,
    conversation,
    forward,
    icmp,
    locate,
    may_have_shim6,
    payload_header,
    TCP, //
};
use crate::{
    context::{
        default_identity,
        Context,
        Counter,
        Namespace, //
    },
    kernel_ext::{
        address::In6Addr,
        demux, inet6,
        net::Net,
        netfilter::{
            Hook,
            State,
            Verdict, //
        },
        skbuff::{
            OpenHead,
            Recipient,
            SkBuff, //
        },
    },
    proto::{
        locator::UlidPair,
        wire::{
            chain::{
                self,
                Place, //
            },
            flow::Direction,
            ipv6::{
                next_header,
                Ipv6Header, //
            },
            payload::PayloadHeader,
            rewrite, //
        },
    },
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// The hook in PRE_ROUTING.
pub(super) struct Input;

impl Hook for Input {
    type Namespace = Namespace;

    #[inline]
    fn concerns(skb: &SkBuff, _namespace: &Namespace, _rcu: &Guard) -> bool {
        Ipv6Header::next_header(skb.head())
            .is_some_and(|first| may_have_shim6(first) || first == next_header::ICMPV6)
    }

    // What few packets need is elsewhere, so that what most of them need is in few cache lines and
    // registers.
    #[inline(always)]
    fn handle(skb: SkBuff, state: &State, namespace: &Namespace, rcu: &Guard) -> Verdict {
        let Some(header) = Ipv6Header::parse(skb.head()) else {
            return Verdict::accept(skb);
        };
        match chain::shim6_behind_ipv6(&header) {
            Some(place) => payload(skb, &header, &place, state, namespace, rcu),
            None => further(skb, state, namespace, rcu),
        }
    }
}

/// A packet in which a payload extension header can only be behind others, or in which an ICMPv6 error
/// quotes one.
#[cold]
fn further(mut skb: SkBuff, state: &State, namespace: &Namespace, rcu: &Guard) -> Verdict {
    let Some(header) = Ipv6Header::parse(skb.head()) else {
        return Verdict::accept(skb);
    };
    if header.next_header == next_header::ICMPV6 {
        return icmp::error(skb, state, namespace, rcu);
    }
    match locate(&mut skb) {
        Some(place) if place.is_shim6() => payload(skb, &header, &place, state, namespace, rcu),
        Some(_) => icmp::error(skb, state, namespace, rcu),
        None => Verdict::accept(skb),
    }
}

/// A packet with a Shim6 header, which may be a payload extension header. One that is not ours to
/// translate is left alone; if it is for this host all the same, the protocol handler gets and counts
/// it.
// Two copies: of one the place is a constant.
#[inline(always)]
fn payload(
    mut skb: SkBuff,
    header: &Ipv6Header,
    place: &Place,
    state: &State,
    namespace: &Namespace,
    rcu: &Guard,
) -> Verdict {
    let net = state.net();
    let Some(shim6) = payload_header(&mut skb, place) else {
        return Verdict::accept(skb);
    };
    let Some(context) = namespace.contexts.by_tag(shim6.tag, rcu) else {
        return unknown(skb, place, net, namespace);
    };
    let ulids = context.ulids();
    let end = place.offset().saturating_add(PayloadHeader::LEN);
    let arrival = arrival(namespace, context, &skb, rcu);
    let len = skb.len();
    // A packet with the tag of a context, to the locator that it uses, is nobody else's.
    let is_ours = header.destination == context.local_locator(rcu);
    let inner = ulids.local.as_octets();
    let open = match skb.enter(net, inner, context.known_local(), is_ours, end) {
        Ok(Recipient::Ours(open)) => Ok(open),
        Ok(Recipient::Foreign) => return foreign(skb, place, namespace),
        Ok(Recipient::Outer) => match by_locator(&mut skb, end) {
            Some(open) => open,
            None => return Verdict::accept(skb),
        },
        Err(error) => Err(error),
    };
    if !accepts_payload(namespace, context) {
        return drop(namespace, skb, Counter::InEarly, EINVAL);
    }
    let tally = namespace.counters.tally(Counter::InTranslated);
    let closed = open.map(|open| {
        open.close(PayloadHeader::LEN, tally, |head| {
            rewrite::inbound(head, len, place, &shim6, ulids)
        })
    });
    let now = match closed {
        Ok(Ok(msecs)) => at(msecs),
        // The header was found there above.
        Ok(Err(_)) => return drop(namespace, skb, Counter::InBadHeaders, EINVAL),
        Err(error) => return drop(namespace, skb, Counter::InNoMemory, error),
    };
    skb.mark_translated(arrival.raw());
    if namespace.contexts.any_forks() {
        came_by(namespace, context, &mut skb, place, shim6.next_header, rcu);
    }
    if context.received(now, rcu) {
        namespace.control.stamped(namespace, context);
    }
    Verdict::accept(skb)
}

/// A packet with a tag of no context.
#[cold]
fn unknown(mut skb: SkBuff, place: &Place, net: &Net, namespace: &Namespace) -> Verdict {
    let is_foreign = Ipv6Header::parse(skb.head()).is_some_and(|header| {
        let destination = In6Addr::from_octets(header.destination.as_octets());
        !inet6::is_local_address(net, &destination)
    });
    if is_foreign {
        forwarded(namespace, &mut skb, place);
    }
    Verdict::accept(skb)
}

/// A packet with the tag of a context that is for another host.
#[cold]
fn foreign(mut skb: SkBuff, place: &Place, namespace: &Namespace) -> Verdict {
    forwarded(namespace, &mut skb, place);
    Verdict::accept(skb)
}

/// A packet for a ULID that is not an address of this host: it may be gone from all interfaces and
/// yet identify the host (RFC 5533, Section 1.5). Then routing has to find this host by the locator,
/// while it is there. [`None`] if it does not.
#[cold]
fn by_locator(skb: &mut SkBuff, end: usize) -> Option<Result<OpenHead<'_>>> {
    if !skb.route_input() {
        skb.drop_dst();
        return None;
    }
    Some(skb.open_head(end))
}

/// Drops a packet.
#[cold]
fn drop(namespace: &Namespace, skb: SkBuff, counter: Counter, error: Error) -> Verdict {
    let reason = namespace.dropped(counter, skb.head());
    Verdict::drop(skb, error, reason)
}

/// A packet, which was translated, came by a context where there are forks. Behind `place` is now a
/// header of number `first`.
#[cold]
fn came_by(
    namespace: &Namespace,
    context: &Context,
    skb: &mut SkBuff,
    place: &Place,
    first: u8,
    rcu: &Guard,
) {
    if let Some(flow) = conversation(skb, place.offset(), first, Direction::Inbound) {
        namespace.came_by(Some(context), context.ulids(), flow, rcu);
    }
    if context.is_fork() {
        namespace.counters.count(Counter::InForked);
    }
}

/// A packet with a payload header that is for another host, or for a group, which may be for this
/// one as well.
fn forwarded(namespace: &Namespace, skb: &mut SkBuff, place: &Place) {
    forward::received(skb, place);
    if Ipv6Header::parse(skb.head()).is_some_and(|header| header.destination.is_unicast()) {
        namespace.counters.count(Counter::InForwarded);
    }
}

/// The hook at the end of PRE_ROUTING, behind all firewalls there. Where a packet of a context goes is
/// known since the last one came, which spares IPv6 to look it up: the connection that it belongs to,
/// or, of a translated datagram, its route.
/// Packets between the ULIDs of a context without a header are traffic of that context (RFC 5533,
/// Section 12.1): the ULID of this host is an address of it, so they are not for others.
pub(super) struct PreRoutingEnd;

impl Hook for PreRoutingEnd {
    type Namespace = Namespace;

    #[inline]
    fn concerns(skb: &SkBuff, namespace: &Namespace, rcu: &Guard) -> bool {
        if skb.is_marked_translated() {
            skb.dst().is_none()
        } else {
            namespace.is_awake(rcu) && !skb.is_in_vrf()
        }
    }

    #[inline]
    fn handle(mut skb: SkBuff, _state: &State, namespace: &Namespace, rcu: &Guard) -> Verdict {
        let is_tcp = Ipv6Header::next_header(skb.head()) == Some(TCP);
        let is_translated = skb.is_marked_translated();
        if !is_translated && !plain(namespace, &mut skb, rcu) {
            return Verdict::accept(skb);
        }
        if is_tcp {
            demux::attach_socket(&mut skb, rcu);
        } else if is_translated {
            namespace.input_routes.attach(&mut skb, rcu);
        }
        Verdict::accept(skb)
    }
}

/// A packet that was not translated. What the shim itself has to say keeps no context alive. Whether
/// it is traffic of a context.
fn plain(namespace: &Namespace, skb: &mut SkBuff, rcu: &Guard) -> bool {
    let Some(header) =
        Ipv6Header::parse(skb.head()).filter(|header| header.next_header != next_header::SHIM6)
    else {
        return false;
    };
    let identity = default_identity(UlidPair {
        local: header.destination.as_ulid(),
        peer: header.source.as_ulid(),
    });
    let ulids = &identity.ulids;
    if namespace.contexts.any_forks() {
        came_plain(namespace, skb, ulids, rcu);
    }
    let Some(context) = namespace.contexts.by_identity(&identity, rcu) else {
        if namespace.control.watches(namespace, rcu) {
            namespace
                .control
                .received_without_context(namespace, *ulids);
        }
        return false;
    };
    let msecs = namespace.counters.tally(Counter::InUlids).count();
    if context.received(at(msecs), rcu) {
        namespace.control.stamped(namespace, context);
    }
    true
}

/// The last packet of a conversation came without a header: so it goes on.
#[cold]
fn came_plain(namespace: &Namespace, skb: &mut SkBuff, ulids: &UlidPair, rcu: &Guard) {
    let flow = locate(skb).and_then(|place| {
        let (at, first) = (place.offset(), place.next_header());
        conversation(skb, at, first, Direction::Inbound)
    });
    if let Some(flow) = flow {
        namespace.came_by(None, ulids, flow, rcu);
    }
}
