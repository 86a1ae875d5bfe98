// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options at SOL_SHIM on sockets without a context: values, defaults,
 * lengths, pointers and errors (draft-ietf-shim6-multihome-shim-api-03,
 * section 5), on every kind of socket, and what must not change beside them.
 */
#include "socket.h"

static void *const nowhere = (void *)1;

/* Lets this group open ping sockets. */
static void test_associated(int fd, const char *name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	same(get(fd, SHIM_ASSOCIATED, &value, &len), 0, "%s: SHIM_ASSOCIATED is there", name);
	tap_ok(value == 0 && len == sizeof(int), "%s: SHIM_ASSOCIATED is 0, an int #24", name);
	same(set_int(fd, SHIM_ASSOCIATED, 1), ENOPROTOOPT,
	     "%s: SHIM_ASSOCIATED is read-only", name);
}

static void test_dontshim(int fd, const char *name)
{
	int value = 1;

	same(get_int(fd, SHIM_DONTSHIM), 0, "%s: SHIM_DONTSHIM is 0 by default", name);
	same(set_int(fd, SHIM_DONTSHIM, 1), 0, "%s: SHIM_DONTSHIM is set", name);
	same(get_int(fd, SHIM_DONTSHIM), 1, "%s: SHIM_DONTSHIM is 1 then", name);
	same(set_int(fd, SHIM_DONTSHIM, 1), 0, "%s: SHIM_DONTSHIM is set again", name);
	same(set_int(fd, SHIM_DONTSHIM, 0), 0, "%s: SHIM_DONTSHIM is cleared", name);
	same(get_int(fd, SHIM_DONTSHIM), 0, "%s: SHIM_DONTSHIM is 0 again", name);
	same(set_int(fd, SHIM_DONTSHIM, 2), EINVAL, "%s: SHIM_DONTSHIM 2 is refused", name);
	same(set_int(fd, SHIM_DONTSHIM, -1), EINVAL, "%s: SHIM_DONTSHIM -1 is refused", name);
	same(set(fd, SHIM_DONTSHIM, &value, sizeof(value) - 1), EINVAL,
	     "%s: SHIM_DONTSHIM of 3 octets is refused", name);
	same(set(fd, SHIM_DONTSHIM, NULL, 0), EINVAL,
	     "%s: SHIM_DONTSHIM is not disabled by nothing", name);
	same(set(fd, SHIM_DONTSHIM, nowhere, sizeof(value)), EFAULT,
	     "%s: SHIM_DONTSHIM from nowhere is EFAULT", name);
	same(get_int(fd, SHIM_DONTSHIM), 0, "%s: refused values change nothing", name);
}

static void test_deferred_setup(int fd, const char *name)
{
	same(get_int(fd, SHIM_CONTEXT_DEFERRED_SETUP), 1, "%s: setup is deferred by default",
	     name);
	same(set_int(fd, SHIM_CONTEXT_DEFERRED_SETUP, 0), 0, "%s: setup at once is set", name);
	same(get_int(fd, SHIM_DEFERRED_CONTEXT_SETUP), 0,
	     "%s: the other spelling shows it", name);
	same(set_int(fd, SHIM_CONTEXT_DEFERRED_SETUP, 2), EINVAL,
	     "%s: SHIM_CONTEXT_DEFERRED_SETUP 2 is refused", name);
	same(set(fd, SHIM_CONTEXT_DEFERRED_SETUP, NULL, 0), EINVAL,
	     "%s: SHIM_CONTEXT_DEFERRED_SETUP is not disabled by nothing", name);
	same(set_int(fd, SHIM_CONTEXT_DEFERRED_SETUP, 1), 0, "%s: setup is deferred again",
	     name);
	same(get_int(fd, SHIM_CONTEXT_DEFERRED_SETUP), 1, "%s: as it was", name);
}

