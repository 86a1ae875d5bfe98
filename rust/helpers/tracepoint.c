// SPDX-License-Identifier: GPL-2.0
/* Tracepoints of the kernel, which modules find by name. */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "helpers.h"

#ifdef CONFIG_TRACEPOINTS

struct search {
	const char *name;
	struct tracepoint *found;
};

static void compare(struct tracepoint *tp, void *data)
{
	struct search *search = data;

	if (!strcmp(tp->name, search->name))
		search->found = tp;
}

static struct tracepoint *find(const char *name)
{
	struct search search = { .name = name };

	for_each_kernel_tracepoint(compare, &search);
	return search.found;
}

/* Of the kernel itself, not of a module, so that it cannot go away. */
int shim6_helper_tracepoint_register(const char *name, void *probe, void *data)
{
	struct tracepoint *tp = find(name);

	return tp ? tracepoint_probe_register(tp, probe, data) : -ENOENT;
}

void shim6_helper_tracepoint_unregister(const char *name, void *probe, void *data)
{
	tracepoint_probe_unregister(find(name), probe, data);
}

#else

int shim6_helper_tracepoint_register(const char *name, void *probe, void *data)
{
	return -ENOENT;
}

void shim6_helper_tracepoint_unregister(const char *name, void *probe, void *data)
{
}

#endif

void shim6_helper_tracepoint_synchronize(void)
{
	tracepoint_synchronize_unregister();
}
