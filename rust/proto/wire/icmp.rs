// SPDX-License-Identifier: GPL-2.0

//! ICMPv6 errors about shim packets (RFC 5533, Section 8): which of them concern whom, and the
//! translation that lets a transport recognise its packet. Works on whole, linear packets.

use super::{
    super::{
        locator::{
            Locator,
            LocatorPair,
            UlidPair, //
        },
        octets, //
    },
    chain::{
        self,
        ChainError, //
    },
    checksum,
    ipv6::{
        self,
        next_header,
        Ipv6Header, //
    },
    payload::PayloadHeader,
    quote::{
        Quote,
        QuotedHeader, //
    },
    rewrite, //
};

/// Octets before the packet in error: type, code, checksum and a 32-bit field.
const HEADER_LEN: usize = 8;

/// The least "original datagram" that may precede an extension structure, in units of 8 octets
/// (RFC 4884, Section 4).
const MIN_LENGTH: u8 = 16;

/// An ICMPv6 error type (RFC 4443, Section 3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum IcmpType {
    /// Destination Unreachable.
    DestinationUnreachable = 1,
    /// Packet Too Big.
    PacketTooBig = 2,
    /// Time Exceeded.
    TimeExceeded = 3,
    /// Parameter Problem.
    ParameterProblem = 4,
}

impl IcmpType {
    /// The error type with this number.
    const fn from_wire(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::DestinationUnreachable),
            2 => Some(Self::PacketTooBig),
            3 => Some(Self::TimeExceeded),
            4 => Some(Self::ParameterProblem),
            _ => None,
        }
    }

    /// Whether a length attribute is defined for it (RFC 4884, Section 4.6).
    const fn has_length(self) -> bool {
        matches!(self, Self::DestinationUnreachable | Self::TimeExceeded)
    }
}

/// Who acts on an ICMPv6 error about a shim packet (RFC 5533, Section 8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Concern {
    /// The shim alone: it is about the shim header, or about a message of the shim.
    Shim,
    /// The shim if it has another locator pair to try, else the ULP.
    ShimElseUlp,
    /// The ULP, after translation.
    Ulp,
}

/// Why an ICMPv6 error is not read or not translated. It is then unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpFault {
    /// The slice ends before the packet does: call again with at least this many octets, counted
    /// from the IPv6 header. If the packet has no more, it is malformed.
    NeedMore(usize),
    /// The checksum is wrong (RFC 4443, Section 2.3).
    Checksum,
    /// The length attribute goes beyond the message or ends inside the quoted headers (RFC 4884,
    /// Section 4).
    Length,
    /// It was not sent to the source of the packet that it quotes (RFC 4443, Section 2.2).
    Misdirected,
    /// The quoted packet claims to be shorter than the header that it has.
    QuotedLength,
    /// The quoted Shim6 header is a control message: no ULP waits for it.
    NotPayload,
}

/// An ICMPv6 error about a packet with a Shim6 header. Its checksum is not verified yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpError {
    /// Type.
    pub icmp_type: IcmpType,
    /// Code.
    pub code: u8,
    /// The 32-bit field behind the checksum: MTU, pointer, or, in its first octet, the length
    /// attribute.
    parameter: u32,
    /// Addresses of the error itself.
    source: Locator,
    destination: Locator,
    /// Offsets from the outer IPv6 header: the ICMPv6 header, the packet in error, the end of
    /// what is quoted of it, the end of the packet.
    icmp_at: usize,
    quote_at: usize,
    quote_end: usize,
    end: usize,
    /// The packet in error.
    pub quote: Quote,
}

/// What became of an error by translation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translated {
    /// Octets of the packet now, IPv6 header included. The octets behind are spare.
    pub packet_len: usize,
    /// Packet Too Big: the MTU that the ULP is told, in octets.
    pub mtu: Option<u32>,
}

