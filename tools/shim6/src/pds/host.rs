// SPDX-License-Identifier: GPL-2.0

//! What the protocol's computations ask of their host: hash functions and random numbers.

use hmac::{
    Hmac,
    Mac, //
};
use sha1::{
    Digest,
    Sha1, //
};
use sha2::Sha256;
use shim6_proto::crypto::Digests;

/// Hash functions of the RustCrypto project.
pub(crate) struct Host;

impl Digests for Host {
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        hash.finalize().into()
    }

    fn hmac_sha256(&self, key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
        // A key shorter than a block is filled up with zeros (RFC 2104 section 2).
        let mut block = [0; 64];
        block[..32].copy_from_slice(key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_of_parts_is_that_of_the_whole() {
        let digest = "a9993e364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(hex::encode(Host.sha1(&[b"abc"])), digest);
        assert_eq!(hex::encode(Host.sha1(&[b"a", b"", b"bc"])), digest);
    }

    #[test]
    fn hmac_of_a_key_of_32_octets() {
        // RFC 4231 section 4.3 has the key "Jefe"; zeros behind a key do not change the result.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let parts: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
        assert_eq!(
            hex::encode(Host.hmac_sha256(&key, &parts)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
