// SPDX-License-Identifier: GPL-2.0
/*
 * Example: what the shim does for a connection.
 *
 *	shim_look SOURCE DESTINATION PORT
 *
 * Connects a UDP socket, asks for a context, and waits at most ten seconds until
 * the socket is associated with one. Then prints the locator lists and the
 * locators in use, and what failure detection goes by:
 *
 *	local 2001:db8:1::a 255 hba *
 *	peer 2001:db8:2::b 235 none
 *	probes 4, 500 ms apart, after 15 s of silence
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/shim6.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct sockaddr_in6 parse(const char *text, const char *port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1)
		errx(1, "%s is no IPv6 address", text);
	address.sin6_port = htons(atoi(port));
	return address;
}

static int is_associated(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, &value, &len))
		errx(1, errno == ENOPROTOOPT ? "this kernel has no shim" : "SHIM_ASSOCIATED");
	return value;
}

static const char *proof(int flags)
{
	return flags & SHIM_LC_HBA ? "hba" : flags & SHIM_LC_CGA ? "cga" : "none";
}

static void show_list(int fd, const char *side, int list_option, int used_option)
{
	struct shim_locator list[SHIM_MAX_LOCATORS], used;
	socklen_t len = sizeof(list), used_len = sizeof(used);
	char text[INET6_ADDRSTRLEN];

	if (getsockopt(fd, SOL_SHIM, list_option, list, &len) ||
	    getsockopt(fd, SOL_SHIM, used_option, &used, &used_len))
		err(1, "%s locators", side);
	for (size_t i = 0; i < len / sizeof(list[0]); i++) {
		inet_ntop(AF_INET6, list[i].lc_addr, text, sizeof(text));
		printf("%s %s %u %s%s\n", side, text, list[i].lc_preference,
		       proof(list[i].lc_flags),
		       memcmp(list[i].lc_addr, used.lc_addr, sizeof(used.lc_addr)) ? "" : " *");
	}
}

int main(int argc, char **argv)
{
	struct shim_pathexplore explore;
	struct sockaddr_in6 from, to;
	socklen_t len = sizeof(explore);
	int fd, now = 0;

	if (argc != 4)
		errx(1, "usage: shim_look SOURCE DESTINATION PORT");
	from = parse(argv[1], "0");
	to = parse(argv[2], argv[3]);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s to %s", argv[1], argv[2]);

	/* Not some time after the first packets: now. */
	if (setsockopt(fd, SOL_SHIM, SHIM_CONTEXT_DEFERRED_SETUP, &now, sizeof(now)))
		err(1, "SHIM_CONTEXT_DEFERRED_SETUP");
	for (int i = 0; !is_associated(fd); i++) {
		if (i == 100)
			errx(1, "no context");
		poll(NULL, 0, 100);
	}
	show_list(fd, "local", SHIM_LOCLIST_LOCAL, SHIM_LOC_LOCAL_PREF);
	show_list(fd, "peer", SHIM_LOCLIST_PEER, SHIM_LOC_PEER_PREF);
	if (getsockopt(fd, SOL_SHIM, SHIM_PATHEXPLORE, &explore, &len))
		err(1, "SHIM_PATHEXPLORE");
	printf("probes %u, %u ms apart, after %u s of silence\n", explore.pe_probenum,
	       explore.pe_initprobeto, explore.pe_keepaliveto);
	return 0;
}
