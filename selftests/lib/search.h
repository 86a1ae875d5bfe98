/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A search for inputs that reach what none had reached: those that do are kept and changed
 * again. What an input is, how it is changed and what is done with it is up to the program.
 */
#ifndef SELFTESTS_SEARCH_H
#define SELFTESTS_SEARCH_H

#include "coverage.h"

enum { CORPUS = 4096 };

static uint64_t chance_state;
static void *corpus[CORPUS];
static unsigned int corpus_count;

/* xorshift64*: the same on every machine, so that a seed finds the same again. */
static unsigned int chance(unsigned int below)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return ((chance_state * 0x2545f4914f6cdd1d) >> 33) % below;
}

/* FNV-1a, of what an answer was: begins with NOTHING. */
#define NOTHING			0xcbf29ce484222325ULL

static uint64_t mixed(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x100000001b3;
}

/* What the program has: changes an input, with help of another one. */
static void change(void *input, void *other);

/* Does what an input says; returns whether it got an answer that none had got, see is_new(). */
static bool run(const void *input);

/* Afterwards everything is as it was before; not called for coverage. */
static void clean(void);

struct search {
	unsigned long seed, inputs;
	size_t size;			/* octets of an input */
};

/*
 * With a seed and a number of inputs from the command line, or with many where the kernel has
 * coverage, which is returned, and few elsewhere.
 */
static bool begin_search(struct search *search, size_t size, int argc, char **argv)
{
	bool covers = begin_coverage();

	search->seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	search->inputs = argc > 2 ? strtoul(argv[2], NULL, 0) : covers ? 10000 : 2000;
	search->size = size;
	chance_state = search->seed * 2 + 1;
	return covers;
}

static void keep(const struct search *search, const void *input)
{
	if (corpus_count == CORPUS)
		return;
	corpus[corpus_count] = malloc(search->size);
	if (!corpus[corpus_count])
		tap_bail("memory");
	memcpy(corpus[corpus_count++], input, search->size);
}

/* Begins with what was kept before, and reports how many were kept. */
static void search(const struct search *search)
{
	unsigned int seeds = corpus_count;
	void *input = malloc(search->size);

	if (!input)
		tap_bail("memory");
	for (unsigned long round = 0; round < search->inputs; round++) {
		bool found;

		memcpy(input, corpus[round < seeds ? round : chance(corpus_count)], search->size);
		if (round >= seeds)
			change(input, corpus[chance(corpus_count)]);
		forget_trace();
		found = run(input);
		if ((new_addresses() || found) && round >= seeds)
			keep(search, input);
		clean();
	}
	free(input);
	tap_note("seed %lu, %lu inputs, %u of them kept; %u addresses and answers seen",
		 search->seed, search->inputs, corpus_count - seeds, seen_count);
	tap_ok(corpus_count > seeds + 50, "changes reach what was not reached before");
}

/* What was reached, room by room; whether it is nearly all of one of them. */
static void report(const char *room)
{
	static const char *const rooms[] = {
		"netlink", "context", "control", "kernel_ext", "proto", "datapath", "socket",
		"helpers", "",
	};
	unsigned int all, instructions, found;

	read_functions();
	attribute_addresses();
	for (unsigned int i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		found = reached(rooms[i], &all, &instructions);
		tap_note("%-10s %5u of %5u functions, %5u addresses", i < 8 ? rooms[i] : "other",
			 found, all, instructions);
	}
	found = reached(room, &all, &instructions);
	/* Some run only when the module is loaded or goes. */
	for (unsigned int i = 0; i < function_count; i++)
		if (!strcmp(functions[i].room, room) && !functions[i].addresses)
			tap_note("not reached: %s", functions[i].name);
	tap_ok(all && found * 8 >= all * 7, "seven eighths of the functions of rust/%s are reached",
	       room);
}

#endif /* SELFTESTS_SEARCH_H */
