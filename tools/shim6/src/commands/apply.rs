// SPDX-License-Identifier: GPL-2.0

//! `shim6 apply` and `shim6 config`.

use std::fs;
use std::io::{
    self,
    Read, //
};
use std::path::Path;

use serde::Serialize;

use crate::client::Client;
use crate::config::plan::{
    carry_out,
    plan,
    Step, //
};
use crate::config::present::Present;
use crate::config::read::{
    self,
    Fault, //
};
use crate::config::{
    settings,
    Config, //
};
use crate::error::{
    Cause,
    Error, //
};
use crate::identity;
use crate::output::{
    self,
    complain,
    print,
    warn, //
};
use crate::policy;

/// What `apply --json` prints.
#[derive(Serialize)]
struct Applied<'a> {
    file: String,
    faults: &'a [Fault],
    /// What was changed, in words.
    changes: Vec<String>,
}

/// A file as it was read.
#[derive(Debug)]
pub(crate) enum Loaded {
    Config(Config),
    /// What is wrong with it.
    Faults(Vec<Fault>),
}

/// Reads a file; `-` is standard input.
pub(crate) fn load(path: &Path) -> Result<Loaded, Error> {
    let text = match path.to_str() {
        Some("-") => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => fs::read_to_string(path),
    };
    let text =
        text.map_err(|error| Error::new(format!("read {}", path.display()), error.into()))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    Ok(match read::read(&text, directory) {
        Ok(config) => Loaded::Config(config),
        Err(faults) => Loaded::Faults(faults),
    })
}

/// Says what is wrong with a file, as compilers do.
pub(crate) fn say_faults(path: &Path, faults: &[Fault]) {
    for fault in faults {
        complain(format_args!("{}:{fault}", path.display()));
    }
}

/// Makes what is in force as a file says; the changes in words. `path` names the file in errors.
pub(crate) fn enforce(path: &Path, config: &Config) -> Result<Vec<String>, Error> {
    let failed = |cause| Error::new(format!("apply {}", path.display()), cause);
    let mut client = Client::connect().map_err(failed)?;
    let present = Present::read(&mut client).map_err(failed)?;
    let steps = plan(&present, config).map_err(|faults| failed(Cause::Input(faults.join("; "))))?;
    carry_out(&steps, |step| take(&mut client, step))
        .map_err(|failure| failed(Cause::Input(failure.to_string())))?;
    Ok(steps.iter().map(Step::to_string).collect())
}

fn take(client: &mut Client, step: &Step) -> Result<(), Cause> {
    let request = match step {
        Step::Set { name, to, .. } => {
            settings::set(Path::new(settings::DIRECTORY), name, to)?;
            return Ok(());
        }
        Step::AddIdentity { name, contents } => identity::add(name, contents),
        Step::DelIdentity { name, .. } => identity::del(name),
        Step::AddPolicy(prefix) => policy::add(*prefix),
        Step::DelPolicy(prefix) => policy::del(*prefix),
    };
    warn(client.act(request)?);
    Ok(())
}

/// `shim6 apply`; false if something is wrong with the file.
pub(crate) fn run(path: &Path, check: bool, json: bool) -> Result<bool, Error> {
    let config = match load(path)? {
        Loaded::Config(config) => config,
        Loaded::Faults(faults) => {
            say_faults(path, &faults);
            if json {
                show(path, &faults, Vec::new(), true)?;
            }
            return Ok(false);
        }
    };
    let changes = match check {
        true => Vec::new(),
        false => enforce(path, &config)?,
    };
    show(path, &[], changes, json)?;
    Ok(true)
}

fn show(path: &Path, faults: &[Fault], changes: Vec<String>, json: bool) -> Result<(), Error> {
    let file = path.display().to_string();
    print(|out| match json {
        true => output::json(
            &Applied {
                file,
                faults,
                changes,
            },
            out,
        ),
        false => changes
            .iter()
            .try_for_each(|change| writeln!(out, "{change}")),
    })
}

/// `shim6 config show`.
pub(crate) fn run_show(json: bool) -> Result<(), Error> {
    let present = Client::connect()
        .and_then(|mut client| Present::read(&mut client))
        .map_err(|cause| Error::new("show the configuration", cause))?;
    print(|out| match json {
        true => output::json(&present.json(), out),
        false => present.text(out),
    })
}
