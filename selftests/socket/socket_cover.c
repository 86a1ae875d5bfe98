// SPDX-License-Identifier: GPL-2.0
/*
 * System calls on sockets, with options and ancillary data of SOL_SHIM, changed by chance for as
 * long as that reaches something new: addresses of the module's code where the kernel has KCOV,
 * and answers that were not seen before. Errors are those that are documented, nothing is written
 * where there is no room, and nothing is left in the end. Much is tried where the kernel has KCOV,
 * little elsewhere.
 *
 *	socket_cover [SEED [INPUTS]]
 */
#include "calls.h"

#include <sys/wait.h>

static int sockets[SOCKETS], netlink, listener, ends[2];
static unsigned long done, refused, strange;
static bool dirty;
static struct search searched;

/* --- Where the search begins ---------------------------------------------- */

static struct call *add_call(struct input *input, __u8 operation, __u8 other)
{
	struct call *call = &input->calls[input->count++];

	*call = (struct call){ .operation = operation, .other = other, .level = SOL_SHIM,
			       .len = operation == GET || operation == RECEIVE ? 512 : 0 };
	return call;
}

/* A socket of a kind with a context, or one that could get one. */
static void begin_socket(struct input *input, __u8 kind, __u8 local)
{
	memset(input, 0, sizeof(*input));
	add_call(input, OPEN, kind);
	/* Ancillary data is looked at once a socket was asked. */
	add_call(input, GET, 0)->name = SHIM_ASSOCIATED;
	add_call(input, BIND, local);
	add_call(input, CONNECT, local + 1);
	add_call(input, WAIT, 0);
}

/* Every option, set and read, on sockets of the first kinds, which have a context. */
static void begin_corpus(void)
{
	static struct input input;
	struct call *call;

	for (__u8 kind = 0; kind < KINDS; kind++) {
		for (int option = 1; option < 19; option++) {
			begin_socket(&input, kind, option % 4 ? 0 : 2);
			for (int base = 0; base <= RFC; base += RFC) {
				call = add_call(&input, SET, 0);
				call->name = base + option;
				put_value(call);
				add_call(&input, GET, 0)->name = base + option;
			}
			add_call(&input, SEND, ADDRESSES);
			for (int i = 0; i < 2; i++)
				put_item(add_call(&input, SEND, ADDRESSES));
			add_call(&input, WAIT, 0);
			add_call(&input, RECEIVE, 0);
			keep(&searched, &input);
		}
	}
}

/* --- Calls ---------------------------------------------------------------- */

/* A hash of what a call said: its error, and something of its result. */
static __u64 said(const struct call *call, int error, __u64 result)
{
	__u64 hash = mixed(NOTHING, call->operation);

	if (error)
		refused++;
	else
		done++;
	if (call->operation == SET || call->operation == GET)
		hash = mixed(mixed(hash, call->level), call->name);
	return mixed(mixed(hash, error), result);
}

/* A result that there must not be. */
static void complain(const struct call *call, const char *why, long what)
{
	if (++strange < 10)
		tap_note("operation %u, option %d, length %u: %s, %ld", call->operation, call->name,
			 call->len, why, what);
}

/* Errors of options, and those that a socket has already. */
static void check_error(const struct call *call, int error)
{
	static const int documented[] = {
		0, ENOPROTOOPT, EOPNOTSUPP, EINVAL, EFAULT, ENOENT, EINVALIDLOCATOR,
		EUNVERIFIEDLOCATOR, EUNREACHABLELOCATOR, ETOOMANYLOCATORS, ENOBUFS, EBADF,
	};

	for (unsigned int i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
		if (error == documented[i])
			return;
	complain(call, "an error that is not documented", error);
}

static __u64 set_option(int fd, const struct call *call)
{
	int error = setsockopt(fd, call->level, call->name, call->len ? call->octets : NULL,
			       call->len) ? errno : 0;

	if (call->level == SOL_SHIM)
		check_error(call, error);
	dirty |= !error;
	return said(call, error, 0);
}

static __u64 get_option(int fd, const struct call *call)
{
	static char octets[LONGEST + 8];
	socklen_t len = call->len, room = call->len;
	int error;

	memset(octets, 0x5a, sizeof(octets));
	error = getsockopt(fd, call->level, call->name, octets, &len) ? errno : 0;
	if (call->level == SOL_SHIM)
		check_error(call, error);
	if (!error && len > room)
		complain(call, "more than there was room for", len);
	for (unsigned int i = error ? 0 : len; i < sizeof(octets); i++)
		if (octets[i] != 0x5a)
			return complain(call, "written to", i), 0;
	return said(call, error, len);
}

/* The peers of datagrams send back what came. */
static void answer_at(int end)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	char octets[64];
	ssize_t got;

	while ((got = recvfrom(end, octets, sizeof(octets), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &len)) >= 0)
		sendto(end, octets, got, MSG_DONTWAIT, (struct sockaddr *)&from, len);
}

