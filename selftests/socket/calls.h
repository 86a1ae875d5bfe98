/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inputs for the socket level, each some system calls one after the other on a few sockets,
 * and changes of them by chance that know what the calls take.
 */
#ifndef SELFTESTS_CALLS_H
#define SELFTESTS_CALLS_H

#include "socket.h"

#include "../lib/search.h"
#include "../netlink/identity.h"

enum { CALLS = 16, SOCKETS = 4, LONGEST = 1100, PORT = 7070, RFC = SHIM_RFC6316_BASE };

enum operation {
	OPEN, CLOSE, DUP, BIND, CONNECT, LISTEN, ACCEPT, SET, GET, SEND, RECEIVE, FORK, SHUTDOWN,
	MOVE, FORGET, WAIT, OPERATIONS,
};

struct call {
	__u8 operation, socket;
	__u8 other;		/* a socket, a kind or an address, by the operation */
	int level, name, flags;
	unsigned int len;	/* of the octets: a value, or ancillary data */
	char octets[LONGEST] __attribute__((aligned(8)));
};

struct input {
	unsigned int count;
	struct call calls[CALLS];
};

static const struct kind *const kinds[] = {
	&udp6, &tcp6, &raw6, &udp6, &tcp6, &plain6, &ping6, &mptcp6, &tcp4, &udp4,
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const char *const addresses[] = {
	ULID_A, ULID_B, HBA_A, HBA_B, OTHER_A, OTHER_B, OTHER_HBA_A, ABSENT_A, FOREIGN, "::1",
	"::", "ff02::1", "fe80::1", "::ffff:192.0.2.1",
};

/* Beyond the last one: no address at all. */
enum { ADDRESSES = sizeof(addresses) / sizeof(addresses[0]) };

static __u8 some_address(void)
{
	return chance(4) ? chance(8) : chance(ADDRESSES + 1);
}

static struct sockaddr_in6 socket_address(__u8 which)
{
	struct sockaddr_in6 found = { .sin6_family = AF_UNSPEC };

	return which < ADDRESSES ? at(addresses[which], PORT) : found;
}

static int some_number(void)
{
	static const int numbers[] = {
		0, 1, 2, -1, 15, 16, 99, 100, 255, 256, 60000, 65535, 65536, INT_MAX, INT_MIN,
	};

	return chance(2) ? (int)chance(2) : numbers[chance(sizeof(numbers) / sizeof(numbers[0]))];
}

static int some_option(void)
{
	return (int)chance(20) + (chance(3) ? 0 : RFC);
}

/* Records of locators, of the draft or the RFC, or other values of an option. */
static void put_value(struct call *call)
{
	bool rfc = call->name >= RFC;
	unsigned int size = rfc ? sizeof(struct shim_rfc6316_locator) : sizeof(struct shim_locator);
	unsigned int count = chance(8) ? 1 + chance(3) : chance(35);
	int number = some_number();

	memset(call->octets, 0, sizeof(call->octets));
	call->len = sizeof(number);
	memcpy(call->octets, &number, sizeof(number));
	switch (call->name & ~RFC) {
	case SHIM_LOC_LOCAL_PREF:
	case SHIM_LOC_PEER_PREF:
	case SHIM_LOC_LOCAL_SEND:
	case SHIM_LOC_PEER_SEND:
		count = 1;
		/* fall through */
	case SHIM_LOCLIST_LOCAL:
	case SHIM_LOCLIST_PEER:
		memset(call->octets, 0, sizeof(number));
		for (unsigned int i = 0; i < count && (i + 1) * size <= LONGEST; i++) {
			char *record = call->octets + i * size;
			struct in6_addr addr = address(addresses[chance(ADDRESSES)]);

			record[0] = chance(12) ? AF_INET6 : AF_INET;
			record[rfc ? 4 : 3] = chance(256);
			memcpy(record + (rfc ? 12 : 4), &addr, sizeof(addr));
			call->len = (i + 1) * size;
		}
		break;
	case SHIM_PATHEXPLORE:
		call->len = rfc ? 12 : 8;
		call->octets[0] = chance(17);
		call->octets[rfc ? 2 : 1] = chance(256);
		call->octets[rfc ? 6 : 2] = chance(256);
		call->octets[rfc ? 7 : 3] = chance(256);
	}
	if (!chance(10))
		call->len = 0;
}

/* One more item at the end of ancillary data. */
static void put_item(struct call *call)
{
	struct sockaddr_in6 locator = socket_address(chance(8) ? chance(9) : chance(ADDRESSES));
	unsigned int at = CMSG_ALIGN(call->len), len = sizeof(locator);
	struct cmsghdr *item = (void *)(call->octets + at);
	int type = SHIM_LOC_LOCAL_SEND + (int)chance(5);
	struct in6_pktinfo info = { .ipi6_addr = locator.sin6_addr };
	const void *value = &locator;
	char feedback[4] = { chance(3), chance(5) };

	locator.sin6_port = 0;
	if (type == SHIM_FEEDBACK) {
		value = feedback;
		len = sizeof(feedback);
	} else if (type > SHIM_LOC_PEER_SEND) {
		len = chance(6) ? 0 : chance(9);
	}
	if (!chance(12))
		len = chance(40);
	if (len > sizeof(locator))
		len = sizeof(locator);
	if (at + CMSG_SPACE(sizeof(locator)) > LONGEST)
		return;
	memset(item, 0, CMSG_SPACE(sizeof(locator)));
	item->cmsg_level = SOL_SHIM;
	item->cmsg_type = chance(4) ? type : type + RFC;
	if (!chance(10)) {
		item->cmsg_level = IPPROTO_IPV6;
		item->cmsg_type = IPV6_PKTINFO;
		value = &info;
		len = sizeof(info);
	}
	item->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(item), value, len);
	call->len = at + CMSG_SPACE(len);
}

