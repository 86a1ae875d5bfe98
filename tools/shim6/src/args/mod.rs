// SPDX-License-Identifier: GPL-2.0

//! The command line. Everything is parsed here into types that cannot be wrong; what only the
//! kernel can judge (whether a context exists, whether a list holds its ULID) is left to it.

pub(crate) mod address;
pub(crate) mod context;
pub(crate) mod identity;
mod prefixes;
mod selector;

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{
    Parser,
    Subcommand, //
};
use clap_complete::Shell;

use crate::context::locator::parse_ipv6;
use address::{
    CgaCommand,
    HbaCommand, //
};
use context::ContextCommand;
use identity::{
    IdentityCommand,
    PolicyCommand, //
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
  shim6 hba generate --prefix 2001:db8:1:1::/64 --prefix 2001:db8:2:1::/64 --output home
  shim6 identity add home home

Exit status: 0 done, 1 the kernel or the system refused, or an address does not verify,
2 wrong usage."
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
    /// Add, delete and show the local identities that contexts are established with
    Identity {
        #[command(subcommand)]
        command: IdentityCommand,
    },
    /// Add, delete and show the prefixes of peers that contexts are established with
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Make what is in force as a file says: identities, policy, settings
    #[command(after_help = "\
The file is read as a whole first, and all that is wrong with it is said with line and column.
Then all of it comes into force, or, if a change fails, what was changed before is undone.
What the file does not speak of stays as it is: without [settings] the settings do, without
[policy] the prefixes, without [[identity]] the identities. What it speaks of becomes what it
says: other identities and prefixes go, and other settings get their defaults. Each change is
printed on a line. Addresses are not assigned; see \"shim6 hba apply\" and \"shim6 watch\".

Examples:
  shim6 apply
  shim6 apply --check /etc/shim6/shim6.toml
  shim6 config show | shim6 apply --check -")]
    Apply {
        /// The file; \"-\" for standard input
        #[arg(default_value = crate::config::DEFAULT_FILE)]
        file: PathBuf,
        /// Say what is wrong with the file, and change nothing
        #[arg(long)]
        check: bool,
    },
    /// Keep a file in force, and addresses where their prefixes are, until a signal (the service)
    #[command(after_help = "\
Does what \"shim6 apply\" does, and what \"shim6 hba apply\" does with the identities that are
not marked \"assign = false\", then does the latter again whenever addresses, routes or rules of
the host change. When the module is loaded anew it gets the file again. Changes are printed,
each on a line; with --json as objects.

SIGHUP has the file read again; if something is wrong with it, the last one stays in force.
SIGTERM and SIGINT end the service with status 0. Addresses, routes, identities and settings
stay, so connections do not notice a restart; \"shim6 hba apply --remove\" takes addresses and
routes away. Readiness, reloads and a status line are told to $NOTIFY_SOCKET, as services of
Type=notify-reload do.

Examples:
  shim6 watch
  shim6 watch /etc/shim6/shim6.toml --json")]
    Watch {
        /// The file
        #[arg(default_value = crate::config::DEFAULT_FILE)]
        file: PathBuf,
    },
    /// Show what is in force
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Make and verify sets of Hash-Based Addresses (RFC 5535)
    Hba {
        #[command(subcommand)]
        command: HbaCommand,
    },
    /// Make and verify Cryptographically Generated Addresses (RFC 3972)
    Cga {
        #[command(subcommand)]
        command: CgaCommand,
    },
    /// Print what happens to contexts, a line for each event, until a signal
    #[command(after_help = "\
With --json each line is an object. An event \"lost\" says that others came faster than
they were read.

Examples:
  shim6 monitor
  shim6 monitor --json")]
    Monitor,
    /// Print the counters of the module
    #[command(after_help = "\
Those at zero are left out. shim6(8) lists all of them.

Examples:
  shim6 stats
  shim6 stats --about 'Drop_*' 'Refuse_*'
  shim6 stats --zeros --json")]
    Stats {
        /// Names of counters; \"*\" stands for any characters, \"?\" for one
        #[arg(value_name = "PATTERN")]
        patterns: Vec<String>,
        /// Print also those that are zero
        #[arg(long)]
        zeros: bool,
        /// Say what each of them counts
        #[arg(long)]
        about: bool,
    },
    /// Test all locator pairs of contexts now, and draw the matrix
    #[command(after_help = "\
An ICMPv6 echo goes over each pair, once and, as long as there is no answer, twice more. It
shows whether packets pass between the locators in both directions, not what firewalls do to
Shim6. Packets between the ULIDs take the current pair, and so does their echo. The exit status
is 0 only if all pairs answer. \"*\" marks the current pair, \"+\" the one that stands by, and \"~\"
that of the ULIDs while another one is the current pair.

Examples:
  shim6 probe
  shim6 probe 2001:db8:b::1 --timeout 300 --json")]
    Probe {
        /// The peer: a ULID, or one of its locators
        #[arg(value_parser = parse_ipv6)]
        peer: Option<Ipv6Addr>,
        /// Echoes for each pair, 1 to 100
        #[arg(long, value_name = "NUMBER", default_value = "3",
            value_parser = clap::value_parser!(u32).range(1..=100))]
        attempts: u32,
        /// Milliseconds to wait for an answer to each, 1 to 60000
        #[arg(long, value_name = "MILLISECONDS", default_value = "1000",
            value_parser = parse_milliseconds)]
        timeout: Duration,
    },
    /// Show contexts and rates, again and again, until a signal
    #[command(after_help = "\
