// SPDX-License-Identifier: GPL-2.0
/* Digests, signatures and hashes: inline functions. */
#include <crypto/sig.h>
#include <linux/siphash.h>

#include "helpers.h"

void shim6_helper_crypto_free_sig(struct crypto_sig *sig)
{
	crypto_free_sig(sig);
}

int shim6_helper_crypto_sig_set_pubkey(struct crypto_sig *sig, const void *key, unsigned int len)
{
	return crypto_sig_set_pubkey(sig, key, len);
}

int shim6_helper_crypto_sig_set_privkey(struct crypto_sig *sig, const void *key, unsigned int len)
{
	return crypto_sig_set_privkey(sig, key, len);
}

int shim6_helper_crypto_sig_verify(struct crypto_sig *sig, const void *signature,
				   unsigned int signature_len, const void *digest,
				   unsigned int digest_len)
{
	return crypto_sig_verify(sig, signature, signature_len, digest, digest_len);
}

int shim6_helper_crypto_sig_sign(struct crypto_sig *sig, const void *digest,
				 unsigned int digest_len, void *signature,
				 unsigned int signature_len)
{
	return crypto_sig_sign(sig, digest, digest_len, signature, signature_len);
}

u64 shim6_helper_siphash(const void *data, size_t len, const u64 *key)
{
	const siphash_key_t siphash_key = { .key = { key[0], key[1] } };

	return siphash(data, len, &siphash_key);
}
