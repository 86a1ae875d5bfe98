// SPDX-License-Identifier: GPL-2.0

//! A control message while it is being built: the part that all messages have in common, and the
//! options that the type of the message allows (RFC 5533, Sections 5.3 and 5.15).

use core::marker::PhantomData;

use super::{
    super::{
        locator::{
            LocatorRecord,
            Preference, //
        },
        number::{
            Fii,
            Generation, //
        },
        octets, //
    },
    checksum,
    ipv6,
    message_type::MessageType,
    option::{
        self,
        KeepaliveTimeout,
        Layout,
        LocatorPreferences,
        OptionSet,
        OptionType,
        UlidPairOption, //
    }, //
};

/// The most octets of a control message that directly follows the IPv6 header: the packet has at
/// most 1,280 (RFC 5533, Section 5.1).
pub const MAX_LEN: usize = 1240;

/// Why a message cannot be built.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BuildError {
    /// The buffer is too small.
    NoRoom,
    /// The message would be longer than [`MAX_LEN`]: send fewer locators.
    TooLong,
    /// The option is in the message already.
    OptionDuplicate,
    /// There are no locators, elements or sent records, or more than the format can count.
    Count,
    /// The preferences do not all have the same fields, or a weight without a priority.
    MixedPreferences,
    /// The packet in error has fewer than 8 octets.
    PacketInError,
}

/// What [`Builder`] knows of the message it builds.
pub mod kind {
    /// The message may carry ULID Pair and Forked Instance Identifier.
    pub trait NamesContext {}

    /// The message may carry what a host tells about itself.
    pub trait DescribesHost {}

    macro_rules! kinds {
        ($($(#[$doc:meta])* $name:ident: $($carries:ident)*;)*) => {$(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            $(impl $carries for $name {})*
        )*};
    }

    kinds! {
        /// An I1 message.
        I1: NamesContext;
        /// An R1 message.
        R1:;
        /// An I2 message.
        I2: NamesContext DescribesHost;
        /// An R2 message.
        R2: DescribesHost;
        /// An R1bis message.
        R1bis:;
        /// An I2bis message.
        I2bis: NamesContext DescribesHost;
        /// An Update Request message.
        UpdateRequest: DescribesHost;
        /// An Update Acknowledgement message.
        UpdateAcknowledgement:;
        /// A Keepalive message.
        Keepalive:;
        /// A Probe message.
        Probe:;
        /// An Error message.
        Error:;
    }
}

/// A message that is being built. A method that fails takes the builder with it, so a message is
/// never sent half-built.
#[derive(Debug)]
#[must_use]
pub struct Builder<'b, K> {
    buffer: &'b mut [u8],
    length: usize,
    options: OptionSet,
    kind: PhantomData<K>,
}

impl<'b, K> Builder<'b, K> {
    /// A message with its fixed part, all fields zero.
    pub(super) fn new(buffer: &'b mut [u8], message: MessageType) -> Result<Self, BuildError> {
        let mut builder = Self {
            buffer,
            length: 0,
            options: OptionSet::default(),
            kind: PhantomData,
        };
        builder.append(message.fixed_len())?;
        builder
            .field(0, [ipv6::next_header::NONE])?
            .field(2, [message.to_wire()])
    }

    /// Makes the message `count` octets longer and returns them, zeroed.
    pub(super) fn append(&mut self, count: usize) -> Result<&mut [u8], BuildError> {
        let length = self.length.checked_add(count).ok_or(BuildError::TooLong)?;
        if length > MAX_LEN {
            return Err(BuildError::TooLong);
        }
        let octets = self
            .buffer
            .get_mut(self.length..length)
            .ok_or(BuildError::NoRoom)?;

        octets.fill(0);
        self.length = length;
        Ok(octets)
    }

    /// Writes a field of the fixed part.
    pub(super) fn field<const N: usize>(
        self,
        offset: usize,
        field: [u8; N],
    ) -> Result<Self, BuildError> {
        octets::put(self.buffer, offset, field).ok_or(BuildError::NoRoom)?;
        Ok(self)
    }