Contexts that were in use last come first. Rates are those of the network namespace: packets
out and in through contexts, control messages, Probes, and changes of current pairs, a second.
With --json each picture is an object on a line; the first one has no rates.

Examples:
  shim6 top
  shim6 top --interval 5000
  shim6 top --once --json")]
    Top {
        /// Milliseconds from one picture to the next, 1 to 60000
        #[arg(long, value_name = "MILLISECONDS", default_value = "1000",
            value_parser = parse_milliseconds)]
        interval: Duration,
        /// Show one picture and end
        #[arg(long)]
        once: bool,
    },
    /// Look for what keeps Shim6 from working on this host, and say what to do
    #[command(after_help = "\
Looks at the kernel, the module, the file, identities, addresses, source selection, routes, MTU,
rules of nftables, peers, and counters. The exit status is 1 if there is an error; warnings and
notes do not count.

Examples:
  shim6 doctor
  shim6 doctor 2001:db8:b::1
  shim6 doctor --json")]
    Doctor {
        /// Also ask this peer for a context
        #[arg(value_parser = parse_ipv6)]
        peer: Option<Ipv6Addr>,
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

/// A span of time that is no option of its own.
fn parse_milliseconds(text: &str) -> Result<Duration, String> {
    const MOST: u64 = 60_000;

    text.parse()
        .ok()
        .filter(|number| (1..=MOST).contains(number))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("a number from 1 to {MOST} is expected"))
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print it in the form of the file of "shim6 apply"; private keys are never shown
    #[command(after_help = "\
Settings at their defaults are comments. Identities are shown with their PDS; of one that has a
private key it is said that the key is in the kernel.

Examples:
  shim6 config show
  shim6 config show --json")]
    Show,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
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
                for line in line.split(" | ") {
                    let (_, words) = line.split_once("shim6 ").unwrap();
                    let (words, _) = words.split_once(" > ").unwrap_or((words, ""));
                    let words = words.replace('\'', "");
                    let words = ["shim6"].into_iter().chain(words.split_whitespace());
                    if let Err(error) = Cli::try_parse_from(words) {
                        panic!("{line}: {error}");
                    }
                    examples += 1;
                }
            }
        }
        assert_eq!(examples, 59);
    }
}
