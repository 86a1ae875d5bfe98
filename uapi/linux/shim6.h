/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Socket API for multihoming shims: the socket level SOL_SHIM.
 *
 * draft-ietf-shim6-multihome-shim-api-03, "Socket Application Program Interface
 * (API) for Multihoming Shim", and its successor RFC 6316. No document assigns
 * numbers; those below are the ones this implementation uses, and they do not
 * change.
 *
 * A program that is written to RFC 6316 defines SHIM_RFC6316 before it includes
 * this header. It then gets the structures of the RFC, and the same names stand
 * for other option numbers, so that programs of both kinds run side by side.
 *
 * A program finds out whether the kernel has the shim by
 * getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, ...): ENOPROTOOPT means no. A socket
 * has to ask anything once before its ancillary data is looked at, and until then
 * that of this level is ignored. On TCP sockets that have asked, and on those that
 * are accepted from them, it is EOPNOTSUPP. Sockets of MPTCP ignore it always: the
 * kernel does not look at their ancillary data.
 */
#ifndef _UAPI_LINUX_SHIM6_H
#define _UAPI_LINUX_SHIM6_H

#include <linux/types.h>
#include <linux/in6.h>

/* Socket level, equal to the protocol number of Shim6 (RFC 5533 section 5). */
#ifndef SOL_SHIM
#define SOL_SHIM			140
#endif

/* Numbers of RFC 6316's options are those of the draft's and this. */
#define SHIM_RFC6316_BASE		64

/*
 * Socket options at SOL_SHIM (draft section 5, Table 1), and ancillary data
 * types (draft section 6, Table 2) in the same number space.
 *
 *   option                       get  set  type
 *   SHIM_ASSOCIATED               x        int, 0 or 1
 *   SHIM_DONTSHIM                 x    x   int, 0 or 1
 *   SHIM_HOT_STANDBY              x    x   int, 0 or 1
 *   SHIM_LOC_LOCAL_PREF           x    x   struct shim_locator
 *   SHIM_LOC_PEER_PREF            x    x   struct shim_locator
 *   SHIM_LOC_LOCAL_RECV           x    x   int, 0 or 1
 *   SHIM_LOC_PEER_RECV            x    x   int, 0 or 1
 *   SHIM_LOCLIST_LOCAL            x    x   array of struct shim_locator
 *   SHIM_LOCLIST_PEER             x    x   array of struct shim_locator
 *   SHIM_APP_TIMEOUT              x    x   int, seconds
 *   SHIM_PATHEXPLORE              x    x   struct shim_pathexplore
 *   SHIM_CONTEXT_DEFERRED_SETUP   x    x   int, 0 or 1; only get in RFC 6316
 *   SHIM_LOC_LOCAL_SEND           x    x   struct shim_locator; only RFC 6316
 *   SHIM_LOC_PEER_SEND            x    x   struct shim_locator; only RFC 6316
 *
 *   ancillary data          recvmsg  sendmsg  data
 *   SHIM_LOC_LOCAL_RECV        x              struct sockaddr_in6
 *   SHIM_LOC_PEER_RECV         x              struct sockaddr_in6
 *   SHIM_LOC_LOCAL_SEND                 x     struct sockaddr_in6
 *   SHIM_LOC_PEER_SEND                  x     struct sockaddr_in6
 *   SHIM_FEEDBACK_POSITIVE              x     none; only the draft
 *   SHIM_FEEDBACK_NEGATIVE              x     none; only the draft
 *   SHIM_FEEDBACK                       x     struct shim_feedback
 *
 * SHIM_IF_SEND is reserved for its name, which the draft calls deprecated.
 */
