// SPDX-License-Identifier: GPL-2.0
/*
 * Good requests to the generic netlink family shim6 with a few octets changed
 * by chance: each gets an answer, and what is refused has changed nothing.
 *
 *	netlink_fuzz [SEED [ROUNDS]]
 */
#include "context.h"

#define ULID_LOCAL	"2001:db8:1::a"
#define OTHER_LOCAL	"2001:db8:2::a"

/* More contexts than this are deleted again. */
#define ENOUGH		16

static int fd;
static struct request request;
static __u64 state;

/* xorshift64*: the same on every machine, so that a seed finds the same again. */
static unsigned int chance(unsigned int below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return ((state * 0x2545f4914f6cdd1d) >> 33) % below;
}

static void put_full_locator(__u16 list, const char *text)
{
	struct nlattr *nest = nest_begin(&request, list);

	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, text);
	put_u8(&request, SHIM6_A_LOCATOR_VERIFICATION, 1);
	put_u8(&request, SHIM6_A_LOCATOR_PRIORITY, chance(256));
	put_u8(&request, SHIM6_A_LOCATOR_WEIGHT, chance(256));
	put_u8(&request, SHIM6_A_LOCATOR_FLAGS, chance(4));
	nest_end(&request, nest);
}

static void good(void)
{
	__u8 command = SHIM6_CMD_CONTEXT_GET + chance(SHIM6_CMD_MAX);
	char peer[64];

	snprintf(peer, sizeof(peer), "2001:db8:3::%x", 1 + chance(ENOUGH));
	if (command != SHIM6_CMD_CONTEXT_ADD && chance(2))
		begin_tagged(&request, command, chance(ENOUGH));
	else
		begin_named(&request, command, ULID_LOCAL, peer);
	if (command == SHIM6_CMD_CONTEXT_SET)
		put_address(&request, SHIM6_A_CURRENT_LOCAL, chance(2) ? ULID_LOCAL : OTHER_LOCAL);
	if (command != SHIM6_CMD_CONTEXT_ADD)
		return;
	put_u32(&request, SHIM6_A_FII, chance(2));
	put_u64(&request, SHIM6_A_TAG_LOCAL, chance(ENOUGH));
	put_u64(&request, SHIM6_A_TAG_PEER, chance(ENOUGH));
	put_full_locator(SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	put_full_locator(SHIM6_A_LOCATOR_LOCAL, OTHER_LOCAL);
	put_full_locator(SHIM6_A_LOCATOR_PEER, peer);
	put_full_locator(SHIM6_A_LOCATOR_PEER, "2001:db8:4::b");
	put_address(&request, SHIM6_A_CURRENT_LOCAL, OTHER_LOCAL);
	put_address(&request, SHIM6_A_CURRENT_PEER, peer);
}

/* Everything behind the netlink header may change, and the length may shrink. */
static void spoil(void)
{
	unsigned int len = request.header.nlmsg_len - NLMSG_HDRLEN, times = chance(4);

	if (!chance(8)) {
		len = chance(len + 1);
		request.header.nlmsg_len = NLMSG_HDRLEN + len;
	}
	while (len && times--) {
		char *octet = request.octets + NLMSG_HDRLEN + chance(len);

		if (chance(2))
			*octet ^= 1 << chance(8);
		else
			*octet = chance(256);
	}
}

static __u64 tags[4 * ENOUGH];
static unsigned int tag_count;

static void collect(const struct nlmsghdr *header, void *data)
{
	(void)data;
	if (tag_count == 4 * ENOUGH)
		tap_bail("more contexts than expected");
	/* Peers that did not answer have no context any more. */
	if (!find_in_message(header, SHIM6_A_TAG_LOCAL))
		return;
	tags[tag_count++] = get_u64(find_in_message(header, SHIM6_A_TAG_LOCAL));
}

/* How many contexts could not be deleted. */
static unsigned int delete_all(void)
{
	unsigned int failed = 0;
	struct answer answer;

	do {
		tag_count = 0;
		begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
		answer = exchange(fd, &request, collect, NULL);
	} while (again(&answer));
	while (tag_count) {
		begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, tags[--tag_count]);
		failed += exchange(fd, &request, NULL, NULL).error != 0;
	}
	return failed;
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 5000, round;
	unsigned int done = 0, refused = 0, silent = 0, changed = 0, failed = 0;
	struct picture before, after;
	struct answer answer;

	state = seed * 2 + 1;
	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	add_local_address(OTHER_LOCAL);

	before = look_at_all(fd);
	for (round = 0; round < rounds; round++) {
		good();
		spoil();
		answer = exchange(fd, &request, NULL, NULL);
		after = look_at_all(fd);
		if (answer.error) {
			refused++;
			/* The kernel's own refusals of headers and commands come without words. */
			silent += !answer.sentence[0] && answer.error != EOPNOTSUPP &&
				  request.header.nlmsg_len >= NLMSG_HDRLEN + GENL_HDRLEN;
			changed += !same(&after, &before);
		} else {
			done++;
		}
		if (after.contexts > ENOUGH) {
			failed += delete_all();
			after = look_at_all(fd);
		}
		before = after;
	}

	tap_note("seed %lu: %u requests were done, %u refused", seed, done, refused);
	tap_ok(done && refused, "some requests were good, others were not");
	tap_ok(!silent, "all that was refused was refused with a sentence");
	tap_ok(!changed, "what was refused has changed nothing");
	failed += delete_all();
	tap_ok(!failed, "every context that a dump shows can be deleted by its tag");
	tap_ok(!look_at_all(fd).contexts, "none is left");
	return tap_done();
}
