// SPDX-License-Identifier: GPL-2.0
/* Routes (dst_entry): inline functions and fields of opaque structures. */
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>

#include "helpers.h"

int shim6_helper_dst_error(const struct dst_entry *dst)
{
	return dst->error;
}

bool shim6_helper_dst_is_local_input(const struct dst_entry *dst)
{
	return dst->input == ip6_input;
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

void shim6_helper_skb_dst_drop(struct sk_buff *skb)
{
	skb_dst_drop(skb);
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
