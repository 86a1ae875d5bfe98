// SPDX-License-Identifier: GPL-2.0
/*
 * Ancillary data at SOL_SHIM (draft section 6): over what locators datagrams
 * came and over what they are to go, feedback, and what must not change beside.
 */
#include "sniffer.h"

#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <linux/errqueue.h>

#define PORT	7020

#ifndef UDP_GRO
#define UDP_GRO	104
#endif

static int netlink;

/* Room for all that a message can come with here. */
#define ROOM	512

/* --- Messages ------------------------------------------------------------- */

struct out {
	struct msghdr msg;
	struct iovec iov;
	size_t used;
	char control[ROOM] __attribute__((aligned(8)));
};

static void compose(struct out *out, const void *octets, size_t len)
{
	memset(out, 0, sizeof(*out));
	out->iov = (struct iovec){ .iov_base = (void *)octets, .iov_len = len };
	out->msg.msg_iov = &out->iov;
	out->msg.msg_iovlen = 1;
}

static void add(struct out *out, int level, int type, const void *value, size_t len)
{
	struct cmsghdr *cmsg = (void *)(out->control + out->used);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	if (len)
		memcpy(CMSG_DATA(cmsg), value, len);
	out->used += CMSG_SPACE(len);
	out->msg.msg_control = out->control;
	out->msg.msg_controllen = out->used;
}

static void add_locator(struct out *out, int type, const char *text)
{
	struct sockaddr_in6 locator = at(text, 0);

	add(out, SOL_SHIM, type, &locator, sizeof(locator));
}

static int deliver(int fd, struct out *out, int flags)
{
	return sendmsg(fd, &out->msg, flags) < 0 ? errno : 0;
}

/* A datagram that can be told from others, with one or two locators. */
static int send_over(int fd, const char *mark, const char *local, const char *peer)
{
	struct out out;

	compose(&out, mark, MARK_LEN);
	if (local)
		add_locator(&out, SHIM_LOC_LOCAL_SEND, local);
	if (peer)
		add_locator(&out, SHIM_LOC_PEER_SEND, peer);
	return deliver(fd, &out, 0);
}

static const char *fresh_mark(void)
{
	static char mark[MARK_LEN + 1];
	static unsigned int number;

	snprintf(mark, sizeof(mark), "anc. %011u", number++);
	return mark;
}

/* The packet with this mark went so. */
static void went(const char *mark, const char *from, const char *to, const char *what)
{
	enum fate fate = wait_for(ends_with, mark, false);

	if (!tap_ok(fate != UNSEEN && from_to(&seen.header, from, to), "%s", what))
		explain(fate);
}

/* --- What was received ---------------------------------------------------- */

struct in {
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_in6 from;
	char octets[70000];
	char control[ROOM] __attribute__((aligned(8)));
};

static ssize_t take_with(int fd, struct in *in, size_t room, int flags)
{
	memset(&in->msg, 0, sizeof(in->msg));
	in->iov = (struct iovec){ .iov_base = in->octets, .iov_len = sizeof(in->octets) };
	in->msg.msg_iov = &in->iov;
	in->msg.msg_iovlen = 1;
	in->msg.msg_name = &in->from;
	in->msg.msg_namelen = sizeof(in->from);
	in->msg.msg_control = in->control;
	in->msg.msg_controllen = room;
	return recvmsg(fd, &in->msg, flags);
}

static void take(int fd, struct in *in, int flags)
{
	if (take_with(fd, in, sizeof(in->control), flags) < 0)
		tap_bail("recvmsg");
}

static const struct cmsghdr *cmsg_of(struct msghdr *msg, int level, int type, unsigned int *count)
{
	const struct cmsghdr *found = NULL;
	struct cmsghdr *cmsg;

	*count = 0;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type) {
			found = cmsg;
			(*count)++;
		}
	}
	return found;
}

/* A message has exactly this locator of this type, or none if @text is NULL. */
static bool has(struct msghdr *msg, int type, const char *text)
{
	const struct cmsghdr *cmsg;
	struct sockaddr_in6 locator;
	unsigned int count;

	cmsg = cmsg_of(msg, SOL_SHIM, type, &count);
	if (!text)
		return !cmsg;
	if (!cmsg || count != 1 || cmsg->cmsg_len != CMSG_LEN(sizeof(locator)))
		return false;
	memcpy(&locator, CMSG_DATA(cmsg), sizeof(locator));
	return locator.sin6_family == AF_INET6 && !locator.sin6_port && !locator.sin6_flowinfo &&
	       !locator.sin6_scope_id && is(&locator.sin6_addr, text);
}

static void note_cmsgs(struct msghdr *msg)
{
	char text[INET6_ADDRSTRLEN];
	struct cmsghdr *cmsg;

	tap_note("flags %x, %zu octets of ancillary data", msg->msg_flags,
		 (size_t)msg->msg_controllen);
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		text[0] = 0;
		if (cmsg->cmsg_level == SOL_SHIM)
			inet_ntop(AF_INET6, CMSG_DATA(cmsg) + 8, text, sizeof(text));
		tap_note("level %d, type %d, length %zu %s", cmsg->cmsg_level, cmsg->cmsg_type,
			 (size_t)cmsg->cmsg_len, text);
	}
}

static void came(struct in *in, const char *local, const char *peer, const char *what)
{
	if (!tap_ok(has(&in->msg, SHIM_LOC_LOCAL_RECV, local) &&
		    has(&in->msg, SHIM_LOC_PEER_RECV, peer), "%s", what))
		note_cmsgs(&in->msg);
}

