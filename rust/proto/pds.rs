// SPDX-License-Identifier: GPL-2.0

//! The CGA Parameter Data Structure: its structure, not its proof (RFC 3972, Section 3; RFC 4581,
//! Section 2; RFC 5535, Section 5).

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

/// How many of its addresses collided with others before this one was found: 0, 1 or 2 (RFC 3972,
/// Section 3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(transparent)]
pub struct CollisionCount(u8);

impl CollisionCount {
    /// All counts, in the order in which they are tried. After the last of them generation fails
    /// (RFC 3972, Section 4).
    pub const ALL: [Self; 3] = [Self(0), Self(1), Self(2)];

    /// The count with this value; [`None`] above 2.
    pub const fn new(count: u8) -> Option<Self> {
        match count {
            0..=2 => Some(Self(count)),
            _ => None,
        }
    }

    /// The value.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What the PDSs of all addresses of a set have in common, whatever their prefixes and collision
/// count: the part that Hash2 covers (RFC 3972, Section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters<'a> {
    modifier: [u8; 16],
    public_key: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Puts parameters together. `extensions` are encoded one behind the other.
    ///
    /// # Errors
    ///
    /// [`PdsError::Truncated`] and [`PdsError::PublicKey`] if `public_key` is no DER sequence from
    /// its first octet to its last, [`PdsError::Extension`].
    pub fn new(
        modifier: [u8; 16],
        public_key: &'a [u8],
        extensions: &'a [u8],
    ) -> Result<Self, PdsError> {
        if der_sequence_len(public_key)? != public_key.len() {
            return Err(PdsError::PublicKey);
        }
        for extension in Extensions(extensions) {
            extension?;
        }
        Ok(Self {
            modifier,
            public_key,
            extensions,
        })
    }

    /// The same with another modifier.
    pub const fn with_modifier(self, modifier: [u8; 16]) -> Self {
        Self { modifier, ..self }
    }

    /// The modifier: a 128-bit unsigned integer, big-endian.
    pub const fn modifier(&self) -> [u8; 16] {
        self.modifier
    }

    /// The DER-encoded SubjectPublicKeyInfo, or what stands in for it in an HBA-only set. Only
    /// its outermost length has been looked at.
    pub const fn public_key(&self) -> &'a [u8] {
        self.public_key
    }

    /// The octets of all extensions.
    pub const fn extension_octets(&self) -> &'a [u8] {
        self.extensions
    }

    /// The extensions, in order.
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + Clone + 'a {
        Extensions(self.extensions).map_while(Result::ok)
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

    /// Octets of a PDS with these parameters.
    pub const fn pds_len(&self) -> usize {
        Pds::KEY_AT
            .saturating_add(self.public_key.len())
            .saturating_add(self.extensions.len())
    }

    /// Writes the PDS of the address with this prefix at the start of `buffer`; [`None`] if it
    /// has fewer than [`pds_len`](Self::pds_len) octets.
    pub fn write<'b>(
        &self,
        subnet_prefix: [u8; 8],
        collision_count: CollisionCount,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        let pds = buffer.get_mut(..self.pds_len())?;
        let fields = self
            .modifier
            .iter()
            .chain(&subnet_prefix)
            .chain(core::slice::from_ref(&collision_count.0))
            .chain(self.public_key)
            .chain(self.extensions);

        for (octet, field) in pds.iter_mut().zip(fields) {
            *octet = *field;
        }
        Some(pds)
    }
}

/// A well-formed CGA Parameter Data Structure. Whether it belongs to an address is a question of
/// hashes and not answered by this type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pds<'a> {
    octets: &'a [u8],
    subnet_prefix: [u8; 8],
    collision_count: CollisionCount,
    parameters: Parameters<'a>,
}

impl<'a> Pds<'a> {
    /// Octets before the public key: modifier, subnet prefix, collision count.
    const KEY_AT: usize = 25;

    /// Checks the structure of `octets`, which have to be a PDS from their first to their last.
    ///
    /// # Errors
    ///
    /// [`PdsError`], except those about the Multi-Prefix extension.
    pub fn parse(octets: &'a [u8]) -> Result<Self, PdsError> {
        let (modifier, rest) = octets.split_first_chunk().ok_or(PdsError::Truncated)?;
        let (subnet_prefix, rest) = rest.split_first_chunk().ok_or(PdsError::Truncated)?;
        let (count, rest) = rest.split_first().ok_or(PdsError::Truncated)?;
        let collision_count = CollisionCount::new(*count).ok_or(PdsError::CollisionCount)?;
        let (public_key, extensions) = rest
            .split_at_checked(der_sequence_len(rest)?)
            .ok_or(PdsError::PublicKey)?;

        Ok(Self {
            octets,
            subnet_prefix: *subnet_prefix,
            collision_count,
            parameters: Parameters::new(*modifier, public_key, extensions)?,
        })
    }

    /// All octets.
    pub const fn as_octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The subnet prefix.
    pub const fn subnet_prefix(&self) -> [u8; 8] {
        self.subnet_prefix
    }

    /// The collision count.
    pub const fn collision_count(&self) -> CollisionCount {
        self.collision_count
    }

    /// Everything else: modifier, public key and extensions.
    pub const fn parameters(&self) -> &Parameters<'a> {
        &self.parameters
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

    /// Whether the set has this /64 prefix.
    pub fn contains(&self, prefix: [u8; 8]) -> bool {
        self.prefixes().any(|other| other == prefix)
    }

    /// The /64 prefixes of the set, in order; 1 to [`MAX_PREFIXES`](Self::MAX_PREFIXES).
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = [u8; 8]> + Clone + 'a {
        self.prefixes
            .chunks_exact(8)
            .map(|prefix| prefix.first_chunk().copied().unwrap_or_default())
    }
}
