// SPDX-License-Identifier: GPL-2.0
/*
 * RFC 6316's interface: a program that is written to it builds with one line
 * before the header, and gets its structures, rules and errors.
 */
#define SHIM_RFC6316
#include "sniffer.h"

#define PORT	7030

static int netlink;

static struct shim_locator locator(const char *text, unsigned int prio, unsigned int weight)
{
	return (struct shim_locator){
		.lc_family = AF_INET6,
		.lc_prio = prio,
		.lc_weight = weight,
		.lc_addr = address(text),
	};
}

static int set_locator(int fd, int name, const char *text)
{
	struct shim_locator lc = locator(text, 0, 0);

	return set(fd, name, &lc, sizeof(lc));
}

static void test_unconnected(void)
{
	static const int names[] = {
		SHIM_ASSOCIATED, SHIM_HOT_STANDBY, SHIM_LOC_LOCAL_PREF, SHIM_LOC_PEER_PREF,
		SHIM_LOC_LOCAL_RECV, SHIM_LOC_PEER_RECV, SHIM_LOC_LOCAL_SEND, SHIM_LOC_PEER_SEND,
		SHIM_LOCLIST_LOCAL, SHIM_LOCLIST_PEER, SHIM_APP_TIMEOUT, SHIM_PATHEXPLORE,
		SHIM_CONTEXT_DEFERRED_SETUP,
	};
	int fd = open_kind(&udp6);
	bool all = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int error = get_int(fd, names[i]);

		if (error != -EOPNOTSUPP) {
			tap_note("option %d: %d", names[i], error);
			all = false;
		}
	}
	tap_ok(all, "unconnected: all are EOPNOTSUPP");
	same(get_int(fd, SHIM_DONTSHIM), 0, "but SHIM_DONTSHIM");
	same(set_int(fd, SHIM_DONTSHIM, 1), 0, "which is set before connect()");
	connect_ends(fd, PORT);
	same(set_int(fd, SHIM_DONTSHIM, 0), EOPNOTSUPP, "and not after");
	same(get_int(fd, SHIM_DONTSHIM), 1, "as it is read");
	close(fd);
}

static void test_without_context(void)
{
	int fd = open_kind(&udp6);
	struct sockaddr_in6 to = at(FOREIGN, PORT);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		tap_bail("connect");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "no context: SHIM_ASSOCIATED is 0");
	same(set_int(fd, SHIM_HOT_STANDBY, 1), ENOENT, "no context: SHIM_HOT_STANDBY is ENOENT");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), ENOENT,
	     "no context: SHIM_LOC_PEER_RECV is ENOENT");
	same(set_locator(fd, SHIM_LOC_PEER_SEND, OTHER_B), ENOENT,
	     "no context: SHIM_LOC_PEER_SEND is ENOENT");
	close(fd);
}

