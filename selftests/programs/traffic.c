// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic whose content is checked. The server sends back what it gets; the
 * client compares octet by octet, so one client checks both directions.
 *
 * The client's last line tells what it saw, for scripts:
 *
 *	tcp sent=N received=N bad=N gap_ms=N mtu=N refused=N seconds=N.N
 *		associated_first=N associated=N (all in one line)
 *
 * "sent" and "received" count octets for TCP and datagrams for UDP and raw
 * sockets, "gap_ms" is the longest time without anything received, "mtu" is
 * IPV6_MTU of the socket at the end, "associated" is SHIM_ASSOCIATED when all
 * was sent, "associated_first" at the beginning, -1 where there is no such option.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/in6.h>
#include <linux/shim6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/arguments.h"

/* RFC 3692: for experiments. No port and no checksum, so nothing but the
 * addresses can be wrong.
 */
#define RAW_PROTOCOL	253
/* No power of two, so that no buffer size hides a shift. */
#define PATTERN		1048573
#define MOST		65536

static const char usage[] =
	"usage: traffic serve PORT\n"
	"       traffic tcp|udp|raw [OPTION]... SOURCE DESTINATION PORT\n"
	"  -n N     octets (tcp) or datagrams (udp, raw) to send (default 100); 0: until SIGTERM\n"
	"  -s SIZE  octets in a write or datagram (default 1000)\n"
	"  -i MS    time between writes (default 0) or datagrams (default 10)\n"
	"  -w S     fail if nothing comes back for so long (default 20)\n"
	"  -f FILE  keep the number received so far in FILE\n"
	"  -l       lost datagrams are no failure, if at least one came back\n"
	"  -d       set SHIM_DONTSHIM\n"
	"  -S       set SHIM_CONTEXT_DEFERRED_SETUP to 0: a context at once\n"
	"  -o       send a hop-by-hop options header\n"
	"  -D       set IPV6_DONTFRAG; datagrams refused as too long are counted\n";

static unsigned char pattern[PATTERN + MOST];
static volatile sig_atomic_t stopped;

static struct {
	long long n;
	int size, interval, patience, progress;
	bool lossy, dontshim, immediate, hop_by_hop, dontfrag;
	struct sockaddr_in6 source, destination;
} options = { .n = 100, .size = 1000, .interval = -1, .patience = 20, .progress = -1 };

static struct {
	long long sent, received, bad, refused;
	long long started, last, gap;
	int associated;
} seen = { .associated = -1 };

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void fill_pattern(void)
{
	uint32_t x = 2463534242U;
	size_t i;

	for (i = 0; i < PATTERN; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		pattern[i] = x >> 11;
	}
	memcpy(pattern + PATTERN, pattern, MOST);
}

static const unsigned char *pattern_at(long long offset)
{
	return pattern + offset % PATTERN;
}

static void set_int(int fd, int level, int name, int value, const char *what)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "%s", what);
}

/*
 * Server
 */

static void echo_stream(int fd)
{
	static unsigned char buffer[MOST];
	ssize_t got, put, n;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (put = 0; put < got; put += n) {
			n = write(fd, buffer + put, got - put);
			if (n < 0)
				_exit(1);
		}
	}
	_exit(got < 0);
}

/*
 * Raw sockets have no ports: a server gets answers to others too, and the one
 * of the other host would answer those. So an answer has a bit of its own, in
 * the number that each datagram begins with.
 */
#define ANSWER_AT	3
#define ANSWER		0x80

/* Answers from the address that was asked. */
static void echo_datagram(int fd, bool raw)
{
	static unsigned char buffer[MOST];
	union {
		char octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	struct iovec data = { buffer, sizeof(buffer) };
	struct sockaddr_in6 peer;
	struct msghdr message = {
		.msg_name = &peer, .msg_namelen = sizeof(peer),
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	struct in6_pktinfo info;
	ssize_t got = recvmsg(fd, &message, 0);

	if (got < 0)
		return;
	if (raw) {
		if (got <= ANSWER_AT || buffer[ANSWER_AT] & ANSWER)
			return;
		buffer[ANSWER_AT] |= ANSWER;
	}
	data.iov_len = got;
	cmsg = CMSG_FIRSTHDR(&message);
	if (cmsg && cmsg->cmsg_type == IPV6_PKTINFO) {
		/* The address only: the answer need not leave where the question came in. */
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	}
	sendmsg(fd, &message, 0);
}

static int server_socket(int type, int protocol, int port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type, protocol);

	if (fd < 0)
		err(1, "socket");
	if (type == SOCK_STREAM) {
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	} else {
		set_int(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
		set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20, "SO_RCVBUFFORCE");
	}
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)))
		err(1, "bind");
	if (type == SOCK_STREAM && listen(fd, 64))
		err(1, "listen");
	return fd;
}

