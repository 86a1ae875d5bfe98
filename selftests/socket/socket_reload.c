// SPDX-License-Identifier: GPL-2.0
/*
 * The module is unloaded and loaded again while processes set and get its
 * options all the time. Each call is answered by the module or, without it, by
 * the kernel, and nothing in between.
 *
 * usage: socket_reload [MODULE [CYCLES]]
 */
#include "socket.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define MODULE		"/opt/shim6/shim6.ko"
#define CYCLES		3
#define WORKERS		3

/* What the workers got to hear. */
struct tally {
	unsigned long served, absent, wrong;
	int wrong_error;
};

static struct tally *tallies;

/* IPv4 answers EOPNOTSUPP to getsockopt() at a level that is not there. */
static void count(struct tally *tally, int error)
{
	if (!error) {
		tally->served++;
	} else if (error == ENOPROTOOPT || error == EOPNOTSUPP) {
		tally->absent++;
	} else {
		tally->wrong++;
		tally->wrong_error = error;
	}
}

/* Zero if the option is a flag, or the error. */
static int get_flag(int fd, int name)
{
	int value = get_int(fd, name);

	if (value == 0 || value == 1)
		return 0;
	return value < 0 ? -value : ERANGE;
}

static void work(struct tally *tally, unsigned int number)
{
	static const struct kind *const kinds[] = { &tcp6, &udp6, &tcp4, &raw6 };

	for (unsigned long i = number;; i++) {
		const struct kind *kind = kinds[i % 4];
		int fd = open_kind(kind);

		if (fd < 0)
			_exit(1);
		count(tally, get_flag(fd, SHIM_ASSOCIATED));
		/*
		 * Once in a while a socket is noted, which holds up the
		 * unloading, and the task sleeps, without which the kernel
		 * cannot be sure that it has left our code.
		 */
		if (i % 16 == 0) {
			count(tally, set_int(fd, SHIM_DONTSHIM, 1));
			count(tally, set_int(fd, SHIM_DONTSHIM, 0));
			poll(NULL, 0, 1);
		}
		count(tally, get_flag(fd, SHIM_DONTSHIM));
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)))
			count(tally, errno);
		close(fd);
	}
}

static bool unload(void)
{
	for (int i = 0; i < 3000; i++) {
		if (syscall(SYS_delete_module, "shim6", O_NONBLOCK) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		poll(NULL, 0, 3);
	}
	return false;
}

static bool load(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int error = file < 0 ? -1 : syscall(SYS_finit_module, file, "", 0);

	if (file >= 0)
		close(file);
	return !error;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : MODULE;
	int cycles = argc > 2 ? atoi(argv[2]) : CYCLES, unloaded = 0, loaded = 0;
	struct tally sum = { 0 };
	pid_t workers[WORKERS];

	if (access(path, R_OK) || module_users() < 0) {
		printf("1..0 # SKIP no module at %s, or not loaded\n", path);
		return 4;
	}
	tallies = mmap(NULL, sizeof(*tallies) * WORKERS, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tallies == MAP_FAILED)
		tap_bail("mmap");
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			work(&tallies[i], i);
		if (workers[i] < 0)
			tap_bail("fork");
	}

	for (int i = 0; i < cycles; i++) {
		unloaded += unload();
		poll(NULL, 0, 20);
		loaded += load(path);
		poll(NULL, 0, 50);
	}

	for (int i = 0; i < WORKERS; i++) {
		int status;

		kill(workers[i], SIGKILL);
		waitpid(workers[i], &status, 0);
		if (!WIFSIGNALED(status))
			tap_note("worker %d ended by itself", i);
		sum.served += tallies[i].served;
		sum.absent += tallies[i].absent;
		sum.wrong += tallies[i].wrong;
		if (tallies[i].wrong)
			sum.wrong_error = tallies[i].wrong_error;
	}
	tap_note("%lu calls answered, %lu refused by the kernel", sum.served, sum.absent);
	same(unloaded, cycles, "unloaded %d times", cycles);
	same(loaded, cycles, "loaded %d times", cycles);
	tap_ok(sum.served > 0, "calls with the module were answered");
	tap_ok(sum.absent > 0, "calls without it were refused");
	if (!tap_ok(!sum.wrong, "no call had another error"))
		tap_note("%lu calls, the last one: %s", sum.wrong, strerror(sum.wrong_error));
	return tap_done();
}
