// SPDX-License-Identifier: GPL-2.0

//! Cryptographically Generated Addresses: an address that is made of the hash of a public key, so
//! that only the owner of the key can sign for it (RFC 3972).

use super::{
    crypto::Digests,
    locator::Locator,
    pds::{
        CollisionCount,
        Parameters,
        Pds, //
    }, //
};

/// Why an address is not the one of a PDS.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CgaError {
    /// The prefixes differ.
    SubnetPrefix,
    /// Hash1 is not the interface identifier.
    Hash1,
    /// The address claims a Sec value for which no procedure is defined.
    Sec,
    /// Hash2 has not as many leading zeros as the Sec value of the address claims.
    Hash2,
}

/// How much work went into an address: 16 Sec bits of Hash2 are zero (RFC 3972, Section 2).
///
/// RFC 3972 has values up to 7. What they mean is up to a registry since, and it defines 0, 1
/// and 2 only (RFC 4982, Section 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Sec(u8);

impl Sec {
    /// The largest value.
    pub const MAX: Self = Self(2);

    /// The value; [`None`] if it is not defined.
    pub const fn new(sec: u8) -> Option<Self> {
        if sec <= Self::MAX.0 {
            Some(Self(sec))
        } else {
            None
        }
    }

    /// What the address claims, in the three leftmost bits of its interface identifier.
    pub const fn of(address: Locator) -> Option<Self> {
        let [_, _, _, _, _, _, _, _, octet, ..] = address.octets();
        Self::new(octet >> 5)
    }

    /// The value.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// How many modifiers have to be tried on average until one is found.
    pub const fn expected_attempts(self) -> u64 {
        1_u64.wrapping_shl((self.0 as u32).wrapping_mul(16))
    }

    /// Whether Hash2 has enough leading zeros.
    fn admits(self, hash2: [u8; 14]) -> bool {
        let [a, b, c, d, ..] = hash2;
        let zeros = u32::from_be_bytes([a, b, c, d]).leading_zeros();
        zeros >= u32::from(self.0).wrapping_mul(16)
    }
}

/// The bits of the first octet of an interface identifier that come from Hash1: neither Sec nor
/// u and g.
const HASH1_MASK: u8 = 0x1c;

/// Hash1: the leftmost 64 bits of SHA-1 over the PDS with this prefix and count.
pub fn hash1(
    digests: &impl Digests,
    parameters: &Parameters<'_>,
    subnet_prefix: [u8; 8],
    collision_count: CollisionCount,
) -> [u8; 8] {
    leftmost(digests.sha1(&[
        &parameters.modifier(),
        &subnet_prefix,
        &[collision_count.get()],
        parameters.public_key(),
        parameters.extension_octets(),
    ]))
}

/// Hash2: the leftmost 112 bits of SHA-1 over the PDS, prefix and count being zero.
pub fn hash2(digests: &impl Digests, parameters: &Parameters<'_>) -> [u8; 14] {
    leftmost(digests.sha1(&[
        &parameters.modifier(),
        &[0; 9],
        parameters.public_key(),
        parameters.extension_octets(),
    ]))
}

/// The first octets of a digest.
fn leftmost<const N: usize>(digest: [u8; 20]) -> [u8; N] {
    digest.first_chunk().copied().unwrap_or([0; N])
}

/// Verifies that `address` is the one of this PDS (RFC 3972, Section 5). Its u and g bits do not
/// matter.
///
/// # Errors
///
/// [`CgaError`]: the first step that failed.
pub fn verify(digests: &impl Digests, address: Locator, pds: &Pds<'_>) -> Result<(), CgaError> {
    if pds.subnet_prefix() != address.subnet_prefix() {
        return Err(CgaError::SubnetPrefix);
    }
    verify_hashes(digests, address, pds)
}

/// The steps of [`verify`] behind the comparison of the prefixes: the address is verified with its
/// own prefix, whatever the PDS has.
pub(super) fn verify_hashes(
    digests: &impl Digests,
    address: Locator,
    pds: &Pds<'_>,
) -> Result<(), CgaError> {
    let parameters = pds.parameters();
    let prefix = address.subnet_prefix();
    let hash1 = hash1(digests, parameters, prefix, pds.collision_count());

    if masked(hash1) != masked(interface_identifier(address)) {
        return Err(CgaError::Hash1);
    }
    let sec = Sec::of(address).ok_or(CgaError::Sec)?;
    if sec > Sec::default() && !sec.admits(hash2(digests, parameters)) {
        return Err(CgaError::Hash2);
    }
    Ok(())
}

/// The lower half of an address.
const fn interface_identifier(address: Locator) -> [u8; 8] {
    let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = address.octets();
    [a, b, c, d, e, f, g, h]
}

/// The bits of an interface identifier that are compared with Hash1.
const fn masked(identifier: [u8; 8]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h] = identifier;
    [a & HASH1_MASK, b, c, d, e, f, g, h]
}

/// The address with this prefix (RFC 3972, Section 4, steps 5 to 7). The parameters have to come
/// from a [`Search`] for the same Sec value.
pub fn address(
    digests: &impl Digests,
    parameters: &Parameters<'_>,
    sec: Sec,
    subnet_prefix: [u8; 8],
    collision_count: CollisionCount,
) -> Locator {
    let hash1 = hash1(digests, parameters, subnet_prefix, collision_count);
    let [i, j, k, l, m, n, o, p] = masked(hash1);
    let [a, b, c, d, e, f, g, h] = subnet_prefix;
    let i = i | sec.get().wrapping_shl(5);
    Locator::new([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

/// The search for a modifier with enough zeros in Hash2 (RFC 3972, Section 4, steps 1 to 3).
///
/// It goes on in steps of as many attempts as its caller likes, and can be divided among several
/// workers.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    next: Parameters<'a>,
    stride: u32,
    sec: Sec,
}

impl<'a> Search<'a> {
    /// A search that begins at the modifier of `start`, which should be random.
    pub const fn new(start: Parameters<'a>, sec: Sec) -> Self {
        Self {
            next: start,
            stride: 1,
            sec,
        }
    }

    /// The share of the worker with this index of `workers`: each of them tries other modifiers,
    /// all of them together try all. To be used once, on a search that has not begun.
    pub fn share(self, index: u32, workers: u32) -> Self {
        Self {
            next: advance(self.next, index),
            stride: workers,
            ..self
        }
    }

    /// Tries so many modifiers; the parameters with the first that is good enough, or [`None`] if
    /// none is. Either way the next call goes on behind.
    pub fn step(&mut self, digests: &impl Digests, attempts: u32) -> Option<Parameters<'a>> {
        for _ in 0..attempts {
            let parameters = self.next;
            self.next = advance(parameters, self.stride);
            if self.sec.admits(hash2(digests, &parameters)) {
                return Some(parameters);
            }
        }
        None
    }
}

/// The same parameters with the modifier increased, modulo 2^128.
fn advance(parameters: Parameters<'_>, by: u32) -> Parameters<'_> {
    let modifier = u128::from_be_bytes(parameters.modifier()).wrapping_add(u128::from(by));
    parameters.with_modifier(modifier.to_be_bytes())
}
