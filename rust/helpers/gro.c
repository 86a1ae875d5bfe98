// SPDX-License-Identifier: GPL-2.0
/* Generic receive offload: inline functions and the control block. */
#include <linux/skbuff.h>
#include <net/gro.h>
#include <net/ip6_checksum.h>
#include <net/protocol.h>
#include <net/tcp.h>
#include <net/udp.h>

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
 * Validates the checksum of TCP over addresses other than those of the IPv6
 * header, and notes one more validated checksum, so that the receive function
 * of the transport does not check it against the header.
 */
static bool validate(struct sk_buff *skb, const struct in6_addr *saddr,
		     const struct in6_addr *daddr)
{
	__wsum pseudo;

	if (NAPI_GRO_CB(skb)->flush)
		return true;

	if (__skb_gro_checksum_validate_needed(skb, false, 0)) {
		pseudo = ~csum_unfold(csum_ipv6_magic(saddr, daddr, skb_gro_len(skb),
						      IPPROTO_TCP, 0));
		if (__skb_gro_checksum_validate_complete(skb, pseudo))
			return false;
		__skb_incr_checksum_unnecessary(skb);
		NAPI_GRO_CB(skb)->csum_cnt++;
	}
	return true;
}

/* The receive function of @protocol, which goes on behind @header of @hlen octets. */
static gro_receive_t go_behind(struct list_head *head, struct sk_buff *skb, const void *header,
			       unsigned int hlen, u8 protocol)
{
	const struct net_offload *offload = rcu_dereference(inet6_offloads[protocol]);

	if (!offload || !offload->callbacks.gro_receive)
		return NULL;
	/* More than 64 KiB are merged of TCP only. */
	NAPI_GRO_CB(skb)->proto = protocol;
	match(head, skb, header, hlen);
	skb_gro_pull(skb, hlen);
	skb_gro_postpull_rcsum(skb, header, hlen);
	skb_set_transport_header(skb, skb_gro_offset(skb));
	return offload->callbacks.gro_receive;
}

/*
 * Hands the packet on to TCP, behind @header of @hlen octets, with the checksum
 * validated over @saddr and @daddr. What its receive function says.
 */
struct sk_buff *shim6_helper_gro_tcp(struct list_head *head, struct sk_buff *skb,
				     const void *header, unsigned int hlen,
				     const struct in6_addr *saddr, const struct in6_addr *daddr)
{
	gro_receive_t receive = go_behind(head, skb, header, hlen, IPPROTO_TCP);

	if (receive && validate(skb, saddr, daddr))
		return receive(head, skb);
	shim6_helper_gro_flush(skb);
	return NULL;
}

/* Addresses in an IPv6 header that stand there for a while. */
struct lent {
	struct ipv6hdr *ip6;
	struct in6_addr saddr, daddr;
};

static struct lent lend(struct ipv6hdr *ip6, const struct in6_addr *saddr,
			const struct in6_addr *daddr)
{
	struct lent lent = { ip6, ip6->saddr, ip6->daddr };

	ip6->saddr = *saddr;
	ip6->daddr = *daddr;
	return lent;
}

static void take_back(const struct lent *lent)
{
	lent->ip6->saddr = lent->saddr;
	lent->ip6->daddr = lent->daddr;
}

/* Whether the socket that a datagram is for wants them merged, and is no tunnel. */
static bool wants_merged(struct sk_buff *skb, const struct udphdr *uh,
			 const struct in6_addr *saddr, const struct in6_addr *daddr)
{
	const struct sock *sk;
	int iif, sdif;

	inet6_get_iif_sdif(skb, &iif, &sdif);
	sk = __udp6_lib_lookup(dev_net_rcu(skb->dev), saddr, uh->source, daddr, uh->dest,
			       iif, sdif, NULL);
	return sk && udp_test_bit(GRO_ENABLED, sk) && !READ_ONCE(udp_sk(sk)->gro_receive);
}

/*
 * The same for UDP. Its receive function looks the socket up, so the IPv6 header has @saddr and
 * @daddr in it meanwhile. That takes a header that is nobody else's. A list of
 * datagrams is no way: each would keep the header that is seen of the first one only.
 */
struct sk_buff *shim6_helper_gro_udp(struct list_head *head, struct sk_buff *skb,
				     unsigned int hlen, const struct in6_addr *saddr,
				     const struct in6_addr *daddr)
{
	unsigned int off = skb_gro_offset(skb), end = off + hlen + sizeof(struct udphdr);
	const struct udphdr *uh;
	gro_receive_t receive;
	struct sk_buff *pp;
	struct lent lent;

	if (skb_headlen(skb) < end || skb_header_cloned(skb) ||
	    skb->dev->features & NETIF_F_GRO_FRAGLIST)
		goto flush;
	uh = (const void *)(skb->data + off + hlen);
	if (!wants_merged(skb, uh, saddr, daddr))
		goto flush;
	receive = go_behind(head, skb, skb->data + off, hlen, IPPROTO_UDP);
	if (!receive)
		goto flush;
	lent = lend(skb_gro_network_header(skb), saddr, daddr);
	pp = receive(head, skb);
	take_back(&lent);
	return pp;
flush:
	shim6_helper_gro_flush(skb);
	return NULL;
}

/*
 * Completes what was merged of @protocol, whose header is at @thoff. The checksum that is put in
 * place is over @saddr and @daddr; without them the packet is one that nobody accepts.
 */
int shim6_helper_gro_complete(struct sk_buff *skb, int thoff, u8 protocol,
			      const struct in6_addr *saddr, const struct in6_addr *daddr)
{
	const struct net_offload *offload = rcu_dereference(inet6_offloads[protocol]);
	unsigned int network = NAPI_GRO_CB(skb)->network_offsets[skb->encapsulation];
	struct lent lent;
	int err;

	if (!offload || !offload->callbacks.gro_complete)
		return -EPROTONOSUPPORT;
	if (!saddr)
		return offload->callbacks.gro_complete(skb, thoff);
	lent = lend((struct ipv6hdr *)(skb->data + network), saddr, daddr);
	err = offload->callbacks.gro_complete(skb, thoff);
	take_back(&lent);
	return err;
}

const struct net_offload *shim6_helper_inet6_offload(u8 protocol)
{
	return rcu_dereference(inet6_offloads[protocol]);
}
