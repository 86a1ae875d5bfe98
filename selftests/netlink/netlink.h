/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink on a plain socket: messages built by hand, so that wrong ones can be
 * built too.
 */
#ifndef SELFTESTS_NETLINK_H
#define SELFTESTS_NETLINK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/shim6_netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/tap.h"

#define UNUSED __attribute__((unused))

/* A request under construction. */
struct request {
	union {
		struct nlmsghdr header;
		char octets[32768];
	};
};

/* What the kernel said to a request. */
struct answer {
	int error;		/* errno, 0 for success */
	char sentence[256];	/* "" if there was none */
	__u32 offset;	/* of the bad attribute, 0 if none */
	__u32 missing;	/* type of the attribute that is missing, 0 if none */
	__u32 missing_nest;	/* offset of the nest where it is missing, 0 if at the top */
	bool interrupted;	/* NLM_F_DUMP_INTR was set */
	unsigned int messages;	/* messages with data */
	int other_error;	/* errno of the answer to another request meanwhile */
};

/* Called for each message with data. */
typedef void (*message_fn)(const struct nlmsghdr *header, void *data);

static __u16 shim6_family;

static struct in6_addr UNUSED address(const char *text)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET6, text, &addr) != 1)
		tap_bail("address %s", text);
	return addr;
}

static void *UNUSED append(struct request *request, const void *data, size_t len)
{
	void *place = request->octets + request->header.nlmsg_len;

	if (request->header.nlmsg_len + NLMSG_ALIGN(len) > sizeof(request->octets))
		tap_bail("request is too long");
	memset(place, 0, NLMSG_ALIGN(len));
	if (data)
		memcpy(place, data, len);
	request->header.nlmsg_len += NLMSG_ALIGN(len);
	return place;
}

static void UNUSED begin(struct request *request, __u16 type, __u16 flags)
{
	static __u32 sequence;

	request->header = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = ++sequence,
	};
}

static void UNUSED begin_command(struct request *request, __u8 command, __u16 flags)
{
	struct genlmsghdr header = { .cmd = command, .version = SHIM6_GENL_VERSION };

	begin(request, shim6_family, flags);
	append(request, &header, sizeof(header));
}

static struct nlattr *UNUSED put(struct request *request, __u16 type, const void *data,
				 size_t len)
{
	struct nlattr header = { .nla_len = NLA_HDRLEN + len, .nla_type = type };
	struct nlattr *attr = append(request, &header, sizeof(header));

	append(request, data, len);
	return attr;
}

static void UNUSED put_u8(struct request *request, __u16 type, __u8 value)
{
	put(request, type, &value, sizeof(value));
}

static void UNUSED put_u32(struct request *request, __u16 type, __u32 value)
{
	put(request, type, &value, sizeof(value));
}

static void UNUSED put_u64(struct request *request, __u16 type, __u64 value)
{
	put(request, type, &value, sizeof(value));
}

static void UNUSED put_address(struct request *request, __u16 type, const char *text)
{
	struct in6_addr addr = address(text);

	put(request, type, &addr, sizeof(addr));
}

static UNUSED struct nlattr *nest_begin(struct request *request, __u16 type)
{
	return put(request, type | NLA_F_NESTED, NULL, 0);
}

static void UNUSED nest_end(struct request *request, struct nlattr *nest)
{
	nest->nla_len = request->octets + request->header.nlmsg_len - (char *)nest;
}

/* The attribute of this type among some attributes, NULL if there is none. */
static const struct nlattr *UNUSED find(const void *attrs, size_t len, __u16 type)
{
	const char *at = attrs;

	while (len >= NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)at;
		size_t step = NLA_ALIGN(attr->nla_len);

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > len)
			tap_bail("attribute of %u octets, %zu are left", attr->nla_len, len);
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		at += step;
		len = step < len ? len - step : 0;
	}
	return NULL;
}

static UNUSED const struct nlattr *find_in_message(const struct nlmsghdr *header, __u16 type)
{
	return find((const char *)NLMSG_DATA(header) + GENL_HDRLEN,
		    NLMSG_PAYLOAD(header, GENL_HDRLEN), type);
}

static UNUSED const void *payload(const struct nlattr *attr)
{
	return (const char *)attr + NLA_HDRLEN;
}

