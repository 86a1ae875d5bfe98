// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that a script steers: each line on standard input is a command, and
 * each command is answered by one line on standard output, "ok" and what there
 * is to tell, or "error" and the number of the error.
 *
 *	listen N ADDRESS PORT		a TCP socket that listens
 *	accept N LISTENER		a connection of that
 *	open N udp ADDRESS PORT		a socket without a peer
 *	connect N tcp|udp|raw SOURCE DESTINATION PORT
 *	begin N SOURCE DESTINATION PORT	TCP, without waiting for the peer
 *	finish N			what became of that
 *	send N SIZE			so many octets to the peer
 *	receive N			what is there, from anybody
 *	reply N SIZE			to whom received last from
 *	prefer N local|peer ADDRESS	SHIM_LOC_LOCAL_PREF, SHIM_LOC_PEER_PREF
 *	disable N local|peer		no such preference
 *	through N local|peer ADDRESS SIZE	so many octets, with ancillary data
 *	answer N local|peer ADDRESS SIZE	the same to whom received last from
 *	locators N			SHIM_LOC_LOCAL_RECV, SHIM_LOC_PEER_RECV
 *	hear N				what is there: size, local and peer's locator
 *	list N ADDRESS			SHIM_LOCLIST_LOCAL, of one
 *	timeout N SECONDS		SHIM_APP_TIMEOUT
 *	standby N 0|1			SHIM_HOT_STANDBY
 *	stands N			what that is
 *	join N ADDRESS PORT		a peer for a socket that is there
 *	used N local|peer		the locator in use
 *	dontshim N 0|1			SHIM_DONTSHIM
 *	associated N			SHIM_ASSOCIATED
 *	port N				of the local end
 *	inode N				as `ss -e` shows it
 *	close N
 *
 * N is a number below 64 that names a socket. Waiting ends after ten seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/shim6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define SOCKETS	64
#define WORDS	8

static struct {
	int fd;
	struct sockaddr_in6 from;
	socklen_t from_len;
} sockets[SOCKETS];

static char octets[65536];

/* Errors leave by here: the number of the error becomes the answer. */
static bool failed(void)
{
	printf("error %d\n", errno);
	return false;
}

static struct sockaddr_in6 endpoint(const char *text, const char *port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };

	if (inet_pton(AF_INET6, text, &a.sin6_addr) != 1)
		fprintf(stderr, "sockets: not an IPv6 address: %s\n", text);
	return a;
}

static bool make(int n, const char *kind, int flags)
{
	struct timeval limit = { .tv_sec = 10 };
	int one = 1, fd;

	if (!strcmp(kind, "tcp"))
		fd = socket(AF_INET6, SOCK_STREAM | flags, 0);
	else if (!strcmp(kind, "udp"))
		fd = socket(AF_INET6, SOCK_DGRAM | flags, 0);
	else
		fd = socket(AF_INET6, SOCK_RAW | flags, 253);
	if (fd < 0)
		return false;
	sockets[n].fd = fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return true;
}

static bool bind_to(int n, const char *text, const char *port)
{
	struct sockaddr_in6 here = endpoint(text, port);

	return !bind(sockets[n].fd, (void *)&here, sizeof(here));
}

static bool connect_to(int n, const char *text, const char *port)
{
	struct sockaddr_in6 there = endpoint(text, port);

	return !connect(sockets[n].fd, (void *)&there, sizeof(there));
}

static int side(const char *word)
{
	return strcmp(word, "local") ? SHIM_LOC_PEER_PREF : SHIM_LOC_LOCAL_PREF;
}

static bool prefer(int n, const char *which, const char *text)
{
	struct shim_locator locator = { .lc_family = AF_INET6, .lc_preference = 255 };

	if (!text)
		return !setsockopt(sockets[n].fd, SOL_SHIM, side(which), NULL, 0);
	if (inet_pton(AF_INET6, text, locator.lc_addr) != 1) {
		errno = EDESTADDRREQ;
		return false;
	}
	return !setsockopt(sockets[n].fd, SOL_SHIM, side(which), &locator, sizeof(locator));
}

