// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options at SOL_SHIM on sockets with a context: association, locator
 * lists, the locators in use and the preferred ones
 * (draft-ietf-shim6-multihome-shim-api-03, sections 5.1 and 5.5 to 5.10).
 */
#include "socket.h"

#define PORT	7001

static int netlink;

static void opts_out_and_in(int fd, const char *what)
{
	struct sockaddr_in6 nobody = { .sin6_family = AF_UNSPEC };

	same(get_int(fd, SHIM_ASSOCIATED), 1, "%s: associated", what);
	same(set_int(fd, SHIM_DONTSHIM, 1), 0, "%s: opted out", what);
	same(get_int(fd, SHIM_ASSOCIATED), 0, "%s: not associated then", what);
	same(prefer(fd, SHIM_LOC_PEER_PREF, OTHER_B, 255), ENOENT, "%s: no preferences then", what);
	same(set_int(fd, SHIM_DONTSHIM, 0), 0, "%s: back in", what);
	same(get_int(fd, SHIM_ASSOCIATED), 1, "%s: associated again", what);
	if (connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)))
		tap_bail("disconnect");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "%s: not after it was disconnected", what);
}

static void test_association(void)
{
	struct sockaddr_in6 other = at(OTHER_B, PORT), peer = at(ULID_B, PORT);
	int listener = listen_at(&tcp6, ULID_B, PORT), fd, child;

	same(get_int(listener, SHIM_ASSOCIATED), 0, "TCP: a listener is not associated");
	fd = open_kind(&tcp6);
	same(get_int(fd, SHIM_ASSOCIATED), 0, "TCP: not before it is connected");
	connect_ends(fd, PORT);
	child = accept_from(listener);
	same(get_int(child, SHIM_ASSOCIATED), 1, "TCP: the accepted socket is associated too");
	opts_out_and_in(fd, "TCP");
	close(child);
	close(fd);
	close(listener);

	fd = open_kind(&udp6);
	bind_to(fd, ULID_A, 0);
	same(get_int(fd, SHIM_ASSOCIATED), 0, "UDP: not before it is connected");
	if (connect(fd, (struct sockaddr *)&other, sizeof(other)))
		tap_bail("connect");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "UDP: not to a peer without a context");
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		tap_bail("connect");
	opts_out_and_in(fd, "UDP");
	close(fd);

	fd = open_kind(&raw6);
	connect_ends(fd, 0);
	opts_out_and_in(fd, "raw");
	close(fd);
}

/* Sockets that are not, however much their addresses look like it. */
static void test_not_associated(void)
{
	struct sockaddr_in6 mapped = at("::ffff:127.0.0.1", PORT), own = at(ULID_A, PORT);
	struct sockaddr_in peer4 = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct shim_locator record;
	socklen_t len = sizeof(record);
	int fd = open_kind(&udp4);

	if (connect(fd, (struct sockaddr *)&peer4, sizeof(peer4)))
		tap_bail("connect to 127.0.0.1");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "IPv4 is not associated");
	same(get(fd, SHIM_LOC_LOCAL_PREF, &record, &len), ENOENT, "IPv4 has no locators");
	close(fd);

	fd = open_kind(&udp6);
	if (connect(fd, (struct sockaddr *)&mapped, sizeof(mapped)))
		tap_bail("connect to a mapped address");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "an IPv4-mapped peer is not associated");
	close(fd);

	fd = open_kind(&udp6);
	bind_to(fd, OTHER_A, 0);
	if (connect(fd, (struct sockaddr *)&own, sizeof(own)))
		tap_bail("connect");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "a locator that is no ULID is not associated");
	close(fd);
}

