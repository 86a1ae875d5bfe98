// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets in every condition, and every way in which they are reached: what they
 * answer at SOL_SHIM is defined.
 */
#include "socket.h"

#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PORT	7050

#ifndef SOCKET_URING_OP_GETSOCKOPT
#define SOCKET_URING_OP_GETSOCKOPT	2
#define SOCKET_URING_OP_SETSOCKOPT	3
#endif

static int netlink;

/* What system calls answer that this kernel does not have. */
#define NO_SUCH_CALL	(-38)

/* Associated or not, and the options that need a context agree. */
static void is_associated(int fd, int wanted, const char *what)
{
	struct shim_locator record;
	socklen_t len = sizeof(record);

	same(get_int(fd, SHIM_ASSOCIATED), wanted, "%s: SHIM_ASSOCIATED #28", what);
	same(get(fd, SHIM_LOC_PEER_PREF, &record, &len), wanted ? 0 : ENOENT,
	     "%s: SHIM_LOC_PEER_PREF #46 #49", what);
}

static void test_states(void)
{
	struct sockaddr_in6 silent = at(ULID_B, PORT + 1);
	int fd = open_kind(&tcp6), listener, there, queue[2];

	is_associated(fd, 0, "before bind");
	bind_to(fd, ULID_A, 0);
	is_associated(fd, 0, "bound");
	close(fd);

	listener = listen_at(&tcp6, ULID_B, PORT);
	is_associated(listener, 0, "listening");
	same(set_int(listener, SHIM_HOT_STANDBY, 1), 0, "listening: SHIM_HOT_STANDBY is stored");
	set_int(listener, SHIM_HOT_STANDBY, 0);

	/* A listener whose queue is full does not answer. */
	there = listen_at(&tcp6, ULID_B, PORT + 1);
	if (listen(there, 0))
		tap_bail("listen");
	for (int i = 0; i < 2; i++) {
		queue[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		bind_to(queue[i], ULID_A, 0);
		connect(queue[i], (struct sockaddr *)&silent, sizeof(silent));
	}
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bind_to(fd, ULID_A, 0);
	if (!connect(fd, (struct sockaddr *)&silent, sizeof(silent)) || errno != EINPROGRESS)
		tap_note("connect: %s", strerror(errno));
	is_associated(fd, 1, "connecting");
	close(fd);
	close(queue[0]);
	close(queue[1]);
	close(there);

	fd = open_kind(&tcp6);
	connect_ends(fd, PORT);
	is_associated(fd, 1, "connected");
	there = accept_from(listener);
	is_associated(there, 1, "accepted");
	shutdown(fd, SHUT_WR);
	is_associated(fd, 1, "half-closed");
	is_associated(there, 1, "half-closed by the peer");
	shutdown(there, SHUT_WR);
	for (int i = 0; i < 500 && get_int(there, SHIM_ASSOCIATED) == 1; i++)
		poll(NULL, 0, 10);
	is_associated(there, 0, "closed by both");
	/* What waits is no socket of a program any more; its descriptor has a closed one. */
	for (int i = 0; i < 500 && get_int(fd, SHIM_ASSOCIATED) == 1; i++)
		poll(NULL, 0, 10);
	is_associated(fd, 0, "TIME_WAIT");
	close(fd);
	close(there);
	close(listener);
}

static void test_udp_states(void)
{
	struct sockaddr_in6 nobody = { .sin6_family = AF_UNSPEC };
	int fd = open_kind(&udp6);

	connect_ends(fd, PORT);
	is_associated(fd, 1, "UDP connected");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "UDP: SHIM_LOC_PEER_RECV");
	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), 0, "UDP: a preference");
	if (connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)))
		tap_bail("disconnect");
	is_associated(fd, 0, "UDP disconnected");
	same(get_int(fd, SHIM_LOC_PEER_RECV), 1, "what it wanted stays wanted");
	same(set(fd, SHIM_LOC_PEER_PREF, NULL, 0), 0, "until it is dropped");
	close(fd);
}

static void test_families(void)
{
	struct sockaddr_in6 mapped = at("::ffff:127.0.0.1", PORT);
	struct sockaddr_in old = { .sin_family = AF_INET, .sin_port = htons(PORT),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct shim_locator record = preferred(OTHER_B, 1);
	int fd = open_kind(&udp6);

	if (connect(fd, (struct sockaddr *)&mapped, sizeof(mapped)))
		tap_bail("connect to a mapped address");
	is_associated(fd, 0, "connected to a mapped address #2");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), ENOENT, "mapped: SHIM_LOC_PEER_RECV is ENOENT");
	close(fd);
	fd = open_kind(&udp4);
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "IPv4: it may be asked for");
	if (connect(fd, (struct sockaddr *)&old, sizeof(old)))
		tap_bail("connect over IPv4");
	is_associated(fd, 0, "IPv4 #26");
	same(set(fd, SHIM_LOC_PEER_PREF, &record, sizeof(record)), ENOENT,
	     "IPv4: SHIM_LOC_PEER_PREF is ENOENT");
	close(fd);
	fd = open_kind(&udp6);
	connect_ends(fd, PORT);
	{
		struct sockaddr_in6 other = at(OTHER_B, PORT);

		if (connect(fd, (struct sockaddr *)&other, sizeof(other)))
			tap_bail("connect to a locator");
	}
	is_associated(fd, 0, "connected to a locator that is no ULID #2");
	close(fd);
}

