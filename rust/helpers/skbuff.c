// SPDX-License-Identifier: GPL-2.0
/* struct sk_buff: inline functions, bit fields and what hangs on it. */
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/inet_sock.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>

#include "helpers.h"

int shim6_helper_skb_unclone(struct sk_buff *skb)
{
	return skb_unclone(skb, GFP_ATOMIC);
}

bool shim6_helper_skb_network_may_pull(struct sk_buff *skb, unsigned int len)
{
	return pskb_network_may_pull(skb, len);
}

struct skb_shared_info *shim6_helper_skb_shinfo(const struct sk_buff *skb)
{
	return skb_shinfo(skb);
}

u32 shim6_helper_skb_network_header_len(const struct sk_buff *skb)
{
	return skb->data - skb_network_header(skb);
}

struct net_device *shim6_helper_skb_dev(const struct sk_buff *skb)
{
	return skb->dev;
}

void *shim6_helper_skb_data(const struct sk_buff *skb)
{
	return skb->data;
}

bool shim6_helper_skb_may_pull(struct sk_buff *skb, unsigned int len)
{
	return pskb_may_pull(skb, len);
}

void shim6_helper_skb_reset_transport_header(struct sk_buff *skb)
{
	skb_reset_transport_header(skb);
}

int shim6_helper_skb_trim(struct sk_buff *skb, unsigned int len)
{
	return pskb_trim_rcsum(skb, len);
}

void shim6_helper_kfree_skb(struct sk_buff *skb, enum skb_drop_reason reason)
{
	kfree_skb_reason(skb, reason);
}

bool shim6_helper_skb_linearize(struct sk_buff *skb)
{
	return !skb_linearize(skb);
}

/* Lets go of all that a packet borrows from where it came from. */
void shim6_helper_skb_detach(struct sk_buff *skb)
{
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
	skb->dev = NULL;
}

void shim6_helper_consume_skb(struct sk_buff *skb)
{
	consume_skb(skb);
}

/* A bit field. The packet may be fragmented whatever its size. */
void shim6_helper_skb_set_ignore_df(struct sk_buff *skb)
{
	skb->ignore_df = 1;
}

u8 shim6_helper_skb_ip_summed(const struct sk_buff *skb)
{
	return skb->ip_summed;
}

void shim6_helper_skb_set_checksum_unnecessary(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_UNNECESSARY;
}

void shim6_helper_skb_clear_tstamp(struct sk_buff *skb)
{
	skb_set_delivery_time(skb, 0, SKB_CLOCK_REALTIME);
}

void shim6_helper_skb_mac_header_rebuild(struct sk_buff *skb)
{
	if (skb_mac_header_was_set(skb))
		skb_mac_header_rebuild(skb);
}

/* The full socket a packet is sent by: the listener for a SYN-ACK, or NULL. */
struct sock *shim6_helper_skb_full_sock(const struct sk_buff *skb, struct sock *sk)
{
	sk = sk_to_full_sk(sk ? sk : skb->sk);
	return sk && sk_fullsock(sk) ? sk : NULL;
}

bool shim6_helper_sock_forbids_fragments(const struct sock *sk)
{
	struct ipv6_pinfo *np;

	if (sk->sk_family != AF_INET6)
		return false;
	np = inet6_sk(sk);
	return np && (inet6_test_bit(DONTFRAG, sk) ||
		      READ_ONCE(np->pmtudisc) == IPV6_PMTUDISC_DO ||
		      READ_ONCE(np->pmtudisc) == IPV6_PMTUDISC_PROBE);
}

/*
 * Conntrack has seen the packet as it was. What POST_ROUTING sees from here on
 * is another packet to it: helpers and NAT would write into the wrong header.
 * So the flow is confirmed now and the packet is untracked from here on. An
 * entry that is confirmed already must not be confirmed again. False if
 * conntrack refuses the flow: the packet is to be dropped.
 */
bool shim6_helper_skb_confirm_untrack(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	const struct nf_ct_hook *hook;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	int verdict = NF_ACCEPT;

	if (!ct)
		return true;
	if (!nf_ct_is_confirmed(ct)) {
		rcu_read_lock();
		hook = rcu_dereference(nf_ct_hook);
		if (hook)
			verdict = hook->confirm(skb);
		rcu_read_unlock();
		if (verdict != NF_ACCEPT)
			return false;
	}
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
#endif
	return true;
}

/* Octets of a TCP header that starts at the transport header. */
unsigned int shim6_helper_skb_transport_size(const struct sk_buff *skb)
{
	return tcp_hdrlen(skb);
}

/* What can be read at data without pulling more of the packet. */
const unsigned char *shim6_helper_skb_linear(const struct sk_buff *skb, unsigned int *len)
{
	*len = skb_headlen(skb);
	return skb->data;
}
