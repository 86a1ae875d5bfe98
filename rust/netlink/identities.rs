// SPDX-License-Identifier: GPL-2.0

//! The commands on identities.

use super::{
    parse::refuse_repeated,
    policy,
    uapi::*, //
};
use crate::{
    context::Namespace,
    control::{
        IdentityError,
        LocalIdentity, //
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

use core::ffi::CStr;

use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Octets of the largest identity: name, PDS, a flag.
const LARGEST: usize =
    Message::space(NAME_MAX + 1) + Message::space(PDS_MAX) + Message::space(size_of::<u8>());

fn show(message: &mut Message<'_>, identity: &LocalIdentity) -> Result {
    message.put_text(A_NAME, identity.name())?;
    message.put(A_PDS, identity.pds())?;
    message.put_u8(A_SIGNS, u8::from(identity.signs()))
}

/// The name in a request: not empty, printable, without spaces.
fn name<'a>(request: &Request<'a>) -> Result<&'a [u8]> {
    let attribute = request
        .attributes()
        .get(A_NAME)
        .ok_or_else(|| request.missing(A_NAME, c"the name of the identity is missing"))?;
    let octets = attribute.payload();
    let name = octets.strip_suffix(&[0]).unwrap_or(octets);
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return Err(request.refuse_attribute(
            &attribute,
            EINVAL,
            c"a name has 1 to 31 printable characters without spaces",
        ));
    }
    Ok(name)
}

fn no_identity(request: &Request<'_>) -> Error {
    request.refuse(ENOENT, c"there is no identity of this name")
}

/// `SHIM6_CMD_IDENTITY_GET`.
pub(super) struct Get;

impl Do for Get {
    const COMMAND: u8 = CMD_IDENTITY_GET;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::IDENTITY_NAME;

    fn doit(request: &Request<'_>) -> Result {
        refuse_repeated(request, request.attributes(), &[])?;
        let identity = Namespace::of(request.net())
            .control
            .identities
            .find(name(request)?)
            .ok_or_else(|| no_identity(request))?;

        request.reply(CMD_IDENTITY_GET, LARGEST, |message| {
            show(message, &identity)
        })
    }
}

/// A dump of the identities of a namespace.
pub(super) struct All<'a> {
    namespace: &'a Namespace,
    next: usize,
}

impl Dump for Get {
    const COMMAND: u8 = CMD_IDENTITY_GET;
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
        let identities = &all.namespace.control.identities;
        while let Some(identity) = identities.get(all.next) {
            let identity: Arc<LocalIdentity> = identity;
            match batch.message(CMD_IDENTITY_GET, |message| show(message, &identity))? {
                Progress::Done => all.next = all.next.saturating_add(1),
                progress => return Ok(progress),
            }
        }
        Ok(Progress::Done)
    }
}

/// `SHIM6_CMD_IDENTITY_ADD`.
pub(super) struct Add;

impl Do for Add {
    const COMMAND: u8 = CMD_IDENTITY_ADD;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::IDENTITY;

    fn doit(request: &Request<'_>) -> Result {
        let attributes = request.attributes();
        refuse_repeated(request, attributes, &[])?;
        let name = name(request)?;
        let pds = attributes.get(A_PDS).ok_or_else(|| {
            request.missing(A_PDS, c"the CGA Parameter Data Structure is missing")
        })?;
        let key = attributes.get(A_PRIVATE_KEY);
        let key_octets = key.as_ref().map_or(&[][..], |key| key.payload());

        LocalIdentity::new(name, pds.payload(), key_octets)
            .and_then(|identity| {
                Namespace::of(request.net())
                    .control
                    .identities
                    .add(identity)
            })
            .map_err(|error| match error {
                IdentityError::Malformed => request.refuse_attribute(
                    &pds,
                    EINVAL,
                    c"this is no CGA Parameter Data Structure",
                ),
                IdentityError::Extension => request.refuse_attribute(
                    &pds,
                    EINVAL,
                    c"the Multi-Prefix extension is malformed",
                ),
                IdentityError::Useless => request.refuse_attribute(
                    &pds,
                    EINVAL,
                    c"a CGA without a private key proves no other locator",
                ),
                IdentityError::PrivateKey => refuse_key(
                    request,
                    key_octets,
                    c"the private key is not the one of the public key",
                ),
                IdentityError::NoPublicKey => refuse_key(
                    request,
                    key_octets,
                    c"there is a private key, but the PDS has no RSA public key",
                ),
                IdentityError::KeySize => refuse_key(
                    request,
                    key_octets,
                    c"keys that sign locators have 1024 to 4096 bits",
                ),
                IdentityError::Exists => {
                    request.refuse(EEXIST, c"there is an identity of this name already")
                }
                IdentityError::Full => request.refuse(ENOSPC, c"there are too many identities"),
                IdentityError::NotFound => no_identity(request),
                IdentityError::NoMemory => ENOMEM,
            })
    }
}

fn refuse_key(request: &Request<'_>, key: &[u8], sentence: &'static CStr) -> Error {
    match request.attributes().get(A_PRIVATE_KEY) {
        Some(attribute) if !key.is_empty() => {
            request.refuse_attribute(&attribute, EINVAL, sentence)
        }
        _ => request.refuse(EINVAL, sentence),
    }
}

/// `SHIM6_CMD_IDENTITY_DEL`.
pub(super) struct Del;

impl Do for Del {
    const COMMAND: u8 = CMD_IDENTITY_DEL;
    const PERMISSION: Permission = Permission::NetAdmin;
    const POLICY: &'static [Policy] = &policy::IDENTITY_NAME;

    fn doit(request: &Request<'_>) -> Result {
        refuse_repeated(request, request.attributes(), &[])?;
        Namespace::of(request.net())
            .control
            .identities
            .remove(name(request)?)
            .map_err(|_| no_identity(request))
    }
}
