// SPDX-License-Identifier: GPL-2.0

//! Packets between hosts: addresses and what follows the IPv6 header, octet for octet.

use std::fmt;

use shim6_proto::{
    locator::{
        Locator,
        LocatorPair, //
    },
    number::Nonce,
    tag::ContextTag,
    wire::{
        message::{
            Arrival,
            Message, //
        },
        payload::PayloadHeader, //
    }, //
};

/// A packet with a Shim6 header.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Source Address.
    pub source: Locator,
    /// Destination Address.
    pub destination: Locator,
    /// The Shim6 header.
    pub octets: Vec<u8>,
}

/// What a packet is.
#[derive(Debug)]
pub enum Contents<'a> {
    /// A payload extension header; what would follow it does not matter.
    Payload(PayloadHeader),
    /// A control message.
    Control(Message<'a>),
}

impl Packet {
    /// A packet from the local to the peer locator of a pair.
    pub fn new(pair: LocatorPair, octets: &[u8]) -> Self {
        Self {
            source: pair.local,
            destination: pair.peer,
            octets: octets.to_vec(),
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

    /// Its addresses as its receiver sees them.
    pub const fn at_receiver(&self) -> LocatorPair {
        LocatorPair {
            local: self.destination,
            peer: self.source,
        }
    }

    /// What it is; [`None`] if it is malformed.
    pub fn contents(&self) -> Option<Contents<'_>> {
        match PayloadHeader::parse(&self.octets).ok()? {
            Some(payload) => Some(Contents::Payload(payload)),
            None => Message::parse(&self.arrival(), &self.octets)
                .ok()
                .map(Contents::Control),
        }
    }

    /// The tags and the nonces in it that a context may know.
    pub fn numbers(&self) -> (Vec<ContextTag>, Vec<Nonce>) {
        match self.contents() {
            None => (vec![], vec![]),
            Some(Contents::Payload(payload)) => (vec![payload.tag], vec![]),
            Some(Contents::Control(message)) => match message {
                Message::I1(i1) => (vec![i1.initiator_tag], vec![i1.initiator_nonce]),
                Message::R1(r1) => (vec![], vec![r1.initiator_nonce]),
                Message::I2(i2) => (vec![i2.initiator_tag], vec![i2.initiator_nonce]),
                Message::R2(r2) => (vec![r2.responder_tag], vec![r2.initiator_nonce]),
                Message::R1bis(r1bis) => (vec![r1bis.packet_tag], vec![]),
                Message::I2bis(i2bis) => (
                    vec![i2bis.initiator_tag, i2bis.packet_tag],
                    vec![i2bis.initiator_nonce],
                ),
                Message::UpdateRequest(request) => {
                    (vec![request.receiver_tag], vec![request.request_nonce])
                }
                Message::UpdateAcknowledgement(acknowledgement) => (
                    vec![acknowledgement.receiver_tag],
                    vec![acknowledgement.request_nonce],
                ),
                Message::Keepalive(keepalive) => (vec![keepalive.receiver_tag], vec![]),
                Message::Probe(probe) => (vec![probe.receiver_tag], vec![]),
                Message::Error(_) => (vec![], vec![]),
            },
        }
    }
}

/// Source, destination, what it is, and the numbers in it.
impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.contents() {
            None => "malformed",
            Some(Contents::Payload(_)) => "payload",
            Some(Contents::Control(message)) => message.message_type().name(),
        };
        let (tags, nonces) = self.numbers();
        write!(f, "{} > {}: {name}", self.source, self.destination)?;
        for tag in tags {
            write!(f, " tag {:x}", tag.get())?;
        }
        for nonce in nonces {
            write!(f, " nonce {:x}", nonce.get())?;
        }
        Ok(())
    }
}
