// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's function tracer and the socket level look at the same functions
 * and do not disturb each other.
 */
#include "socket.h"

#include <sys/mount.h>

#define TRACING	"/sys/kernel/tracing/"

static bool put_file(const char *name, const char *text)
{
	char path[128];
	ssize_t len;
	int file;

	snprintf(path, sizeof(path), TRACING "%s", name);
	file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (file < 0)
		return false;
	len = write(file, text, strlen(text));
	close(file);
	return len == (ssize_t)strlen(text);
}

/* Whether the trace has a line with this text. */
static bool traced(const char *text)
{
	FILE *file = fopen(TRACING "trace", "re");
	char line[512];
	bool found = false;

	if (!file)
		tap_bail("trace");
	while (!found && fgets(line, sizeof(line), file))
		found = line[0] != '#' && strstr(line, text);
	fclose(file);
	return found;
}

static void round_trip(const char *when)
{
	int fd = open_kind(&tcp6);

	tap_ok(!set_int(fd, SHIM_DONTSHIM, 1) && get_int(fd, SHIM_DONTSHIM) == 1,
	       "%s: an option is set and gotten", when);
	tap_ok(!setsockopt(fd, SOL_IPV6, IPV6_UNICAST_HOPS, &(int){ 7 }, sizeof(int)),
	       "%s: an option of another level is set", when);
	set_int(fd, SHIM_DONTSHIM, 0);
	close(fd);
}

static void with_tracer(const char *tracer)
{
	if (!put_file("current_tracer", tracer)) {
		tap_skip(strerror(errno), "tracer %s", tracer);
		return;
	}
	put_file("trace", "\n");
	round_trip(tracer);
	tap_ok(traced("sock_common_setsockopt"), "%s: it saw the calls", tracer);
	put_file("current_tracer", "nop");
	round_trip("without a tracer");
}

/* Where nobody has mounted tracefs, it is mounted for us alone. */
static void need_tracefs(void)
{
	if (!access(TRACING "current_tracer", F_OK))
		return;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tracefs", TRACING, "tracefs", 0, NULL))
		tap_note("no tracefs: %s", strerror(errno));
}

int main(void)
{
	need_tracefs();
	if (access(TRACING "current_tracer", W_OK)) {
		printf("1..0 # SKIP no function tracer in " TRACING "\n");
		return 4;
	}
	if (!put_file("set_ftrace_filter", "sock_common_[gs]etsockopt\n"))
		tap_bail("set_ftrace_filter");
	with_tracer("function");
	with_tracer("function_graph");

	if (put_file("kprobe_events", "p:shim6_test sock_common_setsockopt\n") &&
	    put_file("events/kprobes/shim6_test/enable", "1")) {
		put_file("trace", "\n");
		round_trip("kprobe");
		tap_ok(traced("shim6_test"), "kprobe: it saw the calls");
		put_file("events/kprobes/shim6_test/enable", "0");
		put_file("kprobe_events", "-:shim6_test\n");
	} else {
		tap_skip(strerror(errno), "kprobe on the same function");
	}
	put_file("set_ftrace_filter", "\n");
	return tap_done();
}
