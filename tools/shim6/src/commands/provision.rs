// SPDX-License-Identifier: GPL-2.0

//! `shim6 hba apply`.

use std::net::Ipv6Addr;
use std::path::{
    Path,
    PathBuf, //
};

use serde::Serialize;

use super::apply::{
    load,
    say_faults,
    Loaded, //
};
use crate::config::read::Fault;
use crate::config::{
    Config,
    DEFAULT_FILE, //
};
use crate::error::{
    Cause,
    Error, //
};
use crate::output::{
    self,
    print,
    say,
    warn, //
};
use crate::pds::describe::Description;
use crate::pds::file::IdentityFile;
use crate::provision::{
    plan,
    removal,
    Placed,
    Plan,
    Scope, //
};
use crate::rtnl::{
    Change,
    Rtnl, //
};

/// What `hba apply --json` prints.
#[derive(Serialize)]
struct Applied<'a> {
    /// What is wrong with the file of the configuration.
    faults: &'a [Fault],
    /// What was changed, in words.
    changes: Vec<String>,
    /// The addresses that have a place.
    addresses: &'a [Placed],
    /// What could not be done, in words.
    notes: Vec<String>,
}

impl<'a> Applied<'a> {
    /// Of a file with faults nothing is done.
    fn faulty(faults: &'a [Fault]) -> Self {
        Self {
            faults,
            changes: Vec::new(),
            addresses: &[],
            notes: Vec::new(),
        }
    }
}

fn show(applied: &Applied<'_>, json: bool) -> Result<(), Error> {
    print(|out| match json {
        true => output::json(applied, out),
        false => applied
            .changes
            .iter()
            .try_for_each(|change| writeln!(out, "{change}")),
    })
}

/// The addresses of an identity.
pub(crate) fn addresses(contents: &IdentityFile) -> Result<Vec<Ipv6Addr>, Cause> {
    Description::of(&contents.pds)
        .map(|description| description.addresses)
        .map_err(|why| Cause::Input(why.into()))
}

/// The addresses of the file that are to be assigned.
pub(crate) fn addresses_of(config: &Config) -> Result<Vec<Ipv6Addr>, Cause> {
    let mut all = Vec::new();
    for entry in config.identities.iter().flatten().filter(|it| it.assign) {
        for address in addresses(&entry.contents)? {
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
    Ok(all)
}

/// What came of a plan.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What was changed, in words.
    pub(crate) changes: Vec<String>,
    /// What could not be changed. It keeps nothing else from being changed.
    pub(crate) errors: Vec<Error>,
}

/// Carries out the changes of a plan.
pub(crate) fn carry_out(rtnl: &mut Rtnl, plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    for change in &plan.changes {
        let text = change.to_string();
        match rtnl.change(change) {
            Ok(()) => outcome.changes.push(text),
            Err(cause) => outcome.errors.push(Error::new(text, cause)),
        }
    }
    outcome
}

/// `shim6 hba apply`; false if a file makes no sense, or the kernel refused something.
pub(crate) fn run(
    files: &[PathBuf],
    remove: bool,
    dry_run: bool,
    json: bool,
) -> Result<bool, Error> {
    let failed = |cause| Error::new("assign addresses", cause);
    let mut wanted = Vec::new();
    for path in files {
        let contents = IdentityFile::read(path)?;
        wanted.extend(addresses(&contents).map_err(failed)?);
    }
    if files.is_empty() {
        let path = Path::new(DEFAULT_FILE);
        match load(path)? {
            Loaded::Config(config) => wanted = addresses_of(&config).map_err(failed)?,
            Loaded::Faults(faults) => {
                say_faults(path, &faults);
                if json {
                    show(&Applied::faulty(&faults), true)?;
                }
                return Ok(false);
            }
        }
    }
    let mut rtnl = Rtnl::open().map_err(failed)?;
    let scene = rtnl.scene().map_err(failed)?;
    let plan = match remove {
        true => removal(&scene, &wanted),
        false => plan(&scene, &wanted, Scope::These),
    };
    let Outcome { changes, errors } = match dry_run {
        true => Outcome {
            changes: plan.changes.iter().map(Change::to_string).collect(),
            errors: Vec::new(),
        },
        false => carry_out(&mut rtnl, &plan),
    };
    let notes: Vec<_> = plan.notes.iter().map(ToString::to_string).collect();
    if !json {
        notes.iter().cloned().map(Some).for_each(warn);
    }
    let applied = Applied {
        faults: &[],
        changes,
        addresses: &plan.placed,
        notes,
    };
    show(&applied, json)?;
    for error in &errors {
        say(format_args!("{error}"));
    }
    Ok(errors.is_empty())
}
