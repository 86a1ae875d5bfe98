// SPDX-License-Identifier: GPL-2.0
/*
 * rhashtable wants constant parameters where it is inlined. An element is a
 * struct rhash_head (or rhlist_head) followed by the key; there is one set of
 * parameters for each length of key.
 */
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/rhashtable-types.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>

#include "hash.h"
#include "helpers.h"
#include "slot.h"

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

/*
 * What a processor found last, in front of the table: neither the hash nor the chain is needed for
 * it, which are several cache lines, each of which says where the next one is.
 *
 * The number of a slot is how many elements had been taken out before its node was found. Whoever
 * takes one out counts that before its grace period begins. So if as many have been taken out now
 * as then, the grace period of the node has not begun when that is read, and cannot end before the
 * reader's RCU read lock.
 */

/* One cache line. */
#define RECENT	4

int shim6_helper_table_init(struct shim6_helper_table *table, unsigned int key_len,
			    bool keeps_recent)
{
	const struct rhashtable_params *params;
	int err;

	choose_factors();
	switch (key_len) {
	case 8:
		params = &params_8;
		break;
	case 36:
		params = &params_36;
		break;
	default:
		return -EINVAL;
	}
	table->recent = NULL;
	atomic_long_set(&table->removals, 0);
	/* Where a count may come round, it says nothing. */
	if (keeps_recent && IS_ENABLED(CONFIG_64BIT)) {
		table->recent = __alloc_percpu(sizeof(struct shim6_slot[RECENT]),
					       sizeof(struct shim6_slot[RECENT]));
		if (!table->recent)
			return -ENOMEM;
	}
	err = rhashtable_init(&table->table, params);
	if (err)
		free_percpu(table->recent);
	return err;
}

/* Nobody can reach the table any more. */
void shim6_helper_table_destroy(struct shim6_helper_table *table,
				void (*release)(void *node, void *arg))
{
	rhashtable_free_and_destroy(&table->table, release, NULL);
	free_percpu(table->recent);
}

/* The last octets of both addresses. */
static __always_inline unsigned int recent_of_36(const void *key)
{
	const u8 *octets = key;

	return (octets[15] ^ octets[31]) % RECENT;
}

static __always_inline unsigned int recent_of_8(const void *key)
{
	return get_unaligned((const u64 *)key) % RECENT;
}

static __always_inline struct shim6_slot *recent_slot(struct shim6_helper_table *table,
						      unsigned int index)
{
	struct shim6_slot __percpu *slots = table->recent;

	/* Whoever is preempted may look at that of another processor: as any reader. */
	return raw_cpu_ptr(slots) + index;
}

/* What was found there, if it is still in the table or was a moment ago. */
static __always_inline struct rhash_head *find_recent(const struct shim6_slot *slot, long removals)
{
	long then;
	struct rhash_head *node = shim6_slot_read(slot, &then);

	return node && then == removals ? node : NULL;
}

static noinline void keep_recent(struct shim6_helper_table *table, unsigned int index,
				 struct rhash_head *node, long removals)
{
	local_bh_disable();
	shim6_slot_write(recent_slot(table, index), node, removals);
	local_bh_enable();
}

/*
 * The count is read before the table, and raised after an element was taken out of that: who
 * reads the count that was raised does not find the element.
 */
#define TABLE_OPERATIONS(len)								\
/* Found in the table, and remembered from now on. */					\
static noinline void *look_up_##len(struct shim6_helper_table *table, const void *key)	\
{											\
	long removals = atomic_long_read_acquire(&table->removals);			\
	struct rhash_head *node = rhashtable_lookup(&table->table, key, params_##len);	\
											\
	if (node && table->recent)							\
		keep_recent(table, recent_of_##len(key), node, removals);		\
	return node;									\
}											\
void *shim6_helper_table_lookup_##len(struct shim6_helper_table *table, const void *key)	\
{											\
	struct rhashtable_compare_arg arg = { .ht = &table->table, .key = key };	\
	struct rhash_head *node;							\
	long removals;									\
											\
	if (!table->recent)								\
		return look_up_##len(table, key);					\
	removals = atomic_long_read_acquire(&table->removals);				\
	node = find_recent(recent_slot(table, recent_of_##len(key)), removals);		\
	if (likely(node && !compare_##len(&arg, node)))					\
		return node;								\
	return look_up_##len(table, key);						\
}											\
int shim6_helper_table_insert_##len(struct shim6_helper_table *table,			\
				    struct rhash_head *node)				\
{											\
	return rhashtable_lookup_insert_fast(&table->table, node, params_##len);	\
}											\
int shim6_helper_table_remove_##len(struct shim6_helper_table *table,			\
				    struct rhash_head *node)				\
{											\
	int err = rhashtable_remove_fast(&table->table, node, params_##len);		\
											\
	/* Ordered, as the value is returned. */					\
	if (!err)									\
		atomic_long_inc_return(&table->removals);				\
	return err;									\
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
