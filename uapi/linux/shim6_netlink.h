/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "shim6": objects of the Shim6 layer (RFC 5533) of one
 * network namespace, the namespace of the netlink socket.
 *
 * Addresses are 16 octets in network byte order, integers in host byte order.
 * All commands need CAP_NET_ADMIN in the user namespace that owns the network
 * namespace, and so does listening to the multicast group. Errors carry an
 * extended acknowledgement in words. Validation is strict: attributes and flags
 * that a command does not know are refused, and so are an attribute given twice
 * (but the locators), a locator in both lists, and a context named both by its
 * tag and by its identity. Replies to a GET and the messages of its dump carry
 * the command of that GET. A peer that is left alone because it did not answer,
 * or does not know Shim6, is in a dump of contexts with its ULIDs, the FII, the
 * state and %SHIM6_A_TIMER only.
 */
#ifndef _UAPI_LINUX_SHIM6_NETLINK_H
#define _UAPI_LINUX_SHIM6_NETLINK_H

#define SHIM6_GENL_NAME			"shim6"
#define SHIM6_GENL_VERSION		1

/* Multicast group of %SHIM6_CMD_EVENT. */
#define SHIM6_GENL_MCGRP_EVENTS		"events"

/* Longest name of an identity, without the terminating zero. */
#define SHIM6_NAME_MAX			31

/* Longest CGA Parameter Data Structure (RFC 3972 section 3) that is taken. */
#define SHIM6_PDS_MAX			1024

/* Longest private key (PKCS #1 RSAPrivateKey, DER) that is taken: 4096 bits. */
#define SHIM6_PRIVATE_KEY_MAX		2400

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
 *                         in GET; a locator left out keeps its value. Elements
 *                         of %SHIM6_A_LOCATOR_LOCAL change the preferences of
 *                         those local locators, and the peer is told.
 *                         Constants of failure detection can be made this
 *                         context's own, not those of a static context
 * @SHIM6_CMD_CONTEXT_START: establish a context with a peer (RFC 5533 section
 *                         7.7). Needs both ULIDs
 * @SHIM6_CMD_CONTEXT_FLUSH: forget all contexts that are not static, and all
 *                         peers that did not answer, without a word to anybody
 * @SHIM6_CMD_IDENTITY_GET: one local identity, by %SHIM6_A_NAME; with NLM_F_DUMP
 *                         all. Private keys are never shown
 * @SHIM6_CMD_IDENTITY_ADD: add an identity: a name and a PDS, and the private
 *                         key if its CGA is to sign
 * @SHIM6_CMD_IDENTITY_DEL: delete an identity by its name. Contexts go on with
 *                         what they told their peers
 * @SHIM6_CMD_POLICY_GET:  with NLM_F_DUMP the prefixes of peers with which
 *                         contexts are established on request
 * @SHIM6_CMD_POLICY_ADD:  add such a prefix
 * @SHIM6_CMD_POLICY_DEL:  delete one
 * @SHIM6_CMD_EVENT:       sent to the multicast group, never by user space: a
 *                         context as in GET, but for lists and history, with
 *                         %SHIM6_A_EVENT and %SHIM6_A_CAUSE
 */
enum shim6_cmd {
	SHIM6_CMD_UNSPEC,
	SHIM6_CMD_CONTEXT_GET,
	SHIM6_CMD_CONTEXT_ADD,
	SHIM6_CMD_CONTEXT_DEL,
	SHIM6_CMD_CONTEXT_SET,
	SHIM6_CMD_CONTEXT_START,
	SHIM6_CMD_CONTEXT_FLUSH,
	SHIM6_CMD_IDENTITY_GET,
	SHIM6_CMD_IDENTITY_ADD,
	SHIM6_CMD_IDENTITY_DEL,
	SHIM6_CMD_POLICY_GET,
	SHIM6_CMD_POLICY_ADD,
	SHIM6_CMD_POLICY_DEL,
	SHIM6_CMD_EVENT,

	/* private: */
	__SHIM6_CMD_MAX,
};

#define SHIM6_CMD_MAX			(__SHIM6_CMD_MAX - 1)

