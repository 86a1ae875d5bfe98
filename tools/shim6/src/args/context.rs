// SPDX-License-Identifier: GPL-2.0

//! The command line of `shim6 context`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use clap::{
    ArgGroup,
    Args,
    Subcommand, //
};

use super::selector::{
    parse_fii,
    SelectorArgs, //
};
use crate::context::locator::{
    parse_address,
    parse_preferences,
    Locator, //
};
use crate::context::watch::{
    Wanted,
    WatchChange, //
};
use crate::context::{
    Change,
    ContextTag,
    CurrentPair,
    Identity,
    NewContext,
    Selector, //
};

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
    /// Change the current locator pair of a context, preferences, or failure detection
    #[command(group = ArgGroup::new("change")
        .args(["current_local", "current_peer", "locator_local", "send_timeout", "keepalives",
            "initial_probes", "probe_timeout", "hot_standby"])
        .required(true)
        .multiple(true))]
    #[command(override_usage = "\
shim6 context set --ulid-local ADDRESS --ulid-peer ADDRESS [--fii NUMBER] CHANGE...
       shim6 context set --tag-local TAG CHANGE...
  CHANGE: --current-local ADDRESS | --current-peer ADDRESS | --locator-local PREFERENCES
        | --send-timeout MS | --keepalives on|off | --initial-probes NUMBER
        | --probe-timeout MS | --hot-standby on|off")]
    #[command(after_help = "\
PREFERENCES are ADDRESS[,priority=N][,weight=N][,broken][,transient], and what is left out
becomes 0 or no. The peer is told. A current locator left out keeps its value.

Constants of failure detection (RFC 5534), which static contexts do not have, are this context's
own then; 'default' makes them those of the namespace again. The peer is told of the Send Timeout.

Examples:
  shim6 context set --tag-local a1 --current-local 2001:db8:2::a --current-peer 2001:db8:2::b
  shim6 context set --tag-local a1 --locator-local 2001:db8:1::a,priority=2,broken
  shim6 context set --ulid-local 2001:db8:1::a --ulid-peer 2001:db8:1::b \\
      --send-timeout 3000 --hot-standby on
  shim6 context set --ulid-local 2001:db8:1::a --ulid-peer 2001:db8:1::b --send-timeout default")]
    Set {
        #[command(flatten)]
        selector: Selector,
        #[command(flatten)]
        change: ChangeArgs,
    },
    /// Establish a context with a peer
    #[command(after_help = "\
Returns at once; \"shim6 monitor\" tells how it goes.

Example:
  shim6 context start --ulid-local 2001:db8:1::a --ulid-peer 2001:db8:1::b")]
    Start {
        /// ULID of this host
        #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
        ulid_local: Ipv6Addr,
        /// ULID of the peer
        #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
        ulid_peer: Ipv6Addr,
    },
    /// Forget all contexts that are not static, without a word to their peers
    #[command(after_help = "\
Peers that did not answer are forgotten as well, and may be asked again.

Example:
  shim6 context flush")]
    Flush,
    /// Show one context, or all of them ordered by ULIDs and FII
    #[command(override_usage = "\
shim6 context show [--json]
       shim6 context show --ulid-local ADDRESS --ulid-peer ADDRESS [--fii NUMBER] [--json]
       shim6 context show --tag-local TAG [--json]
       shim6 context show --tag TAG [--json]")]
    #[command(after_help = "\
Examples:
  shim6 context show
  shim6 context show --tag-local a1 --json
  shim6 context show --tag 7fffffffffff")]
    Show {
        #[command(flatten)]
        selector: SelectorArgs,
        /// Context tag as a packet carries it, of this host or of the peer
        #[arg(
            long,
            value_name = "TAG",
            conflicts_with_all = ["ulid_local", "ulid_peer", "fii", "tag_local"]
        )]
        tag: Option<ContextTag>,
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

/// What is to change in a context.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    current: CurrentArgs,
    /// Local locator with other preferences; may be repeated
    #[arg(long, value_name = "PREFERENCES", value_parser = parse_preferences)]
    locator_local: Vec<Locator>,
    /// Milliseconds without an answer before pairs are tried, 100 to a day
    #[arg(long, value_name = "MS", value_parser = |text: &str| number(text, 100, DAY))]
    send_timeout: Option<Wanted<u32>>,
    /// Whether Keepalives are sent
    #[arg(long, value_name = "on|off", value_parser = switch)]
    keepalives: Option<Wanted<bool>>,
    /// Probes before the time between them grows, 1 to 32
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| number(text, 1, 32_u8))]
    initial_probes: Option<Wanted<u8>>,
    /// Milliseconds between these, 10 to a day
    #[arg(long, value_name = "MS", value_parser = |text: &str| number(text, 10, DAY))]
    probe_timeout: Option<Wanted<u32>>,
    /// Whether a second pair is kept confirmed
    #[arg(long, value_name = "on|off", value_parser = switch)]
    hot_standby: Option<Wanted<bool>>,
}

/// The longest time, in milliseconds.
const DAY: u32 = 86_400_000;

/// A number within limits, or "default".
fn number<T>(text: &str, least: T, most: T) -> Result<Wanted<T>, String>
where
    T: FromStr + PartialOrd + fmt::Display,
{
    if text == "default" {
        return Ok(Wanted::Default);
    }
    match text.parse() {
        Ok(value) if (&least..=&most).contains(&&value) => Ok(Wanted::Own(value)),
        _ => Err(format!(
            "neither a number from {least} to {most} nor \"default\""
        )),
    }
}

