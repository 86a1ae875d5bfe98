// SPDX-License-Identifier: GPL-2.0

//! Received control messages, parsed and checked as a whole (RFC 5533, Sections 5.3 to 5.14 and
//! 12.3; RFC 5534, Section 5).
//!
//! What comes out of [`Message::parse`] is valid on the wire: every length, count and option is
//! as it has to be. Whether it fits a context is not decided here. Messages borrow the packet.

use super::{
    super::{
        locator::Locator,
        number::{
            Fii,
            Nonce, //
        },
        octets,
        tag::ContextTag, //
    },
    checksum,
    fault::{
        ErrorCode,
        Fault,
        Reason, //
    },
    message_type::MessageType,
    option::{
        HostOptions,
        Options,
        UlidPairOption, //
    },
    probe::Probe, //
};

/// What has to be known of the packet that a control message came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Source Address.
    pub source: Locator,
    /// Destination Address.
    pub destination: Locator,
    /// Octets from the IPv6 header to the Shim6 header. Pointers of Error messages count from the
    /// former.
    pub offset: usize,
}

/// I1: asks for a context (RFC 5533, Section 5.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct I1 {
    /// The tag that the initiator allocated.
    pub initiator_tag: ContextTag,
    /// The nonce that R1 or R2 has to return.
    pub initiator_nonce: Nonce,
    /// The ULIDs; [`None`] if they are the addresses of the packet.
    pub ulid_pair: Option<UlidPairOption>,
    /// The instance; the default one if the option is absent.
    pub fii: Fii,
}

impl I1 {
    fn parse(raw: &Raw<'_>) -> Result<Self, Fault> {
        let options = raw.options()?;
        Ok(Self {
            initiator_tag: raw.tag(6)?,
            initiator_nonce: raw.nonce(12)?,
            ulid_pair: options.ulid_pair,
            fii: options.fii,
        })
    }
}

/// R1: stateless answer to I1 (RFC 5533, Section 5.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct R1<'a> {
    /// Copied from I1.
    pub initiator_nonce: Nonce,
    /// To be copied into I2.
    pub responder_nonce: Nonce,
    /// Contents of the Responder Validator option, to be copied into I2.
    pub validator: &'a [u8],
}

impl<'a> R1<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        Ok(Self {
            initiator_nonce: raw.nonce(8)?,
            responder_nonce: raw.nonce(12)?,
            validator: raw.options()?.validator()?,
        })
    }
}

/// I2: establishes the context at the responder (RFC 5533, Section 5.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct I2<'a> {
    /// The tag that the initiator allocated.
    pub initiator_tag: ContextTag,
    /// The nonce that R2 has to return.
    pub initiator_nonce: Nonce,
    /// Copied from R1.
    pub responder_nonce: Nonce,
    /// Contents of the Responder Validator option, copied from R1.
    pub validator: &'a [u8],
    /// The ULIDs; [`None`] if they are the addresses of the packet.
    pub ulid_pair: Option<UlidPairOption>,
    /// The instance; the default one if the option is absent.
    pub fii: Fii,
    /// What the initiator tells about itself.
    pub host: HostOptions<'a>,
}

impl<'a> I2<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        let options = raw.options()?;
        Ok(Self {
            initiator_tag: raw.tag(6)?,
            initiator_nonce: raw.nonce(12)?,
            responder_nonce: raw.nonce(16)?,
            validator: options.validator()?,
            ulid_pair: options.ulid_pair,
            fii: options.fii,
            host: options.host,
        })
    }
}

/// R2: establishes the context at the initiator (RFC 5533, Section 5.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct R2<'a> {
    /// The tag that the responder allocated.
    pub responder_tag: ContextTag,
    /// Copied from I2, I2bis or I1.
    pub initiator_nonce: Nonce,
    /// What the responder tells about itself.
    pub host: HostOptions<'a>,
}

impl<'a> R2<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        Ok(Self {
            responder_tag: raw.tag(6)?,
            initiator_nonce: raw.nonce(12)?,
            host: raw.options()?.host,
        })
    }
}

/// R1bis: says that a packet came with a context tag that is not known (RFC 5533, Section 5.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct R1bis<'a> {
    /// The tag of that packet.
    pub packet_tag: ContextTag,
    /// To be copied into I2bis.
    pub responder_nonce: Nonce,
    /// Contents of the Responder Validator option, to be copied into I2bis. It is always included
    /// (RFC 5533, Section 7.17); without it no I2bis could be accepted.
    pub validator: &'a [u8],
}

impl<'a> R1bis<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        Ok(Self {
            packet_tag: raw.tag(6)?,
            responder_nonce: raw.nonce(12)?,
            validator: raw.options()?.validator()?,
        })
    }
}

