// SPDX-License-Identifier: GPL-2.0
/*
 * Ancillary data at SOL_SHIM (draft section 6): over what locators datagrams came.
 */
#include "message.h"

#include <linux/errqueue.h>
#include <poll.h>
#include <pthread.h>

#define PORT	7020

static int netlink;

static void test_receive(int here, int there)
{
	static char big[8000];
	struct mmsghdr many[3];
	static struct in ins[3];
	unsigned int count;

	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, NULL, NULL, "nobody asked, nothing comes #52");
	want_both(there);

	use_locators(netlink, TAG_A, ULID_A, ULID_B);
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, ULID_B, ULID_A, "without a header: the addresses are the locators #15");

	use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
	say(here, "x", 1);
	take(there, &in, MSG_PEEK);
	came(&in, OTHER_B, OTHER_A, "MSG_PEEK: the locators #50 #51 #15");
	take(there, &in, 0);
	came(&in, OTHER_B, OTHER_A, "and when it is taken #75");
	tap_ok(is(&in.from.sin6_addr, ULID_A), "which came from the ULID to the socket #76 #97");

	use_locators(netlink, TAG_A, OTHER_A, ULID_B);
	say(here, "1", 1);
	use_locators(netlink, TAG_A, ULID_A, OTHER_B);
	say(here, "2", 1);
	use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
	say(here, "3", 1);
	memset(many, 0, sizeof(many));
	for (int i = 0; i < 3; i++) {
		ins[i].iov = (struct iovec){ ins[i].octets, sizeof(ins[i].octets) };
		many[i].msg_hdr.msg_iov = &ins[i].iov;
		many[i].msg_hdr.msg_iovlen = 1;
		many[i].msg_hdr.msg_control = ins[i].control;
		many[i].msg_hdr.msg_controllen = ROOM;
	}
	same(recvmmsg(there, many, 3, MSG_WAITFORONE, NULL), 3, "recvmmsg: three datagrams");
	tap_ok(has(&many[0].msg_hdr, SHIM_LOC_LOCAL_RECV, ULID_B) &&
	       has(&many[0].msg_hdr, SHIM_LOC_PEER_RECV, OTHER_A) &&
	       has(&many[1].msg_hdr, SHIM_LOC_LOCAL_RECV, OTHER_B) &&
	       has(&many[1].msg_hdr, SHIM_LOC_PEER_RECV, ULID_A) &&
	       has(&many[2].msg_hdr, SHIM_LOC_LOCAL_RECV, OTHER_B) &&
	       has(&many[2].msg_hdr, SHIM_LOC_PEER_RECV, OTHER_A),
	       "each with the locators that it came over #50 #51");

	say(here, big, sizeof(big));
	take(there, &in, 0);
	came(&in, OTHER_B, OTHER_A, "a datagram in fragments #50 #51");

	say(here, "x", 1);
	if (take_with(there, &in, CMSG_SPACE(28) + 8, 0) != 1)
		tap_bail("recvmsg");
	tap_ok(in.msg.msg_flags & MSG_CTRUNC, "MSG_CTRUNC: no room for both");
	cmsg_of(&in.msg, SOL_SHIM, SHIM_LOC_LOCAL_RECV, &count);
	same(count, 1, "one is there");
	say(here, "x", 1);
	if (take_with(there, &in, 0, 0) != 1)
		tap_bail("recvmsg");
	tap_ok(in.msg.msg_flags & MSG_CTRUNC, "MSG_CTRUNC: no room at all");
	say(here, "xy", 2);
	in.octets[1] = 0;
	memset(&in.msg, 0, sizeof(in.msg));
	in.iov = (struct iovec){ in.octets, 1 };
	in.msg.msg_iov = &in.iov;
	in.msg.msg_iovlen = 1;
	in.msg.msg_control = in.control;
	in.msg.msg_controllen = ROOM;
	same(recvmsg(there, &in.msg, 0), 1, "a datagram that is cut");
	tap_ok(in.msg.msg_flags & MSG_TRUNC && has(&in.msg, SHIM_LOC_PEER_RECV, OTHER_A),
	       "has its locators all the same");

	set_int(there, SHIM_LOC_LOCAL_RECV, 0);
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, NULL, OTHER_A, "only the peer's locator is wanted");
	set_int(there, SHIM_LOC_PEER_RECV, 0);
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, NULL, NULL, "none is wanted any more");
}

/* Options of IPv6 and those of the shim do not know of each other. */
static void test_receive_with_others(int here, int there)
{
	const struct cmsghdr *cmsg;
	struct in6_pktinfo info;
	unsigned int count;

	want_both(there);
	if (setsockopt(there, SOL_IPV6, IPV6_RECVPKTINFO, &(int){ 1 }, sizeof(int)) ||
	    setsockopt(there, SOL_IPV6, IPV6_RECVHOPLIMIT, &(int){ 1 }, sizeof(int)) ||
	    setsockopt(there, SOL_SOCKET, SO_TIMESTAMP, &(int){ 1 }, sizeof(int)))
		tap_bail("options of others");
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, OTHER_B, OTHER_A, "beside other ancillary data: the locators #120");
	cmsg = cmsg_of(&in.msg, SOL_IPV6, IPV6_PKTINFO, &count);
	memset(&info, 0, sizeof(info));
	if (cmsg)
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	tap_ok(count == 1 && is(&info.ipi6_addr, ULID_B) && info.ipi6_ifindex == 1,
	       "IPV6_PKTINFO has the ULID #95");
	cmsg_of(&in.msg, SOL_IPV6, IPV6_HOPLIMIT, &count);
	same(count, 1, "IPV6_HOPLIMIT is there");
	cmsg_of(&in.msg, SOL_SOCKET, SO_TIMESTAMP, &count);
	same(count, 1, "SO_TIMESTAMP is there");
	set_int(there, SHIM_LOC_LOCAL_RECV, 0);
	set_int(there, SHIM_LOC_PEER_RECV, 0);
	say(here, "x", 1);
	take(there, &in, 0);
	cmsg_of(&in.msg, SOL_IPV6, IPV6_PKTINFO, &count);
	tap_ok(count == 1 && has(&in.msg, SHIM_LOC_PEER_RECV, NULL),
	       "which goes on without the shim's");
	setsockopt(there, SOL_IPV6, IPV6_RECVPKTINFO, &(int){ 0 }, sizeof(int));
	setsockopt(there, SOL_IPV6, IPV6_RECVHOPLIMIT, &(int){ 0 }, sizeof(int));
	setsockopt(there, SOL_SOCKET, SO_TIMESTAMP, &(int){ 0 }, sizeof(int));
}

