// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command, or loads a module, whose Nth allocation fails:
 *
 *	failnth N COMMAND [ARGUMENT]...
 *	failnth N --load FILE
 *
 * and prints its status (-1: it died of a signal) and whether it came so far: "0 yes".
 * Which allocations count, /sys/kernel/debug/failslab and fail_page_alloc say.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From here on allocations of this process count. */
static void arm(const char *nth)
{
	int fd = open("/proc/self/fail-nth", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, nth, strlen(nth)) < 0)
		err(125, "fail-nth");
}

static void child(const char *nth, char **command)
{
	int null = open("/dev/null", O_RDWR), fd;

	dup2(null, 1);
	dup2(null, 2);
	if (strcmp(command[0], "--load")) {
		arm(nth);
		execvp(command[0], command);
		_exit(127);
	}
	fd = open(command[1], O_RDONLY | O_CLOEXEC);
	arm(nth);
	_exit(syscall(SYS_finit_module, fd, "", 0) ? errno : 0);
}

int main(int argc, char **argv)
{
	char path[64], left[32] = "";
	siginfo_t end;
	pid_t pid;
	int fd;

	if (argc < 3 || atoi(argv[1]) < 1)
		errx(2, "usage: failnth N COMMAND [ARGUMENT]... | failnth N --load FILE");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		child(argv[1], argv + 2);

	/* It stays for its counter to be read. */
	if (waitid(P_PID, pid, &end, WEXITED | WNOWAIT))
		err(1, "wait");
	snprintf(path, sizeof(path), "/proc/%d/fail-nth", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, left, sizeof(left) - 1) < 1)
		err(1, "%s", path);
	printf("%d %s\n", end.si_code == CLD_EXITED ? end.si_status : -1,
	       atoi(left) ? "no" : "yes");
	return 0;
}
