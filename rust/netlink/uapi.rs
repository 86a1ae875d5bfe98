// SPDX-License-Identifier: GPL-2.0

//! The numbers of `uapi/linux/shim6_netlink.h`, named as there and in the types of the attributes.

use crate::bindings;

pub(super) const CMD_CONTEXT_GET: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_GET as u8;
pub(super) const CMD_CONTEXT_ADD: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_ADD as u8;
pub(super) const CMD_CONTEXT_DEL: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_DEL as u8;
pub(super) const CMD_CONTEXT_SET: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_SET as u8;
pub(super) const CMD_CONTEXT_START: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_START as u8;
pub(super) const CMD_CONTEXT_FLUSH: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_FLUSH as u8;
pub(super) const CMD_IDENTITY_GET: u8 = bindings::shim6_cmd_SHIM6_CMD_IDENTITY_GET as u8;
pub(super) const CMD_IDENTITY_ADD: u8 = bindings::shim6_cmd_SHIM6_CMD_IDENTITY_ADD as u8;
pub(super) const CMD_IDENTITY_DEL: u8 = bindings::shim6_cmd_SHIM6_CMD_IDENTITY_DEL as u8;
pub(super) const CMD_POLICY_GET: u8 = bindings::shim6_cmd_SHIM6_CMD_POLICY_GET as u8;
pub(super) const CMD_POLICY_ADD: u8 = bindings::shim6_cmd_SHIM6_CMD_POLICY_ADD as u8;
pub(super) const CMD_POLICY_DEL: u8 = bindings::shim6_cmd_SHIM6_CMD_POLICY_DEL as u8;
pub(super) const CMD_EVENT: u8 = bindings::shim6_cmd_SHIM6_CMD_EVENT as u8;