static __u32 UNUSED get_u32(const struct nlattr *attr)
{
	__u32 value;

	memcpy(&value, payload(attr), sizeof(value));
	return value;
}

static __u64 UNUSED get_u64(const struct nlattr *attr)
{
	__u64 value;

	memcpy(&value, payload(attr), sizeof(value));
	return value;
}

/* A generic netlink socket in the namespace that the caller is in. */
static int UNUSED open_netlink(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct timeval patience = { .tv_sec = 60 };
	int one = 1;

	if (fd < 0)
		tap_bail("netlink socket");
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tap_bail("netlink socket options");
	return fd;
}

static void UNUSED submit(int fd, const struct request *request)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, request, request->header.nlmsg_len, 0, (struct sockaddr *)&kernel,
		   sizeof(kernel)) != (ssize_t)request->header.nlmsg_len)
		tap_bail("send on netlink socket");
}

static void read_extended(const struct nlmsghdr *header, size_t fixed, struct answer *answer)
{
	const char *attrs = (const char *)NLMSG_DATA(header) + fixed;
	size_t len = NLMSG_PAYLOAD(header, fixed);
	const struct nlattr *attr;

	attr = find(attrs, len, NLMSGERR_ATTR_MSG);
	if (attr)
		snprintf(answer->sentence, sizeof(answer->sentence), "%.*s",
			 attr->nla_len - NLA_HDRLEN, (const char *)payload(attr));
	attr = find(attrs, len, NLMSGERR_ATTR_OFFS);
	if (attr)
		answer->offset = get_u32(attr);
	attr = find(attrs, len, NLMSGERR_ATTR_MISS_TYPE);
	if (attr)
		answer->missing = get_u32(attr);
	attr = find(attrs, len, NLMSGERR_ATTR_MISS_NEST);
	if (attr)
		answer->missing_nest = get_u32(attr);
}

/* Reads one datagram of the answer; returns whether it was the last. */
static bool UNUSED receive_some(int fd, const struct request *request, struct answer *answer,
				message_fn message, void *data)
{
	static char octets[1 << 17];
	const struct nlmsghdr *header = (const void *)octets;
	ssize_t len = recv(fd, octets, sizeof(octets), MSG_TRUNC);

	if (len < 0)
		tap_bail("receive on netlink socket");
	if (len > (ssize_t)sizeof(octets))
		tap_bail("datagram of %zd octets", len);

	for (; NLMSG_OK(header, len); header = NLMSG_NEXT(header, len)) {
		if (header->nlmsg_seq != request->header.nlmsg_seq) {
			if (header->nlmsg_type == NLMSG_ERROR)
				answer->other_error =
					-((const struct nlmsgerr *)NLMSG_DATA(header))->error;
			continue;
		}
		if (header->nlmsg_flags & NLM_F_DUMP_INTR)
			answer->interrupted = true;
		switch (header->nlmsg_type) {
		case NLMSG_ERROR:
			answer->error = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
			if (header->nlmsg_flags & NLM_F_ACK_TLVS)
				read_extended(header, sizeof(struct nlmsgerr), answer);
			return true;
		case NLMSG_DONE:
			answer->error = -*(const int *)NLMSG_DATA(header);
			if (header->nlmsg_flags & NLM_F_ACK_TLVS)
				read_extended(header, sizeof(int), answer);
			return true;
		default:
			answer->messages++;
			if (message)
				message(header, data);
		}
	}
	return false;
}

/*
 * A request for each number, many in one datagram. An acknowledgement is asked
 * for the last of each; if an earlier one fails its answer comes first. @answered
 * is called for each datagram, if it is not NULL.
 */
static void UNUSED in_batches(int fd, void (*build)(struct request *one, unsigned int number),
			      unsigned int from, unsigned int to, void (*answered)(void))
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	static char octets[1 << 15];
	struct answer answer = { 0 };
	static struct request one;
	size_t len = 0;
	unsigned int i;

	for (i = from; i < to; i++) {
		bool last;

		build(&one, i);
		last = i + 1 == to || len + 2 * one.header.nlmsg_len > sizeof(octets);
		if (last)
			one.header.nlmsg_flags |= NLM_F_ACK;
		memcpy(octets + len, &one, one.header.nlmsg_len);
		len += one.header.nlmsg_len;
		if (!last)
			continue;
		if (sendto(fd, octets, len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) !=
		    (ssize_t)len)
			tap_bail("send requests");
		while (!receive_some(fd, &one, &answer, NULL, NULL))
			;
		errno = answer.error ? answer.error : answer.other_error;
		if (errno)
			tap_bail("requests up to %u: %s", i, answer.sentence);
		len = 0;
		if (answered)
			answered();
	}
}

