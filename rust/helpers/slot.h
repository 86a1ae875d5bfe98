/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a processor remembers of an object: where it is, and a number that says whether that
 * still holds. Each processor has its own, and reads and writes it without a lock.
 */
#ifndef SHIM6_SLOT_H
#define SHIM6_SLOT_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>

struct shim6_slot {
	void *object;
	long number;
};

/*
 * The object with its number, or NULL. The caller may be preempted, and a softirq or another
 * processor may change the slot meanwhile: it does so with no object in it, so an object that is
 * the same before and after goes with the number between.
 */
static __always_inline void *shim6_slot_read(const struct shim6_slot *slot, long *number)
{
	void *object = READ_ONCE(slot->object);

	if (!object)
		return NULL;
	/* Pairs with the barriers in shim6_slot_write(). */
	smp_rmb();
	*number = READ_ONCE(slot->number);
	/* The same. */
	smp_rmb();
	return READ_ONCE(slot->object) == object ? object : NULL;
}

/* That of this processor, with bottom halves off. */
static __always_inline void shim6_slot_write(struct shim6_slot *slot, void *object, long number)
{
	WRITE_ONCE(slot->object, NULL);
	/* Pairs with the barriers in shim6_slot_read(). */
	smp_wmb();
	WRITE_ONCE(slot->number, number);
	/* The same. */
	smp_wmb();
	WRITE_ONCE(slot->object, object);
}

#endif /* SHIM6_SLOT_H */