static void test_lengths(int fd, const char *name)
{
	long long wide = 1;
	unsigned char octets[8];
	socklen_t len;

	same(set(fd, SHIM_DONTSHIM, &wide, sizeof(wide)), 0,
	     "%s: a longer value is accepted", name);

	memset(octets, 0xee, sizeof(octets));
	len = sizeof(octets);
	same(get(fd, SHIM_DONTSHIM, octets, &len), 0, "%s: a longer buffer is accepted", name);
	tap_ok(len == 4 && octets[0] == 1 && octets[3] == 0 && octets[4] == 0xee,
	       "%s: four octets are written and counted", name);

	memset(octets, 0xee, sizeof(octets));
	len = 2;
	same(get(fd, SHIM_DONTSHIM, octets, &len), 0, "%s: a shorter buffer is accepted", name);
	tap_ok(len == 2 && octets[0] == 1 && octets[1] == 0 && octets[2] == 0xee,
	       "%s: two octets are written and counted", name);

	len = 0;
	tap_ok(get(fd, SHIM_DONTSHIM, nowhere, &len) == 0 && len == 0,
	       "%s: a buffer of nothing gets nothing", name);

	len = (socklen_t)-1;
	same(get(fd, SHIM_DONTSHIM, octets, &len), EINVAL,
	     "%s: a negative length is EINVAL", name);
	len = sizeof(octets);
	same(get(fd, SHIM_DONTSHIM, nowhere, &len), EFAULT,
	     "%s: a buffer nowhere is EFAULT", name);
	same(get(fd, SHIM_DONTSHIM, octets, nowhere), EFAULT,
	     "%s: a length nowhere is EFAULT", name);
	set_int(fd, SHIM_DONTSHIM, 0);
}

static void test_without_context(int fd, const char *name)
{
	static const int preferences[] = { SHIM_LOC_LOCAL_PREF, SHIM_LOC_PEER_PREF };
	static const int lists[] = { SHIM_LOCLIST_LOCAL, SHIM_LOCLIST_PEER };
	struct shim_locator good = preferred("2001:db8::1", 255), bad = good;
	struct shim_locator records[SHIM_MAX_LOCATORS];
	socklen_t len;

	for (int i = 0; i < 2; i++) {
		const char *side = i ? "PEER" : "LOCAL";
		int option = preferences[i];

		len = sizeof(records);
		same(get(fd, option, records, &len), ENOENT,
		     "%s: SHIM_LOC_%s_PREF gets ENOENT", name, side);
		same(set(fd, option, &good, sizeof(good)), ENOENT,
		     "%s: SHIM_LOC_%s_PREF sets ENOENT", name, side);
		same(set(fd, option, NULL, 0), ENOENT,
		     "%s: SHIM_LOC_%s_PREF that was never set cannot be disabled", name, side);
		same(set(fd, option, &good, sizeof(good) - 1), EINVAL,
		     "%s: SHIM_LOC_%s_PREF of 19 octets is EINVAL", name, side);
		same(set(fd, option, &good, 0), EINVAL,
		     "%s: SHIM_LOC_%s_PREF of no octets is EINVAL", name, side);
		same(set(fd, option, nowhere, sizeof(good)), EFAULT,
		     "%s: SHIM_LOC_%s_PREF from nowhere is EFAULT", name, side);
		same(set(fd, option, NULL, sizeof(good)), EFAULT,
		     "%s: SHIM_LOC_%s_PREF from NULL with a length is EFAULT", name, side);
		bad.lc_family = AF_UNSPEC;
		same(set(fd, option, &bad, sizeof(bad)), EINVAL,
		     "%s: SHIM_LOC_%s_PREF without family is EINVAL", name, side);
		bad.lc_family = 200;
		same(set(fd, option, &bad, sizeof(bad)), EINVAL,
		     "%s: SHIM_LOC_%s_PREF of unknown family is EINVAL", name, side);

		len = sizeof(records);
		same(get(fd, lists[i], records, &len), ENOENT,
		     "%s: SHIM_LOCLIST_%s gets ENOENT", name, side);
		same(set(fd, lists[i], &good, sizeof(good)), ENOENT,
		     "%s: SHIM_LOCLIST_%s sets ENOENT #61", name, side);
	}
}