static void test_others(void)
{
	static const struct kind kinds[] = {
		{ "MPTCP", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP },
		{ "SCTP", AF_INET6, SOCK_STREAM, IPPROTO_SCTP },
		{ "ping", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
	};
	int pair[2], fd;

	for (int i = 0; i < 3; i++) {
		fd = open_kind(&kinds[i]);
		if (fd < 0) {
			tap_skip("this kernel has none", "%s sockets", kinds[i].name);
			continue;
		}
		is_associated(fd, 0, kinds[i].name);
		same(set_int(fd, SHIM_DONTSHIM, 1), i < 2 ? EOPNOTSUPP : 0, "%s: SHIM_DONTSHIM",
		     kinds[i].name);
		close(fd);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		tap_bail("socketpair");
	tap_ok(get_int(pair[0], SHIM_ASSOCIATED) == -EOPNOTSUPP ||
	       get_int(pair[0], SHIM_ASSOCIATED) == -ENOPROTOOPT,
	       "a UNIX socket does not know the level");
	close(pair[0]);
	close(pair[1]);
}

/* A socket through a UNIX socket. */
static int passed(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = "", octet = 0;
	struct iovec iov = { &octet, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2], got;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		tap_bail("socketpair");
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(pair[0], &msg, 0) != 1 || recvmsg(pair[1], &msg, 0) != 1)
		tap_bail("SCM_RIGHTS");
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(got));
	close(pair[0]);
	close(pair[1]);
	return got;
}

static void test_shared(void)
{
	int fd = open_kind(&udp6), twin, status;
	pid_t pid;

	connect_ends(fd, PORT);
	twin = dup(fd);
	same(set_int(twin, SHIM_APP_TIMEOUT, 21), 0, "a duplicate sets");
	same(get_int(fd, SHIM_APP_TIMEOUT), 21, "what the original reads");
	close(twin);
	same(get_int(fd, SHIM_APP_TIMEOUT), 21, "also when it is closed");
	twin = passed(fd);
	same(get_int(twin, SHIM_APP_TIMEOUT), 21, "a passed descriptor reads it");
	same(set_int(twin, SHIM_APP_TIMEOUT, 22), 0, "and sets");
	close(fd);
	fd = twin;
	same(get_int(fd, SHIM_APP_TIMEOUT), 22, "for the socket");
	pid = fork();
	if (pid == 0)
		_exit(get_int(fd, SHIM_APP_TIMEOUT) != 22 || set_int(fd, SHIM_APP_TIMEOUT, 23));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		tap_bail("fork");
	same(status, 0, "a child reads and sets");
	same(get_int(fd, SHIM_APP_TIMEOUT), 23, "the parent's socket");
	set_int(fd, SHIM_APP_TIMEOUT, 0);
	close(fd);
}

/* The socket stays in its namespace, wherever its user goes. */
static void test_namespace(void)
{
	int fd = open_kind(&udp6), here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct context context;

	connect_ends(fd, PORT);
	new_namespace();
	is_associated(fd, 1, "from another namespace");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "an option is set from there");
	same(prefer(fd, SHIM_LOC_PEER_PREF, OTHER_B, 255), 0, "and a preference");
	if (setns(here, CLONE_NEWNET))
		tap_bail("setns");
	close(here);
	context = show_context(netlink, TAG_A);
	tap_ok(is(&context.current_peer, OTHER_B), "for the context of the socket's namespace");
	same(prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255), 0, "and back");
	set(fd, SHIM_LOC_PEER_PREF, NULL, 0);
	close(fd);
}

