// SPDX-License-Identifier: GPL-2.0
/* struct sock and struct socket: fields of opaque structures, socket options. */
#include <linux/net.h>
#include <linux/sockptr.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/request_sock.h>
#include <net/sock.h>
#include <net/udp.h>

#include "helpers.h"

/* Called from an ftrace callback. */
bool notrace shim6_helper_socket_is_inet(const struct socket *sock)
{
	const struct sock *sk = sock->sk;

	return sk && (sk->sk_family == AF_INET || sk->sk_family == AF_INET6);
}

u16 shim6_helper_sock_family(const struct sock *sk)
{
	return READ_ONCE(sk->sk_family);
}

u16 shim6_helper_sock_protocol(const struct sock *sk)
{
	return READ_ONCE(sk->sk_protocol);
}

/* UDP and raw of IPv6; IPV6_ADDRFORM can turn such a socket into one of IPv4. */
bool shim6_helper_sock_is_datagram(const struct sock *sk)
{
	return READ_ONCE(sk->sk_family) == AF_INET6 &&
	       (sk->sk_type == SOCK_RAW ||
		(sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_UDP));
}

bool shim6_helper_sock_is_connected(const struct sock *sk)
{
	int state = inet_sk_state_load(sk);

	return state != TCP_CLOSE && state != TCP_LISTEN;
}

struct net *shim6_helper_sock_net(const struct sock *sk)
{
	return sock_net(sk);
}

bool shim6_helper_sock_holds_net(const struct sock *sk)
{
	return sk->sk_net_refcnt;
}

void shim6_helper_sock_peer(const struct sock *sk, struct in6_addr *peer)
{
	*peer = sk->sk_v6_daddr;
}

/* The address that getsockname() tells, see inet6_getname(). */
void shim6_helper_sock_local(const struct sock *sk, struct in6_addr *local)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	if (np && ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		*local = np->saddr;
	else
		*local = sk->sk_v6_rcv_saddr;
}

struct sock *shim6_helper_request_listener(const struct request_sock *req)
{
	return req->rsk_listener;
}

void shim6_helper_lock_sock(struct sock *sk)
{
	lock_sock(sk);
}

bool shim6_helper_sockptr_is_null(const sockptr_t *from)
{
	return sockptr_is_null(*from);
}

/* The number of octets that could not be read. */
int shim6_helper_copy_from_sockptr(void *to, const sockptr_t *from, size_t len)
{
	return copy_from_sockptr(to, *from, len);
}

/*
 * The way of a system call, less the file descriptor. getsockopt() gets no
 * buffer: an entry that looks for one answers EFAULT.
 */
int shim6_helper_setsockopt(struct socket *sock, int level, int name, void *value, int len)
{
	return do_sock_setsockopt(sock, false, level, name, KERNEL_SOCKPTR(value), len);
}

int shim6_helper_getsockopt_nowhere(struct socket *sock, int level, int name)
{
	return do_sock_getsockopt(sock, false, level, name, USER_SOCKPTR(NULL), USER_SOCKPTR(NULL));
}

/* Connected: TCP after its handshake, UDP and raw after connect(). */
bool shim6_helper_sock_is_established(const struct sock *sk)
{
	return sk->sk_state == TCP_ESTABLISHED;
}

static void visit_connected(struct net *net, struct sock *sk,
			    void (*visit)(const struct in6_addr *local,
					  const struct in6_addr *peer, void *data),
			    void *data)
{
	if (sk_fullsock(sk) && sk->sk_family == AF_INET6 && net_eq(sock_net(sk), net) &&
	    !ipv6_addr_any(&sk->sk_v6_daddr) && !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		visit(&sk->sk_v6_rcv_saddr, &sk->sk_v6_daddr, data);
}

/* All IPv6 sockets of TCP and UDP that have a peer. Sleeps between buckets. */
void shim6_helper_for_each_connected(struct net *net,
				     void (*visit)(const struct in6_addr *local,
						   const struct in6_addr *peer, void *data),
				     void *data)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	struct udp_table *udp = net->ipv4.udp_table;
	struct hlist_nulls_node *node;
	struct sock *sk;
	unsigned int i;

	for (i = 0; i <= hashinfo->ehash_mask; i++) {
		struct inet_ehash_bucket *bucket = &hashinfo->ehash[i];

		if (hlist_nulls_empty(&bucket->chain))
			continue;
		spin_lock_bh(inet_ehash_lockp(hashinfo, i));
		sk_nulls_for_each(sk, node, &bucket->chain)
			visit_connected(net, sk, visit, data);
		spin_unlock_bh(inet_ehash_lockp(hashinfo, i));
		cond_resched();
	}
	for (i = 0; i <= udp->mask; i++) {
		struct udp_hslot *slot = &udp->hash[i];

		if (hlist_empty(&slot->head))
			continue;
		spin_lock_bh(&slot->lock);
		sk_for_each(sk, &slot->head)
			visit_connected(net, sk, visit, data);
		spin_unlock_bh(&slot->lock);
		cond_resched();
	}
}
