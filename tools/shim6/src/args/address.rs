// SPDX-License-Identifier: GPL-2.0

//! The command lines of `shim6 hba` and `shim6 cga`.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use clap::{
    Args,
    Subcommand, //
};
use shim6_proto::cga::Sec;
use shim6_proto::pds::CollisionCount;

use crate::context::locator::parse_ipv6;
use crate::pds::generate::{
    Plan,
    Prefixes, //
};
use crate::pds::key::{
    parse_bits,
    DEFAULT_BITS, //
};
use crate::pds::source::Source;
use crate::pds::verify::Method;
use crate::prefix::SubnetPrefix;

#[derive(Debug, Subcommand)]
pub(crate) enum HbaCommand {
    #[command(flatten)]
    Address(HbaAddressCommand),
    /// Assign the addresses of sets to the interfaces that have their prefixes
    #[command(after_help = "\
An interface has a prefix if it has another address of it, or a route that says that it is on
the link, as routers announce both. The address lives as long as the prefix does. Packets
from the prefix leave by the default router of that interface: the rules 14000 and 14001 have
the more specific routes of the main table come first and then a table of its own, from 14001
on. Addresses, rules and routes made so carry protocol 141. What is so already stays, so the
command can be given again; \"shim6 watch\" does it whenever something changes.

Examples:
  shim6 hba apply /etc/shim6/home.hba
  shim6 hba apply --dry-run
  shim6 hba apply --remove /etc/shim6/home.hba")]
    Apply {
        /// Identity files; without any, those that /etc/shim6/shim6.toml wants assigned
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Remove what was made for these addresses
        #[arg(long)]
        remove: bool,
        /// Print what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum HbaAddressCommand {
    /// Make a set of addresses, one for each prefix
    #[command(after_help = GENERATE_HBA)]
    Generate(HbaGenerateArgs),
    /// Check that addresses are of one set
    #[command(after_help = "\
The PDS is that of any address of the set. The exit status is 0 only if all addresses
are of the set.

Example:
  shim6 hba verify 2001:db8:1:1:87b:8895:4bd3:1492 --pds home")]
    Verify(VerifyArgs),
    /// Show what a PDS says about itself
    #[command(after_help = "\
Examples:
  shim6 hba show home
  shim6 hba show home --json")]
    Show(ShowArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CgaCommand {
    /// Make an address from a public key
    #[command(after_help = GENERATE_CGA)]
    Generate(CgaGenerateArgs),
    /// Check that an address is that of a PDS
    #[command(after_help = "\
The exit status is 0 only if all addresses are.

Example:
  shim6 cga verify 2001:db8:1:1:305b:76ab:a69b:f4a2 --pds home")]
    Verify(VerifyArgs),
    /// Show what a PDS says about itself
    #[command(after_help = "\
Example:
  shim6 cga show home")]
    Show(ShowArgs),
}

/// What `generate` says about the file, for both kinds of addresses.
macro_rules! about_the_file {
    ($first:literal, $last:literal) => {
        concat!(
            $first,
            "
The file is text, and only its owner can read it: a PEM block \"SHIM6 CGA PARAMETERS\" with
the PDS of the first address (RFC 3972 section 3), and a block \"RSA PRIVATE KEY\" (PKCS #1)
if there is a key. \"openssl rsa -in FILE\" finds the key; \"shim6 identity add NAME FILE\" takes
both. Printed are the addresses to assign, each on a line.

A Sec value of 1 takes about 2^16 hashes, well below a second; 2 takes about 2^32.

",
            $last
        )
    };
}

const GENERATE_HBA: &str = about_the_file!(
    "\
Without a key the addresses verify by HBA only. With one the CGA of each prefix signs for
locators that are not of the set.
",
    "\
Examples:
  shim6 hba generate --prefix 2001:db8:1:1::/64 --prefix 2001:db8:2:1::/64 --output home
  shim6 hba generate --prefix 2001:db8:1:1::/64 --prefix 2001:db8:2:1::/64 --sec 1 \\
      --rsa 2048 --output home"
);

const GENERATE_CGA: &str = about_the_file!(
    "\
The key signs for locators of any prefix. Without --key and --rsa one of 2048 bits is made.
",
    "\
Examples:
  shim6 cga generate --prefix 2001:db8:1:1::/64 --output home
  shim6 cga generate --prefix 2001:db8:1:1::/64 --sec 1 --key key.pem --output home"
);

/// Arguments of `hba generate`.
#[derive(Debug, Args)]
pub(crate) struct HbaGenerateArgs {
    #[command(flatten)]
    prefixes: Prefixes,
    #[command(flatten)]
    common: GenerateArgs,
}

/// Arguments of `cga generate`.
#[derive(Debug, Args)]
pub(crate) struct CgaGenerateArgs {
    /// Prefix of the address, of 64 bits
    #[arg(long, value_name = "PREFIX")]
    prefix: SubnetPrefix,
    #[command(flatten)]
    common: GenerateArgs,
}

/// Arguments of both.
#[derive(Debug, Args)]
struct GenerateArgs {
    /// How much work goes into the addresses: 0, 1 or 2
    #[arg(long, value_name = "SEC", value_parser = parse_sec, default_value = "0")]
    sec: Sec,
    /// RSA private key of 1024 to 4096 bits, PKCS #1 or PKCS #8 in PEM
    #[arg(long, value_name = "FILE", conflicts_with = "rsa")]
    key: Option<PathBuf>,
    /// Make an RSA key of so many bits, 1024 to 4096
    #[arg(long, value_name = "BITS", value_parser = parse_bits)]
    rsa: Option<u32>,
    /// How many addresses collided with others on their links before: 0, 1 or 2
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = parse_collision_count,
        default_value = "0"
    )]
    collision_count: CollisionCount,
    /// File to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// Arguments of `hba verify` and `cga verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Addresses to check
    #[arg(value_name = "ADDRESS", value_parser = parse_ipv6, required = true)]
    addresses: Vec<Ipv6Addr>,
    /// The PDS in hexadecimal digits, or a file with it: of "generate", of digits or of octets
    #[arg(long, value_name = "HEX|FILE")]
    pds: Source,
}

/// Arguments of `hba show` and `cga show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The PDS in hexadecimal digits, or a file with it: of "generate", of digits or of octets
    #[arg(value_name = "HEX|FILE")]
    pds: Source,
}

