// SPDX-License-Identifier: GPL-2.0
/*
 * Options at SOL_SHIM that need a context: what failure detection is told, hot
 * standby, and lists that are set (draft sections 5.3, 5.4 and 5.9 to 5.11),
 * with all defaults, ranges and errors.
 */
#include "socket.h"

#include <stddef.h>

#define PORT	7010

static int netlink;

static struct shim_pathexplore explore(unsigned int probes, unsigned int timeout,
				       unsigned int interval)
{
	return (struct shim_pathexplore){
		.pe_probenum = probes,
		.pe_keepaliveto = timeout,
		.pe_initprobeto = interval,
	};
}

static int set_explore(int fd, unsigned int probes, unsigned int timeout, unsigned int interval)
{
	struct shim_pathexplore pe = explore(probes, timeout, interval);

	return set(fd, SHIM_PATHEXPLORE, &pe, sizeof(pe));
}

static void shows(int fd, unsigned int probes, unsigned int timeout, unsigned int interval,
		  const char *what)
{
	struct shim_pathexplore pe, wanted = explore(probes, timeout, interval);
	socklen_t len = sizeof(pe);
	int error;

	memset(&pe, 0xee, sizeof(pe));
	error = get(fd, SHIM_PATHEXPLORE, &pe, &len);
	if (!tap_ok(!error && len == sizeof(pe) && !memcmp(&pe, &wanted, sizeof(pe)), "%s", what))
		tap_note("error %d, length %u: %u probes, %u s, %u ms, reserved %u", error, len,
			 pe.pe_probenum, pe.pe_keepaliveto, pe.pe_initprobeto, pe.pe_reserved);
}

static void test_path_explore(int fd)
{
	struct shim_pathexplore pe = explore(5, 10, 500);

	shows(fd, 4, 15, 500, "SHIM_PATHEXPLORE shows what is in force while disabled #38 #92 #93");
	same(set_explore(fd, 7, 20, 250), 0, "SHIM_PATHEXPLORE is set #36");
	shows(fd, 7, 20, 250, "and read #37 #41");
	same(set_explore(fd, 0, 0, 0), 0, "zeros are defaults");
	shows(fd, 4, 15, 500, "and read as such");
	same(set_explore(fd, 1, 1, 100), 0, "the least is accepted");
	same(set_explore(fd, 15, 255, 60000), 0, "the most is accepted");
	same(set_explore(fd, 16, 20, 250), EINVAL, "16 probes are not");
	same(set_explore(fd, 5, 20, 99), EINVAL, "99 ms are not");
	same(set_explore(fd, 5, 20, 60001), EINVAL, "60001 ms are not");
	pe.pe_reserved = 1;
	same(set(fd, SHIM_PATHEXPLORE, &pe, sizeof(pe)), EINVAL, "a reserved field is not #93");
	pe.pe_reserved = 0;
	same(set(fd, SHIM_PATHEXPLORE, &pe, sizeof(pe) - 1), EINVAL, "7 octets are not");
	same(set(fd, SHIM_PATHEXPLORE, (void *)1, sizeof(pe)), EFAULT, "from nowhere is EFAULT");
	shows(fd, 15, 255, 60000, "refused values change nothing");
	same(set(fd, SHIM_PATHEXPLORE, NULL, 0), 0, "SHIM_PATHEXPLORE is disabled by nothing");
	shows(fd, 4, 15, 500, "and shows the defaults again #38");
}

static void test_app_timeout(int fd)
{
	same(get_int(fd, SHIM_APP_TIMEOUT), 0, "SHIM_APP_TIMEOUT is 0 by default #62");
	same(set_int(fd, SHIM_APP_TIMEOUT, 30), 0, "SHIM_APP_TIMEOUT is set #66");
	same(get_int(fd, SHIM_APP_TIMEOUT), 30, "and read #66");
	shows(fd, 4, 30, 500, "it is the Send Timeout");
	same(set_int(fd, SHIM_APP_TIMEOUT, 65535), 0, "65535 s are accepted");
	shows(fd, 4, 255, 500, "where one octet shows the most it can");
	same(set_int(fd, SHIM_APP_TIMEOUT, 65536), EINVAL, "65536 s are not");
	same(set_int(fd, SHIM_APP_TIMEOUT, -1), EINVAL, "-1 s are not");
	same(set(fd, SHIM_APP_TIMEOUT, NULL, 0), EINVAL, "nothing is not");
	same(get_int(fd, SHIM_APP_TIMEOUT), 65535, "refused values change nothing");
	same(set_explore(fd, 9, 21, 0), 0, "SHIM_PATHEXPLORE sets the same variable");
	same(get_int(fd, SHIM_APP_TIMEOUT), 21, "and the last set wins");
	same(set_int(fd, SHIM_APP_TIMEOUT, 0), 0, "0 disables it");
	same(get_int(fd, SHIM_APP_TIMEOUT), 0, "and is read #62");
	shows(fd, 9, 15, 500, "what is not the Send Timeout stays #63");
	set(fd, SHIM_PATHEXPLORE, NULL, 0);
}