/* Options of other levels that have to do with ours, all of them flags. */
static void other_option(struct call *call)
{
	static const int options[][2] = {
		{ IPPROTO_IPV6, IPV6_RECVPKTINFO }, { IPPROTO_IPV6, IPV6_RECVTCLASS },
		{ IPPROTO_IPV6, IPV6_RECVERR }, { IPPROTO_IPV6, IPV6_V6ONLY },
		{ IPPROTO_IPV6, 1 /* IPV6_ADDRFORM */ }, { SOL_SOCKET, SO_TIMESTAMP },
		{ SOL_SOCKET, SO_REUSEADDR }, { SOL_SOCKET, SO_MARK },
	};
	unsigned int which = chance(sizeof(options) / sizeof(options[0]));
	int value = which == 4 ? AF_INET : (int)chance(2);

	call->level = options[which][0];
	call->name = options[which][1];
	call->len = sizeof(value);
	memcpy(call->octets, &value, sizeof(value));
}

static int some_flags(void)
{
	static const int flags[] = {
		0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_ERRQUEUE, MSG_CONFIRM, MSG_MORE,
	};

	return flags[chance(sizeof(flags) / sizeof(flags[0]))];
}

/* A call that makes sense, mostly. */
static void invent(struct call *call)
{
	static const __u8 likely[] = { SET, SET, SET, SET, GET, GET, GET, SEND, SEND, RECEIVE };

	memset(call, 0, sizeof(*call));
	call->operation = chance(2) ? likely[chance(sizeof(likely))] : chance(OPERATIONS);
	call->socket = chance(2) ? 0 : chance(SOCKETS);
	call->level = SOL_SHIM;
	call->name = some_option();
	call->other = chance(SOCKETS);
	call->flags = some_flags();
	switch (call->operation) {
	case OPEN:
		call->other = chance(KINDS);
		break;
	case BIND:
	case CONNECT:
	case MOVE:
		call->other = some_address();
		break;
	case SET:
		put_value(call);
		if (!chance(8))
			other_option(call);
		break;
	case GET:
	case RECEIVE:
		/* Enough, or not. */
		call->len = chance(2) ? 512 : chance(chance(3) ? 48 : 700);
		break;
	case SEND:
		call->other = chance(2) ? ADDRESSES : some_address();
		for (unsigned int count = chance(4); count; count--)
			put_item(call);
	}
}

/* A small change, with no regard for sense. */
static void bend(struct call *call)
{
	struct in6_addr addr = address(addresses[chance(ADDRESSES)]);
	unsigned int at;
	int number;

	switch (chance(8)) {
	case 0:
		call->socket = chance(SOCKETS);
		break;
	case 1:
		call->other = some_address();
		break;
	case 2:
		call->name = call->level == SOL_SHIM ? some_option() : call->name ^ 1 << chance(8);
		break;
	case 3:
		call->len = chance(2) ? call->len + chance(9) - 4 : chance(LONGEST);
		if (call->len > LONGEST)
			call->len = 0;
		break;
	case 4:
		call->flags = some_flags();
		break;
	case 5:
		if (call->len)
			call->octets[chance(call->len)] ^= 1 << chance(8);
		break;
	case 6:
		number = some_number();
		memcpy(call->octets + 4 * chance(16), &number, sizeof(number));
		break;
	default:
		at = 4 * chance(16);
		memcpy(call->octets + at, &addr, sizeof(addr));
	}
}

/* Some changes of an input, with help of another. */
static void change(void *changed, void *helper)
{
	struct input *input = changed;
	const struct input *other = helper;
	unsigned int times = 1 + chance(4), place;

	while (times--) {
		place = chance(input->count);
		switch (chance(8)) {
		case 0:
		case 1:
		case 2:
			/* One more, somewhere. */
			if (input->count == CALLS)
				break;
			memmove(&input->calls[place + 1], &input->calls[place],
				(input->count++ - place) * sizeof(input->calls[0]));
			if (chance(2))
				invent(&input->calls[place]);
			else
				input->calls[place] = other->calls[chance(other->count)];
			break;
		case 3:
			if (input->count == 1)
				break;
			memmove(&input->calls[place], &input->calls[place + 1],
				(--input->count - place) * sizeof(input->calls[0]));
			break;
		case 4:
			invent(&input->calls[place]);
			break;
		case 5:
			if (input->calls[place].operation == SEND)
				put_item(&input->calls[place]);
			break;
		default:
			bend(&input->calls[place]);
		}
	}
}

#endif /* SELFTESTS_CALLS_H */
