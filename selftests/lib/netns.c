// SPDX-License-Identifier: GPL-2.0
/*
 * netns [NAME]: a builtin of bash that moves the shell itself to a network namespace, as
 * `ip netns add` made it, or back to the one in which the builtin was loaded. Tests run
 * thousands of commands in namespaces and read as many files there; nsenter(1) would be one more
 * program to start for each. As bash(1) says under "enable":
 *
 *	enable -f bin/netns.so netns
 *	(netns s6-A && exec ping 2001:db8::1)
 *
 * /sys stays that of the namespace in which it was mounted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What bash and a builtin that it loads know of each other (its builtins.h and command.h). */
struct word_desc {
	char *word;
	int flags;
};

struct word_list {
	struct word_list *next;
	struct word_desc *word;
};

struct builtin {
	char *name;
	int (*function)(struct word_list *arguments);
	int flags;
	char *const *long_doc;
	const char *short_doc;
	char *handle;
};

enum { BUILTIN_ENABLED = 1, EXECUTION_SUCCESS = 0, EXECUTION_FAILURE = 1, EX_USAGE = 258 };

/* Where the shell was when the builtin was loaded. */
static int home = -1;

static int netns(struct word_list *arguments)
{
	const char *name = arguments ? arguments->word->word : NULL;
	char path[4096];
	int fd = home, failed;

	if (name && (arguments->next || strchr(name, '/') ||
		     snprintf(path, sizeof(path), "/run/netns/%s", name) >= (int)sizeof(path))) {
		fprintf(stderr, "netns: the name of one network namespace is wanted\n");
		return EX_USAGE;
	}
	if (name)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	failed = fd < 0 || setns(fd, CLONE_NEWNET);
	if (failed)
		fprintf(stderr, "netns: %s: %s\n", name ? path : "back", strerror(errno));
	if (name && fd >= 0)
		close(fd);
	return failed ? EXECUTION_FAILURE : EXECUTION_SUCCESS;
}

/* bash calls NAME_builtin_load when it has loaded the object; 0 makes it fail. */
int netns_builtin_load(char *name);
int netns_builtin_load(char *name)
{
	(void)name;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return home >= 0;
}

static char *const doc[] = {
	"Moves this shell to the network namespace NAME of ip-netns(8), or back.", NULL
};

/* bash looks for NAME_struct. */
struct builtin netns_struct = { "netns", netns, BUILTIN_ENABLED, doc, "netns [NAME]", NULL };
