// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's functions for ancillary data are taken over while some socket needs
 * it, and no longer; TCP refuses such data, and other kinds have defined answers.
 */
#include "message.h"

#include <netinet/icmp6.h>

#define PORT	7024

/* The functions of the kernel. */
#define SEND		"ip6_datagram_send_ctl"
#define RECEIVE		"ip6_datagram_recv_common_ctl"
#define RECEIVE_RAW	"ip6_datagram_recv_ctl"
#define SEND_STREAM	"sock_cmsg_send"

static void test_hooks(void)
{
	int stream = open_kind(&tcp6), fd = open_kind(&udp6);

	/* Those of programs before may linger. */
	same(still_taken_over(SEND), 0, "no UDP socket has asked: no hook");
	same(still_taken_over(SEND_STREAM), 0, "no TCP socket has asked: no hook");
	get_int(stream, SHIM_ASSOCIATED);
	same(taken_over(SEND_STREAM), 1, "one of TCP has: a hook for what it sends");
	same(taken_over(SEND), 0, "but not for datagrams");
	get_int(fd, SHIM_ASSOCIATED);
	same(taken_over(SEND), 1, "one of UDP has: a hook for sending");
	same(taken_over(RECEIVE), 1, "and one for receiving");
	same(taken_over(RECEIVE_RAW), 1, "by raw sockets as well");
	same(module_users(), 0, "which pins nothing");
	close(stream);
	close(fd);
	same(still_taken_over(SEND), 0, "the last one is closed: no hook after a while");
	same(still_taken_over(RECEIVE), 0, "for receiving neither");
	same(still_taken_over(RECEIVE_RAW), 0, "by raw sockets neither");
	same(still_taken_over(SEND_STREAM), 0, "nor for TCP");
}

static void refuses(int fd, const char *what)
{
	same(send_over(fd, fresh_mark(), NULL, OTHER_B), EOPNOTSUPP, "%s: SEND is EOPNOTSUPP #77",
	     what);
	same(send_raw(fd, SOL_SHIM, SHIM_FEEDBACK_POSITIVE, NULL, 0), EOPNOTSUPP,
	     "%s: feedback is EOPNOTSUPP #77", what);
	same(send_raw(fd, SOL_SOCKET, SO_MARK, &(int){ 0 }, sizeof(int)), 0,
	     "%s: others' data goes", what);
}

/* No other socket has asked anything. */
static void test_tcp(void)
{
	int listener = listen_at(&tcp6, ULID_B, PORT), fd = patient(&tcp6), there;

	connect_ends(fd, PORT);
	there = accept_from(listener);
	same(get_int(fd, SHIM_ASSOCIATED), 1, "TCP: it asks");
	refuses(fd, "TCP");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "TCP: SHIM_LOC_PEER_RECV can be set #26");
	same(send_raw(there, SOL_SOCKET, SO_MARK, &(int){ 0 }, sizeof(int)), 0,
	     "TCP: its peer answers");
	take(fd, &in, 0);
	came(&in, NULL, NULL, "TCP: but nothing comes of it #77");
	close(there);
	close(fd);
	close(listener);

	listener = listen_at(&tcp6, ULID_B, PORT);
	fd = patient(&tcp6);
	same(get_int(listener, SHIM_ASSOCIATED), 0, "TCP: a listener asks");
	connect_ends(fd, PORT);
	there = accept_from(listener);
	close(listener);
	/* Nobody else needs it, so that it would be taken back two seconds later. */
	poll(NULL, 0, 2500);
	same(taken_over(SEND_STREAM), 1, "TCP: who is accepted keeps the hook");
	refuses(there, "TCP, accepted");
	close(there);
	close(fd);
	same(still_taken_over(SEND_STREAM), 0, "TCP: until it is closed");
}

static void test_tcp4(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(to);
	int listener = open_kind(&tcp4), fd = open_kind(&tcp4);

	if (bind(listener, (struct sockaddr *)&to, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&to, &len) ||
	    connect(fd, (struct sockaddr *)&to, len))
		tap_bail("connection over IPv4");
	same(get_int(fd, SHIM_ASSOCIATED), 0, "TCP over IPv4: it asks");
	refuses(fd, "TCP over IPv4");
	close(fd);
	close(listener);
}

static void test_others(void)
{
	int listener = listen_at(&tcp6, ULID_B, PORT), fd = open_kind(&mptcp6);

	if (fd < 0) {
		tap_skip("no MPTCP here", "MPTCP: nothing looks at ancillary data");
	} else {
		connect_ends(fd, PORT);
		get_int(fd, SHIM_ASSOCIATED);
		same(send_raw(fd, SOL_SHIM, SHIM_FEEDBACK_POSITIVE, NULL, 0), 0,
		     "MPTCP: nothing looks at ancillary data #77");
		close(fd);
	}
	close(listener);

	/* Ping sockets have the functions of UDP, so that UDP's demand shows what they answer. */
	fd = open_kind(&ping6);
	if (fd < 0) {
		tap_skip("no ping sockets here", "ping: SEND is EOPNOTSUPP");
	} else {
		struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST };
		int other = open_kind(&udp6);
		struct out out;

		get_int(other, SHIM_ASSOCIATED);
		connect_ends(fd, 0);
		compose(&out, &echo, sizeof(echo));
		add_locator(&out, SHIM_LOC_PEER_SEND, OTHER_B);
		same(deliver(fd, &out, 0), EOPNOTSUPP, "ping: SEND is EOPNOTSUPP #77");
		close(other);
		close(fd);
	}
}

int main(void)
{
	if (taken_over("sock_common_setsockopt") < 0)
		tap_skip("no tracefs", "hooks on message calls");
	else
		test_hooks();
	two_ends();
	allow_ping();
	test_tcp();
	test_tcp4();
	test_others();
	return tap_done();
}
