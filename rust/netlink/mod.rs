// SPDX-License-Identifier: GPL-2.0

//! The generic netlink family `shim6`: contexts, identities and policy are added, deleted,
//! changed and shown by the administrator of a network namespace (`uapi/linux/shim6_netlink.h`).
//!
//! A request is read once, into the types of [`crate::context`], before anything is done: what is
//! refused has changed nothing. Everything here runs in process context.

mod address;
mod contexts;
mod events;
mod identities;
mod parse;
mod policies;
mod policy;
mod show;
mod uapi;

use crate::{
    bindings,
    kernel_ext::{
        compat,
        genetlink::{
            Family,
            Group,
            Operation,
            Registration, //
        },
    },
};

use core::ffi::CStr;

use kernel::prelude::*;

pub(crate) use events::{
    announce,
    About, //
};

static OPERATIONS: [Operation; 14] = [
    Operation::doit::<contexts::Get>(),
    Operation::dump::<contexts::Get>(),
    Operation::doit::<contexts::Add>(),
    Operation::doit::<contexts::Del>(),
    Operation::doit::<contexts::Set>(),
    Operation::doit::<contexts::Start>(),
    Operation::doit::<contexts::Flush>(),
    Operation::doit::<identities::Get>(),
    Operation::dump::<identities::Get>(),
    Operation::doit::<identities::Add>(),
    Operation::doit::<identities::Del>(),
    Operation::dump::<policies::Get>(),
    Operation::doit::<policies::Add>(),
    Operation::doit::<policies::Del>(),
];

/// Index of the group that is told of events.
const EVENTS: u8 = 0;

const EVENTS_NAME: &CStr = match CStr::from_bytes_with_nul(bindings::SHIM6_GENL_MCGRP_EVENTS) {
    Ok(name) => name,
    Err(_) => panic!("a string of C ends with a zero"),
};

static GROUPS: [Group; 1] = [Group::admin_only(EVENTS_NAME)];

static FAMILY: Family = Family::new(
    compat::this_module(),
    bindings::SHIM6_GENL_NAME,
    bindings::SHIM6_GENL_VERSION,
    &OPERATIONS,
)
.with_groups(&GROUPS);

/// Opens the family to user space, until the value is dropped. The namespaces must be there from
/// before until after.
pub(crate) fn register() -> Result<Registration> {
    FAMILY.register()
}
