// SPDX-License-Identifier: GPL-2.0
/*
 * Asks for a context for each line of standard input, two ULIDs:
 *
 *	LOCAL PEER
 *
 * and tells how long it took from the first request until all of them, or as
 * many as could be in so many seconds, are established:
 *
 *	starts SECONDS
 *
 * prints "contexts=N milliseconds=N". Exit status 0 only if all are.
 */
#include "../netlink/netlink.h"

#include <poll.h>
#include <time.h>

#define MOST	16384

static char ulids[MOST][2][INET6_ADDRSTRLEN];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* Contexts established so far in this namespace. */
static unsigned long established(void)
{
	FILE *file = fopen("/proc/net/shim6_stat", "r");
	unsigned long value = 0;
	char line[128];

	if (!file)
		tap_bail("/proc/net/shim6_stat");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "ContextEstablished %lu", &value) == 1)
			break;
	fclose(file);
	return value;
}

/* The kernel takes so many requests at a time; what it refuses is asked for again. */
static void start(int fd, const char *local, const char *peer)
{
	struct request request;
	int error;

	do {
		begin_command(&request, SHIM6_CMD_CONTEXT_START, 0);
		put_address(&request, SHIM6_A_ULID_LOCAL, local);
		put_address(&request, SHIM6_A_ULID_PEER, peer);
		error = exchange(fd, &request, NULL, NULL).error;
		if (error == ENOSPC)
			poll(NULL, 0, 1);
	} while (error == ENOSPC);
	errno = error;
	if (error)
		tap_bail("context between %s and %s", local, peer);
}

int main(int argc, char **argv)
{
	double patience = (argc > 1 ? atof(argv[1]) : 60) * 1e3, begin, end;
	unsigned long before, done, i, n = 0;
	int fd = open_shim6();

	while (n < MOST && scanf("%45s %45s", ulids[n][0], ulids[n][1]) == 2)
		n++;
	before = established();
	begin = now();
	for (i = 0; i < n; i++)
		start(fd, ulids[i][0], ulids[i][1]);
	do {
		done = established() - before;
		end = now();
		/* Looking costs time that the work needs. */
		if (done < n)
			poll(NULL, 0, 20);
	} while (done < n && end - begin < patience);
	printf("contexts=%lu milliseconds=%.0f\n", done, end - begin);
	return done < n;
}
