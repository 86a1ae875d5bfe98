// SPDX-License-Identifier: GPL-2.0
/*
 * Sends IPv6 packets made of what standard input says, one a line:
 *
 *	SOURCE DESTINATION NEXT-HEADER HEX
 *
 * SOURCE need not be an address of this host. HEX is everything behind the
 * IPv6 header; "-" is nothing. A "=N" behind HEX gives a Payload Length that is
 * not the true one; the packet then goes to the link as an Ethernet frame, for
 * which the interface and the neighbour's address are arguments:
 *
 *	inject [INTERFACE AA:BB:CC:DD:EE:FF]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip6.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static size_t unhex(const char *text, unsigned char *into, size_t room)
{
	unsigned int octet;
	size_t n = 0;

	if (!strcmp(text, "-"))
		return 0;
	for (; *text; text += 2) {
		if (!isxdigit(text[0]) || !isxdigit(text[1]) ||
		    sscanf(text, "%2x", &octet) != 1)
			errx(2, "not hexadecimal: %s", text);
		if (n == room)
			errx(2, "packet too long");
		into[n++] = octet;
	}
	return n;
}

/* To the link, past this host's own IPv6 layer. */
static int link_socket(const char *interface, const char *neighbour, struct sockaddr_ll *to)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	unsigned int o[6], i;

	if (fd < 0)
		err(1, "packet socket");
	if (sscanf(neighbour, "%x:%x:%x:%x:%x:%x", o, o + 1, o + 2, o + 3, o + 4, o + 5) != 6)
		errx(2, "not an Ethernet address: %s", neighbour);
	to->sll_family = AF_PACKET;
	to->sll_protocol = htons(ETH_P_IPV6);
	to->sll_ifindex = if_nametoindex(interface);
	to->sll_halen = 6;
	for (i = 0; i < 6; i++)
		to->sll_addr[i] = o[i];
	if (!to->sll_ifindex)
		err(1, "%s", interface);
	return fd;
}

int main(int argc, char **argv)
{
	static unsigned char packet[70000];
	static char line[150000], source[64], destination[64], hex[140000];
	struct ip6_hdr *header = (struct ip6_hdr *)packet;
	struct sockaddr_ll link = { 0 };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	unsigned int next, count = 0;
	int fd, fields, claimed;
	size_t length;
	ssize_t sent;

	if (argc != 1 && argc != 3)
		errx(2, "usage: inject [INTERFACE NEIGHBOUR] <PACKETS");
	fd = argc == 3 ? link_socket(argv[1], argv[2], &link) :
			 socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		err(1, "raw socket");

	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		fields = sscanf(line, "%63s %63s %u %139999s =%d", source, destination, &next,
				hex, &claimed);
		if (fields < 4)
			errx(2, "not SOURCE DESTINATION NEXT-HEADER HEX: %s", line);
		memset(header, 0, sizeof(*header));
		length = unhex(hex, packet + sizeof(*header), sizeof(packet) - sizeof(*header));
		header->ip6_flow = htonl(6U << 28);
		header->ip6_plen = htons(fields == 5 ? claimed : (int)length);
		header->ip6_nxt = next;
		header->ip6_hlim = 64;
		if (inet_pton(AF_INET6, source, &header->ip6_src) != 1 ||
		    inet_pton(AF_INET6, destination, &header->ip6_dst) != 1)
			errx(2, "not an address: %s", line);
		if (fields == 5 && argc != 3)
			errx(2, "a false length needs an interface: %s", line);
		to.sin6_addr = header->ip6_dst;
		length += sizeof(*header);
		if (argc == 3)
			sent = sendto(fd, packet, length, 0, (void *)&link, sizeof(link));
		else
			sent = sendto(fd, packet, length, 0, (void *)&to, sizeof(to));
		if (sent != (ssize_t)length)
			err(1, "sending %s", line);
		count++;
	}
	printf("%u packets sent\n", count);
	return 0;
}
