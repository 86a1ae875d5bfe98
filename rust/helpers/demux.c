// SPDX-License-Identifier: GPL-2.0
/*
 * The connections of received TCP packets, which each processor remembers: IPv6 looks one up for
 * each packet (tcp_v6_early_demux()), which is a hash of the addresses and some cache lines, each
 * of which says where the next one is.
 */
#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/ipv6.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/dst.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "helpers.h"
#include "slot.h"

/* Four cache lines. */
#define RECENT_SOCKETS	16

/*
 * Sockets without a reference to them: nobody has to wait for a processor to forget one. The
 * number of a slot is how many connections had been closed before its socket was found. A socket
 * is closed when nobody finds it any more, and counted then, before it is freed. Its memory stays
 * that of a socket until the end of a grace period after that (SLAB_TYPESAFE_BY_RCU). So if as many
 * were closed as then, it is one as long as the reader holds the RCU read lock, and what is read
 * there says whether it is the right one.
 */
struct recent_sockets {
	struct shim6_slot slots[RECENT_SOCKETS];
};

static DEFINE_PER_CPU_ALIGNED(struct recent_sockets, recent_sockets);

/* Connections that were closed, of the whole machine, and 1; 0 while nothing is remembered. */
static atomic_long_t closed ____cacheline_aligned_in_smp;

#define SOCKET_STATE "inet_sock_set_state"

static void socket_state_changes(void *data, const struct sock *sk, const int before,
				 const int after)
{
	if (after == TCP_CLOSE && sk->sk_family == AF_INET6 && sk->sk_protocol == IPPROTO_TCP)
		/* Fully ordered. */
		atomic_long_inc_not_zero(&closed);
}

/*
 * Begins to remember sockets. An error if this kernel does not tell when they are closed; then
 * IPv6 looks them up as ever. Process context.
 */
int shim6_helper_demux_start(void)
{
	int err;

	/* Where a count may come round, it says nothing. */
	if (!IS_ENABLED(CONFIG_64BIT))
		return -EOPNOTSUPP;
	err = shim6_helper_tracepoint_register(SOCKET_STATE, socket_state_changes, NULL);
	if (!err)
		atomic_long_set(&closed, 1);
	return err;
}

/* From now on IPv6 looks them up again. May sleep. */
void shim6_helper_demux_stop(void)
{
	if (!atomic_long_xchg(&closed, 0))
		return;
	/* Whoever has read that something is remembered still needs to know that it is true. */
	synchronize_rcu();
	shim6_helper_tracepoint_unregister(SOCKET_STATE, socket_state_changes, NULL);
	shim6_helper_tracepoint_synchronize();
}

static __always_inline struct shim6_slot *socket_slot(struct recent_sockets *sockets,
						      const struct tcphdr *th)
{
	const u16 source = ntohs(th->source), dest = ntohs(th->dest);

	/* Both ends may be on this machine. */
	return &sockets->slots[((source ^ dest) << 1 | (source < dest)) % RECENT_SOCKETS];
}

/* A reference to the socket of a connection, if this processor remembers it. */
static __always_inline struct sock *find_socket(const struct net *net, const struct sk_buff *skb,
						const struct tcphdr *th, long now)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	const __portpair ports = INET_COMBINED_PORTS(th->source, ntohs(th->dest));
	const int dif = skb->dev->ifindex;
	struct sock *sk;
	long then;

	sk = shim6_slot_read(socket_slot(raw_cpu_ptr(&recent_sockets), th), &then);
	if (!sk || then != now || !inet6_match(net, sk, &ip6->saddr, &ip6->daddr, ports, dif, 0) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		return NULL;
	/* Orders that after the reference: it may have become another one just before. */
	smp_rmb();
	if (unlikely(atomic_long_read(&closed) != now)) {
		sock_gen_put(sk);
		return NULL;
	}
	return sk;
}

static noinline struct sock *look_socket_up(const struct net *net, const struct sk_buff *skb,
					    const struct tcphdr *th, long now)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	struct sock *sk = __inet6_lookup_established(net, &ip6->saddr, th->source, &ip6->daddr,
						     ntohs(th->dest), skb->dev->ifindex, 0);

	if (sk && sk_fullsock(sk)) {
		local_bh_disable();
		shim6_slot_write(socket_slot(this_cpu_ptr(&recent_sockets), th), sk, now);
		local_bh_enable();
	}
	return sk;
}

/*
 * Gives a TCP packet at the end of PRE_ROUTING, whose header is right behind that of IPv6, the
 * socket that IPv6 is going to look up for it next, and the route of that socket. Else, and if it
 * has any of them, IPv6 goes on as ever. RCU read lock held.
 */
void shim6_helper_demux(struct sk_buff *skb)
{
	const struct net *net = dev_net_rcu(skb->dev);
	/* Before a socket is looked up: who reads that one was closed does not find it. */
	long now = atomic_long_read_acquire(&closed);
	struct dst_entry *dst;
	struct tcphdr *th;
	struct sock *sk;

	if (unlikely(!now || skb->sk || skb_dst(skb) || skb->pkt_type != PACKET_HOST ||
		     !READ_ONCE(net->ipv4.sysctl_ip_early_demux) ||
		     !READ_ONCE(net->ipv4.sysctl_tcp_early_demux) ||
		     /* There, it is of another device next. */
		     netif_is_l3_slave(skb->dev) || ipv6_l3mdev_skb(IP6CB(skb)->flags) ||
		     !pskb_may_pull(skb, sizeof(struct ipv6hdr) + sizeof(*th))))
		return;
	th = tcp_hdr(skb);
	if (unlikely(th->doff < sizeof(*th) / 4))
		return;
	sk = find_socket(net, skb, th, now);
	if (unlikely(!sk)) {
		sk = look_socket_up(net, skb, th, now);
		if (!sk)
			return;
	}
	skb->sk = sk;
	skb->destructor = sock_edemux;
	if (unlikely(!sk_fullsock(sk)))
		return;
	dst = rcu_dereference(sk->sk_rx_dst);
	if (dst)
		dst = dst_check(dst, sk->sk_rx_dst_cookie);
	if (dst && sk->sk_rx_dst_ifindex == skb->skb_iif)
		skb_dst_set_noref(skb, dst);
}
