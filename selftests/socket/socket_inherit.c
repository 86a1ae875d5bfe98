// SPDX-License-Identifier: GPL-2.0
/*
 * SHIM_DONTSHIM passes from a listener to the sockets accepted from it, and
 * from there on each socket has its own.
 */
#include "socket.h"

#define PORT	7002

static void test_children(const struct kind *kind, const char *listen_text, const char *name)
{
	struct sockaddr_in6 peer = at(listen_text, PORT);
	int listener = listen_at(kind, listen_text, PORT);
	int early, fd, child, first, second;

	/* Established before the listener opts out, accepted after it did. */
	early = open_kind(&tcp6);
	if (connect(early, (struct sockaddr *)&peer, sizeof(peer)))
		tap_bail("connect");
	same(set_int(listener, SHIM_DONTSHIM, 1), 0, "%s: the listener opts out", name);
	child = accept_from(listener);
	same(get_int(child, SHIM_DONTSHIM), 0, "%s: an older connection stays in", name);
	close(child);
	close(early);

	fd = open_kind(&tcp6);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		tap_bail("connect");
	first = accept_from(listener);
	same(get_int(first, SHIM_DONTSHIM), 1, "%s: an accepted socket is opted out", name);
	same(get_int(fd, SHIM_DONTSHIM), 0, "%s: its peer's socket is not", name);
	same(set_int(first, SHIM_DONTSHIM, 0), 0, "%s: it opts in again", name);
	same(get_int(listener, SHIM_DONTSHIM), 1, "%s: not the listener", name);
	close(first);
	close(fd);

	same(set_int(listener, SHIM_DONTSHIM, 0), 0, "%s: the listener opts in again", name);
	fd = open_kind(&tcp6);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		tap_bail("connect");
	second = accept_from(listener);
	same(get_int(second, SHIM_DONTSHIM), 0, "%s: so is a socket accepted then", name);
	close(second);
	close(fd);

	/* A listener may go while its children stay. */
	same(set_int(listener, SHIM_DONTSHIM, 1), 0, "%s: the listener opts out once more", name);
	fd = open_kind(&tcp6);
	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)))
		tap_bail("connect");
	child = accept_from(listener);
	close(listener);
	same(get_int(child, SHIM_DONTSHIM), 1, "%s: a child outlives its listener opted out", name);
	close(child);
	close(fd);
}

int main(void)
{
	new_namespace();
	add_addresses();
	test_children(&tcp6, ULID_B, "TCP");
	return tap_done();
}
