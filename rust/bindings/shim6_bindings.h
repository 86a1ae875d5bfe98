/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What bindgen reads. Only the items of rust/bindings/allowlist reach Rust.
 */
#include <linux/hrtimer_types.h> /* First, see rust/bindings/bindings_helper.h of the kernel. */

#include <crypto/sha1.h>
#include <crypto/sig.h>
#include <linux/fib_rules.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/icmpv6.h>
#include <linux/if_addr.h>
#include <linux/in6.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <linux/notifier.h>
#include <linux/proc_fs.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/sockptr.h>
#include <linux/sysctl.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/genetlink.h>
#include <net/gro.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/protocol.h>
#include <net/sock.h>
#include <net/transp_v6.h>

#include <linux/shim6.h>
#include <linux/shim6_netlink.h>

#include "helpers.h"
#include "shim6_trace.h"

/*
 * Members of struct sk_buff sit in nested anonymous unions, which bindgen
 * numbers, differently in each kernel. Offsets do not have that problem.
 */
enum {
	SHIM6_SKB_NEXT			= offsetof(struct sk_buff, next),
	SHIM6_SKB_HEAD			= offsetof(struct sk_buff, head),
	SHIM6_SKB_DATA			= offsetof(struct sk_buff, data),
	SHIM6_SKB_LEN			= offsetof(struct sk_buff, len),
	SHIM6_SKB_DATA_LEN		= offsetof(struct sk_buff, data_len),
	SHIM6_SKB_NETWORK_HEADER	= offsetof(struct sk_buff, network_header),
	SHIM6_SKB_TRANSPORT_HEADER	= offsetof(struct sk_buff, transport_header),
	SHIM6_SKB_MARK			= offsetof(struct sk_buff, mark),
	SHIM6_SKB_CB			= offsetof(struct sk_buff, cb),
	SHIM6_SKB_TSTAMP		= offsetof(struct sk_buff, tstamp),
	SHIM6_SKB_REFDST		= offsetof(struct sk_buff, _skb_refdst),
	SHIM6_SKB_DST_NOREF		= SKB_DST_NOREF,
	SHIM6_SKB_CLONED		= CLONED_OFFSET,
	SHIM6_SKB_CLONED_MASK		= CLONED_MASK,
	SHIM6_SKB_IP_SUMMED		= PKT_TYPE_OFFSET,
	SHIM6_SKB_END			= offsetof(struct sk_buff, end),
	SHIM6_SKB_HDR_LEN		= offsetof(struct sk_buff, hdr_len),
	SHIM6_SHINFO_DATAREF		= offsetof(struct skb_shared_info, dataref),
	SHIM6_DATAREF_MASK		= SKB_DATAREF_MASK,
	SHIM6_DATAREF_SHIFT		= SKB_DATAREF_SHIFT,
#ifdef NET_SKBUFF_DATA_USES_OFFSET
	SHIM6_SKB_HAS_OFFSETS		= 1,
#else
	SHIM6_SKB_HAS_OFFSETS		= 0,
#endif
};

/* What is read for every packet, of structures that are opaque to Rust. */
enum {
	SHIM6_DST_DEV			= offsetof(struct dst_entry, dev),
	SHIM6_NETDEV_STATE		= offsetof(struct net_device, state),
	SHIM6_NETDEV_NO_CARRIER		= BIT(__LINK_STATE_NOCARRIER),
	SHIM6_NET_GEN			= offsetof(struct net, gen),
	SHIM6_NET_ADDRESS_CHANGES	= offsetof(struct net, ipv6.dev_addr_genid),
	SHIM6_NET_GENERIC_PTR		= offsetof(struct net_generic, ptr),
#ifdef CONFIG_XFRM
	SHIM6_HAS_XFRM			= 1,
	SHIM6_DST_XFRM			= offsetof(struct dst_entry, xfrm),
#else
	SHIM6_HAS_XFRM			= 0,
	SHIM6_DST_XFRM			= 0,
#endif
};

/* Macros that bindgen cannot evaluate by itself. */
const netdev_features_t SHIM6_NETIF_F_SOFTWARE =
	NETIF_F_GSO_MASK | NETIF_F_GSO_PARTIAL | NETIF_F_CSUM_MASK;
const u16 SHIM6_IP6SKB_MULTIPATH = IP6SKB_MULTIPATH;
const u16 SHIM6_IP6SKB_SEG6 = IP6SKB_SEG6;
const u16 SHIM6_IP6SKB_L3SLAVE = IP6SKB_L3SLAVE;
const u8 SHIM6_GENL_MCAST_CAP_NET_ADMIN = GENL_MCAST_CAP_NET_ADMIN;
