// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a capture and checks every Shim6 payload packet in it: where the
 * header sits, what it holds, and that the checksum of what it carries is
 * right over the ULIDs (RFC 5533 sections 5.2, 11.1 and 12.2).
 *
 *	pcapcheck FILE [TAG=ULID-OF-SENDER,ULID-OF-RECEIVER]...
 *
 * Prints a line for every kind of packet seen:
 *
 *	TAG|plain SOURCE DESTINATION PROTOCOL packets=N fragments=N good=N bad=N
 *
 * Fragments are put together again; "good" and "bad" count what is whole.
 * Exit status 1 if a packet is malformed, has an unknown tag or a bad checksum.
 * Checksums that a device would have filled in are bad here: capture with
 * transmit checksum offload switched off.
 */
#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHIM6		140
#define EXPERIMENT	253
#define ETHERNET	14
#define TAG_MASK	0x7fffffffffffULL
#define PLAIN		(~0ULL)
#define MOST		262144

struct ulids {
	uint64_t tag;
	struct in6_addr sender, receiver;
};

struct kind {
	uint64_t tag;
	struct in6_addr source, destination;
	int protocol;
	unsigned long packets, fragments, good, bad;
};

/* A datagram of which not all fragments have come. */
struct datagram {
	bool used;
	uint64_t tag;
	struct in6_addr source, destination;
	uint32_t id;
	int protocol;
	size_t have, whole;
	unsigned char data[66000];
};

static struct ulids contexts[16];
static size_t n_contexts;
static struct kind kinds[128];
static size_t n_kinds;
static struct datagram datagrams[16];
static unsigned long malformed, number;

static void complain(const char *what)
{
	malformed++;
	printf("packet %lu: %s\n", number, what);
}

static struct kind *kind_of(uint64_t tag, const struct ip6_hdr *ip, int protocol)
{
	struct kind *k;

	for (k = kinds; k < kinds + n_kinds; k++)
		if (k->tag == tag && k->protocol == protocol &&
		    !memcmp(&k->source, &ip->ip6_src, 16) &&
		    !memcmp(&k->destination, &ip->ip6_dst, 16))
			return k;
	if (n_kinds == sizeof(kinds) / sizeof(*kinds))
		errx(2, "too many kinds of packets");
	n_kinds++;
	k->tag = tag;
	k->source = ip->ip6_src;
	k->destination = ip->ip6_dst;
	k->protocol = protocol;
	return k;
}

static uint32_t sum(uint32_t start, const void *data, size_t length)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		start += p[i] << 8 | p[i + 1];
	if (length & 1)
		start += p[length - 1] << 8;
	return (start & 0xffff) + (start >> 16);
}

/* RFC 8200 section 8.1, over the addresses given. */
static bool checksum_ok(const struct in6_addr *from, const struct in6_addr *to, int protocol,
			const unsigned char *data, size_t length)
{
	uint32_t s = sum(0, from, 16);

	if (protocol == EXPERIMENT)
		return true;
	s = sum(s, to, 16) + protocol + (length >> 16) + (length & 0xffff);
	s = sum(s, data, length);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return s == 0xffff;
}

static const struct ulids *context_of(uint64_t tag)
{
	size_t i;

	for (i = 0; i < n_contexts; i++)
		if (contexts[i].tag == tag)
			return &contexts[i];
	return NULL;
}

static void whole(uint64_t tag, const struct ip6_hdr *ip, int protocol,
		  const unsigned char *data, size_t length, struct kind *kind)
{
	const struct ulids *c = tag == PLAIN ? NULL : context_of(tag);

	if (tag != PLAIN && !c) {
		complain("unknown context tag");
		kind->bad++;
	} else if (checksum_ok(c ? &c->sender : &ip->ip6_src, c ? &c->receiver : &ip->ip6_dst,
			       protocol, data, length)) {
		kind->good++;
	} else {
		kind->bad++;
	}
}

static void fragment(uint64_t tag, const struct ip6_hdr *ip, const unsigned char *data,
		     size_t length)
{
	const struct ip6_frag *f = (const void *)data;
	struct kind *kind = kind_of(tag, ip, f->ip6f_nxt);
	struct datagram *d, *free_one = NULL;
	size_t offset = ntohs(f->ip6f_offlg) & ~7;

	if (length < sizeof(*f))
		return complain("fragment header cut off");
	kind->packets++;
	kind->fragments++;
	for (d = datagrams; d < datagrams + 16; d++) {
		if (!d->used) {
			free_one = d;
			continue;
		}
		if (d->id == f->ip6f_ident && d->tag == tag &&
		    !memcmp(&d->source, &ip->ip6_src, 16) &&
		    !memcmp(&d->destination, &ip->ip6_dst, 16))
			break;
	}
	if (d == datagrams + 16) {
		if (!free_one)
			errx(2, "too many unfinished datagrams");
		d = free_one;
		*d = (struct datagram){
			.used = true, .tag = tag, .source = ip->ip6_src, .id = f->ip6f_ident,
			.destination = ip->ip6_dst, .protocol = f->ip6f_nxt,
		};
	}
	length -= sizeof(*f);
	if (offset + length > sizeof(d->data))
		return complain("fragment beyond a datagram");
	memcpy(d->data + offset, data + sizeof(*f), length);
	d->have += length;
	if (!(f->ip6f_offlg & IP6F_MORE_FRAG))
		d->whole = offset + length;
	if (d->whole && d->have >= d->whole) {
		whole(tag, ip, d->protocol, d->data, d->whole, kind);
		d->used = false;
	}
}

