/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kinds of sockets, options at SOL_SHIM with their errors, and two ends of a
 * context in one namespace.
 */
#ifndef SELFTESTS_SOCKET_H
#define SELFTESTS_SOCKET_H

#include "../netlink/context.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/shim6.h>
#include <poll.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

/* ULIDs of two ends, and other locators of each. */
#define ULID_A		"2001:db8:1::a"
#define OTHER_A		"2001:db8:2::a"
#define ABSENT_A	"2001:db8:3::a"
#define ULID_B		"2001:db8:1::b"
#define OTHER_B		"2001:db8:2::b"
#define FOREIGN		"2001:db8:9::9"
#define TAG_A		0xaULL
#define TAG_B		0xbULL

struct kind {
	const char *name;
	int family, type, protocol;
};

#define KIND(symbol, name, family, type, protocol)	\
	static const struct kind UNUSED symbol = { name, family, type, protocol }

KIND(tcp6, "TCP/IPv6", AF_INET6, SOCK_STREAM, IPPROTO_TCP);
KIND(udp6, "UDP/IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
KIND(raw6, "raw/IPv6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
/* A protocol without checksums, so that octets stay as they are. */
KIND(plain6, "raw/IPv6", AF_INET6, SOCK_RAW, 253);
KIND(ping6, "ping/IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
KIND(mptcp6, "MPTCP/IPv6", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);
KIND(tcp4, "TCP/IPv4", AF_INET, SOCK_STREAM, IPPROTO_TCP);
KIND(udp4, "UDP/IPv4", AF_INET, SOCK_DGRAM, IPPROTO_UDP);

/* Ping sockets in this namespace, for everybody. */
static void UNUSED allow_ping(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ping_group_range", "we");

	if (!file || fprintf(file, "0 %d\n", INT_MAX) < 0 || fclose(file))
		tap_note("ping sockets stay forbidden: %s", strerror(errno));
}

/* Compares two numbers, and shows both if they differ. */
#define same(got, want, ...)						\
do {									\
	long long got_ = (got), want_ = (want);				\
									\
	if (!tap_ok(got_ == want_, __VA_ARGS__))			\
		tap_note("got %lld, wanted %lld", got_, want_);		\
} while (0)

static int UNUSED open_kind(const struct kind *kind)
{
	return socket(kind->family, kind->type | SOCK_CLOEXEC, kind->protocol);
}

/* Zero, or the error number. */
static int UNUSED set(int fd, int name, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_SHIM, name, value, len) ? errno : 0;
}

static int UNUSED get(int fd, int name, void *value, socklen_t *len)
{
	return getsockopt(fd, SOL_SHIM, name, value, len) ? errno : 0;
}

static int UNUSED set_int(int fd, int name, int value)
{
	return set(fd, name, &value, sizeof(value));
}

/* The value, or minus the error number. */
static int UNUSED get_int(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);
	int error = get(fd, name, &value, &len);

	return error ? -error : value;
}

/* The structures of the draft. */
#ifndef SHIM_RFC6316
static struct shim_locator UNUSED preferred(const char *text, unsigned char preference)
{
	struct in6_addr addr = address(text);
	struct shim_locator record = { .lc_family = AF_INET6, .lc_preference = preference };

	memcpy(record.lc_addr, &addr, sizeof(addr));
	return record;
}

static int UNUSED prefer(int fd, int name, const char *text, unsigned char preference)
{
	struct shim_locator record = preferred(text, preference);

	return set(fd, name, &record, sizeof(record));
}

static bool UNUSED holds(const struct shim_locator *record, const char *text)
{
	struct in6_addr addr = address(text);

	return record->lc_family == AF_INET6 && !memcmp(record->lc_addr, &addr, sizeof(addr));
}
#endif /* SHIM_RFC6316 */

static struct sockaddr_in6 UNUSED at(const char *text, unsigned short port)
{
	return (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = address(text),
	};
}

static void UNUSED bind_to(int fd, const char *text, unsigned short port)
{
	struct sockaddr_in6 local = at(text, port);

	if (bind(fd, (struct sockaddr *)&local, sizeof(local)))
		tap_bail("bind to %s port %u", text, port);
}

/* From ULID_A to ULID_B. */
static void UNUSED connect_ends(int fd, unsigned short port)
{
	struct sockaddr_in6 peer = at(ULID_B, port);

	bind_to(fd, ULID_A, 0);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		tap_bail("connect to %s port %u", ULID_B, port);
}

static int UNUSED listen_at(const struct kind *kind, const char *text, unsigned short port)
{
	int fd = open_kind(kind);

	if (fd < 0)
		tap_bail("%s socket", kind->name);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)))
		tap_bail("SO_REUSEADDR");
	bind_to(fd, text, port);
	if (listen(fd, 16))
		tap_bail("listen");
	return fd;
}