static void test_hot_standby(int fd, const char *what)
{
	same(get_int(fd, SHIM_HOT_STANDBY), 0, "%s: SHIM_HOT_STANDBY is 0 by default #34", what);
	same(set_int(fd, SHIM_HOT_STANDBY, 1), 0, "%s: SHIM_HOT_STANDBY is set #34 #35", what);
	same(get_int(fd, SHIM_HOT_STANDBY), 1, "%s: and read #34", what);
	same(set_int(fd, SHIM_HOT_STANDBY, 2), EINVAL, "%s: SHIM_HOT_STANDBY 2 is refused", what);
	same(set(fd, SHIM_HOT_STANDBY, NULL, 0), EINVAL, "%s: nothing is refused", what);
	same(set_int(fd, SHIM_HOT_STANDBY, 0), 0, "%s: SHIM_HOT_STANDBY is cleared", what);
	same(get_int(fd, SHIM_HOT_STANDBY), 0, "%s: and read", what);
}

static void test_recv(int fd, const char *what, int wanted)
{
	static const int options[] = { SHIM_LOC_LOCAL_RECV, SHIM_LOC_PEER_RECV };

	for (int i = 0; i < 2; i++) {
		const char *side = i ? "PEER" : "LOCAL";
		int option = options[i];

		same(get_int(fd, option), -wanted, "%s: SHIM_LOC_%s_RECV by default #52 #54", what,
		     side);
		same(set_int(fd, option, 1), wanted, "%s: SHIM_LOC_%s_RECV set #53 #54", what,
		     side);
		same(get_int(fd, option), wanted ? -wanted : 1, "%s: SHIM_LOC_%s_RECV read #53",
		     what, side);
		same(set_int(fd, option, 2), EINVAL, "%s: SHIM_LOC_%s_RECV 2 is refused #52", what,
		     side);
		same(set_int(fd, option, 0), wanted, "%s: SHIM_LOC_%s_RECV cleared", what, side);
	}
}

static void test_without_context(int fd, const char *what)
{
	struct shim_locator list[2] = { preferred(ULID_A, 255), preferred(OTHER_A, 1) };
	struct shim_pathexplore pe = explore(4, 10, 500);
	socklen_t len = sizeof(pe);

	same(get(fd, SHIM_PATHEXPLORE, &pe, &len), ENOENT,
	     "%s: SHIM_PATHEXPLORE gets ENOENT #40", what);
	same(set(fd, SHIM_PATHEXPLORE, &pe, sizeof(pe)), ENOENT,
	     "%s: SHIM_PATHEXPLORE sets ENOENT #40", what);
	same(set(fd, SHIM_PATHEXPLORE, NULL, 0), ENOENT,
	     "%s: SHIM_PATHEXPLORE that was never set cannot be disabled", what);
	same(get_int(fd, SHIM_APP_TIMEOUT), -ENOENT, "%s: SHIM_APP_TIMEOUT gets ENOENT #66", what);
	same(set_int(fd, SHIM_APP_TIMEOUT, 10), ENOENT, "%s: SHIM_APP_TIMEOUT sets ENOENT #66",
	     what);
	same(set(fd, SHIM_LOCLIST_LOCAL, list, sizeof(list)), ENOENT,
	     "%s: SHIM_LOCLIST_LOCAL sets ENOENT #61", what);
	same(set(fd, SHIM_LOCLIST_PEER, list, sizeof(list)), ENOENT,
	     "%s: SHIM_LOCLIST_PEER sets ENOENT #61", what);
	same(set(fd, SHIM_LOCLIST_PEER, NULL, 0), ENOENT,
	     "%s: SHIM_LOCLIST_PEER that was never set cannot be disabled", what);
	test_hot_standby(fd, what);
}

