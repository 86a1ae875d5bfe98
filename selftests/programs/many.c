// SPDX-License-Identifier: GPL-2.0
/*
 * Many conversations by UDP, each with a datagram there and one back now and
 * then, and what the machine still computes beside them.
 *
 *	many serve PORT			echo to all addresses of this host
 *	many talk PORT MS SECONDS	read lines LOCAL PEER from standard input, one
 *					conversation each; send a datagram each MS
 *					milliseconds, spread over that time; print
 *					"conversations=N sent=N answered=N"
 *	many spin SECONDS		compute on all processors with the least
 *					priority, and print "rounds=N"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/arguments.h"

#define MOST		131072
#define MOST_PROCESSORS	64

static struct {
	struct sockaddr_in6 here, there;
} pairs[MOST];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int udp(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), size = 8 << 20, one = 1;

	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)))
		err(1, "setsockopt");
	return fd;
}

/* Answers come from the address that was asked. */
static int serve(int port)
{
	struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = udp();

	if (bind(fd, (void *)&here, sizeof(here)))
		err(1, "port %d", port);
	puts("serving");
	fflush(stdout);
	for (;;) {
		char octets[64], control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct sockaddr_in6 from;
		struct iovec piece = { octets, sizeof(octets) };
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from),
					  .msg_iov = &piece, .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		struct cmsghdr *first;
		ssize_t got = recvmsg(fd, &message, 0);

		if (got < 0)
			err(1, "recvmsg");
		piece.iov_len = got;
		first = CMSG_FIRSTHDR(&message);
		if (first)
			((struct in6_pktinfo *)CMSG_DATA(first))->ipi6_ifindex = 0;
		/* What a full queue loses, the other end counts. */
		sendmsg(fd, &message, 0);
	}
}

static int read_pairs(int port)
{
	char line[2 * INET6_ADDRSTRLEN + 4], here[INET6_ADDRSTRLEN], there[INET6_ADDRSTRLEN];
	int n = 0;

	while (fgets(line, sizeof(line), stdin)) {
		if (n == MOST || sscanf(line, "%45s %45s", here, there) != 2)
			errx(2, "line %d: not LOCAL PEER, or too many", n + 1);
		pairs[n].here.sin6_family = AF_INET6;
		pairs[n].there.sin6_family = AF_INET6;
		pairs[n].there.sin6_port = htons(port);
		if (inet_pton(AF_INET6, here, &pairs[n].here.sin6_addr) != 1 ||
		    inet_pton(AF_INET6, there, &pairs[n].there.sin6_addr) != 1)
			errx(2, "line %d: not an IPv6 address", n + 1);
		n++;
	}
	if (!n)
		errx(2, "no conversations");
	return n;
}

/* Takes all answers that are there. */
static long long answers(int fd)
{
	char octets[64];
	long long n = 0;

	while (recv(fd, octets, sizeof(octets), MSG_DONTWAIT) >= 0)
		n++;
	return n;
}

/* One socket for all: the address that it sends from comes with each datagram. */
static int talk(int port, int ms, int seconds)
{
	int n = read_pairs(port), fd = udp(), next = 0;
	long long sent = 0, answered = 0;
	double began = now(), period = ms / 1e3 / n;

	while (now() - began < seconds) {
		for (double due = (now() - began) / period; sent < due; sent++) {
			char octets[32] = {}, control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {};
			struct iovec piece = { octets, sizeof(octets) };
			struct msghdr message = {
				.msg_name = &pairs[next].there,
				.msg_namelen = sizeof(pairs[next].there),
				.msg_iov = &piece, .msg_iovlen = 1,
				.msg_control = control, .msg_controllen = sizeof(control) };
			struct cmsghdr *first = CMSG_FIRSTHDR(&message);
			struct in6_pktinfo info = { .ipi6_addr = pairs[next].here.sin6_addr };

			first->cmsg_level = IPPROTO_IPV6;
			first->cmsg_type = IPV6_PKTINFO;
			first->cmsg_len = CMSG_LEN(sizeof(info));
			memcpy(CMSG_DATA(first), &info, sizeof(info));
			if (sendmsg(fd, &message, 0) < 0)
				err(1, "sendmsg");
			next = (next + 1) % n;
		}
		answered += answers(fd);
		poll(NULL, 0, 1);
	}
	poll(NULL, 0, 200);
	answered += answers(fd);
	printf("conversations=%d sent=%lld answered=%lld\n", n, sent, answered);
	return 0;
}

static atomic_bool over;

static void *spin_on(void *processor)
{
	struct sched_param least = {};
	cpu_set_t only;
	unsigned long rounds = 0;

	CPU_ZERO(&only);
	CPU_SET((long)processor, &only);
	if (sched_setaffinity(0, sizeof(only), &only) || sched_setscheduler(0, SCHED_IDLE, &least))
		err(1, "scheduler");
	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		for (volatile int i = 0; i < 10000; i++)
			;
		rounds++;
	}
	return (void *)rounds;
}

static int spin(int seconds)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN), i;
	pthread_t threads[MOST_PROCESSORS];
	unsigned long all = 0;

	if (n > MOST_PROCESSORS)
		errx(1, "more than %d processors", MOST_PROCESSORS);
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, spin_on, (void *)i))
			errx(1, "no thread");
	sleep(seconds);
	atomic_store(&over, true);
	for (i = 0; i < n; i++) {
		void *rounds;

		pthread_join(threads[i], &rounds);
		all += (unsigned long)rounds;
	}
	printf("rounds=%lu\n", all);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(number(argv[2], 1, 65535));
	if (argc == 5 && !strcmp(argv[1], "talk"))
		return talk(number(argv[2], 1, 65535), number(argv[3], 1, 1000000),
			    number(argv[4], 1, 1000000));
	if (argc == 3 && !strcmp(argv[1], "spin"))
		return spin(number(argv[2], 1, 1000000));
	fputs("usage: many serve PORT | talk PORT MS SECONDS | spin SECONDS\n", stderr);
	return 2;
}
