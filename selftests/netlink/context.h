/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contexts as the generic netlink family shim6 shows them, and requests about
 * them.
 */
#ifndef SELFTESTS_CONTEXT_H
#define SELFTESTS_CONTEXT_H

#include "netlink.h"

#define MAX_LOCATORS	32

/* A locator; octets that are not there are -1. */
struct locator {
	struct in6_addr address;
	int verification, priority, weight, flags;
};

struct context {
	struct in6_addr ulid_local, ulid_peer, current_local, current_peer;
	__u32 fii;
	__u64 tag_local, tag_peer, switches;
	int state;
	bool has_last_tx, has_last_rx;
	__u64 last_tx, last_rx;
	unsigned int locals, peers;
	struct locator local[MAX_LOCATORS], peer[MAX_LOCATORS];
};

static const struct nlattr *need(const struct nlmsghdr *header, __u16 type, size_t len)
{
	const struct nlattr *attr = find_in_message(header, type);

	if (!attr || attr->nla_len != NLA_HDRLEN + len)
		tap_bail("attribute %u of %zu octets is not there", type, len);
	return attr;
}

static struct in6_addr need_address(const struct nlmsghdr *header, __u16 type)
{
	struct in6_addr addr;

	memcpy(&addr, payload(need(header, type, sizeof(addr))), sizeof(addr));
	return addr;
}

static int octet(const struct nlattr *nest, __u16 type)
{
	const struct nlattr *attr = find(payload(nest), nest->nla_len - NLA_HDRLEN, type);

	if (!attr)
		return -1;
	if (attr->nla_len != NLA_HDRLEN + 1)
		tap_bail("attribute %u of a locator has another length than 1", type);
	return *(const __u8 *)payload(attr);
}

static unsigned int read_list(const struct nlmsghdr *header, __u16 type,
			      struct locator list[MAX_LOCATORS])
{
	const char *at = (const char *)NLMSG_DATA(header) + GENL_HDRLEN;
	size_t len = NLMSG_PAYLOAD(header, GENL_HDRLEN);
	unsigned int count = 0;

	while (len >= NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)at, *addr;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_type == (type | NLA_F_NESTED)) {
			if (count == MAX_LOCATORS)
				tap_bail("a list has more than %u locators", MAX_LOCATORS);
			addr = find(payload(attr), attr->nla_len - NLA_HDRLEN,
				    SHIM6_A_LOCATOR_ADDRESS);
			if (!addr || addr->nla_len != NLA_HDRLEN + sizeof(struct in6_addr))
				tap_bail("a locator without an address");
			memcpy(&list[count].address, payload(addr), sizeof(struct in6_addr));
			list[count].verification = octet(attr, SHIM6_A_LOCATOR_VERIFICATION);
			list[count].priority = octet(attr, SHIM6_A_LOCATOR_PRIORITY);
			list[count].weight = octet(attr, SHIM6_A_LOCATOR_WEIGHT);
			list[count].flags = octet(attr, SHIM6_A_LOCATOR_FLAGS);
			count++;
		}
		at += step;
		len = step < len ? len - step : 0;
	}
	return count;
}

static void UNUSED read_context(const struct nlmsghdr *header, void *data)
{
	struct context *context = data;
	const struct nlattr *attr;

	memset(context, 0, sizeof(*context));
	context->ulid_local = need_address(header, SHIM6_A_ULID_LOCAL);
	context->ulid_peer = need_address(header, SHIM6_A_ULID_PEER);
	context->current_local = need_address(header, SHIM6_A_CURRENT_LOCAL);
	context->current_peer = need_address(header, SHIM6_A_CURRENT_PEER);
	context->fii = get_u32(need(header, SHIM6_A_FII, 4));
	context->tag_local = get_u64(need(header, SHIM6_A_TAG_LOCAL, 8));
	context->tag_peer = get_u64(need(header, SHIM6_A_TAG_PEER, 8));
	context->switches = get_u64(need(header, SHIM6_A_SWITCHES, 8));
	context->state = *(const __u8 *)payload(need(header, SHIM6_A_STATE, 1));
	attr = find_in_message(header, SHIM6_A_LAST_TX);
	context->has_last_tx = attr;
	context->last_tx = attr ? get_u64(attr) : 0;
	attr = find_in_message(header, SHIM6_A_LAST_RX);
	context->has_last_rx = attr;
	context->last_rx = attr ? get_u64(attr) : 0;
	context->locals = read_list(header, SHIM6_A_LOCATOR_LOCAL, context->local);
	context->peers = read_list(header, SHIM6_A_LOCATOR_PEER, context->peer);
}