/// Whether an error of this type and code is about the path.
const fn concerns_path(icmp_type: IcmpType, code: u8) -> bool {
    /// Destination Unreachable, code of a port (RFC 4443, Section 3.1).
    const PORT: u8 = 4;

    match icmp_type {
        IcmpType::DestinationUnreachable => code != PORT,
        IcmpType::TimeExceeded => true,
        IcmpType::PacketTooBig | IcmpType::ParameterProblem => false,
    }
}

impl IcmpError {
    /// Whether it says that the packet did not get to its destination, whatever was in it: Time
    /// Exceeded, and Destination Unreachable but for the port (RFC 5533,
    /// Section 8).
    pub const fn concerns_path(&self) -> bool {
        concerns_path(self.icmp_type, self.code)
    }

    /// The addresses of a packet without Shim6 header of which an ICMPv6 error says that it did not
    /// get to its destination, as [`concerns_path`](Self::concerns_path) means it. `packet` is what
    /// [`parse`](Self::parse) found nothing in. The checksum is not verified.
    pub fn plain_unreached(packet: &[u8]) -> Option<LocatorPair> {
        let place = chain::find(packet, next_header::ICMPV6).ok()??;
        let ip = Ipv6Header::parse(packet)?;
        let icmp_at = place.offset();
        let [type_octet, code, _, _] = octets::array(packet, icmp_at)?;
        let quoted = packet.get(icmp_at.wrapping_add(HEADER_LEN)..)?;
        let original = Ipv6Header::parse(quoted)?;
        let is_about_path = concerns_path(IcmpType::from_wire(type_octet)?, code);
        let is_shim6 = chain::locate(quoted).is_ok_and(|place| place.is_shim6());
        let is_ours = !place.is_in_transit() && original.source == ip.destination;
        (is_about_path && is_ours && !is_shim6).then_some(LocatorPair {
            local: original.source,
            peer: original.destination,
        })
    }

    /// Reads the ICMPv6 error in `packet`, which starts at the outer IPv6 header.
    ///
    /// `Ok(None)` for everything else: other protocols, informational messages, packets that are
    /// not at their destination yet, and errors about packets without Shim6 header.
    ///
    /// # Errors
    ///
    /// [`IcmpFault::NeedMore`], [`IcmpFault::Length`] and [`IcmpFault::Misdirected`].
    pub fn parse(packet: &[u8]) -> Result<Option<Self>, IcmpFault> {
        let place = match chain::find(packet, next_header::ICMPV6) {
            Ok(Some(place)) if !place.is_in_transit() => place,
            Err(ChainError::NeedMore(octets)) => return Err(IcmpFault::NeedMore(octets)),
            Ok(_) | Err(ChainError::NotIpv6 | ChainError::TooManyHeaders) => return Ok(None),
        };
        let Some(ip) = Ipv6Header::parse(packet) else {
            return Ok(None);
        };
        let end = ipv6::HEADER_LEN.wrapping_add(usize::from(ip.payload_length));
        let icmp_at = place.offset();
        let quote_at = icmp_at.wrapping_add(HEADER_LEN);
        if quote_at > end {
            return Ok(None);
        }

        let [type_octet, code, _, _] =
            octets::array(packet, icmp_at).ok_or(IcmpFault::NeedMore(quote_at))?;
        let Some(icmp_type) = IcmpType::from_wire(type_octet) else {
            return Ok(None);
        };
        let quoted = packet.get(quote_at..end).ok_or(IcmpFault::NeedMore(end))?;
        let parameter =
            octets::u32_at(packet, icmp_at.wrapping_add(4)).ok_or(IcmpFault::NeedMore(quote_at))?;
        let Some(quote) = Quote::parse(quoted) else {
            return Ok(None);
        };
        if quote.locators.local != ip.destination {
            return Err(IcmpFault::Misdirected);
        }

        let mut error = Self {
            icmp_type,
            code,
            parameter,
            source: ip.source,
            destination: ip.destination,
            icmp_at,
            quote_at,
            quote_end: end,
            end,
            quote,
        };
        error.apply_length()?;
        Ok(Some(error))
    }

