// SPDX-License-Identifier: GPL-2.0
/* IPv6 packets that this host makes itself, without a socket. */
#include <linux/netdevice.h>
#include <linux/pkt_sched.h>
#include <linux/skbuff.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/sock.h>

#include "helpers.h"

/* An IPv6 packet with room for the headers of the device; it holds @dst. */
static struct sk_buff *build(struct dst_entry *dst, const struct flowi6 *fl6, const void *payload,
			     unsigned int len)
{
	unsigned int headroom, tailroom;
	struct net_device *dev;
	struct ipv6hdr *header;
	struct sk_buff *skb;

	rcu_read_lock();
	dev = dst_dev_rcu(dst);
	headroom = LL_RESERVED_SPACE(dev) + dst->header_len;
	tailroom = dev->needed_tailroom + dst->trailer_len;
	rcu_read_unlock();

	skb = alloc_skb(headroom + sizeof(*header) + len + tailroom, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom + sizeof(*header));
	skb_reset_transport_header(skb);
	skb_put_data(skb, payload, len);

	header = skb_push(skb, sizeof(*header));
	skb_reset_network_header(skb);
	ip6_flow_hdr(header, 0, 0);
	header->nexthdr = fl6->flowi6_proto;
	header->hop_limit = ip6_dst_hoplimit(dst);
	header->saddr = fl6->saddr;
	header->daddr = fl6->daddr;

	skb->protocol = htons(ETH_P_IPV6);
	skb->priority = TC_PRIO_CONTROL;
	skb->mark = fl6->flowi6_mark;
	/* Without a socket nobody can be told that the packet is too big. */
	skb->ignore_df = 1;
	skb_dst_set(skb, dst_clone(dst));
	return skb;
}

/*
 * Sends @payload with an IPv6 header in front, by way of IPsec policy and
 * LOCAL_OUT like the packet of a socket. Any context but hard interrupts.
 */
int shim6_helper_ip6_send(struct net *net, const struct in6_addr *saddr,
			  const struct in6_addr *daddr, u8 nexthdr, u32 mark,
			  const void *payload, unsigned int len)
{
	struct flowi6 fl6 = {
		.saddr = *saddr,
		.daddr = *daddr,
		.flowi6_proto = nexthdr,
		.flowi6_mark = mark,
		.flowi6_uid = sock_net_uid(net, NULL),
	};
	struct dst_entry *dst;
	struct sk_buff *skb;
	int err;

	if (len > IPV6_MAXPLEN)
		return -EMSGSIZE;
	if (!ipv6_chk_addr(net, saddr, NULL, 0))
		return -EADDRNOTAVAIL;
	dst = ip6_dst_lookup_flow(net, NULL, &fl6, NULL);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	skb = build(dst, &fl6, payload, len);
	if (!skb) {
		dst_release(dst);
		return -ENOMEM;
	}
	IP6_INC_STATS(net, ip6_dst_idev(dst), IPSTATS_MIB_OUTREQUESTS);
	/* As in ip6_send_skb(): where a route discards, the device is looked up. */
	rcu_read_lock();
	err = ip6_local_out(net, NULL, skb);
	rcu_read_unlock();
	if (err > 0)
		err = net_xmit_errno(err);
	if (err)
		IP6_INC_STATS(net, ip6_dst_idev(dst), IPSTATS_MIB_OUTDISCARDS);
	dst_release(dst);
	return err;
}

/*
 * Packets from @saddr to @daddr that wait for the link-layer address of their next
 * hop wait no longer: it counts as unreachable now, and not only after three
 * solicitations, seconds later. TCP retransmits no segment of which it knows that it
 * is still in a queue of this host. Process context.
 */
void shim6_helper_ip6_give_up(struct net *net, const struct in6_addr *saddr,
			      const struct in6_addr *daddr)
{
	struct flowi6 fl6 = {
		.saddr = *saddr,
		.daddr = *daddr,
		.flowi6_uid = sock_net_uid(net, NULL),
	};
	struct neighbour *neighbour = NULL;
	struct dst_entry *dst;

	dst = ip6_route_output(net, NULL, &fl6);
	if (!dst->error) {
		rcu_read_lock();
		neighbour = __ipv6_neigh_lookup(dst_dev_rcu(dst),
						rt6_nexthop(dst_rt6_info(dst), &fl6.daddr));
		rcu_read_unlock();
	}
	dst_release(dst);
	if (!neighbour)
		return;
	if (READ_ONCE(neighbour->nud_state) & NUD_INCOMPLETE)
		neigh_update(neighbour, NULL, NUD_FAILED,
			     NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN, 0);
	neigh_release(neighbour);
}
