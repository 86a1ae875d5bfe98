// SPDX-License-Identifier: GPL-2.0
/*
 * Example: datagrams over chosen locators.
 *
 *	shim_steer SOURCE DESTINATION PORT [LOCAL PEER]...
 *
 * Sends one datagram between the ULIDs over the locators that the context uses,
 * then one for each pair of locators. Prints what became of each:
 *
 *	2001:db8:2::a 2001:db8:2::b: sent
 *	2001:db8:2::a 2001:db8:9::9: the shim does not take these locators
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/shim6.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct sockaddr_in6 parse(const char *text, int port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET6, text, &address.sin6_addr) != 1)
		errx(1, "%s is no IPv6 address", text);
	return address;
}

static struct cmsghdr *put(struct cmsghdr *cmsg, int type, const char *text)
{
	struct sockaddr_in6 locator = parse(text, 0);

	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(sizeof(locator));
	memcpy(CMSG_DATA(cmsg), &locator, sizeof(locator));
	return (struct cmsghdr *)((char *)cmsg + CMSG_SPACE(sizeof(locator)));
}

static void send_over(int fd, const char *local, const char *peer)
{
	union {
		char octets[2 * CMSG_SPACE(sizeof(struct sockaddr_in6))];
		struct cmsghdr first;
	} control;
	char octets[] = "over these locators";
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const char *result = "sent";

	memset(&control, 0, sizeof(control));
	put(put(&control.first, SHIM_LOC_LOCAL_SEND, local), SHIM_LOC_PEER_SEND, peer);
	if (sendmsg(fd, &msg, 0) < 0)
		result = errno == EINVALIDLOCATOR ? "the shim does not take these locators" :
			 errno == ENOENT ? "no context" : strerror(errno);
	printf("%s %s: %s\n", local, peer, result);
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 from, to;
	int fd, associated;
	socklen_t len = sizeof(associated);

	if (argc < 4 || argc % 2)
		errx(1, "usage: shim_steer SOURCE DESTINATION PORT [LOCAL PEER]...");
	from = parse(argv[1], 0);
	to = parse(argv[2], atoi(argv[3]));
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s to %s", argv[1], argv[2]);

	/* Also what makes the kernel look at ancillary data of this socket. */
	if (getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, &associated, &len))
		err(1, "this kernel has no shim");
	if (send(fd, "over the current ones", 22, 0) < 0)
		err(1, "send");
	for (int i = 4; i < argc; i += 2)
		send_over(fd, argv[i], argv[i + 1]);
	return 0;
}
