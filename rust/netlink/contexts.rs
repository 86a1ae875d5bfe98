// SPDX-License-Identifier: GPL-2.0

//! The commands on contexts.

use super::{
    address::{
        CURRENT_LOCAL,
        CURRENT_PEER, //
    },
    parse::{
        self,
        Name, //
    },
    policy,
    show,
    uapi::*, //
};
use crate::{
    context::{
        Context,
        Contexts,
        Namespace,
        Refusal,
        SetPairError,
        Side, //
    },
    kernel_ext::{
        compat::errno::EADDRNOTAVAIL,
        genetlink::{
            Batch,
            Do,
            Dump,
            Permission,
            Policy,
            Progress,
            Request, //
        },
        rcu::RcuArc,
        rhashtable::Walk, //
    },
};

use core::ops::ControlFlow;

use kernel::{
    prelude::*,
    sync::rcu, //
};

/// The contexts of the namespace that a request came from.
fn contexts<'a>(request: &Request<'a>) -> &'a Contexts {
    &Namespace::of(request.net()).contexts
}

/// The context that a request names.
fn find(request: &Request<'_>) -> Result<RcuArc<Context>> {
    let contexts = contexts(request);
    let found = match parse::name(request)? {
        Name::Identity(identity) => contexts.get_by_identity(&identity),
        Name::Tag(tag) => contexts.get_by_tag(tag),
    };
    found.ok_or_else(|| no_context(request))
}

fn no_context(request: &Request<'_>) -> Error {
    request.refuse(ENOENT, c"there is no such context")
}

/// `SHIM6_CMD_CONTEXT_GET`.
pub(super) struct Get;

impl Do for Get {
    const COMMAND: u8 = CMD_CONTEXT_GET;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::NAME;

    fn doit(request: &Request<'_>) -> Result {
        let context = find(request)?;

        request.reply(CMD_CONTEXT_GET, show::LARGEST, |message| {
            show::context(message, &context, &rcu::read_lock())
        })
    }
}

/// A dump of the contexts of a namespace.
pub(super) struct All<'a> {
    contexts: &'a Contexts,
    walk: Walk<'a, Context, 40>,
    /// How often the walk saw the table resized.
    resized: u32,
}

impl Dump for Get {
    const COMMAND: u8 = CMD_CONTEXT_GET;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &[];
    const LARGEST: usize = show::LARGEST;

    type State<'a> = All<'a>;

    fn start<'a>(request: &Request<'a>) -> Result<All<'a>> {
        let contexts = contexts(request);

        Ok(All {
            contexts,
            walk: contexts.walk()?,
            resized: 0,
        })
    }

    fn fill(all: &mut All<'_>, batch: &mut Batch<'_>) -> Result<Progress> {
        let All {
            contexts,
            walk,
            resized,
        } = all;
        let mut result = Ok(Progress::Done);

        // Also for a buffer without a message: what was left may be gone, or have been skipped.
        batch.set_generation(contexts.generation().wrapping_add(*resized));
        walk.resume(|context, times| {
            *resized = times;
            batch.set_generation(contexts.generation().wrapping_add(times));
            result = batch.message(CMD_CONTEXT_GET, |message| {
                show::context(message, context, &rcu::read_lock())
            });
            match result {
                Ok(Progress::Done) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        });
        result
    }
}

/// `SHIM6_CMD_CONTEXT_ADD`.
pub(super) struct Add;

impl Do for Add {
    const COMMAND: u8 = CMD_CONTEXT_ADD;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::ADD;

    fn doit(request: &Request<'_>) -> Result {
        let new = parse::new_context(request)?;

        contexts(request)
            .add(request.net(), new)
            .map(drop)
            .map_err(|refusal| match refusal {
                Refusal::Exists => request.refuse(
                    EEXIST,
                    c"there is a context with these ULIDs and this FII already",
                ),
                Refusal::TagInUse => request.refuse(
                    EEXIST,
                    c"CT(local), the local tag, is that of another context",
                ),
                Refusal::Full => request.refuse(
                    ENOSPC,
                    c"there are as many contexts as the setting net.shim6.max_contexts allows",
                ),
                Refusal::Pair(error) => refuse_pair(request, error),
                Refusal::NoMemory => ENOMEM,
            })
    }
}

/// `SHIM6_CMD_CONTEXT_DEL`.
pub(super) struct Del;

impl Do for Del {
    const COMMAND: u8 = CMD_CONTEXT_DEL;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::NAME;

    fn doit(request: &Request<'_>) -> Result {
        let context = find(request)?;

        // Somebody else may have been faster.
        if contexts(request).remove(request.net(), &context) {
            Ok(())
        } else {
            Err(no_context(request))
        }
    }
}

/// `SHIM6_CMD_CONTEXT_SET`.
pub(super) struct Set;

impl Do for Set {
    const COMMAND: u8 = CMD_CONTEXT_SET;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::SET;

    fn doit(request: &Request<'_>) -> Result {
        let pair = parse::new_pair(request)?;

        find(request)?
            .set_pair(request.net(), pair.local, pair.peer)
            .map_err(|error| refuse_pair(request, error))
    }
}

fn refuse_pair(request: &Request<'_>, error: SetPairError) -> Error {
    match error {
        SetPairError::NotInList(Side::Local) => CURRENT_LOCAL.refuse(
            request,
            EINVAL,
            c"the current local locator is not one of the local locators",
        ),
        SetPairError::NotInList(Side::Peer) => CURRENT_PEER.refuse(
            request,
            EINVAL,
            c"the current peer locator is not one of the peer locators",
        ),
        SetPairError::NotOnHost => CURRENT_LOCAL.refuse(
            request,
            EADDRNOTAVAIL,
            c"the current local locator is no address of this network namespace",
        ),
        SetPairError::Gone => no_context(request),
        SetPairError::NoMemory => ENOMEM,
    }
}
