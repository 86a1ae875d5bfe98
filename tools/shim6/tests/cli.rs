// SPDX-License-Identifier: GPL-2.0

//! The program as a whole: exit codes, and what goes to which stream. The machine that runs these
//! tests need not have the module.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends by panicking, and its helpers too"
)]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{
    Command,
    Output,
    Stdio, //
};

fn shim6(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shim6"));
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command
}

fn run(line: &str) -> Output {
    shim6(line).output().unwrap()
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

/// A standard stream whose other end is closed: writing to it gives EPIPE.
fn closed() -> Stdio {
    let (ours, _theirs) = UnixStream::pair().unwrap();
    OwnedFd::from(ours).into()
}

#[test]
fn version() {
    let output = run("--version");
    assert!(output.status.success());
    assert_eq!(
        text(&output.stdout),
        concat!("shim6 ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn help_goes_to_standard_output_and_has_examples() {
    for line in ["--help", "context add --help", "context show --help"] {
        let output = run(line);
        assert!(output.status.success(), "{line}");
        assert!(text(&output.stdout).contains("Example"), "{line}");
        assert!(output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn wrong_usage_is_2_and_goes_to_standard_error() {
    for line in [
        "",
        "context",
        "context frobnicate",
        "context del",
        "context show --tag-local zz",
        "context add --ulid-local 192.0.2.1",
        "completion",
    ] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        assert!(!output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn a_bad_address_is_explained() {
    let output = run("context show --ulid-local 192.0.2.1 --ulid-peer 2001:db8::1");
    assert!(text(&output.stderr).contains("192.0.2.1 is an IPv4 address"));
}

#[test]
fn a_refusal_is_1_and_one_sentence() {
    // Refused with the module (there is no such context, or no permission) and without.
    let output = run("context del --tag-local 7ffffffffffe");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    assert!(
        said.starts_with("shim6: cannot delete the context tag-local 7ffffffffffe: "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&format!("completion {shell}"));
        assert!(output.status.success(), "{shell}");
        let script = text(&output.stdout);
        for word in ["context", "show", "tag-local"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for line in ["completion bash", "--help"] {
        let output = shim6(line).stdout(closed()).output().unwrap();
        assert!(output.status.success(), "{line}: {:?}", output.status);
        assert_eq!(text(&output.stderr), "", "{line}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    // One script is longer than the buffer of the output, one shorter.
    for line in ["completion bash", "completion elvish"] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = shim6(line).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(
            text(&output.stderr),
            "shim6: cannot write to standard output: No space left on device\n",
            "{line}"
        );
    }
}

#[test]
fn a_closed_standard_error_is_no_panic() {
    let status = shim6("context del --tag-local 7ffffffffffe")
        .stdout(Stdio::null())
        .stderr(closed())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
}
