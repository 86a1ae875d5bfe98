// SPDX-License-Identifier: GPL-2.0
/*
 * What SHIM_DONTSHIM does to packets: those of an opted-out socket leave with
 * its ULIDs while those of its neighbours are translated; what arrives with a
 * payload header is delivered to all of them.
 */
#include "sniffer.h"

#include <netinet/tcp.h>

#define PORT		7004
/* Sends something that can be told from everything else. */
static void travels(int fd, bool reverse, enum fate wanted, const char *what)
{
	static unsigned int number;
	char mark[MARK_LEN + 1];
	enum fate fate;

	snprintf(mark, sizeof(mark), "mark %011u", number++);
	if (send(fd, mark, MARK_LEN, 0) != MARK_LEN)
		tap_bail("%s: send", what);
	fate = wait_for(ends_with, mark, reverse);
	if (!tap_ok(fate == wanted, "%s: %s", what, fates[wanted]))
		explain(fate);
}

static void arrives(int fd, const char *what)
{
	char octets[256];
	struct timeval patience = { .tv_sec = 5 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tap_bail("SO_RCVTIMEO");
	same(recv(fd, octets, sizeof(octets), 0), MARK_LEN, "%s", what);
}

static void test_udp(void)
{
	struct sockaddr_in6 nobody = { .sin6_family = AF_UNSPEC }, from;
	socklen_t len = sizeof(from);
	int here = open_kind(&udp6), other = open_kind(&udp6), there = open_kind(&udp6);

	bind_to(there, ULID_B, PORT);
	connect_ends(here, PORT);
	connect_ends(other, PORT);

	travels(here, false, TRANSLATED, "UDP by default");
	set_int(here, SHIM_DONTSHIM, 1);
	travels(here, false, PLAIN, "UDP opted out");
	travels(other, false, TRANSLATED, "UDP of another socket");
	set_int(other, SHIM_DONTSHIM, 1);
	travels(other, false, PLAIN, "UDP of another socket opted out");

	if (getsockname(here, (struct sockaddr *)&from, &len) ||
	    connect(there, (struct sockaddr *)&from, sizeof(from)))
		tap_bail("connect back");
	travels(there, true, TRANSLATED, "UDP from the peer");
	arrives(here, "is delivered to the opted-out socket");
	if (connect(there, (struct sockaddr *)&nobody, sizeof(nobody)))
		tap_bail("disconnect");

	set_int(here, SHIM_DONTSHIM, 0);
	travels(here, false, TRANSLATED, "UDP opted in again #33");
	travels(other, false, PLAIN, "UDP of the other socket meanwhile");
	close(here);
	close(other);
	close(there);
}

static bool is_syn_ack(const char *packet, ssize_t len, const void *data)
{
	const struct ip6_hdr *header = (const void *)packet;
	size_t offset = sizeof(*header);
	const struct tcphdr *tcp;

	(void)data;
	if (header->ip6_nxt == SHIM6)
		offset += 8;
	else if (header->ip6_nxt != IPPROTO_TCP)
		return false;
	tcp = (const void *)(packet + offset);
	return len >= (ssize_t)(offset + sizeof(*tcp)) && tcp->syn && tcp->ack;
}

static void test_tcp(void)
{
	int listener = listen_at(&tcp6, ULID_B, PORT), here = open_kind(&tcp6), there;

	connect_ends(here, PORT);
	same(wait_for(is_syn_ack, NULL, true), TRANSLATED, "TCP: SYN-ACK is translated by default");
	there = accept_from(listener);
	travels(there, true, TRANSLATED, "TCP of the accepted socket");
	close(here);
	close(there);

	set_int(listener, SHIM_DONTSHIM, 1);
	here = open_kind(&tcp6);
	connect_ends(here, PORT);
	same(wait_for(is_syn_ack, NULL, true), PLAIN,
	     "TCP: SYN-ACK of a listener opted out is not");
	there = accept_from(listener);
	travels(there, true, PLAIN, "TCP of the socket accepted from it");
	arrives(here, "is delivered");
	travels(here, false, TRANSLATED, "TCP in the other direction");
	arrives(there, "is delivered to the opted-out socket");
	close(here);
	close(there);
	close(listener);
}

int main(void)
{
	int netlink;

	netlink = two_ends();
	use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
	use_locators(netlink, TAG_B, OTHER_B, OTHER_A);
	open_sniffer();
	test_udp();
	test_tcp();
	return tap_done();
}
