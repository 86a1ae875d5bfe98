/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of a namespace as they are on the wire, between the two ends of
 * socket.h.
 */
#ifndef SELFTESTS_SNIFFER_H
#define SELFTESTS_SNIFFER_H

#include "socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip6.h>

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
static void UNUSED open_sniffer(void)
{
	struct timeval patience = { .tv_sec = 5 };

	sniffer = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IPV6));
	if (sniffer < 0 ||
	    setsockopt(sniffer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tap_bail("packet socket");
}

/* What went so far is of no interest, and must not be in the way of what is to come. */
static void UNUSED forget_packets(void)
{
	char octet;

	while (recv(sniffer, &octet, 1, MSG_DONTWAIT) >= 0)
		;
}

static bool UNUSED from_to(const struct ip6_hdr *header, const char *from, const char *to)
{
	return is(&header->ip6_src, from) && is(&header->ip6_dst, to);
}

/* How a packet of A (or B, @reverse) travels. */
static enum fate UNUSED fate_of(const struct ip6_hdr *header, bool reverse)
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
static enum fate UNUSED wait_for(bool (*wanted)(const char *packet, ssize_t len, const void *data),
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

static void UNUSED explain(enum fate fate)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &seen.header.ip6_src, from, sizeof(from));
	inet_ntop(AF_INET6, &seen.header.ip6_dst, to, sizeof(to));
	tap_note("%s; last packet: %s to %s, next header %u, %u others before", fates[fate], from,
		 to, seen.header.ip6_nxt, seen.others);
	if (fate == UNSEEN)
		tap_note("recv: %s", strerror(seen.error));
}

static bool UNUSED ends_with(const char *packet, ssize_t len, const void *mark)
{
	return len > MARK_LEN && !memcmp(packet + len - MARK_LEN, mark, MARK_LEN);
}

static void UNUSED use_locators(int netlink, uint64_t tag, const char *local, const char *peer)
{
	struct request request;

	begin_tagged(&request, SHIM6_CMD_CONTEXT_SET, tag);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, local);
	put_address(&request, SHIM6_A_CURRENT_PEER, peer);
	errno = exchange(netlink, &request, NULL, NULL).error;
	if (errno)
		tap_bail("current pair of context %llu", (unsigned long long)tag);
}

#endif /* SELFTESTS_SNIFFER_H */