static int patient(const struct kind *kind)
{
	struct timeval patience = { .tv_sec = 5 };
	int fd = open_kind(kind);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tap_bail("%s socket", kind->name);
	return fd;
}

static void want_both(int fd)
{
	same(set_int(fd, SHIM_LOC_LOCAL_RECV, 1), 0, "SHIM_LOC_LOCAL_RECV is set #53");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "SHIM_LOC_PEER_RECV is set #53");
}

static void say(int fd, const void *octets, size_t len)
{
	if (send(fd, octets, len, 0) != (ssize_t)len)
		tap_bail("send");
}

/* --- Receiving ------------------------------------------------------------ */

static struct in in;

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

/* A protocol without checksums, so that octets stay as they are. */
KIND(plain6, "raw/IPv6", AF_INET6, SOCK_RAW, 253);

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

/* --- Sending -------------------------------------------------------------- */

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

static int send_raw(int fd, int level, int type, const void *value, size_t len)
{
	struct out out;

	compose(&out, "x", 1);
	add(&out, level, type, value, len);
	return deliver(fd, &out, 0);
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

static void test_send_kinds(void)
{
	int listener = listen_at(&tcp6, ULID_B, PORT), fd = patient(&tcp6);

	connect_ends(fd, PORT);
	same(send_over(fd, fresh_mark(), NULL, OTHER_B), EOPNOTSUPP, "TCP: SEND is EOPNOTSUPP #77");
	same(send_raw(fd, SOL_SHIM, SHIM_FEEDBACK_POSITIVE, NULL, 0), EOPNOTSUPP,
	     "TCP: feedback is EOPNOTSUPP #77");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "TCP: SHIM_LOC_PEER_RECV can be set #26");
	same(send_raw(fd, SOL_SOCKET, SO_MARK, &(int){ 0 }, 4), 0, "TCP: others' data goes");
	close(fd);
	fd = accept_from(listener);
	take(fd, &in, 0);
	came(&in, NULL, NULL, "TCP: but nothing comes of it #77");
	close(fd);
	close(listener);

	listener = listen_at(&tcp6, ULID_B, PORT);
	fd = open_kind(&mptcp6);
	if (fd < 0) {
		tap_skip("no MPTCP here", "MPTCP: nothing looks at ancillary data");
	} else {
		connect_ends(fd, PORT);
		same(send_raw(fd, SOL_SHIM, SHIM_FEEDBACK_POSITIVE, NULL, 0), 0,
		     "MPTCP: nothing looks at ancillary data #77");
		close(fd);
	}
	close(listener);

	fd = open_kind(&ping6);
	if (fd < 0)
		tap_skip("no ping sockets here", "ping: SEND is EOPNOTSUPP");
	else
		same(send_over(fd, fresh_mark(), NULL, OTHER_B), EDESTADDRREQ,
		     "ping: has no destination");
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

static int traced(const char *function)
{
	FILE *file = fopen("/sys/kernel/tracing/enabled_functions", "re");
	size_t len = strlen(function);
	char line[512];
	int found = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, function, len) && line[len] == ' ';
	fclose(file);
	return found;
}

/* Waits until a function is no longer taken over, ten seconds at most. */
static int still_traced(const char *function)
{
	int found = 1;

	for (int i = 0; i < 1000 && (found = traced(function)); i++)
		poll(NULL, 0, 10);
	return found;
}

/* The kernel's functions are taken over while somebody needs it. */
static void test_demand(void)
{
	int fd = open_kind(&tcp6);

	if (traced("sock_common_setsockopt") < 0) {
		tap_skip("no tracefs", "hooks on message calls");
		return;
	}
	get_int(fd, SHIM_ASSOCIATED);
	/* Those of programs before may linger. */
	same(still_traced("ip6_datagram_send_ctl"), 0, "no UDP socket has asked: no hook");
	close(fd);
	fd = open_kind(&udp6);
	same(traced("ip6_datagram_send_ctl"), 0, "one that has not asked: no hook");
	get_int(fd, SHIM_ASSOCIATED);
	same(traced("ip6_datagram_send_ctl"), 1, "one that has: a hook for sending");
	same(traced("ip6_datagram_recv_common_ctl"), 1, "and one for receiving");
	same(module_users(), 0, "which pins nothing");
	close(fd);
	same(still_traced("ip6_datagram_send_ctl"), 0,
	     "the last one is closed: no hook after a while");
	same(still_traced("ip6_datagram_recv_common_ctl"), 0, "for receiving neither");
}

int main(void)
{
	int here, there, raw;

	test_demand();
	new_namespace();
	add_addresses();
	add_local_address(FOREIGN);
	netlink = open_shim6();
	add_contexts(netlink);
	open_sniffer();

	there = patient(&udp6);
	bind_to(there, ULID_B, PORT);
	here = patient(&udp6);
	connect_ends(here, PORT);
	get_int(here, SHIM_ASSOCIATED);
	test_receive(here, there);
	test_receive_with_others(here, there);
	use_locators(netlink, TAG_A, ULID_A, ULID_B);
	test_threads(here, there);
	test_many_and_corked(here, there);
	test_send(here, "UDP");
	test_feedback(here);
	test_sticky_options(here);
	raw = patient(&plain6);
	connect_ends(raw, 0);
	get_int(raw, SHIM_ASSOCIATED);
	test_send(raw, "raw");
	close(raw);
	test_raw_receive();
	test_unconnected();
	test_send_no_context();
	test_error_queue();
	test_send_kinds();
	test_receive_without_context();
	test_send_errors(here);
	close(here);
	close(there);
	return tap_done();
}