static void answer(void)
{
	answer_at(ends[0]);
	answer_at(ends[1]);
}

static __u64 send_message(int fd, const struct call *call)
{
	struct sockaddr_in6 to = socket_address(call->other);
	struct iovec iov = { "some octets to send", 19 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = (void *)call->octets, .msg_controllen = call->len,
	};
	int error;

	if (call->other < ADDRESSES) {
		msg.msg_name = &to;
		msg.msg_namelen = sizeof(to);
	}
	error = sendmsg(fd, &msg, (call->flags & ~MSG_ERRQUEUE) | MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ?
		errno : 0;
	answer();
	dirty = true;
	return said(call, error, call->len > 0);
}

/* A locator of a datagram is one whole socket address, or as much as there was room for. */
static __u64 receive_message(int fd, const struct call *call)
{
	_Alignas(8) static char control[LONGEST + 8];
	struct sockaddr_in6 from;
	char octets[64];
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = call->len,
	};
	__u64 types = 0;

	memset(control, 0x5a, sizeof(control));
	if (recvmsg(fd, &msg, call->flags | MSG_DONTWAIT) < 0)
		return said(call, errno, 0);
	if (msg.msg_controllen > call->len)
		complain(call, "more than there was room for", msg.msg_controllen);
	for (unsigned int i = call->len; i < sizeof(control); i++)
		if (control[i] != 0x5a)
			return complain(call, "written to", i), 0;
	for (struct cmsghdr *item = CMSG_FIRSTHDR(&msg); item; item = CMSG_NXTHDR(&msg, item)) {
		if (item->cmsg_level == SOL_SHIM &&
		    item->cmsg_len != CMSG_LEN(sizeof(struct sockaddr_in6)) &&
		    !(msg.msg_flags & MSG_CTRUNC))
			complain(call, "a locator of so many octets", item->cmsg_len);
		types = mixed(types, item->cmsg_level << 8 | item->cmsg_type);
	}
	return said(call, 0, types);
}

static void replace(int *socket, int fd)
{
	close(*socket);
	*socket = fd;
}

static int open_quick(__u8 kind)
{
	const struct kind *wanted = kinds[kind % KINDS];
	int fd = open_kind(wanted);

	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Somebody else changes the context meanwhile. */
static int steer(const struct call *call)
{
	struct request request;

	begin_tagged(&request, SHIM6_CMD_CONTEXT_SET, TAG_A);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, call->other & 1 ? OTHER_A : ULID_A);
	put_address(&request, SHIM6_A_CURRENT_PEER, call->other & 2 ? OTHER_B : ULID_B);
	return exchange(netlink, &request, NULL, NULL).error;
}

static int forget(const struct call *call)
{
	struct request request;

	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, call->other & 1 ? TAG_A : TAG_B);
	return exchange(netlink, &request, NULL, NULL).error;
}

static __u64 perform(const struct call *call);

/* A child has the same sockets, and closes them with its end, after a call or at once. */
static int fork_call(const struct call *next)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (next->operation != FORK)
			perform(next);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, &status, 0) != pid || status ? ECHILD : 0;
}

