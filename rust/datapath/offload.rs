// SPDX-License-Identifier: GPL-2.0

//! Segmentation and receive offload of payload packets. Without it a super-packet with our header
//! is dropped where a device cannot segment it, and received segments are not merged.

use crate::{
    context::{
        Counter,
        Namespace, //
    },
    kernel_ext::{
        address::In6Addr,
        net::Net,
        offload::{
            Flow,
            Offload, //
        },
    },
    proto::wire::payload::PayloadHeader,
};
use kernel::sync::rcu::Guard;

/// Offload of the payload extension header.
pub(super) struct Payload;

impl Offload<{ PayloadHeader::LEN }> for Payload {
    /// Only packets of contexts here: the checksum of others is over ULIDs that nobody here knows,
    /// and they may be somebody else's.
    fn flow(net: &Net, header: &[u8; PayloadHeader::LEN], rcu: &Guard) -> Option<Flow> {
        let shim6 = PayloadHeader::parse(header).ok()??;
        let namespace = Namespace::of_rcu(net, rcu);
        let ulids = namespace.contexts.by_tag(shim6.tag, rcu)?.ulids();
        Some(Flow {
            source: In6Addr::from_octets(ulids.peer.as_octets()),
            destination: In6Addr::from_octets(ulids.local.as_octets()),
        })
    }

    fn merged(net: &Net) {
        Namespace::of(net).counters.count(Counter::InGroMerged);
    }

    fn next_header(header: &[u8; PayloadHeader::LEN]) -> Option<u8> {
        Some(PayloadHeader::parse(header).ok()??.next_header)
    }
}
