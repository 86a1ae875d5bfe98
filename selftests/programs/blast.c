// SPDX-License-Identifier: GPL-2.0
/*
 * As much traffic as goes, and how much of it arrives. What is measured is the
 * stack: data is neither made nor looked at, and datagrams go many in one call.
 *
 *	blast receive|hold ADDRESS PORT
 *	blast tcp SOURCE DESTINATION PORT MS
 *	blast udp SOURCE DESTINATION PORT MS [SIZE]
 *	blast out SOURCE DESTINATION PORT MS [SIZE]
 *
 * tcp sends a stream, udp datagrams of SIZE octets (default 64), for so many
 * milliseconds. The sender of datagrams asks now and then how many came, and waits for the
 * answer. The receiver does not read before it is asked: so none is lost for want of room,
 * and how often it is woken is no matter of chance. out is udp without asking. A stream to
 * PORT is thrown away by the receiver's kernel, one to PORT + 3 is copied to the receiver.
 * The last line of a sender is
 *
 *	sent=N received=N us=N
 *
 * octets or datagrams that were sent and that the receiver got, and for how many
 * microseconds: for tcp and udp until the receiver had the last one. The receiver
 * serves one sender after the other until SIGTERM. hold has a socket for datagrams and
 * never reads from it, so that its queue is full soon.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/arguments.h"

#define PIECE		(256 << 10)
#define BATCH		256
/* Batches that are sent before the receiver is asked. */
#define AHEAD		8
#define MOST		9000
/* Questions come to a port so much higher. */
#define QUESTION	2
/* Streams that are read come to one so much higher. */
#define READ		3
#define PATIENCE_MS	200
#define ATTEMPTS	25

static const char usage[] =
	"usage: blast receive|hold ADDRESS PORT\n"
	"       blast tcp SOURCE DESTINATION PORT MS\n"
	"       blast udp|out SOURCE DESTINATION PORT MS [SIZE]\n";

static char octets[PIECE];

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static int open_socket(int type, const char *address, int port)
{
	struct sockaddr_in6 here = name(address, port);
	int fd = socket(AF_INET6, type, 0), one = 1, size = 8 << 20;

	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		err(1, "SO_REUSEADDR");
	if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		err(1, "SO_RCVBUFFORCE");
	if (bind(fd, (void *)&here, sizeof(here)))
		err(1, "bind to %s port %d", address, port);
	return fd;
}

static int open_sender(int type, const char *source, const char *destination, int port)
{
	struct sockaddr_in6 there = name(destination, port);
	int fd = open_socket(type, source, 0);

	if (connect(fd, (void *)&there, sizeof(there)))
		err(1, "connect to %s port %d", destination, port);
	return fd;
}

/*
 * Takes a stream to its end and answers with its length. With the flag MSG_TRUNC, TCP throws
 * the data away, without copying it.
 */
static void take_stream(int listener, int flags)
{
	int fd = accept(listener, NULL, NULL);
	int enough = 1 << 20;
	uint64_t total = 0;
	ssize_t got;

	if (fd < 0)
		err(1, "accept");
	/* Woken for much, or how often would be chance. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof(enough)))
		err(1, "SO_RCVLOWAT");
	while ((got = recv(fd, octets, sizeof(octets), flags)) > 0)
		total += got;
	/* A sender that is gone misses its answer and says so. */
	if (got == 0 && send(fd, &total, sizeof(total), MSG_NOSIGNAL) < 0)
		warn("answer");
	close(fd);
}

/* Takes all datagrams that are there. */
static uint64_t take_datagrams(int fd)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec pieces[BATCH];
	static char data[BATCH][8];
	uint64_t total = 0;
	int i, got;

	for (i = 0; i < BATCH; i++) {
		pieces[i] = (struct iovec){ data[i], sizeof(data[i]) };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1 };
	}
	while ((got = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0)
		total += got;
	if (got < 0 && errno != EAGAIN)
		err(1, "recvmmsg");
	return total;
}

/* Takes the datagrams that are there, and answers a question with how many there ever were. */
static void answer(int questions, int fd, uint64_t *total)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	char question;

	if (recvfrom(questions, &question, sizeof(question), 0, (void *)&from, &len) < 0)
		err(1, "question");
	*total += take_datagrams(fd);
	if (sendto(questions, total, sizeof(*total), 0, (void *)&from, len) < 0)
		warn("answer");
}

static int listener(const char *address, int port)
{
	int fd = open_socket(SOCK_STREAM, address, port);

	if (listen(fd, 8))
		err(1, "listen");
	return fd;
}

