// SPDX-License-Identifier: GPL-2.0

//! The CGA Parameter Data Structure: its structure, not its proof (RFC 3972, Section 3; RFC 4581,
//! Section 2; RFC 5535, Section 5).

use super::octets;

/// Octets before the public key: modifier, subnet prefix, collision count.
const KEY_AT: usize = 25;

/// Why octets are no PDS, or a Multi-Prefix extension is none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PdsError {
    /// Fewer octets than the fixed part and a key header have.
    Truncated,
    /// The collision count is not 0, 1 or 2 (RFC 3972, Section 5).
    CollisionCount,
    /// The public key is no DER sequence with a length of up to two octets, or goes beyond the
    /// end.
    PublicKey,
    /// The extensions do not end where the structure ends.
    Extension,
    /// A Multi-Prefix extension without prefixes, with more than
    /// [`MAX_PREFIXES`](MultiPrefix::MAX_PREFIXES), or with a length that is no number of them.
    MultiPrefix,
    /// More than one Multi-Prefix extension.
    MultiPrefixRepeated,
}

/// A well-formed CGA Parameter Data Structure. Whether it belongs to an address is a question of
/// hashes and not answered by this type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pds<'a> {
    octets: &'a [u8],
    key_len: usize,
}

impl<'a> Pds<'a> {
    /// Checks the structure of `octets`, which have to be a PDS from their first to their last.
    ///
    /// # Errors
    ///
    /// [`PdsError`], except those about the Multi-Prefix extension.
    pub fn parse(octets: &'a [u8]) -> Result<Self, PdsError> {
        let count = octets::u8_at(octets, 24).ok_or(PdsError::Truncated)?;
        if count > 2 {
            return Err(PdsError::CollisionCount);
        }
        let rest = octets.get(KEY_AT..).ok_or(PdsError::Truncated)?;
        let key_len = der_sequence_len(rest)?;
        if key_len > rest.len() {
            return Err(PdsError::PublicKey);
        }
        let pds = Self { octets, key_len };
        for extension in pds.extensions_checked() {
            extension?;
        }
        Ok(pds)
    }

    /// All octets.
    pub const fn as_octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The modifier: a 128-bit unsigned integer, big-endian.
    pub fn modifier(&self) -> [u8; 16] {
        octets::array(self.octets, 0).unwrap_or_default()
    }

    /// The subnet prefix.
    pub fn subnet_prefix(&self) -> [u8; 8] {
        octets::array(self.octets, 16).unwrap_or_default()
    }

    /// The collision count: 0, 1 or 2.
    pub fn collision_count(&self) -> u8 {
        octets::u8_at(self.octets, 24).unwrap_or_default()
    }

    /// The DER-encoded SubjectPublicKeyInfo, or what stands in for it in an HBA-only set. Only
    /// its outermost length has been looked at.
    pub fn public_key(&self) -> &'a [u8] {
        octets::range(self.octets, KEY_AT, self.key_len).unwrap_or_default()
    }

    /// The extensions, in order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + Clone + 'a {
        self.extensions_checked().map_while(Result::ok)
    }

    /// The Multi-Prefix extension; [`None`] without one.
    ///
    /// # Errors
    ///
    /// [`PdsError::MultiPrefix`] and [`PdsError::MultiPrefixRepeated`].
    pub fn multi_prefix(&self) -> Result<Option<MultiPrefix<'a>>, PdsError> {
        let mut found = self
            .extensions()
            .filter(|extension| extension.code == MultiPrefix::TYPE);

        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(extension), None) => MultiPrefix::parse(extension.data).map(Some),
            (Some(_), Some(_)) => Err(PdsError::MultiPrefixRepeated),
        }
    }

    /// The extensions as they come, up to the first that does not fit.
    fn extensions_checked(&self) -> Extensions<'a> {
        let rest = self.octets.get(KEY_AT..).unwrap_or_default();
        Extensions(rest.get(self.key_len..).unwrap_or_default())
    }
}

/// Octets of the DER sequence at the start of `octets`, header included: one length octet below
/// 128, or one or two behind 0x81 or 0x82.
fn der_sequence_len(octets: &[u8]) -> Result<usize, PdsError> {
    let (header, contents) = match *octets {
        [0x30, length @ 0..=0x7f, ..] => (2, u16::from(length)),
        [0x30, 0x81, length, ..] => (3, u16::from(length)),
        [0x30, 0x82, high, low, ..] => (4, u16::from_be_bytes([high, low])),
        [] | [0x30] => return Err(PdsError::Truncated),
        _ => return Err(PdsError::PublicKey),
    };
    Ok(usize::from(contents).wrapping_add(header))
}

/// An extension of a PDS (RFC 4581, Section 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extension<'a> {
    /// Its type.
    pub code: u16,
    /// Its data.
    pub data: &'a [u8],
}

/// Iterator over extensions: type (2), length of the data (2), data, without padding.
#[derive(Clone, Copy)]
struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    /// The first extension and what is behind it.
    fn split(&self) -> Option<(Extension<'a>, &'a [u8])> {
        let (header, rest) = self.0.split_first_chunk::<4>()?;
        let [a, b, c, d] = *header;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
        let code = u16::from_be_bytes([a, b]);
        Some((Extension { code, data }, rest))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Result<Extension<'a>, PdsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let split = self.split();
        self.0 = split.map_or(&[], |(_, rest)| rest);
        Some(
            split
                .map(|(extension, _)| extension)
                .ok_or(PdsError::Extension),
        )
    }
}

/// The Multi-Prefix extension of an HBA set (RFC 5535, Section 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MultiPrefix<'a> {
    has_public_key: bool,
    prefixes: &'a [u8],
}

impl<'a> MultiPrefix<'a> {
    /// The type of the extension (RFC 5535, Section 10).
    pub const TYPE: u16 = 0x0012;

    /// The most prefixes that are accepted, as many as a host may have locators.
    pub const MAX_PREFIXES: usize = 32;

    /// Reads the data of the extension: P and 31 reserved bits, then the prefixes.
    fn parse(data: &'a [u8]) -> Result<Self, PdsError> {
        let (flags, prefixes) = data.split_first_chunk::<4>().ok_or(PdsError::MultiPrefix)?;
        let number = prefixes.len() / 8;
        if prefixes.len() % 8 != 0 || !(1..=Self::MAX_PREFIXES).contains(&number) {
            return Err(PdsError::MultiPrefix);
        }
        Ok(Self {
            has_public_key: flags.first().is_some_and(|&octet| octet & 0x80 != 0),
            prefixes,
        })
    }

    /// P: whether the public key is one, so that locators can also be verified by CGA.
    pub const fn has_public_key(&self) -> bool {
        self.has_public_key
    }

    /// The /64 prefixes of the set, in order; 1 to [`MAX_PREFIXES`](Self::MAX_PREFIXES).
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = [u8; 8]> + Clone + 'a {
        self.prefixes
            .chunks_exact(8)
            .map(|prefix| prefix.first_chunk().copied().unwrap_or_default())
    }
}