/// I2bis: establishes a lost context again (RFC 5533, Section 5.9).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct I2bis<'a> {
    /// The tag that the initiator allocated.
    pub initiator_tag: ContextTag,
    /// The nonce that R2 has to return.
    pub initiator_nonce: Nonce,
    /// Copied from R1bis.
    pub responder_nonce: Nonce,
    /// Copied from R1bis.
    pub packet_tag: ContextTag,
    /// Contents of the Responder Validator option, copied from R1bis.
    pub validator: &'a [u8],
    /// The ULIDs; [`None`] if they are the addresses of the packet.
    pub ulid_pair: Option<UlidPairOption>,
    /// The instance; the default one if the option is absent.
    pub fii: Fii,
    /// What the initiator tells about itself.
    pub host: HostOptions<'a>,
}

impl<'a> I2bis<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        let options = raw.options()?;
        Ok(Self {
            initiator_tag: raw.tag(6)?,
            initiator_nonce: raw.nonce(12)?,
            responder_nonce: raw.nonce(16)?,
            packet_tag: raw.tag(26)?,
            validator: options.validator()?,
            ulid_pair: options.ulid_pair,
            fii: options.fii,
            host: options.host,
        })
    }
}

/// Update Request: new locators or preferences (RFC 5533, Section 5.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UpdateRequest<'a> {
    /// The tag that the receiver allocated.
    pub receiver_tag: ContextTag,
    /// The nonce that the Update Acknowledgement has to return.
    pub request_nonce: Nonce,
    /// What the sender tells about itself.
    pub host: HostOptions<'a>,
}

impl<'a> UpdateRequest<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        Ok(Self {
            receiver_tag: raw.tag(6)?,
            request_nonce: raw.nonce(12)?,
            host: raw.options()?.host,
        })
    }
}

/// Update Acknowledgement (RFC 5533, Section 5.11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UpdateAcknowledgement {
    /// The tag that the receiver allocated.
    pub receiver_tag: ContextTag,
    /// Copied from the Update Request.
    pub request_nonce: Nonce,
}

impl UpdateAcknowledgement {
    fn parse(raw: &Raw<'_>) -> Result<Self, Fault> {
        raw.options()?;
        Ok(Self {
            receiver_tag: raw.tag(6)?,
            request_nonce: raw.nonce(12)?,
        })
    }
}

/// Keepalive (RFC 5534, Section 5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keepalive {
    /// The tag that the receiver allocated.
    pub receiver_tag: ContextTag,
}

impl Keepalive {
    fn parse(raw: &Raw<'_>) -> Result<Self, Fault> {
        raw.options()?;
        Ok(Self {
            receiver_tag: raw.tag(6)?,
        })
    }
}

/// Error: what the peer could not process (RFC 5533, Section 5.14). It is a hint, never a proof,
/// and never answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorMessage<'a> {
    /// What was wrong. Codes that are not [assigned](ErrorCode::is_assigned) are to be ignored.
    pub code: ErrorCode,
    /// Where: octets from the start of the packet in error.
    pub pointer: u16,
    /// The first part of the packet in error, from its IPv6 header on, for
    /// [`Quote::parse`](super::quote::Quote::parse).
    pub packet: &'a [u8],
}

impl<'a> ErrorMessage<'a> {
    fn parse(raw: &Raw<'a>) -> Result<Self, Fault> {
        let octet = octets::u8_at(raw.header, 3).ok_or(Reason::TooShort)?;
        Ok(Self {
            code: ErrorCode::from_wire(octet),
            pointer: octets::u16_at(raw.header, 6).ok_or(Reason::TooShort)?,
            packet: raw.header.get(8..).ok_or(Reason::TooShort)?,
        })
    }
}

