// SPDX-License-Identifier: GPL-2.0
/* Routes (dst_entry): inline functions and fields of opaque structures. */
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>

#include "helpers.h"

/* dst_cache is per CPU and wants bottom halves off; output runs with them on. */
struct dst_entry *shim6_helper_dst_cache_get(struct dst_cache *cache)
{
	struct dst_entry *dst;

	local_bh_disable();
	dst = dst_cache_get(cache);
	local_bh_enable();
	return dst;
}

void shim6_helper_dst_cache_set_ip6(struct dst_cache *cache, struct dst_entry *dst,
				    const struct in6_addr *saddr)
{
	local_bh_disable();
	dst_cache_set_ip6(cache, dst, saddr);
	local_bh_enable();
}

u32 shim6_helper_dst_mtu(const struct dst_entry *dst)
{
	return dst_mtu(dst);
}

int shim6_helper_dst_error(const struct dst_entry *dst)
{
	return dst->error;
}

bool shim6_helper_dst_has_xfrm(const struct dst_entry *dst)
{
	return dst_xfrm(dst);
}

bool shim6_helper_dst_is_local_input(const struct dst_entry *dst)
{
	return dst->input == ip6_input;
}

struct net_device *shim6_helper_dst_dev(const struct dst_entry *dst)
{
	return dst_dev_rcu(dst);
}

bool shim6_helper_dst_has_carrier(const struct dst_entry *dst)
{
	return netif_carrier_ok(dst_dev_rcu(dst));
}

unsigned int shim6_helper_dst_headroom(const struct dst_entry *dst)
{
	return LL_RESERVED_SPACE(dst_dev_rcu(dst));
}

/*
 * Whether a packet given to @dev stays in the memory of this kernel and enters
 * its IPv6 input next: loopback, or one of a pair of devices (veth, netkit)
 * whose other end no bridge, bond or other device has taken over.
 */
bool shim6_helper_dev_is_memory(struct net_device *dev)
{
	const struct net_device_ops *ops = dev->netdev_ops;
	struct net_device *peer;

	if (dev->flags & IFF_LOOPBACK)
		return true;
	if (!ops->ndo_get_peer_dev)
		return false;
	peer = ops->ndo_get_peer_dev(dev);
	return peer && !rcu_access_pointer(peer->rx_handler);
}

struct net *shim6_helper_dev_net(const struct net_device *dev)
{
	return dev_net_rcu(dev);
}

struct dst_entry *shim6_helper_skb_dst(const struct sk_buff *skb)
{
	return skb_dst(skb);
}

void shim6_helper_skb_dst_drop(struct sk_buff *skb)
{
	skb_dst_drop(skb);
}

void shim6_helper_skb_dst_set(struct sk_buff *skb, struct dst_entry *dst)
{
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
}

u32 shim6_helper_ip6_skb_dst_mtu(const struct sk_buff *skb)
{
	return ip6_skb_dst_mtu(skb);
}

void shim6_helper_skb_dst_update_pmtu(struct sk_buff *skb, u32 mtu)
{
	struct dst_entry *dst = skb_dst(skb);

	if (dst && dst->ops->update_pmtu)
		dst->ops->update_pmtu(dst, NULL, skb, mtu, false);
}

/* The IPv6 header that an ICMPv6 error quotes is at @offset from skb->data. */
void shim6_helper_ip6_update_pmtu(struct sk_buff *skb, struct net *net,
				  unsigned int offset, u32 mtu)
{
	__skb_pull(skb, offset);
	ip6_update_pmtu(skb, net, cpu_to_be32(mtu), 0, skb->mark, sock_net_uid(net, NULL));
	__skb_push(skb, offset);
}

int shim6_helper_dst_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}
