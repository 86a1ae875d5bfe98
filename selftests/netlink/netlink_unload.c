// SPDX-License-Identifier: GPL-2.0
/*
 * The module goes and comes while generic netlink sockets are open: a dump in
 * progress keeps it, anything else does not, and contexts do not outlive it.
 *
 *	netlink_unload [shim6.ko]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>

#include "context.h"

#define ULID_LOCAL	"2001:db8:1::a"
#define CONTEXTS	2000
#define CYCLES		10

static struct request request;

static int unload(void)
{
	return syscall(SYS_delete_module, "shim6", O_NONBLOCK) ? errno : 0;
}

static int load(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC), error;

	if (file < 0)
		tap_bail("%s", path);
	error = syscall(SYS_finit_module, file, "", 0) ? errno : 0;
	close(file);
	return error;
}

static void add_contexts(int fd)
{
	char text[64];
	int i;

	for (i = 0; i < CONTEXTS; i++) {
		snprintf(text, sizeof(text), "2001:db8:3::%x", i + 1);
		begin_add(&request, ULID_LOCAL, text, i, i);
		errno = exchange(fd, &request, NULL, NULL).error;
		if (errno)
			tap_bail("add context %d", i);
	}
}

/* The table may still be growing, which interrupts a dump: it is asked for again then. */
static unsigned int dump(int fd)
{
	struct answer answer;

	do {
		begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
		answer = exchange(fd, &request, NULL, NULL);
	} while (again(&answer));
	return answer.messages;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/opt/shim6/shim6.ko";
	struct answer answer = { 0 };
	unsigned int wrong = 0, i;
	int fd;

	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	add_contexts(fd);

	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	submit(fd, &request);
	receive_some(fd, &request, &answer, NULL, NULL);
	tap_ok(unload() == EWOULDBLOCK, "the module is in use during a dump");
	while (!receive_some(fd, &request, &answer, NULL, NULL))
		;
	tap_ok(!answer.error && (answer.messages == CONTEXTS || answer.interrupted),
	       "the dump goes on to its end");

	tap_ok(!unload(), "it goes after the dump, with contexts and an open socket");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_GET, 1);
	expect(exchange(fd, &request, NULL, NULL), ENOENT, NULL, "a request finds no family");
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	expect(exchange(fd, &request, NULL, NULL), ENOENT, NULL, "nor does a dump");

	tap_ok(!load(path), "it comes back");
	shim6_family = resolve_family(fd);
	tap_ok(shim6_family, "the same socket finds the family");
	tap_ok(!dump(fd), "the contexts are gone");
	add_contexts(fd);
	tap_ok(dump(fd) == CONTEXTS, "they can be added again");

	for (i = 0; i < CYCLES; i++) {
		wrong += unload() || load(path);
		shim6_family = resolve_family(fd);
		wrong += dump(fd) != 0;
		add_contexts(fd);
	}
	tap_ok(!wrong, "%u times more", CYCLES);
	return tap_done();
}
