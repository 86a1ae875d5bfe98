// SPDX-License-Identifier: GPL-2.0
/*
 * Keys of the module's tables that follow each other, as addresses and tags do where people
 * number them, have to meet no more often than others: of a table whose chains get longer than
 * rhashtable allows (16), additions are refused while it grows.
 */
#include "../lib/tap.h"

#include <arpa/inet.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;

/* What is read here is aligned. */
#define get_unaligned(place) (*(place))

#include "../../rust/helpers/hash.h"

/* What rhashtable allows, and how full its tables get. */
#define LONGEST		16
#define FULL(size)	((size) / 4 * 3)

#define LARGEST		16384
#define DRAWS		3000

/* splitmix64 */
static u64 state = 1;

static u64 draw(void)
{
	u64 z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Keys of 9 words: two addresses and a number; or of 2: a tag. */
struct key {
	u32 words[9];
};

/* Hosts of one subnet. */
static struct key host(u32 i)
{
	return (struct key){ { htonl(0x20010db8), 0, 0, htonl(1),
			       htonl(0x20010db8), htonl(1), 0, htonl(i), 0 } };
}

/* Subnets, the same host in each. */
static struct key subnet(u32 i)
{
	return (struct key){ { htonl(0x20010db8), 0, 0, htonl(1),
			       htonl(0x20010db8), htonl(i), 0, htonl(1), 0 } };
}

/* Pairs of 64 hosts with many. */
static struct key pair(u32 i)
{
	return (struct key){ { htonl(0x20010db8), 0, 0, htonl(i % 64),
			       htonl(0x20010db8), htonl(1), 0, htonl(i / 64), 0 } };
}

/* Forks of one pair. */
static struct key instance(u32 i)
{
	return (struct key){ { htonl(0x20010db8), 0, 0, htonl(1),
			       htonl(0x20010db8), htonl(1), 0, htonl(2), i } };
}

static struct key tag(u32 i)
{
	return (struct key){ { i, 0 } };
}

static struct key swapped_tag(u32 i)
{
	return (struct key){ { 0, htonl(i) } };
}

static const struct kind {
	const char *what;
	struct key (*key)(u32 i);
	bool is_tag;
} kinds[] = {
	{ "hosts of a subnet", host, false },
	{ "subnets", subnet, false },
	{ "pairs of many hosts", pair, false },
	{ "instances of a pair", instance, false },
	{ "tags", tag, true },
	{ "tags, the other way round", swapped_tag, true },
};

/* The longest chain of a table of @size, with factors drawn anew. */
static unsigned int longest_chain(const struct kind *kind, unsigned int size)
{
	static unsigned short chains[LARGEST];
	u64 factors[SHIM6_HASH_FACTORS];
	unsigned int i, longest = 0;
	u32 seed = draw();

	for (i = 0; i < SHIM6_HASH_FACTORS; i++)
		factors[i] = draw();
	memset(chains, 0, size * sizeof(*chains));
	for (i = 0; i < FULL(size); i++) {
		struct key key = kind->key(i);
		u32 hash = kind->is_tag ? shim6_hash_8(&key, seed, factors) :
					  shim6_hash_36(&key, seed, factors);
		unsigned int length = ++chains[hash & (size - 1)];

		if (length > longest)
			longest = length;
	}
	return longest;
}

int main(void)
{
	static const unsigned int sizes[] = { 64, 512, 4096, LARGEST };
	const struct kind *kind;

	puts("TAP version 13");
	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(*kinds); kind++) {
		for (unsigned int i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			unsigned int too_long = 0, worst = 0, n = DRAWS * 64 / (64 + sizes[i] / 16);

			for (unsigned int j = 0; j < n; j++) {
				unsigned int longest = longest_chain(kind, sizes[i]);

				too_long += longest > LONGEST;
				worst = longest > worst ? longest : worst;
			}
			tap_ok(!too_long, "%s: %u of them in a table of %u places", kind->what,
			       FULL(sizes[i]), sizes[i]);
			tap_note("too long in %u of %u draws, %u at most", too_long, n, worst);
		}
	}
	return tap_done();
}