static int UNUSED accept_from(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		tap_bail("accept");
	return fd;
}

/* All addresses that there are but ABSENT_A and FOREIGN. */
static void UNUSED add_addresses(void)
{
	add_local_address(ULID_A);
	add_local_address(OTHER_A);
	add_local_address(ULID_B);
	add_local_address(OTHER_B);
}

static void put_verified(struct request *request, uint16_t list, const char *text,
			 uint8_t verification, uint8_t priority)
{
	struct nlattr *nest = nest_begin(request, list);

	put_address(request, SHIM6_A_LOCATOR_ADDRESS, text);
	if (verification)
		put_u8(request, SHIM6_A_LOCATOR_VERIFICATION, verification);
	put_u8(request, SHIM6_A_LOCATOR_PRIORITY, priority);
	nest_end(request, nest);
}

/* The context of A, and that of B. Both ends live in this namespace. */
static void UNUSED add_contexts(int netlink)
{
	struct request request;

	begin_add(&request, ULID_A, ULID_B, TAG_A, TAG_B);
	put_verified(&request, SHIM6_A_LOCATOR_LOCAL, ULID_A, 1, 0);
	put_verified(&request, SHIM6_A_LOCATOR_LOCAL, OTHER_A, 2, 10);
	put_verified(&request, SHIM6_A_LOCATOR_LOCAL, ABSENT_A, 0, 255);
	put_verified(&request, SHIM6_A_LOCATOR_PEER, ULID_B, 0, 0);
	put_verified(&request, SHIM6_A_LOCATOR_PEER, OTHER_B, 1, 20);
	errno = exchange(netlink, &request, NULL, NULL).error;
	if (errno)
		tap_bail("context of A");

	begin_add(&request, ULID_B, ULID_A, TAG_B, TAG_A);
	put_verified(&request, SHIM6_A_LOCATOR_LOCAL, ULID_B, 0, 0);
	put_verified(&request, SHIM6_A_LOCATOR_LOCAL, OTHER_B, 0, 0);
	put_verified(&request, SHIM6_A_LOCATOR_PEER, ULID_A, 0, 0);
	put_verified(&request, SHIM6_A_LOCATOR_PEER, OTHER_A, 0, 0);
	errno = exchange(netlink, &request, NULL, NULL).error;
	if (errno)
		tap_bail("context of B");
}

static void UNUSED delete_context(int netlink, uint64_t tag)
{
	struct request request;

	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, tag);
	errno = exchange(netlink, &request, NULL, NULL).error;
	if (errno)
		tap_bail("delete context %llu", (unsigned long long)tag);
}

static struct context UNUSED show_context(int netlink, uint64_t tag)
{
	struct request request;
	struct context context;

	begin_tagged(&request, SHIM6_CMD_CONTEXT_GET, tag);
	errno = exchange(netlink, &request, read_context, &context).error;
	if (errno)
		tap_bail("get context %llu", (unsigned long long)tag);
	return context;
}

/* Users of the module, as `lsmod` has it; -1 if it is not loaded. */
static int UNUSED module_users(void)
{
	FILE *file = fopen("/sys/module/shim6/refcnt", "re");
	int users = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &users) != 1)
		tap_bail("/sys/module/shim6/refcnt");
	fclose(file);
	return users;
}

/* The same when those from before are gone: sockets of another test may outlive it. */
static int UNUSED module_users_at_rest(void)
{
	int users;

	for (int i = 0; (users = module_users()) > 0; i++) {
		if (i == 1000)
			tap_bail("the module has users that do not go");
		usleep(10000);
	}
	return users;
}

/* Both ends with all that they have, in a namespace of their own. */
static int UNUSED two_ends(void)
{
	int netlink;

	new_namespace();
	add_addresses();
	netlink = open_shim6();
	add_contexts(netlink);
	return netlink;
}

/* Whether a function of the kernel is taken over; -1 if nobody knows. */
static int UNUSED taken_over(const char *function)
{
	FILE *file = fopen("/sys/kernel/tracing/enabled_functions", "re");
	size_t len = strlen(function);
	char line[512];
	int found = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		found |= !strncmp(line, function, len) && line[len] == ' ';
	fclose(file);
	return found;
}

/* Waits until a function is no longer taken over, ten seconds at most. */
static int UNUSED still_taken_over(const char *function)
{
	int found = 1;

	for (int i = 0; i < 1000 && (found = taken_over(function)); i++)
		poll(NULL, 0, 10);
	return found;
}

#endif /* SELFTESTS_SOCKET_H */
