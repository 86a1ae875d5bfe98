// SPDX-License-Identifier: GPL-2.0

//! The program as a whole: exit codes, and what goes to which stream. The machine that runs these
//! tests need not have the module.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    reason = "a test ends by panicking, and its helpers too"
)]

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{
    Path,
    PathBuf, //
};
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
    for line in [
        "--help",
        "context add --help",
        "context show --help",
        "hba generate --help",
        "monitor --help",
        "apply --help",
        "watch --help",
        "hba apply --help",
        "stats --help",
        "probe --help",
        "top --help",
        "doctor --help",
    ] {
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
        "context start --ulid-local 2001:db8::1",
        "hba generate --prefix 2001:db8::/48 --output file",
        "hba verify --pds 00",
        "identity add",
        "policy add 2001:db8::1",
        "monitor all",
        "apply one two",
        "config",
        "hba apply --all",
        "top --interval 0",
        "top --interval 60001",
        "probe 192.0.2.1",
        "probe --attempts 0",
        "doctor name",
        "watch one two",
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

/// A file for `apply`, gone with the test.
fn config(name: &str, contents: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("shim6-{}-{name}.toml", std::process::id()));
    fs::write(&path, contents).unwrap();
    path
}

#[test]
fn faults_of_a_file_are_1_and_have_their_places() {
    let path = config(
        "faults",
        "[settings]\nestablish = \"always\"\nsend-timeout = 1\n",
    );
    let name = path.display();
    for line in ["apply --check", "apply", "watch"] {
        let output = run(&format!("{line} {name}"));
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        let said: Vec<_> = text(&output.stderr).lines().collect();
        let first = format!("{name}:2:13: for establish \"off\" or ");
        let second = format!("{name}:3:1: there is no \"send-timeout\" in [settings]; there are: ");
        assert!(said[0].starts_with(&first), "{said:?}");
        assert!(said[1].starts_with(&second), "{said:?}");
        assert_eq!(said.len(), 2, "{said:?}");
    }
    let output = run(&format!("apply --check --json {name}"));
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["file"], name.to_string());
    assert_eq!(json["faults"][1]["line"], 3);
    assert_eq!(json["faults"][1]["column"], 1);
    assert_eq!(json["changes"], serde_json::json!([]));
    fs::remove_file(path).unwrap();
}

#[test]
fn a_good_file_is_good_without_a_module() {
    let path = config("good", "[policy]\nprefixes = [\"::/0\"]\n");
    let output = run(&format!("apply --check {}", path.display()));
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    fs::remove_file(path).unwrap();
    let output = run("apply --check /no/such/file");
    assert_eq!(output.status.code(), Some(1));
    let said = "shim6: cannot read /no/such/file: No such file or directory\n";
    assert_eq!(text(&output.stderr), said);
}

#[test]
fn standard_input_is_a_file() {
    let mut child = shim6("apply --check -")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"policy = 1\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("-:1:10: a table [policy] is expected"));
}

#[test]
fn the_doctor_says_what_it_finds_on_any_machine() {
    let output = run("doctor --json");
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = findings.as_array().unwrap();
    let errors = findings.iter().filter(|it| it["level"] == "error").count();
    assert_eq!(output.status.success(), errors == 0);
    assert_eq!(findings[0]["check"], "kernel");
    assert!(findings.iter().any(|it| it["check"] == "module"));
    assert!(findings.iter().any(|it| it["check"] == "firewall"));
    assert!(
        !text(&run("doctor").stdout).contains('\x1b'),
        "no terminal, no colours"
    );
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&format!("completion {shell}"));
        assert!(output.status.success(), "{shell}");
        let script = text(&output.stdout);
        for word in [
            "context",
            "tag-local",
            "generate",
            "monitor",
            "apply",
            "doctor",
            "dry-run",
        ] {
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

/// A directory for one test, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("shim6-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn run(&self, line: &str) -> Output {
        shim6(line).current_dir(&self.0).output().unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const PREFIXES: &str = "--prefix 2001:db8:a:1::/64 --prefix 2001:db8:b:1::/64";

#[test]
fn a_set_is_made_and_verified() {
    let directory = Directory::new("set");
    let output = directory.run(&format!("hba generate {PREFIXES} --output home"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let addresses: Vec<_> = printed.lines().collect();
    assert!(addresses[0].starts_with("2001:db8:a:1:"));
    assert!(addresses[1].starts_with("2001:db8:b:1:"));
    assert_eq!(addresses.len(), 2);

    let file = directory.0.join("home");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(directory.names(), ["home"]);

    let all = addresses.join(" ");
    let output = directory.run(&format!("hba verify {all} --pds home"));
    assert!(output.status.success());
    assert_eq!(
        text(&output.stdout),
        format!(
            "{} verified, Sec 0\n{} verified, Sec 0\n",
            addresses[0], addresses[1]
        )
    );

    // One that is not of the set: the verdict is printed and the exit status tells.
    let line = format!("hba verify {all} 2001:db8:a:1::1 --pds home --json");
    let output = directory.run(&line);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty());
    let verdicts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts[0]["verified"], true);
    assert_eq!(verdicts[1]["verified"], true);
    assert_eq!(verdicts[2]["verified"], false);
    assert_eq!(verdicts[2]["failed"], "hash1");

    // The PDS in digits says the same.
    let output = directory.run("hba show home --json");
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["kind"], "HBA");
    assert_eq!(shown["addresses"], serde_json::json!(addresses));
    let pds = shown["pds"].as_str().unwrap();
    assert!(run(&format!("hba verify {all} --pds {pds}"))
        .status
        .success());
    assert_eq!(
        run(&format!("cga verify {all} --pds {pds}")).status.code(),
        Some(1)
    );
}