    /// Lets the packet in error end where the length attribute says, if there is one.
    fn apply_length(&mut self) -> Result<(), IcmpFault> {
        let length = self.length();
        if length == 0 {
            return Ok(());
        }
        let quote_end = self
            .quote_at
            .wrapping_add(usize::from(length).wrapping_mul(8));
        if quote_end > self.end || quote_end < self.shim6_at().wrapping_add(PayloadHeader::LEN) {
            return Err(IcmpFault::Length);
        }
        self.quote_end = quote_end;
        Ok(())
    }

    /// The length attribute in units of 8 octets; 0 without one (RFC 4884, Section 4).
    fn length(&self) -> u8 {
        let [length, ..] = self.parameter.to_be_bytes();
        if self.icmp_type.has_length() {
            length
        } else {
            0
        }
    }

    /// Where the quoted Shim6 header begins, from the outer IPv6 header.
    fn shim6_at(&self) -> usize {
        self.quote_at.wrapping_add(self.quote.place.offset())
    }

    /// Where the packet in error begins, in octets from the outer IPv6 header.
    pub const fn quote_at(&self) -> usize {
        self.quote_at
    }

    /// The MTU that a Packet Too Big reports for the locator pair, in octets.
    pub fn mtu(&self) -> Option<u32> {
        (self.icmp_type == IcmpType::PacketTooBig).then_some(self.parameter)
    }

    /// Whether a Parameter Problem is about the Shim6 header: about a field of it, or about its
    /// number in the preceding header.
    fn is_about_shim6_header(&self) -> bool {
        let place = &self.quote.place;
        let header = place.offset()..place.offset().saturating_add(PayloadHeader::LEN);

        self.icmp_type == IcmpType::ParameterProblem
            && usize::try_from(self.parameter)
                .is_ok_and(|at| at == place.next_header_at() || header.contains(&at))
    }

    /// Who acts on it (RFC 5533, Section 8).
    pub fn concern(&self) -> Concern {
        match (self.quote.header, self.icmp_type, self.code) {
            (QuotedHeader::Control { .. }, ..) => Concern::Shim,
            (_, IcmpType::DestinationUnreachable, 0..=3 | 5 | 6) => Concern::ShimElseUlp,
            (_, IcmpType::TimeExceeded, _) => Concern::Shim,
            _ if self.is_about_shim6_header() => Concern::Shim,
            _ => Concern::Ulp,
        }
    }

    /// The 32-bit field as the ULP has to see it: a packet 8 octets shorter.
    fn translated_parameter(&self, length: u8) -> u32 {
        let place = &self.quote.place;

        match self.icmp_type {
            IcmpType::PacketTooBig => self
                .parameter
                .saturating_sub(u32::from(PayloadHeader::LEN_U16))
                .max(ipv6::MIN_MTU),
            IcmpType::ParameterProblem if self.is_about_shim6_header() => {
                u32::try_from(place.next_header_at()).unwrap_or(self.parameter)
            }
            IcmpType::ParameterProblem
                if usize::try_from(self.parameter).is_ok_and(|at| at > place.offset()) =>
            {
                self.parameter
                    .wrapping_sub(u32::from(PayloadHeader::LEN_U16))
            }
            IcmpType::ParameterProblem => self.parameter,
            IcmpType::DestinationUnreachable | IcmpType::TimeExceeded => {
                let [_, b, c, d] = self.parameter.to_be_bytes();
                u32::from_be_bytes([length, b, c, d])
            }
        }
    }