/// What is to be done, for either kind of address.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AddressCommand {
    Generate(Generation),
    Verify {
        method: Method,
        addresses: Vec<Ipv6Addr>,
        pds: Source,
    },
    Show(Source),
}

/// Addresses to make, and a file to write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    pub(crate) plan: Plan,
    pub(crate) key: KeySource,
    pub(crate) output: PathBuf,
    pub(crate) force: bool,
}

/// Where the key comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    None,
    File(PathBuf),
    /// A new one of so many bits.
    New(u32),
}

impl GenerateArgs {
    fn into_command(self, method: Method, prefixes: Prefixes) -> AddressCommand {
        let key = match (self.key, self.rsa, method) {
            (Some(file), ..) => KeySource::File(file),
            (None, Some(bits), _) => KeySource::New(bits),
            (None, None, Method::Cga) => KeySource::New(DEFAULT_BITS),
            (None, None, Method::Hba) => KeySource::None,
        };
        AddressCommand::Generate(Generation {
            plan: Plan {
                method,
                prefixes,
                sec: self.sec,
                collision_count: self.collision_count,
            },
            key,
            output: self.output,
            force: self.force,
        })
    }
}

impl VerifyArgs {
    fn into_command(self, method: Method) -> AddressCommand {
        AddressCommand::Verify {
            method,
            addresses: self.addresses,
            pds: self.pds,
        }
    }
}

