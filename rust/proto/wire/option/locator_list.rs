// SPDX-License-Identifier: GPL-2.0

//! The Locator List option (RFC 5533, Section 5.15.2).

use super::{
    super::{
        super::{
            locator::{
                Locator,
                LocatorRecord,
                VerificationMethod, //
            },
            number::Generation, //
        },
        fault::{
            ErrorCode,
            Report, //
        }, //
    },
    octets,
    HEADER_LEN, //
};

/// Where things are in the contents of a Locator List option with a given number of locators.
///
/// ```text
/// generation (4) | number (1) | methods (N) | inner padding | locators (16 N)
/// ```
///
/// The inner padding makes the locators start at a multiple of 8 octets of the option, and it is
/// counted in Length.
#[derive(Clone, Copy)]
pub(in super::super) struct Layout {
    number: u8,
}

impl Layout {
    /// Where the methods begin.
    pub(in super::super) const METHODS_AT: usize = 5;

    /// The layout with this many locators; [`None`] for 0, which has no meaning.
    pub(in super::super) const fn new(number: u8) -> Option<Self> {
        match number {
            0 => None,
            _ => Some(Self { number }),
        }
    }

    /// Where the locators begin, in octets of the contents.
    pub(in super::super) const fn locators_at(self) -> usize {
        HEADER_LEN
            .wrapping_add(Self::METHODS_AT)
            .wrapping_add(self.number as usize)
            .next_multiple_of(8)
            .wrapping_sub(HEADER_LEN)
    }

    /// The Length field: at most 4,347.
    pub(in super::super) const fn length(self) -> u16 {
        (self.locators_at() as u16).wrapping_add((self.number as u16).wrapping_mul(16))
    }
}

/// A received list of locators, at least one. Their order matters: Locator Preferences refer to
/// them by position. None of them is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocatorList<'a> {
    generation: Generation,
    methods: &'a [u8],
    locators: &'a [u8],
    at: u16,
}

impl<'a> LocatorList<'a> {
    /// Reads the contents of an option that is `at` octets behind the IPv6 header; [`None`] if
    /// the list is empty or its Length is not what the number of locators says.
    pub(super) fn parse(contents: &'a [u8], at: u16) -> Option<Self> {
        let number = octets::u8_at(contents, 4)?;
        let layout = Layout::new(number)?;
        if contents.len() != usize::from(layout.length()) {
            return None;
        }
        Some(Self {
            generation: Generation::from_wire(octets::array(contents, 0)?),
            methods: octets::range(contents, Layout::METHODS_AT, usize::from(number))?,
            locators: contents.get(layout.locators_at()..)?,
            at,
        })
    }

    /// The number of this version of the list.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// How many locators: 1 to 255.
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub const fn len(&self) -> usize {
        self.methods.len()
    }

    /// The locators with their verification methods, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = LocatorRecord> + Clone + 'a {
        self.methods
            .iter()
            .zip(self.locators.chunks_exact(16))
            .map(|(&method, octets)| LocatorRecord {
                locator: Locator::new(octets.first_chunk().copied().unwrap_or_default()),
                method: VerificationMethod::new(method),
            })
    }

    /// The Error message that says that the verification method of the locator with this index
    /// cannot be used: it is unknown, or not supported by the CGA parameters (RFC 5533,
    /// Sections 5.14 and 7.2).
    pub fn method_report(&self, index: u8) -> Report {
        let offset = (HEADER_LEN as u16)
            .wrapping_add(Layout::METHODS_AT as u16)
            .wrapping_add(u16::from(index));

        Report {
            code: ErrorCode::VERIFICATION_METHOD,
            pointer: self.at.saturating_add(offset),
        }
    }

    /// The report about the first locator whose method is neither HBA nor CGA, if there is one.
    pub fn unsupported_method(&self) -> Option<Report> {
        let index = self
            .methods
            .iter()
            .position(|&method| !VerificationMethod::new(method).is_supported())?;

        Some(self.method_report(u8::try_from(index).ok()?))
    }
}
