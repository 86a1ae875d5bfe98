/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "shim6": objects of the Shim6 layer (RFC 5533) of one
 * network namespace, the namespace of the netlink socket.
 *
 * Addresses are 16 octets in network byte order, integers in host byte order.
 * All commands need CAP_NET_ADMIN in the user namespace that owns the network
 * namespace. Errors carry an extended acknowledgement in words. Validation is
 * strict: attributes and flags that a command does not know are refused, and so
 * are an attribute given twice (but the locators), a locator in both lists, and
 * a context named both by its tag and by its identity. Replies to GET and the
 * messages of a dump carry %SHIM6_CMD_CONTEXT_GET.
 */
#ifndef _UAPI_LINUX_SHIM6_NETLINK_H
#define _UAPI_LINUX_SHIM6_NETLINK_H

#define SHIM6_GENL_NAME			"shim6"
#define SHIM6_GENL_VERSION		1

/**
 * enum shim6_cmd - commands
 * @SHIM6_CMD_UNSPEC:      not used
 * @SHIM6_CMD_CONTEXT_GET: one context, named by its identity (ULID pair and
 *                         FII) or by %SHIM6_A_TAG_LOCAL; with NLM_F_DUMP all
 * @SHIM6_CMD_CONTEXT_ADD: add a static context. Needs both ULIDs and both tags.
 *                         A list of locators that is left out holds the ULID
 *                         only; one that is given must hold the ULID. The
 *                         current pair is the ULID pair unless given
 * @SHIM6_CMD_CONTEXT_DEL: delete a context, named as in GET
 * @SHIM6_CMD_CONTEXT_SET: set the current locator pair of a context, named as
 *                         in GET; a locator left out keeps its value
 */
enum shim6_cmd {
	SHIM6_CMD_UNSPEC,
	SHIM6_CMD_CONTEXT_GET,
	SHIM6_CMD_CONTEXT_ADD,
	SHIM6_CMD_CONTEXT_DEL,
	SHIM6_CMD_CONTEXT_SET,

	/* private: */
	__SHIM6_CMD_MAX,
};

#define SHIM6_CMD_MAX			(__SHIM6_CMD_MAX - 1)

/**
 * enum shim6_attr - attributes of a context
 * @SHIM6_A_UNSPEC:        not used
 * @SHIM6_A_ULID_LOCAL:    16 octets, ULID(local)
 * @SHIM6_A_ULID_PEER:     16 octets, ULID(peer)
 * @SHIM6_A_FII:           u32, Forked Instance Identifier, 0 if left out
 * @SHIM6_A_TAG_LOCAL:     u64, CT(local), below 2^47; received packets carry it
 * @SHIM6_A_TAG_PEER:      u64, CT(peer), below 2^47; sent packets carry it
 * @SHIM6_A_LOCATOR_LOCAL: nest of &enum shim6_locator_attr, one per element of
 *                         Ls(local), at most 32
 * @SHIM6_A_LOCATOR_PEER:  the same for Ls(peer)
 * @SHIM6_A_CURRENT_LOCAL: 16 octets, Lp(local)
 * @SHIM6_A_CURRENT_PEER:  16 octets, Lp(peer)
 * @SHIM6_A_STATE:         u8, &enum shim6_state (get only)
 * @SHIM6_A_LAST_TX:       u64, milliseconds since the last packet sent through
 *                         the context, absent if there was none (get only)
 * @SHIM6_A_LAST_RX:       u64, the same for packets received (get only)
 * @SHIM6_A_SWITCHES:      u64, changes of the current pair (get only)
 * @SHIM6_A_PAD:           alignment of 64-bit attributes
 */
enum shim6_attr {
	SHIM6_A_UNSPEC,
	SHIM6_A_ULID_LOCAL,
	SHIM6_A_ULID_PEER,
	SHIM6_A_FII,
	SHIM6_A_TAG_LOCAL,
	SHIM6_A_TAG_PEER,
	SHIM6_A_LOCATOR_LOCAL,
	SHIM6_A_LOCATOR_PEER,
	SHIM6_A_CURRENT_LOCAL,
	SHIM6_A_CURRENT_PEER,
	SHIM6_A_STATE,
	SHIM6_A_LAST_TX,
	SHIM6_A_LAST_RX,
	SHIM6_A_SWITCHES,
	SHIM6_A_PAD,

	/* private: */
	__SHIM6_A_MAX,
};

#define SHIM6_A_MAX			(__SHIM6_A_MAX - 1)

/**
 * enum shim6_locator_attr - attributes of a locator
 * @SHIM6_A_LOCATOR_UNSPEC:       not used
 * @SHIM6_A_LOCATOR_ADDRESS:      16 octets
 * @SHIM6_A_LOCATOR_VERIFICATION: u8, 1 HBA, 2 CGA (RFC 5533 section 5.15.2);
 *                                left out: taken on the administrator's word
 * @SHIM6_A_LOCATOR_PRIORITY:     u8, as in DNS SRV, lower comes first; 0 if
 *                                left out (RFC 5533 section 5.15.3)
 * @SHIM6_A_LOCATOR_WEIGHT:       u8, share among equal priorities; 0 if left out
 * @SHIM6_A_LOCATOR_FLAGS:        u8, 1 BROKEN, 2 TRANSIENT; 0 if left out
 */
enum shim6_locator_attr {
	SHIM6_A_LOCATOR_UNSPEC,
	SHIM6_A_LOCATOR_ADDRESS,
	SHIM6_A_LOCATOR_VERIFICATION,
	SHIM6_A_LOCATOR_PRIORITY,
	SHIM6_A_LOCATOR_WEIGHT,
	SHIM6_A_LOCATOR_FLAGS,

	/* private: */
	__SHIM6_A_LOCATOR_MAX,
};

#define SHIM6_A_LOCATOR_MAX		(__SHIM6_A_LOCATOR_MAX - 1)

/**
 * enum shim6_state - state of a context (RFC 5533 section 6)
 * @SHIM6_STATE_IDLE:        no state
 * @SHIM6_STATE_I1_SENT:     I1 sent
 * @SHIM6_STATE_I2_SENT:     I2 sent
 * @SHIM6_STATE_I2BIS_SENT:  I2bis sent
 * @SHIM6_STATE_ESTABLISHED: established; what static contexts are
 * @SHIM6_STATE_E_FAILED:    the peer did not answer
 * @SHIM6_STATE_NO_SUPPORT:  the peer does not know Shim6
 */
enum shim6_state {
	SHIM6_STATE_IDLE,
	SHIM6_STATE_I1_SENT,
	SHIM6_STATE_I2_SENT,
	SHIM6_STATE_I2BIS_SENT,
	SHIM6_STATE_ESTABLISHED,
	SHIM6_STATE_E_FAILED,
	SHIM6_STATE_NO_SUPPORT,
};

#endif /* _UAPI_LINUX_SHIM6_NETLINK_H */
