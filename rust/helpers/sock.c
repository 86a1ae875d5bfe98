// SPDX-License-Identifier: GPL-2.0
/* struct sock and struct socket: fields of opaque structures, socket options. */
#include <linux/net.h>
#include <linux/sock_diag.h>
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

/* Whether a process has the socket: it was accepted, and is not closed. */
bool shim6_helper_sock_has_file(const struct sock *sk)
{
	return READ_ONCE(sk->sk_socket);
}

/* A socket whose last reference goes is not there any more. */
bool shim6_helper_sock_get(struct sock *sk)
{
	return refcount_inc_not_zero(&sk->sk_refcnt);
}

void shim6_helper_sock_put(struct sock *sk)
{
	sock_put(sk);
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

/* What tells the user and the file of a socket; the cookie is that of ss(8). */
void shim6_helper_sock_owner(struct sock *sk, u64 *cookie, u64 *inode, u32 *uid)
{
	sock_diag_save_cookie(sk, (u32 *)cookie);
	*inode = sock_i_ino(sk);
	*uid = from_kuid(&init_user_ns, sk_uid(sk));
}

/* Ports in host byte order; an unconnected or raw socket has none. */
void shim6_helper_sock_ports(const struct sock *sk, u16 *local, u16 *peer)
{
	*local = 0;
	*peer = 0;
	if (sk->sk_type == SOCK_RAW)
		return;
	*local = READ_ONCE(sk->sk_num);
	/* The identifier of a ping socket is its port. */
	if (sk->sk_protocol != IPPROTO_ICMPV6)
		*peer = ntohs(READ_ONCE(sk->sk_dport));
}

static bool visit_connected(struct net *net, struct sock *sk,
			    bool (*visit)(struct sock *sk, void *data), void *data)
{
	return sk_fullsock(sk) && sk->sk_family == AF_INET6 && net_eq(sock_net(sk), net) &&
	       !ipv6_addr_any(&sk->sk_v6_daddr) && !ipv6_addr_v4mapped(&sk->sk_v6_daddr) &&
	       visit(sk, data);
}

/*
 * All IPv6 sockets of TCP and UDP that have a peer, until @visit returns true.
 * Sleeps between buckets.
 */
void shim6_helper_for_each_connected(struct net *net, bool (*visit)(struct sock *sk, void *data),
				     void *data)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	struct udp_table *udp = net->ipv4.udp_table;
	struct hlist_nulls_node *node;
	bool enough = false;
	struct sock *sk;
	unsigned int i;

	for (i = 0; i <= hashinfo->ehash_mask && !enough; i++) {
		struct inet_ehash_bucket *bucket = &hashinfo->ehash[i];

		if (hlist_nulls_empty(&bucket->chain))
			continue;
		spin_lock_bh(inet_ehash_lockp(hashinfo, i));
		sk_nulls_for_each(sk, node, &bucket->chain) {
			enough = visit_connected(net, sk, visit, data);
			if (enough)
				break;
		}
		spin_unlock_bh(inet_ehash_lockp(hashinfo, i));
		cond_resched();
	}
	for (i = 0; i <= udp->mask && !enough; i++) {
		struct udp_hslot *slot = &udp->hash[i];

		if (hlist_empty(&slot->head))
			continue;
		spin_lock_bh(&slot->lock);
		sk_for_each(sk, &slot->head) {
			enough = visit_connected(net, sk, visit, data);
			if (enough)
				break;
		}
		spin_unlock_bh(&slot->lock);
		cond_resched();
	}
}