/* The list that the option shows is this. */
static void lists(int fd, int name, const struct shim_locator *wanted, unsigned int count,
		  const char *what)
{
	struct shim_locator list[SHIM_MAX_LOCATORS];
	socklen_t len = sizeof(list);
	int error = get(fd, name, list, &len);
	bool same = !error && len == count * sizeof(*list);

	for (unsigned int i = 0; same && i < count; i++)
		same = !memcmp(list[i].lc_addr, wanted[i].lc_addr, 16) &&
		       list[i].lc_preference == wanted[i].lc_preference;
	if (!tap_ok(same, "%s", what))
		tap_note("error %d, length %u", error, len);
}

static void test_local_list(int fd)
{
	struct shim_locator all[3] = { preferred(ULID_A, 255), preferred(OTHER_A, 245),
				       preferred(ABSENT_A, 0) };
	struct shim_locator list[SHIM_MAX_LOCATORS + 1] = { preferred(OTHER_A, 200),
							    preferred(ULID_A, 100) };
	struct context context;

	lists(fd, SHIM_LOCLIST_LOCAL, all, 3, "SHIM_LOCLIST_LOCAL shows the list #55");
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list)), 0,
	     "SHIM_LOCLIST_LOCAL is set #58");
	lists(fd, SHIM_LOCLIST_LOCAL, list, 2, "and read, in this order");
	context = show_context(netlink, TAG_A);
	tap_ok(context.locals == 2 && is(&context.local[0].address, OTHER_A) &&
	       context.local[0].priority == 55 && context.local[0].verification == 2,
	       "the context has it, and knows how locators are verified");
	list[0].lc_family = AF_INET;
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list)), EINVALIDLOCATOR,
	     "a locator of IPv4 #60");
	list[0].lc_family = 0;
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list)), EINVAL,
	     "one without family #87");
	list[0] = preferred(FOREIGN, 1);
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list)), EINVALIDLOCATOR,
	     "one that is not this host's #60 #109");
	list[0] = preferred(ABSENT_A, 1);
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list)), EINVALIDLOCATOR,
	     "one that is on no interface #60");
	list[0] = preferred(ULID_A, 1);
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list)), EINVALIDLOCATOR,
	     "one that is there twice");
	list[0] = preferred(OTHER_A, 1);
	same(set(fd, SHIM_LOCLIST_LOCAL, list, sizeof(*list)), EINVALIDLOCATOR,
	     "a list without the ULID");
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(*list) - 1), EINVAL, "39 octets");
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 0), EINVAL, "a list of nothing");
	same(set(fd, SHIM_LOCLIST_LOCAL, list, sizeof(list)), EINVAL, "33 locators");
	same(set(fd, SHIM_LOCLIST_LOCAL, (void *)1, sizeof(*list)), EFAULT, "a list nowhere");
	context = show_context(netlink, TAG_A);
	tap_ok(context.locals == 2 && is(&context.local[0].address, OTHER_A) &&
	       context.local[0].priority == 55, "refused lists change nothing #60");
	/* What was left out comes back. */
	same(set(fd, SHIM_LOCLIST_LOCAL, NULL, 0), 0, "SHIM_LOCLIST_LOCAL is disabled by nothing");
	lists(fd, SHIM_LOCLIST_LOCAL, all, 3, "and shows all there is #55");
	same(set(fd, SHIM_LOCLIST_LOCAL, NULL, 0), 0, "it can be disabled again");
}