static int serve(int port)
{
	struct pollfd fds[] = {
		{ server_socket(SOCK_STREAM, 0, port), POLLIN, 0 },
		{ server_socket(SOCK_DGRAM, 0, port), POLLIN, 0 },
		{ server_socket(SOCK_RAW, RAW_PROTOCOL, 0), POLLIN, 0 },
	};
	int fd;

	signal(SIGCHLD, SIG_IGN);
	while (poll(fds, 3, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents & POLLIN) {
			fd = accept(fds[0].fd, NULL, NULL);
			if (fd >= 0 && fork() == 0)
				echo_stream(fd);
			if (fd >= 0)
				close(fd);
		}
		if (fds[1].revents & POLLIN)
			echo_datagram(fds[1].fd, false);
		if (fds[2].revents & POLLIN)
			echo_datagram(fds[2].fd, true);
	}
	err(1, "poll");
}

/*
 * Client
 */

static int client_socket(int type, int protocol)
{
	/* Hop-by-hop options: PadN of 4 octets, twice skipped, never missed. */
	static const unsigned char padding[8] = { 0, 0, 1, 4 };
	int fd = socket(AF_INET6, type, protocol);

	if (fd < 0)
		err(1, "socket");
	if (options.dontshim)
		set_int(fd, SOL_SHIM, SHIM_DONTSHIM, 1, "SHIM_DONTSHIM");
	if (options.immediate)
		set_int(fd, SOL_SHIM, SHIM_CONTEXT_DEFERRED_SETUP, 0,
			"SHIM_CONTEXT_DEFERRED_SETUP");
	if (options.dontfrag)
		set_int(fd, SOL_IPV6, IPV6_DONTFRAG, 1, "IPV6_DONTFRAG");
	if (options.hop_by_hop &&
	    setsockopt(fd, SOL_IPV6, IPV6_HOPOPTS, padding, sizeof(padding)))
		err(1, "IPV6_HOPOPTS");
	if (type != SOCK_STREAM)
		set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20, "SO_RCVBUFFORCE");
	if (type == SOCK_RAW) {
		options.source.sin6_port = 0;
		options.destination.sin6_port = 0;
	}
	if (bind(fd, (struct sockaddr *)&options.source, sizeof(options.source)))
		err(1, "bind");
	if (connect(fd, (struct sockaddr *)&options.destination, sizeof(options.destination)))
		err(1, "connect");
	return fd;
}

static void count_received(long long units)
{
	long long now = now_ms();

	if (now - seen.last > seen.gap)
		seen.gap = now - seen.last;
	seen.last = now;
	seen.received += units;
}

/* Fixed width, so that a reader never sees half a number. */
static void show_progress(void)
{
	static long long shown = -1;
	char line[32];
	int n;

	if (options.progress < 0 || shown == seen.received)
		return;
	shown = seen.received;
	n = snprintf(line, sizeof(line), "%020lld\n", shown);
	if (pwrite(options.progress, line, n, 0) != n)
		err(1, "progress");
}

static bool all_sent(void)
{
	return stopped || (options.n && seen.sent >= options.n);
}

/* What may be lost is waited for no longer than a path can delay it. */
static bool patience_left(void)
{
	long long most = options.lossy && all_sent() ? 1000 : options.patience * 1000LL;

	return now_ms() - seen.last < most;
}

static int associated(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, &value, &len) ? -1 : value;
}

/* Sends while the socket takes it, and reads what comes back. */
static int run_stream(int fd)
{
	static unsigned char buffer[MOST];
	bool closing = false;
	long long next = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (patience_left()) {
		struct pollfd p = { fd, POLLIN, 0 };
		long long left = options.n ? options.n - seen.sent : MOST;
		long long now = now_ms();

		if (all_sent() && !closing) {
			seen.associated = associated(fd);
			shutdown(fd, SHUT_WR);
			closing = true;
		}
		if (!closing && now >= next)
			p.events |= POLLOUT;
		poll(&p, 1, closing || now >= next ? 20 : next - now);
		if (p.revents & POLLOUT) {
			if (left > options.size)
				left = options.size;
			n = write(fd, pattern_at(seen.sent), left);
			if (n > 0)
				seen.sent += n;
			else if (errno != EAGAIN)
				err(1, "write");
			next = now + options.interval;
		}
		if (p.revents & (POLLIN | POLLERR | POLLHUP)) {
			n = read(fd, buffer, sizeof(buffer));
			if (n < 0 && errno != EAGAIN)
				err(1, "read");
			if (n == 0)
				break;
			if (n > 0) {
				if (memcmp(buffer, pattern_at(seen.received), n))
					seen.bad++;
				count_received(n);
			}
		}
		show_progress();
	}
	return seen.bad || seen.received != seen.sent;
}

