// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts over generic netlink: what is added is what is shown, by name and in
 * a dump, until it is deleted; the current pair; namespaces; the bound.
 */
#include "context.h"

#define ULID_LOCAL	"2001:db8:1::a"
#define OTHER_LOCAL	"2001:db8:2::a"
#define ULID_PEER	"2001:db8:3::b"
#define OTHER_PEER	"2001:db8:4::b"

#define TAG_MAX		0x7fffffffffffULL

#define NO_CONTEXT	"there is no such context"

static int fd;
static struct request request;
static struct context context;

static struct answer ask(void)
{
	memset(&context, 0xee, sizeof(context));
	return exchange(fd, &request, read_context, &context);
}

static struct answer get(__u64 tag)
{
	begin_tagged(&request, SHIM6_CMD_CONTEXT_GET, tag);
	return ask();
}

static unsigned int dump(void)
{
	struct answer answer;

	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	answer = exchange(fd, &request, NULL, NULL);
	if (answer.error) {
		errno = answer.error;
		tap_bail("dump");
	}
	return answer.messages;
}

static void smallest(void)
{
	tap_ok(dump() == 0, "no context at first");

	begin_add(&request, ULID_LOCAL, ULID_PEER, 0, TAG_MAX);
	expect(ask(), 0, NULL, "add with tags 0 and 2^47 - 1");

	expect(get(0), 0, NULL, "get by tag 0");
	tap_ok(is(&context.ulid_local, ULID_LOCAL) && is(&context.ulid_peer, ULID_PEER) &&
	       !context.fii, "its ULIDs, FII 0");
	tap_ok(!context.tag_local && context.tag_peer == TAG_MAX, "its tags");
	tap_ok(context.locals == 1 && is(&context.local[0].address, ULID_LOCAL) &&
	       context.peers == 1 && is(&context.peer[0].address, ULID_PEER),
	       "its lists hold the ULIDs");
	tap_ok(context.local[0].verification == -1 && context.local[0].flags == 0,
	       "its locators are not verified and have no flags");
	tap_ok(is(&context.current_local, ULID_LOCAL) && is(&context.current_peer, ULID_PEER),
	       "its current pair is the ULID pair");
	tap_ok(context.state == SHIM6_STATE_ESTABLISHED && !context.switches,
	       "it is established and has never switched");
	tap_ok(!context.has_last_tx && !context.has_last_rx, "it has sent and received nothing");

	begin_named(&request, SHIM6_CMD_CONTEXT_GET, ULID_LOCAL, ULID_PEER);
	expect(ask(), 0, NULL, "get by ULIDs");
	tap_ok(context.tag_peer == TAG_MAX, "it is the same");
	begin_named(&request, SHIM6_CMD_CONTEXT_GET, ULID_PEER, ULID_LOCAL);
	expect(ask(), ENOENT, NO_CONTEXT, "get by exchanged ULIDs");

	begin_add(&request, ULID_LOCAL, ULID_PEER, 1, 1);
	put_u32(&request, SHIM6_A_FII, 7);
	expect(ask(), 0, NULL, "add another FII of the same ULIDs");
	begin_named(&request, SHIM6_CMD_CONTEXT_GET, ULID_LOCAL, ULID_PEER);
	put_u32(&request, SHIM6_A_FII, 7);
	expect(ask(), 0, NULL, "get it by ULIDs and FII");
	tap_ok(context.tag_local == 1 && context.fii == 7, "it is the other one");
	tap_ok(dump() == 2, "a dump has both");

	begin_named(&request, SHIM6_CMD_CONTEXT_DEL, ULID_LOCAL, ULID_PEER);
	expect(ask(), 0, NULL, "delete by ULIDs");
	expect(get(0), ENOENT, NO_CONTEXT, "it is gone");
	expect(get(1), 0, NULL, "the other one is not");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 1);
	expect(ask(), 0, NULL, "delete by tag");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 1);
	expect(ask(), ENOENT, NO_CONTEXT, "delete it again");
	tap_ok(dump() == 0, "no context is left");
}

static void largest(void)
{
	char text[64];
	bool right = true;
	unsigned int i;

	begin_add(&request, ULID_LOCAL, ULID_PEER, 5, 6);
	put_u32(&request, SHIM6_A_FII, UINT32_MAX);
	for (i = 0; i < 2 * MAX_LOCATORS; i++) {
		bool peer = i & 1;
		struct nlattr *nest = nest_begin(&request, peer ? SHIM6_A_LOCATOR_PEER
								: SHIM6_A_LOCATOR_LOCAL);

		if (i < 2)
			snprintf(text, sizeof(text), "%s", peer ? ULID_PEER : ULID_LOCAL);
		else
			snprintf(text, sizeof(text), "2001:db8:%s:%x::1",
				 peer ? "ffff" : "eeee", i);
		put_address(&request, SHIM6_A_LOCATOR_ADDRESS, text);
		put_u8(&request, SHIM6_A_LOCATOR_VERIFICATION, 1 + i % 2);
		put_u8(&request, SHIM6_A_LOCATOR_PRIORITY, 255 - i);
		put_u8(&request, SHIM6_A_LOCATOR_WEIGHT, i);
		put_u8(&request, SHIM6_A_LOCATOR_FLAGS, i % 4);
		nest_end(&request, nest);
	}
	expect(ask(), 0, NULL, "add with two lists of 32");

	expect(get(5), 0, NULL, "get it");
	tap_ok(context.locals == MAX_LOCATORS && context.peers == MAX_LOCATORS, "all locators");
	for (i = 2; i < 2 * MAX_LOCATORS; i++) {
		const struct locator *locator = (i & 1 ? context.peer : context.local) + i / 2;

		snprintf(text, sizeof(text), "2001:db8:%s:%x::1", i & 1 ? "ffff" : "eeee", i);
		right = right && is(&locator->address, text) &&
			locator->verification == (int)(1 + i % 2) &&
			locator->priority == (int)(255 - i) && locator->weight == (int)i &&
			locator->flags == (int)(i % 4);
	}
	tap_ok(right, "in order, with all that was said about them");
	tap_ok(dump() == 1, "a dump has it, in one message");

	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 5);
	expect(ask(), 0, NULL, "delete it");
}

