// SPDX-License-Identifier: GPL-2.0
/*
 * rhashtable wants constant parameters where it is inlined. An element is a
 * struct rhash_head (or rhlist_head) followed by the key; there is one set of
 * parameters for each length of key.
 */
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/rhashtable-types.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>

#include "hash.h"
#include "helpers.h"

static u64 factors[SHIM6_HASH_FACTORS] __read_mostly;

/* Chooses them before the first table is used. */
static void choose_factors(void)
{
	static DEFINE_MUTEX(lock);
	static bool chosen;

	mutex_lock(&lock);
	if (!chosen)
		get_random_bytes(factors, sizeof(factors));
	chosen = true;
	mutex_unlock(&lock);
}

static __always_inline u32 hash_8(const void *key, u32 len, u32 seed)
{
	return shim6_hash_8(key, seed, factors);
}

static __always_inline u32 hash_36(const void *key, u32 len, u32 seed)
{
	return shim6_hash_36(key, seed, factors);
}

#define TABLE_PARAMS(len, compare) {					\
	.head_offset = 0,						\
	.key_offset = sizeof(struct rhash_head),			\
	.key_len = (len),						\
	.hashfn = hash_##len,						\
	.obj_cmpfn = (compare),						\
	.automatic_shrinking = true,					\
}

static __always_inline u64 differ_at(const void *a, const void *b, unsigned int at)
{
	return get_unaligned((const u64 *)(a + at)) ^ get_unaligned((const u64 *)(b + at));
}

/*
 * These are not zero if keys differ, and call nothing. A copy on the stack would be cleared
 * first, and read in other pieces than it was written in.
 */
static __always_inline int compare_36(struct rhashtable_compare_arg *arg, const void *object)
{
	const void *one = arg->key, *other = object + sizeof(struct rhash_head);

	return (differ_at(one, other, 0) | differ_at(one, other, 8) | differ_at(one, other, 16) |
		differ_at(one, other, 24) |
		(get_unaligned((const u32 *)(one + 32)) ^
		 get_unaligned((const u32 *)(other + 32)))) != 0;
}

static __always_inline int compare_8(struct rhashtable_compare_arg *arg, const void *object)
{
	return differ_at(arg->key, object + sizeof(struct rhash_head), 0) != 0;
}

static const struct rhashtable_params params_8 = TABLE_PARAMS(8, compare_8);
static const struct rhashtable_params params_36 = TABLE_PARAMS(36, compare_36);
static const struct rhashtable_params list_params_8 = {
	.head_offset = 0,
	.key_offset = sizeof(struct rhlist_head),
	.key_len = 8,
	.hashfn = hash_8,
	.automatic_shrinking = true,
};

int shim6_helper_table_init(struct rhashtable *table, unsigned int key_len)
{
	choose_factors();
	switch (key_len) {
	case 8:
		return rhashtable_init(table, &params_8);
	case 36:
		return rhashtable_init(table, &params_36);
	default:
		return -EINVAL;
	}
}

#define TABLE_OPERATIONS(len)							\
void *shim6_helper_table_lookup_##len(struct rhashtable *table, const void *key)	\
{										\
	return rhashtable_lookup(table, key, params_##len);			\
}										\
int shim6_helper_table_insert_##len(struct rhashtable *table, struct rhash_head *node)	\
{										\
	return rhashtable_lookup_insert_fast(table, node, params_##len);	\
}										\
int shim6_helper_table_remove_##len(struct rhashtable *table, struct rhash_head *node)	\
{										\
	return rhashtable_remove_fast(table, node, params_##len);		\
}

TABLE_OPERATIONS(8)
TABLE_OPERATIONS(36)

int shim6_helper_list_table_init_8(struct rhltable *table)
{
	choose_factors();
	return rhltable_init(table, &list_params_8);
}

struct rhlist_head *shim6_helper_list_table_lookup_8(struct rhltable *table, const void *key)
{
	return rhltable_lookup(table, key, list_params_8);
}

struct rhlist_head *shim6_helper_list_table_next(struct rhlist_head *node)
{
	return rcu_dereference(node->next);
}

int shim6_helper_list_table_insert_8(struct rhltable *table, struct rhlist_head *node)
{
	return rhltable_insert(table, node, list_params_8);
}

int shim6_helper_list_table_remove_8(struct rhltable *table, struct rhlist_head *node)
{
	return rhltable_remove(table, node, list_params_8);
}

bool shim6_helper_refcount_inc_not_zero(void *refcount)
{
	return refcount_inc_not_zero(refcount);
}

void *shim6_helper_rcu_swap(void **slot, void *value)
{
	return xchg(slot, value);
}
