// SPDX-License-Identifier: GPL-2.0

//! The command line. Everything is parsed here into types that cannot be wrong; what only the kernel
//! can judge (whether a context exists, whether a list holds its ULID) is left to it.

use std::net::Ipv6Addr;

use clap::{
    error::ErrorKind,
    ArgGroup,
    ArgMatches,
    Args,
    FromArgMatches,
    Parser,
    Subcommand, //
};
use clap_complete::Shell;

use crate::context::{
    parse_address,
    ContextTag,
    CurrentPair,
    Identity,
    Locator,
    NewContext,
    Selector, //
};

/// Show and control the Shim6 layer (RFC 5533) of this network namespace.
#[derive(Debug, Parser)]
#[command(
    name = "shim6",
    version,
    after_help = "\
Examples:
  shim6 context show
  shim6 context show --json
  ip netns exec a shim6 context show

Exit status: 0 done, 1 the kernel or the system refused, 2 wrong usage."
)]
pub(crate) struct Cli {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add, delete, change and show contexts
    Context {
        #[command(subcommand)]
        command: ContextCommand,
    },
    /// Print a shell completion script
    #[command(after_help = "\
Example:
  shim6 completion bash > /usr/share/bash-completion/completions/shim6")]
    Completion {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ContextCommand {
    /// Add a static context
    Add(AddArgs),
    /// Delete a context
    #[command(override_usage = "\
shim6 context del --ulid-local ADDRESS --ulid-peer ADDRESS [--fii NUMBER]
       shim6 context del --tag-local TAG")]
    #[command(after_help = "\
Examples:
  shim6 context del --ulid-local 2001:db8:1::a --ulid-peer 2001:db8:1::b
  shim6 context del --tag-local a1")]
    Del {
        #[command(flatten)]
        selector: Selector,
    },
    /// Set the current locator pair of a context; a locator left out keeps its value
    #[command(group = ArgGroup::new("current")
        .args(["current_local", "current_peer"])
        .required(true)
        .multiple(true))]
    #[command(override_usage = "\
shim6 context set --ulid-local ADDRESS --ulid-peer ADDRESS [--fii NUMBER] CURRENT...
       shim6 context set --tag-local TAG CURRENT...
  CURRENT: --current-local ADDRESS | --current-peer ADDRESS")]
    #[command(after_help = "\
Example:
  shim6 context set --tag-local a1 --current-local 2001:db8:2::a --current-peer 2001:db8:2::b")]
    Set {
        #[command(flatten)]
        selector: Selector,
        #[command(flatten)]
        current: CurrentArgs,
    },
    /// Show one context, or all of them ordered by ULIDs and FII
    #[command(override_usage = "\
shim6 context show [--json]
       shim6 context show --ulid-local ADDRESS --ulid-peer ADDRESS [--fii NUMBER] [--json]
       shim6 context show --tag-local TAG [--json]")]
    #[command(after_help = "\
Examples:
  shim6 context show
  shim6 context show --tag-local a1 --json")]
    Show {
        #[command(flatten)]
        selector: SelectorArgs,
    },
}

/// Arguments of `context add`.
#[derive(Debug, Args)]
#[command(after_help = "\
A locator is ADDRESS[,priority=N][,weight=N][,broken][,transient][,hba|cga]. A list that is
given must hold the ULID; one that is left out holds the ULID alone.

Example:
  shim6 context add --ulid-local 2001:db8:1::a --ulid-peer 2001:db8:1::b \\
      --tag-local a1 --tag-peer b1 \\
      --locator-local 2001:db8:1::a --locator-local 2001:db8:2::a,priority=1 \\
      --locator-peer 2001:db8:1::b --locator-peer 2001:db8:2::b,priority=1")]
pub(crate) struct AddArgs {
    /// ULID of this host
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    ulid_local: Ipv6Addr,
    /// ULID of the peer
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    ulid_peer: Ipv6Addr,
    /// Forked Instance Identifier
    #[arg(long, value_name = "NUMBER", value_parser = parse_fii, default_value = "0")]
    fii: u32,
    /// Context tag of this host, hexadecimal, at most 47 bits
    #[arg(long, value_name = "TAG")]
    tag_local: ContextTag,
    /// Context tag of the peer, hexadecimal, at most 47 bits
    #[arg(long, value_name = "TAG")]
    tag_peer: ContextTag,
    /// Locator of this host; may be repeated
    #[arg(long, value_name = "LOCATOR")]
    locator_local: Vec<Locator>,
    /// Locator of the peer; may be repeated
    #[arg(long, value_name = "LOCATOR")]
    locator_peer: Vec<Locator>,
    #[command(flatten)]
    current: CurrentArgs,
}