/// "on", "off" or "default".
fn switch(text: &str) -> Result<Wanted<bool>, String> {
    match text {
        "on" => Ok(Wanted::Own(true)),
        "off" => Ok(Wanted::Own(false)),
        "default" => Ok(Wanted::Default),
        _ => Err("neither \"on\" nor \"off\" nor \"default\"".into()),
    }
}

impl ChangeArgs {
    pub(crate) fn into_change(self) -> Change {
        Change {
            current: self.current.into(),
            locator_local: self.locator_local,
            watch: WatchChange {
                send_timeout: self.send_timeout,
                keepalives: self.keepalives,
                initial_probes: self.initial_probes,
                probe_timeout: self.probe_timeout,
                hot_standby: self.hot_standby,
            },
        }
    }
}

impl From<CurrentArgs> for CurrentPair {
    fn from(args: CurrentArgs) -> Self {
        Self {
            local: args.current_local,
            peer: args.current_peer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{
        Cli,
        Command, //
    };
    use clap::error::ErrorKind;
    use clap::Parser;

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
        let Ok(ContextCommand::Show { selector, tag }) = parse("context show") else {
            panic!("show");
        };
        assert_eq!((selector.into_selector(), tag), (None, None));
    }

    #[test]
    fn show_takes_the_tag_of_a_packet_instead_of_a_name() {
        let Ok(ContextCommand::Show { selector, tag }) = parse("context show --tag 0xB1") else {
            panic!("show");
        };
        assert_eq!(selector.into_selector(), None);
        assert_eq!(tag.map(ContextTag::value), Some(0xb1));
        for selector in [ULIDS, "--tag-local a1"] {
            let line = format!("context show --tag b1 {selector}");
            assert_eq!(refusal(&line).0, ErrorKind::ArgumentConflict, "{line}");
        }
    }

    /// The change that the words ask for.
    fn set(words: &str) -> Change {
        let line = format!("context set --tag-local a1 {words}");
        let Ok(ContextCommand::Set { change, .. }) = parse(&line) else {
            panic!("{words}");
        };
        change.into_change()
    }

    #[test]
    fn set_takes_preferences_of_local_locators() {
        let change =
            set("--locator-local 2001:db8::1,priority=3,broken --locator-local 2001:db8::2");
        assert_eq!(change.current, CurrentPair::default());
        assert_eq!(
            change.locator_local,
            [
                "2001:db8::1,priority=3,broken".parse().unwrap(),
                "2001:db8::2".parse().unwrap()
            ]
        );
        let (kind, text) = refusal("context set --tag-local a1 --locator-local 2001:db8::1,hba");
        assert_eq!(kind, ErrorKind::ValueValidation);
        assert!(text.contains("does not change"), "{text}");
    }

    #[test]
    fn set_takes_constants_of_failure_detection() {
        assert_eq!(
            set("--send-timeout 3000 --keepalives off --initial-probes 2").watch,
            WatchChange {
                send_timeout: Some(Wanted::Own(3_000)),
                keepalives: Some(Wanted::Own(false)),
                initial_probes: Some(Wanted::Own(2)),
                ..WatchChange::default()
            }
        );
        assert_eq!(
            set("--probe-timeout default --hot-standby on").watch,
            WatchChange {
                probe_timeout: Some(Wanted::Default),
                hot_standby: Some(Wanted::Own(true)),
                ..WatchChange::default()
            }
        );
        for (words, reason) in [
            ("--send-timeout 99", "from 100 to 86400000"),
            ("--send-timeout 86400001", "from 100 to 86400000"),
            ("--initial-probes 0", "from 1 to 32"),
            ("--initial-probes 300", "from 1 to 32"),
            ("--probe-timeout -1", "from 10 to 86400000"),
            ("--hot-standby yes", "neither"),
        ] {
            let words = words.replacen(' ', "=", 1);
            let (kind, text) = refusal(&format!("context set --tag-local a1 {words}"));
            assert_eq!(kind, ErrorKind::ValueValidation, "{words}");
            assert!(text.contains(reason), "{words}: {text}");
        }
    }

    #[test]
    fn start_needs_both_ulids_and_flush_nothing() {
        let Ok(ContextCommand::Start {
            ulid_local,
            ulid_peer,
        }) = parse(&format!("context start {ULIDS}"))
        else {
            panic!("start");
        };
        let Identity {
            ulid_local: local,
            ulid_peer: peer,
            ..
        } = identity(0);
        assert_eq!((ulid_local, ulid_peer), (local, peer));
        for line in [
            "context start",
            "context start --ulid-local 2001:db8:1::a",
            "context start --ulid-peer 2001:db8:1::b",
        ] {
            assert_eq!(
                refusal(line).0,
                ErrorKind::MissingRequiredArgument,
                "{line}"
            );
        }
        let line = format!("context start {ULIDS} --fii 1");
        assert_eq!(refusal(&line).0, ErrorKind::UnknownArgument);
        assert!(matches!(parse("context flush"), Ok(ContextCommand::Flush)));
        assert_eq!(refusal("context flush all").0, ErrorKind::UnknownArgument);
    }

    #[test]
    fn set_needs_at_least_one_change() {
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
            let current = set(words).current;
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
}
