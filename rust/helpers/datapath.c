// SPDX-License-Identifier: GPL-2.0
/*
 * What is done for each packet that gets another header, in few calls: a call from
 * Rust is never inlined.
 */
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/notifier.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/fib_rules.h>
#include <net/gso.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>

#include "helpers.h"
#include "slot.h"

/* Ticks after which the clock is looked at again. */
#define CLOCK_TICKS	256

/*
 * Upper half: when that was, counted in so many ticks from 1 on. Lower half: how many milliseconds
 * the clock was ahead of ticks then, with a sign.
 */
static u64 clock_difference;

static noinline u64 look_at_clock(u64 ticks, u64 msecs)
{
	u64 now = ktime_to_ms(ktime_get_coarse());

	WRITE_ONCE(clock_difference, (ticks / CLOCK_TICKS + 1) << 32 | (u32)(now - msecs));
	return now;
}

/*
 * The monotonic clock at the last tick, in milliseconds. Ticks are cheaper to read; they follow
 * that clock, but with a length that is rounded, and not at all where the timer is periodic.
 */
u64 shim6_helper_coarse_msecs(void)
{
	u64 ticks = get_jiffies_64() - INITIAL_JIFFIES;
	u64 difference = READ_ONCE(clock_difference);
	u64 msecs = MSEC_PER_SEC % HZ ? ticks * MSEC_PER_SEC / HZ : ticks * (MSEC_PER_SEC / HZ);

	if (unlikely(difference >> 32 != ticks / CLOCK_TICKS + 1))
		return look_at_clock(ticks, msecs);
	return msecs + (s32)difference;
}

/*
 * What does not change unless something happens to devices, and what time it is at a tick, as
 * shim6_helper_coarse_msecs(). Room for headers of the route's device, and whether packets stay
 * in this kernel's memory. In two registers.
 */
struct route_facts {
	u64 msecs;
	u16 headroom;
	bool is_memory;
};

static __always_inline struct route_facts facts_of(const struct dst_entry *dst)
{
	struct net_device *dev = dst_dev_rcu(dst);

	return (struct route_facts){
		.msecs = shim6_helper_coarse_msecs(),
		.headroom = LL_RESERVED_SPACE(dev),
		.is_memory = shim6_helper_dev_is_memory(dev),
	};
}

/* Whatever happened to any device of the machine. */
static atomic_t device_changes;

static int count_device_change(struct notifier_block *block, unsigned long event, void *info)
{
	atomic_inc(&device_changes);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = count_device_change,
	/* After whoever draws conclusions. */
	.priority = INT_MIN,
};

/* What routes are remembered of depends on devices from now on. Process context, takes RTNL. */
int shim6_helper_routes_start(void)
{
	return register_netdevice_notifier(&device_notifier);
}

void shim6_helper_routes_stop(void)
{
	unregister_netdevice_notifier(&device_notifier);
}

/*
 * The route of one destination with its cookie, on one CPU, and what was found out when it was
 * looked at last: that it is good, and how it takes packets. When that was is as route_moment()
 * has it. All routes of a destination are in the same namespace, which is here to spare a look at
 * the device.
 */
struct output_route {
	struct shim6_slot slot;
	u64 checked;
	struct net *net;
	struct route_facts facts;
} __aligned(64);	/* in one cache line */

void __percpu *shim6_helper_routes_alloc(void)
{
	return alloc_percpu(struct output_route);
}

void shim6_helper_routes_free(void __percpu *memory)
{
	struct output_route __percpu *routes = memory;
	int cpu;

	if (!routes)
		return;
	for_each_possible_cpu(cpu)
		dst_release(per_cpu_ptr(routes, cpu)->slot.object);
	free_percpu(routes);
}

/*
 * Upper half: the last number that a change of routes got in @net, and how often devices changed;
 * of neither there is less at any time. Lower half: this tick.
 */
static u64 route_moment(struct net *net)
{
	u32 changes = atomic_read(&net->ipv6.fib6_sernum) + atomic_read(&device_changes);

	return (u64)changes << 32 | (u32)jiffies;
}

/* Looks again at the route of this CPU, which may not be good any more. */
static noinline bool check_route(struct output_route __percpu *routes, u64 now)
{
	struct dst_entry *dst = NULL;
	struct output_route *route;
	struct route_facts facts;

	local_bh_disable();
	route = this_cpu_ptr(routes);
	if (route->slot.object)
		dst = dst_check(route->slot.object, route->slot.number);
	if (dst) {
		facts = facts_of(dst);
		WRITE_ONCE(route->facts.msecs, facts.msecs);
		WRITE_ONCE(route->facts.headroom, facts.headroom);
		WRITE_ONCE(route->facts.is_memory, facts.is_memory);
		/* Pairs with the barrier in find_checked(). */
		smp_wmb();
		WRITE_ONCE(route->checked, now);
	}
	local_bh_enable();
	return dst;
}

