// SPDX-License-Identifier: GPL-2.0

//! The first part of a packet that this host sent, as an ICMPv6 error or a Shim6 Error message
//! quotes it (RFC 5533, Sections 8 and 12.4).

use super::{
    super::{
        locator::LocatorPair,
        octets,
        tag::ContextTag, //
    },
    chain::{
        self,
        Place, //
    },
    ipv6::Ipv6Header,
    message_type::MessageType,
    payload::PayloadHeader, //
};

/// A quoted packet with a Shim6 header.
///
/// It was on its way to the peer: its source is a locator of this host, and the tag in a payload
/// extension header is CT(peer).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quote {
    /// The addresses of the packet.
    pub locators: LocatorPair,
    /// Where the Shim6 header is.
    pub place: Place,
    /// What it is.
    pub header: QuotedHeader,
}

/// A quoted Shim6 header. Nothing of it is proved: anybody can quote what was never sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotedHeader {
    /// A payload extension header.
    Payload(PayloadHeader),
    /// A control message.
    Control {
        /// Its type.
        message: MessageType,
        /// The tag in octets 6 to 11, for types that have one there. It is CT(peer) in messages
        /// that refer to a context, CT(local) in I1, I2, R2 and I2bis.
        tag: Option<ContextTag>,
    },
}

impl Quote {
    /// Reads the start of a packet in error, from its IPv6 header on.
    ///
    /// [`None`] if it has no Shim6 header, or if not enough of it is quoted.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let ip = Ipv6Header::parse(packet)?;
        let place = chain::locate(packet).ok().filter(Place::is_shim6)?;
        let shim6 = packet.get(place.offset()..)?;
        let header = match PayloadHeader::parse(shim6).ok()? {
            Some(payload) => QuotedHeader::Payload(payload),
            None => QuotedHeader::control(shim6)?,
        };

        Some(Self {
            locators: LocatorPair {
                local: ip.source,
                peer: ip.destination,
            },
            place,
            header,
        })
    }
}

impl QuotedHeader {
    /// Reads the start of a control message. Its checksum is not checked: quotes are cut.
    fn control(shim6: &[u8]) -> Option<Self> {
        let message = MessageType::from_wire(octets::u8_at(shim6, 2)?)?;
        let tag = if message.has_tag() {
            Some(ContextTag::from_wire(octets::array(shim6, 6)?))
        } else {
            None
        };
        Some(Self::Control { message, tag })
    }
}
