// SPDX-License-Identifier: GPL-2.0

//! Which attributes each command takes, and of which type.
//!
//! The kernel checks types and lengths by these tables; what the values mean is checked in
//! [`super::parse`].

use super::uapi::*;
use crate::kernel_ext::genetlink::Policy;

/// An address.
const ADDRESS: Policy = Policy::octets(ADDRESS_LEN as i16);

/// An attribute that only the kernel writes.
const REPORTED: Policy = Policy::refused(c"this attribute is reported, it cannot be set");

/// A locator in a list.
static LOCATOR: [Policy; A_LOCATOR_COUNT] = {
    let mut table = [Policy::UNSUPPORTED; A_LOCATOR_COUNT];
    table[A_LOCATOR_ADDRESS as usize] = ADDRESS;
    table[A_LOCATOR_VERIFICATION as usize] = Policy::U8;
    table[A_LOCATOR_PRIORITY as usize] = Policy::U8;
    table[A_LOCATOR_WEIGHT as usize] = Policy::U8;
    table[A_LOCATOR_FLAGS as usize] = Policy::U8;
    table[A_LOCATOR_STATUS as usize] = REPORTED;
    table
};

/// What names a context.
const fn name() -> [Policy; A_COUNT] {
    let mut table = [Policy::UNSUPPORTED; A_COUNT];
    table[A_ULID_LOCAL as usize] = ADDRESS;
    table[A_ULID_PEER as usize] = ADDRESS;
    table[A_FII as usize] = Policy::U32;
    table[A_TAG_LOCAL as usize] = Policy::U64;
    table
}

/// What names a context, and its current pair.
const fn name_and_current() -> [Policy; A_COUNT] {
    let mut table = name();
    table[A_CURRENT_LOCAL as usize] = ADDRESS;
    table[A_CURRENT_PEER as usize] = ADDRESS;
    table[A_STATE as usize] = REPORTED;
    table[A_LAST_TX as usize] = REPORTED;
    table[A_LAST_RX as usize] = REPORTED;
    table[A_SWITCHES as usize] = REPORTED;
    let reported = [
        A_ORIGIN,
        A_NAME,
        A_GENERATION_LOCAL,
        A_GENERATION_PEER,
        A_TIMER,
        A_RETRIES,
        A_UPDATE,
        A_PAIR_REASON,
        A_HISTORY,
        A_REAP,
        A_OVERRIDDEN,
        A_STANDBY_LOCAL,
        A_STANDBY_PEER,
        A_RANKING,
        A_OWNER_COOKIE,
        A_OWNER_INODE,
        A_PROBED_LOCAL,
        A_PROBED_PEER,
    ];
    let mut i = 0;
    while i < reported.len() {
        table[reported[i] as usize] = REPORTED;
        i += 1;
    }
    table
}

/// What names an identity.
const fn identity_name() -> [Policy; A_COUNT] {
    let mut table = [Policy::UNSUPPORTED; A_COUNT];
    table[A_NAME as usize] = Policy::text(NAME_MAX as u16);
    table
}

/// `SHIM6_CMD_IDENTITY_GET` and `SHIM6_CMD_IDENTITY_DEL`.
pub(super) static IDENTITY_NAME: [Policy; A_COUNT] = identity_name();

/// `SHIM6_CMD_IDENTITY_ADD`.
pub(super) static IDENTITY: [Policy; A_COUNT] = {
    let mut table = identity_name();
    table[A_PDS as usize] = Policy::binary(1, PDS_MAX as i16);
    table[A_PRIVATE_KEY as usize] = Policy::binary(1, PRIVATE_KEY_MAX as i16);
    table[A_SIGNS as usize] = REPORTED;
    table
};

/// `SHIM6_CMD_POLICY_ADD` and `SHIM6_CMD_POLICY_DEL`.
pub(super) static PREFIX: [Policy; A_COUNT] = {
    let mut table = [Policy::UNSUPPORTED; A_COUNT];
    table[A_PREFIX as usize] = ADDRESS;
    table[A_PREFIX_LEN as usize] = Policy::U8;
    table
};

/// `SHIM6_CMD_CONTEXT_START`.
pub(super) static ULIDS: [Policy; A_COUNT] = {
    let mut table = [Policy::UNSUPPORTED; A_COUNT];
    table[A_ULID_LOCAL as usize] = ADDRESS;
    table[A_ULID_PEER as usize] = ADDRESS;
    table
};

/// `SHIM6_CMD_CONTEXT_GET` and `SHIM6_CMD_CONTEXT_DEL`.
pub(super) static NAME: [Policy; A_COUNT] = name();

/// `SHIM6_CMD_CONTEXT_SET`.
pub(super) static SET: [Policy; A_COUNT] = {
    let mut table = name_and_current();
    table[A_LOCATOR_LOCAL as usize] = Policy::nest(&LOCATOR);
    table[A_SEND_TIMEOUT as usize] = Policy::U32;
    table[A_KEEPALIVES as usize] = Policy::U8;
    table[A_INITIAL_PROBES as usize] = Policy::U8;
    table[A_PROBE_TIMEOUT as usize] = Policy::U32;
    table[A_HOT_STANDBY as usize] = Policy::U8;
    table[A_RESET as usize] = Policy::U8;
    table
};

/// `SHIM6_CMD_CONTEXT_ADD`.
pub(super) static ADD: [Policy; A_COUNT] = {
    let mut table = name_and_current();
    table[A_TAG_PEER as usize] = Policy::U64;
    table[A_LOCATOR_LOCAL as usize] = Policy::nest(&LOCATOR);
    table[A_LOCATOR_PEER as usize] = Policy::nest(&LOCATOR);
    table
};