    /// Appends an option with zeroed contents of `length` octets and returns them.
    fn contents(&mut self, option: OptionType, length: u16) -> Result<&mut [u8], BuildError> {
        if !self.options.insert(option) {
            return Err(BuildError::OptionDuplicate);
        }
        let octets = self.append(option::total_len(length))?;
        let [a, b] = (option.to_wire() << 1).to_be_bytes();
        let [c, d] = length.to_be_bytes();

        octets::put(octets, 0, [a, b, c, d]).ok_or(BuildError::NoRoom)?;
        octets
            .get_mut(option::HEADER_LEN..)
            .and_then(|octets| octets.get_mut(..usize::from(length)))
            .ok_or(BuildError::NoRoom)
    }

    /// Appends an option.
    pub(super) fn option(
        mut self,
        option: OptionType,
        contents: &[u8],
    ) -> Result<Self, BuildError> {
        let length = u16::try_from(contents.len()).map_err(|_| BuildError::TooLong)?;
        self.contents(option, length)?.copy_from_slice(contents);
        Ok(self)
    }

    /// Fills in length and checksum and returns the message, a multiple of 8 octets.
    ///
    /// # Errors
    ///
    /// None in practice; [`BuildError`] only because the buffer is not indexed blindly.
    pub fn finish(self) -> Result<&'b [u8], BuildError> {
        // The length is a multiple of 8, at least 16 and at most `MAX_LEN`.
        let units = u8::try_from(self.length / 8).map_err(|_| BuildError::TooLong)?;
        let message = self
            .buffer
            .get_mut(..self.length)
            .ok_or(BuildError::NoRoom)?;

        octets::put(message, 1, [units.wrapping_sub(1)]).ok_or(BuildError::NoRoom)?;
        let checksum = checksum::shim6(message);
        octets::put(message, checksum::SHIM6_AT, checksum.to_be_bytes())
            .ok_or(BuildError::NoRoom)?;
        Ok(message)
    }
}

impl<K: kind::NamesContext> Builder<'_, K> {
    /// Adds the ULID Pair option: needed if the ULIDs are not the addresses of the packet
    /// (RFC 5533, Section 5.15.6).
    ///
    /// # Errors
    ///
    /// [`BuildError::OptionDuplicate`], [`BuildError::TooLong`] and [`BuildError::NoRoom`].
    pub fn ulid_pair(mut self, pair: UlidPairOption) -> Result<Self, BuildError> {
        let contents = self.contents(OptionType::UlidPair, UlidPairOption::LEN)?;
        octets::put(contents, 4, pair.sender.octets()).ok_or(BuildError::NoRoom)?;
        octets::put(contents, 20, pair.receiver.octets()).ok_or(BuildError::NoRoom)?;
        Ok(self)
    }

    /// Adds the Forked Instance Identifier option: needed if it is not the default (RFC 5533,
    /// Section 5.15.7).
    ///
    /// # Errors
    ///
    /// [`BuildError::OptionDuplicate`], [`BuildError::TooLong`] and [`BuildError::NoRoom`].
    pub fn fii(self, fii: Fii) -> Result<Self, BuildError> {
        self.option(OptionType::ForkedInstanceIdentifier, &fii.to_wire())
    }
}

