/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Socket API for multihoming shims: the socket level SOL_SHIM.
 *
 * draft-ietf-shim6-multihome-shim-api-03, "Socket Application Program Interface
 * (API) for Multihoming Shim". No document assigns numbers; those below are
 * the ones this implementation uses, and they do not change.
 *
 * A program finds out whether the kernel has the shim by
 * getsockopt(fd, SOL_SHIM, SHIM_ASSOCIATED, ...): ENOPROTOOPT means no.
 */
#ifndef _UAPI_LINUX_SHIM6_H
#define _UAPI_LINUX_SHIM6_H

#include <linux/types.h>

/* Socket level, equal to the protocol number of Shim6 (RFC 5533 section 5). */
#ifndef SOL_SHIM
#define SOL_SHIM			140
#endif

/*
 * Socket options at SOL_SHIM (draft section 5, Table 1), and ancillary data
 * types (draft section 6, Table 2) in the same number space.
 *
 *   option                       get  set  type
 *   SHIM_ASSOCIATED               x        int, 0 or 1
 *   SHIM_DONTSHIM                 x    x   int, 0 or 1
 *   SHIM_LOC_LOCAL_PREF           x    x   struct shim_locator
 *   SHIM_LOC_PEER_PREF            x    x   struct shim_locator
 *   SHIM_LOCLIST_LOCAL            x        array of struct shim_locator
 *   SHIM_LOCLIST_PEER             x        array of struct shim_locator
 *
 * The other numbers are reserved for their names and answer ENOPROTOOPT.
 */
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
/* The draft spells the name of this option in two ways (section 5.12). */
#define SHIM_DEFERRED_CONTEXT_SETUP	SHIM_CONTEXT_DEFERRED_SETUP
#define SHIM_LOC_LOCAL_SEND		13
#define SHIM_LOC_PEER_SEND		14
#define SHIM_FEEDBACK_POSITIVE		15
#define SHIM_FEEDBACK_NEGATIVE		16
#define SHIM_FEEDBACK			17
#define SHIM_IF_SEND			18

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
 * @pe_probenum:    number of initial probes
 * @pe_keepaliveto: Send Timeout in seconds: exploration starts when the peer
 *                  was silent for so long while this host was sending
 * @pe_initprobeto: time between initial probes in milliseconds
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

/* The examples of the draft use this second name (section 5.4). */
#define shim6_pathexplore		shim_pathexplore

#endif /* _UAPI_LINUX_SHIM6_H */