/* Sends a request that asks for an acknowledgement or a dump, reads the whole answer. */
static struct answer UNUSED exchange(int fd, struct request *request, message_fn message,
				     void *data)
{
	struct answer answer = { 0 };

	if ((request->header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->header.nlmsg_flags |= NLM_F_ACK;
	submit(fd, request);
	while (!receive_some(fd, request, &answer, message, data))
		;
	return answer;
}

/*
 * Whether a dump has to be asked for again, as the table was moving. The worker that moves it gets
 * the processor meanwhile: where no time passes for the scheduler, who asks and asks keeps it.
 */
static bool UNUSED again(const struct answer *answer)
{
	if (answer->interrupted)
		poll(NULL, 0, 1);
	return answer->interrupted;
}

static void read_family(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *id = find_in_message(header, CTRL_ATTR_FAMILY_ID);

	if (id)
		memcpy(data, payload(id), sizeof(__u16));
}

/* The number of the family; 0 and errno if there is none. */
static __u16 UNUSED resolve_family(int fd)
{
	struct genlmsghdr header = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	struct request request;
	__u16 family = 0;

	begin(&request, GENL_ID_CTRL, 0);
	append(&request, &header, sizeof(header));
	put(&request, CTRL_ATTR_FAMILY_NAME, SHIM6_GENL_NAME, sizeof(SHIM6_GENL_NAME));
	errno = exchange(fd, &request, read_family, &family).error;
	return family;
}

/* A generic netlink socket, and the family known. */
static int UNUSED open_shim6(void)
{
	int fd = open_netlink(NETLINK_GENERIC);

	shim6_family = resolve_family(fd);
	if (!shim6_family)
		tap_bail("generic netlink family %s", SHIM6_GENL_NAME);
	return fd;
}

/* Adds an address to the loopback interface, which comes up for that. */
/* Whether packets to an address are for this host: RTF_LOCAL in its route. */
static bool UNUSED is_local(const char *text)
{
	struct in6_addr wanted = address(text);
	char line[256], hex[33], route[33];
	unsigned int flags;
	bool found = false;
	FILE *file = fopen("/proc/net/ipv6_route", "r");

	if (!file)
		tap_bail("/proc/net/ipv6_route");
	for (int i = 0; i < 16; i++)
		sprintf(hex + 2 * i, "%02x", wanted.s6_addr[i]);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%32s %*s %*s %*s %*s %*s %*s %*s %x", route, &flags) == 2 &&
			!strcmp(route, hex) && flags & 0x80000000;
	fclose(file);
	return found;
}

/* The kernel makes the local route of a new address in a worker of its own. */
static void UNUSED wait_for_route(const char *text)
{
	int patience = 10000;

	while (!is_local(text)) {
		if (!patience--)
			tap_bail("no local route to %s", text);
		poll(NULL, 0, 1);
	}
}

static void UNUSED add_local_address(const char *text)
{
	struct ifinfomsg link = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = 1,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct ifaddrmsg addr = {
		.ifa_family = AF_INET6,
		.ifa_prefixlen = 128,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = 1,
	};
	int fd = open_netlink(NETLINK_ROUTE);
	struct request request;

	begin(&request, RTM_NEWLINK, 0);
	append(&request, &link, sizeof(link));
	errno = exchange(fd, &request, NULL, NULL).error;
	if (errno)
		tap_bail("loopback interface up");

	begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	append(&request, &addr, sizeof(addr));
	put_address(&request, IFA_LOCAL, text);
	errno = exchange(fd, &request, NULL, NULL).error;
	if (errno)
		tap_bail("address %s", text);
	close(fd);
	wait_for_route(text);
}

/* A network namespace of our own. */
static void UNUSED new_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		tap_bail("network namespace");
}

#endif /* SELFTESTS_NETLINK_H */