static void test_values(int fd)
{
	struct shim_locator list[SHIM_MAX_LOCATORS + 1], lc = locator(OTHER_B, 3, 9);
	struct shim_pathexplore pe = { .pe_probenum = 5, .pe_keepaliveto = 300,
				       .pe_keepaliveint = 3, .pe_initprobeto = 200 }, shown;
	socklen_t len = sizeof(lc);

	same(get_int(fd, SHIM_ASSOCIATED), 1, "SHIM_ASSOCIATED");
	same(get_int(fd, SHIM_DEFERRED_CONTEXT_SETUP), 1, "setup can be deferred");
	same(set_int(fd, SHIM_CONTEXT_DEFERRED_SETUP, 0), ENOPROTOOPT, "which is read-only");

	same(set(fd, SHIM_LOC_PEER_PREF, &lc, sizeof(lc)), 0, "SHIM_LOC_PEER_PREF");
	memset(&lc, 0xee, sizeof(lc));
	same(get(fd, SHIM_LOC_PEER_PREF, &lc, &len), 0, "is read");
	tap_ok(len == 32 && lc.lc_family == AF_INET6 && lc.lc_prio == 3 && lc.lc_weight == 9 &&
	       !lc.lc_proto && !lc.lc_port && !lc.lc_ifidx && lc.lc_flags == SHIM_LC_HBA &&
	       is(&lc.lc_addr, OTHER_B), "with priority, weight and flags");
	lc.lc_proto = IPPROTO_UDP;
	same(set(fd, SHIM_LOC_PEER_PREF, &lc, sizeof(lc)), EINVALIDLOCATOR, "one behind a NAT");
	lc = locator("::ffff:192.0.2.1", 0, 0);
	same(set(fd, SHIM_LOC_PEER_PREF, &lc, sizeof(lc)), EINVALIDLOCATOR, "one of IPv4 #22");
	lc.lc_family = AF_INET;
	same(set(fd, SHIM_LOC_PEER_PREF, &lc, sizeof(lc)), EINVALIDLOCATOR, "by its family too");
	lc.lc_family = 0;
	same(set(fd, SHIM_LOC_PEER_PREF, &lc, sizeof(lc)), EINVAL, "one of no family");
	same(set(fd, SHIM_LOC_PEER_PREF, &lc, 20), EINVAL, "the draft's 20 octets");
	same(set_locator(fd, SHIM_LOC_PEER_PREF, ULID_B), 0, "back");
	set(fd, SHIM_LOC_PEER_PREF, NULL, 0);

	len = sizeof(list);
	same(get(fd, SHIM_LOCLIST_LOCAL, list, &len), 0, "SHIM_LOCLIST_LOCAL");
	tap_ok(len == 3 * 32 && is(&list[0].lc_addr, ULID_A) && list[0].lc_ifidx == 1 &&
	       list[1].lc_prio == 10 && list[1].lc_flags == SHIM_LC_CGA, "is read");
	len = 3 * 32 - 1;
	same(get(fd, SHIM_LOCLIST_LOCAL, list, &len), ETOOMANYLOCATORS, "no room for it");
	same(len, 3 * 32, "says what it takes");
	list[0] = locator(ULID_A, 1, 0);
	list[1] = locator(OTHER_A, 700, 2);
	same(set(fd, SHIM_LOCLIST_LOCAL, list, 2 * 32), 0, "is set");
	len = sizeof(list);
	get(fd, SHIM_LOCLIST_LOCAL, list, &len);
	tap_ok(len == 2 * 32 && list[0].lc_prio == 1 && list[1].lc_prio == 255 &&
	       list[1].lc_weight == 2, "with priorities as far as the protocol has them");
	same(set(fd, SHIM_LOCLIST_LOCAL, list, sizeof(list)), ETOOMANYLOCATORS, "33 locators");
	same(set(fd, SHIM_LOCLIST_LOCAL, NULL, 0), 0, "disabled");

	same(set_int(fd, SHIM_APP_TIMEOUT, 20), 0, "SHIM_APP_TIMEOUT");
	same(get_int(fd, SHIM_APP_TIMEOUT), 20, "is read");
	same(set(fd, SHIM_PATHEXPLORE, &pe, sizeof(pe)), 0, "SHIM_PATHEXPLORE");
	len = sizeof(shown);
	same(get(fd, SHIM_PATHEXPLORE, &shown, &len), 0, "is read");
	tap_ok(len == 12 && !memcmp(&shown, &pe, sizeof(pe)), "as it was set");
	pe.pe_reserved = 1;
	same(set(fd, SHIM_PATHEXPLORE, &pe, sizeof(pe)), EINVAL, "a reserved field");
	same(set(fd, SHIM_PATHEXPLORE, NULL, 0), 0, "disabled");
	same(set_int(fd, SHIM_HOT_STANDBY, 1), 0, "SHIM_HOT_STANDBY");
	same(set_int(fd, SHIM_HOT_STANDBY, 0), 0, "and not");
}

/* The packet with this mark goes so. */
static void goes(int fd, const char *from, const char *to, const char *what)
{
	static unsigned int number;
	char mark[MARK_LEN + 1];
	enum fate fate;

	snprintf(mark, sizeof(mark), "6316 %010u", number++);
	if (send(fd, mark, MARK_LEN, 0) != MARK_LEN)
		tap_bail("send");
	fate = wait_for(ends_with, mark, false);
	if (!tap_ok(fate != UNSEEN && from_to(&seen.header, from, to), "%s", what))
		explain(fate);
}

