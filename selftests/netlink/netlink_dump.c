// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps of many contexts: complete, in linear time, honest about changes that
 * come between, and given up half-way.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "context.h"

#define ULID_LOCAL	"2001:db8:1::a"

/* The default of net.shim6.max_contexts; there is room for more. */
#define MANY		65536
#define FEW		(MANY / 32)

/* Rounds of the parts in which something else goes on. */
#define ROUNDS		10

static int fd;
static struct request request;

/* How often each CT(local) was seen in a dump. */
static unsigned char seen[MANY];

static void count(const struct nlmsghdr *header, void *data)
{
	__u64 tag = get_u64(find_in_message(header, SHIM6_A_TAG_LOCAL));

	(void)data;
	if (tag < MANY && seen[tag] < UINT8_MAX)
		seen[tag]++;
}

static void begin_dump(void)
{
	memset(seen, 0, sizeof(seen));
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
}

static struct answer dump(void)
{
	begin_dump();
	return exchange(fd, &request, count, NULL);
}

/* Whether all with tags below this were seen, each once. */
static bool each_once(unsigned int tags)
{
	unsigned int i;

	for (i = 0; i < tags; i++)
		if (seen[i] != 1)
			return false;
	return true;
}

/*
 * A dump that nothing has come between. A table that has just grown or shrunk
 * may still be moving, but not for long.
 */
static bool quiet_dump(struct answer *answer)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		*answer = dump();
		if (answer->error)
			return false;
		if (!again(answer))
			return true;
	}
	return false;
}

static void build_add(struct request *one, unsigned int tag)
{
	char text[64];

	snprintf(text, sizeof(text), "2001:db8:3::%x:%x", 1 + (tag >> 16), tag & 0xffff);
	begin_add(one, ULID_LOCAL, text, tag, tag);
}

static void build_del(struct request *one, unsigned int tag)
{
	begin_tagged(one, SHIM6_CMD_CONTEXT_DEL, tag);
}

static void add_all(int on, unsigned int from, unsigned int to)
{
	in_batches(on, build_add, from, to, NULL);
}

static void delete_all(int on, unsigned int from, unsigned int to)
{
	in_batches(on, build_del, from, to, NULL);
}

/* The kernel fills datagrams in our name, so this is what a dump costs. */
static double processor_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/*
 * A dump that begins anew for each datagram and skips what it has sent would
 * take seven times as long for the last quarter as for the first.
 */
static void linear(void)
{
	double first = 0, last = 0;
	int i;

	for (i = 0; i < 3; i++) {
		double from, first_end = 0, last_from = 0, to;
		struct answer answer = { 0 };
		bool done;

		begin_dump();
		from = processor_time();
		submit(fd, &request);
		do {
			done = receive_some(fd, &request, &answer, count, NULL);
			to = processor_time();
			if (!first_end && answer.messages >= MANY / 4)
				first_end = to;
			if (!last_from && answer.messages >= MANY / 4 * 3)
				last_from = to;
		} while (!done);
		if (!i || first_end - from < first)
			first = first_end - from;
		if (!i || to - last_from < last)
			last = to - last_from;
	}
	tap_note("first quarter in %.1f ms, last in %.1f ms", first * 1000, last * 1000);
	tap_ok(last < 4 * first, "the last quarter of a dump takes no longer than the first");
}

static void size(void)
{
	struct answer answer;

	tap_ok(quiet_dump(&answer) && !answer.messages, "a dump of nothing");
	add_all(fd, 0, FEW);
	tap_ok(quiet_dump(&answer) && answer.messages == FEW && each_once(FEW),
	       "a dump of %u contexts has each once", FEW);
	add_all(fd, FEW, MANY);
	tap_ok(quiet_dump(&answer) && answer.messages == MANY && each_once(MANY),
	       "a dump of %u contexts has each once", MANY);
	linear();
}

/* What a dump says when something happens after its first datagram. */
static struct answer disturbed_dump(void (*disturb)(int), const char *what)
{
	int other = open_shim6();
	struct answer answer = { 0 };

	begin_dump();
	submit(fd, &request);
	if (receive_some(fd, &request, &answer, count, NULL))
		tap_bail("%s: the dump has one datagram only", what);
	disturb(other);
	while (!receive_some(fd, &request, &answer, count, NULL))
		;
	close(other);
	return answer;
}

static void no_disturbance(int other)
{
	(void)other;
}