static __u64 perform(const struct call *call)
{
	int *own = &sockets[call->socket % SOCKETS], *other = &sockets[call->other % SOCKETS];
	struct sockaddr_in6 name = socket_address(call->other);
	int result = 0;

	switch (call->operation) {
	case OPEN:
		replace(own, open_quick(call->other));
		break;
	case CLOSE:
		result = close(*own);
		*own = -1;
		break;
	case DUP:
		if (own != other)
			replace(other, dup(*own));
		break;
	case BIND:
		name.sin6_port = 0;
		result = bind(*own, (struct sockaddr *)&name, sizeof(name));
		break;
	case CONNECT:
		result = connect(*own, (struct sockaddr *)&name, sizeof(name));
		break;
	case LISTEN:
		result = listen(*own, 4);
		break;
	case ACCEPT:
		if (own != other)
			replace(other, accept4(call->flags ? *own : listener, NULL, NULL,
					       SOCK_CLOEXEC | SOCK_NONBLOCK));
		break;
	case SET:
		return set_option(*own, call);
	case GET:
		return get_option(*own, call);
	case SEND:
		return send_message(*own, call);
	case RECEIVE:
		return receive_message(*own, call);
	case SHUTDOWN:
		result = shutdown(*own, call->flags % 3);
		break;
	case MOVE:
	case FORGET:
		errno = call->operation == MOVE ? steer(call) : forget(call);
		result = errno ? -1 : 0;
		dirty = true;
		break;
	case WAIT:
		/* Workers and packets have their turn. */
		poll(NULL, 0, 2);
		answer();
	}
	return said(call, result < 0 ? errno : 0, 0);
}

static bool run(const void *what)
{
	const struct input *input = what;
	unsigned int found = 0;

	for (unsigned int i = 0; i < input->count; i++) {
		const struct call *call = &input->calls[i];

		if (call->operation == FORK)
			found += is_new(other_than_address(said(call, fork_call(call + 1), 0)));
		else
			found += is_new(other_than_address(perform(call)));
	}
	return found;
}

/* Two contexts that are there, and two hosts that can make one. */
static void furnish(void)
{
	struct request request;

	begin_command(&request, SHIM6_CMD_CONTEXT_FLUSH, 0);
	errno = exchange(netlink, &request, NULL, NULL).error;
	if (errno)
		tap_bail("flush");
	for (__u64 tag = TAG_A; tag <= TAG_B; tag++) {
		begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, tag);
		exchange(netlink, &request, NULL, NULL);
	}
	add_contexts(netlink);
}

static void clean(void)
{
	int fd;

	for (int i = 0; i < SOCKETS; i++)
		replace(&sockets[i], -1);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
	if (dirty)
		furnish();
	dirty = false;
}

static void begin_ends(void)
{
	static const char *const hosts[] = { "hostA", "hostB" };
	struct request request;

	netlink = two_ends();
	allow_ping();
	add_local_address(HBA_A);
	add_local_address(OTHER_HBA_A);
	add_local_address(HBA_B);
	for (int i = 0; i < 2; i++) {
		begin_identity(&request, hosts[i]);
		errno = exchange(netlink, &request, NULL, NULL).error;
		if (errno)
			tap_bail("identity of %s", hosts[i]);
	}
	listener = listen_at(&tcp6, "::", PORT);
	if (fcntl(listener, F_SETFL, O_NONBLOCK))
		tap_bail("O_NONBLOCK");
	for (int i = 0; i < 2; i++) {
		ends[i] = open_quick(0);
		bind_to(ends[i], i ? HBA_B : ULID_B, PORT);
	}
	for (int i = 0; i < SOCKETS; i++)
		sockets[i] = -1;
}

int main(int argc, char **argv)
{
	int base = module_users_at_rest();
	bool covers;

	begin_ends();
	covers = begin_search(&searched, sizeof(struct input), argc, argv);
	begin_corpus();
	search(&searched);

	tap_note("%lu calls were done, %lu refused", done, refused);
	tap_ok(done && refused, "some calls were good, others were not");
	same(strange, 0, "every result is one that is documented");
	if (covers)
		report("socket");
	close(listener);
	close(ends[0]);
	close(ends[1]);
	for (int i = 0; i < 1000 && module_users() != base; i++)
		poll(NULL, 0, 10);
	same(module_users(), base, "the module has no more users");
	same(still_taken_over("ip6_datagram_send_ctl"), 0,
	     "no function of the kernel is taken over");
	same(still_taken_over("sock_cmsg_send"), 0, "nor that of TCP");
	return tap_done();
}