impl From<HbaAddressCommand> for AddressCommand {
    fn from(command: HbaAddressCommand) -> Self {
        use HbaAddressCommand::{
            Generate,
            Show,
            Verify, //
        };

        match command {
            Generate(args) => args.common.into_command(Method::Hba, args.prefixes),
            Verify(args) => args.into_command(Method::Hba),
            Show(args) => Self::Show(args.pds),
        }
    }
}

impl From<CgaCommand> for AddressCommand {
    fn from(command: CgaCommand) -> Self {
        match command {
            CgaCommand::Generate(args) => {
                let prefixes = Prefixes::one(args.prefix);
                args.common.into_command(Method::Cga, prefixes)
            }
            CgaCommand::Verify(args) => args.into_command(Method::Cga),
            CgaCommand::Show(args) => Self::Show(args.pds),
        }
    }
}

fn parse_sec(text: &str) -> Result<Sec, String> {
    number(text)
        .and_then(Sec::new)
        .ok_or_else(|| "0, 1 and 2 are defined (RFC 4982)".into())
}

fn parse_collision_count(text: &str) -> Result<CollisionCount, String> {
    number(text)
        .and_then(CollisionCount::new)
        .ok_or_else(|| "a collision count is 0, 1 or 2 (RFC 3972 section 3)".into())
}

