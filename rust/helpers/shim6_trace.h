/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the module, /sys/kernel/tracing/events/shim6. The only part of
 * these helpers that knows Shim6: names and fields of tracepoints are made of
 * macros. Rust tests their keys and calls them, see kernel_ext/tracepoint.rs.
 *
 * A context is named by its namespace (netns, the inode number that lsns(8)
 * shows), by CT(local) and by its ULIDs. The words are those of shim6(8).
 * Addresses are in network byte order, all else in that of the host.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM shim6

#if !defined(SHIM6_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SHIM6_TRACE_H

#include <linux/in6.h>
#include <linux/shim6_netlink.h>
#include <linux/tracepoint.h>
#include <net/net_namespace.h>

/* Octets for the name of a counter; a test of the command says that they suffice. */
#define SHIM6_TRACE_REASON		32

#define SHIM6_TRACE_STATES						\
	WORD(SHIM6_STATE_IDLE,		"IDLE")				\
	WORD(SHIM6_STATE_I1_SENT,	"I1-SENT")			\
	WORD(SHIM6_STATE_I2_SENT,	"I2-SENT")			\
	WORD(SHIM6_STATE_I2BIS_SENT,	"I2BIS-SENT")			\
	LAST_WORD(SHIM6_STATE_ESTABLISHED, "ESTABLISHED")

#define SHIM6_TRACE_REAP						\
	WORD(SHIM6_REAP_OPERATIONAL,	"operational")			\
	WORD(SHIM6_REAP_EXPLORING,	"exploring")			\
	LAST_WORD(SHIM6_REAP_INBOUND_OK, "inbound-ok")

#define SHIM6_TRACE_PAIR_REASONS					\
	WORD(SHIM6_PAIR_ULIDS,		"ulids")			\
	WORD(SHIM6_PAIR_HANDSHAKE,	"handshake")			\
	WORD(SHIM6_PAIR_ADMIN,		"admin")			\
	WORD(SHIM6_PAIR_SOCKET,		"socket")			\
	WORD(SHIM6_PAIR_PROBED,		"probed")			\
	WORD(SHIM6_PAIR_STANDBY,	"standby")			\
	LAST_WORD(SHIM6_PAIR_FAILBACK,	"failback")

#define SHIM6_TRACE_CAUSES						\
	WORD(SHIM6_CAUSE_NONE,		"none")				\
	WORD(SHIM6_CAUSE_TRIGGER,	"trigger")			\
	WORD(SHIM6_CAUSE_ADMIN,		"admin")			\
	WORD(SHIM6_CAUSE_SOCKET,	"socket")			\
	WORD(SHIM6_CAUSE_MESSAGE,	"message")			\
	WORD(SHIM6_CAUSE_TIMEOUT,	"timeout")			\
	WORD(SHIM6_CAUSE_IDLE,		"idle")				\
	WORD(SHIM6_CAUSE_ULID_GONE,	"ulid-gone")			\
	WORD(SHIM6_CAUSE_CONFUSION,	"confusion")			\
	WORD(SHIM6_CAUSE_ICMP,		"icmp")				\
	WORD(SHIM6_CAUSE_ADDRESS,	"address")			\
	WORD(SHIM6_CAUSE_SEND_TIMEOUT,	"send-timeout")			\
	WORD(SHIM6_CAUSE_LOCAL_LOST,	"local-lost")			\
	WORD(SHIM6_CAUSE_PEER_BROKEN,	"peer-broken")			\
	WORD(SHIM6_CAUSE_FEEDBACK,	"feedback")			\
	WORD(SHIM6_CAUSE_TCP_TIMEOUT,	"tcp-timeout")			\
	WORD(SHIM6_CAUSE_ICMP_ERROR,	"icmp-error")			\
	WORD(SHIM6_CAUSE_PAYLOAD,	"payload")			\
	WORD(SHIM6_CAUSE_KEEPALIVE,	"keepalive")			\
	LAST_WORD(SHIM6_CAUSE_PROBE,	"probe")

/* Programs that read the formats learn the numbers. */
#undef WORD
#undef LAST_WORD
#define WORD(number, word)	TRACE_DEFINE_ENUM(number);
#define LAST_WORD(number, word)	TRACE_DEFINE_ENUM(number);

SHIM6_TRACE_STATES
SHIM6_TRACE_REAP
SHIM6_TRACE_PAIR_REASONS
SHIM6_TRACE_CAUSES

#undef WORD
#undef LAST_WORD
#define WORD(number, word)	{ number, word },
#define LAST_WORD(number, word)	{ number, word }

#define shim6_trace_copy(to, from)	memcpy(to, from, sizeof(struct in6_addr))

/* RFC 5533 section 6; a context that is not there is IDLE. */
TRACE_EVENT(shim6_state,
	TP_PROTO(const struct net *net, u64 tag, const struct in6_addr *ulid_local,
		 const struct in6_addr *ulid_peer, u8 from, u8 to, u8 cause),
	TP_ARGS(net, tag, ulid_local, ulid_peer, from, to, cause),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u64, tag)
		__array(u8, ulid_local, 16)
		__array(u8, ulid_peer, 16)
		__field(u8, from)
		__field(u8, to)
		__field(u8, cause)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->tag = tag;
		shim6_trace_copy(__entry->ulid_local, ulid_local);
		shim6_trace_copy(__entry->ulid_peer, ulid_peer);
		__entry->from = from;
		__entry->to = to;
		__entry->cause = cause;
	),
	TP_printk("netns=%u tag=%012llx ulid_local=%pI6c ulid_peer=%pI6c from=%s to=%s cause=%s",
		  __entry->netns, __entry->tag, __entry->ulid_local, __entry->ulid_peer,
		  __print_symbolic(__entry->from, SHIM6_TRACE_STATES),
		  __print_symbolic(__entry->to, SHIM6_TRACE_STATES),
		  __print_symbolic(__entry->cause, SHIM6_TRACE_CAUSES))
);