/* A datagram by a locator of its own. */
static bool through(int n, const char *which, const char *text, const char *size, bool answers)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	union { char octets[CMSG_SPACE(sizeof(address))]; struct cmsghdr align; } control = { 0 };
	struct iovec iov = { octets, atoi(size) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1) {
		errno = EDESTADDRREQ;
		return false;
	}
	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = strcmp(which, "local") ? SHIM_LOC_PEER_SEND : SHIM_LOC_LOCAL_SEND;
	cmsg->cmsg_len = CMSG_LEN(sizeof(address));
	memcpy(CMSG_DATA(cmsg), &address, sizeof(address));
	if (answers) {
		message.msg_name = &sockets[n].from;
		message.msg_namelen = sockets[n].from_len;
	}
	return sendmsg(sockets[n].fd, &message, MSG_NOSIGNAL) >= 0;
}

/* A datagram and the locators that it came over; "-" for what is not told. */
static bool hear(int n)
{
	char control[256], local[INET6_ADDRSTRLEN] = "-", peer[INET6_ADDRSTRLEN] = "-";
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr message = {
		.msg_name = &sockets[n].from,
		.msg_namelen = sizeof(sockets[n].from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(sockets[n].fd, &message, 0);

	if (got < 0)
		return failed();
	sockets[n].from_len = message.msg_namelen;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message); cmsg;
	     cmsg = CMSG_NXTHDR(&message, cmsg)) {
		struct sockaddr_in6 address;

		if (cmsg->cmsg_level != SOL_SHIM)
			continue;
		memcpy(&address, CMSG_DATA(cmsg), sizeof(address));
		inet_ntop(AF_INET6, &address.sin6_addr,
			  cmsg->cmsg_type == SHIM_LOC_LOCAL_RECV ? local : peer, INET6_ADDRSTRLEN);
	}
	printf("ok %zd %s %s\n", got, local, peer);
	return false;
}

static bool list(int n, const char *text)
{
	struct shim_locator locator = { .lc_family = AF_INET6, .lc_preference = 255 };

	if (inet_pton(AF_INET6, text, locator.lc_addr) != 1) {
		errno = EDESTADDRREQ;
		return false;
	}
	return !setsockopt(sockets[n].fd, SOL_SHIM, SHIM_LOCLIST_LOCAL, &locator, sizeof(locator));
}

static bool number(int n, int name, const char *word)
{
	int value = atoi(word);

	return !setsockopt(sockets[n].fd, SOL_SHIM, name, &value, sizeof(value));
}

static bool used(int n, const char *which)
{
	char text[INET6_ADDRSTRLEN];
	struct shim_locator locator;
	socklen_t len = sizeof(locator);

	if (getsockopt(sockets[n].fd, SOL_SHIM, side(which), &locator, &len))
		return failed();
	printf("ok %s\n", inet_ntop(AF_INET6, locator.lc_addr, text, sizeof(text)));
	return false;
}

static bool value_of(int n, int name)
{
	int value;
	socklen_t len = sizeof(value);

	if (getsockopt(sockets[n].fd, SOL_SHIM, name, &value, &len))
		return failed();
	printf("ok %d\n", value);
	return false;
}