static int receive(const char *address, int port)
{
	struct pollfd ready[] = {
		{ .fd = listener(address, port), .events = POLLIN },
		{ .fd = listener(address, port + READ), .events = POLLIN },
		{ .fd = open_socket(SOCK_DGRAM, address, port + QUESTION), .events = POLLIN },
	};
	int fd = open_socket(SOCK_DGRAM, address, port);
	uint64_t datagrams = 0;

	for (;;) {
		if (poll(ready, 3, -1) < 0)
			err(1, "poll");
		if (ready[0].revents)
			take_stream(ready[0].fd, MSG_TRUNC);
		if (ready[1].revents)
			take_stream(ready[1].fd, 0);
		if (ready[2].revents)
			answer(ready[2].fd, fd, &datagrams);
	}
}

static void print(uint64_t sent, uint64_t received, long long us)
{
	printf("sent=%llu received=%llu us=%lld\n", (unsigned long long)sent,
	       (unsigned long long)received, us);
}

static int send_stream(int fd, long ms)
{
	long long began = now_us();
	uint64_t sent = 0, received;
	ssize_t put;

	while (now_us() - began < ms * 1000LL) {
		put = send(fd, octets, sizeof(octets), 0);
		if (put < 0)
			err(1, "send");
		sent += put;
	}
	if (shutdown(fd, SHUT_WR))
		err(1, "shutdown");
	if (recv(fd, &received, sizeof(received), MSG_WAITALL) != sizeof(received))
		err(1, "no answer");
	print(sent, received, now_us() - began);
	return 0;
}

/* How many datagrams the receiver has had from anybody, which it is asked by this socket. */
static uint64_t ask(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint64_t total;
	int i;

	/* What is there already answers an earlier question. */
	while (recv(fd, &total, sizeof(total), MSG_DONTWAIT) > 0)
		;
	for (i = 0; i < ATTEMPTS; i++) {
		if (send(fd, octets, 1, 0) < 0)
			err(1, "question");
		if (poll(&ready, 1, PATIENCE_MS) > 0 &&
		    recv(fd, &total, sizeof(total), 0) == sizeof(total)) {
			return total;
		}
	}
	errx(1, "no answer");
}

/* As many as go; the receiver is asked by the other socket, if there is one. */
static int send_datagrams(int fd, long ms, size_t size, int questions)
{
	static struct mmsghdr messages[BATCH];
	struct iovec piece = { octets, size };
	long long began, us;
	uint64_t before = 0, after = 0, sent = 0;
	int i, put;

	for (i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &piece, .msg_iovlen = 1 };
	if (questions >= 0)
		before = ask(questions);
	after = before;
	began = now_us();
	while (now_us() - began < ms * 1000LL) {
		for (i = 0; i < AHEAD; i++) {
			put = sendmmsg(fd, messages, BATCH, 0);
			if (put > 0)
				sent += put;
			else if (errno != ENOBUFS)
				err(1, "sendmmsg");
		}
		if (questions >= 0)
			after = ask(questions);
	}
	us = now_us() - began;
	print(sent, after - before, us);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_tcp = argc > 1 && !strcmp(argv[1], "tcp");
	bool is_udp = argc > 1 && !strcmp(argv[1], "udp");
	bool is_out = argc > 1 && !strcmp(argv[1], "out");
	long size = 64, ms;
	int port, fd, questions = -1;

	if (argc == 4 && !strcmp(argv[1], "hold")) {
		open_socket(SOCK_DGRAM, argv[2], number(argv[3], 1, 65535));
		for (;;)
			pause();
	}
	if (argc == 4 && !strcmp(argv[1], "receive"))
		return receive(argv[2], number(argv[3], 1, 65535 - READ));
	if (!(is_tcp && argc == 6) && !((is_udp || is_out) && (argc == 6 || argc == 7)))
		errx(2, "\n%s", usage);
	port = number(argv[4], 1, 65535 - QUESTION);
	ms = number(argv[5], 1, INT_MAX);
	if (argc == 7)
		size = number(argv[6], 1, MOST);
	fd = open_sender(is_tcp ? SOCK_STREAM : SOCK_DGRAM, argv[2], argv[3], port);
	if (is_udp)
		questions = open_sender(SOCK_DGRAM, argv[2], argv[3], port + QUESTION);
	return is_tcp ? send_stream(fd, ms) : send_datagrams(fd, ms, size, questions);
}
