// SPDX-License-Identifier: GPL-2.0
/*
 * What SHIM_DONTSHIM does to packets: those of an opted-out socket leave with
 * its ULIDs while those of its neighbours are translated; what arrives with a
 * payload header is delivered to all of them.
 */
#include "socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>

#define PORT		7004
#define SHIM6		140
#define MARK_LEN	16

enum fate { UNSEEN, STRANGE, PLAIN, TRANSLATED };

static const char *const fates[] = { "not seen", "strange", "plain", "translated" };

static int sniffer;

/* What was seen last, for those who wonder. */
static struct {
	int error;
	unsigned int others;
	struct ip6_hdr header;
} seen;

/* All IPv6 packets of this namespace, as they are on the wire. */
static void open_sniffer(void)
{
	struct timeval patience = { .tv_sec = 5 };

	sniffer = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IPV6));
	if (sniffer < 0 ||
	    setsockopt(sniffer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tap_bail("packet socket");
}

static bool from_to(const struct ip6_hdr *header, const char *from, const char *to)
{
	return is(&header->ip6_src, from) && is(&header->ip6_dst, to);
}

/* How a packet of A (or B, @reverse) travels. */
static enum fate fate_of(const struct ip6_hdr *header, bool reverse)
{
	if (header->ip6_nxt == SHIM6 && from_to(header, reverse ? OTHER_B : OTHER_A,
						reverse ? OTHER_A : OTHER_B))
		return TRANSLATED;
	if (header->ip6_nxt != SHIM6 && from_to(header, reverse ? ULID_B : ULID_A,
						reverse ? ULID_A : ULID_B))
		return PLAIN;
	return STRANGE;
}

/* The next packet that is so. */
static enum fate wait_for(bool (*wanted)(const char *packet, ssize_t len, const void *data),
			  const void *data, bool reverse)
{
	char packet[4096];
	ssize_t len;

	seen.others = 0;
	while ((len = recv(sniffer, packet, sizeof(packet), 0)) > 0) {
		if (len < (ssize_t)sizeof(struct ip6_hdr))
			continue;
		memcpy(&seen.header, packet, sizeof(seen.header));
		if (wanted(packet, len, data))
			return fate_of(&seen.header, reverse);
		seen.others++;
	}
	seen.error = errno;
	return UNSEEN;
}

static void explain(enum fate fate)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &seen.header.ip6_src, from, sizeof(from));
	inet_ntop(AF_INET6, &seen.header.ip6_dst, to, sizeof(to));
	tap_note("%s; last packet: %s to %s, next header %u, %u others before", fates[fate], from,
		 to, seen.header.ip6_nxt, seen.others);
	if (fate == UNSEEN)
		tap_note("recv: %s", strerror(seen.error));
}

static bool ends_with(const char *packet, ssize_t len, const void *mark)
{
	return len > MARK_LEN && !memcmp(packet + len - MARK_LEN, mark, MARK_LEN);
}

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

static void use_locators(int netlink, uint64_t tag, const char *local, const char *peer)
{
	struct request request;

	begin_tagged(&request, SHIM6_CMD_CONTEXT_SET, tag);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, local);
	put_address(&request, SHIM6_A_CURRENT_PEER, peer);
	errno = exchange(netlink, &request, NULL, NULL).error;
	if (errno)
		tap_bail("current pair of context %llu", (unsigned long long)tag);
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
	travels(here, false, TRANSLATED, "UDP opted in again");
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

	new_namespace();
	add_addresses();
	netlink = open_shim6();
	add_contexts(netlink);
	use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
	use_locators(netlink, TAG_B, OTHER_B, OTHER_A);
	open_sniffer();
	test_udp();
	test_tcp();
	return tap_done();
}
