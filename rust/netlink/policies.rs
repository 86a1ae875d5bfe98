// SPDX-License-Identifier: GPL-2.0

//! The commands on the prefixes of the policy.

use super::{
    parse::refuse_repeated,
    policy,
    uapi::*, //
};
use crate::{
    context::Namespace,
    control::{
        PolicyError,
        Prefix, //
    },
    kernel_ext::genetlink::{
        Batch,
        Do,
        Dump,
        Message,
        Permission,
        Policy,
        Progress,
        Request, //
    },
};

use kernel::{
    prelude::*,
    sync::rcu, //
};

/// Octets of a prefix and its length.
const LARGEST: usize = Message::space(ADDRESS_LEN) + Message::space(size_of::<u8>());

/// The prefix in a request.
fn prefix(request: &Request<'_>) -> Result<Prefix> {
    let attributes = request.attributes();
    refuse_repeated(request, attributes, &[])?;
    let prefix = attributes
        .get(A_PREFIX)
        .ok_or_else(|| request.missing(A_PREFIX, c"the prefix is missing"))?;
    let len = attributes
        .get(A_PREFIX_LEN)
        .ok_or_else(|| request.missing(A_PREFIX_LEN, c"the length of the prefix is missing"))?;

    Prefix::new(prefix.octets()?, len.u8()?).map_err(|error| match error {
        PolicyError::Bits => {
            request.refuse_attribute(&prefix, EINVAL, c"there are bits set behind the prefix")
        }
        _ => request.refuse_attribute(&len, ERANGE, c"a prefix has at most 128 bits"),
    })
}

fn refuse(request: &Request<'_>, error: PolicyError) -> Error {
    match error {
        PolicyError::Exists => request.refuse(EEXIST, c"this prefix is there already"),
        PolicyError::Full => request.refuse(ENOSPC, c"there are too many prefixes"),
        PolicyError::NotFound => request.refuse(ENOENT, c"there is no such prefix"),
        PolicyError::Length | PolicyError::Bits => EINVAL,
        PolicyError::NoMemory => ENOMEM,
    }
}

/// A dump of the prefixes of a namespace.
pub(super) struct All<'a> {
    namespace: &'a Namespace,
    next: usize,
}

/// `SHIM6_CMD_POLICY_GET`.
pub(super) struct Get;

impl Dump for Get {
    const COMMAND: u8 = CMD_POLICY_GET;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &[];
    const LARGEST: usize = LARGEST;

    type State<'a> = All<'a>;

    fn start<'a>(request: &Request<'a>) -> Result<All<'a>> {
        Ok(All {
            namespace: Namespace::of(request.net()),
            next: 0,
        })
    }

    fn fill(all: &mut All<'_>, batch: &mut Batch<'_>) -> Result<Progress> {
        let policy = &all.namespace.control.policy;
        loop {
            let Some(prefix) = policy.get(all.next, &rcu::read_lock()) else {
                return Ok(Progress::Done);
            };
            let written = batch.message(CMD_POLICY_GET, |message| {
                message.put(A_PREFIX, &prefix.octets())?;
                message.put_u8(A_PREFIX_LEN, prefix.len())
            })?;
            match written {
                Progress::Done => all.next = all.next.saturating_add(1),
                progress => return Ok(progress),
            }
        }
    }
}

/// `SHIM6_CMD_POLICY_ADD`.
pub(super) struct Add;

impl Do for Add {
    const COMMAND: u8 = CMD_POLICY_ADD;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::PREFIX;

    fn doit(request: &Request<'_>) -> Result {
        let namespace = Namespace::of(request.net());
        namespace
            .control
            .policy
            .add(prefix(request)?)
            .map_err(|error| refuse(request, error))?;
        namespace.follow_wishes();
        Ok(())
    }
}

/// `SHIM6_CMD_POLICY_DEL`.
pub(super) struct Del;

impl Do for Del {
    const COMMAND: u8 = CMD_POLICY_DEL;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::PREFIX;

    fn doit(request: &Request<'_>) -> Result {
        Namespace::of(request.net())
            .control
            .policy
            .remove(prefix(request)?)
            .map_err(|error| refuse(request, error))
    }
}
