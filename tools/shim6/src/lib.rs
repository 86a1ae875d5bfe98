// SPDX-License-Identifier: GPL-2.0

//! `shim6` shows and controls the Shim6 layer (RFC 5533) of the network namespace it runs in, and
//! makes the addresses that hosts prove themselves with.
//!
//! This file ties the rooms: [`args`] turns the command line into a command, [`commands`] carries
//! it out. [`context`], [`identity`], [`policy`] and [`events`] know what the kernel says about
//! each of them, [`answers`] reads all of it from octets, [`client`] and [`genl`] carry messages to the kernel and back, [`pds`] makes and
//! verifies addresses, [`error`] puts failures into one sentence. Exit codes: 0 done, 1 the kernel
//! or the system refused or an address does not verify, 2 usage.

#![forbid(unsafe_code)]

mod abi;
pub mod answers;
mod args;
mod client;
mod commands;
mod config;
mod context;
mod doctor;
mod error;
mod events;
mod genl;
mod identity;
#[cfg(test)]
mod man;
mod notify;
mod output;
mod pds;
mod policy;
mod prefix;
mod probe;
mod provision;
mod rtnl;
#[cfg(test)]
mod scratch;
mod signals;
mod stats;
mod top;

use std::process::ExitCode;

use clap::{
    CommandFactory,
    Parser, //
};

use args::address::HbaCommand;
use args::{
    Cli,
    Command,
    ConfigCommand, //
};
use error::Error;

/// The program: reads the command line, carries out what it says.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader of our output went away: there is nobody left to tell, and nothing is wrong.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            output::say(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

/// Carries out a command; false if what it says is no.
fn run(cli: Cli) -> Result<bool, Error> {
    let json = cli.json;
    match cli.command {
        Command::Hba {
            command:
                HbaCommand::Apply {
                    files,
                    remove,
                    dry_run,
                },
        } => return commands::provision::run(&files, remove, dry_run, json),
        Command::Hba {
            command: HbaCommand::Address(command),
        } => return commands::address::run(command.into(), json),
        Command::Cga { command } => return commands::address::run(command.into(), json),
        Command::Context { command } => commands::context::run(command, json),
        Command::Identity { command } => commands::identity::run(command, json),
        Command::Policy { command } => commands::identity::run_policy(command, json),
        Command::Apply { file, check } => return commands::apply::run(&file, check, json),
        Command::Config {
            command: ConfigCommand::Show,
        } => commands::apply::run_show(json),
        Command::Watch { file } => return commands::watch::run(&file, json),
        Command::Probe {
            peer,
            attempts,
            timeout,
        } => return commands::probe::run(peer, attempts, timeout, json),
        Command::Doctor { peer } => return commands::doctor::run(peer, json),
        Command::Top { interval, once } => commands::top::run(interval, once, json),
        Command::Stats {
            patterns,
            zeros,
            about,
        } => commands::stats::run(&patterns, zeros, about, json),
        Command::Monitor => commands::monitor::run(json),
        Command::Completion { shell } => {
            // `generate` panics when it cannot write, so it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "shim6", &mut script);
            output::print(|out| out.write_all(&script))
        }
    }
    .map(|()| true)
}
