// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at the shim below a TCP connection and steers it, through SOL_SHIM
 * (draft-ietf-shim6-multihome-shim-api-03).
 *
 *	steer -l PORT			waits for the other one's connection
 *	steer SOURCE DESTINATION PORT	connects to it
 *
 * Each prints whether the shim serves its socket and the locator lists, then a
 * line whenever the locators by which its host sends change. Every line starts
 * with the time in milliseconds since boot. On standard input it takes
 *
 *	prefer LOCAL PEER
 *
 * It then prefers those locators for what its host sends, and asks the other
 * one, over their connection, to do the same for the opposite direction: the
 * request travels by the new locators already.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/shim6.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How often to ask which locators are in use. */
#define LOOK_MS		20

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	struct timespec now;
	va_list args;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld ", now.tv_sec * 1000LL + now.tv_nsec / 1000000);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* strerror() does not know the errors of this API. */
static const char *reason(int error)
{
	switch (error) {
	case ENOPROTOOPT: return "this kernel has no shim (is the module loaded?)";
	case ENOENT: return "no context serves this socket";
	case EINVALIDLOCATOR: return "not a locator of this context, or not verified";
	case EUNVERIFIEDLOCATOR: return "not verified yet";
	case EUNREACHABLELOCATOR: return "known to be unreachable";
	case ETOOMANYLOCATORS: return "too many locators";
	}
	return strerror(error);
}

static const char *text_of(const struct shim_locator *locator)
{
	static char texts[2][INET6_ADDRSTRLEN];
	static int turn;

	turn = !turn;
	inet_ntop(AF_INET6, locator->lc_addr, texts[turn], sizeof(texts[turn]));
	return texts[turn];
}

static void show_association(int fd)
{
	int associated = 0;
	socklen_t length = sizeof(associated);

	if (getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, &associated, &length))
		errx(1, "SHIM_ASSOCIATED: %s", reason(errno));
	say("SHIM_ASSOCIATED %d", associated);
}

static void show_list(int fd, int option, const char *name)
{
	struct shim_locator list[SHIM_MAX_LOCATORS];
	socklen_t length = sizeof(list);
	size_t i;

	if (getsockopt(fd, SOL_SHIM, option, list, &length))
		errx(1, "%s: %s", name, reason(errno));
	for (i = 0; i < length / sizeof(*list); i++)
		say("%s %s preference %u%s%s", name, text_of(&list[i]), list[i].lc_preference,
		    list[i].lc_flags & SHIM_LC_HBA ? " hba" : "",
		    list[i].lc_flags & SHIM_LC_CGA ? " cga" : "");
}

/* A line if Lp(local) or Lp(peer) is another than before. */
static void show_current(int fd)
{
	static struct shim_locator before[2];
	struct shim_locator now[2] = { 0 };
	socklen_t length = sizeof(*now);

	if (getsockopt(fd, SOL_SHIM, SHIM_LOC_LOCAL_PREF, &now[0], &length) ||
	    getsockopt(fd, SOL_SHIM, SHIM_LOC_PEER_PREF, &now[1], &length))
		errx(1, "current locators: %s", reason(errno));
	if (!memcmp(before[0].lc_addr, now[0].lc_addr, 16) &&
	    !memcmp(before[1].lc_addr, now[1].lc_addr, 16))
		return;
	memcpy(before, now, sizeof(now));
	say("sends %s %s", text_of(&now[0]), text_of(&now[1]));
}

static bool prefer(int fd, int option, const char *name, const char *address)
{
	struct shim_locator locator = { .lc_family = AF_INET6, .lc_preference = 255 };

	if (inet_pton(AF_INET6, address, locator.lc_addr) != 1) {
		say("failed: not an IPv6 address: %s", address);
		return false;
	}
	if (setsockopt(fd, SOL_SHIM, option, &locator, sizeof(locator))) {
		say("failed: %s %s: %s", name, address, reason(errno));
		return false;
	}
	say("%s %s", name, address);
	return true;
}

static bool prefer_pair(int fd, const char *local, const char *peer)
{
	return prefer(fd, SHIM_LOC_LOCAL_PREF, "SHIM_LOC_LOCAL_PREF", local) &&
	       prefer(fd, SHIM_LOC_PEER_PREF, "SHIM_LOC_PEER_PREF", peer);
}

/* "prefer LOCAL PEER" from the user or, roles exchanged, from the other side. */
static void command(int fd, const char *line, bool from_user)
{
	char local[64], peer[64];

	if (sscanf(line, "prefer %63s %63s", local, peer) != 2) {
		say("failed: not \"prefer LOCAL PEER\": %s", line);
		return;
	}
	if (!from_user) {
		prefer_pair(fd, peer, local);
	} else if (prefer_pair(fd, local, peer) &&
		   dprintf(fd, "prefer %s %s\n", local, peer) < 0) {
		err(1, "connection");
	}
	show_current(fd);
}

/* Reads what is there; false at the end. */
static bool commands(int from, int fd)
{
	char text[1024], *line, *rest = text;
	ssize_t n = read(from, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = 0;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			command(fd, line, from != fd);
	return true;
}

static struct sockaddr_in6 endpoint(const char *text, const char *port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };

	if (inet_pton(AF_INET6, text, &a.sin6_addr) != 1)
		errx(2, "not an IPv6 address: %s", text);
	return a;
}

static int wait_for_peer(const char *port)
{
	struct sockaddr_in6 here = endpoint("::", port);
	int one = 1, fd, listener = socket(AF_INET6, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (void *)&here, sizeof(here)) || listen(listener, 1))
		err(1, "port %s", port);
	say("listening");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	close(listener);
	return fd;
}

static int connect_to_peer(const char *source, const char *destination, const char *port)
{
	struct sockaddr_in6 here = endpoint(source, "0"), there = endpoint(destination, port);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (bind(fd, (void *)&here, sizeof(here)))
		err(1, "%s", source);
	if (connect(fd, (void *)&there, sizeof(there)))
		err(1, "%s port %s", destination, port);
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int fd;

	if (argc == 3 && !strcmp(argv[1], "-l"))
		fd = wait_for_peer(argv[2]);
	else if (argc == 4)
		fd = connect_to_peer(argv[1], argv[2], argv[3]);
	else
		errx(2, "usage: steer -l PORT | steer SOURCE DESTINATION PORT");

	show_association(fd);
	show_list(fd, SHIM_LOCLIST_LOCAL, "SHIM_LOCLIST_LOCAL");
	show_list(fd, SHIM_LOCLIST_PEER, "SHIM_LOCLIST_PEER");
	fds[0].fd = fd;
	fds[1].fd = STDIN_FILENO;
	for (;;) {
		show_current(fd);
		if (poll(fds, 2, LOOK_MS) < 0)
			err(1, "poll");
		if (fds[0].revents && !commands(fd, fd))
			return 0;
		/* The end of input is no reason to let go of the connection. */
		if (fds[1].revents && !commands(STDIN_FILENO, fd))
			fds[1].fd = -1;
	}
}
