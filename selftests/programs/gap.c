// SPDX-License-Identifier: GPL-2.0
/*
 * How long nothing arrives: a stream of small pieces, one each few
 * milliseconds, over TCP, MPTCP or SCTP. The receiver checks what arrives, and
 * writes a line for every silence that was longer than a threshold:
 *
 *	gap END_MS LENGTH_MS	(END_MS on the clock of /proc/uptime)
 *
 * and, once the stream has ended or SIGTERM came, "received N bad N". The
 * current number of octets is in FILE (-f) all the time. The sender writes
 *
 *	timeout AT_MS	(on the same clock)
 *
 * when it finds that TCP's retransmission timer has expired since anything new was
 * acknowledged.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/arguments.h"

#define MOST_ADDRESSES	4
#define MOST		65536
/* No power of two, so that no buffer size hides a shift. */
#define PATTERN		1021

static const char usage[] =
	"usage: gap receive tcp|mptcp|sctp [OPTION]... ADDRESS[,ADDRESS]... PORT\n"
	"       gap send tcp|mptcp|sctp [OPTION]... SOURCE[,SOURCE]... DESTINATION PORT\n"
	"  -f FILE  (receive) keep the number of octets received so far in FILE\n"
	"  -t MS    (receive) the shortest silence that is told (default 50)\n"
	"  -i MS    (send) time between pieces (default 5)\n"
	"  -s SIZE  (send) octets in a piece (default 1000)\n"
	"  -H MS    (sctp) heartbeat interval (default: the system's)\n"
	"  -R N     (sctp) retransmissions until a path has failed (default: the system's)\n";

static struct {
	int protocol, port;
	const char *file;
	int threshold, interval, size, heartbeat, retransmissions;
} options = { .threshold = 50, .interval = 5, .size = 1000,
	      .heartbeat = -1, .retransmissions = -1 };

static volatile sig_atomic_t stopped;

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static unsigned char pattern_at(long long offset)
{
	return offset % PATTERN * 7;
}

static int protocol_of(const char *name)
{
	if (!strcmp(name, "tcp"))
		return IPPROTO_TCP;
	if (!strcmp(name, "mptcp"))
		return IPPROTO_MPTCP;
	if (!strcmp(name, "sctp"))
		return IPPROTO_SCTP;
	errx(2, "what is '%s'?", name);
}

/* Addresses with commas between them, as sctp_bindx wants them; returns how many. */
static int addresses_of(char *list, struct sockaddr_in6 *to)
{
	char *one;
	int n = 0;

	while ((one = strsep(&list, ","))) {
		if (n == MOST_ADDRESSES)
			errx(2, "more than %d addresses", MOST_ADDRESSES);
		to[n] = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					       .sin6_port = htons(options.port) };
		if (inet_pton(AF_INET6, one, &to[n].sin6_addr) != 1)
			errx(2, "not an IPv6 address: %s", one);
		n++;
	}
	return n;
}

static void set(int fd, int level, int name, const void *value, socklen_t length, const char *what)
{
	if (setsockopt(fd, level, name, value, length))
		err(1, "%s", what);
}

/* A socket bound to the addresses: to all of them for SCTP, else to the first. */
static int bound(struct sockaddr_in6 *addresses, int n)
{
	int one = 1, fd = socket(AF_INET6, SOCK_STREAM, options.protocol);

	if (fd < 0)
		err(1, "socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one), "SO_REUSEADDR");
	if (options.protocol != IPPROTO_SCTP) {
		if (bind(fd, (void *)addresses, sizeof(*addresses)))
			err(1, "bind");
		set(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one), "TCP_NODELAY");
		return fd;
	}
	set(fd, IPPROTO_SCTP, SCTP_NODELAY, &one, sizeof(one), "SCTP_NODELAY");
	set(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, addresses, n * sizeof(*addresses), "bindx");
	if (options.heartbeat >= 0 || options.retransmissions >= 0) {
		/* The wildcard address: these are the parameters of all paths to come. */
		struct sctp_paddrparams paths = {};

		((struct sockaddr_in6 *)&paths.spp_address)->sin6_family = AF_INET6;
		if (options.heartbeat >= 0) {
			paths.spp_hbinterval = options.heartbeat;
			paths.spp_flags = SPP_HB_ENABLE;
		}
		if (options.retransmissions >= 0)
			paths.spp_pathmaxrxt = options.retransmissions;
		set(fd, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &paths, sizeof(paths), "paths");
	}
	return fd;
}