#[test]
fn a_key_is_made_and_used_again() {
    let directory = Directory::new("key");
    let line = "cga generate --prefix 2001:db8:a:1::/64 --rsa 1024 --sec 1 --output one --json";
    let output = directory.run(line);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let address = made["addresses"][0].as_str().unwrap();
    let output = directory.run(&format!("cga verify {address} --pds one"));
    assert_eq!(text(&output.stdout), format!("{address} verified, Sec 1\n"));

    // The file is a key file, too.
    let line = format!("hba generate {PREFIXES} --key one --output two");
    assert!(directory.run(&line).status.success());
    let shown = |name: &str| {
        let output = directory.run(&format!("cga show {name} --json"));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let (one, two) = (shown("one"), shown("two"));
    assert_eq!(
        (&one["kind"], &two["kind"]),
        (&"CGA".into(), &"CGA/HBA".into())
    );
    for shown in [one, two] {
        assert_eq!(shown["signs"], true);
        assert_eq!(shown["public_key_bits"], 1024);
    }
    let key = |name: &str| {
        let text = fs::read_to_string(directory.0.join(name)).unwrap();
        let (_, key) = text.split_once("-----BEGIN RSA PRIVATE KEY-----").unwrap();
        key.to_owned()
    };
    assert_eq!(key("one"), key("two"));
}

#[test]
fn a_file_is_not_lost() {
    let directory = Directory::new("lost");
    fs::write(directory.0.join("home"), "mine").unwrap();
    let line = format!("hba generate {PREFIXES} --output home");
    let output = directory.run(&line);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "shim6: cannot write home: it exists; with --force it is replaced\n"
    );
    assert_eq!(
        fs::read_to_string(directory.0.join("home")).unwrap(),
        "mine"
    );
    assert!(directory.run(&format!("{line} --force")).status.success());
    let written = fs::read_to_string(directory.0.join("home")).unwrap();
    assert!(written.contains("BEGIN SHIM6 CGA PARAMETERS"));
}

#[test]
fn a_search_that_is_ended_leaves_nothing() {
    let directory = Directory::new("ended");
    let mut child = shim6(&format!("hba generate {PREFIXES} --sec 2 --output home"))
        .current_dir(&directory.0)
        .spawn()
        .unwrap();
    // The search runs once there are other threads.
    let threads = format!("/proc/{}/task", child.id());
    while fs::read_dir(&threads).unwrap().count() < 2 {
        assert_eq!(child.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    // A shell lets SIGINT be ignored by what it runs in the background, as it may run this test.
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(nix::libc::SIGTERM));
    assert!(directory.names().is_empty());
}

#[test]
fn an_identity_that_makes_no_sense_does_not_reach_the_kernel() {
    let directory = Directory::new("identity");
    fs::write(directory.0.join("empty"), "").unwrap();
    for (line, said) in [
        (
            "identity add home none",
            "shim6: cannot read an identity from none: No such file or directory\n",
        ),
        (
            "identity add home empty",
            "shim6: cannot read an identity from empty: no block SHIM6 CGA PARAMETERS\n",
        ),
    ] {
        let output = directory.run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(text(&output.stderr), said);
    }
}

#[test]
fn refusals_say_what_was_tried() {
    // Refused with the module (there is nothing of this name, or no permission) and without.
    for (line, tried) in [
        (
            "identity del no-such-identity",
            "delete the identity no-such-identity",
        ),
        (
            "identity show no-such-identity",
            "show the identity no-such-identity",
        ),
        (
            "policy del 2001:db8:dead::/48",
            "delete the policy 2001:db8:dead::/48",
        ),
        (
            "context start --ulid-local 2001:db8::1 --ulid-peer 2001:db8::1",
            "start a context ulid-local 2001:db8::1 ulid-peer 2001:db8::1",
        ),
    ] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stdout.is_empty(), "{line}");
        let said = text(&output.stderr);
        assert!(
            said.starts_with(&format!("shim6: cannot {tried}: ")),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