#ifndef SHIM_RFC6316
#define SHIM_ASSOCIATED			1
#define SHIM_DONTSHIM			2
#define SHIM_HOT_STANDBY		3
#define SHIM_LOC_LOCAL_PREF		4
#define SHIM_LOC_PEER_PREF		5
#define SHIM_LOC_LOCAL_RECV		6
#define SHIM_LOC_PEER_RECV		7
#define SHIM_LOCLIST_LOCAL		8
#define SHIM_LOCLIST_PEER		9
#define SHIM_APP_TIMEOUT		10
#define SHIM_PATHEXPLORE		11
#define SHIM_CONTEXT_DEFERRED_SETUP	12
#define SHIM_LOC_LOCAL_SEND		13
#define SHIM_LOC_PEER_SEND		14
#define SHIM_FEEDBACK_POSITIVE		15
#define SHIM_FEEDBACK_NEGATIVE		16
#define SHIM_IF_SEND			18
#else
#define SHIM_ASSOCIATED			(SHIM_RFC6316_BASE + 1)
#define SHIM_DONTSHIM			(SHIM_RFC6316_BASE + 2)
#define SHIM_HOT_STANDBY		(SHIM_RFC6316_BASE + 3)
#define SHIM_LOC_LOCAL_PREF		(SHIM_RFC6316_BASE + 4)
#define SHIM_LOC_PEER_PREF		(SHIM_RFC6316_BASE + 5)
#define SHIM_LOC_LOCAL_RECV		(SHIM_RFC6316_BASE + 6)
#define SHIM_LOC_PEER_RECV		(SHIM_RFC6316_BASE + 7)
#define SHIM_LOCLIST_LOCAL		(SHIM_RFC6316_BASE + 8)
#define SHIM_LOCLIST_PEER		(SHIM_RFC6316_BASE + 9)
#define SHIM_APP_TIMEOUT		(SHIM_RFC6316_BASE + 10)
#define SHIM_PATHEXPLORE		(SHIM_RFC6316_BASE + 11)
#define SHIM_CONTEXT_DEFERRED_SETUP	(SHIM_RFC6316_BASE + 12)
#define SHIM_LOC_LOCAL_SEND		(SHIM_RFC6316_BASE + 13)
#define SHIM_LOC_PEER_SEND		(SHIM_RFC6316_BASE + 14)
#endif
#define SHIM_FEEDBACK			17
/* Both documents spell the name of this option in two ways. */
#define SHIM_DEFERRED_CONTEXT_SETUP	SHIM_CONTEXT_DEFERRED_SETUP

/*
 * Error numbers of this API, outside the range of <asm/errno.h>. strerror()
 * does not know them.
 */
#define EINVALIDLOCATOR			2240	/* Locator fails validation */
#define EUNVERIFIEDLOCATOR		2241	/* Locator is not verified yet */
#define EUNREACHABLELOCATOR		2242	/* Locator is known to be unreachable */
#define ETOOMANYLOCATORS		2243	/* Locators do not fit into the buffer */

/* Most locators a list can hold (RFC 6316 section 13). */
#define SHIM_MAX_LOCATORS		32

/* Bits of shim_locator.lc_flags: how the locator is verified. */
#define SHIM_LC_HBA			0x01	/* RFC 5535 */
#define SHIM_LC_CGA			0x02	/* RFC 3972 */

/* shim_feedback.fb_direction: which way packets go that the program thinks of. */
#define SHIM_FEEDBACK_OUTBOUND		0
#define SHIM_FEEDBACK_INBOUND		1

/* shim_feedback.fb_indicator: what the program thinks of it. */
#define SHIM_FEEDBACK_IGNORE		0	/* Nothing: it is not processed */
#define SHIM_FEEDBACK_UNABLE		1	/* Unable to connect */
#define SHIM_FEEDBACK_UNSATISFACTORY	2
#define SHIM_FEEDBACK_SATISFACTORY	3

/* In a program that is written to RFC 6316 its structures have the names. */
#ifdef SHIM_RFC6316
#define shim_locator			shim_rfc6316_locator
#define shim_pathexplore		shim_rfc6316_pathexplore
#else