/**
 * enum shim6_attr - attributes of contexts, identities, policy and events
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
 * @SHIM6_A_ORIGIN:        u8, &enum shim6_origin (get only)
 * @SHIM6_A_NAME:          string, name of an identity; of a context (get only):
 *                         the identity that it uses, absent if none
 * @SHIM6_A_PDS:           binary, CGA Parameter Data Structure of an identity.
 *                         Its subnet prefix may be any of an HBA set
 * @SHIM6_A_PRIVATE_KEY:   binary, PKCS #1 RSAPrivateKey of an identity, in DER
 *                         (set only)
 * @SHIM6_A_SIGNS:         u8, 1 if the identity has a private key (get only)
 * @SHIM6_A_PREFIX:        16 octets, prefix of a policy
 * @SHIM6_A_PREFIX_LEN:    u8, its length, 0 to 128
 * @SHIM6_A_EVENT:         u8, &enum shim6_event (event only)
 * @SHIM6_A_CAUSE:         u8, &enum shim6_cause, of an event that has one
 * @SHIM6_A_ERROR_CODE:    u8, code of the Shim6 Error message that an event is
 *                         about (RFC 5533 section 5.14)
 * @SHIM6_A_GENERATION_LOCAL: u32, generation of Ls(local) (get only)
 * @SHIM6_A_GENERATION_PEER: u32, generation of Ls(peer), absent if the peer sent
 *                         no list (get only)
 * @SHIM6_A_TIMER:         u64, milliseconds until the next timer of the state
 *                         machine, absent without one (get only)
 * @SHIM6_A_RETRIES:       u8, retransmissions of the message that is waited for
 *                         (get only)
 * @SHIM6_A_UPDATE:        u8, 1 while an Update Request is not acknowledged (get
 *                         only)
 * @SHIM6_A_PAIR_REASON:   u8, &enum shim6_pair_reason, why the current pair is
 *                         that (get only)
 * @SHIM6_A_HISTORY:       nest of &enum shim6_history_attr, one per event, the
 *                         last one first, at most 16 (get only)
 * @SHIM6_A_REAP:          u8, &enum shim6_reap, what failure detection thinks of
 *                         the current pair, absent where there is none (get
 *                         only)
 * @SHIM6_A_SEND_TIMEOUT:  u32, milliseconds, Send Timeout of a context (RFC 5534
 *                         section 7). Up to and with %SHIM6_A_HOT_STANDBY: get
 *                         says what is in force, set makes it this context's own
 * @SHIM6_A_KEEPALIVES:    u8, 1 if Keepalives are sent, 0 if they are suppressed
 * @SHIM6_A_INITIAL_PROBES: u8, Number of Initial Probes, 1 to 32
 * @SHIM6_A_PROBE_TIMEOUT: u32, milliseconds, Initial Probe Timeout
 * @SHIM6_A_HOT_STANDBY:   u8, 1 if a second locator pair is kept confirmed
 * @SHIM6_A_OVERRIDDEN:    u8, bits SHIM6_REAP_* of those five that are the
 *                         context's own, not the namespace's (get only)
 * @SHIM6_A_RESET:         u8, bits SHIM6_REAP_* of those that are to be as the
 *                         namespace has them (set only)
 * @SHIM6_A_STANDBY_LOCAL: 16 octets, local locator of the pair that stands by,
 *                         absent if none does (get only)
 * @SHIM6_A_STANDBY_PEER:  16 octets, peer locator of that pair (get only)
 * @SHIM6_A_RANKING:       nest of &enum shim6_rank_attr, one per pair, in the
 *                         order in which pairs are tried if the current one
 *                         fails, or are being tried; those that cannot be used
 *                         come last. At most 16 (get only)
 * @SHIM6_A_OWNER_COOKIE:  u64, cookie of the socket that a fork was made for, as
 *                         ss(8) shows it, absent if it is no fork of this host
 *                         (get only)
 * @SHIM6_A_OWNER_INODE:   u64, inode of that socket (get only)
 * @SHIM6_A_PROBED_LOCAL:  16 octets, local locator of the pair that a Probe is
 *                         about (event only)
 * @SHIM6_A_PROBED_PEER:   16 octets, peer locator of that pair (event only)
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
	SHIM6_A_ORIGIN,
	SHIM6_A_NAME,
	SHIM6_A_PDS,
	SHIM6_A_PRIVATE_KEY,
	SHIM6_A_SIGNS,
	SHIM6_A_PREFIX,
	SHIM6_A_PREFIX_LEN,
	SHIM6_A_EVENT,
	SHIM6_A_CAUSE,
	SHIM6_A_ERROR_CODE,
	SHIM6_A_GENERATION_LOCAL,
	SHIM6_A_GENERATION_PEER,
	SHIM6_A_TIMER,
	SHIM6_A_RETRIES,
	SHIM6_A_UPDATE,
	SHIM6_A_PAIR_REASON,
	SHIM6_A_HISTORY,
	SHIM6_A_REAP,
	SHIM6_A_SEND_TIMEOUT,
	SHIM6_A_KEEPALIVES,
	SHIM6_A_INITIAL_PROBES,
	SHIM6_A_PROBE_TIMEOUT,
	SHIM6_A_HOT_STANDBY,
	SHIM6_A_OVERRIDDEN,
	SHIM6_A_RESET,
	SHIM6_A_STANDBY_LOCAL,
	SHIM6_A_STANDBY_PEER,
	SHIM6_A_RANKING,
	SHIM6_A_OWNER_COOKIE,
	SHIM6_A_OWNER_INODE,
	SHIM6_A_PROBED_LOCAL,
	SHIM6_A_PROBED_PEER,

	/* private: */
	__SHIM6_A_MAX,
};