/* The route, if it was looked at in this moment. */
static __always_inline struct dst_entry *find_checked(const struct output_route *route, u64 now,
						      struct route_facts *facts)
{
	struct dst_entry *dst = READ_ONCE(route->slot.object);

	/* Pairs with the barriers in shim6_slot_write(). */
	smp_rmb();
	if (unlikely(!dst || READ_ONCE(route->checked) != now))
		return NULL;
	/* Pairs with the barrier in check_route(). */
	smp_rmb();
	facts->msecs = READ_ONCE(route->facts.msecs);
	facts->headroom = READ_ONCE(route->facts.headroom);
	facts->is_memory = READ_ONCE(route->facts.is_memory);
	/* As the first one: these are of no other route. */
	smp_rmb();
	if (unlikely(READ_ONCE(route->slot.object) != dst ||
		     READ_ONCE(dst->obsolete) != DST_OBSOLETE_FORCE_CHK))
		return NULL;
	return dst;
}

/*
 * The RCU read lock keeps the route. What is good at a moment may only turn out not to be when
 * routes or devices change or time goes on, so one look at a moment is enough.
 */
static __always_inline struct dst_entry *find_route(struct output_route __percpu *routes,
						    struct route_facts *facts)
{
	const struct output_route *route = raw_cpu_ptr(routes);
	struct net *net = READ_ONCE(route->net);
	struct dst_entry *dst;
	u64 now;

	/* Before the first route. */
	if (unlikely(!net))
		return NULL;
	now = route_moment(net);
	dst = find_checked(route, now, facts);
	if (likely(dst))
		return dst;
	return check_route(routes, now) ? find_checked(raw_cpu_ptr(routes), now, facts) : NULL;
}

/* Puts @dst with the caller's reference into a slot of this CPU. With bottom halves off. */
static void set_route(struct shim6_slot *slot, struct dst_entry *dst, long number)
{
	struct dst_entry *old = slot->object;

	shim6_slot_write(slot, dst, number);
	dst_release(old);
}

/* Remembers @dst, of IPv6, on this CPU. */
void shim6_helper_routes_set(void __percpu *memory, struct dst_entry *dst)
{
	struct output_route __percpu *routes = memory;
	struct output_route *route;

	dst_hold(dst);
	local_bh_disable();
	route = this_cpu_ptr(routes);
	/* Before the route is there. */
	WRITE_ONCE(route->net, dev_net(dst_dev(dst)));
	WRITE_ONCE(route->checked, 0);
	set_route(&route->slot, dst, rt6_get_cookie(dst_rt6_info(dst)));
	local_bh_enable();
}

/*
 * The routes of received packets that are for this host, on one CPU. The key is the destination,
 * which such a route has itself, and the device by which they came; its index is the upper half
 * of the number, the cookie the lower one.
 */
struct input_routes {
	struct shim6_slot slots[4];
} ____cacheline_aligned;

void __percpu *shim6_helper_input_routes_alloc(void)
{
	return alloc_percpu(struct input_routes);
}

void shim6_helper_input_routes_free(void __percpu *memory)
{
	struct input_routes __percpu *routes = memory;
	int cpu, i;

	if (!routes)
		return;
	for_each_possible_cpu(cpu)
		for (i = 0; i < ARRAY_SIZE(routes->slots); i++)
			dst_release(per_cpu_ptr(routes, cpu)->slots[i].object);
	free_percpu(routes);
}

static __always_inline struct shim6_slot *input_slot(struct input_routes *routes,
						     const struct sk_buff *skb)
{
	unsigned int key = ipv6_hdr(skb)->daddr.s6_addr[15] ^ skb->dev->ifindex;

	return &routes->slots[key % ARRAY_SIZE(routes->slots)];
}

/*
 * Whether the first rule of all is the one that asks the table of local addresses about every
 * packet: then nothing else of a packet matters to where it goes if that table has its
 * destination. Where rules change, all cookies do.
 */
static bool local_table_is_first(struct net *net)
{
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	const struct fib_rule *rule =
		list_first_or_null_rcu(&net->ipv6.fib6_rules_ops->rules_list,
				       struct fib_rule, list);

	return rule && fib6_rule_default(rule) && rule->table == RT6_TABLE_LOCAL &&
	       !rule->mark_mask && !rule->ip_proto;
#else
	return true;
#endif
}