    /// Rewrites the error in place so that it is about the packet that the ULP sent: ULIDs in the
    /// packet in error, no Shim6 header, and the error itself addressed to ULID(local). `packet`
    /// is the one that was parsed.
    ///
    /// What follows moves up by 8 octets. If a length attribute says that the packet in error
    /// has its minimum of 128 octets, it is padded back to that instead, because an extension
    /// structure has to follow at least so many (RFC 4884, Section 4).
    ///
    /// # Errors
    ///
    /// [`IcmpFault::NotPayload`], [`IcmpFault::Checksum`], [`IcmpFault::QuotedLength`] and, if
    /// `packet` is shorter than the one that was parsed, [`IcmpFault::NeedMore`]. `packet` is
    /// unchanged then.
    pub fn translate(&self, packet: &mut [u8], ulids: &UlidPair) -> Result<Translated, IcmpFault> {
        let QuotedHeader::Payload(shim6) = self.quote.header else {
            return Err(IcmpFault::NotPayload);
        };
        let packet = packet
            .get_mut(..self.end)
            .ok_or(IcmpFault::NeedMore(self.end))?;
        if !self.checksum_is_correct(packet) {
            return Err(IcmpFault::Checksum);
        }
        let quoted_length = match self.quoted_payload_length(packet) {
            Some(0) => 0,
            Some(length) => length
                .checked_sub(PayloadHeader::LEN_U16)
                .ok_or(IcmpFault::QuotedLength)?,
            None => return Err(IcmpFault::NeedMore(self.end)),
        };

        let padded = matches!(self.length(), 1..=MIN_LENGTH);
        let (length, packet_len) = if padded {
            (self.length(), self.end)
        } else {
            (
                self.length().saturating_sub(1),
                self.end.saturating_sub(PayloadHeader::LEN),
            )
        };

        self.write(packet, ulids, &shim6, quoted_length, padded)
            .and_then(|()| self.write_outer(packet, ulids, length, packet_len))
            .ok_or(IcmpFault::NeedMore(self.end))?;
        Ok(Translated {
            packet_len,
            mtu: self.mtu().map(|_| self.translated_parameter(length)),
        })
    }

    /// Whether the ICMPv6 checksum is right, over the addresses that the error came with.
    fn checksum_is_correct(&self, packet: &[u8]) -> bool {
        packet.get(self.icmp_at..).is_some_and(|message| {
            checksum::icmpv6_is_correct(self.source, self.destination, message)
        })
    }

    /// The Payload Length in the packet in error.
    fn quoted_payload_length(&self, packet: &[u8]) -> Option<u16> {
        let at = self.quote_at.checked_add(ipv6::PAYLOAD_LENGTH_AT)?;
        octets::u16_at(packet, at)
    }

    /// Translates the packet in error.
    fn write(
        &self,
        packet: &mut [u8],
        ulids: &UlidPair,
        shim6: &PayloadHeader,
        payload_length: u16,
        padded: bool,
    ) -> Option<()> {
        rewrite::write_head(
            packet.get_mut(self.quote_at..)?,
            &self.quote.place,
            shim6.next_header,
            payload_length,
            ulids.local.as_octets(),
            ulids.peer.as_octets(),
        )?;
        let end = if padded { self.quote_end } else { self.end };
        octets::cut(packet.get_mut(self.shim6_at()..end)?, PayloadHeader::LEN)
    }

    /// Writes the outer header and the ICMPv6 header.
    fn write_outer(
        &self,
        packet: &mut [u8],
        ulids: &UlidPair,
        length: u8,
        packet_len: usize,
    ) -> Option<()> {
        let destination = ulids.local.as_locator();
        let payload_length = rewrite::payload_length(packet_len);

        ipv6::set_payload_length(packet, payload_length)?;
        ipv6::set_addresses(packet, self.source.as_octets(), destination.as_octets())?;

        let message = packet.get_mut(self.icmp_at..packet_len)?;
        let parameter = self.translated_parameter(length);
        octets::put(message, 2, [0, 0])?;
        octets::put(message, 4, parameter.to_be_bytes())?;
        let checksum = checksum::icmpv6(self.source, destination, message);
        octets::put(message, 2, checksum.to_be_bytes())
    }
}