#define SHIM6_A_MAX			(__SHIM6_A_MAX - 1)

/* Constants of failure detection that a context can have of its own. */
#define SHIM6_REAP_SEND_TIMEOUT		1
#define SHIM6_REAP_KEEPALIVES		2
#define SHIM6_REAP_INITIAL_PROBES	4
#define SHIM6_REAP_PROBE_TIMEOUT	8
#define SHIM6_REAP_HOT_STANDBY		16

/**
 * enum shim6_rank_attr - attributes of a locator pair in its order, get only.
 *                        What comes first from %SHIM6_A_RANK_SHARED on counts
 *                        most; all of these are absent for a pair that cannot be
 *                        used
 * @SHIM6_A_RANK_UNSPEC:       not used
 * @SHIM6_A_RANK_LOCAL:        16 octets, local locator
 * @SHIM6_A_RANK_PEER:         16 octets, peer locator
 * @SHIM6_A_RANK_UNUSABLE:     u8, &enum shim6_unusable, absent if it can be used
 * @SHIM6_A_RANK_CRITERION:    u8, &enum shim6_criterion, in what it is behind the
 *                             pair before it; absent for the first pair and for
 *                             one that differs in weight at most
 * @SHIM6_A_RANK_SHARED:       u8, locators in common with the pair that failed,
 *                             which is the current one while that works
 * @SHIM6_A_RANK_WANTED:       u8, locators that an administrator or a socket wants
 * @SHIM6_A_RANK_BROKEN:       u8, BROKEN locators
 * @SHIM6_A_RANK_PEER_PRIORITY: u8, priority of the peer locator
 * @SHIM6_A_RANK_LOCAL_PRIORITY: u8, priority of the local locator
 * @SHIM6_A_RANK_TRANSIENT:    u8, TRANSIENT locators
 * @SHIM6_A_RANK_DEPRECATED:   u8, 1 if the local locator is deprecated
 * @SHIM6_A_RANK_LABELS_DIFFER: u8, 1 if the labels of RFC 6724 differ
 * @SHIM6_A_RANK_PRECEDENCE:   u8, precedence of the peer locator (RFC 6724)
 * @SHIM6_A_RANK_ULIDS:        u8, 1 if it is the ULID pair
 * @SHIM6_A_RANK_PREFIX:       u8, leading bits in common, at most 64
 */
enum shim6_rank_attr {
	SHIM6_A_RANK_UNSPEC,
	SHIM6_A_RANK_LOCAL,
	SHIM6_A_RANK_PEER,
	SHIM6_A_RANK_UNUSABLE,
	SHIM6_A_RANK_CRITERION,
	SHIM6_A_RANK_SHARED,
	SHIM6_A_RANK_WANTED,
	SHIM6_A_RANK_BROKEN,
	SHIM6_A_RANK_PEER_PRIORITY,
	SHIM6_A_RANK_LOCAL_PRIORITY,
	SHIM6_A_RANK_TRANSIENT,
	SHIM6_A_RANK_DEPRECATED,
	SHIM6_A_RANK_LABELS_DIFFER,
	SHIM6_A_RANK_PRECEDENCE,
	SHIM6_A_RANK_ULIDS,
	SHIM6_A_RANK_PREFIX,

