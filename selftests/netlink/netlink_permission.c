// SPDX-License-Identifier: GPL-2.0
/*
 * Who may use the generic netlink family shim6: the administrator of the
 * network namespace, who need not be root of the machine.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "context.h"

#define ULID_LOCAL	"2001:db8:1::a"
#define ULID_PEER	"2001:db8:3::b"
#define NOBODY		65534

static struct request request;

static const char *const command_name[] = {
	[SHIM6_CMD_CONTEXT_GET] = "get",
	[SHIM6_CMD_CONTEXT_ADD] = "add",
	[SHIM6_CMD_CONTEXT_DEL] = "del",
	[SHIM6_CMD_CONTEXT_SET] = "set",
};

/* All commands, each right but for who asks. */
static void all_refused(int fd, const char *who)
{
	char what[128];
	int command;

	for (command = SHIM6_CMD_CONTEXT_GET; command <= SHIM6_CMD_CONTEXT_SET; command++) {
		begin_named(&request, command, ULID_LOCAL, ULID_PEER);
		if (command == SHIM6_CMD_CONTEXT_ADD) {
			put_u64(&request, SHIM6_A_TAG_LOCAL, 3);
			put_u64(&request, SHIM6_A_TAG_PEER, 4);
		}
		if (command == SHIM6_CMD_CONTEXT_SET)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		snprintf(what, sizeof(what), "%s: %s", who, command_name[command]);
		expect(exchange(fd, &request, NULL, NULL), EPERM, NULL, what);
	}
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	snprintf(what, sizeof(what), "%s: dump", who);
	expect(exchange(fd, &request, NULL, NULL), EPERM, NULL, what);
}

static void become_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		tap_bail("become nobody");
}

/* Runs a part of the test in a process of its own, which counts on. */
static void apart(void (*part)(void))
{
	int status, counts[2], result[2];
	pid_t child;

	if (pipe(result))
		tap_bail("pipe");
	child = fork();
	if (child < 0)
		tap_bail("fork");
	if (!child) {
		part();
		counts[0] = tap_tests;
		counts[1] = tap_failures;
		exit(write(result[1], counts, sizeof(counts)) != sizeof(counts));
	}
	if (waitpid(child, &status, 0) != child || status ||
	    read(result[0], counts, sizeof(counts)) != sizeof(counts))
		tap_bail("a part of the test has ended early");
	tap_tests = counts[0];
	tap_failures = counts[1];
	close(result[0]);
	close(result[1]);
}

static void nobody(void)
{
	become_nobody();
	all_refused(open_shim6(), "nobody");
}

/* The capability counts where the socket was opened and where it is used. */
static void inherited_socket(void)
{
	int fd = open_shim6();

	become_nobody();
	all_refused(fd, "nobody, on a socket of root");
}

static void stranger(void)
{
	become_nobody();
	if (unshare(CLONE_NEWUSER))
		tap_bail("user namespace");
	all_refused(open_shim6(), "root of a user namespace that does not own the network");
}

static void owner(void)
{
	int fd;

	become_nobody();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		tap_bail("user and network namespace");
	fd = open_shim6();
	add_local_address(ULID_LOCAL);

	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	tap_ok(!exchange(fd, &request, NULL, NULL).messages,
	       "root of the owning user namespace sees nothing of others");
	begin_add(&request, ULID_LOCAL, ULID_PEER, 1, 2);
	expect(exchange(fd, &request, NULL, NULL), 0, NULL, "it adds");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_SET, 1);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
	expect(exchange(fd, &request, NULL, NULL), 0, NULL, "it sets");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_GET, 1);
	expect(exchange(fd, &request, NULL, NULL), 0, NULL, "it gets");
	begin_tagged(&request, SHIM6_CMD_CONTEXT_DEL, 1);
	expect(exchange(fd, &request, NULL, NULL), 0, NULL, "it deletes");
}

int main(void)
{
	struct answer answer;
	int fd;

	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	begin_add(&request, ULID_LOCAL, ULID_PEER, 1, 2);
	expect(exchange(fd, &request, NULL, NULL), 0, NULL, "root adds");

	apart(nobody);
	apart(inherited_socket);
	apart(stranger);
	apart(owner);

	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	answer = exchange(fd, &request, NULL, NULL);
	tap_ok(!answer.error && answer.messages == 1, "the context of root is there, and no other");
	return tap_done();
}
