// SPDX-License-Identifier: GPL-2.0

//! How a command line names a context.

use std::net::Ipv6Addr;

use clap::{
    error::ErrorKind,
    ArgGroup,
    ArgMatches,
    Args,
    FromArgMatches, //
};

use crate::context::locator::parse_address;
use crate::context::{
    ContextTag,
    Identity,
    Selector, //
};

/// Names a context by its identity or by its local tag.
#[derive(Debug, Args)]
pub(crate) struct SelectorArgs {
    /// ULID of this host
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = parse_address,
        requires = "ulid_peer",
        conflicts_with = "tag_local"
    )]
    ulid_local: Option<Ipv6Addr>,
    /// ULID of the peer
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = parse_address,
        requires = "ulid_local",
        conflicts_with = "tag_local"
    )]
    ulid_peer: Option<Ipv6Addr>,
    /// Forked Instance Identifier, 0 if left out
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = parse_fii,
        requires = "ulid_local",
        conflicts_with = "tag_local"
    )]
    fii: Option<u32>,
    /// Context tag of this host, hexadecimal, instead of ULIDs and FII
    #[arg(long, value_name = "TAG")]
    tag_local: Option<ContextTag>,
}

impl SelectorArgs {
    /// The context that is named, if one is. The parser saw to it that a ULID comes with the other.
    pub(crate) fn into_selector(self) -> Option<Selector> {
        if let Some(tag) = self.tag_local {
            return Some(Selector::Tag(tag));
        }
        Some(Selector::Identity(Identity {
            ulid_local: self.ulid_local?,
            ulid_peer: self.ulid_peer?,
            fii: self.fii.unwrap_or(0),
        }))
    }
}

/// Where a context must be named the arguments give a [`Selector`] and nothing less.
impl FromArgMatches for Selector {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        SelectorArgs::from_arg_matches(matches)?
            .into_selector()
            .ok_or_else(|| clap::Error::new(ErrorKind::MissingRequiredArgument))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Selector {
    fn augment_args(command: clap::Command) -> clap::Command {
        SelectorArgs::augment_args(command).group(
            ArgGroup::new("context")
                .args(["ulid_local", "tag_local"])
                .required(true),
        )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        SelectorArgs::augment_args_for_update(command)
    }
}

/// A Forked Instance Identifier: decimal, or hexadecimal after 0x.
pub(super) fn parse_fii(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| "a Forked Instance Identifier is a number of at most 32 bits".into())
}
