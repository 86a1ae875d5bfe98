// SPDX-License-Identifier: GPL-2.0
/*
 * Ancillary data at SOL_SHIM (draft section 6): over what locators datagrams are to
 * go, feedback, and what must not change beside.
 */
#include "message.h"

#include <netinet/udp.h>

#define PORT	7022

#ifndef UDP_GRO
#define UDP_GRO	104
#endif

static int netlink;

static void test_send(int here, const char *what)
{
	const char *mark = fresh_mark();

	forget_packets();
	use_locators(netlink, TAG_A, ULID_A, ULID_B);
	same(send_over(here, mark, OTHER_A, OTHER_B), 0, "%s: both locators #79", what);
	went(mark, OTHER_A, OTHER_B, "are on the wire #81");
	mark = fresh_mark();
	same(send_over(here, mark, NULL, NULL), 0, "%s: the next without #85", what);
	went(mark, ULID_A, ULID_B, "goes over those of the context #80");
	mark = fresh_mark();
	same(send_over(here, mark, OTHER_A, NULL), 0, "%s: the local one #79", what);
	went(mark, OTHER_A, ULID_B, "is on the wire #81");
	mark = fresh_mark();
	same(send_over(here, mark, NULL, OTHER_B), 0, "%s: the peer's #79", what);
	went(mark, ULID_A, OTHER_B, "is on the wire #81");
	use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
	mark = fresh_mark();
	same(send_over(here, mark, ULID_A, ULID_B), 0, "%s: the ULIDs #79", what);
	went(mark, ULID_A, ULID_B, "are on the wire");
	tap_ok(seen.header.ip6_nxt != SHIM6, "without a header");
	mark = fresh_mark();
	same(send_over(here, mark, OTHER_A, OTHER_B), 0, "%s: those in use", what);
	went(mark, OTHER_A, OTHER_B, "are on the wire");
}

static void test_send_errors(int here)
{
	static const int locators[] = { SHIM_LOC_LOCAL_SEND, SHIM_LOC_PEER_SEND };
	struct sockaddr_in6 good = at(OTHER_B, 0), bad = good;
	struct sockaddr_in old = { .sin_family = AF_INET };
	int clock[2] = { 0 };
	struct context before = show_context(netlink, TAG_A), after;
	struct out out;

	same(send_over(here, fresh_mark(), FOREIGN, NULL), EINVALIDLOCATOR,
	     "a local locator in no list #82 #72");
	same(send_over(here, fresh_mark(), NULL, FOREIGN), EINVALIDLOCATOR,
	     "a peer's locator in no list #82 #109 #110");
	same(send_over(here, fresh_mark(), ABSENT_A, NULL), EINVALIDLOCATOR,
	     "a local locator on no interface #82");
	same(send_over(here, fresh_mark(), OTHER_B, OTHER_A), EINVALIDLOCATOR,
	     "locators the wrong way round #82");
	for (int i = 0; i < 2; i++) {
		const char *side = i ? "PEER" : "LOCAL";
		int type = locators[i];

		same(send_raw(here, SOL_SHIM, type, &good, sizeof(good) - 1), EINVAL,
		     "%s: 27 octets", side);
		same(send_raw(here, SOL_SHIM, type, &good, 0), EINVAL, "%s: no octets", side);
		same(send_raw(here, SOL_SHIM, type, &old, sizeof(old)), EINVALIDLOCATOR,
		     "%s: a locator of IPv4 #22 #78", side);
		same(send_raw(here, SOL_SHIM, type, &old, sizeof(old) - 1), EINVAL,
		     "%s: 15 octets of IPv4", side);
		bad.sin6_family = AF_UNSPEC;
		same(send_raw(here, SOL_SHIM, type, &bad, sizeof(bad)), EINVAL, "%s: no family",
		     side);
	}
	compose(&out, "x", 1);
	add_locator(&out, SHIM_LOC_PEER_SEND, OTHER_B);
	add_locator(&out, SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(here, &out, 0), EINVAL, "one type twice");
	for (int type = -1; type < 20; type++) {
		int error;

		if (type >= SHIM_LOC_LOCAL_SEND && type <= SHIM_FEEDBACK)
			continue;
		error = send_raw(here, SOL_SHIM, type, &good, sizeof(good));
		if (error != EINVAL)
			tap_ok(false, "type %d is unknown: error %d", type, error);
	}
	same(send_raw(here, SOL_SHIM, SHIM_IF_SEND, &good, sizeof(good)), EINVAL,
	     "SHIM_IF_SEND is not there #115");
	same(send_raw(here, SOL_SHIM + 1, SHIM_LOC_PEER_SEND, &good, sizeof(good)), 0,
	     "another level is not the shim's #74");
	if (setsockopt(here, SOL_SOCKET, SO_TXTIME, clock, sizeof(clock)))
		tap_bail("SO_TXTIME");
	same(send_over(here, fresh_mark(), NULL, OTHER_B), EINVAL, "together with SO_TXTIME");
	after = show_context(netlink, TAG_A);
	tap_ok(!memcmp(before.peer, after.peer, sizeof(before.peer)) &&
	       before.switches == after.switches, "the context is as it was #107");
}

