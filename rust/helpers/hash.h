/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of the keys of tables. A test includes this, too: the includer has u32, u64,
 * get_unaligned() and __always_inline.
 */
#ifndef SHIM6_HASH_H
#define SHIM6_HASH_H

/* Of the words of the longest key, in pairs. */
#define SHIM6_HASH_FACTORS	10

static __always_inline u64 shim6_hash_word(const void *key, unsigned int i)
{
	return get_unaligned((const u32 *)key + i);
}

static __always_inline u64 shim6_hash_pair(u64 first, u64 second, const u64 *factors, u64 other)
{
	return (factors[0] + other + first) * (factors[1] + second);
}

/*
 * Multilinear hashing, two words with one multiplication (Lemire and Kaser, "Strongly
 * universal string hashing is fast", 2014): of two keys that were chosen without knowing the
 * factors, the upper halves of the sums are equal with a probability of 2^-32. Peers choose
 * most of what is hashed. Another @seed makes other sums of the same factors.
 */
static __always_inline u64 shim6_hash_pairs(const void *key, unsigned int pairs, u64 other,
					    const u64 *factors)
{
	u64 sum = shim6_hash_pair(shim6_hash_word(key, 0), shim6_hash_word(key, 1), factors, other);

	/* Written out: a loop stays one, with a check of each index. */
	if (pairs > 1)
		sum += shim6_hash_pair(shim6_hash_word(key, 2), shim6_hash_word(key, 3),
				       factors + 2, other);
	if (pairs > 2)
		sum += shim6_hash_pair(shim6_hash_word(key, 4), shim6_hash_word(key, 5),
				       factors + 4, other);
	if (pairs > 3)
		sum += shim6_hash_pair(shim6_hash_word(key, 6), shim6_hash_word(key, 7),
				       factors + 6, other);
	return sum;
}

/*
 * The hash for a sum. Of keys that follow each other, the sums do so as well, with steps that
 * are a fraction of the table's size now and then: then they would meet in few places. Such
 * steps do not survive this, which makes no two sums equal.
 */
static __always_inline u32 shim6_hash_of(u64 sum)
{
	u32 hash = sum >> 32;

	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	return hash ^ hash >> 13;
}

static __always_inline u32 shim6_hash_8(const void *key, u32 seed, const u64 *factors)
{
	return shim6_hash_of(shim6_hash_pairs(key, 1, (u64)seed << 32 | seed, factors));
}

static __always_inline u32 shim6_hash_36(const void *key, u32 seed, const u64 *factors)
{
	const u64 other = (u64)seed << 32 | seed;

	return shim6_hash_of(shim6_hash_pairs(key, 4, other, factors) +
			     shim6_hash_pair(shim6_hash_word(key, 8), 0, factors + 8, other));
}

#endif /* SHIM6_HASH_H */
