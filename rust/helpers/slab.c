// SPDX-License-Identifier: GPL-2.0
/* Slab caches: macros. */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/slab.h>

#include "helpers.h"

/* Objects that fill cache lines begin with one. */
struct kmem_cache *shim6_helper_cache_create(const char *name, unsigned int size,
					     unsigned int align)
{
	if (size % SMP_CACHE_BYTES == 0)
		align = SMP_CACHE_BYTES;
	return kmem_cache_create(name, size, align, 0, NULL);
}

void *shim6_helper_cache_alloc(struct kmem_cache *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}
