// SPDX-License-Identifier: GPL-2.0

//! Hash-Based Addresses: a set of addresses, each made of a hash over the prefixes of all of them,
//! so that a hash proves that two of them belong to the same host (RFC 5535).

use super::{
    cga::{
        self,
        CgaError,
        Sec, //
    },
    crypto::Digests,
    locator::Locator,
    pds::{
        CollisionCount,
        MultiPrefix,
        Parameters,
        Pds,
        PdsError, //
    }, //
};

/// Why an address is none of the set of a PDS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum HbaError {
    /// The PDS has no Multi-Prefix extension: it is of no set.
    NoSet,
    /// The Multi-Prefix extension is malformed, or there is more than one.
    Extension(PdsError),
    /// The set has no such prefix.
    Prefix,
    /// The hashes do not match.
    Cga(CgaError),
}

/// Verifies that `address` is in the set that this PDS, of whatever member, is about (RFC 5535,
/// Section 7.2).
///
/// # Errors
///
/// [`HbaError`]: the first step that failed.
pub fn verify(digests: &impl Digests, address: Locator, pds: &Pds<'_>) -> Result<(), HbaError> {
    let prefixes = prefixes(pds.parameters())?;
    if !prefixes.contains(address.subnet_prefix()) {
        return Err(HbaError::Prefix);
    }
    cga::verify_hashes(digests, address, pds).map_err(HbaError::Cga)
}

/// The Multi-Prefix extension.
fn prefixes<'a>(parameters: &Parameters<'a>) -> Result<MultiPrefix<'a>, HbaError> {
    parameters
        .multi_prefix()
        .map_err(HbaError::Extension)?
        .ok_or(HbaError::NoSet)
}

/// The addresses of the set with these parameters, in the order of the prefixes (RFC 5535,
/// Section 6, step 6). The parameters have to come from a [`Search`](cga::Search) for the same
/// Sec value. If one of the addresses collides, all of them have to be made again with the next
/// count.
///
/// # Errors
///
/// [`HbaError::NoSet`] and [`HbaError::Extension`].
pub fn addresses<'a, D: Digests>(
    digests: &'a D,
    parameters: Parameters<'a>,
    sec: Sec,
    collision_count: CollisionCount,
) -> Result<impl ExactSizeIterator<Item = Locator> + 'a, HbaError> {
    let prefixes = prefixes(&parameters)?.prefixes();
    Ok(
        prefixes
            .map(move |prefix| cga::address(digests, &parameters, sec, prefix, collision_count)),
    )
}

/// Why prefixes make no set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PrefixesError {
    /// There is none.
    Empty,
    /// There are more than [`MultiPrefix::MAX_PREFIXES`].
    TooMany,
    /// One comes twice: both would get the same address.
    Repeated,
}

/// An encoded Multi-Prefix extension (RFC 5535, Section 5).
#[derive(Clone, Copy, Debug)]
pub struct MultiPrefixExtension {
    octets: [u8; Self::MAX_LEN],
    len: usize,
}

impl MultiPrefixExtension {
    /// Type, length, flags.
    const HEADER_LEN: usize = 8;

    /// Octets of the longest extension.
    const MAX_LEN: usize = Self::HEADER_LEN + 8 * MultiPrefix::MAX_PREFIXES;

    /// The extension for these prefixes. P says whether the PDS has a real public key.
    ///
    /// # Errors
    ///
    /// [`PrefixesError`].
    pub fn new(prefixes: &[[u8; 8]], has_public_key: bool) -> Result<Self, PrefixesError> {
        if prefixes.is_empty() {
            return Err(PrefixesError::Empty);
        }
        if prefixes.len() > MultiPrefix::MAX_PREFIXES {
            return Err(PrefixesError::TooMany);
        }
        let mut rest = prefixes;
        while let Some((prefix, others)) = rest.split_first() {
            if others.contains(prefix) {
                return Err(PrefixesError::Repeated);
            }
            rest = others;
        }

        let data_len = (prefixes.len() as u16).wrapping_mul(8).wrapping_add(4);
        let [code_high, code_low] = MultiPrefix::TYPE.to_be_bytes();
        let [len_high, len_low] = data_len.to_be_bytes();
        let p = if has_public_key { 0x80 } else { 0 };
        let header = [code_high, code_low, len_high, len_low, p, 0, 0, 0];

        let mut octets = [0; Self::MAX_LEN];
        let encoded = header.iter().chain(prefixes.as_flattened());
        for (octet, value) in octets.iter_mut().zip(encoded) {
            *octet = *value;
        }
        Ok(Self {
            octets,
            len: usize::from(data_len).wrapping_add(4),
        })
    }

    /// The octets.
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// What an HBA-only set has for a public key: the Extended Modifier, 384 random bits in the
/// clothing of an RSA key (RFC 5535, Section 6, step 2).
///
/// The RFC names no exponent, and the length of the encoding depends on leading zeros. This has
/// the usual exponent 65537, and a modulus with its first bit set, so that all are 78 octets long,
/// and its last, so that it looks like a product of primes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExtendedModifier([u8; Self::LEN]);

impl ExtendedModifier {
    /// Octets of the encoding.
    pub const LEN: usize = 78;

    /// SubjectPublicKeyInfo and RSAPublicKey up to the modulus.
    const HEAD: [u8; 25] = [
        0x30, 0x4c, // SEQUENCE
        0x30, 0x0d, // SEQUENCE: rsaEncryption, NULL
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, //
        0x03, 0x3b, 0x00, // BIT STRING
        0x30, 0x38, // SEQUENCE
        0x02, 0x31, 0x00, // INTEGER
    ];

    /// INTEGER 65537.
    const TAIL: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

    /// The encoding of these bits, the first and the last of them set.
    pub fn new(mut random: [u8; 48]) -> Self {
        let [first, .., last] = &mut random;
        *first |= 0x80;
        *last |= 0x01;

        let mut octets = [0; Self::LEN];
        let encoded = Self::HEAD.iter().chain(&random).chain(&Self::TAIL);
        for (octet, value) in octets.iter_mut().zip(encoded) {
            *octet = *value;
        }
        Self(octets)
    }

    /// The octets, to be the public key of [`Parameters`].
    pub const fn as_octets(&self) -> &[u8] {
        &self.0
    }
}