static void test_lists(int fd)
{
	struct shim_locator list[4];
	socklen_t len = sizeof(list);

	memset(list, 0xee, sizeof(list));
	same(get(fd, SHIM_LOCLIST_LOCAL, list, &len), 0, "local list");
	same(len, 3 * sizeof(list[0]), "three records");
	tap_ok(holds(&list[0], ULID_A) && holds(&list[1], OTHER_A) && holds(&list[2], ABSENT_A),
	       "in the order of the list");
	tap_ok(list[0].lc_flags == SHIM_LC_HBA && list[1].lc_flags == SHIM_LC_CGA &&
	       list[2].lc_flags == 0, "with HBA, CGA and nothing as verification #89");
	tap_ok(list[0].lc_preference == 255 && list[1].lc_preference == 245 &&
	       list[2].lc_preference == 0, "with preferences opposite to priorities");
	tap_ok(list[0].lc_ifidx == 1 && list[1].lc_ifidx == 1 && list[2].lc_ifidx == 0,
	       "with the interface, or none #88");
	tap_ok(list[3].lc_family == 0xee, "and nothing behind them");

	len = sizeof(list);
	same(get(fd, SHIM_LOCLIST_PEER, list, &len), 0, "peer's list");
	same(len, 2 * sizeof(list[0]), "two records");
	tap_ok(holds(&list[0], ULID_B) && holds(&list[1], OTHER_B) &&
	       list[0].lc_flags == 0 && list[1].lc_flags == SHIM_LC_HBA &&
	       list[1].lc_preference == 235, "with all that is known of them");
	tap_ok(list[0].lc_ifidx == 0 && list[1].lc_ifidx == 0,
	       "no interface, though this host has the address");

	len = 3 * sizeof(list[0]);
	same(get(fd, SHIM_LOCLIST_LOCAL, list, &len), 0, "a buffer that just fits");

	memset(list, 0xee, sizeof(list));
	len = 3 * sizeof(list[0]) - 1;
	same(get(fd, SHIM_LOCLIST_LOCAL, list, &len), ETOOMANYLOCATORS,
	     "a buffer one octet short #57");
	same(len, 3 * sizeof(list[0]), "tells the length that it takes");
	tap_ok(list[0].lc_family == 0xee, "and nothing is copied");
	len = 0;
	tap_ok(get(fd, SHIM_LOCLIST_LOCAL, NULL, &len) == ETOOMANYLOCATORS &&
	       len == 3 * sizeof(list[0]), "so does no buffer at all");
	len = (socklen_t)-1;
	same(get(fd, SHIM_LOCLIST_LOCAL, list, &len), EINVAL, "a negative length is EINVAL");
	len = sizeof(list);
	same(get(fd, SHIM_LOCLIST_LOCAL, (void *)1, &len), EFAULT, "a buffer nowhere is EFAULT");
}

static void test_locator_in_use(int fd)
{
	struct shim_locator record;
	unsigned char octets[24];
	socklen_t len = sizeof(octets);

	memset(octets, 0xee, sizeof(octets));
	same(get(fd, SHIM_LOC_LOCAL_PREF, octets, &len), 0, "local locator in use");
	memcpy(&record, octets, sizeof(record));
	tap_ok(len == sizeof(record) && octets[20] == 0xee, "20 octets");
	tap_ok(holds(&record, ULID_A) && record.lc_flags == SHIM_LC_HBA &&
	       record.lc_preference == 255 && record.lc_ifidx == 1, "the ULID at first");
	len = sizeof(record);
	tap_ok(get(fd, SHIM_LOC_PEER_PREF, &record, &len) == 0 && holds(&record, ULID_B) &&
	       record.lc_ifidx == 0, "the peer's too");

	memset(octets, 0xee, sizeof(octets));
	len = 3;
	tap_ok(get(fd, SHIM_LOC_LOCAL_PREF, octets, &len) == 0 && len == 3 &&
	       octets[0] == AF_INET6 && octets[3] == 0xee, "a short buffer gets the beginning");
}

static void test_preference(int fd, const char *what)
{
	struct shim_locator record;
	struct context context;
	socklen_t len = sizeof(record);

	same(prefer(fd, SHIM_LOC_LOCAL_PREF, OTHER_A, 200), 0,
	     "%s: a local locator is preferred", what);
	tap_ok(get(fd, SHIM_LOC_LOCAL_PREF, &record, &len) == 0 && holds(&record, OTHER_A) &&
	       record.lc_preference == 200 && record.lc_flags == SHIM_LC_CGA,
	       "%s: and in use", what);
	context = show_context(netlink, TAG_A);
	tap_ok(is(&context.current_local, OTHER_A) && is(&context.current_peer, ULID_B),
	       "%s: by the context, the peer's side unchanged", what);
	same(context.local[1].priority, 55, "%s: with its priority", what);

	same(prefer(fd, SHIM_LOC_PEER_PREF, OTHER_B, 255), 0,
	     "%s: a peer's locator is preferred", what);
	context = show_context(netlink, TAG_A);
	tap_ok(is(&context.current_local, OTHER_A) && is(&context.current_peer, OTHER_B),
	       "%s: by the context, the local side unchanged", what);

	same(set(fd, SHIM_LOC_LOCAL_PREF, NULL, 0), 0, "%s: the preference is disabled #48", what);
	context = show_context(netlink, TAG_A);
	tap_ok(is(&context.current_local, OTHER_A), "%s: and traffic stays where it is", what);

	tap_ok(!prefer(fd, SHIM_LOC_LOCAL_PREF, ULID_A, 255) &&
	       !prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), "%s: back to the ULIDs", what);
	context = show_context(netlink, TAG_A);
	tap_ok(is(&context.current_local, ULID_A) && is(&context.current_peer, ULID_B),
	       "%s: which the context uses", what);
}