static void test_peer_list(int fd)
{
	struct shim_locator all[2] = { preferred(ULID_B, 255), preferred(OTHER_B, 235) };
	struct shim_locator list[2] = { preferred(OTHER_B, 77), preferred(ULID_B, 66) };
	struct context context;

	lists(fd, SHIM_LOCLIST_PEER, all, 2, "SHIM_LOCLIST_PEER shows the list #56");
	same(set(fd, SHIM_LOCLIST_PEER, list, sizeof(*list)), 0, "SHIM_LOCLIST_PEER is set #58");
	lists(fd, SHIM_LOCLIST_PEER, list, 1, "and read");
	context = show_context(netlink, TAG_A);
	tap_ok(context.peers == 2, "the context still knows all locators of the peer");
	tap_ok(is(&context.current_peer, OTHER_B), "and sends to one that is in the list");
	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), EINVALIDLOCATOR,
	     "one that is not cannot be preferred");
	list[1] = preferred(FOREIGN, 1);
	same(set(fd, SHIM_LOCLIST_PEER, list, sizeof(list)), EINVALIDLOCATOR,
	     "one that the peer never told #60 #109");
	lists(fd, SHIM_LOCLIST_PEER, list, 1, "which changes nothing #60");
	same(set(fd, SHIM_LOCLIST_PEER, NULL, 0), 0, "SHIM_LOCLIST_PEER is disabled by nothing");
	lists(fd, SHIM_LOCLIST_PEER, all, 2, "and shows all, as the peer told it #56");
	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), 0, "back");
	same(set(fd, SHIM_LOC_PEER_PREF, NULL, 0), 0, "and nothing is preferred");
}

/* Those of another socket are not this one's to set back. */
static void test_other_socket(int fd)
{
	int other = open_kind(&udp6);

	connect_ends(other, PORT);
	same(set_int(fd, SHIM_APP_TIMEOUT, 40), 0, "one socket sets a timeout");
	same(get_int(other, SHIM_APP_TIMEOUT), 0, "which is not the option of another");
	same(set_int(other, SHIM_APP_TIMEOUT, 0), 0, "that one may have the default");
	shows(fd, 4, 40, 500, "and the first one keeps its own");
	set_int(fd, SHIM_APP_TIMEOUT, 0);
	close(other);
}

static void test_context_gone(int fd)
{
	struct shim_locator list[1] = { preferred(ULID_A, 255) };

	same(set_int(fd, SHIM_APP_TIMEOUT, 30), 0, "a timeout is set");
	same(set(fd, SHIM_LOCLIST_LOCAL, list, sizeof(list)), 0, "and a list");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "and locators are wanted");
	delete_context(netlink, TAG_A);
	same(get_int(fd, SHIM_APP_TIMEOUT), -ENOENT, "without the context: no timeout #66");
	same(set_int(fd, SHIM_APP_TIMEOUT, 0), 0, "but it can be dropped");
	same(set_int(fd, SHIM_APP_TIMEOUT, 0), ENOENT, "once");
	same(set(fd, SHIM_LOCLIST_LOCAL, NULL, 0), 0, "so can the list");
	same(set(fd, SHIM_LOCLIST_LOCAL, NULL, 0), ENOENT, "once");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 0), 0, "and the wish for locators");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 0), ENOENT, "once #54");
}

/* selftests/shim-api-abi compares every field, for 32 bits too. */
static void test_layout(void)
{
	same(sizeof(struct shim_locator), 20, "struct shim_locator has 20 octets #86");
	same(offsetof(struct shim_locator, lc_addr), 4, "the last 16 are the address #86");
	same(sizeof(struct shim_pathexplore), 8, "struct shim_pathexplore has 8 octets #91");
	same(offsetof(struct shim_pathexplore, pe_initprobeto), 2,
	     "with times in their places #91");
}

int main(void)
{
	static const struct kind *const kinds[] = { &tcp6, &udp6, &raw6 };
	int listener, fd, base = module_users_at_rest();

	test_layout();
	new_namespace();
	add_addresses();
	netlink = open_shim6();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fd = open_kind(kinds[i]);
		test_without_context(fd, kinds[i]->name);
		test_recv(fd, kinds[i]->name, 0);
		close(fd);
	}
	listener = listen_at(&tcp6, ULID_B, PORT);
	fd = open_kind(&tcp6);
	connect_ends(fd, PORT);
	test_without_context(fd, "connected without context");
	test_recv(fd, "connected without context", ENOENT);
	close(fd);

	add_contexts(netlink);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fd = open_kind(kinds[i]);
		connect_ends(fd, PORT);
		test_recv(fd, kinds[i]->name, 0);
		test_hot_standby(fd, kinds[i]->name);
		close(fd);
	}
	fd = open_kind(&udp6);
	connect_ends(fd, PORT);
	test_path_explore(fd);
	test_app_timeout(fd);
	test_local_list(fd);
	test_peer_list(fd);
	test_other_socket(fd);
	same(module_users(), base, "all options are back at their defaults");
	test_context_gone(fd);
	close(fd);
	close(listener);
	return tap_done();
}
