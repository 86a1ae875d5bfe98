// SPDX-License-Identifier: GPL-2.0

//! Packets, what happens when, and the order of it.

use std::{
    cmp::{
        Ordering,
        Reverse, //
    },
    collections::BinaryHeap,
    rc::Rc, //
};

use shim6_proto::{
    locator::{
        Locator,
        LocatorPair, //
    },
    tag::ContextTag,
    time::Instant,
    wire::message::Arrival, //
};

use crate::fault::Fault;

/// A packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Source Address.
    pub source: Locator,
    /// Destination Address.
    pub destination: Locator,
    /// What follows the IPv6 header.
    pub body: Body,
}

/// What a packet is.
#[derive(Clone, Debug)]
pub enum Body {
    /// The octets of a control message.
    Control(Rc<[u8]>),
    /// Something of an upper layer.
    Payload {
        /// The tag of the payload extension header, if it has one.
        tag: Option<ContextTag>,
        /// Of which flow, which tells the ULIDs.
        flow: u32,
        /// From which end of it.
        end: u8,
    },
    /// An ICMPv6 error.
    Icmp(Icmp),
}

/// An ICMPv6 error.
#[derive(Clone, Copy, Debug)]
pub enum Icmp {
    /// A payload packet did not get through.
    Unreachable {
        /// The addresses that it was sent with.
        pair: LocatorPair,
    },
    /// The peer does not know Shim6; an I1 with this tag is quoted.
    Unrecognized {
        /// The tag of the initiator.
        tag: ContextTag,
        /// The addresses of the I1.
        pair: LocatorPair,
    },
}

impl Packet {
    /// A packet from the local to the peer locator of a pair.
    pub const fn new(pair: LocatorPair, body: Body) -> Self {
        Self {
            source: pair.local,
            destination: pair.peer,
            body,
        }
    }

    /// How it arrives.
    pub const fn arrival(&self) -> Arrival {
        Arrival {
            source: self.source,
            destination: self.destination,
            offset: 40,
        }
    }
}

/// The addresses of an answer.
pub const fn reverse(arrival: &Arrival) -> LocatorPair {
    LocatorPair {
        local: arrival.destination,
        peer: arrival.source,
    }
}

/// Something that happens. Hosts, flows and contexts are numbers.
#[derive(Clone, Debug)]
pub enum Event {
    /// A packet arrives.
    Arrive(Box<Packet>),
    /// The timer of a context fires.
    Timer {
        /// The host.
        host: u32,
        /// The place of the context.
        slot: u32,
        /// Which context it is that should be there.
        serial: u64,
    },
    /// The worker of a host has its turn.
    Work(u32),
    /// A host looks for idle contexts.
    Sweep(u32),
    /// An end of a flow sends.
    Send {
        /// The flow.
        flow: u32,
        /// The end.
        end: u8,
    },
    /// A flow begins.
    Open(u32),
    /// A flow ends.
    Close(u32),
    /// A fault begins or ends.
    Fault(Box<Fault>, bool),
    /// A liar does something.
    Lie,
    /// A host begins or ends to claim a locator that is not its own.
    Claim(u32, Option<Box<Locator>>),
    /// All contexts are looked at.
    Audit,
    /// All faults have been over for long.
    Settled,
    /// All contexts should be gone.
    End,
}

/// An event in the queue: those of equal time come in the order in which they were put there.
struct Entry {
    at: Instant,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// What is going to happen.
#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    number: u64,
}

impl Queue {
    /// Something is going to happen.
    pub fn push(&mut self, at: Instant, event: Event) {
        self.number += 1;
        self.heap.push(Reverse(Entry {
            at,
            number: self.number,
            event,
        }));
    }

    /// What happens next, and when.
    pub fn pop(&mut self) -> Option<(Instant, Event)> {
        self.heap
            .pop()
            .map(|Reverse(entry)| (entry.at, entry.event))
    }
}
