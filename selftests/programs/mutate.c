// SPDX-License-Identifier: GPL-2.0
/*
 * Sends packets that nobody made: those of standard input, hexadecimal, one a line and
 * from the IPv6 header on, each changed in some ways.
 *
 *	mutate INTERFACE AA:BB:CC:DD:EE:FF SEED COUNT
 *
 * Half of them are made right again where a receiver looks first: Payload Length, and
 * the checksum of a Shim6 message or of ICMPv6. What is sent depends on seed and input
 * alone. Prints how many were sent, and how many of them were made right.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST	1024
#define ROOM	2400
#define IPV6	40
#define SHIM6	140
#define ICMPV6	58
/* The receiver's workers get a turn after so many packets. */
#define BURST	32

struct packet {
	size_t length;
	unsigned char octets[ROOM];
};

static struct packet input[MOST];
static unsigned int inputs;
static uint64_t state;

static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 16) % below;
}

static void read_inputs(void)
{
	static char line[2 * ROOM + 2];
	unsigned int octet;

	while (inputs < MOST && fgets(line, sizeof(line), stdin)) {
		struct packet *into = &input[inputs];
		const char *text = line;

		while (sscanf(text, "%2x", &octet) == 1 && into->length < ROOM) {
			into->octets[into->length++] = octet;
			text += 2;
		}
		inputs += into->length >= IPV6;
	}
	if (!inputs)
		errx(2, "no packets to begin with");
}

/* Numbers of headers, and lengths at which something changes. */
static unsigned char telling(void)
{
	static const unsigned char numbers[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 31, 32, 41, 43, 44, 50, 51, 58, 59, 60,
		63, 64, 65, 66, 67, 68, 127, 128, 135, 139, SHIM6, 254, 255,
	};

	return numbers[any(sizeof(numbers))];
}

static void insert(struct packet *p, size_t at, const unsigned char *from, size_t length)
{
	if (p->length + length > ROOM)
		return;
	memmove(p->octets + at + length, p->octets + at, p->length - at);
	memcpy(p->octets + at, from, length);
	p->length += length;
}

/* One change behind the addresses, or now and then in them. */
static void change(struct packet *p)
{
	size_t first = any(16) ? IPV6 : 0, at, length;
	unsigned char copy[64];
	const struct packet *other;

	if (p->length <= first)
		return;
	at = first + any(p->length - first);
	length = 1 + any(sizeof(copy));
	switch (any(9)) {
	case 0:
		p->octets[at] ^= 1 << any(8);
		break;
	case 1:
		p->octets[at] = telling();
		break;
	case 2:
		p->octets[at] += any(2) ? 1 : -1;
		break;
	case 3:
		p->length = at;
		break;
	case 4:
		if (at + length < p->length) {
			memmove(p->octets + at, p->octets + at + length, p->length - at - length);
			p->length -= length;
		}
		break;
	case 5:
		if (at + length <= p->length) {
			memcpy(copy, p->octets + at, length);
			insert(p, at, copy, length);
		}
		break;
	case 6:
		other = &input[any(inputs)];
		if (at < other->length) {
			p->length = other->length;
			memcpy(p->octets + at, other->octets + at, other->length - at);
		}
		break;
	case 7:
		p->octets[6] = telling();
		break;
	case 8:
		if (at + 8 <= p->length)
			for (length = 0; length < 8; length++)
				p->octets[at + length] = any(256);
		break;
	}
}

static uint32_t sum(const unsigned char *octets, size_t length, uint32_t total)
{
	size_t i;

	for (i = 0; i < length; i++)
		total += (uint32_t)octets[i] << (i % 2 ? 0 : 8);
	return total;
}

static void put_checksum(unsigned char *at, uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	at[0] = ~total >> 8;
	at[1] = ~total;
}

static void make_right(struct packet *p)
{
	unsigned char *rest = p->octets + IPV6;
	size_t length = p->length - IPV6;

	p->octets[0] = 0x60 | (p->octets[0] & 0xf);
	p->octets[4] = length >> 8;
	p->octets[5] = length;
	if (p->octets[6] == SHIM6 && length >= 8 && !(rest[2] & 0x80)) {
		if (any(2))
			rest[1] = length / 8 - 1;
		length = length < (rest[1] + 1) * 8U ? length : (rest[1] + 1) * 8U;
		memset(rest + 4, 0, 2);
		put_checksum(rest + 4, sum(rest, length, 0));
	} else if (p->octets[6] == ICMPV6 && length >= 4) {
		memset(rest + 2, 0, 2);
		put_checksum(rest + 2,
			     sum(rest, length, sum(p->octets + 8, 32, length + ICMPV6)));
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IPV6),
		.sll_halen = 6,
	};
	unsigned long count, sent, right = 0;
	unsigned int o[6], i;
	struct packet p;
	int fd;

	if (argc != 5 ||
	    sscanf(argv[2], "%x:%x:%x:%x:%x:%x", o, o + 1, o + 2, o + 3, o + 4, o + 5) != 6)
		errx(2, "usage: mutate INTERFACE NEIGHBOUR SEED COUNT <PACKETS");
	to.sll_ifindex = if_nametoindex(argv[1]);
	for (i = 0; i < 6; i++)
		to.sll_addr[i] = o[i];
	/* Never zero, which would stay so. */
	state = strtoull(argv[3], NULL, 10) * 2 + 1;
	count = strtoul(argv[4], NULL, 10);
	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (fd < 0 || !to.sll_ifindex)
		err(1, "%s", argv[1]);
	read_inputs();
	for (sent = 0; sent < count; sent++) {
		p = input[any(inputs)];
		for (i = any(5); i; i--)
			change(&p);
		if (any(2) && p.length >= IPV6) {
			make_right(&p);
			right++;
		}
		if (p.length > 1500)
			p.length = 1500;
		if (sendto(fd, p.octets, p.length, 0, (void *)&to, sizeof(to)) < 0 &&
		    errno != ENOBUFS)
			err(1, "packet %lu", sent);
		if (!(sent % BURST))
			usleep(1000);
	}
	printf("%lu packets, %lu made right\n", sent, right);
	return 0;
}