static void test_send_no_context(void)
{
	int fd = patient(&udp6);
	struct sockaddr_in6 to = at(FOREIGN, PORT);

	get_int(fd, SHIM_ASSOCIATED);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		tap_bail("connect");
	same(send_over(fd, fresh_mark(), OTHER_A, NULL), ENOENT, "no context: SEND is ENOENT");
	same(send_raw(fd, SOL_SHIM, SHIM_FEEDBACK_POSITIVE, NULL, 0), ENOENT,
	     "no context: SHIM_FEEDBACK_POSITIVE is ENOENT #83");
	same(send_raw(fd, SOL_SHIM, SHIM_FEEDBACK_NEGATIVE, NULL, 0), ENOENT,
	     "no context: SHIM_FEEDBACK_NEGATIVE is ENOENT #84");
	same(send_raw(fd, SOL_SHIM, SHIM_IF_SEND, NULL, 0), EINVAL,
	     "a type comes before the context");
	close(fd);

	fd = patient(&udp6);
	connect_ends(fd, PORT);
	set_int(fd, SHIM_DONTSHIM, 1);
	same(send_over(fd, fresh_mark(), NULL, OTHER_B), ENOENT, "opted out: SEND is ENOENT");
	close(fd);
}

static void test_unconnected(void)
{
	int fd = patient(&udp6);
	struct sockaddr_in6 to = at(ULID_B, PORT);
	struct in6_pktinfo info = { .ipi6_addr = address(ULID_A) };
	const char *mark = fresh_mark();
	struct out out;

	use_locators(netlink, TAG_A, ULID_A, ULID_B);
	get_int(fd, SHIM_ASSOCIATED);
	compose(&out, mark, MARK_LEN);
	out.msg.msg_name = &to;
	out.msg.msg_namelen = sizeof(to);
	add(&out, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	add_locator(&out, SHIM_LOC_LOCAL_SEND, OTHER_A);
	add_locator(&out, SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(fd, &out, 0), 0, "unconnected: from the ULID of IPV6_PKTINFO #96");
	went(mark, OTHER_A, OTHER_B, "over locators #76 #120");

	/* The interface of IPV6_PKTINFO restricts local locators. */
	info.ipi6_ifindex = 1;
	compose(&out, mark = fresh_mark(), MARK_LEN);
	out.msg.msg_name = &to;
	out.msg.msg_namelen = sizeof(to);
	add(&out, SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	add_locator(&out, SHIM_LOC_LOCAL_SEND, OTHER_A);
	same(deliver(fd, &out, 0), 0, "with the interface that has the locator");
	went(mark, OTHER_A, ULID_B, "it goes");

	close(fd);
	fd = patient(&udp6);
	get_int(fd, SHIM_ASSOCIATED);
	bind_to(fd, ULID_A, 0);
	compose(&out, mark = fresh_mark(), MARK_LEN);
	out.msg.msg_name = &to;
	out.msg.msg_namelen = sizeof(to);
	add_locator(&out, SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(fd, &out, 0), 0, "unconnected and bound: the peer's locator");
	went(mark, ULID_A, OTHER_B, "is on the wire #76");
	close(fd);
}

static void test_many_and_corked(int here, int there)
{
	static char big[3000];
	struct mmsghdr many[2];
	struct out outs[2];
	const char *mark = fresh_mark();

	use_locators(netlink, TAG_A, ULID_A, ULID_B);
	want_both(there);
	while (recv(there, big, sizeof(big), MSG_DONTWAIT) >= 0)
		;
	compose(&outs[0], "1", 1);
	add_locator(&outs[0], SHIM_LOC_PEER_SEND, OTHER_B);
	compose(&outs[1], "2", 1);
	add_locator(&outs[1], SHIM_LOC_LOCAL_SEND, OTHER_A);
	memset(many, 0, sizeof(many));
	many[0].msg_hdr = outs[0].msg;
	many[1].msg_hdr = outs[1].msg;
	same(sendmmsg(here, many, 2, 0), 2, "sendmmsg: two datagrams");
	take(there, &in, 0);
	came(&in, OTHER_B, ULID_A, "the first over its own");
	take(there, &in, 0);
	came(&in, ULID_B, OTHER_A, "the second over its own");

	compose(&outs[0], "1", 1);
	add_locator(&outs[0], SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(here, &outs[0], MSG_MORE), 0, "MSG_MORE: the first part");
	compose(&outs[1], mark, MARK_LEN);
	add_locator(&outs[1], SHIM_LOC_LOCAL_SEND, OTHER_A);
	same(deliver(here, &outs[1], 0), 0, "and the second");
	take(there, &in, 0);
	came(&in, OTHER_B, ULID_A, "go over what the first says");
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, ULID_B, ULID_A, "and the next datagram over what the context uses #80");

	setsockopt(here, IPPROTO_UDP, UDP_CORK, &(int){ 1 }, sizeof(int));
	compose(&outs[0], "1", 1);
	add_locator(&outs[0], SHIM_LOC_LOCAL_SEND, OTHER_A);
	same(deliver(here, &outs[0], 0), 0, "UDP_CORK: the first part");
	say(here, "2", 1);
	setsockopt(here, IPPROTO_UDP, UDP_CORK, &(int){ 0 }, sizeof(int));
	take(there, &in, 0);
	came(&in, ULID_B, OTHER_A, "goes with the rest over what it says");

	compose(&outs[0], big, sizeof(big));
	add_locator(&outs[0], SHIM_LOC_LOCAL_SEND, OTHER_A);
	add_locator(&outs[0], SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(here, &outs[0], 0), 0, "a large datagram");
	take(there, &in, 0);
	came(&in, OTHER_B, OTHER_A, "goes over what it says");

	compose(&outs[0], big, sizeof(big));
	add(&outs[0], SOL_UDP, UDP_SEGMENT, &(unsigned short){ 1000 }, 2);
	add_locator(&outs[0], SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(here, &outs[0], 0), 0, "UDP_SEGMENT: three datagrams at once");
	for (int i = 0; i < 3; i++) {
		take(there, &in, 0);
		came(&in, OTHER_B, ULID_A, "each over what they say #50");
	}
	setsockopt(there, SOL_UDP, UDP_GRO, &(int){ 1 }, sizeof(int));
	compose(&outs[0], big, sizeof(big));
	add(&outs[0], SOL_UDP, UDP_SEGMENT, &(unsigned short){ 1000 }, 2);
	add_locator(&outs[0], SHIM_LOC_PEER_SEND, OTHER_B);
	same(deliver(here, &outs[0], 0), 0, "UDP_SEGMENT to UDP_GRO");
	take(there, &in, 0);
	came(&in, OTHER_B, ULID_A, "comes together with its locators #50");
	while (recv(there, big, sizeof(big), MSG_DONTWAIT) >= 0)
		;
	setsockopt(there, SOL_UDP, UDP_GRO, &(int){ 0 }, sizeof(int));
}

static void test_feedback(int here)
{
	static const int types[] = { SHIM_FEEDBACK_POSITIVE, SHIM_FEEDBACK_NEGATIVE };
	struct shim_feedback feedback = { .fb_indicator = SHIM_FEEDBACK_SATISFACTORY };
	char octets[8] = "";
	struct out out;

	for (int i = 0; i < 2; i++) {
		const char *name = i ? "NEGATIVE" : "POSITIVE";

		for (int len = 0; len <= 8; len++) {
			int error = send_raw(here, SOL_SHIM, types[i], octets, len);

			same(error, len <= 4 ? 0 : EINVAL, "SHIM_FEEDBACK_%s of %d octets", name,
			     len);
		}
	}
	same(send_raw(here, SOL_SHIM, SHIM_FEEDBACK, &feedback, sizeof(feedback)), 0,
	     "SHIM_FEEDBACK");
	compose(&out, "x", 1);
	add_locator(&out, SHIM_LOC_PEER_SEND, OTHER_B);
	add(&out, SOL_SHIM, SHIM_FEEDBACK_NEGATIVE, NULL, 0);
	same(deliver(here, &out, 0), 0, "feedback and a locator in one message");
}

/* A program that says so in setsockopt() sends nothing. */
static void test_sticky_options(int here)
{
	struct out out;

	compose(&out, "x", 1);
	add_locator(&out, SHIM_LOC_PEER_SEND, FOREIGN);
	same(setsockopt(here, SOL_IPV6, 6 /* IPV6_2292PKTOPTIONS */, out.control, out.used) ? errno
	     : 0, 0, "IPV6_2292PKTOPTIONS is not ours");
}

int main(void)
{
	int here, there, raw;

	netlink = two_ends();
	add_local_address(FOREIGN);
	open_sniffer();
	there = patient(&udp6);
	bind_to(there, ULID_B, PORT);
	here = patient(&udp6);
	connect_ends(here, PORT);
	get_int(here, SHIM_ASSOCIATED);
	test_many_and_corked(here, there);
	test_send(here, "UDP");
	test_feedback(here);
	test_sticky_options(here);
	raw = patient(&plain6);
	connect_ends(raw, 0);
	get_int(raw, SHIM_ASSOCIATED);
	test_send(raw, "raw");
	close(raw);
	test_unconnected();
	test_send_no_context();
	test_send_errors(here);
	close(here);
	close(there);
	return tap_done();
}
