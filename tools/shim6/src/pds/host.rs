// SPDX-License-Identifier: GPL-2.0

//! What the protocol's computations ask of their host: hash functions and random numbers.

use sha1::{
    Digest,
    Sha1, //
};
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
}