	/* private: */
	__SHIM6_A_RANK_MAX,
};

#define SHIM6_A_RANK_MAX		(__SHIM6_A_RANK_MAX - 1)

/**
 * enum shim6_unusable - why a locator pair cannot be used
 * @SHIM6_UNUSABLE_LOCAL_NOT_OPERATIONAL: packets cannot be sent with the local one
 * @SHIM6_UNUSABLE_LOCAL_NOT_ACKNOWLEDGED: the peer does not know the local one
 * @SHIM6_UNUSABLE_PEER_NOT_VERIFIED: the other is not proved to be the peer's
 * @SHIM6_UNUSABLE_SCOPE: one is neither global nor unique local
 */
enum shim6_unusable {
	SHIM6_UNUSABLE_LOCAL_NOT_OPERATIONAL,
	SHIM6_UNUSABLE_LOCAL_NOT_ACKNOWLEDGED,
	SHIM6_UNUSABLE_PEER_NOT_VERIFIED,
	SHIM6_UNUSABLE_SCOPE,
};

/**
 * enum shim6_criterion - in what one locator pair is better than another
 * @SHIM6_CRITERION_DISJOINT:      fewer locators in common with what failed
 * @SHIM6_CRITERION_WANTED:        an administrator or a socket wants it
 * @SHIM6_CRITERION_NOT_BROKEN:    not BROKEN
 * @SHIM6_CRITERION_PEER_PRIORITY: the peer's priority
 * @SHIM6_CRITERION_LOCAL_PRIORITY: this host's priority
 * @SHIM6_CRITERION_NOT_TRANSIENT: not TRANSIENT
 * @SHIM6_CRITERION_NOT_DEPRECATED: not deprecated (RFC 6724)
 * @SHIM6_CRITERION_LABEL:         matching label (RFC 6724)
 * @SHIM6_CRITERION_PRECEDENCE:    higher precedence (RFC 6724)
 * @SHIM6_CRITERION_ULIDS:         no header is needed
 * @SHIM6_CRITERION_PREFIX:        longer common prefix (RFC 6724)
 */
enum shim6_criterion {
	SHIM6_CRITERION_DISJOINT,
	SHIM6_CRITERION_WANTED,
	SHIM6_CRITERION_NOT_BROKEN,
	SHIM6_CRITERION_PEER_PRIORITY,
	SHIM6_CRITERION_LOCAL_PRIORITY,
	SHIM6_CRITERION_NOT_TRANSIENT,
	SHIM6_CRITERION_NOT_DEPRECATED,
	SHIM6_CRITERION_LABEL,
	SHIM6_CRITERION_PRECEDENCE,
	SHIM6_CRITERION_ULIDS,
	SHIM6_CRITERION_PREFIX,
};

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
 * @SHIM6_A_LOCATOR_STATUS:       u8, bits SHIM6_LOCATOR_* (get only)
 */
enum shim6_locator_attr {
	SHIM6_A_LOCATOR_UNSPEC,
	SHIM6_A_LOCATOR_ADDRESS,
	SHIM6_A_LOCATOR_VERIFICATION,
	SHIM6_A_LOCATOR_PRIORITY,
	SHIM6_A_LOCATOR_WEIGHT,
	SHIM6_A_LOCATOR_FLAGS,
	SHIM6_A_LOCATOR_STATUS,

	/* private: */
	__SHIM6_A_LOCATOR_MAX,
};

#define SHIM6_A_LOCATOR_MAX		(__SHIM6_A_LOCATOR_MAX - 1)

/* Status of a locator. */
#define SHIM6_LOCATOR_VERIFIED		1 /* proved to belong to the ULID's owner */
#define SHIM6_LOCATOR_REACHABLE		2 /* the owner of the ULID answered from it */
#define SHIM6_LOCATOR_ACKNOWLEDGED	4 /* a local one that the peer knows */

