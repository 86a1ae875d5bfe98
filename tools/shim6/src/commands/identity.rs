// SPDX-License-Identifier: GPL-2.0

//! `shim6 identity` and `shim6 policy`.

use std::path::Path;

use super::act;
use crate::abi::cmd;
use crate::args::identity::{
    IdentityCommand,
    PolicyCommand, //
};
use crate::client::Client;
use crate::error::Error;
use crate::identity::{
    self,
    LocalIdentity,
    Name, //
};
use crate::output::{
    self,
    print,
    warn,
    warn_torn, //
};
use crate::pds::file::{
    is_exposed,
    IdentityFile, //
};
use crate::policy::{
    self,
    Policy, //
};

pub(crate) fn run(command: IdentityCommand, json: bool) -> Result<(), Error> {
    match command {
        IdentityCommand::Add { name, file } => add(&name, &file),
        IdentityCommand::Del { name } => {
            act(identity::del(&name), format!("delete the identity {name}"))
        }
        IdentityCommand::Show { name } => show(name, json),
    }
}

fn add(name: &Name, path: &Path) -> Result<(), Error> {
    let file = IdentityFile::read(path)?;
    if file.private_key.is_some() && is_exposed(path) {
        let path = path.display();
        warn(Some(format!(
            "others than the owner of {path} can get at the private key in it"
        )));
    }
    act(
        identity::add(name, &file),
        format!("add the identity {name}"),
    )
}

fn show(name: Option<Name>, json: bool) -> Result<(), Error> {
    let read = LocalIdentity::from_attributes;
    let identities = match name {
        Some(name) => Client::connect()
            .and_then(|mut client| client.one(identity::get(&name), read))
            .map(|identity| vec![identity])
            .map_err(|cause| Error::new(format!("show the identity {name}"), cause))?,
        None => {
            let dump = Client::connect()
                .and_then(|mut client| {
                    client.all(cmd::IDENTITY_GET, read, |identity| identity.name.clone())
                })
                .map_err(|cause| Error::new("show the identities", cause))?;
            warn_torn(dump.consistent, "identities");
            dump.objects
        }
    };
    print(|out| match json {
        true => output::json(&identities, out),
        false => identity::text(&identities, out),
    })
}

pub(crate) fn run_policy(command: PolicyCommand, json: bool) -> Result<(), Error> {
    match command {
        PolicyCommand::Add { prefix } => {
            act(policy::add(prefix), format!("add the policy {prefix}"))
        }
        PolicyCommand::Del { prefix } => {
            act(policy::del(prefix), format!("delete the policy {prefix}"))
        }
        PolicyCommand::Show => {
            let dump = Client::connect()
                .and_then(|mut client| {
                    client.all(cmd::POLICY_GET, Policy::from_attributes, |policy| *policy)
                })
                .map_err(|cause| Error::new("show the policies", cause))?;
            warn_torn(dump.consistent, "policies");
            print(|out| match json {
                true => output::json(&dump.objects, out),
                false => policy::text(&dump.objects, out),
            })
        }
    }
}