/// A valid control message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the types of the same names are documented")]
pub enum Message<'a> {
    I1(I1),
    R1(R1<'a>),
    I2(I2<'a>),
    R2(R2<'a>),
    R1bis(R1bis<'a>),
    I2bis(I2bis<'a>),
    UpdateRequest(UpdateRequest<'a>),
    UpdateAcknowledgement(UpdateAcknowledgement),
    Keepalive(Keepalive),
    Probe(Probe<'a>),
    Error(ErrorMessage<'a>),
}

impl<'a> Message<'a> {
    /// Checks and reads the control message at the start of `octets`, which go on to the end of
    /// the IPv6 packet. What is behind the Shim6 header is no part of the message and ignored.
    ///
    /// The checks come in this order: the header fits, P is zero, the addresses are unicast, S is
    /// zero, the checksum is right, the type is known, the header is long enough for the type,
    /// the options fit, they are well-formed and not repeated, none is critical and unknown, and
    /// the Responder Validator is there where it has to be.
    ///
    /// # Errors
    ///
    /// The first check that failed, with the Error message to send if there is one.
    pub fn parse(arrival: &Arrival, octets: &'a [u8]) -> Result<Self, Fault> {
        let raw = Raw::parse(arrival, octets)?;

        Ok(match raw.message {
            MessageType::I1 => Self::I1(I1::parse(&raw)?),
            MessageType::R1 => Self::R1(R1::parse(&raw)?),
            MessageType::I2 => Self::I2(I2::parse(&raw)?),
            MessageType::R2 => Self::R2(R2::parse(&raw)?),
            MessageType::R1bis => Self::R1bis(R1bis::parse(&raw)?),
            MessageType::I2bis => Self::I2bis(I2bis::parse(&raw)?),
            MessageType::UpdateRequest => Self::UpdateRequest(UpdateRequest::parse(&raw)?),
            MessageType::UpdateAcknowledgement => {
                Self::UpdateAcknowledgement(UpdateAcknowledgement::parse(&raw)?)
            }
            MessageType::Keepalive => Self::Keepalive(Keepalive::parse(&raw)?),
            MessageType::Probe => {
                let (probe, options_at) = Probe::parse(raw.tag(6)?, raw.header)?;
                raw.options_at(options_at)?;
                Self::Probe(probe)
            }
            MessageType::Error => Self::Error(ErrorMessage::parse(&raw)?),
        })
    }

    /// The type of the message.
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::I1(_) => MessageType::I1,
            Self::R1(_) => MessageType::R1,
            Self::I2(_) => MessageType::I2,
            Self::R2(_) => MessageType::R2,
            Self::R1bis(_) => MessageType::R1bis,
            Self::I2bis(_) => MessageType::I2bis,
            Self::UpdateRequest(_) => MessageType::UpdateRequest,
            Self::UpdateAcknowledgement(_) => MessageType::UpdateAcknowledgement,
            Self::Keepalive(_) => MessageType::Keepalive,
            Self::Probe(_) => MessageType::Probe,
            Self::Error(_) => MessageType::Error,
        }
    }
}

/// A message whose header is valid, before fields and options are read.
struct Raw<'a> {
    message: MessageType,
    header: &'a [u8],
    /// Octets from the IPv6 header to the Shim6 header.
    base: usize,
}

impl<'a> Raw<'a> {
    /// The checks that all messages have in common (RFC 5533, Section 12.3).
    fn parse(arrival: &Arrival, octets: &'a [u8]) -> Result<Self, Fault> {
        let [_, hdr_ext_len, type_octet, specific] =
            octets::array(octets, 0).ok_or(Reason::Truncated)?;
        let length = usize::from(hdr_ext_len).wrapping_add(1).wrapping_mul(8);
        let header = octets.get(..length).ok_or(Reason::Truncated)?;

        if type_octet & 0x80 != 0 {
            return Err(Reason::NotControl.into());
        }
        if !arrival.source.is_unicast() || !arrival.destination.is_unicast() {
            return Err(Reason::Address.into());
        }
        if specific & 1 != 0 {
            return Err(Reason::NotShim6.into());
        }
        if !checksum::shim6_is_correct(header) {
            return Err(Reason::Checksum.into());
        }
        let message = MessageType::from_wire(type_octet).ok_or_else(|| {
            let pointer = u16::try_from(arrival.offset.saturating_add(2)).unwrap_or(u16::MAX);
            Fault::reported(Reason::UnknownType, ErrorCode::UNKNOWN_TYPE, pointer)
        })?;
        if length < message.min_len() {
            return Err(Reason::TooShort.into());
        }
        Ok(Self {
            message,
            header,
            base: arrival.offset,
        })
    }

    /// The tag in the six octets at `offset`.
    fn tag(&self, offset: usize) -> Result<ContextTag, Fault> {
        let octets = octets::array(self.header, offset).ok_or(Reason::TooShort)?;
        Ok(ContextTag::from_wire(octets))
    }

    /// The nonce at `offset`.
    fn nonce(&self, offset: usize) -> Result<Nonce, Fault> {
        let octets = octets::array(self.header, offset).ok_or(Reason::TooShort)?;
        Ok(Nonce::from_wire(octets))
    }

    /// The options, which begin at `start`.
    fn options_at(&self, start: usize) -> Result<Options<'a>, Fault> {
        Options::parse(self.message, self.header, start, self.base)
    }

    /// The options, directly behind the fixed part.
    fn options(&self) -> Result<Options<'a>, Fault> {
        self.options_at(self.message.fixed_len())
    }
}
