/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inputs for the generic netlink family shim6, each some requests one after the other, and
 * changes of them by chance that know what an attribute is.
 */
#ifndef SELFTESTS_INPUTS_H
#define SELFTESTS_INPUTS_H

#include "context.h"
#include "identity.h"

#include "../lib/search.h"

enum { REQUESTS = 6, DEEPEST = 3, PLACES = 256, LONGEST = 4096 };

struct input {
	unsigned int count;
	struct message {
		unsigned int len;	/* of the octets */
		__u16 flags;		/* of the netlink header */
		/* What follows the netlink header. */
		_Alignas(4) char octets[LONGEST + 2 * NLA_ALIGNTO];
	} messages[REQUESTS];
};

/* Addresses that inputs have: of this host, of peers that there are not, and others. */
enum {
	OWN, OTHER_OWN, HBA, OTHER_HBA, FOREIGN_HBA,
	LOCALS, PEER = LOCALS, OTHER_PEER, PEER_LOCATOR,
};

static const char *const addresses[] = {
	"2001:db8:1::a", "2001:db8:2::a", HBA_A, OTHER_HBA_A, HBA_B,
	"2001:db8:3::1", "2001:db8:3::2", "2001:db8:4::b", "fe80::1", "ff02::1", "::", "::1",
	"::ffff:192.0.2.1", "fd00::1",
};

enum { ADDRESSES = sizeof(addresses) / sizeof(addresses[0]) };

/* Where an attribute is, and in which ones it is nested. */
struct place {
	unsigned int at, depth, parents[DEEPEST];
};

static struct nlattr *attribute(struct message *message, unsigned int at)
{
	return (struct nlattr *)(message->octets + at);
}

/* Collects the attributes of a message that can be walked to. */
static unsigned int walk(struct message *message, unsigned int from, unsigned int to,
			 const struct place *parent, struct place *places, unsigned int count)
{
	unsigned int depth = parent ? parent->depth + 1 : 0;

	while (from + NLA_HDRLEN <= to && count < PLACES) {
		const struct nlattr *attr = attribute(message, from);
		struct place *place = &places[count];

		if (attr->nla_len < NLA_HDRLEN || from + attr->nla_len > to)
			break;
		count++;
		*place = (struct place){ .at = from, .depth = depth };
		if (parent) {
			memcpy(place->parents, parent->parents, sizeof(place->parents));
			place->parents[depth - 1] = parent->at;
		}
		if (attr->nla_type & NLA_F_NESTED && depth < DEEPEST)
			count = walk(message, from + NLA_HDRLEN, from + attr->nla_len, place,
				     places, count);
		from += NLA_ALIGN(attr->nla_len);
	}
	return count;
}

/* Makes room for @grow octets at @at, or takes away what is there if it is negative. */
static bool resize(struct message *message, unsigned int at, int grow, const struct place *within,
		   unsigned int nests)
{
	if (grow > 0 && message->len + grow > LONGEST)
		return false;
	if (grow > 0) {
		memmove(message->octets + at + grow, message->octets + at, message->len - at);
		memset(message->octets + at, 0, grow);
	} else {
		unsigned int rest = at + (unsigned int)-grow;

		if (rest > message->len)
			return false;
		memmove(message->octets + at, message->octets + rest, message->len - rest);
	}
	message->len += grow;
	for (unsigned int i = 0; i < nests; i++)
		attribute(message, within->parents[i])->nla_len += grow;
	return true;
}

static void set_value(struct message *message, const struct place *place)
{
	static const __u64 values[] = {
		0, 1, 2, 31, 32, 33, 100, 127, 128, 255, 1 << 15, 0xffff, 60000, 0x7fffffff,
		0xffffffff, 1ULL << 46, 1ULL << 47, (1ULL << 47) - 1, 1ULL << 63, ~0ULL,
	};
	struct nlattr *attr = attribute(message, place->at);
	__u64 value = chance(3) ? values[chance(sizeof(values) / sizeof(values[0]))] : chance(300);
	unsigned int len = attr->nla_len - NLA_HDRLEN;
	struct in6_addr addr = address(addresses[chance(ADDRESSES)]);
	char *octets = (char *)attr + NLA_HDRLEN;

	if (len == sizeof(addr))
		memcpy(octets, &addr, sizeof(addr));
	else if (len <= sizeof(value))
		memcpy(octets, &value, len);
	else
		octets[chance(len)] = value;
}

