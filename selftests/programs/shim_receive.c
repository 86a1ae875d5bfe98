// SPDX-License-Identifier: GPL-2.0
/*
 * Example: over what locators datagrams come in.
 *
 *	shim_receive ADDRESS PORT COUNT
 *
 * Receives so many datagrams at a UDP socket, and prints for each the ULID of its
 * sender and the locators that it came over:
 *
 *	from 2001:db8:1::b: 2001:db8:2::b to 2001:db8:2::a
 *
 * A datagram without a context has no locators but its addresses.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/shim6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void receive(int fd)
{
	char octets[2048], control[2 * CMSG_SPACE(sizeof(struct sockaddr_in6))];
	char from[INET6_ADDRSTRLEN], text[2][INET6_ADDRSTRLEN] = { "", "" };
	struct sockaddr_in6 ulid, locator;
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = {
		.msg_name = &ulid,
		.msg_namelen = sizeof(ulid),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, 0) < 0)
		err(1, "recvmsg");
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SHIM)
			continue;
		memcpy(&locator, CMSG_DATA(cmsg), sizeof(locator));
		inet_ntop(AF_INET6, &locator.sin6_addr, text[cmsg->cmsg_type == SHIM_LOC_PEER_RECV],
			  INET6_ADDRSTRLEN);
	}
	inet_ntop(AF_INET6, &ulid.sin6_addr, from, sizeof(from));
	printf("from %s: %s to %s\n", from, text[1], text[0]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
	int fd, one = 1;

	if (argc != 4 || inet_pton(AF_INET6, argv[1], &at.sin6_addr) != 1)
		errx(1, "usage: shim_receive ADDRESS PORT COUNT");
	at.sin6_port = htons(atoi(argv[2]));
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s", argv[1]);
	if (setsockopt(fd, SOL_SHIM, SHIM_LOC_LOCAL_RECV, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SHIM, SHIM_LOC_PEER_RECV, &one, sizeof(one)))
		err(1, "this kernel has no shim");
	puts("ready");
	fflush(stdout);
	for (int i = atoi(argv[3]); i > 0; i--)
		receive(fd);
	return 0;
}
