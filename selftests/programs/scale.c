// SPDX-License-Identifier: GPL-2.0
/*
 * Many contexts at once, where a loop of a shell would be too slow:
 *
 *	scale add LOCAL FROM TO		static contexts between LOCAL and the peers with
 *					these numbers (TO is not among them); their tags
 *					are the same numbers
 *	scale del FROM TO		deletes them
 *	scale dump			reads all contexts
 *	scale send LOCAL COUNT PEERS	COUNT datagrams from LOCAL, each to another of
 *					so many peers, in no order; tells nanoseconds each
 *	scale start SECONDS		reads lines LOCAL PEER from standard input and asks
 *					for a context for each; waits until all of them
 *					are established
 *	scale watch SECONDS COUNTER VALUE [COUNTER]
 *					tells when a counter of this namespace has begun to
 *					change and when it has risen by VALUE, in
 *					milliseconds since boot, and the most that the
 *					second one rose in 50 ms meanwhile
 *
 * Each prints a line of words NAME=VALUE. Exit status 0 only if all was done.
 */
/* First, for what it defines. */
#include "../netlink/context.h"
#include "../lib/arguments.h"

#include <time.h>

#define MOST		131072
/* What makes sense of anything. */
#define MANY		100000000
#define BATCH		64
#define PORT		7300

static int fd;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* The peer with a number: 2001:db8:3::NUMBER. */
static struct in6_addr peer(unsigned int index)
{
	struct in6_addr addr = { .s6_addr = { 0x20, 0x01, 0x0d, 0xb8, 0, 3 } };

	addr.s6_addr32[3] = htonl(index + 1);
	return addr;
}

/* What contexts are made with. */
static struct in6_addr ulid;

static void build_add(struct request *one, unsigned int index)
{
	struct in6_addr addr = peer(index);

	begin_command(one, SHIM6_CMD_CONTEXT_ADD, 0);
	put(one, SHIM6_A_ULID_LOCAL, &ulid, sizeof(ulid));
	put(one, SHIM6_A_ULID_PEER, &addr, sizeof(addr));
	put_u64(one, SHIM6_A_TAG_LOCAL, index);
	put_u64(one, SHIM6_A_TAG_PEER, index);
}

static void build_del(struct request *one, unsigned int index)
{
	begin_tagged(one, SHIM6_CMD_CONTEXT_DEL, index);
}

/* The longest time between two answers, and when the last one came. */
static double longest_wait, last_answer;

static void note_answer(void)
{
	double at = now();

	if (at - last_answer > longest_wait)
		longest_wait = at - last_answer;
	last_answer = at;
}

static int change(void (*build)(struct request *one, unsigned int index), unsigned int from,
		  unsigned int to)
{
	double begin = now();

	last_answer = begin;
	in_batches(fd, build, from, to, note_answer);
	printf("contexts=%u milliseconds=%.0f longest=%.2f\n", to - from, now() - begin,
	       longest_wait);
	return 0;
}

static int dump(void)
{
	struct answer answer = { 0 };
	struct request request;
	double begin = now(), since = begin, longest = 0;
	unsigned int pieces = 0;
	bool done;

	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	submit(fd, &request);
	do {
		done = receive_some(fd, &request, &answer, NULL, NULL);
		pieces++;
		if (now() - since > longest)
			longest = now() - since;
		since = now();
	} while (!done);
	printf("messages=%u pieces=%u milliseconds=%.0f longest=%.2f interrupted=%d error=%d\n",
	       answer.messages, pieces, since - begin, longest, answer.interrupted, answer.error);
	return answer.error != 0;
}