static bool finish(int n)
{
	struct pollfd pollfd = { .fd = sockets[n].fd, .events = POLLOUT };
	int error = 0, flags = fcntl(sockets[n].fd, F_GETFL);
	socklen_t len = sizeof(error);

	if (poll(&pollfd, 1, 10000) != 1) {
		errno = ETIMEDOUT;
		return false;
	}
	if (getsockopt(sockets[n].fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
		errno = error;
		return false;
	}
	return !fcntl(sockets[n].fd, F_SETFL, flags & ~O_NONBLOCK);
}

static bool receive(int n)
{
	ssize_t got;

	sockets[n].from_len = sizeof(sockets[n].from);
	got = recvfrom(sockets[n].fd, octets, sizeof(octets), 0, (void *)&sockets[n].from,
		       &sockets[n].from_len);
	if (got < 0)
		return failed();
	printf("ok %zd\n", got);
	return false;
}

static bool reply(int n, const char *size)
{
	return sendto(sockets[n].fd, octets, atoi(size), MSG_NOSIGNAL, (void *)&sockets[n].from,
		      sockets[n].from_len) >= 0;
}

static bool port_of(int n)
{
	struct sockaddr_in6 here;
	socklen_t len = sizeof(here);

	if (getsockname(sockets[n].fd, (void *)&here, &len))
		return failed();
	printf("ok %u\n", ntohs(here.sin6_port));
	return false;
}

static bool inode(int n)
{
	struct stat status;

	if (fstat(sockets[n].fd, &status))
		return failed();
	printf("ok %llu\n", (unsigned long long)status.st_ino);
	return false;
}

/* True for an "ok" without more; false if it failed or has been answered. */
static bool command(char **word, int words)
{
	const char *name = word[0];
	int n = atoi(word[1]);

#define IS(text, count)	(!strcmp(name, text) && words == (count))
	if (n < 0 || n >= SOCKETS) {
		errno = EBADF;
		return failed();
	}
	if (IS("listen", 4))
		return (make(n, "tcp", 0) && bind_to(n, word[2], word[3]) &&
			!listen(sockets[n].fd, 16)) || failed();
	if (IS("accept", 3)) {
		struct timeval limit = { .tv_sec = 10 };

		sockets[n].fd = accept(sockets[atoi(word[2]) % SOCKETS].fd, NULL, NULL);
		return (sockets[n].fd >= 0 &&
			!setsockopt(sockets[n].fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
				    sizeof(limit))) || failed();
	}
	if (IS("open", 5))
		return (make(n, word[2], 0) && bind_to(n, word[3], word[4])) || failed();
	if (IS("connect", 6))
		return (make(n, word[2], 0) && bind_to(n, word[3], "0") &&
			connect_to(n, word[4], word[5])) || failed();
	if (IS("begin", 5))
		return (make(n, "tcp", SOCK_NONBLOCK) && bind_to(n, word[2], "0") &&
			(connect_to(n, word[3], word[4]) || errno == EINPROGRESS)) || failed();
	if (IS("finish", 2))
		return finish(n) || failed();
	if (IS("send", 3))
		return send(sockets[n].fd, octets, atoi(word[2]), MSG_NOSIGNAL) >= 0 || failed();
	if (IS("receive", 2))
		return receive(n);
	if (IS("reply", 3))
		return reply(n, word[2]) || failed();
	if (IS("prefer", 4))
		return prefer(n, word[2], word[3]) || failed();
	if (IS("disable", 3))
		return prefer(n, word[2], NULL) || failed();
	if (IS("used", 3))
		return used(n, word[2]);
	if (IS("dontshim", 3))
		return number(n, SHIM_DONTSHIM, word[2]) || failed();
	if (IS("timeout", 3))
		return number(n, SHIM_APP_TIMEOUT, word[2]) || failed();
	if (IS("standby", 3))
		return number(n, SHIM_HOT_STANDBY, word[2]) || failed();
	if (IS("stands", 2))
		return value_of(n, SHIM_HOT_STANDBY);
	if (IS("join", 4))
		return connect_to(n, word[2], word[3]) || failed();
	if (IS("through", 5))
		return through(n, word[2], word[3], word[4], false) || failed();
	if (IS("answer", 5))
		return through(n, word[2], word[3], word[4], true) || failed();
	if (IS("locators", 2))
		return (number(n, SHIM_LOC_LOCAL_RECV, "1") &&
			number(n, SHIM_LOC_PEER_RECV, "1")) || failed();
	if (IS("hear", 2))
		return hear(n);
	if (IS("list", 3))
		return list(n, word[2]) || failed();
	if (IS("associated", 2))
		return value_of(n, SHIM_ASSOCIATED);
	if (IS("port", 2))
		return port_of(n);
	if (IS("inode", 2))
		return inode(n);
	if (IS("close", 2))
		return !close(sockets[n].fd) || failed();
	errno = EINVAL;
	return failed();
}

int main(void)
{
	char line[512], *rest, *word[WORDS];
	int words;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		rest = line;
		for (words = 0; words < WORDS && (word[words] = strsep(&rest, "\n ")); words++)
			if (!*word[words])
				words--;
		if (words < 2) {
			puts("error 0");
			continue;
		}
		if (command(word, words))
			puts("ok");
	}
	return 0;
}