/* Failure detection enters a state (RFC 5534 section 6). */
TRACE_EVENT(shim6_reap,
	TP_PROTO(const struct net *net, u64 tag, const struct in6_addr *ulid_local,
		 const struct in6_addr *ulid_peer, u8 state, u8 cause),
	TP_ARGS(net, tag, ulid_local, ulid_peer, state, cause),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u64, tag)
		__array(u8, ulid_local, 16)
		__array(u8, ulid_peer, 16)
		__field(u8, state)
		__field(u8, cause)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->tag = tag;
		shim6_trace_copy(__entry->ulid_local, ulid_local);
		shim6_trace_copy(__entry->ulid_peer, ulid_peer);
		__entry->state = state;
		__entry->cause = cause;
	),
	TP_printk("netns=%u tag=%012llx ulid_local=%pI6c ulid_peer=%pI6c state=%s cause=%s",
		  __entry->netns, __entry->tag, __entry->ulid_local, __entry->ulid_peer,
		  __print_symbolic(__entry->state, SHIM6_TRACE_REAP),
		  __print_symbolic(__entry->cause, SHIM6_TRACE_CAUSES))
);

/* A Probe (RFC 5534 section 5.2): locators, and state of its sender. */
DECLARE_EVENT_CLASS(shim6_probe,
	TP_PROTO(const struct net *net, u64 tag, const struct in6_addr *local,
		 const struct in6_addr *peer, u32 nonce, u8 state),
	TP_ARGS(net, tag, local, peer, nonce, state),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u64, tag)
		__array(u8, local, 16)
		__array(u8, peer, 16)
		__field(u32, nonce)
		__field(u8, state)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->tag = tag;
		shim6_trace_copy(__entry->local, local);
		shim6_trace_copy(__entry->peer, peer);
		__entry->nonce = nonce;
		__entry->state = state;
	),
	TP_printk("netns=%u tag=%012llx local=%pI6c peer=%pI6c nonce=%08x state=%s",
		  __entry->netns, __entry->tag, __entry->local, __entry->peer, __entry->nonce,
		  __print_symbolic(__entry->state, SHIM6_TRACE_REAP))
);

DEFINE_EVENT(shim6_probe, shim6_probe_sent,
	TP_PROTO(const struct net *net, u64 tag, const struct in6_addr *local,
		 const struct in6_addr *peer, u32 nonce, u8 state),
	TP_ARGS(net, tag, local, peer, nonce, state)
);

DEFINE_EVENT(shim6_probe, shim6_probe_received,
	TP_PROTO(const struct net *net, u64 tag, const struct in6_addr *local,
		 const struct in6_addr *peer, u32 nonce, u8 state),
	TP_ARGS(net, tag, local, peer, nonce, state)
);

/* Packets take another locator pair from now on. */
TRACE_EVENT(shim6_path,
	TP_PROTO(const struct net *net, u64 tag, const struct in6_addr *from_local,
		 const struct in6_addr *from_peer, const struct in6_addr *to_local,
		 const struct in6_addr *to_peer, u8 reason, u8 cause),
	TP_ARGS(net, tag, from_local, from_peer, to_local, to_peer, reason, cause),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		__field(u64, tag)
		__array(u8, from_local, 16)
		__array(u8, from_peer, 16)
		__array(u8, to_local, 16)
		__array(u8, to_peer, 16)
		__field(u8, reason)
		__field(u8, cause)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->tag = tag;
		shim6_trace_copy(__entry->from_local, from_local);
		shim6_trace_copy(__entry->from_peer, from_peer);
		shim6_trace_copy(__entry->to_local, to_local);
		shim6_trace_copy(__entry->to_peer, to_peer);
		__entry->reason = reason;
		__entry->cause = cause;
	),
	TP_printk("netns=%u tag=%012llx from=%pI6c,%pI6c to=%pI6c,%pI6c reason=%s cause=%s",
		  __entry->netns, __entry->tag, __entry->from_local, __entry->from_peer,
		  __entry->to_local, __entry->to_peer,
		  __print_symbolic(__entry->reason, SHIM6_TRACE_PAIR_REASONS),
		  __print_symbolic(__entry->cause, SHIM6_TRACE_CAUSES))
);

/*
 * A packet or message is dropped. The reason is the name of what was counted,
 * as in /proc/net/shim6_stat; addresses and length are those of the IPv6 header.
 */
TRACE_EVENT(shim6_drop,
	TP_PROTO(const struct net *net, const char *reason, const struct in6_addr *source,
		 const struct in6_addr *destination, u32 len),
	TP_ARGS(net, reason, source, destination, len),
	TP_STRUCT__entry(
		__field(unsigned int, netns)
		/* No __string: Debian 13's bpftrace reads these from a wrong place. */
		__array(char, reason, SHIM6_TRACE_REASON)
		__array(u8, source, 16)
		__array(u8, destination, 16)
		__field(u32, len)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		strscpy(__entry->reason, reason, SHIM6_TRACE_REASON);
		shim6_trace_copy(__entry->source, source);
		shim6_trace_copy(__entry->destination, destination);
		__entry->len = len;
	),
	TP_printk("netns=%u reason=%s source=%pI6c destination=%pI6c len=%u",
		  __entry->netns, __entry->reason, __entry->source, __entry->destination,
		  __entry->len)
);

#endif /* SHIM6_TRACE_H */

/* Outside of the protection, for it is read again and again. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE shim6_trace
#include <trace/define_trace.h>
