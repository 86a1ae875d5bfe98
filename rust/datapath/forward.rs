// SPDX-License-Identifier: GPL-2.0

//! Packets with a payload header that are only passing: those of containers on this host, say.
//!
//! Their contents are nobody's business here. But a super-packet that a neighbour namespace left
//! whole would be misread by the forwarding path, which looks for TCP right behind the IPv6 header,
//! and must not reach a real device as it is.

use super::{
    locate,
    payload_header, //
};
use crate::{
    context::{
        Counter,
        Namespace, //
    },
    kernel_ext::{
        netfilter::{
            Hook,
            State,
            Verdict, //
        },
        skbuff::{
            Checksum,
            SkBuff, //
        },
    },
    proto::wire::{
        chain::Place,
        ipv6::{
            next_header,
            Ipv6Header, //
        },
        payload::PayloadHeader, //
    },
};
use kernel::sync::rcu::Guard;

/// Tells the forwarding path where the transport header of a super-packet is.
pub(super) fn received(skb: &mut SkBuff, place: &Place) {
    if skb.is_gso() {
        skb.set_transport_offset(place.offset().saturating_add(PayloadHeader::LEN));
    }
}

/// The hook in FORWARD.
pub(super) struct Forward;

impl Hook for Forward {
    type Namespace = Namespace;

    #[inline]
    fn concerns(skb: &SkBuff, _namespace: &Namespace, _rcu: &Guard) -> bool {
        // Super-packets and partial checksums come from this host's memory only, and its IPv6
        // stacks put no other header before ours than these.
        matches!(
            Ipv6Header::next_header(skb.head()),
            Some(next_header::SHIM6 | next_header::HOP_BY_HOP)
        )
    }

    fn handle(mut skb: SkBuff, state: &State, namespace: &Namespace, _rcu: &Guard) -> Verdict {
        if !(skb.is_gso() || skb.checksum() == Checksum::Partial) {
            return Verdict::accept(skb);
        }
        if state.out_device().is_none_or(|device| device.is_memory()) {
            return Verdict::accept(skb);
        }
        let Some(place) = locate(&mut skb) else {
            return Verdict::accept(skb);
        };
        if payload_header(&mut skb, &place).is_none() {
            return Verdict::accept(skb);
        }
        let prepared = if skb.is_gso() {
            skb.force_software_segmentation()
        } else {
            skb.complete_checksum()
        };
        match prepared {
            Ok(()) => Verdict::accept(skb),
            Err(error) => {
                let reason = namespace.dropped(Counter::OutNoMemory, skb.head());
                Verdict::drop(skb, error, reason)
            }
        }
    }
}