static void refused_add(int other)
{
	struct request one;

	begin_add(&one, ULID_LOCAL, "2001:db8:4::1", 0, 0);
	if (exchange(other, &one, NULL, NULL).error != EEXIST)
		tap_bail("a context with the tag of another");
}

static void one_more(int other)
{
	add_all(other, 0x10000000, 0x10000001);
}

static void one_less(int other)
{
	delete_all(other, 0x10000000, 0x10000001);
}

static void second_dump(int other)
{
	struct request one;

	(void)other;
	begin_command(&one, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	submit(fd, &one);
}

static void none_left(int other)
{
	delete_all(other, 0, MANY);
}

static void disturbances(void)
{
	struct answer answer;

	tap_ok(quiet_dump(&answer), "all is quiet");

	answer = disturbed_dump(no_disturbance, "pause");
	tap_ok(!answer.error && !answer.interrupted && each_once(MANY), "a pause is no change");
	answer = disturbed_dump(refused_add, "refused");
	tap_ok(!answer.error && !answer.interrupted && each_once(MANY),
	       "a refused context is no change");
	answer = disturbed_dump(one_more, "added");
	tap_ok(!answer.error && answer.interrupted, "a context is added: interrupted");
	answer = disturbed_dump(one_less, "deleted");
	tap_ok(!answer.error && answer.interrupted, "a context is deleted: interrupted");
	answer = disturbed_dump(second_dump, "second");
	tap_ok(answer.other_error == EBUSY, "a second dump on a socket that has one is refused");
	tap_ok(!answer.error && !answer.interrupted && each_once(MANY),
	       "it does not harm the first");
	answer = disturbed_dump(none_left, "all deleted");
	tap_ok(!answer.error && answer.interrupted && answer.messages < MANY,
	       "all contexts are deleted: interrupted, and it ends");
	tap_ok(quiet_dump(&answer) && !answer.messages, "nothing is left");
}

/* Adds and deletes contexts with tags that a dump does not count, until it is killed. */
static pid_t churn(unsigned int base)
{
	pid_t child = fork();
	int other;

	if (child < 0)
		tap_bail("fork");
	if (child)
		return child;
	other = open_shim6();
	for (;;) {
		add_all(other, base, base + FEW);
		delete_all(other, base, base + FEW);
	}
}

static void under_load(void)
{
	unsigned int interrupted = 0, failed = 0, paused_wrong = 0, i;
	struct answer answer;
	pid_t children[2];

	add_all(fd, 0, FEW);
	children[0] = churn(0x1000000);
	children[1] = churn(0x2000000);

	for (i = 0; i < ROUNDS; i++) {
		int given_up = open_shim6();

		answer = dump();
		failed += answer.error != 0;
		interrupted += answer.interrupted;

		/* Half-way through whatever they are doing. */
		kill(children[0], SIGSTOP);
		kill(children[1], SIGSTOP);
		paused_wrong += !quiet_dump(&answer) || !each_once(FEW);
		kill(children[0], SIGCONT);
		kill(children[1], SIGCONT);

		begin_dump();
		submit(given_up, &request);
		receive_some(given_up, &request, &answer, count, NULL);
		close(given_up);
	}
	tap_note("%u of %u dumps were interrupted", interrupted, ROUNDS);
	tap_ok(!failed, "dumps while contexts come and go do not fail");
	tap_ok(interrupted, "they say that they were interrupted");
	tap_ok(!paused_wrong, "in pauses they are quiet, and have all that stayed, once");

	for (i = 0; i < 2; i++) {
		int status;

		kill(children[i], SIGKILL);
		if (waitpid(children[i], &status, 0) != children[i])
			tap_bail("end of the load");
		tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		       "the load went on to the end");
	}
	tap_ok(quiet_dump(&answer) && each_once(FEW), "afterwards a dump is quiet and complete");
}

static int module_references(void)
{
	FILE *file = fopen("/sys/module/shim6/refcnt", "r");
	int references;

	if (!file || fscanf(file, "%d", &references) != 1)
		tap_bail("references of the module");
	fclose(file);
	return references;
}

static void references(void)
{
	int before = module_references(), other = open_shim6();
	struct answer answer = { 0 };

	tap_ok(module_references() == before, "an open socket does not hold the module");
	begin_dump();
	submit(other, &request);
	receive_some(other, &request, &answer, count, NULL);
	tap_ok(module_references() == before + 1, "a dump in progress does");
	close(other);
	tap_ok(module_references() == before, "until its socket is closed");
}

int main(void)
{
	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	set_max_contexts(2 * MANY);

	size();
	disturbances();
	under_load();
	references();
	return tap_done();
}