/* The same for a route, and whether there is one address in it, of any sender. */
static bool is_of_local_table(struct net *net, const struct rt6_info *rt)
{
	const struct fib6_info *from = rcu_dereference(rt->from);

	return from && from->fib6_table->tb6_id == RT6_TABLE_LOCAL &&
	       rt->rt6i_dst.plen == 128 && !fib6_routes_require_src(net);
}

static noinline void look_input_route_up(struct input_routes __percpu *routes,
					 struct sk_buff *skb)
{
	struct net *net = dev_net_rcu(skb->dev);
	struct dst_entry *dst;

	/* The number has to be of 64 bits. */
	if (!IS_ENABLED(CONFIG_64BIT) || netif_is_l3_slave(skb->dev) ||
	    !local_table_is_first(net))
		return;
	ip6_route_input(skb);
	dst = skb_dst(skb);
	if (dst->input != ip6_input || !is_of_local_table(net, dst_rt6_info(dst)) ||
	    !dst_hold_safe(dst))
		return;
	local_bh_disable();
	set_route(input_slot(this_cpu_ptr(routes), skb), dst,
		  (u64)skb->dev->ifindex << 32 | rt6_get_cookie(dst_rt6_info(dst)));
	local_bh_enable();
}

/*
 * Gives a packet at the end of PRE_ROUTING the route that IPv6 is going to look up for it, if it
 * is for an address of this host, and remembers that. Else IPv6 looks it up.
 */
void shim6_helper_route_input(void __percpu *memory, struct sk_buff *skb)
{
	struct input_routes __percpu *routes = memory;
	struct dst_entry *dst;
	long number;

	dst = shim6_slot_read(input_slot(raw_cpu_ptr(routes), skb), &number);
	if (likely(dst && (u64)number >> 32 == skb->dev->ifindex &&
		   ipv6_addr_equal(&dst_rt6_info(dst)->rt6i_dst.addr, &ipv6_hdr(skb)->daddr) &&
		   dst_check(dst, (u32)number)))
		skb_dst_set_noref(skb, dst);
	else
		look_input_route_up(routes, skb);
}

/* skb_gso_validate_network_len(), which is called for what few super-packets are. */
static __always_inline bool segments_fit(const struct sk_buff *skb, u32 mtu)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	if (unlikely(!(shinfo->gso_type & SKB_GSO_TCPV6) || skb->encapsulation ||
		     shinfo->gso_size == GSO_BY_FRAGS))
		return skb_gso_validate_network_len(skb, mtu);
	return skb_transport_offset(skb) + tcp_hdrlen(skb) + shinfo->gso_size <= mtu;
}

static __always_inline void exit_by(const struct sk_buff *skb, struct dst_entry *dst,
				    const struct route_facts *facts, unsigned int added,
				    struct shim6_helper_exit *exit)
{
	u32 mtu;

	exit->dst = dst;
	exit->msecs = facts->msecs;
	exit->headroom = facts->headroom;
	exit->is_gso = skb_is_gso(skb);
	exit->has_carrier = netif_carrier_ok(dst_dev_rcu(dst));
	exit->is_memory = facts->is_memory;
	/* What every path takes, and every sender knows. */
	exit->fits = !exit->is_gso && skb->len + added <= IPV6_MIN_MTU;
	if (exit->fits)
		return;
	/* dst_mtu(), but inline. */
	mtu = ip6_dst_mtu_maybe_forward(dst, false);
	mtu = mtu > added ? mtu - added : 0;
	/* Nobody makes fragments of segments that fit. */
	exit->fits = exit->is_gso && segments_fit(skb, mtu);
	if (exit->fits)
		return;
	/* The same, if nobody said more. */
	exit->known_mtu = skb_dst(skb) ? ip6_skb_dst_mtu(skb) : IPV6_MIN_MTU;
	exit->mtu = min(mtu, exit->known_mtu);
	exit->fits = !exit->is_gso && skb->len <= exit->mtu;
}

/*
 * How a packet leaves by @dst, with @added octets more than it has now. Under the RCU
 * read lock, which keeps the route and its device.
 */
void shim6_helper_exit_by(const struct sk_buff *skb, struct dst_entry *dst, unsigned int added,
			  struct shim6_helper_exit *exit)
{
	const struct route_facts facts = facts_of(dst);

	exit_by(skb, dst, &facts, added, exit);
}