impl AddArgs {
    pub(crate) fn into_new_context(self) -> NewContext {
        NewContext {
            identity: Identity {
                ulid_local: self.ulid_local,
                ulid_peer: self.ulid_peer,
                fii: self.fii,
            },
            tag_local: self.tag_local,
            tag_peer: self.tag_peer,
            locator_local: self.locator_local,
            locator_peer: self.locator_peer,
            current: self.current.into(),
        }
    }
}

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

/// The current locator pair.
#[derive(Debug, Args)]
pub(crate) struct CurrentArgs {
    /// Current locator of this host
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    current_local: Option<Ipv6Addr>,
    /// Current locator of the peer
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    current_peer: Option<Ipv6Addr>,
}

impl From<CurrentArgs> for CurrentPair {
    fn from(args: CurrentArgs) -> Self {
        Self {
            local: args.current_local,
            peer: args.current_peer,
        }
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
fn parse_fii(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    parsed.ok_or_else(|| "a Forked Instance Identifier is a number of at most 32 bits".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Parses a command line of words.
    fn parse(line: &str) -> Result<ContextCommand, clap::Error> {
        let words = ["shim6"].into_iter().chain(line.split_whitespace());
        Cli::try_parse_from(words).map(|cli| match cli.command {
            Command::Context { command } => command,
            other => panic!("{other:?}"),
        })
    }

    /// The kind of error and its text.
    fn refusal(line: &str) -> (ErrorKind, String) {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        (error.kind(), error.to_string())
    }

    fn identity(fii: u32) -> Identity {
        Identity {
            ulid_local: "2001:db8:1::a".parse().unwrap(),
            ulid_peer: "2001:db8:1::b".parse().unwrap(),
            fii,
        }
    }

    const ULIDS: &str = "--ulid-local 2001:db8:1::a --ulid-peer 2001:db8:1::b";

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn add_with_the_least() {
        let line = format!("context add {ULIDS} --tag-local a1 --tag-peer 0xb1");
        let Ok(ContextCommand::Add(args)) = parse(&line) else {
            panic!("{line}");
        };
        assert_eq!(
            args.into_new_context(),
            NewContext {
                identity: identity(0),
                tag_local: ContextTag::new(0xa1).unwrap(),
                tag_peer: ContextTag::new(0xb1).unwrap(),
                locator_local: Vec::new(),
                locator_peer: Vec::new(),
                current: CurrentPair::default(),
            }
        );
    }

    #[test]
    fn add_with_everything() {
        let line = format!(
            "context add {ULIDS} --fii 0x10 --tag-local a1 --tag-peer b1 \
             --locator-local 2001:db8:1::a,hba --locator-local 2001:db8:2::a,priority=1,broken \
             --locator-peer 2001:db8:1::b --locator-peer 2001:db8:2::b \
             --current-local 2001:db8:2::a --current-peer 2001:db8:2::b"
        );
        let Ok(ContextCommand::Add(args)) = parse(&line) else {
            panic!("{line}");
        };
        let new = args.into_new_context();
        assert_eq!(new.identity, identity(16));
        assert_eq!(
            new.locator_local,
            [
                "2001:db8:1::a,hba".parse().unwrap(),
                "2001:db8:2::a,priority=1,broken".parse().unwrap()
            ]
        );
        assert_eq!(new.locator_peer.len(), 2);
        assert_eq!(new.current.local, "2001:db8:2::a".parse().ok());
        assert_eq!(new.current.peer, "2001:db8:2::b".parse().ok());
    }

    #[test]
    fn add_needs_ulids_and_tags() {
        for line in [
            "context add".to_owned(),
            format!("context add {ULIDS}"),
            format!("context add {ULIDS} --tag-local a1"),
            "context add --ulid-local 2001:db8::1 --tag-local a1 --tag-peer b1".to_owned(),
        ] {
            assert_eq!(refusal(&line).0, ErrorKind::MissingRequiredArgument);
        }
    }

    #[test]
    fn a_context_is_named_by_identity_or_by_tag() {
        for (line, expected) in [
            (
                format!("context del {ULIDS}"),
                Selector::Identity(identity(0)),
            ),
            (
                format!("context del {ULIDS} --fii 7"),
                Selector::Identity(identity(7)),
            ),
            (
                "context del --tag-local 0xa1".to_owned(),
                Selector::Tag(ContextTag::new(0xa1).unwrap()),
            ),
        ] {
            let Ok(ContextCommand::Del { selector }) = parse(&line) else {
                panic!("{line}");
            };
            assert_eq!(selector, expected);
        }
    }

    #[test]
    fn half_a_name_and_two_names_are_refused() {
        for command in ["del", "set --current-local 2001:db8::1", "show"] {
            for selector in [
                "--ulid-local 2001:db8:1::a",
                "--ulid-peer 2001:db8:1::b",
                "--fii 1",
            ] {
                let line = format!("context {command} {selector}");
                assert_eq!(
                    refusal(&line).0,
                    ErrorKind::MissingRequiredArgument,
                    "{line}"
                );
            }
            for selector in [
                format!("{ULIDS} --tag-local a1"),
                "--ulid-peer 2001:db8:1::b --tag-local a1".to_owned(),
                "--fii 1 --tag-local a1".to_owned(),
            ] {
                let line = format!("context {command} {selector}");
                assert_eq!(refusal(&line).0, ErrorKind::ArgumentConflict, "{line}");
            }
        }
    }

    #[test]
    fn del_and_set_need_a_name_and_show_does_not() {
        for line in ["context del", "context set --current-local 2001:db8::1"] {
            let (kind, text) = refusal(line);
            assert_eq!(kind, ErrorKind::MissingRequiredArgument, "{line}");
            assert!(text.contains("--ulid-local") && text.contains("--tag-local"));
        }
        let Ok(ContextCommand::Show { selector }) = parse("context show") else {
            panic!("show");
        };
        assert_eq!(selector.into_selector(), None);
    }

    #[test]
    fn set_needs_at_least_one_locator() {
        assert_eq!(
            refusal("context set --tag-local a1").0,
            ErrorKind::MissingRequiredArgument
        );
        for (words, expected) in [
            ("--current-local 2001:db8::1", (true, false)),
            ("--current-peer 2001:db8::1", (false, true)),
            (
                "--current-peer 2001:db8::1 --current-local 2001:db8::2",
                (true, true),
            ),
        ] {
            let Ok(ContextCommand::Set { current, .. }) =
                parse(&format!("context set --tag-local a1 {words}"))
            else {
                panic!("{words}");
            };
            let current = CurrentPair::from(current);
            assert_eq!((current.local.is_some(), current.peer.is_some()), expected);
        }
    }

    #[test]
    fn bad_values_are_refused_with_a_reason() {
        for (words, reason) in [
            ("--ulid-local 192.0.2.1", "IPv4 address"),
            ("--ulid-local fe80::1", "link-local"),
            ("--ulid-peer ff02::1", "multicast"),
            ("--tag-local 800000000000", "at most 47 bits"),
            ("--tag-local zz", "hexadecimal"),
            ("--fii 4294967296", "32 bits"),
            ("--fii 0x+1", "32 bits"),
        ] {
            let (kind, text) = refusal(&format!("context del {words}"));
            assert_eq!(kind, ErrorKind::ValueValidation, "{words}");
            assert!(text.contains(reason), "{words}: {text}");
        }
    }

    #[test]
    fn json_may_stand_anywhere() {
        for line in [
            "--json context show",
            "context --json show",
            "context show --json",
        ] {
            let words = ["shim6"].into_iter().chain(line.split_whitespace());
            assert!(Cli::try_parse_from(words).unwrap().json, "{line}");
        }
    }

    #[test]
    fn examples_in_the_help_are_accepted() {
        let mut examples = 0;
        let mut commands = vec![Cli::command()];
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands().cloned());
            let Some(help) = command.get_after_help() else {
                continue;
            };
            // A backslash joins lines; what stands before the tool or behind ">" is for the shell.
            let help = help.to_string().replace("\\\n", " ");
            for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
                let (_, words) = line.split_once("shim6 ").unwrap();
                let (words, _) = words.split_once(" > ").unwrap_or((words, ""));
                let words = ["shim6"].into_iter().chain(words.split_whitespace());
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{line}: {error}");
                }
                examples += 1;
            }
        }
        assert_eq!(examples, 10);
    }
}