/**
 * enum shim6_history_attr - an event in the history of a context
 * @SHIM6_A_HISTORY_UNSPEC: not used
 * @SHIM6_A_HISTORY_EVENT:  u8, &enum shim6_event
 * @SHIM6_A_HISTORY_STATE:  u8, &enum shim6_state after it
 * @SHIM6_A_HISTORY_CAUSE:  u8, &enum shim6_cause
 * @SHIM6_A_HISTORY_AGE:    u64, milliseconds since
 * @SHIM6_A_HISTORY_PAD:    alignment of 64-bit attributes
 */
enum shim6_history_attr {
	SHIM6_A_HISTORY_UNSPEC,
	SHIM6_A_HISTORY_EVENT,
	SHIM6_A_HISTORY_STATE,
	SHIM6_A_HISTORY_CAUSE,
	SHIM6_A_HISTORY_AGE,
	SHIM6_A_HISTORY_PAD,

	/* private: */
	__SHIM6_A_HISTORY_MAX,
};

#define SHIM6_A_HISTORY_MAX		(__SHIM6_A_HISTORY_MAX - 1)

/**
 * enum shim6_origin - who made a context
 * @SHIM6_ORIGIN_STATIC:    an administrator, with tags and locators
 * @SHIM6_ORIGIN_INITIATOR: the state machine, and this host sent I1
 * @SHIM6_ORIGIN_RESPONDER: the state machine, and the peer began
 */
enum shim6_origin {
	SHIM6_ORIGIN_STATIC,
	SHIM6_ORIGIN_INITIATOR,
	SHIM6_ORIGIN_RESPONDER,
};

/**
 * enum shim6_pair_reason - why the current locator pair is that
 * @SHIM6_PAIR_ULIDS:     the ULIDs, with which every context begins
 * @SHIM6_PAIR_HANDSHAKE: the addresses that the peer was established over
 * @SHIM6_PAIR_ADMIN:     an administrator set it
 * @SHIM6_PAIR_SOCKET:    a socket prefers it
 * @SHIM6_PAIR_PROBED:    the peer reported a Probe that was sent over it (RFC
 *                        5534 section 6)
 * @SHIM6_PAIR_STANDBY:   it stood by when the one before failed
 * @SHIM6_PAIR_FAILBACK:  it is better than the one before, and works again
 */
enum shim6_pair_reason {
	SHIM6_PAIR_ULIDS,
	SHIM6_PAIR_HANDSHAKE,
	SHIM6_PAIR_ADMIN,
	SHIM6_PAIR_SOCKET,
	SHIM6_PAIR_PROBED,
	SHIM6_PAIR_STANDBY,
	SHIM6_PAIR_FAILBACK,
};

/**
 * enum shim6_reap - state of failure detection (RFC 5534 section 6)
 * @SHIM6_REAP_OPERATIONAL: the current pair is assumed to work
 * @SHIM6_REAP_EXPLORING:   nothing was heard of the peer for too long, and pairs
 *                          are tried
 * @SHIM6_REAP_INBOUND_OK:  the peer is heard, and may not hear this host
 */
enum shim6_reap {
	SHIM6_REAP_OPERATIONAL,
	SHIM6_REAP_EXPLORING,
	SHIM6_REAP_INBOUND_OK,
};

/**
 * enum shim6_event - what happened to a context
 * @SHIM6_EVENT_ADDED:           it was made; the state is given
 * @SHIM6_EVENT_STATE:           its state changed
 * @SHIM6_EVENT_PEER:            CT(peer) or Ls(peer) changed
 * @SHIM6_EVENT_LOCAL:           Ls(local) changed
 * @SHIM6_EVENT_PAIR:            the current locator pair changed
 * @SHIM6_EVENT_ACKNOWLEDGED:    the peer acknowledged an Update Request
 * @SHIM6_EVENT_REFUSED:         a message was refused, with the error code
 * @SHIM6_EVENT_PEER_ERROR:      the peer sent an Error message, with its code
 * @SHIM6_EVENT_REMOVED:         it is gone, with the cause
 * @SHIM6_EVENT_OPERATIONAL:     &enum shim6_reap became that
 * @SHIM6_EVENT_EXPLORING:       &enum shim6_reap became that
 * @SHIM6_EVENT_INBOUND_OK:      &enum shim6_reap became that
 * @SHIM6_EVENT_STANDBY:         another pair stands by, or none does any more
 * @SHIM6_EVENT_PROBE_SENT:      a Probe is sent over %SHIM6_A_PROBED_LOCAL and
 *                               %SHIM6_A_PROBED_PEER; not part of the history
 * @SHIM6_EVENT_PROBE_REPORTED:  the peer has received one of them that was sent
 *                               over that pair; not part of the history
 */
