// SPDX-License-Identifier: GPL-2.0
/*
 * Watches a file grow, as a download does, and the interfaces that feed it.
 *
 *	meter FILE SIZE [INTERFACE]...
 *
 * Prints "TIME OCTETS RECEIVED..." whenever a look finds more than the last
 * one: milliseconds since boot, octets in the file, octets that each interface
 * has received so far. Ends when the file has SIZE octets, or with exit status 1
 * when it has not grown for a minute. The last line is "looks LONGEST", the
 * longest time between two looks, which says how far the times can be trusted.
 */
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PATIENCE_MS	60000
#define LOOK_MS		10
#define INTERFACES	8

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Octets received by each of the named interfaces of this network namespace. */
static void print_received(char **names, int count)
{
	long long received[INTERFACES] = { 0 }, octets;
	char line[512], name[32];
	FILE *file = fopen("/proc/self/net/dev", "re");
	int i;

	if (!file)
		err(1, "/proc/self/net/dev");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %31[^: ]: %lld", name, &octets) != 2)
			continue;
		for (i = 0; i < count; i++)
			if (!strcmp(names[i], name))
				received[i] = octets;
	}
	fclose(file);
	for (i = 0; i < count; i++)
		printf(" %lld", received[i]);
}

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	const struct sched_param first = { .sched_priority = 1 };
	long long size, before = 0, grown, looked, now, longest = 0;
	struct stat file;

	if (argc < 3 || argc > 3 + INTERFACES)
		errx(2, "usage: meter FILE SIZE [INTERFACE]...");
	size = atoll(argv[2]);
	if (size <= 0)
		errx(2, "not a size: %s", argv[2]);
	/* What is measured keeps the processors busy, and must not delay the looks. */
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		warn("no real-time priority");

	grown = now_ms();
	looked = grown;
	while (before < size && looked - grown <= PATIENCE_MS) {
		nanosleep(&pause, NULL);
		now = now_ms();
		if (now - looked > longest)
			longest = now - looked;
		looked = now;
		if (stat(argv[1], &file) || file.st_size <= before)
			continue;
		before = file.st_size;
		grown = now;
		printf("%lld %lld", now, before);
		print_received(argv + 3, argc - 3);
		putchar('\n');
		fflush(stdout);
	}
	printf("looks %lld\n", longest);
	return before < size;
}
