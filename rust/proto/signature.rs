// SPDX-License-Identifier: GPL-2.0

//! What the CGA Signature option signs (RFC 5533, Section 5.15.5). ULIDs and preferences are not
//! among it: the PDS binds the ULID to the key.

use super::{
    crypto::Digests,
    locator::{
        LocatorRecord,
        VerificationMethod,
        MAX_LOCATORS, //
    },
    number::Generation, //
};

/// The CGA message type tag of Shim6: without it a signature could be one of another protocol
/// that signs with the same key (RFC 3972, Section 6).
pub const TYPE_TAG: [u8; 16] = [
    0x4a, 0x30, 0x56, 0x62, 0x48, 0x58, 0x57, 0x4b, 0x36, 0x55, 0x41, 0x6f, 0x50, 0x6a, 0x6d, 0x48,
];

/// The octets that are signed: type tag, generation, and the locators whose method is CGA, in the
/// order of the list.
#[derive(Clone, Copy, Debug)]
pub struct SignedOctets {
    octets: [u8; Self::MAX_LEN],
    len: usize,
}

impl SignedOctets {
    /// Octets for the longest list.
    const MAX_LEN: usize = TYPE_TAG.len() + size_of::<Generation>() + 16 * MAX_LOCATORS;

    /// The octets for a list; [`None`] if it has more than [`MAX_LOCATORS`] locators with the
    /// method CGA.
    pub fn new(
        generation: Generation,
        list: impl IntoIterator<Item = LocatorRecord>,
    ) -> Option<Self> {
        let mut signed = Self::empty();
        signed.fill(generation, list)?;
        Some(signed)
    }

    const fn empty() -> Self {
        Self {
            octets: [0; Self::MAX_LEN],
            len: 0,
        }
    }

    fn fill(
        &mut self,
        generation: Generation,
        list: impl IntoIterator<Item = LocatorRecord>,
    ) -> Option<()> {
        self.push(&TYPE_TAG)?;
        self.push(&generation.to_wire())?;
        for record in list {
            if record.method == VerificationMethod::CGA {
                self.push(record.locator.as_octets())?;
            }
        }
        Some(())
    }

    /// Adds octets; [`None`] if there is no space for them.
    fn push<const N: usize>(&mut self, octets: &[u8; N]) -> Option<()> {
        let space = self.octets.get_mut(self.len..)?;
        *space.first_chunk_mut()? = *octets;
        self.len = self.len.wrapping_add(N);
        Some(())
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// The SHA-1 digest of the [`SignedOctets`] of a list, which a signature is made of and verified
/// with; [`None`] for a list that has none.
// Not inlined: the stack of the kernel is small, and the verification of the signature that
// follows needs much of it.
#[inline(never)]
pub fn digest(
    digests: &impl Digests,
    generation: Generation,
    list: impl IntoIterator<Item = LocatorRecord>,
) -> Option<[u8; 20]> {
    let mut signed = SignedOctets::empty();
    signed.fill(generation, list)?;
    Some(digests.sha1(&[signed.as_octets()]))
}
