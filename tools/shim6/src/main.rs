// SPDX-License-Identifier: GPL-2.0

//! `shim6` shows and controls the Shim6 layer (RFC 5533) of the network namespace it runs in.
//!
//! This file ties the rooms: [`args`] turns the command line into a request, [`context`] knows what
//! the kernel says about contexts, [`genl`] carries messages to the kernel and back, [`error`] puts
//! failures into one sentence. Exit codes: 0 done, 1 the kernel or the system refused, 2 usage.

#![forbid(unsafe_code)]

mod abi;
mod args;
mod context;
mod error;
mod genl;

use std::io::{
    self,
    BufWriter,
    Write, //
};
use std::process::ExitCode;

use clap::{
    CommandFactory,
    Parser, //
};

use args::{
    Cli,
    Command,
    ContextCommand, //
};
use context::client::Client;
use error::Error;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output went away: there is nobody left to tell, and nothing is wrong.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    match cli.command {
        Command::Context { command } => run_context(command, cli.json),
        Command::Completion { shell } => {
            // `generate` panics when it cannot write, so it writes to memory.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "shim6", &mut script);
            print(|out| out.write_all(&script))
        }
    }
}

fn run_context(command: ContextCommand, json: bool) -> Result<(), Error> {
    match command {
        ContextCommand::Add(args) => {
            let new = args.into_new_context();
            let tried = || format!("add the context {}", new.identity);
            let notice = Client::connect()
                .and_then(|mut client| client.add(&new))
                .map_err(|cause| Error::new(tried(), cause))?;
            warn(notice);
            Ok(())
        }
        ContextCommand::Del { selector } => {
            let notice = Client::connect()
                .and_then(|mut client| client.del(&selector))
                .map_err(|cause| Error::new(format!("delete the context {selector}"), cause))?;
            warn(notice);
            Ok(())
        }
        ContextCommand::Set { selector, current } => {
            let notice = Client::connect()
                .and_then(|mut client| client.set(&selector, &current.into()))
                .map_err(|cause| {
                    let tried = format!("set the current pair of the context {selector}");
                    Error::new(tried, cause)
                })?;
            warn(notice);
            Ok(())
        }
        ContextCommand::Show { selector } => {
            let contexts = match selector.into_selector() {
                Some(selector) => Client::connect()
                    .and_then(|mut client| client.get(&selector))
                    .map(|context| vec![context])
                    .map_err(|cause| Error::new(format!("show the context {selector}"), cause))?,
                None => {
                    let dump = Client::connect()
                        .and_then(|mut client| client.dump())
                        .map_err(|cause| Error::new("show the contexts", cause))?;
                    if !dump.consistent {
                        warn(Some(
                            "the contexts kept changing while they were read; the list may be \
                             incomplete"
                                .into(),
                        ));
                    }
                    dump.contexts
                }
            };
            print(|out| match json {
                true => context::show::json(&contexts, out),
                false => context::show::text(&contexts, out),
            })
        }
    }
}

/// Writes to standard output through a buffer.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)
        .and_then(|()| out.flush())
        .map_err(|error| Error::new("write to standard output", error::Cause::System(error)))
}

/// Passes on what the kernel has to say about a request it carried out.
fn warn(notice: Option<String>) {
    if let Some(notice) = notice {
        say(format_args!("warning: {notice}"));
    }
}

/// One line to standard error. A closed standard error is no reason to panic.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "shim6: {line}");
}