pub(super) const A_ULID_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_ULID_LOCAL as u16;
pub(super) const A_ULID_PEER: u16 = bindings::shim6_attr_SHIM6_A_ULID_PEER as u16;
pub(super) const A_FII: u16 = bindings::shim6_attr_SHIM6_A_FII as u16;
pub(super) const A_TAG_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_TAG_LOCAL as u16;
pub(super) const A_TAG_PEER: u16 = bindings::shim6_attr_SHIM6_A_TAG_PEER as u16;
pub(super) const A_LOCATOR_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_LOCATOR_LOCAL as u16;
pub(super) const A_LOCATOR_PEER: u16 = bindings::shim6_attr_SHIM6_A_LOCATOR_PEER as u16;
pub(super) const A_CURRENT_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_CURRENT_LOCAL as u16;
pub(super) const A_CURRENT_PEER: u16 = bindings::shim6_attr_SHIM6_A_CURRENT_PEER as u16;
pub(super) const A_STATE: u16 = bindings::shim6_attr_SHIM6_A_STATE as u16;
pub(super) const A_LAST_TX: u16 = bindings::shim6_attr_SHIM6_A_LAST_TX as u16;
pub(super) const A_LAST_RX: u16 = bindings::shim6_attr_SHIM6_A_LAST_RX as u16;
pub(super) const A_SWITCHES: u16 = bindings::shim6_attr_SHIM6_A_SWITCHES as u16;
pub(super) const A_PAD: u16 = bindings::shim6_attr_SHIM6_A_PAD as u16;
pub(super) const A_ORIGIN: u16 = bindings::shim6_attr_SHIM6_A_ORIGIN as u16;
pub(super) const A_NAME: u16 = bindings::shim6_attr_SHIM6_A_NAME as u16;
pub(super) const A_PDS: u16 = bindings::shim6_attr_SHIM6_A_PDS as u16;
pub(super) const A_PRIVATE_KEY: u16 = bindings::shim6_attr_SHIM6_A_PRIVATE_KEY as u16;
pub(super) const A_SIGNS: u16 = bindings::shim6_attr_SHIM6_A_SIGNS as u16;
pub(super) const A_PREFIX: u16 = bindings::shim6_attr_SHIM6_A_PREFIX as u16;
pub(super) const A_PREFIX_LEN: u16 = bindings::shim6_attr_SHIM6_A_PREFIX_LEN as u16;
pub(super) const A_EVENT: u16 = bindings::shim6_attr_SHIM6_A_EVENT as u16;
pub(super) const A_CAUSE: u16 = bindings::shim6_attr_SHIM6_A_CAUSE as u16;
pub(super) const A_ERROR_CODE: u16 = bindings::shim6_attr_SHIM6_A_ERROR_CODE as u16;
pub(super) const A_GENERATION_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_GENERATION_LOCAL as u16;
pub(super) const A_GENERATION_PEER: u16 = bindings::shim6_attr_SHIM6_A_GENERATION_PEER as u16;
pub(super) const A_TIMER: u16 = bindings::shim6_attr_SHIM6_A_TIMER as u16;
pub(super) const A_RETRIES: u16 = bindings::shim6_attr_SHIM6_A_RETRIES as u16;
pub(super) const A_UPDATE: u16 = bindings::shim6_attr_SHIM6_A_UPDATE as u16;
pub(super) const A_PAIR_REASON: u16 = bindings::shim6_attr_SHIM6_A_PAIR_REASON as u16;
pub(super) const A_REAP: u16 = bindings::shim6_attr_SHIM6_A_REAP as u16;
pub(super) const A_OWNER_COOKIE: u16 = bindings::shim6_attr_SHIM6_A_OWNER_COOKIE as u16;
pub(super) const A_OWNER_INODE: u16 = bindings::shim6_attr_SHIM6_A_OWNER_INODE as u16;
pub(super) const A_HISTORY: u16 = bindings::shim6_attr_SHIM6_A_HISTORY as u16;
pub(super) const A_SEND_TIMEOUT: u16 = bindings::shim6_attr_SHIM6_A_SEND_TIMEOUT as u16;
pub(super) const A_KEEPALIVES: u16 = bindings::shim6_attr_SHIM6_A_KEEPALIVES as u16;
pub(super) const A_INITIAL_PROBES: u16 = bindings::shim6_attr_SHIM6_A_INITIAL_PROBES as u16;
pub(super) const A_PROBE_TIMEOUT: u16 = bindings::shim6_attr_SHIM6_A_PROBE_TIMEOUT as u16;
pub(super) const A_HOT_STANDBY: u16 = bindings::shim6_attr_SHIM6_A_HOT_STANDBY as u16;
pub(super) const A_OVERRIDDEN: u16 = bindings::shim6_attr_SHIM6_A_OVERRIDDEN as u16;
pub(super) const A_PROBED_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_PROBED_LOCAL as u16;
pub(super) const A_PROBED_PEER: u16 = bindings::shim6_attr_SHIM6_A_PROBED_PEER as u16;
pub(super) const A_RESET: u16 = bindings::shim6_attr_SHIM6_A_RESET as u16;
pub(super) const A_STANDBY_LOCAL: u16 = bindings::shim6_attr_SHIM6_A_STANDBY_LOCAL as u16;
pub(super) const A_STANDBY_PEER: u16 = bindings::shim6_attr_SHIM6_A_STANDBY_PEER as u16;
pub(super) const A_RANKING: u16 = bindings::shim6_attr_SHIM6_A_RANKING as u16;

pub(super) const A_RANK_LOCAL: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_LOCAL as u16;
pub(super) const A_RANK_PEER: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_PEER as u16;
pub(super) const A_RANK_UNUSABLE: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_UNUSABLE as u16;
pub(super) const A_RANK_CRITERION: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_CRITERION as u16;
pub(super) const A_RANK_SHARED: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_SHARED as u16;
pub(super) const A_RANK_WANTED: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_WANTED as u16;
pub(super) const A_RANK_BROKEN: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_BROKEN as u16;
pub(super) const A_RANK_PEER_PRIORITY: u16 =
    bindings::shim6_rank_attr_SHIM6_A_RANK_PEER_PRIORITY as u16;
pub(super) const A_RANK_LOCAL_PRIORITY: u16 =
    bindings::shim6_rank_attr_SHIM6_A_RANK_LOCAL_PRIORITY as u16;
pub(super) const A_RANK_TRANSIENT: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_TRANSIENT as u16;
pub(super) const A_RANK_DEPRECATED: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_DEPRECATED as u16;
pub(super) const A_RANK_LABELS_DIFFER: u16 =
    bindings::shim6_rank_attr_SHIM6_A_RANK_LABELS_DIFFER as u16;