static void receive(struct sockaddr_in6 *addresses, int n)
{
	static unsigned char buffer[MOST];
	long long received = 0, bad = 0, last = 0, now;
	int progress = -1, fd, listener = bound(addresses, n);

	if (options.file) {
		progress = open(options.file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (progress < 0)
			err(1, "%s", options.file);
	}
	if (listen(listener, 1))
		err(1, "listen");
	puts("listening");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	while (!stopped) {
		ssize_t got = read(fd, buffer, sizeof(buffer));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			warn("the connection ended");
		if (got <= 0)
			break;
		now = now_ms();
		if (last && now - last >= options.threshold)
			printf("gap %lld %lld\n", now, now - last);
		last = now;
		for (ssize_t i = 0; i < got; i++)
			bad += buffer[i] != pattern_at(received + i);
		received += got;
		if (progress >= 0 && dprintf(progress, "%020lld\n", received) > 0)
			lseek(progress, 0, SEEK_SET);
	}
	printf("received %lld bad %lld\n", received, bad);
}

/* Tells that TCP's retransmission timer has expired, as soon as it has. */
static void tell_timeout(int fd)
{
	static bool was;
	struct tcp_info info = {};
	socklen_t length = sizeof(info);

	if (options.protocol != IPPROTO_TCP)
		return;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length))
		return;
	if (info.tcpi_retransmits && !was)
		printf("timeout %lld\n", now_ms());
	was = info.tcpi_retransmits;
}

static void send_stream(struct sockaddr_in6 *sources, int n, struct sockaddr_in6 *destination)
{
	static unsigned char piece[MOST];
	long long sent = 0;
	struct timespec next;
	int fd;

	for (int i = 0; i < n; i++)
		sources[i].sin6_port = 0;
	fd = bound(sources, n);
	if (connect(fd, (void *)destination, sizeof(*destination)))
		err(1, "connect");
	puts("connected");
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!stopped) {
		for (int i = 0; i < options.size; i++)
			piece[i] = pattern_at(sent + i);
		for (int put = 0; put < options.size && !stopped;) {
			struct pollfd room = { .fd = fd, .events = POLLOUT };
			ssize_t did = send(fd, piece + put, options.size - put,
					   MSG_NOSIGNAL | MSG_DONTWAIT);

			/* Who waits for room would not see the timer expire. */
			if (did < 0 && errno == EAGAIN)
				poll(&room, 1, 1);
			else if (did < 0 && errno != EINTR)
				err(1, "send");
			tell_timeout(fd);
			if (did > 0) {
				put += did;
				sent += did;
			}
		}
		next.tv_nsec += options.interval * 1000000L;
		while (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	printf("sent %lld\n", sent);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 here[MOST_ADDRESSES], there[MOST_ADDRESSES];
	struct sigaction action = { .sa_handler = on_term };
	bool receiving = argc > 1 && !strcmp(argv[1], "receive");
	int opt, n;

	if (argc < 3 || (!receiving && strcmp(argv[1], "send"))) {
		fputs(usage, stderr);
		return 2;
	}
	options.protocol = protocol_of(argv[2]);
	argv += 2;
	argc -= 2;
	while ((opt = getopt(argc, argv, "f:t:i:s:H:R:")) != -1) {
		switch (opt) {
		case 'f':
			options.file = optarg;
			break;
		case 't':
			options.threshold = number(optarg, 0, 1000000);
			break;
		case 'i':
			options.interval = number(optarg, 0, 1000000);
			break;
		case 's':
			options.size = number(optarg, 0, 1000000);
			break;
		case 'H':
			options.heartbeat = number(optarg, 0, 1000000);
			break;
		case 'R':
			options.retransmissions = number(optarg, 0, 1000000);
			break;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (argc - optind != (receiving ? 2 : 3) || options.size < 1 || options.size > MOST) {
		fputs(usage, stderr);
		return 2;
	}
	/* No SA_RESTART: a call that waits has to end. */
	sigaction(SIGTERM, &action, NULL);
	setlinebuf(stdout);
	options.port = number(argv[argc - 1], 1, 65535);
	n = addresses_of(argv[optind], here);
	if (receiving) {
		receive(here, n);
	} else {
		addresses_of(argv[optind + 1], there);
		send_stream(here, n, there);
	}
	return 0;
}