static bool UNUSED is(const struct in6_addr *addr, const char *text)
{
	struct in6_addr wanted = address(text);

	return !memcmp(addr, &wanted, sizeof(wanted));
}

static void UNUSED put_locator(struct request *request, __u16 list, const char *text)
{
	struct nlattr *nest = nest_begin(request, list);

	put_address(request, SHIM6_A_LOCATOR_ADDRESS, text);
	nest_end(request, nest);
}

/* A request to add a context, without lists. */
static void UNUSED begin_add(struct request *request, const char *ulid_local,
			     const char *ulid_peer, __u64 tag_local, __u64 tag_peer)
{
	begin_command(request, SHIM6_CMD_CONTEXT_ADD, 0);
	put_address(request, SHIM6_A_ULID_LOCAL, ulid_local);
	put_address(request, SHIM6_A_ULID_PEER, ulid_peer);
	put_u64(request, SHIM6_A_TAG_LOCAL, tag_local);
	put_u64(request, SHIM6_A_TAG_PEER, tag_peer);
}

/* A request about the context with this CT(local). */
static void UNUSED begin_tagged(struct request *request, __u8 command, __u64 tag_local)
{
	begin_command(request, command, 0);
	put_u64(request, SHIM6_A_TAG_LOCAL, tag_local);
}

/* A request about the context of this ULID pair. */
static void UNUSED begin_named(struct request *request, __u8 command, const char *ulid_local,
			       const char *ulid_peer)
{
	begin_command(request, command, 0);
	put_address(request, SHIM6_A_ULID_LOCAL, ulid_local);
	put_address(request, SHIM6_A_ULID_PEER, ulid_peer);
}

static bool UNUSED expect(struct answer answer, int error, const char *sentence, const char *what)
{
	bool right = answer.error == error &&
		     (!sentence || !strcmp(answer.sentence, sentence));

	if (!tap_ok(right, "%s", what)) {
		tap_note("wanted errno %d (%s), \"%s\"", error, strerror(error),
			 sentence ? sentence : "");
		tap_note("errno %d (%s), \"%s\"", answer.error, strerror(answer.error),
			 answer.sentence);
	}
	return right;
}

/*
 * All static contexts of a namespace, for telling whether something has changed:
 * the order in a dump may change by itself, times and ages do, and contexts that
 * are being established.
 */
struct picture {
	__u64 sum;
	unsigned int contexts;
};

static void UNUSED look(const struct nlmsghdr *header, void *data)
{
	const char *at = (const char *)NLMSG_DATA(header) + GENL_HDRLEN;
	size_t len = NLMSG_PAYLOAD(header, GENL_HDRLEN);
	struct picture *picture = data;
	__u64 hash = 0xcbf29ce484222325;	/* FNV-1a. */
	bool is_static = false;

	while (len >= NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)at;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_type == SHIM6_A_ORIGIN)
			is_static = at[NLA_HDRLEN] == SHIM6_ORIGIN_STATIC;
		if (attr->nla_type != SHIM6_A_LAST_TX && attr->nla_type != SHIM6_A_LAST_RX &&
		    (attr->nla_type & NLA_TYPE_MASK) != SHIM6_A_HISTORY)
			for (size_t i = 0; i < attr->nla_len; i++)
				hash = (hash ^ (__u8)at[i]) * 0x100000001b3;
		at += step;
		len = step < len ? len - step : 0;
	}
	if (!is_static)
		return;
	picture->sum += hash;
	picture->contexts++;
}

/* A table that is moving may show a context twice, and says so. */
static struct picture UNUSED look_at_all(int fd)
{
	struct picture picture;
	struct request dump;
	struct answer answer;

	do {
		memset(&picture, 0, sizeof(picture));
		begin_command(&dump, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
		answer = exchange(fd, &dump, look, &picture);
		if (answer.error) {
			errno = answer.error;
			tap_bail("dump: %s", answer.sentence);
		}
	} while (again(&answer));
	return picture;
}

static bool UNUSED same(const struct picture *one, const struct picture *other)
{
	return one->sum == other->sum && one->contexts == other->contexts;
}

/* Sets net.shim6.max_contexts of the namespace that we are in. */
static void UNUSED set_max_contexts(unsigned int value)
{
	FILE *file = fopen("/proc/sys/net/shim6/max_contexts", "w");

	if (!file || fprintf(file, "%u\n", value) < 0 || fclose(file))
		tap_bail("net.shim6.max_contexts = %u", value);
}

#endif /* SELFTESTS_CONTEXT_H */