/// A number of one digit.
fn number(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(digit.wrapping_sub(b'0')),
        _ => None,
    }
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

    fn parse(line: &str) -> Result<AddressCommand, clap::Error> {
        let words = ["shim6"].into_iter().chain(line.split_whitespace());
        Cli::try_parse_from(words).map(|cli| match cli.command {
            Command::Hba {
                command: HbaCommand::Address(command),
            } => command.into(),
            Command::Cga { command } => command.into(),
            other => panic!("{line}: {other:?}"),
        })
    }

    fn generation(line: &str) -> Generation {
        match parse(line) {
            Ok(AddressCommand::Generate(generation)) => generation,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn prefixes(texts: &[&str]) -> Prefixes {
        let prefixes: Vec<_> = texts.iter().map(|text| text.parse().unwrap()).collect();
        Prefixes::new(&prefixes).unwrap()
    }

    #[test]
    fn a_set_with_the_least() {
        assert_eq!(
            generation("hba generate --prefix 2001:db8:a:1::/64 --output file"),
            Generation {
                plan: Plan {
                    method: Method::Hba,
                    prefixes: prefixes(&["2001:db8:a:1::/64"]),
                    sec: Sec::default(),
                    collision_count: CollisionCount::default(),
                },
                key: KeySource::None,
                output: "file".into(),
                force: false,
            }
        );
    }

    #[test]
    fn a_set_with_everything() {
        let line = "hba generate --prefix 2001:db8:a:2::/64 --prefix 2001:db8:a:1::/64 \
                    --sec 2 --key key.pem --collision-count 1 --output file --force";
        assert_eq!(
            generation(line),
            Generation {
                plan: Plan {
                    method: Method::Hba,
                    prefixes: prefixes(&["2001:db8:a:2::/64", "2001:db8:a:1::/64"]),
                    sec: Sec::MAX,
                    collision_count: CollisionCount::ALL[1],
                },
                key: KeySource::File("key.pem".into()),
                output: "file".into(),
                force: true,
            }
        );
    }

    #[test]
    fn a_cga_always_has_a_key() {
        let line = "cga generate --prefix 2001:db8:a:1::/64 --output file";
        for (words, key) in [
            ("", KeySource::New(2048)),
            ("--rsa 3072", KeySource::New(3072)),
            ("--key key.pem", KeySource::File("key.pem".into())),
        ] {
            let generation = generation(&format!("{line} {words}"));
            assert_eq!(generation.key, key);
            assert_eq!(generation.plan.method, Method::Cga);
            assert_eq!(generation.plan.prefixes, prefixes(&["2001:db8:a:1::/64"]));
        }
    }

    #[test]
    fn addresses_to_verify() {
        let digits = "0f".repeat(30);
        let line = format!("hba verify 2001:db8::1 fe80::1 --pds {digits}");
        let expected = |method| AddressCommand::Verify {
            method,
            addresses: vec!["2001:db8::1".parse().unwrap(), "fe80::1".parse().unwrap()],
            pds: Source::Octets(vec![0x0f; 30]),
        };
        assert_eq!(parse(&line).unwrap(), expected(Method::Hba));
        let line = line.replace("hba", "cga");
        assert_eq!(parse(&line).unwrap(), expected(Method::Cga));
    }

    #[test]
    fn a_pds_to_show() {
        for line in ["hba show home", "cga show home"] {
            let shown = AddressCommand::Show(Source::File("home".into()));
            assert_eq!(parse(line).unwrap(), shown);
        }
    }

    #[test]
    fn what_is_missing_or_wrong() {
        use ErrorKind::{
            ArgumentConflict,
            MissingRequiredArgument,
            UnknownArgument,
            ValueValidation, //
        };
        let ours = "generate --prefix 2001:db8:a:1::/64 --output file";
        let many: Vec<_> = (0..33)
            .map(|number| format!("--prefix 2001:db8:b:{number:x}::/64"))
            .collect();
        let many = many.join(" ");
        for (line, kind, word) in [
            (
                "hba generate --output file".into(),
                MissingRequiredArgument,
                "--prefix",
            ),
            (
                "cga generate --output file".into(),
                MissingRequiredArgument,
                "--prefix",
            ),
            (
                "hba generate --prefix 2001:db8:a:1::/64".into(),
                MissingRequiredArgument,
                "--output",
            ),
            (format!("hba {ours} --sec 3"), ValueValidation, "0, 1 and 2"),
            (
                format!("hba {ours} --sec +1"),
                ValueValidation,
                "0, 1 and 2",
            ),
            (
                format!("hba {ours} --collision-count 3"),
                ValueValidation,
                "0, 1 or 2",
            ),
            (
                format!("hba {ours} --rsa 512"),
                ValueValidation,
                "1024 to 4096",
            ),
            (
                format!("hba {ours} --rsa 2048 --key k"),
                ArgumentConflict,
                "--key",
            ),
            (
                format!("hba {ours} --prefix 2001:db8:a:1::/64"),
                ValueValidation,
                "a prefix is given twice",
            ),
            (
                format!("cga {ours} --prefix 2001:db8:a:2::/64"),
                ArgumentConflict,
                "--prefix",
            ),
            (
                format!("hba {ours} {many}"),
                ValueValidation,
                "at most 32 prefixes",
            ),
            (
                format!("hba {ours} --prefix fe80::/64"),
                ValueValidation,
                "link-local",
            ),
            (
                format!("hba {ours} --prefix ff0e::/64"),
                ValueValidation,
                "multicast",
            ),
            (
                format!("hba {ours} --prefix 2001:db8::/48"),
                ValueValidation,
                "48 bits",
            ),
            (
                "hba verify --pds 00".into(),
                MissingRequiredArgument,
                "ADDRESS",
            ),
            (
                "hba verify 2001:db8::1".into(),
                MissingRequiredArgument,
                "--pds",
            ),
            (
                "hba verify 192.0.2.1 --pds 00".into(),
                ValueValidation,
                "IPv4",
            ),
            (
                format!("hba verify 2001:db8::1 --pds {}", "0".repeat(101)),
                ValueValidation,
                "odd number",
            ),
            ("hba show".into(), MissingRequiredArgument, "HEX|FILE"),
            ("cga show a b".into(), UnknownArgument, "b"),
        ] {
            let error = parse(&line).unwrap_err();
            assert_eq!((error.kind(), error.exit_code()), (kind, 2), "{line}");
            assert!(error.to_string().contains(word), "{line}: {error}");
        }
    }
}
