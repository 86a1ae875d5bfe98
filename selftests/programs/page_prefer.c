// SPDX-License-Identifier: GPL-2.0
/*
 * The program of the README, called as it is to be called: page_prefer SOURCE DESTINATION PORT
 * LOCATOR connects, prefers the locator, and prints which one is in use then.
 */
#include "page_readme.h"

#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>

static struct in6_addr address_of(const char *text)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, text, &address) != 1)
		errx(1, "%s is no IPv6 address", text);
	return address;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 }, to = { .sin6_family = AF_INET6 };
	struct shim_locator used;
	socklen_t len = sizeof(used);
	char text[INET6_ADDRSTRLEN];
	struct in6_addr locator;
	int fd;

	if (argc != 5)
		errx(2, "usage: page_prefer SOURCE DESTINATION PORT LOCATOR");
	from.sin6_addr = address_of(argv[1]);
	to.sin6_addr = address_of(argv[2]);
	to.sin6_port = htons(atoi(argv[3]));
	locator = address_of(argv[4]);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "socket");
	if (prefer(fd, &locator))
		err(1, "prefer");
	if (getsockopt(fd, SOL_SHIM, SHIM_LOC_PEER_PREF, &used, &len))
		err(1, "SHIM_LOC_PEER_PREF");
	printf("peer locator: %s\n", inet_ntop(AF_INET6, used.lc_addr, text, sizeof(text)));
	return 0;
}
