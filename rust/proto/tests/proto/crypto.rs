// SPDX-License-Identifier: GPL-2.0

//! The cryptography of a host program, and RSA keys that can sign. RSA is done here by
//! exponentiation, and the encoded message compared as a whole.

#[expect(deprecated, reason = "others do not say that they are SipHash-2-4")]
use std::hash::SipHasher;
use std::{
    cell::Cell,
    hash::Hasher, //
};

use num_bigint::BigUint;
use serde_json::Value;
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
    rsa_key::RsaPublicKey, //
};

use crate::support::{
    field,
    vectors, //
};

/// Hash functions that count how often they are called.
#[derive(Default)]
pub(crate) struct HostDigests {
    pub(crate) calls: Cell<usize>,
}

impl HostDigests {
    fn count(&self) {
        self.calls.set(self.calls.get() + 1);
    }
}

impl Digests for HostDigests {
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        self.count();
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl KeyedHash for HostDigests {
    fn siphash(&self, key: &[u64; 2], octets: &[u8]) -> u64 {
        self.count();
        siphash(key, octets)
    }
}

/// SipHash-2-4 of the standard library.
pub(crate) fn siphash(&[k0, k1]: &[u64; 2], octets: &[u8]) -> u64 {
    #[expect(deprecated, reason = "as above")]
    let mut hasher = SipHasher::new_with_keys(k0, k1);
    hasher.write(octets);
    hasher.finish()
}

/// EMSA-PKCS1-v1_5 of a SHA-1 digest (RFC 8017, Section 9.2).
fn encoded_message(digest: &[u8; 20], length: usize) -> Vec<u8> {
    const DIGEST_INFO: [u8; 15] = [
        0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
    ];
    let padding = length - 3 - DIGEST_INFO.len() - digest.len();
    [
        [0, 1].as_slice(),
        &vec![0xff; padding],
        &[0],
        &DIGEST_INFO,
        digest,
    ]
    .concat()
}

/// A number in so many octets.
fn padded(number: &BigUint, length: usize) -> Vec<u8> {
    let digits = number.to_bytes_be();
    [vec![0; length - digits.len()], digits].concat()
}

/// RSA that counts how often it is called.
#[derive(Default)]
pub(crate) struct HostRsa {
    pub(crate) calls: usize,
}

impl SignatureVerifier for HostRsa {
    fn verify(
        &mut self,
        key: RsaPublicKey<'_>,
        digest: &[u8; 20],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.calls += 1;
        let length = key.modulus().len();
        assert_eq!(
            signature.len(),
            length,
            "a signature that need not be tried"
        );

        let message = BigUint::from_bytes_be(signature).modpow(
            &key.exponent().into(),
            &BigUint::from_bytes_be(key.modulus()),
        );
        if padded(&message, length) == encoded_message(digest, length) {
            Ok(())
        } else {
            Err(SignatureError::Wrong)
        }
    }
}

/// RSA that always has the same answer.
pub(crate) struct Answer(pub(crate) Result<(), SignatureError>);

impl SignatureVerifier for Answer {
    fn verify(
        &mut self,
        _: RsaPublicKey<'_>,
        _: &[u8; 20],
        _: &[u8],
    ) -> Result<(), SignatureError> {
        self.0
    }
}

/// A key from `keys.json`.
pub(crate) struct RsaKey {
    n: BigUint,
    d: BigUint,
    /// SubjectPublicKeyInfo.
    pub(crate) spki: Vec<u8>,
}

impl RsaKey {
    /// The key with this name.
    pub(crate) fn named(name: &str) -> Self {
        let keys = vectors!("keys");
        let key = &keys[name];
        let number = |value: &Value| {
            let digits = value.as_str().expect("a string");
            BigUint::parse_bytes(digits.as_bytes(), 16).expect("a number")
        };
        Self {
            n: number(&key["n"]),
            d: number(&key["d"]),
            spki: field(&key["spki_der"]),
        }
    }

    /// The modulus.
    pub(crate) fn modulus(&self) -> Vec<u8> {
        self.n.to_bytes_be()
    }

    /// The signature over octets with this digest.
    pub(crate) fn sign(&self, digest: &[u8; 20]) -> Vec<u8> {
        let length = self.modulus().len();
        let message = BigUint::from_bytes_be(&encoded_message(digest, length));
        padded(&message.modpow(&self.d, &self.n), length)
    }
}

/// Numbers that depend on the first one only.
pub(crate) struct Predictable(pub(crate) u64);

impl Random for Predictable {
    fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    fn u64(&mut self) -> u64 {
        // The step and the mixing of splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