static void test_other_numbers(int fd, const char *name)
{
	static const int numbers[] = {
		INT_MIN, -1, 0, SHIM_LOC_LOCAL_SEND, SHIM_LOC_PEER_SEND, SHIM_FEEDBACK_POSITIVE,
		SHIM_FEEDBACK_NEGATIVE, SHIM_FEEDBACK, SHIM_IF_SEND, 19,
		64, 64 + 15, 64 + 16, 64 + SHIM_FEEDBACK, 64 + 18, 128 + 1, 255, INT_MAX,
	};
	bool same = true;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int get = get_int(fd, numbers[i]), set = set_int(fd, numbers[i], 1);

		if (get != -ENOPROTOOPT || set != ENOPROTOOPT) {
			tap_note("option %d: get %d, set %d", numbers[i], get, set);
			same = false;
		}
	}
	tap_ok(same, "%s: all other numbers are ENOPROTOOPT #23", name);
}

static bool round_trip(int fd, int level, int name, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return !setsockopt(fd, level, name, &wanted, sizeof(wanted)) &&
	       !getsockopt(fd, level, name, &value, &len) && value == wanted;
}

static void test_other_levels(int fd, const struct kind *kind)
{
	int value = 0;
	socklen_t len = sizeof(value);

	tap_ok(round_trip(fd, SOL_SOCKET, SO_REUSEADDR, 1), "%s: SOL_SOCKET is as ever",
	       kind->name);
	if (kind->family == AF_INET6)
		tap_ok(round_trip(fd, SOL_IPV6, IPV6_UNICAST_HOPS, 33), "%s: SOL_IPV6 is as ever",
		       kind->name);
	else
		tap_ok(round_trip(fd, SOL_IP, IP_TTL, 33), "%s: SOL_IP is as ever", kind->name);
	tap_ok(getsockopt(fd, SOL_SHIM + 1, SHIM_ASSOCIATED, &value, &len) == -1 &&
	       (errno == ENOPROTOOPT || errno == EOPNOTSUPP),
	       "%s: the next level is not served", kind->name);
}

static void test_kind(const struct kind *kind)
{
	int fd = open_kind(kind);

	if (fd < 0) {
		tap_skip(strerror(errno), "%s: options of SOL_SHIM", kind->name);
		return;
	}
	test_associated(fd, kind->name);
	test_dontshim(fd, kind->name);
	test_deferred_setup(fd, kind->name);
	test_lengths(fd, kind->name);
	test_without_context(fd, kind->name);
	test_other_numbers(fd, kind->name);
	test_other_levels(fd, kind);
	close(fd);
}

/*
 * The connections that MPTCP makes are not the socket that the program has, so
 * it can neither be opted out nor have a context.
 */
static void test_mptcp(void)
{
	int fd = open_kind(&mptcp6);

	if (fd < 0) {
		tap_skip(strerror(errno), "%s: options of SOL_SHIM", mptcp6.name);
		return;
	}
	same(get_int(fd, SHIM_ASSOCIATED), 0, "MPTCP: SHIM_ASSOCIATED is 0");
	same(get_int(fd, SHIM_DONTSHIM), 0, "MPTCP: SHIM_DONTSHIM is 0");
	same(set_int(fd, SHIM_DONTSHIM, 1), EOPNOTSUPP, "MPTCP: SHIM_DONTSHIM cannot be 1");
	same(set_int(fd, SHIM_DONTSHIM, 0), 0, "MPTCP: SHIM_DONTSHIM can be 0");
	close(fd);
}

static void test_unix(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	same(get_int(fd, SHIM_ASSOCIATED), -EOPNOTSUPP, "AF_UNIX has no SOL_SHIM");
	close(fd);
}

int main(void)
{
	static const struct kind *const kinds[] = { &tcp6, &udp6, &raw6, &ping6, &tcp4, &udp4 };

	new_namespace();
	allow_ping();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(kinds[i]);
	test_mptcp();
	test_unix();
	return tap_done();
}
