// SPDX-License-Identifier: GPL-2.0

//! Options of control messages (RFC 5533, Section 5.15): type, length, contents, padding to a
//! multiple of 8 octets.

mod host;
mod locator_list;
mod locator_preferences;
mod tlv;
mod ulid_pair;

use super::{
    super::{
        number::Fii,
        octets, //
    },
    fault::{
        ErrorCode,
        Fault,
        Reason, //
    },
    message_type::MessageType, //
};

pub use self::{
    host::{
        HostOptions,
        KeepaliveTimeout, //
    },
    locator_list::LocatorList,
    locator_preferences::LocatorPreferences,
    ulid_pair::UlidPairOption, //
};

pub(super) use self::{
    locator_list::Layout,
    tlv::{
        total_len,
        HEADER_LEN, //
    }, //
};

use self::tlv::Tlv;

/// An option type, without the C bit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u16)]
pub enum OptionType {
    /// Proof that an exchange goes on with the host that began it (RFC 5533, Section 5.15.1).
    ResponderValidator = 1,
    /// The locators of the sender (RFC 5533, Section 5.15.2).
    LocatorList = 2,
    /// How it would like them to be used (RFC 5533, Section 5.15.3).
    LocatorPreferences = 3,
    /// CGA Parameter Data Structure (RFC 5533, Section 5.15.4).
    CgaParameters = 4,
    /// Signature over the CGA locators (RFC 5533, Section 5.15.5).
    CgaSignature = 5,
    /// The ULIDs, if they are not the addresses of the packet (RFC 5533, Section 5.15.6).
    UlidPair = 6,
    /// Forked Instance Identifier (RFC 5533, Section 5.15.7).
    ForkedInstanceIdentifier = 7,
    /// How soon the sender expects a Keepalive (RFC 5534, Section 5.3).
    KeepaliveTimeout = 10,
}

impl OptionType {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::ResponderValidator,
        Self::LocatorList,
        Self::LocatorPreferences,
        Self::CgaParameters,
        Self::CgaSignature,
        Self::UlidPair,
        Self::ForkedInstanceIdentifier,
        Self::KeepaliveTimeout,
    ];

    /// The type with this 15-bit code.
    pub const fn from_wire(code: u16) -> Option<Self> {
        match code {
            1 => Some(Self::ResponderValidator),
            2 => Some(Self::LocatorList),
            3 => Some(Self::LocatorPreferences),
            4 => Some(Self::CgaParameters),
            5 => Some(Self::CgaSignature),
            6 => Some(Self::UlidPair),
            7 => Some(Self::ForkedInstanceIdentifier),
            10 => Some(Self::KeepaliveTimeout),
            _ => None,
        }
    }

    /// The code: 15 bits, without C.
    pub const fn to_wire(self) -> u16 {
        self as u16
    }
}

/// A set of option types.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OptionSet(u16);

impl OptionSet {
    /// Adds `option`; false if it was there already.
    pub(super) fn insert(&mut self, option: OptionType) -> bool {
        let bit = 1_u16.wrapping_shl(u32::from(option.to_wire()));
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }
}

/// The options of one message that are defined for its type.
pub(super) struct Options<'a> {
    validator: Option<&'a [u8]>,
    pub(super) ulid_pair: Option<UlidPairOption>,
    pub(super) fii: Fii,
    pub(super) host: HostOptions<'a>,
}

impl<'a> Options<'a> {
    /// Reads all options of a message of type `message` whose whole header is `header`, and which
    /// begin at `start`. The header is `base` octets behind the IPv6 header.
    ///
    /// An unknown critical option is reported only if nothing else is wrong: a malformed message
    /// is not worth an answer.
    ///
    /// # Errors
    ///
    /// [`Reason::OptionOverrun`], [`Reason::OptionMalformed`], [`Reason::OptionDuplicate`] and
    /// [`Reason::OptionCritical`], the last with a report.
    pub(super) fn parse(
        message: MessageType,
        header: &'a [u8],
        start: usize,
        base: usize,
    ) -> Result<Self, Fault> {
        let mut options = Self {
            validator: None,
            ulid_pair: None,
            fii: Fii::DEFAULT,
            host: HostOptions::default(),
        };
        let mut seen = OptionSet::default();
        let mut critical = None;
        let mut next = start;

        while next < header.len() {
            let (tlv, behind) = Tlv::parse(header, next).ok_or(Reason::OptionOverrun)?;
            next = behind;
            let at = u16::try_from(base.saturating_add(tlv.at)).unwrap_or(u16::MAX);

            match OptionType::from_wire(tlv.code).filter(|&option| message.takes(option)) {
                Some(option) => {
                    if !seen.insert(option) {
                        return Err(Reason::OptionDuplicate.into());
                    }
                    options
                        .set(option, tlv.contents, at)
                        .ok_or(Reason::OptionMalformed)?;
                }
                None if tlv.critical => {
                    critical.get_or_insert(at);
                }
                None => {}
            }
        }
        match critical {
            Some(at) => Err(Fault::reported(
                Reason::OptionCritical,
                ErrorCode::CRITICAL_OPTION,
                at,
            )),
            None => Ok(options),
        }
    }

    /// The contents of the Responder Validator option.
    ///
    /// # Errors
    ///
    /// [`Reason::ValidatorMissing`]: the option is required.
    pub(super) fn validator(&self) -> Result<&'a [u8], Reason> {
        self.validator.ok_or(Reason::ValidatorMissing)
    }

    /// Takes one option; [`None`] if its contents are malformed.
    fn set(&mut self, option: OptionType, contents: &'a [u8], at: u16) -> Option<()> {
        let host = &mut self.host;

        match option {
            OptionType::ResponderValidator => self.validator = Some(contents),
            OptionType::LocatorList => {
                host.locator_list = Some(LocatorList::parse(contents, at)?);
            }
            OptionType::LocatorPreferences => {
                host.locator_preferences = Some(LocatorPreferences::parse(contents, at)?);
            }
            OptionType::CgaParameters => host.cga_parameters = Some(contents),
            OptionType::CgaSignature => host.cga_signature = Some(contents),
            OptionType::UlidPair => self.ulid_pair = Some(UlidPairOption::parse(contents)?),
            OptionType::ForkedInstanceIdentifier => {
                self.fii = Fii::from_wire(contents.try_into().ok()?);
            }
            OptionType::KeepaliveTimeout => {
                let [_, _, seconds @ ..]: [u8; 4] = contents.try_into().ok()?;
                host.keepalive_timeout = KeepaliveTimeout::new(u16::from_be_bytes(seconds));
            }
        }
        Some(())
    }
}
