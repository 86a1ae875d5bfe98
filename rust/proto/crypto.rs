// SPDX-License-Identifier: GPL-2.0

//! The cryptography that the protocol asks for and does not bring with it: the module has the
//! kernel's, host programs have their own.

use super::rsa_key::RsaPublicKey;

/// Hash functions. They cost little, cannot fail and may be called anywhere.
pub trait Digests {
    /// SHA-1 of the parts, one behind the other. CGA and HBA are defined with it (RFC 3972,
    /// Section 3), and that collisions can be found does not hurt them (RFC 4982, Section 3).
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20];
}

/// A hash that nobody can foresee who does not know the key, for what only this host has to know
/// again. Costs next to nothing, cannot fail and may be called anywhere.
pub trait KeyedHash {
    /// SipHash-2-4 of the octets. The words of the key are what its authors call k0 and k1.
    fn siphash(&self, key: &[u64; 2], octets: &[u8]) -> u64;
}

/// RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017, Section 8.2.2). This is the expensive step of a
/// verification, and it may sleep.
pub trait SignatureVerifier {
    /// Checks that `signature` is one of `key` over the octets with this SHA-1 digest. The whole
    /// encoded message has to be compared.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    fn verify(
        &mut self,
        key: RsaPublicKey<'_>,
        digest: &[u8; 20],
        signature: &[u8],
    ) -> Result<(), SignatureError>;
}

/// Why there is no proof that a signature is right.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SignatureError {
    /// It is wrong.
    Wrong,
    /// Keys like this one cannot be used, for example because of their size.
    Unsupported,
    /// It could not be checked, for example for want of memory. Says nothing about it.
    Failed,
}
