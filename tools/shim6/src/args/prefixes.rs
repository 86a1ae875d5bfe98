// SPDX-License-Identifier: GPL-2.0

//! How a command line names the prefixes of a set.

use clap::{
    error::ErrorKind,
    ArgMatches,
    Args,
    FromArgMatches, //
};

use crate::pds::generate::Prefixes;
use crate::prefix::SubnetPrefix;

#[derive(Debug, Args)]
struct PrefixArgs {
    /// Prefix of an address, of 64 bits; to be repeated, at most 32
    #[arg(long = "prefix", value_name = "PREFIX", required = true)]
    prefixes: Vec<SubnetPrefix>,
}

/// The arguments give prefixes that make a set, and nothing else.
impl FromArgMatches for Prefixes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let args = PrefixArgs::from_arg_matches(matches)?;
        Self::new(&args.prefixes)
            .map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n")))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Prefixes {
    fn augment_args(command: clap::Command) -> clap::Command {
        PrefixArgs::augment_args(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        PrefixArgs::augment_args_for_update(command)
    }
}