/* SHIM_LOC_*_SEND as options hold until they are taken back. */
static void test_sticky(int fd, int other)
{
	struct shim_locator zero = { 0 }, lc;
	socklen_t len = sizeof(lc);

	memset(&lc, 0xee, sizeof(lc));
	same(get(fd, SHIM_LOC_PEER_SEND, &lc, &len), 0, "SHIM_LOC_PEER_SEND that was never set");
	tap_ok(len == 32 && !memcmp(&lc, &zero, sizeof(lc)), "is zeros");
	same(set_locator(fd, SHIM_LOC_PEER_SEND, OTHER_B), 0, "SHIM_LOC_PEER_SEND");
	get(fd, SHIM_LOC_PEER_SEND, &lc, &len);
	tap_ok(is(&lc.lc_addr, OTHER_B) && lc.lc_family == AF_INET6, "is read");
	goes(fd, ULID_A, OTHER_B, "each packet goes there");
	goes(fd, ULID_A, OTHER_B, "and the next");
	goes(other, ULID_A, ULID_B, "those of another socket do not");
	same(set_locator(fd, SHIM_LOC_LOCAL_SEND, OTHER_A), 0, "SHIM_LOC_LOCAL_SEND");
	goes(fd, OTHER_A, OTHER_B, "each packet goes from there");
	same(set_locator(fd, SHIM_LOC_LOCAL_SEND, FOREIGN), EINVALIDLOCATOR, "one in no list");
	same(set_locator(fd, SHIM_LOC_LOCAL_SEND, ABSENT_A), EINVALIDLOCATOR,
	     "one on no interface");
	same(set_locator(fd, SHIM_LOC_PEER_PREF, ULID_B), 0, "a preference beside it");
	goes(fd, OTHER_A, OTHER_B, "does not count");
	set(fd, SHIM_LOC_PEER_PREF, NULL, 0);
	same(set(fd, SHIM_LOC_PEER_SEND, &zero, sizeof(zero)), 0, "zeros take it back");
	goes(fd, OTHER_A, ULID_B, "the other one stays");
	same(set(fd, SHIM_LOC_LOCAL_SEND, &zero, sizeof(zero)), 0, "zeros take that back");
	goes(fd, ULID_A, ULID_B, "packets go as those of the context");
}

static int feedback(int fd, unsigned int direction, unsigned int indicator, size_t len)
{
	char control[CMSG_SPACE(8)] __attribute__((aligned(8))) = "";
	struct shim_feedback fb = { .fb_direction = direction, .fb_indicator = indicator };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = CMSG_SPACE(len) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = SHIM_FEEDBACK;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), &fb, sizeof(fb));
	return sendmsg(fd, &msg, 0) < 0 ? errno : 0;
}

static void test_feedback(int fd)
{
	for (unsigned int direction = SHIM_FEEDBACK_OUTBOUND; direction <= SHIM_FEEDBACK_INBOUND;
	     direction++)
		for (unsigned int indicator = SHIM_FEEDBACK_IGNORE;
		     indicator <= SHIM_FEEDBACK_SATISFACTORY; indicator++)
			same(feedback(fd, direction, indicator, 4), 0, "feedback %u, %u", direction,
			     indicator);
	same(feedback(fd, 2, 1, 4), EINVAL, "a third direction");
	same(feedback(fd, 0, 4, 4), EINVAL, "a fifth indicator");
	same(feedback(fd, 0, 1, 3), EINVAL, "three octets");
	same(feedback(fd, 0, 1, 8), EINVAL, "eight octets");
}

/* Zeros where there is no context (section 7.1). */
static void test_zero_filled(int here, int there)
{
	char control[256] __attribute__((aligned(8))), octets[64];
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct sockaddr_in6 zero = { 0 }, got;
	struct cmsghdr *cmsg;

	same(set_int(there, SHIM_LOC_PEER_RECV, 1), 0, "SHIM_LOC_PEER_RECV");
	delete_context(netlink, TAG_B);
	while (recv(there, octets, sizeof(octets), MSG_DONTWAIT) >= 0)
		;
	if (send(here, "x", 1, 0) != 1 || recvmsg(there, &msg, 0) != 1)
		tap_bail("datagram");
	cmsg = CMSG_FIRSTHDR(&msg);
	memset(&got, 0xee, sizeof(got));
	if (cmsg && cmsg->cmsg_len == CMSG_LEN(sizeof(got)))
		memcpy(&got, CMSG_DATA(cmsg), sizeof(got));
	tap_ok(cmsg && cmsg->cmsg_level == SOL_SHIM && cmsg->cmsg_type == SHIM_LOC_PEER_RECV &&
	       !memcmp(&got, &zero, sizeof(got)), "no context: zeros");
}

int main(void)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	int fd, other, there;

	netlink = two_ends();
	add_local_address(FOREIGN);
	open_sniffer();

	there = open_kind(&udp6);
	bind_to(there, ULID_B, PORT);
	test_unconnected();
	test_without_context();
	fd = open_kind(&udp6);
	other = open_kind(&udp6);
	connect_ends(fd, PORT);
	connect_ends(other, PORT);
	if (getsockname(fd, (struct sockaddr *)&from, &len) ||
	    connect(there, (struct sockaddr *)&from, sizeof(from)))
		tap_bail("connect back");
	test_values(fd);
	test_sticky(fd, other);
	test_feedback(fd);
	test_zero_filled(fd, there);
	close(fd);
	close(other);
	close(there);
	return tap_done();
}
