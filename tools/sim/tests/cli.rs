// SPDX-License-Identifier: GPL-2.0

//! The program: what it prints, and its exit status.

use std::process::{
    Command,
    Output, //
};

fn program(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shim6-sim"));
    command.args(arguments).output().expect("it starts")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("UTF-8")
}

#[test]
fn jobs_change_nothing() {
    let run = |jobs| {
        let output = program(&["run", "--seeds", "5..35", "--jobs", jobs, "--json"]);
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    let one = run("1");
    assert!(one.contains("\"seeds\": 30"), "{one}");
    assert_eq!(run("3"), one);
}

/// What is printed with a violation finds it again.
#[test]
fn a_violation_can_be_looked_at_again() {
    let output = program(&["run", "--seeds", "3", "--bug", "no-keepalives"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    let mut lines = told.lines();
    let violation = lines.next().expect("a violation");
    let command = lines.next().expect("a command").trim();
    let command = command.strip_prefix("shim6-sim ").expect("the program");
    let arguments: Vec<_> = command.split(' ').collect();

    let again = program(&arguments);
    assert_eq!(again.status.code(), Some(1));
    let trace = text(&again.stdout);
    assert!(
        trace.contains("Keepalive") || trace.contains("payload"),
        "{command}"
    );
    assert_eq!(trace.lines().last(), Some(violation), "{command}");
}

#[test]
fn what_is_wrong_is_said() {
    for (arguments, expected) in [
        (&["run", "--seeds", "0"][..], "there is no seed in it"),
        (&["run", "--seeds", "9..3"], "there is no seed in it"),
        (&["run", "--seeds", "many"], "\"many\" is not a number"),
        (&["run"], "--seeds"),
        (
            &["run", "--seeds", "1", "--faults", "rain"],
            "there is no \"rain\", but loss,",
        ),
        (
            &["run", "--seeds", "1", "--bug", "spider"],
            "there is no \"spider\", but no-veri",
        ),
        (
            &["run", "--seeds", "1", "--hosts", "1"],
            "1 is not in 2..=10000",
        ),
        (&["replay", "-1"], "-1"),
    ] {
        let output = program(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let told = text(&output.stderr);
        assert!(told.contains(expected), "{arguments:?}: {told}");
    }
}
