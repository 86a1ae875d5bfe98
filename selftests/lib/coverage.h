/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this thread's system calls have reached of the module: addresses of its code by
 * KCOV, where the kernel has that, and the functions that they are in.
 */
#ifndef SELFTESTS_COVERAGE_H
#define SELFTESTS_COVERAGE_H

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

#define KCOV_INIT_TRACE		_IOR('c', 1, unsigned long)
#define KCOV_ENABLE		_IO('c', 100)
#define KCOV_TRACE_PC		0

/* Addresses of one input, and different ones of all. */
#define TRACE_LENGTH		262144UL
#define SEEN_SLOTS		262144UL	/* a power of two, see is_new() */

static unsigned long *trace;
static uint64_t seen[SEEN_SLOTS];
static unsigned int seen_count;

/* Whether there is coverage; from here on it is that of the calling thread. */
static bool begin_coverage(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (ioctl(fd, KCOV_INIT_TRACE, TRACE_LENGTH))
		tap_bail("KCOV_INIT_TRACE");
	trace = mmap(NULL, TRACE_LENGTH * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     0);
	if (trace == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		tap_bail("KCOV_ENABLE");
	return true;
}

static void forget_trace(void)
{
	if (trace)
		__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
}

/* Something else than an address that is worth to be seen, of a hash. */
#define OTHER_PREFIX		0x7eedULL

static uint64_t other_than_address(uint64_t hash)
{
	return OTHER_PREFIX << 48 | hash >> 16;
}

/* Whether nothing like this was seen before. */
static bool is_new(uint64_t what)
{
	uint64_t slot = what * 0x9e3779b97f4a7c15 >> 46;

	while (seen[slot]) {
		if (seen[slot] == what)
			return false;
		slot = (slot + 1) % SEEN_SLOTS;
	}
	if (seen_count > SEEN_SLOTS / 2)
		tap_bail("too much was reached");
	seen[slot] = what;
	seen_count++;
	return true;
}

/* How many addresses were reached since the trace was forgotten that were not before. */
static unsigned int new_addresses(void)
{
	unsigned long count = trace ? __atomic_load_n(&trace[0], __ATOMIC_RELAXED) : 0;
	unsigned int found = 0;

	for (unsigned long i = 1; i <= count && i < TRACE_LENGTH; i++)
		found += is_new(trace[i]);
	return found;
}

/* Functions of the module. */
struct function {
	uint64_t begin;
	char room[24];		/* directory of the sources, "" if it is not known */
	unsigned int addresses;	/* that were reached */
	char name[512];
};

static struct function functions[8192];
static unsigned int function_count;

/*
 * The room of a Rust function of the crate shim6, whose name has "5shim6" and then length
 * and name of each module on the way to it; and of a helper in C.
 */
static void find_room(struct function *function)
{
	const char *at = strstr(function->name, "5shim6");
	unsigned long len = 0;
	char *end;

	if (at && isdigit((unsigned char)at[6]))
		len = strtoul(at + 6, &end, 10);
	if (len && len < sizeof(function->room) && len <= strlen(end))
		memcpy(function->room, end, len);
	else if (!strncmp(function->name, "shim6_", 6))
		memcpy(function->room, "helpers", sizeof("helpers"));
}

static int by_address(const void *one, const void *other)
{
	const struct function *a = one, *b = other;

	return a->begin < b->begin ? -1 : a->begin > b->begin;
}

static void read_functions(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	struct function *function;
	char line[640], type, module[16];

	if (!file)
		tap_bail("/proc/kallsyms");
	while (fgets(line, sizeof(line), file)) {
		function = &functions[function_count];
		if (sscanf(line, "%" SCNx64 " %c %511s %15s", &function->begin, &type,
			   function->name, module) != 4)
			continue;
		if (strcmp(module, "[shim6]") || tolower(type) != 't')
			continue;
		find_room(function);
		if (++function_count == sizeof(functions) / sizeof(functions[0]))
			tap_bail("the module has too many functions");
	}
	fclose(file);
	qsort(functions, function_count, sizeof(functions[0]), by_address);
}

/* Fills in what was reached of each function. */
static void attribute_addresses(void)
{
	for (unsigned long i = 0; i < SEEN_SLOTS; i++) {
		unsigned int low = 0, high = function_count;

		if (seen[i] >> 48 == OTHER_PREFIX)
			continue;
		while (low + 1 < high) {
			unsigned int middle = (low + high) / 2;

			if (functions[middle].begin <= seen[i])
				low = middle;
			else
				high = middle;
		}
		if (function_count && functions[low].begin <= seen[i])
			functions[low].addresses++;
	}
}

/* How many functions of a room there are, and how many of them were reached. */
static unsigned int reached(const char *room, unsigned int *all, unsigned int *instructions)
{
	unsigned int found = 0;

	*all = *instructions = 0;
	for (unsigned int i = 0; i < function_count; i++) {
		if (strcmp(functions[i].room, room))
			continue;
		(*all)++;
		*instructions += functions[i].addresses;
		found += functions[i].addresses != 0;
	}
	return found;
}

#endif /* SELFTESTS_COVERAGE_H */