pub(super) const A_RANK_PRECEDENCE: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_PRECEDENCE as u16;
pub(super) const A_RANK_ULIDS: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_ULIDS as u16;
pub(super) const A_RANK_PREFIX: u16 = bindings::shim6_rank_attr_SHIM6_A_RANK_PREFIX as u16;

pub(super) const REAP_SEND_TIMEOUT: u8 = bindings::SHIM6_REAP_SEND_TIMEOUT as u8;
pub(super) const REAP_KEEPALIVES: u8 = bindings::SHIM6_REAP_KEEPALIVES as u8;
pub(super) const REAP_INITIAL_PROBES: u8 = bindings::SHIM6_REAP_INITIAL_PROBES as u8;
pub(super) const REAP_PROBE_TIMEOUT: u8 = bindings::SHIM6_REAP_PROBE_TIMEOUT as u8;
pub(super) const REAP_HOT_STANDBY: u8 = bindings::SHIM6_REAP_HOT_STANDBY as u8;

pub(super) const A_LOCATOR_ADDRESS: u16 =
    bindings::shim6_locator_attr_SHIM6_A_LOCATOR_ADDRESS as u16;
pub(super) const A_LOCATOR_VERIFICATION: u16 =
    bindings::shim6_locator_attr_SHIM6_A_LOCATOR_VERIFICATION as u16;
pub(super) const A_LOCATOR_PRIORITY: u16 =
    bindings::shim6_locator_attr_SHIM6_A_LOCATOR_PRIORITY as u16;
pub(super) const A_LOCATOR_WEIGHT: u16 = bindings::shim6_locator_attr_SHIM6_A_LOCATOR_WEIGHT as u16;
pub(super) const A_LOCATOR_FLAGS: u16 = bindings::shim6_locator_attr_SHIM6_A_LOCATOR_FLAGS as u16;
pub(super) const A_LOCATOR_STATUS: u16 = bindings::shim6_locator_attr_SHIM6_A_LOCATOR_STATUS as u16;

pub(super) const A_HISTORY_EVENT: u16 = bindings::shim6_history_attr_SHIM6_A_HISTORY_EVENT as u16;
pub(super) const A_HISTORY_STATE: u16 = bindings::shim6_history_attr_SHIM6_A_HISTORY_STATE as u16;
pub(super) const A_HISTORY_CAUSE: u16 = bindings::shim6_history_attr_SHIM6_A_HISTORY_CAUSE as u16;
pub(super) const A_HISTORY_AGE: u16 = bindings::shim6_history_attr_SHIM6_A_HISTORY_AGE as u16;
pub(super) const A_HISTORY_PAD: u16 = bindings::shim6_history_attr_SHIM6_A_HISTORY_PAD as u16;

pub(super) const LOCATOR_VERIFIED: u8 = bindings::SHIM6_LOCATOR_VERIFIED as u8;
pub(super) const LOCATOR_REACHABLE: u8 = bindings::SHIM6_LOCATOR_REACHABLE as u8;
pub(super) const LOCATOR_ACKNOWLEDGED: u8 = bindings::SHIM6_LOCATOR_ACKNOWLEDGED as u8;

/// Longest name of an identity.
pub(super) const NAME_MAX: usize = bindings::SHIM6_NAME_MAX as usize;

/// Longest PDS.
pub(super) const PDS_MAX: usize = bindings::SHIM6_PDS_MAX as usize;

/// Longest private key.
pub(super) const PRIVATE_KEY_MAX: usize = bindings::SHIM6_PRIVATE_KEY_MAX as usize;

/// Length of a table of policies for the attributes of a context.
pub(super) const A_COUNT: usize = bindings::shim6_attr___SHIM6_A_MAX as usize;

/// Length of a table of policies for the attributes of a locator.
pub(super) const A_LOCATOR_COUNT: usize =
    bindings::shim6_locator_attr___SHIM6_A_LOCATOR_MAX as usize;

/// Length of an address.
pub(super) const ADDRESS_LEN: usize = 16;
