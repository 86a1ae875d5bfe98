// SPDX-License-Identifier: GPL-2.0

//! ICMPv6 errors about packets that we sent with a payload header: before conntrack sees them they
//! are made to be about the packets of the transport, or conntrack calls them invalid and a
//! firewall drops them, which makes a black hole of a path with a smaller MTU (RFC 5533, Section 8).

use crate::{
    context::{
        default_identity,
        Context,
        Counter,
        Listed,
        Namespace,
        Wish, //
    },
    kernel_ext::{
        netfilter::{
            State,
            Verdict, //
        },
        skbuff::SkBuff, //
    },
    proto::{
        locator::UlidPair,
        wire::{
            icmp::{
                IcmpError,
                IcmpFault, //
            },
            quote::QuotedHeader, //
        },
    },
};
use kernel::{
    prelude::*,
    sync::rcu::Guard, //
};

/// A packet with ICMPv6 in it.
pub(super) fn error(mut skb: SkBuff, state: &State, namespace: &Namespace, rcu: &Guard) -> Verdict {
    let net = state.net();
    if namespace.contexts.is_empty() {
        return Verdict::accept(skb);
    }
    let error = loop {
        match IcmpError::parse(skb.head()) {
            Err(IcmpFault::NeedMore(len)) if skb.head().len() < len && skb.pull_head(len) => {}
            Ok(Some(error)) => break error,
            // Not about a packet with our header, or malformed: the stack decides.
            Ok(None) => {
                note_plain(&skb, namespace, rcu);
                return Verdict::accept(skb);
            }
            Err(_) => return Verdict::accept(skb),
        }
    };
    let QuotedHeader::Payload(shim6) = error.quote.header else {
        return Verdict::accept(skb);
    };
    let pair = error.quote.locators;
    let is_ours = |context: &Context| {
        let locators = context.locators(rcu);
        locators.local.has(&pair.local) && locators.peer.has(&pair.peer)
    };
    let Some(context) = namespace.contexts.by_peer_tag(shim6.tag, rcu, is_ours) else {
        return Verdict::accept(skb);
    };

    if error.concerns_path() && pair == context.pair(rcu) {
        suspect(namespace, context);
    }
    // The path keeps its own MTU, whoever else is told.
    if let Some(mtu) = error.mtu() {
        skb.update_quoted_pmtu(net, error.quote_at(), mtu);
    }
    let len = skb.len();
    let translated = skb.rewrite_all(|packet| error.translate(packet, context.ulids()));
    match translated {
        Ok(Ok(translated)) => {
            if translated.packet_len < len && skb.trim(translated.packet_len).is_err() {
                let reason = namespace.dropped(Counter::InNoMemory, skb.head());
                return Verdict::drop(skb, ENOMEM, reason);
            }
            skb.set_checksum_unnecessary();
            namespace.counters.count(Counter::InIcmpTranslated);
            Verdict::accept(skb)
        }
        Ok(Err(_)) => {
            let reason = namespace.dropped(Counter::InIcmpBad, skb.head());
            Verdict::drop(skb, EINVAL, reason)
        }
        Err(error) => {
            let reason = namespace.dropped(Counter::InNoMemory, skb.head());
            Verdict::drop(skb, error, reason)
        }
    }
}

/// An error about a packet without our header may be about one that a context sent over its ULIDs.
fn note_plain(skb: &SkBuff, namespace: &Namespace, rcu: &Guard) {
    let Some(pair) = IcmpError::plain_unreached(skb.head()) else {
        return;
    };
    let identity = default_identity(UlidPair {
        local: pair.local.as_ulid(),
        peer: pair.peer.as_ulid(),
    });
    let context = namespace.contexts.by_identity(&identity, rcu);
    if let Some(context) = context.filter(|context| context.pair(rcu) == pair) {
        suspect(namespace, context);
    }
}

/// No proof, but a reason to look (RFC 5534, Section 3.3).
fn suspect(namespace: &Namespace, context: &Context) {
    context.wish(Wish::IcmpError);
    namespace.control.stamped(namespace, context);
}
