// SPDX-License-Identifier: GPL-2.0

//! RSA public keys as CGAs carry them: SubjectPublicKeyInfo in DER (RFC 3972, Section 3; RFC 3279,
//! Section 2.3.1).

/// Why octets are no RSA public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RsaKeyError {
    /// Not the structure of a SubjectPublicKeyInfo with an RSAPublicKey in it, or not in the
    /// shortest encoding, the only one that DER allows.
    Encoding,
    /// The algorithm is not rsaEncryption with NULL parameters.
    Algorithm,
    /// The modulus is even, so it is no product of two odd primes.
    Modulus,
    /// The exponent is even, 1, or has more than
    /// [`MAX_EXPONENT_BITS`](RsaPublicKey::MAX_EXPONENT_BITS).
    Exponent,
}

/// An RSA public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RsaPublicKey<'a> {
    der: &'a [u8],
    modulus: &'a [u8],
    exponent: u32,
}

impl<'a> RsaPublicKey<'a> {
    /// The fewest bits of a modulus that locators may be verified with by CGA (RFC 5533,
    /// Section 16).
    pub const MIN_CGA_BITS: u32 = 1024;

    /// The most bits of such a modulus. RFC 3972, Section 5, asks for 2,048 and allows more; this
    /// bounds what one verification can cost.
    pub const MAX_CGA_BITS: u32 = 4096;

    /// The most bits of the exponent. Verification with an exponent as long as the modulus would
    /// cost a hundred times as much, and the peer chooses it.
    pub const MAX_EXPONENT_BITS: u32 = u32::BITS;

    /// AlgorithmIdentifier: rsaEncryption, 1.2.840.113549.1.1.1, with NULL parameters.
    const ALGORITHM: [u8; 13] = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];

    /// Reads a SubjectPublicKeyInfo, which has to fill `octets`. Of the size of the key only what
    /// [`has_cga_size`](Self::has_cga_size) says is known then.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, RsaKeyError> {
        let (algorithm, der) = subject_public_key_info(octets).ok_or(RsaKeyError::Encoding)?;
        if algorithm != Self::ALGORITHM {
            return Err(RsaKeyError::Algorithm);
        }
        let (modulus, exponent) = rsa_public_key(der).ok_or(RsaKeyError::Encoding)?;
        if !is_odd(modulus) {
            return Err(RsaKeyError::Modulus);
        }
        Ok(Self {
            der,
            modulus,
            exponent: exponent_value(exponent).ok_or(RsaKeyError::Exponent)?,
        })
    }

    /// The DER encoding of the RSAPublicKey inside (RFC 8017, Appendix A.1.1).
    pub const fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// The modulus, big-endian, without leading zeros. A signature has as many octets.
    pub const fn modulus(&self) -> &'a [u8] {
        self.modulus
    }

    /// The public exponent.
    pub const fn exponent(&self) -> u32 {
        self.exponent
    }

    /// Bits of the modulus.
    pub fn bits(&self) -> u32 {
        let leading = self
            .modulus
            .first()
            .map_or(0, |octet| octet.leading_zeros());
        u32::try_from(self.modulus.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(u8::BITS)
            .saturating_sub(leading)
    }

    /// Whether locators may be verified with this key by CGA.
    pub fn has_cga_size(&self) -> bool {
        (Self::MIN_CGA_BITS..=Self::MAX_CGA_BITS).contains(&self.bits())
    }

    /// Whether `signature` could be one of this key: as long as the modulus and a smaller number
    /// (RFC 8017, Sections 8.2.2 and 5.2.2).
    pub fn admits(&self, signature: &[u8]) -> bool {
        signature.len() == self.modulus.len() && signature < self.modulus
    }
}

/// ASN.1 tags.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The contents of the AlgorithmIdentifier and the octets of the subjectPublicKey in a
/// SubjectPublicKeyInfo.
fn subject_public_key_info(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let contents = only(SEQUENCE, octets)?;
    let (algorithm, rest) = element(SEQUENCE, contents)?;
    match only(BIT_STRING, rest)? {
        [0, key @ ..] => Some((algorithm, key)),
        _ => None,
    }
}

/// Modulus and exponent of an RSAPublicKey.
fn rsa_public_key(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let contents = only(SEQUENCE, octets)?;
    let (modulus, rest) = element(INTEGER, contents)?;
    let exponent = only(INTEGER, rest)?;
    Some((positive(modulus)?, positive(exponent)?))
}

/// The contents of the element with this tag that fills `octets`.
fn only(tag: u8, octets: &[u8]) -> Option<&[u8]> {
    match element(tag, octets)? {
        (contents, []) => Some(contents),
        _ => None,
    }
}

/// The contents of the element with this tag that `octets` begin with, and what is behind it. Its
/// length has to be in the shortest form and below 65,536.
fn element(tag: u8, octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, octets) = octets.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, octets) = match octets {
        [length @ 0..=0x7f, rest @ ..] => (u16::from(*length), rest),
        [0x81, length @ 0x80..=0xff, rest @ ..] => (u16::from(*length), rest),
        [0x82, high @ 1..=0xff, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => return None,
    };
    octets.split_at_checked(usize::from(length))
}

/// The digits of an INTEGER that is greater than zero, without the zero octet that keeps it from
/// being negative.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, digits @ ..] if matches!(digits, [0x80..=0xff, ..]) => Some(digits),
        [1..=0x7f, ..] => Some(integer),
        _ => None,
    }
}

/// Whether a big-endian number is odd.
fn is_odd(digits: &[u8]) -> bool {
    digits.last().is_some_and(|octet| octet & 1 != 0)
}

/// The value of an exponent that is usable.
fn exponent_value(digits: &[u8]) -> Option<u32> {
    if digits.len() > size_of::<u32>() || !is_odd(digits) {
        return None;
    }
    let value = digits.iter().fold(0_u32, |value, digit| {
        value.wrapping_shl(u8::BITS) | u32::from(*digit)
    });
    (value > 1).then_some(value)
}