/* Headers in the order of RFC 5533 section 4.6. */
static void packet(const unsigned char *data, size_t length)
{
	const struct ip6_hdr *ip = (const void *)data;
	size_t offset = sizeof(*ip), end;
	uint64_t tag = PLAIN, v;
	struct kind *kind;
	int next, i;

	if (length < sizeof(*ip) || data[0] >> 4 != 6)
		return;
	next = ip->ip6_nxt;
	end = ip->ip6_plen ? sizeof(*ip) + ntohs(ip->ip6_plen) : length;
	if (end > length)
		return complain("cut off");

	for (;;) {
		if (offset + 8 > end)
			break;
		switch (next) {
		case IPPROTO_HOPOPTS:
			if (tag != PLAIN)
				complain("hop-by-hop options behind the payload header");
			/* fall through */
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			next = data[offset];
			offset += (data[offset + 1] + 1) * 8;
			continue;
		case SHIM6:
			if (!(data[offset + 2] & 0x80))
				return;
			if (tag != PLAIN)
				complain("two payload headers");
			if (data[offset + 1])
				complain("payload header is not 8 octets");
			for (v = 0, i = 2; i < 8; i++)
				v = v << 8 | data[offset + i];
			tag = v & TAG_MASK;
			next = data[offset];
			offset += 8;
			continue;
		case IPPROTO_FRAGMENT:
			return fragment(tag, ip, data + offset, end - offset);
		}
		break;
	}
	kind = kind_of(tag, ip, next);
	kind->packets++;
	switch (next) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ICMPV6:
	case EXPERIMENT:
		whole(tag, ip, next, data + offset, end - offset, kind);
	}
}

static const char *protocol_name(int protocol)
{
	static char other[8];

	switch (protocol) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMPV6: return "icmp6";
	case IPPROTO_ESP: return "esp";
	}
	snprintf(other, sizeof(other), "%d", protocol);
	return other;
}

static void report(const struct kind *k)
{
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN], tag[20] = "plain";

	inet_ntop(AF_INET6, &k->source, source, sizeof(source));
	inet_ntop(AF_INET6, &k->destination, destination, sizeof(destination));
	if (k->tag != PLAIN)
		snprintf(tag, sizeof(tag), "0x%012" PRIx64, k->tag);
	printf("%s %s %s %s packets=%lu fragments=%lu good=%lu bad=%lu\n", tag, source,
	       destination, protocol_name(k->protocol), k->packets, k->fragments, k->good, k->bad);
}

static void add_context(char *text)
{
	char *sender = strchr(text, '='), *receiver = sender ? strchr(sender, ',') : NULL;
	struct ulids *c = &contexts[n_contexts];

	if (n_contexts == 16 || !receiver)
		errx(2, "not TAG=ULID,ULID: %s", text);
	*sender++ = *receiver++ = 0;
	c->tag = strtoull(text, NULL, 16);
	if (inet_pton(AF_INET6, sender, &c->sender) != 1 ||
	    inet_pton(AF_INET6, receiver, &c->receiver) != 1)
		errx(2, "not an address: %s %s", sender, receiver);
	n_contexts++;
}

int main(int argc, char **argv)
{
	static unsigned char data[MOST];
	uint32_t header[6], record[4];
	unsigned long bad = 0;
	size_t i;
	FILE *file;

	if (argc < 2)
		errx(2, "usage: pcapcheck FILE [TAG=ULID,ULID]...");
	while (argc > 2)
		add_context(argv[--argc]);
	file = fopen(argv[1], "rb");
	if (!file)
		err(2, "%s", argv[1]);
	if (fread(header, sizeof(header), 1, file) != 1 || header[0] != 0xa1b2c3d4 ||
	    (header[5] & 0xffff) != 1)
		errx(2, "%s: not a capture of Ethernet frames by this machine", argv[1]);
	while (fread(record, sizeof(record), 1, file) == 1) {
		number++;
		if (record[2] > MOST || record[2] < ETHERNET ||
		    fread(data, 1, record[2], file) != record[2])
			errx(2, "%s: record %lu is cut off", argv[1], number);
		if (data[12] == 0x86 && data[13] == 0xdd)
			packet(data + ETHERNET, record[2] - ETHERNET);
	}
	for (i = 0; i < n_kinds; i++) {
		report(&kinds[i]);
		bad += kinds[i].bad;
	}
	return malformed || bad ? 1 : 0;
}
