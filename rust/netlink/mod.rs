// SPDX-License-Identifier: GPL-2.0

//! The generic netlink family `shim6`: contexts are added, deleted, changed and shown by the
//! administrator of a network namespace (`uapi/linux/shim6_netlink.h`).
//!
//! A request is read once, into the types of [`crate::context`], before anything is done: what is
//! refused has changed nothing. Everything here runs in process context.

mod address;
mod contexts;
mod parse;
mod policy;
mod show;
mod uapi;

use crate::{
    bindings,
    kernel_ext::{
        compat,
        genetlink::{
            Family,
            Operation,
            Registration, //
        },
    },
};

use kernel::prelude::*;

static OPERATIONS: [Operation; 5] = [
    Operation::doit::<contexts::Get>(),
    Operation::dump::<contexts::Get>(),
    Operation::doit::<contexts::Add>(),
    Operation::doit::<contexts::Del>(),
    Operation::doit::<contexts::Set>(),
];

static FAMILY: Family = Family::new(
    compat::this_module(),
    bindings::SHIM6_GENL_NAME,
    bindings::SHIM6_GENL_VERSION,
    &OPERATIONS,
);

/// Opens the family to user space, until the value is dropped. The namespaces must be there from
/// before until after.
pub(crate) fn register() -> Result<Registration> {
    FAMILY.register()
}
