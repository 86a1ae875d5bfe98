// SPDX-License-Identifier: GPL-2.0
/*
 * How fast this processor's time-stamp counter counts: kHz, against the monotonic clock.
 * Nothing is printed where there is no such counter.
 */
#include <stdio.h>
#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>

struct moment {
	long long ns;
	unsigned long long count;
};

static long long monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Both at once: of some looks, the one that took the least time. */
static struct moment look(void)
{
	struct moment best = { 0 };
	long long shortest = -1;

	for (int i = 0; i < 100; i++) {
		long long before = monotonic();
		unsigned long long count = __rdtsc();
		long long took = monotonic() - before;

		if (shortest >= 0 && took >= shortest)
			continue;
		shortest = took;
		best = (struct moment){ before + took / 2, count };
	}
	return best;
}

int main(void)
{
	const struct timespec while_it_counts = { .tv_nsec = 50000000 };
	struct moment first = look(), last;

	nanosleep(&while_it_counts, NULL);
	last = look();
	printf("%llu\n", (last.count - first.count) * 1000000 / (last.ns - first.ns));
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