/* A new attribute of any type at @at, as long as that type should be, mostly. */
static void insert(struct message *message, unsigned int at, const struct place *within,
		   unsigned int nests)
{
	static const unsigned int lengths[] = { 0, 1, 2, 4, 8, 16, 16, 16, 20 };
	unsigned int len = lengths[chance(sizeof(lengths) / sizeof(lengths[0]))];
	struct place place = { .at = at };

	if (!resize(message, at, NLA_HDRLEN + NLA_ALIGN(len), within, nests))
		return;
	attribute(message, at)->nla_len = NLA_HDRLEN + len;
	attribute(message, at)->nla_type = chance((nests ? SHIM6_A_LOCATOR_MAX : SHIM6_A_MAX) + 2);
	if (!chance(8))
		attribute(message, at)->nla_type |= NLA_F_NESTED;
	set_value(message, &place);
}

/* A copy of an attribute of one message at the end of another. */
static void copy_attribute(struct message *to, struct message *from)
{
	static struct place places[PLACES];
	unsigned int count = walk(from, GENL_HDRLEN, from->len, NULL, places, 0), len;
	const struct nlattr *attr;

	if (!count)
		return;
	attr = attribute(from, places[chance(count)].at);
	len = NLA_ALIGN(attr->nla_len);
	if (NLA_ALIGN(to->len) + len > LONGEST || (const char *)attr + len > from->octets + LONGEST)
		return;
	to->len = NLA_ALIGN(to->len);
	memmove(to->octets + to->len, attr, len);
	to->len += len;
}

/* One change of one attribute, which lies where it lies. */
static void change_attribute(struct message *message, const struct place *place)
{
	struct nlattr *attr = attribute(message, place->at);
	unsigned int len = attr->nla_len - NLA_HDRLEN, whole = NLA_ALIGN(attr->nla_len);
	int grow;

	switch (chance(10)) {
	case 0:
		if (len)
			((char *)attr)[NLA_HDRLEN + chance(len)] ^= 1 << chance(8);
		break;
	case 1:
		attr->nla_type = chance(SHIM6_A_MAX + 3) | (attr->nla_type & NLA_F_NESTED);
		break;
	case 2:
		attr->nla_type ^= chance(2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
		break;
	case 3:
		resize(message, place->at, -(int)whole, place, place->depth);
		break;
	case 4:
		if (resize(message, place->at, whole, place, place->depth))
			memmove(attr, (char *)attr + whole, whole);
		break;
	case 5:
		insert(message, place->at, place, place->depth);
		break;
	case 6:
		/* Longer or shorter, with what is around it. */
		grow = chance(2) ? 4 * (1 + (int)chance(5)) : -4 * (int)chance(1 + len / 4);
		if (resize(message, place->at + NLA_HDRLEN, grow, place, place->depth))
			attribute(message, place->at)->nla_len += grow;
		break;
	case 7:
		/* Only what it says. */
		attr->nla_len = chance(3) ? attr->nla_len + chance(7) - 3 : chance(65536);
		break;
	default:
		set_value(message, place);
	}
}

static void change_message(struct message *message)
{
	static struct place places[PLACES];
	struct genlmsghdr *header = (struct genlmsghdr *)message->octets;
	unsigned int count = walk(message, GENL_HDRLEN, message->len, NULL, places, 0);

	switch (chance(16)) {
	case 0:
		header->cmd = chance(SHIM6_CMD_MAX + 2);
		break;
	case 1:
		message->flags ^= chance(2) ? NLM_F_DUMP : 1 << chance(16);
		break;
	case 2:
		message->len -= chance(message->len);
		break;
	case 3:
		message->octets[chance(message->len)] ^= 1 << chance(8);
		break;
	case 4:
		message->len = NLA_ALIGN(message->len);
		insert(message, message->len, NULL, 0);
		break;
	default:
		if (count)
			change_attribute(message, &places[chance(count)]);
	}
	/* The kernel answers what is not asked for at the first difference only. */
	message->flags |= NLM_F_REQUEST;
	if (message->len < GENL_HDRLEN && chance(4))
		message->len = GENL_HDRLEN;
}

/* Some changes of an input, with help of another. */
static void change(void *changed, void *helper)
{
	struct input *input = changed, *other = helper;
	unsigned int times = 1 + chance(4);

	while (times--) {
		struct message *message = &input->messages[chance(input->count)];
		struct message *foreign = &other->messages[chance(other->count)];

		switch (chance(10)) {
		case 0:
			if (input->count < REQUESTS)
				input->messages[input->count++] = *foreign;
			break;
		case 1:
			if (input->count > 1)
				*message = input->messages[--input->count];
			break;
		case 2:
			if (message != foreign)
				copy_attribute(message, foreign);
			break;
		default:
			change_message(message);
		}
	}
}

#endif /* SELFTESTS_INPUTS_H */
