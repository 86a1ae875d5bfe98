// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that want something of the shim pin the module, and nothing else
 * does: not sockets that have been asked, nor ones that want nothing any more.
 */
#include "socket.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#define PORT	7003

/*
 * Sockets are destroyed some time after close(): after a grace period, or when
 * their connection has ended. Waits for it, ten seconds at most.
 */
static int users_become(int wanted)
{
	for (int i = 0; i < 1000 && module_users() != wanted; i++)
		poll(NULL, 0, 10);
	return module_users();
}

static int try_unload(void)
{
	return syscall(SYS_delete_module, "shim6", O_NONBLOCK) ? errno : 0;
}

static void test_kind(const struct kind *kind, int base)
{
	int fd = open_kind(kind), twin;

	get_int(fd, SHIM_ASSOCIATED);
	set_int(fd, SHIM_DONTSHIM, 0);
	same(module_users(), base, "%s: asking pins nothing", kind->name);
	set_int(fd, SHIM_DONTSHIM, 1);
	same(module_users(), base + 1, "%s: an opted-out socket pins the module", kind->name);
	set_int(fd, SHIM_DONTSHIM, 1);
	same(module_users(), base + 1, "%s: once", kind->name);
	same(try_unload(), EWOULDBLOCK, "%s: it cannot be unloaded", kind->name);
	set_int(fd, SHIM_DONTSHIM, 0);
	same(module_users(), base, "%s: back at the default it pins nothing", kind->name);

	set_int(fd, SHIM_DONTSHIM, 1);
	twin = dup(fd);
	close(fd);
	same(module_users(), base + 1, "%s: a duplicate keeps the pin", kind->name);
	close(twin);
	same(users_become(base), base, "%s: the last close ends it", kind->name);
}

static void test_many(int base)
{
	enum { MANY = 200 };
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		fds[i] = open_kind(i % 2 ? &udp6 : &tcp6);
		if (fds[i] < 0 || set_int(fds[i], SHIM_DONTSHIM, 1))
			tap_bail("socket %d", i);
	}
	same(module_users(), base + MANY, "each of %d sockets has a pin", MANY);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	same(users_become(base), base, "all of them end");
}

static void test_children(int base)
{
	int listener = listen_at(&tcp6, ULID_B, PORT), fd = open_kind(&tcp6), child;

	set_int(listener, SHIM_DONTSHIM, 1);
	connect_ends(fd, PORT);
	child = accept_from(listener);
	same(module_users(), base + 2, "a listener and its child pin the module");
	close(child);
	close(fd);
	same(users_become(base + 1), base + 1, "the child ends");

	/* Nobody accepts this one. */
	fd = open_kind(&tcp6);
	connect_ends(fd, PORT);
	same(users_become(base + 2), base + 2, "so does a child in the queue");
	close(listener);
	close(fd);
	same(users_become(base), base, "which ends with the listener");
}

static void test_preference(int base)
{
	int fd = open_kind(&udp6);

	connect_ends(fd, PORT);
	same(prefer(fd, SHIM_LOC_PEER_PREF, FOREIGN, 255), EINVALIDLOCATOR, "a refused preference");
	same(module_users(), base, "pins nothing");
	prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255);
	prefer(fd, SHIM_LOC_LOCAL_PREF, ULID_A, 255);
	same(module_users(), base + 1, "preferences pin the module, once a socket");
	set(fd, SHIM_LOC_PEER_PREF, NULL, 0);
	same(module_users(), base + 1, "one of them still does");
	set(fd, SHIM_LOC_LOCAL_PREF, NULL, 0);
	same(module_users(), base, "none does not");
	prefer(fd, SHIM_LOC_PEER_PREF, ULID_B, 255);
	close(fd);
	same(users_become(base), base, "nor after close");
}

/* The pin goes with a process that dies. */
static void test_death(int base)
{
	int ready[2], fd;
	char octet;
	pid_t pid;

	if (pipe(ready))
		tap_bail("pipe");
	pid = fork();
	if (pid == 0) {
		fd = open_kind(&tcp6);
		octet = set_int(fd, SHIM_DONTSHIM, 1);
		if (write(ready[1], &octet, 1) != 1)
			_exit(1);
		pause();
	}
	if (pid < 0 || read(ready[0], &octet, 1) != 1 || octet)
		tap_bail("child with a socket");
	same(module_users(), base + 1, "the socket of another process pins the module");
	kill(pid, SIGKILL);
	same(users_become(base), base, "until the process is killed");
}

/* The namespace goes while the socket is still open elsewhere. */
static void test_namespace(int base)
{
	int fd, home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	new_namespace();
	fd = open_kind(&udp6);
	set_int(fd, SHIM_DONTSHIM, 1);
	if (home < 0 || setns(home, CLONE_NEWNET))
		tap_bail("return to the namespace");
	close(home);
	same(get_int(fd, SHIM_DONTSHIM), 1, "a socket is all that holds its namespace");
	same(module_users(), base + 1, "and pins the module");
	close(fd);
	same(users_become(base), base, "until it is closed");
}

int main(void)
{
	static const struct kind *const kinds[] = { &tcp6, &udp6, &raw6, &tcp4, &udp4 };
	int base = module_users_at_rest();

	if (base < 0)
		tap_bail("module shim6");
	two_ends();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(kinds[i], base);
	test_many(base);
	test_children(base);
	test_preference(base);
	test_death(base);
	test_namespace(base);
	return tap_done();
}
