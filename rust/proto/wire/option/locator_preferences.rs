// SPDX-License-Identifier: GPL-2.0

//! The Locator Preferences option (RFC 5533, Section 5.15.3).

use super::{
    super::{
        super::{
            locator::{
                Preference,
                PreferenceFlags, //
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

/// Received preferences: one element for each locator of the list with the same generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocatorPreferences<'a> {
    generation: Generation,
    element_len: u8,
    elements: &'a [u8],
    at: u16,
}

impl<'a> LocatorPreferences<'a> {
    /// Generation and Element Len, in octets of the contents.
    pub(in super::super) const ELEMENTS_AT: usize = 5;

    /// Reads the contents of an option that is `at` octets behind the IPv6 header; [`None`] if
    /// Element Len is 0 or the last element is cut.
    pub(super) fn parse(contents: &'a [u8], at: u16) -> Option<Self> {
        let element_len = octets::u8_at(contents, 4)?;
        let elements = contents.get(Self::ELEMENTS_AT..)?;
        if elements.len().checked_rem(usize::from(element_len))? != 0 {
            return None;
        }
        Some(Self {
            generation: Generation::from_wire(octets::array(contents, 0)?),
            element_len,
            elements,
            at,
        })
    }

    /// The generation of the list that the elements belong to.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// How many elements; [`None`] never happens once parsed.
    fn len(&self) -> Option<usize> {
        self.elements
            .len()
            .checked_div(usize::from(self.element_len))
    }

    /// The elements in the order of the locators. What is beyond the third octet of an element is
    /// not defined and ignored.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Preference> + Clone + 'a {
        // Never 0 once parsed, and `chunks_exact` must not see a 0.
        let element_len = usize::from(self.element_len).max(1);

        self.elements
            .chunks_exact(element_len)
            .map(|element| Preference {
                flags: PreferenceFlags::new(octets::u8_at(element, 0).unwrap_or_default()),
                priority: octets::u8_at(element, 1),
                weight: octets::u8_at(element, 2),
            })
    }

    /// Checks that the preferences fit a list of `locators` locators with this generation.
    ///
    /// # Errors
    ///
    /// The Error message to answer with: code 3 if the generation is another, code 4 if there
    /// are more or fewer elements than locators (RFC 5533, Sections 5.14 and 10.4).
    pub fn check(&self, generation: Generation, locators: usize) -> Result<(), Report> {
        if self.generation != generation {
            return Err(Report {
                code: ErrorCode::GENERATION,
                pointer: self.at.saturating_add(HEADER_LEN as u16),
            });
        }
        if self.len() != Some(locators) {
            return Err(Report {
                code: ErrorCode::ELEMENT_COUNT,
                pointer: self.at.saturating_add(2),
            });
        }
        Ok(())
    }
}