static int send_all(const char *local, unsigned int count, unsigned int peers)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6, .sin6_addr = address(local) };
	static struct sockaddr_in6 to[BATCH];
	static struct mmsghdr messages[BATCH];
	static char octets[64];
	struct iovec data = { octets, sizeof(octets) };
	unsigned long long state = 1;
	unsigned int sent, i;
	double begin;
	int udp = socket(AF_INET6, SOCK_DGRAM, 0), size = 8 << 20;

	if (udp < 0 || bind(udp, (void *)&from, sizeof(from)))
		tap_bail("socket at %s", local);
	if (setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		tap_bail("buffer of a socket");
	for (i = 0; i < BATCH; i++) {
		to[i].sin6_family = AF_INET6;
		to[i].sin6_port = htons(PORT);
		messages[i].msg_hdr.msg_name = &to[i];
		messages[i].msg_hdr.msg_namelen = sizeof(to[i]);
		messages[i].msg_hdr.msg_iov = &data;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	begin = now();
	for (sent = 0; sent < count; sent += BATCH) {
		for (i = 0; i < BATCH; i++) {
			/* Any sequence without an order that caches could learn. */
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			to[i].sin6_addr = peer((state >> 33) * peers >> 31);
		}
		if (sendmmsg(udp, messages, BATCH, 0) != BATCH)
			tap_bail("send datagrams");
	}
	printf("datagrams=%u nanoseconds=%.1f\n", sent, (now() - begin) * 1e6 / sent);
	return 0;
}

/* Counters of this namespace; those that are NULL are 0. */
static void counters(const char *const names[2], unsigned long values[2])
{
	FILE *file = fopen("/proc/net/shim6_stat", "r");
	char line[128], name[64];
	unsigned long value;
	int i;

	if (!file)
		tap_bail("/proc/net/shim6_stat");
	values[0] = 0;
	values[1] = 0;
	while (fgets(line, sizeof(line), file))
		for (i = 0; i < 2; i++)
			if (names[i] && sscanf(line, "%63s %lu", name, &value) == 2 &&
			    !strcmp(name, names[i]))
				values[i] = value;
	fclose(file);
}

static unsigned long counter(const char *name)
{
	const char *const names[2] = { name };
	unsigned long values[2];

	counters(names, values);
	return values[0];
}

static struct in6_addr ulids[MOST][2];
static bool started[MOST];

/*
 * Asks for the contexts [from, to) that are not asked for yet, in one datagram; the
 * kernel takes so many at a time, and what it refuses is asked for again.
 */
static unsigned int ask(unsigned int from, unsigned int to)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	static char octets[1 << 16], answers[1 << 16];
	struct request one;
	unsigned int i, first = 0, wanted = 0, done = 0;
	size_t len = 0;

	for (i = from; i < to; i++) {
		if (started[i])
			continue;
		begin_command(&one, SHIM6_CMD_CONTEXT_START, NLM_F_ACK);
		put(&one, SHIM6_A_ULID_LOCAL, &ulids[i][0], sizeof(ulids[i][0]));
		put(&one, SHIM6_A_ULID_PEER, &ulids[i][1], sizeof(ulids[i][1]));
		/* What comes back tells which one it is about. */
		one.header.nlmsg_seq = i + 1;
		memcpy(octets + len, &one, one.header.nlmsg_len);
		len += one.header.nlmsg_len;
		first = wanted++ ? first : i;
	}
	if (!wanted)
		return from;
	if (sendto(fd, octets, len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) !=
	    (ssize_t)len)
		tap_bail("send requests");
	while (done < wanted) {
		const struct nlmsghdr *header = (const void *)answers;
		ssize_t got = recv(fd, answers, sizeof(answers), 0);

		if (got < 0)
			tap_bail("receive on netlink socket");
		for (; NLMSG_OK(header, got); header = NLMSG_NEXT(header, got)) {
			int error = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;

			if (header->nlmsg_type != NLMSG_ERROR)
				tap_bail("no answer to a request");
			errno = error;
			if (error && error != ENOSPC)
				tap_bail("context %u", header->nlmsg_seq - 1);
			started[header->nlmsg_seq - 1] = !error;
			done++;
		}
	}
	while (first < to && started[first])
		first++;
	return first;
}

static int start_all(double patience)
{
	char here[INET6_ADDRSTRLEN], there[INET6_ADDRSTRLEN];
	unsigned long before = counter("ContextEstablished"), done;
	unsigned int n = 0, next = 0;
	double begin, end;

	while (n < MOST && scanf("%45s %45s", here, there) == 2) {
		ulids[n][0] = address(here);
		ulids[n++][1] = address(there);
	}
	begin = now();
	while (next < n) {
		unsigned int asked = next;

		next = ask(next, next + BATCH < n ? next + BATCH : n);
		if (next < asked + BATCH && next < n)
			poll(NULL, 0, 1);
	}
	do {
		done = counter("ContextEstablished") - before;
		end = now();
		/* Looking costs time that the work needs. */
		if (done < n)
			poll(NULL, 0, 2);
	} while (done < n && end - begin < patience * 1e3);
	printf("contexts=%lu milliseconds=%.1f\n", done, end - begin);
	return done < n;
}

static int watch(double patience, const char *name, unsigned int value, const char *other)
{
	const char *const names[2] = { name, other };
	unsigned long before[2], values[2], most = 0, since;
	double begin = now(), first = 0, at, slice = begin;

	counters(names, before);
	since = before[1];
	puts("watching");
	fflush(stdout);
	do {
		poll(NULL, 0, 5);
		counters(names, values);
		at = now();
		if (!first && values[0] != before[0])
			first = at;
		if (at - slice >= 50) {
			double rate = (values[1] - since) * 50 / (at - slice);

			if (rate > most)
				most = rate;
			since = values[1];
			slice = at;
		}
	} while (values[0] - before[0] < value && at - begin < patience * 1e3);
	printf("first=%.0f last=%.0f rose=%lu most=%lu\n", first, at, values[0] - before[0], most);
	return values[0] - before[0] < value;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "send") && argc == 5)
		return send_all(argv[2], number(argv[3], 1, MANY), number(argv[4], 1, MANY));
	if (!strcmp(command, "watch") && (argc == 5 || argc == 6))
		return watch(number(argv[2], 1, MANY), argv[3], number(argv[4], 1, MANY), argv[5]);
	fd = open_shim6();
	if (!strcmp(command, "add") && argc == 5) {
		ulid = address(argv[2]);
		return change(build_add, number(argv[3], 0, MANY), number(argv[4], 0, MANY));
	}
	if (!strcmp(command, "del") && argc == 4)
		return change(build_del, number(argv[2], 0, MANY), number(argv[3], 0, MANY));
	if (!strcmp(command, "dump") && argc == 2)
		return dump();
	if (!strcmp(command, "start") && argc == 3)
		return start_all(number(argv[2], 1, MANY));
	fputs("usage: scale add LOCAL FROM TO | del FROM TO | dump | send LOCAL COUNT PEERS |\n"
	      "	start SECONDS | watch SECONDS COUNTER VALUE [COUNTER]\n", stderr);
	return 2;
}