/* The same by the route that this CPU remembers; false if it remembers no good one. */
bool shim6_helper_exit_find(const struct sk_buff *skb, void __percpu *memory, unsigned int added,
			    struct shim6_helper_exit *exit)
{
	struct output_route __percpu *routes = memory;
	struct route_facts facts;
	struct dst_entry *dst = find_route(routes, &facts);

	if (!dst)
		return false;
	exit_by(skb, dst, &facts, added, exit);
	return true;
}

/*
 * Segments and checksums are finished in software where the device would do it and
 * would take our header for that of the transport.
 */
static int finish_in_software(struct sk_buff *skb)
{
	int err;

	if (skb_is_gso(skb)) {
		err = skb_unclone(skb, GFP_ATOMIC);
		if (err)
			return err;
		/* No device announces this kind of segmentation. */
		skb_shinfo(skb)->gso_type |= SKB_GSO_TUNNEL_REMCSUM;
		return 0;
	}
	return skb->ip_summed == CHECKSUM_PARTIAL ? skb_checksum_help(skb) : 0;
}

static __always_inline int exit_push(struct sk_buff *skb, unsigned int len,
				     const struct shim6_helper_exit *exit,
				     void __percpu *counters, unsigned int counter,
				     unsigned int gso_counter)
{
	u64 __percpu *array = counters;
	bool is_noref = skb_dst_is_noref(skb);
	int err;

	if (skb_nfct(skb) && !shim6_helper_skb_confirm_untrack(skb))
		return -EPERM;
	if (!exit->is_memory) {
		err = finish_in_software(skb);
		if (err)
			return err;
	}
	err = skb_cow_head(skb, len + exit->headroom);
	if (err)
		return err;
	if (!is_noref && !dst_hold_safe(exit->dst))
		return -EHOSTUNREACH;
	skb_dst_drop(skb);
	if (is_noref)
		skb_dst_set_noref(skb, exit->dst);
	else
		skb_dst_set(skb, exit->dst);
	__skb_push(skb, len);
	skb_reset_network_header(skb);
	this_cpu_inc(array[exit->is_gso ? gso_counter : counter]);
	return 0;
}

/*
 * Makes room for @len octets at the start of the packet, which leaves by @exit, and counts
 * it in @counter, a super-packet in @gso_counter. A packet whose route is not counted is not
 * kept beyond the caller's RCU read lock, and needs no reference on the other one either.
 * -EPERM if conntrack refuses the flow.
 */
int shim6_helper_exit_push(struct sk_buff *skb, unsigned int len,
			   const struct shim6_helper_exit *exit, void __percpu *counters,
			   unsigned int counter, unsigned int gso_counter)
{
	return exit_push(skb, len, exit, counters, counter, gso_counter);
}

/*
 * The same by the route that this CPU remembers, if it is a good one and the packet fits:
 * twice the time, as shim6_helper_coarse_msecs(), plus 1 if the device has its carrier. If not,
 * -EAGAIN, and nothing is done. A super-packet is counted as one of both others instead.
 */
s64 shim6_helper_exit_leave(struct sk_buff *skb, void __percpu *memory, unsigned int len,
			    void __percpu *counters, unsigned int counter,
			    unsigned int whole_counter, unsigned int software_counter)
{
	struct output_route __percpu *routes = memory;
	struct shim6_helper_exit exit;
	struct route_facts facts;
	struct dst_entry *dst;
	int err;

	dst = find_route(routes, &facts);
	if (unlikely(!dst))
		return -EAGAIN;
	exit_by(skb, dst, &facts, len, &exit);
	if (unlikely(!exit.fits))
		return -EAGAIN;
	err = exit_push(skb, len, &exit, counters, counter,
			exit.is_memory ? whole_counter : software_counter);
	return err ? err : exit.msecs << 1 | exit.has_carrier;
}

static int input_anew(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	if (!skb_dst(skb))
		ip6_route_input(skb);
	return dst_input(skb);
}

/*
 * A packet in input that has become another one goes through PRE_ROUTING and input again, so
 * that firewalls see what it is now. Its route is kept unless somebody there changes its
 * destination. It has a Hop-by-Hop header if it had one, and that is linear.
 */
