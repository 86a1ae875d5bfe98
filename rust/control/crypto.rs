// SPDX-License-Identifier: GPL-2.0

//! The kernel's cryptography as the protocol asks for it.

use crate::{
    kernel_ext::{
        compat::errno::EKEYREJECTED,
        crypto,
        siphash, //
    },
    proto::{
        crypto::{
            Digests,
            KeyedHash,
            SignatureError,
            SignatureVerifier, //
        },
        rsa_key::RsaPublicKey,
    },
};
use kernel::prelude::*;

/// Hashes, for any context.
pub(super) struct KernelDigests;

impl Digests for KernelDigests {
    fn sha1(&self, parts: &[&[u8]]) -> [u8; 20] {
        crypto::sha1(parts)
    }
}

impl KeyedHash for KernelDigests {
    fn siphash(&self, key: &[u64; 2], octets: &[u8]) -> u64 {
        siphash::siphash(key, octets)
    }
}

/// Signatures, for process context: sleeps.
pub(super) struct KernelVerifier;

impl SignatureVerifier for KernelVerifier {
    fn verify(
        &mut self,
        key: RsaPublicKey<'_>,
        digest: &[u8; 20],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        crypto::Signature::pkcs1_rsa_sha1()
            .map_err(|_| SignatureError::Failed)?
            .verify(key.as_der(), digest, signature)
            .map_err(|error| match error {
                crypto::SignatureError::Wrong => SignatureError::Wrong,
                crypto::SignatureError::Unsupported => SignatureError::Unsupported,
                crypto::SignatureError::Failed => SignatureError::Failed,
            })
    }
}

/// The signature of a digest. Process context, sleeps.
pub(super) fn sign(private_key: &[u8], digest: &[u8; 20]) -> Result<KVec<u8>> {
    /// Octets of the longest signature, of a key with 4096 bits.
    const LONGEST: usize = 512;

    let mut signature = KVec::from_elem(0, LONGEST, GFP_KERNEL)?;
    let len = crypto::Signature::pkcs1_rsa_sha1()?
        .sign(private_key, digest, &mut signature)
        .map_err(|_| EKEYREJECTED)?;
    signature.truncate(len);
    Ok(signature)
}
