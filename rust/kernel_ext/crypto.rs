// SPDX-License-Identifier: GPL-2.0

//! Digests and signatures.
//!
//! C headers: [`include/crypto/sha1.h`](srctree/include/crypto/sha1.h),
//! [`include/crypto/sha2.h`](srctree/include/crypto/sha2.h),
//! [`include/crypto/sig.h`](srctree/include/crypto/sig.h)

use crate::{
    bindings,
    kernel_ext::compat::errno::{
        EBADMSG,
        EKEYREJECTED, //
    }, //
};
use core::{
    mem::MaybeUninit,
    ptr::NonNull, //
};
use kernel::{
    c_str,
    error::{
        from_err_ptr,
        to_result, //
    },
    ffi::c_uint,
    prelude::*, //
};

/// SHA-1 over the parts, one behind the other. Any context.
pub(crate) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut context = MaybeUninit::uninit();
    let mut digest = [0; 20];
    // SAFETY: The place is valid for a context, which this initialises.
    unsafe { bindings::sha1_init(context.as_mut_ptr()) };
    for part in parts {
        // SAFETY: The context is initialised, and the slice has this length.
        unsafe { bindings::sha1_update(context.as_mut_ptr(), part.as_ptr(), part.len()) };
    }
    // SAFETY: The context is initialised, and a digest has 20 octets.
    unsafe { bindings::sha1_final(context.as_mut_ptr(), digest.as_mut_ptr()) };
    digest
}

/// Why there is no good signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// It is not the signature of this digest by this key.
    Wrong,
    /// The key is malformed, or of a size that the kernel does not do.
    Unsupported,
    /// It could not be found out: memory is short, or something else went wrong.
    Failed,
}

/// A signature scheme of the kernel's crypto API, with no key yet.
///
/// # Invariants
///
/// The pointer is what `crypto_alloc_sig` gave.
pub(crate) struct Signature(NonNull<bindings::crypto_sig>);

// SAFETY: The object may be used by any thread, one at a time.
unsafe impl Send for Signature {}
// SAFETY: Nothing can be done with a shared reference.
unsafe impl Sync for Signature {}

impl Signature {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, Section 8.2) with SHA-1. Process context; may load modules.
    ///
    /// # Errors
    ///
    /// `ENOENT` if the kernel does not have it, `ENOMEM`.
    pub(crate) fn pkcs1_rsa_sha1() -> Result<Self> {
        // SAFETY: The name is a string.
        let sig = from_err_ptr(unsafe {
            bindings::crypto_alloc_sig(c_str!("pkcs1(rsa,sha1)").as_char_ptr(), 0, 0)
        })?;
        // INVARIANT: This is it.
        NonNull::new(sig).map(Self).ok_or(ENOENT)
    }

    /// Verifies the signature of a digest by the key whose DER encoding as `RSAPublicKey` (RFC
    /// 8017, Section A.1.1) is given. Process context, may sleep.
    pub(crate) fn verify(
        &mut self,
        public_key: &[u8],
        digest: &[u8; 20],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let key_len = length(public_key)?;
        // Keys have a size at which lengths do not overflow.
        let signature_len = length(signature).map_err(|_| SignatureError::Wrong)?;
        // SAFETY: By the type invariant; the key has this length.
        to_result(unsafe {
            bindings::shim6_helper_crypto_sig_set_pubkey(
                self.0.as_ptr(),
                public_key.as_ptr().cast(),
                key_len,
            )
        })
        .map_err(key_error)?;
        // SAFETY: By the type invariant; both slices have these lengths.
        to_result(unsafe {
            bindings::shim6_helper_crypto_sig_verify(
                self.0.as_ptr(),
                signature.as_ptr().cast(),
                signature_len,
                digest.as_ptr().cast(),
                digest.len() as c_uint,
            )
        })
        .map_err(|error| {
            // A signature of another length than the key's, of no number below the modulus, with
            // the wrong padding, of another digest.
            if [EINVAL, EBADMSG, EKEYREJECTED].contains(&error) {
                SignatureError::Wrong
            } else {
                SignatureError::Failed
            }
        })
    }

    /// Signs a digest by the key whose DER encoding as `RSAPrivateKey` (RFC 8017, Section A.1.2) is
    /// given, and returns the length of the signature, which is that of the modulus. Process
    /// context, may sleep.
    ///
    /// # Errors
    ///
    /// Never [`SignatureError::Wrong`]. A key whose signatures are longer than the buffer is
    /// [`SignatureError::Unsupported`].
    pub(crate) fn sign(
        &mut self,
        private_key: &[u8],
        digest: &[u8; 20],
        signature: &mut [u8],
    ) -> Result<usize, SignatureError> {
        let key_len = length(private_key)?;
        // SAFETY: By the type invariant; the key has this length.
        to_result(unsafe {
            bindings::shim6_helper_crypto_sig_set_privkey(
                self.0.as_ptr(),
                private_key.as_ptr().cast(),
                key_len,
            )
        })
        .map_err(key_error)?;
        // SAFETY: By the type invariant; both slices have these lengths.
        let len = unsafe {
            bindings::shim6_helper_crypto_sig_sign(
                self.0.as_ptr(),
                digest.as_ptr().cast(),
                digest.len() as c_uint,
                signature.as_mut_ptr().cast(),
                length(signature)?,
            )
        };
        match to_result(len) {
            Ok(()) => Ok(len.unsigned_abs() as usize),
            Err(error) if error == EOVERFLOW => Err(SignatureError::Unsupported),
            Err(_) => Err(SignatureError::Failed),
        }
    }
}

impl Drop for Signature {
    fn drop(&mut self) {
        // SAFETY: By the type invariant; nobody else has the pointer.
        unsafe { bindings::shim6_helper_crypto_free_sig(self.0.as_ptr()) };
    }
}

fn length(octets: &[u8]) -> Result<c_uint, SignatureError> {
    c_uint::try_from(octets.len()).map_err(|_| SignatureError::Unsupported)
}

fn key_error(error: Error) -> SignatureError {
    if error == ENOMEM {
        SignatureError::Failed
    } else {
        SignatureError::Unsupported
    }
}