static void test_refusals(int fd)
{
	struct shim_locator record = preferred(OTHER_A, 10);
	struct context before = show_context(netlink, TAG_A), after;

	same(prefer(fd, SHIM_LOC_LOCAL_PREF, FOREIGN, 255), EINVALIDLOCATOR,
	     "a local locator that is in no list #44 #45");
	same(prefer(fd, SHIM_LOC_PEER_PREF, FOREIGN, 255), EINVALIDLOCATOR,
	     "a peer's locator that is in no list");
	same(prefer(fd, SHIM_LOC_PEER_PREF, OTHER_A, 255), EINVALIDLOCATOR,
	     "a local locator for the peer");
	same(prefer(fd, SHIM_LOC_LOCAL_PREF, ABSENT_A, 255), EINVALIDLOCATOR,
	     "a local locator that is on no interface");
	record.lc_family = AF_INET;
	same(set(fd, SHIM_LOC_LOCAL_PREF, &record, sizeof(record)), EINVALIDLOCATOR,
	     "a locator of IPv4");
	record.lc_family = AF_UNSPEC;
	same(set(fd, SHIM_LOC_LOCAL_PREF, &record, sizeof(record)), EINVAL,
	     "a locator of no family");
	record.lc_family = AF_INET6;
	same(set(fd, SHIM_LOC_LOCAL_PREF, &record, sizeof(record) - 1), EINVAL, "19 octets");
	same(set(fd, SHIM_LOC_LOCAL_PREF, NULL, sizeof(record)), EFAULT, "20 octets from nowhere");

	after = show_context(netlink, TAG_A);
	tap_ok(after.switches == before.switches && is(&after.current_local, ULID_A) &&
	       is(&after.current_peer, ULID_B), "no refused call has moved anything");
	tap_ok(!memcmp(before.local, after.local, sizeof(before.local)) &&
	       !memcmp(before.peer, after.peer, sizeof(before.peer)), "nor changed a preference");
}

static void test_garbage_and_length(int fd)
{
	struct { struct shim_locator record; char more[12]; } longer = {
		.record = preferred(OTHER_A, 1),
	};

	longer.record.lc_ifidx = 77;
	longer.record.lc_flags = 0xff;
	same(set(fd, SHIM_LOC_LOCAL_PREF, &longer, sizeof(longer)), 0,
	     "interface, flags and further octets are ignored #47");
	same(prefer(fd, SHIM_LOC_LOCAL_PREF, ULID_A, 255), 0, "back");
}

/* The option that stops the shim must not stop a connection. */
static void test_opt_out_of_connection(int fd)
{
	same(prefer(fd, SHIM_LOC_PEER_PREF, OTHER_B, 255), 0, "TCP: on other locators");
	same(set_int(fd, SHIM_DONTSHIM, 1), EOPNOTSUPP, "TCP: it cannot be opted out there");
	same(get_int(fd, SHIM_DONTSHIM), 0, "TCP: and is not");
	same(set_int(fd, SHIM_DONTSHIM, 0), 0, "TCP: while 0 is accepted");
	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), 0, "TCP: back on the ULIDs");
	same(set_int(fd, SHIM_DONTSHIM, 1), 0, "TCP: it can be opted out there");
	same(set_int(fd, SHIM_DONTSHIM, 0), 0, "TCP: and back in");
}

static void test_context_gone(int fd)
{
	struct shim_locator list[4];
	socklen_t len = sizeof(list);

	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), 0, "a preference is stored");
	delete_context(netlink, TAG_A);
	same(get_int(fd, SHIM_ASSOCIATED), 0, "without the context: not associated");
	same(get(fd, SHIM_LOCLIST_PEER, list, &len), ENOENT, "without the context: no list");
	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), ENOENT, "without the context: ENOENT");
	same(set(fd, SHIM_LOC_PEER_PREF, NULL, 0), 0,
	     "without the context: what was stored is dropped");
	same(set(fd, SHIM_LOC_PEER_PREF, NULL, 0), ENOENT, "without the context: once");
}

int main(void)
{
	int listener, tcp, udp, raw;

	netlink = two_ends();

	test_association();
	test_not_associated();

	listener = listen_at(&tcp6, ULID_B, PORT);
	tcp = open_kind(&tcp6);
	udp = open_kind(&udp6);
	raw = open_kind(&raw6);
	connect_ends(tcp, PORT);
	connect_ends(udp, PORT);
	connect_ends(raw, 0);

	test_lists(tcp);
	test_locator_in_use(tcp);
	test_refusals(udp);
	test_garbage_and_length(raw);
	test_preference(tcp, "TCP");
	test_preference(udp, "UDP");
	test_preference(raw, "raw");
	test_opt_out_of_connection(tcp);
	test_context_gone(udp);
	close(tcp);
	close(udp);
	close(raw);
	close(listener);
	return tap_done();
}
