// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of the examples of the draft (sections 5.1 to 5.11), with the quotes
 * and types that they lack, do what the text beside them says.
 */
#include "socket.h"

#include <strings.h>

#define PORT	7040

static void test_associated(int fd)
{
	int optval;
	socklen_t optlen = sizeof(optval);

	same(getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, &optval, &optlen), 0,
	     "section 5.1: SHIM_ASSOCIATED is read #27 #71");
	same(optval, 1, "and says that the shim serves the socket #21 #28 #29");
}

/* As most examples do: an integer is set, and checked. */
static void set_and_check(int fd, int name, int value, const char *is_set, const char *is_read,
			  const char *it_is)
{
	int optval = value;
	socklen_t len = sizeof(optval);

	same(setsockopt(fd, SOL_SHIM, name, &optval, sizeof(optval)), 0, "%s", is_set);
	optval = -1;
	same(getsockopt(fd, SOL_SHIM, name, &optval, &len), 0, "%s", is_read);
	same(optval, value, "%s", it_is);
}

static void test_dontshim(int fd)
{
	set_and_check(fd, SHIM_DONTSHIM, 0, "section 5.2: SHIM_DONTSHIM is disabled #119 #31",
		      "and checked", "it is #30");
}

static void test_hot_standby(int fd)
{
	set_and_check(fd, SHIM_HOT_STANDBY, 1, "section 5.3: SHIM_HOT_STANDBY is activated #34",
		      "and checked", "it is");
	set_int(fd, SHIM_HOT_STANDBY, 0);
}

static void test_pathexplore(int fd)
{
	struct shim6_pathexplore pe;
	socklen_t len;

	pe.pe_probenum = 4;		/* times */
	pe.pe_keepaliveto = 10;		/* seconds */
	pe.pe_initprobeto = 500;	/* milliseconds */
	pe.pe_reserved = 0;
	same(setsockopt(fd, SOL_SHIM, SHIM_PATHEXPLORE, &pe, sizeof(pe)), 0,
	     "section 5.4: SHIM_PATHEXPLORE is set #36");
	memset(&pe, 0xee, sizeof(pe));
	len = sizeof(pe);
	same(getsockopt(fd, SOL_SHIM, SHIM_PATHEXPLORE, &pe, &len), 0, "and read #37");
	tap_ok(pe.pe_probenum == 4 && pe.pe_keepaliveto == 10 && pe.pe_initprobeto == 500 &&
	       pe.pe_reserved == 0, "as it was set #41");
}

static void prefer_and_check(int fd, int name, const char *text, const char *is_set,
			     const char *is_read)
{
	struct shim_locator lc;
	struct in6_addr ip6;
	socklen_t len;

	ip6 = address(text);
	bzero(&lc, sizeof(struct shim_locator));
	lc.lc_family = AF_INET6;	/* IPv6 */
	lc.lc_ifidx = 0;
	lc.lc_flags = 0;
	lc.lc_preference = 255;
	memcpy(lc.lc_addr, &ip6, sizeof(struct in6_addr));
	same(setsockopt(fd, SOL_SHIM, name, &lc, sizeof(lc)), 0, "%s", is_set);
	bzero(&lc, sizeof(lc));
	len = sizeof(lc);
	same(getsockopt(fd, SOL_SHIM, name, &lc, &len), 0, "%s", is_read);
	tap_ok(holds(&lc, text) && lc.lc_preference == 255, "it is the locator in use");
}

static void test_preferences(int fd)
{
	prefer_and_check(fd, SHIM_LOC_LOCAL_PREF, OTHER_A,
			 "section 5.5: SHIM_LOC_LOCAL_PREF is set #3 #42", "and read #8 #16 #42");
	prefer_and_check(fd, SHIM_LOC_PEER_PREF, OTHER_B,
			 "section 5.6: the same for SHIM_LOC_PEER_PREF #43", "and read #43");
}

static void test_recv(int fd)
{
	set_and_check(fd, SHIM_LOC_LOCAL_RECV, 1,
		      "section 5.7: SHIM_LOC_LOCAL_RECV is activated #53", "and checked #53",
		      "it is");
	set_and_check(fd, SHIM_LOC_PEER_RECV, 1,
		      "section 5.8: the same for SHIM_LOC_PEER_RECV #53", "and checked #53",
		      "it is");
	set_int(fd, SHIM_LOC_PEER_RECV, 0);
	set_int(fd, SHIM_LOC_LOCAL_RECV, 0);
}

static void test_lists(int fd)
{
	struct shim_locator list[SHIM_MAX_LOCATORS];
	socklen_t len = sizeof(list);

	same(getsockopt(fd, SOL_SHIM, SHIM_LOCLIST_LOCAL, list, &len), 0,
	     "section 5.9: the local list is read #4 #7 #55");
	same(setsockopt(fd, SOL_SHIM, SHIM_LOCLIST_LOCAL, list, 2 * sizeof(list[0])), 0,
	     "and a part of it set #58");
	len = sizeof(list);
	same(getsockopt(fd, SOL_SHIM, SHIM_LOCLIST_PEER, list, &len), 0,
	     "section 5.10: the same for the peer's #4 #7 #56");
}

static void test_app_timeout(int fd)
{
	set_and_check(fd, SHIM_APP_TIMEOUT, 15 /* seconds */,
		      "section 5.11: SHIM_APP_TIMEOUT is configured #66", "and checked #66",
		      "it is");
}

static void test_deferred_setup(int fd)
{
	int optval;
	socklen_t len = sizeof(optval);

	same(getsockopt(fd, SOL_SHIM, SHIM_DEFERRED_CONTEXT_SETUP, &optval, &len), 0,
	     "section 5.12: SHIM_DEFERRED_CONTEXT_SETUP by its one name");
	same(optval, 1, "is 1 by default #67");
	optval = 0;
	same(setsockopt(fd, SOL_SHIM, SHIM_CONTEXT_DEFERRED_SETUP, &optval, sizeof(optval)), 0,
	     "and disabled by its other name #67 #19");
}

int main(void)
{
	static const struct kind *const kinds[] = { &tcp6, &udp6, &raw6 };
	int listener, fd;

	two_ends();
	listener = listen_at(&tcp6, ULID_B, PORT);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		tap_note("%s", kinds[i]->name);
		fd = open_kind(kinds[i]);
		connect_ends(fd, PORT);
		test_associated(fd);
		test_dontshim(fd);
		test_hot_standby(fd);
		test_pathexplore(fd);
		test_preferences(fd);
		test_recv(fd);
		test_lists(fd);
		test_app_timeout(fd);
		test_deferred_setup(fd);
		close(fd);
	}
	close(listener);
	return tap_done();
}