#ifdef __x86_64__
/* The system calls of 32-bit programs: their numbers, and pointers of four octets. */
static int compat_call(int number, int fd, int name, void *value, void *len)
{
	int result;

	asm volatile("push %%rbp\n\t"
		     "push %%rdi\n\t"
		     "mov %6, %%rdi\n\t"
		     "int $0x80\n\t"
		     "pop %%rdi\n\t"
		     "pop %%rbp"
		     : "=a"(result)
		     : "a"(number), "b"(fd), "c"(SOL_SHIM), "d"(name), "S"(value),
		       "r"((unsigned long)len)
		     : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static void test_compat(void)
{
	/* Of the 32-bit table. */
	const int setsockopt32 = 366, getsockopt32 = 365;
	struct low {
		int value;
		socklen_t len;
		struct shim_locator list[SHIM_MAX_LOCATORS];
	} *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int fd = open_kind(&udp6), result;

	if (low == MAP_FAILED)
		tap_bail("memory below 4 GiB");
	connect_ends(fd, PORT);
	low->len = sizeof(low->value);
	result = compat_call(getsockopt32, fd, SHIM_ASSOCIATED, &low->value, &low->len);
	if (result == NO_SUCH_CALL) {
		tap_skip("no 32-bit system calls here", "32-bit callers");
		close(fd);
		return;
	}
	tap_ok(!result && low->value == 1 && low->len == 4, "32-bit: SHIM_ASSOCIATED");
	low->value = 33;
	same(compat_call(setsockopt32, fd, SHIM_APP_TIMEOUT, &low->value, (void *)4), 0,
	     "32-bit: SHIM_APP_TIMEOUT is set");
	same(get_int(fd, SHIM_APP_TIMEOUT), 33, "as 64-bit callers see it");
	low->len = sizeof(low->list);
	result = compat_call(getsockopt32, fd, SHIM_LOCLIST_PEER, low->list, &low->len);
	tap_ok(!result && low->len == 40 && holds(&low->list[0], ULID_B), "32-bit: a list");
	same(compat_call(setsockopt32, fd, SHIM_LOCLIST_PEER, NULL, 0), 0, "32-bit: NULL");
	set_int(fd, SHIM_APP_TIMEOUT, 0);
	close(fd);
}
#endif

/* One operation of io_uring; minus the error number if there is none. */
static int uring(int ring, struct io_uring_params *params, const struct io_uring_sqe *wanted)
{
	size_t len = params->sq_off.array + params->sq_entries * sizeof(unsigned int);
	size_t cq_len = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqe;
	char *sq, *cq;
	int result;

	sq = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, cq_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqes = mmap(NULL, params->sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
		    ring, IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqes == MAP_FAILED)
		tap_bail("io_uring rings");
	sqes[0] = *wanted;
	*(unsigned int *)(sq + params->sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(sq + params->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		tap_bail("io_uring_enter");
	cqe = (struct io_uring_cqe *)(cq + params->cq_off.cqes);
	result = cqe->res;
	munmap(sq, len);
	munmap(cq, cq_len);
	munmap(sqes, params->sq_entries * sizeof(*sqes));
	return result;
}

static int uring_sockopt(int op, int fd, int name, void *value, int len)
{
	struct io_uring_params params = { 0 };
	struct io_uring_sqe sqe = { .opcode = IORING_OP_URING_CMD, .fd = fd };
	int ring = syscall(SYS_io_uring_setup, 1, &params), result;

	if (ring < 0)
		return -errno;
	sqe.cmd_op = op;
	sqe.level = SOL_SHIM;
	sqe.optname = name;
	sqe.optlen = len;
	sqe.optval = (unsigned long)value;
	result = uring(ring, &params, &sqe);
	close(ring);
	return result;
}

static void test_uring(void)
{
	int fd = open_kind(&udp6), value = 17, result;

	connect_ends(fd, PORT);
	result = uring_sockopt(SOCKET_URING_OP_SETSOCKOPT, fd, SHIM_APP_TIMEOUT, &value,
			       sizeof(value));
	if (result == NO_SUCH_CALL || result == -EPERM) {
		tap_skip("no io_uring here", "io_uring");
		close(fd);
		return;
	}
	same(result, 0, "io_uring: SHIM_APP_TIMEOUT is set");
	same(get_int(fd, SHIM_APP_TIMEOUT), 17, "as it is read");
	result = uring_sockopt(SOCKET_URING_OP_GETSOCKOPT, fd, SHIM_APP_TIMEOUT, &value,
			       sizeof(value));
	/* The kernel lets io_uring get options of SOL_SOCKET only. */
	tap_ok(result == -EOPNOTSUPP || result == sizeof(value), "io_uring: a get is defined");
	value = -1;
	same(uring_sockopt(SOCKET_URING_OP_SETSOCKOPT, fd, SHIM_APP_TIMEOUT, &value,
			   sizeof(value)), -EINVAL, "io_uring: errors come back");
	set_int(fd, SHIM_APP_TIMEOUT, 0);
	close(fd);
}

int main(void)
{
	int base = module_users_at_rest();

	netlink = two_ends();
	allow_ping();
	test_states();
	test_udp_states();
	test_families();
	test_others();
	test_shared();
	test_namespace();
#ifdef __x86_64__
	test_compat();
#endif
	test_uring();
	for (int i = 0; i < 1000 && module_users() != base; i++)
		poll(NULL, 0, 10);
	same(module_users(), base, "nothing is left");
	return tap_done();
}