/**
 * struct shim_locator - a locator (draft section 7.1)
 * @lc_family:     address family, AF_INET6 for Shim6; anything else but AF_INET
 *                 is refused with EINVAL on set, AF_INET with EINVALIDLOCATOR
 * @lc_ifidx:      on get, index of the interface that has a local locator, 0 if
 *                 there is none or the index is above 255; ignored on set
 * @lc_flags:      on get, SHIM_LC_HBA or SHIM_LC_CGA; ignored on set
 * @lc_preference: 255 is the most preferred locator, 0 the least
 * @lc_addr:       IPv6 address in network byte order
 */
struct shim_locator {
	__u8	lc_family;
	__u8	lc_ifidx;
	__u8	lc_flags;
	__u8	lc_preference;
	__u8	lc_addr[16];
};

/**
 * struct shim_pathexplore - parameters of path exploration (draft section 7.2)
 * @pe_probenum:    number of initial probes, 1 to 15
 * @pe_keepaliveto: Send Timeout in seconds: exploration starts when the peer
 *                  was silent for so long while this host was sending
 * @pe_initprobeto: time between initial probes in milliseconds, 100 to 60000
 * @pe_reserved:    zero
 *
 * On set a zero field means the default value.
 */
struct shim_pathexplore {
	__u8	pe_probenum;
	__u8	pe_keepaliveto;
	__u16	pe_initprobeto;
	__u32	pe_reserved;
};
#endif /* SHIM_RFC6316 */

/* The examples of the draft use this second name (section 5.4). */
#define shim6_pathexplore		shim_pathexplore

/**
 * struct shim_rfc6316_locator - a locator (RFC 6316 section 8.1)
 * @lc_family: address family, AF_INET6 for Shim6; anything else but AF_INET is
 *             refused with EINVAL on set, AF_INET with EINVALIDLOCATOR
 * @lc_proto:  0: no locator of Shim6 is behind a NAT, others are refused with
 *             EINVALIDLOCATOR
 * @lc_port:   ignored on set, 0 on get
 * @lc_prio:   priority, the lowest number is the most preferred; the protocol
 *             has one octet for it, so that what is above 255 becomes 255
 * @lc_weight: share among locators of equal priority; as @lc_prio in range
 * @lc_ifidx:  on get, index of the interface that has a local locator, 0 if
 *             there is none; ignored on set
 * @lc_addr:   IPv6 address in network byte order
 * @lc_flags:  on get, SHIM_LC_HBA or SHIM_LC_CGA; ignored on set
 */
struct shim_rfc6316_locator {
	__u8		lc_family;
	__u8		lc_proto;
	__u16		lc_port;
	__u16		lc_prio;
	__u16		lc_weight;
	__u32		lc_ifidx;
	struct in6_addr	lc_addr;
	__u16		lc_flags;
};

/**
 * struct shim_rfc6316_pathexplore - parameters of path exploration (RFC 6316
 * section 8.2)
 * @pe_probenum:     number of initial probes, 1 to 15
 * @pe_keepaliveto:  Send Timeout in seconds, whatever the name says
 * @pe_keepaliveint: Keepalive Interval in seconds, a third of the Keepalive
 *                   Timeout at most
 * @pe_initprobeto:  time between initial probes in milliseconds, 100 to 60000
 * @pe_reserved:     zero
 *
 * On set a zero field means the default value.
 */
struct shim_rfc6316_pathexplore {
	__u16	pe_probenum;
	__u16	pe_keepaliveto;
	__u16	pe_keepaliveint;
	__u16	pe_initprobeto;
	__u32	pe_reserved;
};

/**
 * struct shim_feedback - what a program thinks of the path in use (RFC 6316
 * section 8.3)
 * @fb_direction: SHIM_FEEDBACK_OUTBOUND or SHIM_FEEDBACK_INBOUND
 * @fb_indicator: SHIM_FEEDBACK_IGNORE to SHIM_FEEDBACK_SATISFACTORY
 * @fb_reserved:  ignored
 */
struct shim_feedback {
	__u8	fb_direction;
	__u8	fb_indicator;
	__u16	fb_reserved;
};

#endif /* _UAPI_LINUX_SHIM6_H */
