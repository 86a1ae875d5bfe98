// SPDX-License-Identifier: GPL-2.0

//! Which conversation of an upper layer a packet belongs to, as far as that is told in the packet:
//! by what a host remembers through which fork its peer sends (draft-ietf-shim6-multihome-shim-api-03,
//! Appendix A).

use super::{
    super::{
        locator::UlidPair,
        octets, //
    },
    ipv6::next_header, //
};

/// Extension headers of the endpoints that are walked over.
const MAX_HEADERS: usize = 4;

mod protocol {
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const DCCP: u8 = 33;
    pub(super) const SCTP: u8 = 132;
    pub(super) const UDP_LITE: u8 = 136;
}

/// ICMPv6 Echo Request and Echo Reply (RFC 4443, Section 4).
const ECHO: [u8; 2] = [128, 129];

/// SYN and ACK among the flags of TCP (RFC 9293, Section 3.1).
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From this host to the peer.
    Outbound,
    /// From the peer to this host.
    Inbound,
}

/// A conversation between two hosts; both directions are the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    protocol: u8,
    /// This host's port, or the identifier of an echo.
    local: u16,
    /// The peer's port.
    peer: u16,
    /// The packet asks for a new connection.
    is_new: bool,
}

impl Flow {
    /// The conversation between two ports; both are 0 for protocols without ports.
    pub const fn new(protocol: u8, local: u16, peer: u16) -> Self {
        Self {
            protocol,
            local,
            peer,
            is_new: false,
        }
    }

    /// The conversation of a packet of which an endpoint header of number `first` begins at
    /// `offset`.
    ///
    /// [`None`] if nothing tells it: a fragment other than the first, an ICMPv6 message that is no
    /// echo, a slice that ends too early. All packets of a protocol without ports that is not known
    /// here are one conversation, those of IPsec too.
    pub fn parse(packet: &[u8], offset: usize, first: u8, direction: Direction) -> Option<Self> {
        let (mut protocol, mut at) = (first, offset);
        for _ in 0..MAX_HEADERS {
            let [next, units, offset_and_more @ ..]: [u8; 4] = match protocol {
                next_header::FRAGMENT | next_header::DESTINATION_OPTIONS => {
                    octets::array(packet, at)?
                }
                _ => return Self::of_upper_layer(packet, at, protocol, direction),
            };
            let len = if protocol == next_header::FRAGMENT {
                if u16::from_be_bytes(offset_and_more) >> 3 != 0 {
                    return None;
                }
                8
            } else {
                usize::from(units).wrapping_add(1).wrapping_mul(8)
            };
            at = at.checked_add(len)?;
            protocol = next;
        }
        None
    }

    fn of_upper_layer(
        packet: &[u8],
        at: usize,
        protocol: u8,
        direction: Direction,
    ) -> Option<Self> {
        match protocol {
            protocol::TCP
            | protocol::UDP
            | protocol::DCCP
            | protocol::SCTP
            | protocol::UDP_LITE => {
                let source = octets::u16_at(packet, at)?;
                let destination = octets::u16_at(packet, at.checked_add(2)?)?;
                let (local, peer) = match direction {
                    Direction::Outbound => (source, destination),
                    Direction::Inbound => (destination, source),
                };
                let mut flow = Self::new(protocol, local, peer);
                if protocol == protocol::TCP {
                    let flags = octets::u8_at(packet, at.checked_add(13)?)?;
                    flow.is_new = flags & (SYN | ACK) == SYN;
                }
                Some(flow)
            }
            next_header::ICMPV6 => {
                if !ECHO.contains(&octets::u8_at(packet, at)?) {
                    return None;
                }
                let identifier = octets::u16_at(packet, at.checked_add(4)?)?;
                Some(Self::new(protocol, identifier, 0))
            }
            next_header::NONE | next_header::SHIM6 => None,
            _ => Some(Self::new(protocol, 0, 0)),
        }
    }

    /// Whether the packet asks for a new connection, so that what was there before between these
    /// ports is over.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// What tells the conversation from all others of this host.
    pub fn key(&self, ulids: &UlidPair) -> [u8; 40] {
        let mut key = [0; 40];
        let ports = [self.local.to_be_bytes(), self.peer.to_be_bytes()];
        let fields = [
            &ulids.local.as_octets()[..],
            &ulids.peer.as_octets()[..],
            ports.as_flattened(),
            &[self.protocol],
        ];
        let octets = fields.into_iter().flatten();
        for (to, from) in key.iter_mut().zip(octets) {
            *to = *from;
        }
        key
    }
}
