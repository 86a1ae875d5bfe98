/* SPDX-License-Identifier: GPL-2.0 */
/* What programs of the selftests read from their command lines: numbers and addresses. */
#ifndef SELFTESTS_ARGUMENTS_H
#define SELFTESTS_ARGUMENTS_H

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

/* A decimal number in these bounds; ends the program with status 2 if it is none. */
__attribute__((unused))
static long number(const char *text, long least, long most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || !*text || *end || value < least || value > most)
		errx(2, "not a number between %ld and %ld: %s", least, most, text);
	return value;
}

/* The socket address of an IPv6 address and a port; the same if it is none. */
__attribute__((unused))
static struct sockaddr_in6 name(const char *address, int port)
{
	struct sockaddr_in6 name = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET6, address, &name.sin6_addr) != 1)
		errx(2, "not an IPv6 address: %s", address);
	return name;
}

#endif /* SELFTESTS_ARGUMENTS_H */
