// SPDX-License-Identifier: GPL-2.0
/* Ancillary data of messages, and what sending and receiving functions know beside it. */
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/flow.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "helpers.h"

/* The bit of rxopt that IPv6 has no name for. */
#define WANTS_CTL	0x8000

/* Called from an ftrace callback: no user memory. */
bool notrace shim6_helper_msg_has_level(const struct msghdr *msg, int level)
{
	struct cmsghdr *cmsg;

	if (msg->msg_control_is_user)
		return false;
	for_each_cmsghdr(cmsg, (struct msghdr *)msg) {
		if (!CMSG_OK(msg, cmsg))
			return false;
		if (cmsg->cmsg_level == level)
			return true;
	}
	return false;
}

/*
 * Whether ip6_datagram_send_ctl() is called by a function that sends, so that
 * the message has a name: setsockopt() calls it with options behind those of the
 * socket, and a message that is not filled in. Called from an ftrace callback.
 */
bool notrace shim6_helper_is_send(const struct ipcm6_cookie *ipc6)
{
	return ipc6->opt && ipc6->opt->tot_len == sizeof(*ipc6->opt);
}

/* Ends at the first that @visit does not return 0 for. */
int shim6_helper_msg_for_each(struct msghdr *msg, int level,
			      int (*visit)(void *data, int type, const void *value, size_t len),
			      void *data)
{
	struct cmsghdr *cmsg;
	int err;

	if (msg->msg_control_is_user)
		return -EINVAL;
	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != level)
			continue;
		err = visit(data, cmsg->cmsg_type, CMSG_DATA(cmsg),
			    cmsg->cmsg_len - sizeof(*cmsg));
		if (err)
			return err;
	}
	return 0;
}

/* Where a message of a UDP or raw socket is to go; the sending function has checked its name. */
bool shim6_helper_msg_destination(struct sock *sk, const struct msghdr *msg,
				  struct in6_addr *daddr)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (sin6)
		*daddr = sin6->sin6_addr;
	else if (sk->sk_state == TCP_ESTABLISHED)
		*daddr = sk->sk_v6_daddr;
	else
		return false;
	return true;
}

/* The port of that, in host byte order; raw sockets have none. */
u16 shim6_helper_msg_port(const struct sock *sk, const struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (sk->sk_type == SOCK_RAW)
		return 0;
	return ntohs(sin6 ? sin6->sin6_port : READ_ONCE(sk->sk_dport));
}

/*
 * The source that a message is going to have: that of its ancillary data, that
 * of its socket, or what routing says.
 */
bool shim6_helper_msg_source(struct net *net, struct sock *sk, const struct flowi6 *fl6,
			     const struct in6_addr *daddr, struct in6_addr *saddr)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct dst_entry *dst;
	struct flowi6 flow;

	if (!ipv6_addr_any(&fl6->saddr)) {
		*saddr = fl6->saddr;
		return true;
	}
	if (!ipv6_addr_any(&np->saddr)) {
		*saddr = np->saddr;
		return true;
	}
	flow = *fl6;
	flow.daddr = *daddr;
	flow.flowi6_proto = sk->sk_protocol;
	if (ip6_dst_lookup(net, sk, &dst, &flow))
		return false;
	dst_release(dst);
	*saddr = flow.saddr;
	return true;
}

/* The interface that a message has to leave by, 0 for any. */
int shim6_helper_sock_bound_dev(const struct sock *sk, const struct flowi6 *fl6)
{
	return fl6->flowi6_oif ? fl6->flowi6_oif : READ_ONCE(sk->sk_bound_dev_if);
}

bool shim6_helper_sock_has_txtime(const struct sock *sk)
{
	return sock_flag(sk, SOCK_TXTIME);
}

/* Comes out as the time stamp of the packets. */
void shim6_helper_set_transmit_time(struct ipcm6_cookie *ipc6, u64 time)
{
	ipc6->sockc.transmit_time = time;
}

/*
 * Whether a packet comes from a socket's error queue, which has its own kind of
 * accounting and puts something else into the control block. Called from an
 * ftrace callback.
 */
bool notrace shim6_helper_skb_is_error(const struct sk_buff *skb)
{
	return skb->destructor && skb->destructor != sock_rfree;
}

bool shim6_helper_skb_is_ipv6(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6);
}

const void *shim6_helper_skb_network_header(const struct sk_buff *skb)
{
	return skb_network_header(skb);
}

/*
 * Copies the beginning of the header of the upper layer of a packet in the queue
 * of a UDP or raw socket; returns how much there is of it. That of UDP has been
 * pulled, but is still there.
 */
size_t shim6_helper_skb_upper_header(const struct sock *sk, const struct sk_buff *skb, void *to,
				     size_t len)
{
	if (sk->sk_type == SOCK_RAW) {
		len = min_t(size_t, len, skb->len);
		return skb_copy_bits(skb, 0, to, len) ? 0 : len;
	}
	len = min(len, sizeof(struct udphdr));
	memcpy(to, udp_hdr(skb), len);
	return len;
}

/* Called from an ftrace callback. */
bool notrace shim6_helper_sock_is_inet(const struct sock *sk)
{
	return sk->sk_family == AF_INET || sk->sk_family == AF_INET6;
}

/* Called from an ftrace callback, for a socket of IPv6. */
bool notrace shim6_helper_sock_wants_ctl(const struct sock *sk)
{
	return inet6_sk(sk)->rxopt.all & WANTS_CTL;
}

/* Called from an ftrace callback. */
bool notrace shim6_helper_sock_is_raw(const struct sock *sk)
{
	return sk->sk_type == SOCK_RAW;
}

/*
 * Lets UDP and raw sockets ask for ancillary data of each datagram. The socket is
 * locked, as it is when its own bits are written.
 */
void shim6_helper_sock_set_wants_ctl(struct sock *sk, bool wanted)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	if (wanted)
		np->rxopt.all |= WANTS_CTL;
	else
		np->rxopt.all &= ~WANTS_CTL;
}

/* A call that is not in tail position, by the signature of ip6_datagram_recv_common_ctl(). */
void shim6_helper_call_recv_ctl(const void *function, struct sock *sk, struct msghdr *msg,
				struct sk_buff *skb)
{
	void (*call)(struct sock *sk, struct msghdr *msg, struct sk_buff *skb) = function;

	call(sk, msg, skb);
	barrier();
}
