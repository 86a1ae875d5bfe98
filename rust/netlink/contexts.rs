// SPDX-License-Identifier: GPL-2.0

//! The commands on contexts.

use super::{
    address::{
        CURRENT_LOCAL,
        CURRENT_PEER,
        ULID_LOCAL, //
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
        Cause,
        Context,
        Contexts,
        Identity,
        Namespace,
        Refusal,
        SetPairError,
        Side,
        BATCH, //
    },
    control::{
        NegativeEntry,
        RequestError, //
    },
    kernel_ext::{
        compat::errno::{
            EADDRNOTAVAIL,
            EOPNOTSUPP, //
        },
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

use kernel::prelude::*;

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
        let locked = context.lock().map_err(|_| no_context(request))?;

        request.reply(CMD_CONTEXT_GET, show::LARGEST, |message| {
            show::context(message, &context, &locked)
        })
    }
}

/// A dump of the contexts of a namespace.
pub(super) struct All<'a> {
    contexts: &'a Contexts,
    walk: Walk<'a, Context, Identity>,
    /// What the walk gave and was not shown yet.
    waiting: [Option<RcuArc<Context>>; BATCH],
    /// Whether the walk has come to its end.
    finished: bool,
    negatives: Walk<'a, NegativeEntry, Identity>,
}

impl Dump for Get {
    const COMMAND: u8 = CMD_CONTEXT_GET;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &[];
    const LARGEST: usize = show::LARGEST;

    type State<'a> = KBox<All<'a>>;

    fn start<'a>(request: &Request<'a>) -> Result<KBox<All<'a>>> {
        let namespace = Namespace::of(request.net());

        let all = All {
            contexts: &namespace.contexts,
            walk: namespace.contexts.walk()?,
            waiting: [const { None }; BATCH],
            finished: false,
            negatives: namespace.control.negatives.walk()?,
        };
        Ok(KBox::new(all, GFP_KERNEL)?)
    }

    fn fill(all: &mut KBox<All<'_>>, batch: &mut Batch<'_>) -> Result<Progress> {
        let all = &mut **all;
        loop {
            // Also for a buffer without a message: what was left may be gone, or have been skipped.
            batch.set_generation(all.contexts.generation().wrapping_add(all.walk.resized()));
            for place in &mut all.waiting {
                let Some(context) = place else {
                    continue;
                };
                if let Ok(locked) = context.lock() {
                    let written = batch.message(CMD_CONTEXT_GET, |message| {
                        show::context(message, context, &locked)
                    })?;
                    if !matches!(written, Progress::Done) {
                        return Ok(written);
                    }
                }
                *place = None;
            }
            if all.finished {
                break;
            }
            all.finished = all
                .contexts
                .next_batch(&mut all.walk, |_| true, &mut all.waiting);
        }
        let mut result = Ok(Progress::Done);
        all.negatives.resume(|entry, _| {
            result = batch.message(CMD_CONTEXT_GET, |message| show::negative(message, entry));
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
            .add(Namespace::of(request.net()), new, Cause::Admin)
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
        let namespace = Namespace::of(request.net());
        if namespace.control.discard(namespace, &context, Cause::Admin) {
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
        let change = parse::change(request)?;
        let context = find(request)?;

        let pair = (change.local, change.peer);
        if !change.reap.is_empty() {
            if context.is_static() {
                return Err(
                    request.refuse(EOPNOTSUPP, c"a static context has no failure detection")
                );
            }
        }
        Context::set(&context, request.net(), pair, &change.preferences)
            .map_err(|error| refuse_pair(request, error))?;
        let mut locked = context.lock().map_err(|_| no_context(request))?;
        let overrides = change.reap.applied_to(locked.reap_overrides());
        locked.set_reap(overrides)?;
        Ok(())
    }
}

/// `SHIM6_CMD_CONTEXT_START`.
pub(super) struct Start;

impl Do for Start {
    const COMMAND: u8 = CMD_CONTEXT_START;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::ULIDS;

    fn doit(request: &Request<'_>) -> Result {
        let identity = parse::identity(request)?;
        let namespace = Namespace::of(request.net());

        namespace
            .control
            .request(namespace, identity.ulids, Cause::Admin)
            .map_err(|error| match error {
                RequestError::Unshimmable => {
                    request.refuse(EINVAL, c"these ULIDs cannot have a context")
                }
                RequestError::NotOnHost => ULID_LOCAL.refuse(
                    request,
                    EADDRNOTAVAIL,
                    c"ULID(local) is no address of this network namespace",
                ),
                RequestError::Exists => {
                    request.refuse(EEXIST, c"there is a context with these ULIDs already")
                }
                RequestError::Negative => request.refuse(
                    EBUSY,
                    c"the peer did not answer lately, or does not know Shim6; flush to ask again",
                ),
                RequestError::Full => request.refuse(ENOSPC, c"too many requests wait"),
            })
    }
}

/// `SHIM6_CMD_CONTEXT_FLUSH`.
pub(super) struct Flush;

impl Do for Flush {
    const COMMAND: u8 = CMD_CONTEXT_FLUSH;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &[];

    fn doit(request: &Request<'_>) -> Result {
        let namespace = Namespace::of(request.net());
        namespace.control.flush(namespace)
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
        SetPairError::NoPeer => CURRENT_PEER.refuse(
            request,
            EINVAL,
            c"the context is not established, only its ULIDs can be used",
        ),
        SetPairError::Gone => no_context(request),
        SetPairError::NoMemory => ENOMEM,
    }
}