static void current_pair(void)
{
	begin_add(&request, ULID_LOCAL, ULID_PEER, 10, 11);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, OTHER_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, OTHER_PEER);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, ULID_PEER);
	put_address(&request, SHIM6_A_CURRENT_PEER, OTHER_PEER);
	expect(ask(), 0, NULL, "add with a current peer locator");
	get(10);
	tap_ok(is(&context.current_local, ULID_LOCAL) && is(&context.current_peer, OTHER_PEER),
	       "it is current");

	begin_tagged(&request, SHIM6_CMD_CONTEXT_SET, 10);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, OTHER_LOCAL);
	expect(ask(), 0, NULL, "set the local locator");
	get(10);
	tap_ok(is(&context.current_local, OTHER_LOCAL) && is(&context.current_peer, OTHER_PEER) &&
	       context.switches == 1, "the peer locator stays, one switch");

	begin_named(&request, SHIM6_CMD_CONTEXT_SET, ULID_LOCAL, ULID_PEER);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
	put_address(&request, SHIM6_A_CURRENT_PEER, ULID_PEER);
	expect(ask(), 0, NULL, "set both, by ULIDs");
	get(10);
	tap_ok(is(&context.current_local, ULID_LOCAL) && is(&context.current_peer, ULID_PEER) &&
	       context.switches == 2, "both are current, one switch more");

	begin_tagged(&request, SHIM6_CMD_CONTEXT_SET, 10);
	put_address(&request, SHIM6_A_CURRENT_PEER, ULID_PEER);
	expect(ask(), 0, NULL, "set what is current already");
	get(10);
	tap_ok(context.switches == 2, "that is no switch");

	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 10);
	expect(ask(), 0, NULL, "delete it");
}

static void namespaces(void)
{
	int first = fd;

	begin_add(&request, ULID_LOCAL, ULID_PEER, 20, 21);
	expect(ask(), 0, NULL, "add in this namespace");

	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	expect(get(20), ENOENT, NO_CONTEXT, "another namespace does not have it");
	begin_add(&request, ULID_LOCAL, ULID_PEER, 20, 22);
	expect(ask(), 0, NULL, "the other namespace takes the same tag and ULIDs");

	close(fd);
	fd = first;
	get(20);
	tap_ok(context.tag_peer == 21, "a socket stays with its namespace");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 20);
	expect(ask(), 0, NULL, "delete it there");
}

static void at_the_bound(void)
{
	static const char full[] =
		"there are as many contexts as the setting net.shim6.max_contexts allows";

	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);

	set_max_contexts(1);
	begin_add(&request, ULID_LOCAL, ULID_PEER, 30, 31);
	expect(ask(), 0, NULL, "add the only one of net.shim6.max_contexts = 1");
	begin_add(&request, ULID_LOCAL, OTHER_PEER, 32, 33);
	expect(ask(), ENOSPC, full, "add one more");
	tap_ok(dump() == 1, "it is not there");
	set_max_contexts(2);
	begin_add(&request, ULID_LOCAL, OTHER_PEER, 32, 33);
	expect(ask(), 0, NULL, "add it with net.shim6.max_contexts = 2");
	set_max_contexts(0);
	tap_ok(dump() == 2, "a lower bound deletes nothing");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 30);
	expect(ask(), 0, NULL, "delete one");
	begin_add(&request, ULID_LOCAL, ULID_PEER, 30, 31);
	expect(ask(), ENOSPC, full, "add it again above the bound");
	set_max_contexts(2);
	begin_add(&request, ULID_LOCAL, ULID_PEER, 30, 31);
	expect(ask(), 0, NULL, "add it again below the bound");
	begin_add(&request, ULID_LOCAL, ULID_PEER, 40, 41);
	ask();
	set_max_contexts(3);
	begin_add(&request, ULID_LOCAL, "2001:db8:5::b", 40, 41);
	expect(ask(), 0, NULL, "a refused one has taken no place");
}

int main(void)
{
	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	add_local_address(OTHER_LOCAL);

	smallest();
	largest();
	current_pair();
	namespaces();
	at_the_bound();
	return tap_done();
}
