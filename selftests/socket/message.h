/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams with ancillary data, sent and received.
 */
#ifndef SELFTESTS_MESSAGE_H
#define SELFTESTS_MESSAGE_H

#include "sniffer.h"

/* Room for all that a message can come with here. */
#define ROOM	512

/* --- Messages ------------------------------------------------------------- */

struct out {
	struct msghdr msg;
	struct iovec iov;
	size_t used;
	char control[ROOM] __attribute__((aligned(8)));
};

static void UNUSED compose(struct out *out, const void *octets, size_t len)
{
	memset(out, 0, sizeof(*out));
	out->iov = (struct iovec){ .iov_base = (void *)octets, .iov_len = len };
	out->msg.msg_iov = &out->iov;
	out->msg.msg_iovlen = 1;
}

static void UNUSED add(struct out *out, int level, int type, const void *value, size_t len)
{
	struct cmsghdr *cmsg = (void *)(out->control + out->used);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	if (len)
		memcpy(CMSG_DATA(cmsg), value, len);
	out->used += CMSG_SPACE(len);
	out->msg.msg_control = out->control;
	out->msg.msg_controllen = out->used;
}

static void UNUSED add_locator(struct out *out, int type, const char *text)
{
	struct sockaddr_in6 locator = at(text, 0);

	add(out, SOL_SHIM, type, &locator, sizeof(locator));
}

static int UNUSED deliver(int fd, struct out *out, int flags)
{
	return sendmsg(fd, &out->msg, flags) < 0 ? errno : 0;
}

/* A datagram that can be told from others, with one or two locators. */
static int UNUSED send_over(int fd, const char *mark, const char *local, const char *peer)
{
	struct out out;

	compose(&out, mark, MARK_LEN);
	if (local)
		add_locator(&out, SHIM_LOC_LOCAL_SEND, local);
	if (peer)
		add_locator(&out, SHIM_LOC_PEER_SEND, peer);
	return deliver(fd, &out, 0);
}

static const char UNUSED *fresh_mark(void)
{
	static char mark[MARK_LEN + 1];
	static unsigned int number;

	snprintf(mark, sizeof(mark), "anc. %011u", number++);
	return mark;
}

/* The packet with this mark went so. */
static void UNUSED went(const char *mark, const char *from, const char *to, const char *what)
{
	enum fate fate = wait_for(ends_with, mark, false);

	if (!tap_ok(fate != UNSEEN && from_to(&seen.header, from, to), "%s", what))
		explain(fate);
}

static int UNUSED send_raw(int fd, int level, int type, const void *value, size_t len)
{
	struct out out;

	compose(&out, "x", 1);
	add(&out, level, type, value, len);
	return deliver(fd, &out, 0);
}

/* --- What was received ---------------------------------------------------- */

struct in {
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_in6 from;
	char octets[70000];
	char control[ROOM] __attribute__((aligned(8)));
};

static ssize_t UNUSED take_with(int fd, struct in *in, size_t room, int flags)
{
	memset(&in->msg, 0, sizeof(in->msg));
	in->iov = (struct iovec){ .iov_base = in->octets, .iov_len = sizeof(in->octets) };
	in->msg.msg_iov = &in->iov;
	in->msg.msg_iovlen = 1;
	in->msg.msg_name = &in->from;
	in->msg.msg_namelen = sizeof(in->from);
	in->msg.msg_control = in->control;
	in->msg.msg_controllen = room;
	return recvmsg(fd, &in->msg, flags);
}

static void UNUSED take(int fd, struct in *in, int flags)
{
	if (take_with(fd, in, sizeof(in->control), flags) < 0)
		tap_bail("recvmsg");
}

static const struct cmsghdr UNUSED *cmsg_of(struct msghdr *msg, int level, int type,
					    unsigned int *count)
{
	const struct cmsghdr *found = NULL;
	struct cmsghdr *cmsg;

	*count = 0;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type) {
			found = cmsg;
			(*count)++;
		}
	}
	return found;
}

/* A message has exactly this locator of this type, or none if @text is NULL. */
static bool UNUSED has(struct msghdr *msg, int type, const char *text)
{
	const struct cmsghdr *cmsg;
	struct sockaddr_in6 locator;
	unsigned int count;

	cmsg = cmsg_of(msg, SOL_SHIM, type, &count);
	if (!text)
		return !cmsg;
	if (!cmsg || count != 1 || cmsg->cmsg_len != CMSG_LEN(sizeof(locator)))
		return false;
	memcpy(&locator, CMSG_DATA(cmsg), sizeof(locator));
	return locator.sin6_family == AF_INET6 && !locator.sin6_port && !locator.sin6_flowinfo &&
	       !locator.sin6_scope_id && is(&locator.sin6_addr, text);
}

static void UNUSED note_cmsgs(struct msghdr *msg)
{
	char text[INET6_ADDRSTRLEN];
	struct cmsghdr *cmsg;

	tap_note("flags %x, %zu octets of ancillary data", msg->msg_flags,
		 (size_t)msg->msg_controllen);
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		text[0] = 0;
		if (cmsg->cmsg_level == SOL_SHIM)
			inet_ntop(AF_INET6, CMSG_DATA(cmsg) + 8, text, sizeof(text));
		tap_note("level %d, type %d, length %zu %s", cmsg->cmsg_level, cmsg->cmsg_type,
			 (size_t)cmsg->cmsg_len, text);
	}
}

static void UNUSED came(struct in *in, const char *local, const char *peer, const char *what)
{
	if (!tap_ok(has(&in->msg, SHIM_LOC_LOCAL_RECV, local) &&
		    has(&in->msg, SHIM_LOC_PEER_RECV, peer), "%s", what))
		note_cmsgs(&in->msg);
}

static int UNUSED patient(const struct kind *kind)
{
	struct timeval patience = { .tv_sec = 5 };
	int fd = open_kind(kind);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		tap_bail("%s socket", kind->name);
	return fd;
}

static void UNUSED want_both(int fd)
{
	same(set_int(fd, SHIM_LOC_LOCAL_RECV, 1), 0, "SHIM_LOC_LOCAL_RECV is set #53");
	same(set_int(fd, SHIM_LOC_PEER_RECV, 1), 0, "SHIM_LOC_PEER_RECV is set #53");
}

static void UNUSED say(int fd, const void *octets, size_t len)
{
	if (send(fd, octets, len, 0) != (ssize_t)len)
		tap_bail("send");
}

static struct in in;

#endif /* SELFTESTS_MESSAGE_H */
