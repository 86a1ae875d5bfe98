// SPDX-License-Identifier: GPL-2.0
/* Arrays of 64-bit counters, one per CPU. */
#include <linux/percpu.h>

#include "helpers.h"

void __percpu *shim6_helper_alloc_counters(unsigned int count)
{
	return __alloc_percpu(count * sizeof(u64), __alignof__(u64));
}

void shim6_helper_free_counters(void __percpu *counters)
{
	free_percpu(counters);
}

void shim6_helper_counter_inc(void __percpu *counters, unsigned int index)
{
	u64 __percpu *array = counters;

	this_cpu_inc(array[index]);
}

/* The same. The time, as shim6_helper_coarse_msecs(). */
u64 shim6_helper_counter_inc_at(void __percpu *counters, unsigned int index)
{
	shim6_helper_counter_inc(counters, index);
	return shim6_helper_coarse_msecs();
}

u64 shim6_helper_counter_sum(const void __percpu *counters, unsigned int index)
{
	const u64 __percpu *array = counters;
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(&array[index], cpu);
	return sum;
}
