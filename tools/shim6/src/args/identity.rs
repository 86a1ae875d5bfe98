// SPDX-License-Identifier: GPL-2.0

//! The command lines of `shim6 identity` and `shim6 policy`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::identity::Name;
use crate::prefix::Prefix;

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Add an identity from a file of "shim6 hba generate" or "shim6 cga generate"
    #[command(after_help = "\
From then on contexts can use those of its addresses that this host has.

Example:
  shim6 identity add home /etc/shim6/home")]
    Add {
        /// Name of the identity, at most 31 characters
        name: Name,
        /// Identity file
        file: PathBuf,
    },
    /// Delete an identity; contexts go on with what they told their peers
    #[command(after_help = "\
Example:
  shim6 identity del home")]
    Del {
        /// Name of the identity
        name: Name,
    },
    /// Show one identity, or all of them ordered by name; private keys are never shown
    #[command(after_help = "\
Examples:
  shim6 identity show
  shim6 identity show home --json")]
    Show {
        /// Name of the identity
        name: Option<Name>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Have contexts established with peers of a prefix
    #[command(after_help = "\
Matters where net.shim6.establish is on-request.

Example:
  shim6 policy add 2001:db8:b::/48")]
    Add {
        /// Prefix of the peers' ULIDs
        prefix: Prefix,
    },
    /// Delete a prefix
    #[command(after_help = "\
Example:
  shim6 policy del 2001:db8:b::/48")]
    Del {
        /// Prefix of the peers' ULIDs
        prefix: Prefix,
    },
    /// Show the prefixes in order
    #[command(after_help = "\
Examples:
  shim6 policy show
  shim6 policy show --json")]
    Show,
}

#[cfg(test)]
mod tests {
    use super::super::{
        Cli,
        Command, //
    };
    use super::*;
    use clap::error::ErrorKind;
    use clap::Parser;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        let words = ["shim6"].into_iter().chain(line.split_whitespace());
        Cli::try_parse_from(words).map(|cli| cli.command)
    }

    fn identity(line: &str) -> IdentityCommand {
        match parse(line) {
            Ok(Command::Identity { command }) => command,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn policy(line: &str) -> PolicyCommand {
        match parse(line) {
            Ok(Command::Policy { command }) => command,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn identities() {
        let IdentityCommand::Add { name, file } = identity("identity add home dir/file") else {
            panic!("add");
        };
        assert_eq!(
            (name.to_string().as_str(), file),
            ("home", "dir/file".into())
        );
        let IdentityCommand::Del { name } = identity("identity del home") else {
            panic!("del");
        };
        assert_eq!(name.to_string(), "home");
        for (line, expected) in [
            ("identity show", None),
            ("identity show home", Some("home")),
        ] {
            let IdentityCommand::Show { name } = identity(line) else {
                panic!("show");
            };
            assert_eq!(name.map(|name| name.to_string()).as_deref(), expected);
        }
    }

    #[test]
    fn policies() {
        let PolicyCommand::Add { prefix } = policy("policy add 2001:db8::/32") else {
            panic!("add");
        };
        assert_eq!(prefix.to_string(), "2001:db8::/32");
        let PolicyCommand::Del { prefix } = policy("policy del ::/0") else {
            panic!("del");
        };
        assert_eq!(prefix.to_string(), "::/0");
        assert!(matches!(policy("policy show"), PolicyCommand::Show));
    }

    #[test]
    fn what_is_missing_or_wrong() {
        for (line, kind, word) in [
            (
                "identity add home",
                ErrorKind::MissingRequiredArgument,
                "FILE",
            ),
            ("identity del", ErrorKind::MissingRequiredArgument, "NAME"),
            ("identity show a b", ErrorKind::UnknownArgument, "b"),
            ("policy add", ErrorKind::MissingRequiredArgument, "PREFIX"),
            ("policy show ::/0", ErrorKind::UnknownArgument, "::/0"),
            (
                "identity del nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
                ErrorKind::ValueValidation,
                "1 to 31 characters",
            ),
            (
                "policy add 2001:db8::1/32",
                ErrorKind::ValueValidation,
                "the prefix is 2001:db8::/32",
            ),
            (
                "policy del 192.0.2.0/24",
                ErrorKind::ValueValidation,
                "IPv4",
            ),
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (kind, 2), "{line}");
            assert!(error.to_string().contains(word), "{line}: {error}");
        }
    }
}