void shim6_helper_ip6_input_anew(struct net *net, struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);
	unsigned int len = sizeof(*ip6);

	nf_reset_ct(skb);
	IP6CB(skb)->flags &= ~IP6SKB_FRAGMENTED;
	IP6CB(skb)->nhoff = offsetof(struct ipv6hdr, nexthdr);
	if (ip6->nexthdr == NEXTHDR_HOP) {
		IP6CB(skb)->nhoff = len;
		len += ipv6_optlen((const struct ipv6_opt_hdr *)(ip6 + 1));
	}
	skb_set_transport_header(skb, len);
	NF_HOOK(NFPROTO_IPV6, NF_INET_PRE_ROUTING, net, NULL, skb, skb->dev, NULL, input_anew);
}

static __always_inline int open_head(struct sk_buff *skb, unsigned int len)
{
	int err = skb_ensure_writable(skb, len);

	if (!err)
		skb_postpull_rcsum(skb, skb->data, len);
	return err;
}

/* Rust looks at this by itself. */
static_assert(sizeof_field(struct net, ipv6.dev_addr_genid) == sizeof(u32));

static __always_inline void check_summed(void)
{
	static const struct sk_buff complete = { .ip_summed = CHECKSUM_COMPLETE };
	static const struct sk_buff all = { .ip_summed = 3 };

	BUILD_BUG_ON(((const u8 *)&complete)[PKT_TYPE_OFFSET] != SHIM6_SKB_SUMMED_COMPLETE);
	BUILD_BUG_ON(((const u8 *)&all)[PKT_TYPE_OFFSET] != SHIM6_SKB_SUMMED_MASK);
}

/* Lets the first @len octets be written, and takes them out of the packet's checksum. */
int shim6_helper_skb_open(struct sk_buff *skb, unsigned int len)
{
	return open_head(skb, len);
}

/*
 * Whether @addr is one of this host's. @known is since which change of addresses it is known to
 * be: the count of them is 0 as long as there was none.
 */
static bool is_local(struct net *net, const struct in6_addr *addr, u32 *known)
{
	u32 changes = atomic_read(&net->ipv6.dev_addr_genid);

	if (READ_ONCE(*known) == changes && changes)
		return true;
	/* An address goes before it counts as a change. */
	smp_rmb();
	if (!ipv6_chk_addr(net, addr, NULL, 0))
		return false;
	WRITE_ONCE(*known, changes);
	return true;
}

/*
 * The same, if the packet is for this host, as the caller may know, and @inner is an address
 * of it too, as @inner_known remembers. An enum shim6_helper_recipient, or an error.
 */
int shim6_helper_skb_enter(struct net *net, struct sk_buff *skb, const struct in6_addr *inner,
			   u32 *inner_known, bool is_ours, unsigned int len)
{
	int err;

	check_summed();
	if (!is_ours && !ipv6_chk_addr(net, &ipv6_hdr(skb)->daddr, NULL, 0))
		return SHIM6_HELPER_RECIPIENT_FOREIGN;
	if (!is_local(net, inner, inner_known))
		return SHIM6_HELPER_RECIPIENT_OUTER;
	err = open_head(skb, len);
	return err ? err : SHIM6_HELPER_RECIPIENT_OURS;
}

/*
 * Puts the link-layer header right before that of IPv6, where loggers and packet sockets expect it.
 */
static __always_inline void rebuild_mac_header(struct sk_buff *skb)
{
	const u8 *old;
	u64 first, last;
	u8 *new;

	if (unlikely(!skb_mac_header_was_set(skb) || skb->mac_len != ETH_HLEN)) {
		shim6_helper_skb_mac_header_rebuild(skb);
		return;
	}
	/* memmove() would be a call. */
	old = skb_mac_header(skb);
	first = get_unaligned((const u64 *)old);
	last = get_unaligned((const u64 *)(old + ETH_HLEN - sizeof(last)));
	skb_set_mac_header(skb, -ETH_HLEN);
	new = skb_mac_header(skb);
	put_unaligned(first, (u64 *)new);
	put_unaligned(last, (u64 *)(new + ETH_HLEN - sizeof(last)));
}

/*
 * After that: cuts @cut of those octets off, puts the rest into the checksum, and counts
 * the packet. The time, as shim6_helper_coarse_msecs().
 */
u64 shim6_helper_skb_close(struct sk_buff *skb, unsigned int len, unsigned int cut,
			   void __percpu *counters, unsigned int counter)
{
	u64 __percpu *array = counters;

	__skb_pull(skb, cut);
	skb_reset_network_header(skb);
	/* As far behind it as before. */
	skb->transport_header += cut;
	skb_postpush_rcsum(skb, skb->data, len - cut);
	rebuild_mac_header(skb);
	this_cpu_inc(array[counter]);
	return shim6_helper_coarse_msecs();
}