enum shim6_event {
	SHIM6_EVENT_ADDED,
	SHIM6_EVENT_STATE,
	SHIM6_EVENT_PEER,
	SHIM6_EVENT_LOCAL,
	SHIM6_EVENT_PAIR,
	SHIM6_EVENT_ACKNOWLEDGED,
	SHIM6_EVENT_REFUSED,
	SHIM6_EVENT_PEER_ERROR,
	SHIM6_EVENT_REMOVED,
	SHIM6_EVENT_OPERATIONAL,
	SHIM6_EVENT_EXPLORING,
	SHIM6_EVENT_INBOUND_OK,
	SHIM6_EVENT_STANDBY,
	SHIM6_EVENT_PROBE_SENT,
	SHIM6_EVENT_PROBE_REPORTED,
};

/**
 * enum shim6_cause - why
 * @SHIM6_CAUSE_NONE:       nothing to be said
 * @SHIM6_CAUSE_TRIGGER:    traffic or policy asked for a context
 * @SHIM6_CAUSE_ADMIN:      an administrator
 * @SHIM6_CAUSE_SOCKET:     a socket
 * @SHIM6_CAUSE_MESSAGE:    a message of the peer
 * @SHIM6_CAUSE_TIMEOUT:    no answer
 * @SHIM6_CAUSE_IDLE:       no traffic and no user (RFC 5533 section 9)
 * @SHIM6_CAUSE_ULID_GONE:  ULID(local) is no longer valid (section 1.5)
 * @SHIM6_CAUSE_CONFUSION:  the peer gave its tag to another context (section
 *                          7.6)
 * @SHIM6_CAUSE_ICMP:       the peer's ICMPv6 says that it does not know Shim6
 * @SHIM6_CAUSE_ADDRESS:    addresses of this host came or went
 * @SHIM6_CAUSE_SEND_TIMEOUT: nothing came back for the Send Timeout (RFC 5534
 *                          section 6.4)
 * @SHIM6_CAUSE_LOCAL_LOST: Lp(local) cannot be used any more
 * @SHIM6_CAUSE_PEER_BROKEN: Lp(peer) is BROKEN or gone
 * @SHIM6_CAUSE_FEEDBACK:   a program complained
 * @SHIM6_CAUSE_TCP_TIMEOUT: TCP retransmitted
 * @SHIM6_CAUSE_ICMP_ERROR: an ICMPv6 error came
 * @SHIM6_CAUSE_PAYLOAD:    payload of the peer came
 * @SHIM6_CAUSE_KEEPALIVE:  a Keepalive of the peer came
 * @SHIM6_CAUSE_PROBE:      a Probe of the peer, or the answer to one
 */
enum shim6_cause {
	SHIM6_CAUSE_NONE,
	SHIM6_CAUSE_TRIGGER,
	SHIM6_CAUSE_ADMIN,
	SHIM6_CAUSE_SOCKET,
	SHIM6_CAUSE_MESSAGE,
	SHIM6_CAUSE_TIMEOUT,
	SHIM6_CAUSE_IDLE,
	SHIM6_CAUSE_ULID_GONE,
	SHIM6_CAUSE_CONFUSION,
	SHIM6_CAUSE_ICMP,
	SHIM6_CAUSE_ADDRESS,
	SHIM6_CAUSE_SEND_TIMEOUT,
	SHIM6_CAUSE_LOCAL_LOST,
	SHIM6_CAUSE_PEER_BROKEN,
	SHIM6_CAUSE_FEEDBACK,
	SHIM6_CAUSE_TCP_TIMEOUT,
	SHIM6_CAUSE_ICMP_ERROR,
	SHIM6_CAUSE_PAYLOAD,
	SHIM6_CAUSE_KEEPALIVE,
	SHIM6_CAUSE_PROBE,
};

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