struct reader {
	int fd;
	unsigned int right, wrong;
};

static void *read_all(void *data)
{
	struct reader *reader = data;
	struct in *mine = malloc(sizeof(*mine));

	while (mine && take_with(reader->fd, mine, ROOM, 0) > 0 && mine->octets[0] != 'q') {
		bool other = mine->octets[0] == 'o';

		if (has(&mine->msg, SHIM_LOC_LOCAL_RECV, other ? OTHER_B : ULID_B) &&
		    has(&mine->msg, SHIM_LOC_PEER_RECV, other ? OTHER_A : ULID_A))
			reader->right++;
		else
			reader->wrong++;
	}
	free(mine);
	return NULL;
}

static void test_threads(int here, int there)
{
	enum { THREADS = 3, DATAGRAMS = 300 };
	struct reader readers[THREADS] = { 0 };
	unsigned int right = 0, wrong = 0;
	pthread_t threads[THREADS];

	want_both(there);
	for (int i = 0; i < THREADS; i++) {
		readers[i].fd = there;
		if (pthread_create(&threads[i], NULL, read_all, &readers[i]))
			tap_bail("thread");
	}
	for (int i = 0; i < DATAGRAMS; i++) {
		if (i % 2)
			say(here, "u", 1);
		else if (send_over(here, "o...............", OTHER_A, OTHER_B))
			tap_bail("send over other locators");
		/* The receiver's buffer is not what this is about. */
		if (i % 20 == 19)
			poll(NULL, 0, 2);
	}
	for (int i = 0; i < THREADS; i++)
		say(here, "q", 1);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		right += readers[i].right;
		wrong += readers[i].wrong;
	}
	if (!tap_ok(right == DATAGRAMS && !wrong, "threads: each datagram with its own locators"))
		tap_note("%u right, %u wrong of %u", right, wrong, DATAGRAMS);
}

static void test_receive_without_context(void)
{
	int there = patient(&udp6), here = patient(&udp6);
	struct sockaddr_in6 to = at(FOREIGN, PORT + 1);

	bind_to(there, FOREIGN, PORT + 1);
	want_both(there);
	if (connect(here, (struct sockaddr *)&to, sizeof(to)))
		tap_bail("connect");
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, NULL, NULL, "no context: no ancillary data");
	close(here);

	here = patient(&udp4);
	close(there);
	there = patient(&udp6);
	bind_to(there, "::", PORT + 2);
	want_both(there);
	{
		struct sockaddr_in to4 = {
			.sin_family = AF_INET,
			.sin_port = htons(PORT + 2),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};

		if (connect(here, (struct sockaddr *)&to4, sizeof(to4)))
			tap_bail("connect over IPv4");
	}
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, NULL, NULL, "IPv4 to a socket of IPv6: no ancillary data");
	close(here);
	close(there);
}

/* What comes from the error queue was not received over locators. */
static void test_error_queue(void)
{
	int fd = patient(&udp6);
	struct pollfd ready = { .fd = fd };

	want_both(fd);
	if (setsockopt(fd, SOL_IPV6, IPV6_RECVERR, &(int){ 1 }, sizeof(int)))
		tap_bail("IPV6_RECVERR");
	connect_ends(fd, PORT + 9);
	say(fd, "x", 1);
	poll(&ready, 1, 5000);
	take(fd, &in, MSG_ERRQUEUE);
	came(&in, NULL, NULL, "the error queue has no locators");
	tap_ok(in.msg.msg_flags & MSG_ERRQUEUE && is(&in.from.sin6_addr, ULID_B),
	       "but the error of the ULID #25");
	close(fd);
}

static void test_raw_receive(void)
{
	int there = patient(&plain6), here = patient(&plain6);

	bind_to(there, ULID_B, 0);
	want_both(there);
	connect_ends(here, 0);
	use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
	say(here, "x", 1);
	take(there, &in, 0);
	came(&in, OTHER_B, OTHER_A, "raw: the locators #26 #50 #51");
	close(here);
	close(there);
}

int main(void)
{
	int here, there;

	netlink = two_ends();
	add_local_address(FOREIGN);
	there = patient(&udp6);
	bind_to(there, ULID_B, PORT);
	here = patient(&udp6);
	connect_ends(here, PORT);
	get_int(here, SHIM_ASSOCIATED);
	test_receive(here, there);
	test_receive_with_others(here, there);
	use_locators(netlink, TAG_A, ULID_A, ULID_B);
	test_threads(here, there);
	close(here);
	close(there);
	test_raw_receive();
	test_error_queue();
	test_receive_without_context();
	return tap_done();
}
