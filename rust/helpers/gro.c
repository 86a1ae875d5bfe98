// SPDX-License-Identifier: GPL-2.0
/* Generic receive offload: inline functions and the control block. */
#include <linux/skbuff.h>
#include <net/gro.h>
#include <net/ip6_checksum.h>
#include <net/protocol.h>
#include <net/tcp.h>

#include "helpers.h"

/* The header of @hlen octets that comes next, NULL if the packet is shorter; and where it came. */
void *shim6_helper_gro_begin(struct sk_buff *skb, unsigned int hlen, struct net **net)
{
	unsigned int off = skb_gro_offset(skb);

	*net = dev_net_rcu(skb->dev);
	return skb_gro_header(skb, off + hlen, off);
}

void shim6_helper_gro_flush(struct sk_buff *skb)
{
	NAPI_GRO_CB(skb)->flush = 1;
}

/* Held packets whose octets at this place differ are of another flow. */
static void match(struct list_head *head, struct sk_buff *skb, const void *header,
		  unsigned int hlen)
{
	unsigned int off = skb_gro_offset(skb);
	struct sk_buff *p;

	list_for_each_entry(p, head, list) {
		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		if (memcmp(p->data + off, header, hlen))
			NAPI_GRO_CB(p)->same_flow = 0;
	}
}

/*
 * Validates the transport checksum over addresses other than those of the IPv6
 * header, and notes one more validated checksum, so that the receive function
 * of the transport does not check it against the header.
 */
static bool validate(struct sk_buff *skb, int protocol, const struct in6_addr *saddr,
		     const struct in6_addr *daddr)
{
	__wsum pseudo;

	if (NAPI_GRO_CB(skb)->flush)
		return true;

	if (__skb_gro_checksum_validate_needed(skb, false, 0)) {
		pseudo = ~csum_unfold(csum_ipv6_magic(saddr, daddr, skb_gro_len(skb),
						      protocol, 0));
		if (__skb_gro_checksum_validate_complete(skb, pseudo))
			return false;
		__skb_incr_checksum_unnecessary(skb);
		NAPI_GRO_CB(skb)->csum_cnt++;
	}
	return true;
}

/*
 * Hands the packet on to @protocol, behind @header of @hlen octets, with the checksum
 * validated over @saddr and @daddr. What its receive function says.
 */
struct sk_buff *shim6_helper_gro_go(struct list_head *head, struct sk_buff *skb,
				    const void *header, unsigned int hlen, u8 protocol,
				    const struct in6_addr *saddr, const struct in6_addr *daddr)
{
	const struct net_offload *offload = rcu_dereference(inet6_offloads[protocol]);

	if (!offload || !offload->callbacks.gro_receive)
		goto flush;
	/* More than 64 KiB are merged of TCP only. */
	NAPI_GRO_CB(skb)->proto = protocol;
	match(head, skb, header, hlen);
	skb_gro_pull(skb, hlen);
	skb_gro_postpull_rcsum(skb, header, hlen);
	skb_set_transport_header(skb, skb_gro_offset(skb));
	if (validate(skb, protocol, saddr, daddr))
		return offload->callbacks.gro_receive(head, skb);
flush:
	shim6_helper_gro_flush(skb);
	return NULL;
}

const struct net_offload *shim6_helper_inet6_offload(u8 protocol)
{
	return rcu_dereference(inet6_offloads[protocol]);
}

void shim6_helper_tcp_partial_checksum(struct sk_buff *skb, unsigned int thoff,
				       const struct in6_addr *saddr,
				       const struct in6_addr *daddr)
{
	struct tcphdr *th = (struct tcphdr *)(skb->data + thoff);

	th->check = ~tcp_v6_check(skb->len - thoff, saddr, daddr, 0);
}
