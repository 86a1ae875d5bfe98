// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that are sent in one piece (UDP_SEGMENT), and a receiver that takes many in
 * one (UDP_GRO).
 *
 *	merge send SOURCE DESTINATION PORT COUNT SIZE
 *	merge receive ADDRESS PORT COUNT
 *
 * send sends COUNT datagrams of SIZE octets. receive takes COUNT of them, looks at what is in
 * each, and says
 *
 *	received=N reads=N bad=N
 *
 * how many came with how many calls, and how many were not what was sent. Exit status 0 if all
 * came within two seconds of each other and none was bad.
 */
#include <err.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../lib/arguments.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif
#ifndef UDP_GRO
#define UDP_GRO		104
#endif

#define MOST		65000
#define PATIENCE_MS	2000

static unsigned char octets[1 << 16];

static int open_socket(const char *address, int port)
{
	struct sockaddr_in6 here = name(address, port);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0)
		err(1, "socket");
	if (bind(fd, (void *)&here, sizeof(here)))
		err(1, "bind to %s port %d", address, port);
	return fd;
}

/* What octet @at of datagram @index is. */
static unsigned char octet(int index, int at)
{
	return index * 31 + at * 7 + (at >> 8);
}

static int send_all(const char *source, struct sockaddr_in6 there, int count, int size)
{
	int fd = open_socket(source, 0), i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < size; j++)
			octets[i * size + j] = octet(i, j);
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		err(1, "UDP_SEGMENT");
	if (sendto(fd, octets, count * size, 0, (void *)&there, sizeof(there)) != count * size)
		err(1, "%d datagrams of %d octets", count, size);
	return 0;
}

/* How long each datagram is of what was read at once. */
static int size_of_each(struct msghdr *message, int got)
{
	struct cmsghdr *cmsg;
	int size = got;

	for (cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg))
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	if (size <= 0)
		errx(1, "datagrams of %d octets", size);
	return size;
}

static int is_bad(const unsigned char *datagram, int len, int index)
{
	int j;

	for (j = 0; j < len; j++)
		if (datagram[j] != octet(index, j))
			return 1;
	return 0;
}

static int receive_all(int fd, int count)
{
	int received = 0, reads = 0, bad = 0, got, at, size;
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char control[CMSG_SPACE(sizeof(int))];

	if (setsockopt(fd, SOL_UDP, UDP_GRO, &(int){ 1 }, sizeof(int)))
		err(1, "UDP_GRO");
	while (received < count && poll(&readable, 1, PATIENCE_MS) == 1) {
		struct iovec piece = { octets, sizeof(octets) };
		struct msghdr message = {
			.msg_iov = &piece, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};

		got = recvmsg(fd, &message, 0);
		if (got <= 0)
			err(1, "recvmsg");
		reads++;
		size = size_of_each(&message, got);
		for (at = 0; at < got; at += size)
			bad += is_bad(octets + at, got - at < size ? got - at : size, received++);
	}
	printf("received=%d reads=%d bad=%d\n", received, reads, bad);
	return received != count || bad;
}

int main(int argc, char **argv)
{
	int count, size;

	if (argc == 7 && !strcmp(argv[1], "send")) {
		count = number(argv[5], 1, MOST);
		size = number(argv[6], 1, MOST / count);
		return send_all(argv[2], name(argv[3], number(argv[4], 1, 65535)), count, size);
	}
	if (argc == 5 && !strcmp(argv[1], "receive"))
		return receive_all(open_socket(argv[2], number(argv[3], 1, 65535)),
				   number(argv[4], 1, MOST));
	fprintf(stderr, "usage: merge send SOURCE DESTINATION PORT COUNT SIZE\n"
			"       merge receive ADDRESS PORT COUNT\n");
	return 2;
}
