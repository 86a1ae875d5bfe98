// SPDX-License-Identifier: GPL-2.0

//! The types of control messages and the properties that follow from the type alone (RFC 5533,
//! Section 5.3; RFC 5534, Section 5).

use super::option::OptionType;

/// A control message type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum MessageType {
    /// First message of the four-way handshake (RFC 5533, Section 5.4).
    I1 = 1,
    /// Its stateless answer (RFC 5533, Section 5.5).
    R1 = 2,
    /// Third message (RFC 5533, Section 5.6).
    I2 = 3,
    /// Fourth message (RFC 5533, Section 5.7).
    R2 = 4,
    /// Answer to a packet with an unknown context tag (RFC 5533, Section 5.8).
    R1bis = 5,
    /// Answer to R1bis (RFC 5533, Section 5.9).
    I2bis = 6,
    /// New locators or preferences (RFC 5533, Section 5.10).
    UpdateRequest = 64,
    /// Answer to an Update Request (RFC 5533, Section 5.11).
    UpdateAcknowledgement = 65,
    /// Sign of life of a host with nothing to send (RFC 5534, Section 5.1).
    Keepalive = 66,
    /// Reachability test and report (RFC 5534, Section 5.2).
    Probe = 67,
    /// Report of a message that could not be processed (RFC 5533, Section 5.14).
    Error = 68,
}

impl MessageType {
    /// All types.
    pub const ALL: [Self; 11] = [
        Self::I1,
        Self::R1,
        Self::I2,
        Self::R2,
        Self::R1bis,
        Self::I2bis,
        Self::UpdateRequest,
        Self::UpdateAcknowledgement,
        Self::Keepalive,
        Self::Probe,
        Self::Error,
    ];

    /// The type with this code; [`None`] for the reserved 0 and for all that are not assigned.
    pub const fn from_wire(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::I1),
            2 => Some(Self::R1),
            3 => Some(Self::I2),
            4 => Some(Self::R2),
            5 => Some(Self::R1bis),
            6 => Some(Self::I2bis),
            64 => Some(Self::UpdateRequest),
            65 => Some(Self::UpdateAcknowledgement),
            66 => Some(Self::Keepalive),
            67 => Some(Self::Probe),
            68 => Some(Self::Error),
            _ => None,
        }
    }

    /// The code on the wire: 7 bits.
    pub const fn to_wire(self) -> u8 {
        self as u8
    }

    /// The name in RFC 5533 and RFC 5534.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I1 => "I1",
            Self::R1 => "R1",
            Self::I2 => "I2",
            Self::R2 => "R2",
            Self::R1bis => "R1bis",
            Self::I2bis => "I2bis",
            Self::UpdateRequest => "Update Request",
            Self::UpdateAcknowledgement => "Update Acknowledgement",
            Self::Keepalive => "Keepalive",
            Self::Probe => "Probe",
            Self::Error => "Error",
        }
    }

    /// The part that every message of this type has, in octets; for a Probe without its records,
    /// for an Error without the packet in error. The options follow it.
    pub(super) const fn fixed_len(self) -> usize {
        match self {
            Self::Error => 8,
            Self::I2 => 24,
            Self::I2bis => 32,
            _ => 16,
        }
    }

    /// The least octets of a valid message of this type, by its minimum Hdr Ext Len.
    pub const fn min_len(self) -> usize {
        match self {
            Self::Error => 16,
            Self::Probe => 56,
            _ => self.fixed_len(),
        }
    }

    /// Whether a message of this type refers to a context of its receiver by tag, so that R1bis
    /// answers it if there is none (RFC 5533, Sections 5.3 and 7.17). Error does not.
    pub const fn refers_to_context(self) -> bool {
        matches!(
            self,
            Self::UpdateRequest | Self::UpdateAcknowledgement | Self::Keepalive | Self::Probe
        )
    }

    /// Whether octets 6 to 11 hold a context tag. Which tag depends on the type.
    pub const fn has_tag(self) -> bool {
        !matches!(self, Self::R1 | Self::Error)
    }

    /// Whether `option` is defined for messages of this type (RFC 5533, Sections 5.4 to 5.11;
    /// RFC 5534, Section 5.3). Others are skipped, or refused if critical.
    pub const fn takes(self, option: OptionType) -> bool {
        match option {
            OptionType::ResponderValidator => {
                matches!(self, Self::R1 | Self::I2 | Self::R1bis | Self::I2bis)
            }
            OptionType::UlidPair | OptionType::ForkedInstanceIdentifier => {
                matches!(self, Self::I1 | Self::I2 | Self::I2bis)
            }
            OptionType::LocatorList
            | OptionType::LocatorPreferences
            | OptionType::CgaParameters
            | OptionType::CgaSignature
            | OptionType::KeepaliveTimeout => {
                matches!(
                    self,
                    Self::I2 | Self::R2 | Self::I2bis | Self::UpdateRequest
                )
            }
        }
    }
}
