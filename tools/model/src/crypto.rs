// SPDX-License-Identifier: GPL-2.0

//! The cryptography and the random numbers of a host of the model.

use std::hash::Hasher;
#[expect(deprecated, reason = "others do not say that they are SipHash-2-4")]
use std::hash::SipHasher;

use sha1::{
    Digest,
    Sha1, //
};
use shim6_proto::{
    crypto::{
        Digests,
        KeyedHash,
        SignatureError,
        SignatureVerifier, //
    },
    random::Random,
    rsa_key::RsaPublicKey,
    tag::ContextTag, //
};

/// Hash functions.
#[derive(Clone, Copy, Debug)]
pub struct Hashes;

impl Digests for Hashes {
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl KeyedHash for Hashes {
    fn siphash(&self, &[k0, k1]: &[u64; 2], octets: &[u8]) -> u64 {
        #[expect(deprecated, reason = "as above")]
        let mut hasher = SipHasher::new_with_keys(k0, k1);
        hasher.write(octets);
        hasher.finish()
    }
}

/// No RSA: the locators of the model are verified by HBA.
#[derive(Clone, Copy, Debug)]
pub struct NoSignatures;

impl SignatureVerifier for NoSignatures {
    fn verify(
        &mut self,
        _: RsaPublicKey<'_>,
        _: &[u8; 20],
        _: &[u8],
    ) -> Result<(), SignatureError> {
        Err(SignatureError::Failed)
    }
}

/// Where a host takes unpredictable numbers from.
pub trait Source: Random {
    /// A tag that may become CT(local). The host asks again if it has it already.
    fn tag(&mut self) -> ContextTag;
}

/// Numbers that follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Seeded {
    state: u64,
    /// The bits that tags may have: all, or few of them for the sake of confusion.
    pub tag_mask: u64,
}

impl Seeded {
    /// The numbers that follow from this seed; tags have all their bits.
    pub const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            tag_mask: u64::MAX,
        }
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.u64() % bound
    }

    /// True in so many of 100 cases.
    pub fn percent(&mut self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }
}

impl Random for Seeded {
    fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    fn u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Source for Seeded {
    fn tag(&mut self) -> ContextTag {
        ContextTag::from_low_bits(self.u64() & self.tag_mask)
    }
}