/* A datagram says its number and holds the pattern from that place on. */
static int run_datagrams(int fd, bool raw)
{
	static unsigned char buffer[MOST], datagram[MOST];
	long long next = now_ms();
	struct pollfd p = { fd, POLLIN, 0 };
	uint32_t number;
	ssize_t n;

	while (patience_left() && !(all_sent() && seen.received >= seen.sent)) {
		long long now = now_ms();

		if (!all_sent() && now >= next) {
			number = seen.sent + seen.refused;
			memcpy(datagram, pattern_at(number), options.size);
			memcpy(datagram, &number, sizeof(number));
			n = send(fd, datagram, options.size, 0);
			if (n == options.size)
				seen.sent++;
			else if (errno == EMSGSIZE)
				seen.refused++;
			else if (!options.lossy)
				err(1, "send");
			if (options.n && seen.sent + seen.refused >= options.n)
				stopped = 1;
			next = now + options.interval;
		}
		poll(&p, 1, all_sent() ? 20 : next > now ? next - now : 0);
		/* Room for one octet more, so that a longer datagram shows. */
		while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) >= 0) {
			if (raw) {
				if (n <= ANSWER_AT || !(buffer[ANSWER_AT] & ANSWER))
					continue;
				buffer[ANSWER_AT] &= ~ANSWER;
			}
			memcpy(&number, buffer, sizeof(number));
			if (n != options.size ||
			    memcmp(buffer + 4, pattern_at(number) + 4, n - 4))
				seen.bad++;
			count_received(1);
		}
		if (errno != EAGAIN && errno != EMSGSIZE && !options.lossy)
			err(1, "recv");
		show_progress();
	}
	seen.associated = associated(fd);
	if (options.lossy)
		return seen.bad || !seen.received;
	return seen.bad || seen.received != seen.sent;
}

static int run_client(const char *kind)
{
	int type = SOCK_STREAM, protocol = 0, mtu = 0, first, status, fd;
	socklen_t len = sizeof(mtu);

	if (!strcmp(kind, "udp"))
		type = SOCK_DGRAM;
	if (!strcmp(kind, "raw")) {
		type = SOCK_RAW;
		protocol = RAW_PROTOCOL;
	}
	if (options.interval < 0)
		options.interval = type == SOCK_STREAM ? 0 : 10;
	fill_pattern();
	seen.started = now_ms();
	fd = client_socket(type, protocol);
	first = associated(fd);
	seen.last = now_ms();
	status = type == SOCK_STREAM ? run_stream(fd) : run_datagrams(fd, type == SOCK_RAW);
	if (now_ms() - seen.last > seen.gap)
		seen.gap = now_ms() - seen.last;
	getsockopt(fd, SOL_IPV6, IPV6_MTU, &mtu, &len);
	printf("%s sent=%lld received=%lld bad=%lld gap_ms=%lld mtu=%d refused=%lld ", kind,
	       seen.sent, seen.received, seen.bad, seen.gap, mtu, seen.refused);
	printf("seconds=%.2f associated_first=%d associated=%d\n",
	       (now_ms() - seen.started) / 1000.0, first, seen.associated);
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	int option;

	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(number(argv[2], 1, 65535));
	if (argc < 2 || (strcmp(argv[1], "tcp") && strcmp(argv[1], "udp") &&
			 strcmp(argv[1], "raw")))
		errx(2, "\n%s", usage);

	optind = 2;
	while ((option = getopt(argc, argv, "n:s:i:w:f:ldSoD")) != -1) {
		switch (option) {
		case 'n':
			options.n = number(optarg, 0, LONG_MAX);
			break;
		case 's':
			options.size = number(optarg, 0, LONG_MAX);
			break;
		case 'i':
			options.interval = number(optarg, 0, LONG_MAX);
			break;
		case 'w':
			options.patience = number(optarg, 0, LONG_MAX);
			break;
		case 'f':
			options.progress = open(optarg, O_WRONLY | O_CREAT | O_TRUNC, 0644);
			if (options.progress < 0)
				err(1, "%s", optarg);
			break;
		case 'l':
			options.lossy = true;
			break;
		case 'd':
			options.dontshim = true;
			break;
		case 'S':
			options.immediate = true;
			break;
		case 'o':
			options.hop_by_hop = true;
			break;
		case 'D':
			options.dontfrag = true;
			break;
		default:
			errx(2, "\n%s", usage);
		}
	}
	if (argc - optind != 3 || options.size < 8 || options.size > MOST)
		errx(2, "\n%s", usage);
	options.source = name(argv[optind], 0);
	options.destination = name(argv[optind + 1], number(argv[optind + 2], 1, 65535));
	sigaction(SIGTERM, &term, NULL);
	return run_client(argv[1]);
}
