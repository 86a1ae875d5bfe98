// SPDX-License-Identifier: GPL-2.0

//! `shim6 hba` and `shim6 cga`. They need neither the module nor privileges.

use std::fs;
use std::io::{
    self,
    IsTerminal, //
};
use std::net::Ipv6Addr;
use std::path::Path;

use serde::Serialize;

use crate::args::address::{
    AddressCommand,
    Generation,
    KeySource, //
};
use crate::error::{
    Cause,
    Error, //
};
use crate::output::{
    self,
    print,
    say, //
};
use crate::pds::describe::Description;
use crate::pds::file::{
    IdentityFile,
    Target, //
};
use crate::pds::generate::make;
use crate::pds::key::PrivateKey;
use crate::pds::search::{
    processors,
    search,
    Progress, //
};
use crate::pds::source::Source;
use crate::pds::verify::{
    self,
    verdicts,
    Method, //
};

/// Runs a command; false if an address was not verified.
pub(crate) fn run(command: AddressCommand, json: bool) -> Result<bool, Error> {
    match command {
        AddressCommand::Generate(generation) => generate(generation, json).map(|()| true),
        AddressCommand::Verify {
            method,
            addresses,
            pds,
        } => verify_all(method, &addresses, pds, json),
        AddressCommand::Show(pds) => show(pds, json).map(|()| true),
    }
}

/// What `generate --json` prints.
#[derive(Serialize)]
struct Generated<'a> {
    addresses: &'a [Ipv6Addr],
}

fn generate(generation: Generation, json: bool) -> Result<(), Error> {
    let Generation {
        plan,
        key,
        output,
        force,
    } = generation;
    let target = Target::new(output, force)?;
    let private_key = match key {
        KeySource::None => None,
        KeySource::File(path) => Some(read_key(&path)?),
        KeySource::New(bits) => Some(new_key(bits)?),
    };
    let public_key = private_key.as_ref().map(PrivateKey::public_key);
    let mut progress = Progress::new(plan.sec);
    let made = make(&plan, public_key, |start, sec| {
        search(start, sec, processors(), |tried| progress.report(tried))
    });
    drop(progress);
    let made = made.map_err(|cause| Error::new("make addresses", cause))?;

    let file = IdentityFile {
        pds: made.pds,
        private_key,
    };
    target.write(&file, &made.addresses)?;
    let addresses = made.addresses.as_slice();
    print(|out| match json {
        true => output::json(&Generated { addresses }, out),
        false => addresses
            .iter()
            .try_for_each(|address| writeln!(out, "{address}")),
    })
}

fn read_key(path: &Path) -> Result<PrivateKey, Error> {
    fs::read_to_string(path)
        .map_err(Cause::System)
        .and_then(|text| PrivateKey::from_pem(&text).map_err(Cause::Input))
        .map_err(|cause| Error::new(format!("read a private key from {}", path.display()), cause))
}

fn new_key(bits: u32) -> Result<PrivateKey, Error> {
    if io::stderr().is_terminal() {
        say(format_args!("making an RSA key of {bits} bits"));
    }
    PrivateKey::generate(bits)
        .map_err(|why| Error::new(format!("make an RSA key of {bits} bits"), Cause::Input(why)))
}

fn verify_all(
    method: Method,
    addresses: &[Ipv6Addr],
    pds: Source,
    json: bool,
) -> Result<bool, Error> {
    let verdicts = verdicts(method, addresses, &pds.read()?.pds);
    print(|out| match json {
        true => output::json(&verdicts, out),
        false => verify::text(&verdicts, out),
    })?;
    Ok(verdicts.iter().all(|verdict| verdict.verified))
}

fn show(pds: Source, json: bool) -> Result<(), Error> {
    /// What `show --json` prints.
    #[derive(Serialize)]
    struct Shown {
        signs: bool,
        #[serde(flatten)]
        description: Description,
    }

    let file = pds.read()?;
    let description = Description::of(&file.pds)
        .map_err(|why| Error::new("explain the PDS", Cause::Input(why.into())))?;
    let signs = file.private_key.is_some();
    print(|out| match json {
        true => output::json(&Shown { signs, description }, out),
        false => description.text(signs, out),
    })
}
