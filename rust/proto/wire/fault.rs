// SPDX-License-Identifier: GPL-2.0

//! Why a received Shim6 header is not processed, and whether its sender is told (RFC 5533,
//! Sections 5.14 and 12.3).

use super::super::counted::counted;

counted! {
    /// Why a Shim6 header is dropped. Every reason is a counter of its own.
    pub enum Reason {
        /// The header does not fit in the packet (RFC 5533, Section 12.3).
        Truncated = "truncated",
        /// Source or destination is multicast or unspecified (RFC 5533, Section 12.3).
        Address = "address",
        /// P is one where a control message was expected (RFC 5533, Section 5.1).
        NotControl = "not_control",
        /// S is one: this is HIP, not Shim6 (RFC 5533, Section 5.3).
        NotShim6 = "not_shim6",
        /// The checksum is wrong (RFC 5533, Section 5.3).
        Checksum = "checksum",
        /// The message type is unknown. Error code 0 (RFC 5533, Section 12.3).
        UnknownType = "unknown_type",
        /// Hdr Ext Len is below the minimum of the message type (RFC 5533, Section 7.9 ff.).
        TooShort = "too_short",
        /// The records of a Probe do not fit in its header (RFC 5534, Section 5.2).
        ProbeRecords = "probe_records",
        /// A Probe without the record that describes itself (RFC 5534, Section 5.2).
        ProbeWithoutSent = "probe_without_sent",
        /// A Probe whose Sta field has the value 3 (RFC 5534, Section 5.2).
        ProbeState = "probe_state",
        /// An option goes beyond the header (RFC 5533, Section 5.15).
        OptionOverrun = "option_overrun",
        /// The Length of an option, or a count inside it, is wrong (RFC 5533, Section 5.15).
        OptionMalformed = "option_malformed",
        /// The same option twice.
        OptionDuplicate = "option_duplicate",
        /// An option with C = 1 that is unknown or not for this message. Error code 1 (RFC 5533,
        /// Sections 5.15 and 12.3).
        OptionCritical = "option_critical",
        /// R1, I2 or I2bis without a Responder Validator (RFC 5533, Sections 5.5, 5.6 and 5.9).
        ValidatorMissing = "validator_missing",
        /// A payload extension header whose Hdr Ext Len is not 0.
        PayloadLength = "payload_length",
        /// A Shim6 header behind a payload extension header, directly or not.
        PayloadNested = "payload_nested",
    }
}

/// The code of a Shim6 Error message: 7 bits (RFC 5533, Section 5.14).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct ErrorCode(u8);

impl ErrorCode {
    /// Unknown message type; the pointer is at the Type octet.
    pub const UNKNOWN_TYPE: Self = Self(0);
    /// Critical option not recognised; the pointer is at its Option Type.
    pub const CRITICAL_OPTION: Self = Self(1);
    /// Locator verification method failed; the pointer is at the method's octet.
    pub const VERIFICATION_METHOD: Self = Self(2);
    /// Locator List generation out of sync; the pointer is at the generation number in the
    /// Locator Preferences option.
    pub const GENERATION: Self = Self(3);
    /// Wrong number of elements; the pointer is at the Length field of the Locator Preferences
    /// option.
    pub const ELEMENT_COUNT: Self = Self(4);

    /// The largest code that fits the field.
    const MAX: u8 = 0x7f;

    /// The code with this value; [`None`] if it needs more than 7 bits.
    pub const fn new(code: u8) -> Option<Self> {
        if code <= Self::MAX {
            Some(Self(code))
        } else {
            None
        }
    }

    /// The value.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// From octet 3 of an Error message: the code is its upper 7 bits, the lowest is S.
    pub(super) const fn from_wire(octet: u8) -> Self {
        Self(octet >> 1)
    }

    /// Octet 3 of an Error message, S = 0.
    pub(super) const fn to_wire(self) -> u8 {
        self.0 << 1
    }

    /// Whether RFC 5533, Section 5.14 gives this code a meaning: 0 to 4, and 120 to 127 for
    /// debugging. Others are ignored on receipt.
    pub const fn is_assigned(self) -> bool {
        matches!(self.0, 0..=4 | 120..=127)
    }
}

/// What a Shim6 Error message tells about a received message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Report {
    /// What is wrong.
    pub code: ErrorCode,
    /// Where: octets from the IPv6 header of the packet in error.
    pub pointer: u16,
}

/// A message that must not be processed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fault {
    /// Why; the name of the counter.
    pub reason: Reason,
    /// The Error message to answer with, subject to the rate limit; [`None`] to drop silently.
    pub report: Option<Report>,
}

impl Fault {
    /// A fault that also tells the sender.
    pub(super) const fn reported(reason: Reason, code: ErrorCode, pointer: u16) -> Self {
        Self {
            reason,
            report: Some(Report { code, pointer }),
        }
    }
}

/// A fault that is dropped silently.
impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            report: None,
        }
    }
}
