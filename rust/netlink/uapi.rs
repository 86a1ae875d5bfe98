// SPDX-License-Identifier: GPL-2.0

//! The numbers of `uapi/linux/shim6_netlink.h`, named as there and in the types of the attributes.

use crate::bindings;

pub(super) const CMD_CONTEXT_GET: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_GET as u8;
pub(super) const CMD_CONTEXT_ADD: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_ADD as u8;
pub(super) const CMD_CONTEXT_DEL: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_DEL as u8;
pub(super) const CMD_CONTEXT_SET: u8 = bindings::shim6_cmd_SHIM6_CMD_CONTEXT_SET as u8;

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

pub(super) const A_LOCATOR_ADDRESS: u16 =
    bindings::shim6_locator_attr_SHIM6_A_LOCATOR_ADDRESS as u16;
pub(super) const A_LOCATOR_VERIFICATION: u16 =
    bindings::shim6_locator_attr_SHIM6_A_LOCATOR_VERIFICATION as u16;
pub(super) const A_LOCATOR_PRIORITY: u16 =
    bindings::shim6_locator_attr_SHIM6_A_LOCATOR_PRIORITY as u16;
pub(super) const A_LOCATOR_WEIGHT: u16 = bindings::shim6_locator_attr_SHIM6_A_LOCATOR_WEIGHT as u16;
pub(super) const A_LOCATOR_FLAGS: u16 = bindings::shim6_locator_attr_SHIM6_A_LOCATOR_FLAGS as u16;

/// Length of a table of policies for the attributes of a context.
pub(super) const A_COUNT: usize = bindings::shim6_attr___SHIM6_A_MAX as usize;

/// Length of a table of policies for the attributes of a locator.
pub(super) const A_LOCATOR_COUNT: usize =
    bindings::shim6_locator_attr___SHIM6_A_LOCATOR_MAX as usize;

/// Length of an address.
pub(super) const ADDRESS_LEN: usize = 16;