impl<K: kind::DescribesHost> Builder<'_, K> {
    /// Adds the Locator List option: all locators of this host, 1 to 255 (RFC 5533,
    /// Section 5.15.2).
    ///
    /// # Errors
    ///
    /// [`BuildError::Count`], [`BuildError::OptionDuplicate`], [`BuildError::TooLong`] and
    /// [`BuildError::NoRoom`].
    pub fn locator_list(
        mut self,
        generation: Generation,
        locators: impl ExactSizeIterator<Item = LocatorRecord>,
    ) -> Result<Self, BuildError> {
        let number = u8::try_from(locators.len()).map_err(|_| BuildError::Count)?;
        let layout = Layout::new(number).ok_or(BuildError::Count)?;
        let contents = self.contents(OptionType::LocatorList, layout.length())?;

        octets::put(contents, 0, generation.to_wire()).ok_or(BuildError::NoRoom)?;
        octets::put(contents, 4, [number]).ok_or(BuildError::NoRoom)?;
        let (head, addresses) = contents
            .split_at_mut_checked(layout.locators_at())
            .ok_or(BuildError::NoRoom)?;
        let methods = head
            .get_mut(Layout::METHODS_AT..)
            .ok_or(BuildError::NoRoom)?;
        let addresses = addresses.chunks_exact_mut(16);
        for ((method, address), record) in methods.iter_mut().zip(addresses).zip(locators) {
            *method = record.method.get();
            octets::put(address, 0, record.locator.octets()).ok_or(BuildError::NoRoom)?;
        }
        Ok(self)
    }

    /// Adds the Locator Preferences option: one element for each locator of the list with this
    /// generation, all with the same fields (RFC 5533, Section 5.15.3).
    ///
    /// # Errors
    ///
    /// [`BuildError::Count`], [`BuildError::MixedPreferences`], [`BuildError::OptionDuplicate`],
    /// [`BuildError::TooLong`] and [`BuildError::NoRoom`].
    pub fn locator_preferences(
        mut self,
        generation: Generation,
        preferences: impl ExactSizeIterator<Item = Preference> + Clone,
    ) -> Result<Self, BuildError> {
        let first = preferences.clone().next().ok_or(BuildError::Count)?;
        let element_len = fields_len(&first)?;
        let length = u16::try_from(preferences.len())
            .ok()
            .and_then(|number| number.checked_mul(u16::from(element_len)))
            .and_then(|elements| elements.checked_add(LocatorPreferences::ELEMENTS_AT as u16))
            .ok_or(BuildError::Count)?;
        let contents = self.contents(OptionType::LocatorPreferences, length)?;

        octets::put(contents, 0, generation.to_wire()).ok_or(BuildError::NoRoom)?;
        octets::put(contents, 4, [element_len]).ok_or(BuildError::NoRoom)?;
        let mut elements = contents
            .get_mut(LocatorPreferences::ELEMENTS_AT..)
            .ok_or(BuildError::NoRoom)?
            .chunks_exact_mut(usize::from(element_len).max(1));
        for preference in preferences {
            let element = elements.next().ok_or(BuildError::Count)?;
            if fields_len(&preference)? != element_len {
                return Err(BuildError::MixedPreferences);
            }
            let fields = [
                Some(preference.flags.get()),
                preference.priority,
                preference.weight,
            ];
            for (octet, field) in element.iter_mut().zip(fields.into_iter().flatten()) {
                *octet = field;
            }
        }
        Ok(self)
    }

    /// Adds the CGA Parameter Data Structure option: needed with a locator list that the peer
    /// cannot verify without (RFC 5533, Section 5.15.4).
    ///
    /// # Errors
    ///
    /// [`BuildError::OptionDuplicate`], [`BuildError::TooLong`] and [`BuildError::NoRoom`].
    pub fn cga_parameters(self, pds: &[u8]) -> Result<Self, BuildError> {
        self.option(OptionType::CgaParameters, pds)
    }

    /// Adds the CGA Signature option: needed if a locator is verified by CGA (RFC 5533,
    /// Section 5.15.5).
    ///
    /// # Errors
    ///
    /// [`BuildError::OptionDuplicate`], [`BuildError::TooLong`] and [`BuildError::NoRoom`].
    pub fn cga_signature(self, signature: &[u8]) -> Result<Self, BuildError> {
        self.option(OptionType::CgaSignature, signature)
    }

    /// Adds the Keepalive Timeout option: needed if this host's Send Timeout is not the default
    /// (RFC 5534, Section 5.3).
    ///
    /// # Errors
    ///
    /// [`BuildError::OptionDuplicate`], [`BuildError::TooLong`] and [`BuildError::NoRoom`].
    pub fn keepalive_timeout(self, timeout: KeepaliveTimeout) -> Result<Self, BuildError> {
        let [a, b] = timeout.seconds().to_be_bytes();
        self.option(OptionType::KeepaliveTimeout, &[0, 0, a, b])
    }
}

/// Octets of the element that holds the fields that are present.
fn fields_len(preference: &Preference) -> Result<u8, BuildError> {
    match (preference.priority, preference.weight) {
        (None, None) => Ok(1),
        (Some(_), None) => Ok(2),
        (Some(_), Some(_)) => Ok(3),
        (None, Some(_)) => Err(BuildError::MixedPreferences),
    }
}
