// SPDX-License-Identifier: GPL-2.0

//! The parts of shim6(8) that say what `--help`, the table of settings and that of counters say, made
//! from them. `SHIM6_BLESS=1 cargo test man` writes them into the manual page; without it the test
//! compares.

use clap::{
    builder::Str,
    Arg,
    Command,
    CommandFactory, //
};

use crate::args::Cli;
use crate::config::settings::SETTINGS;
use crate::stats::names::NAMES;

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../Documentation/man/shim6.8"
);

/// Text as roff takes it.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for line in &mut lines {
        if line.starts_with(['.', '\'']) {
            line.insert_str(0, "\\&");
        }
    }
    lines.join("\n")
}

/// The words of a command line that names a command.
fn usage(words: &str, command: &Command) -> String {
    let mut line = format!(".B {}\n", escape(words));
    for argument in command.get_arguments().filter(|it| !is_global(it)) {
        let name = name(argument);
        let repeated = match argument
            .get_num_args()
            .is_some_and(|it| it.max_values() > 1)
            || matches!(argument.get_action(), clap::ArgAction::Append)
        {
            true => " ...",
            false => "",
        };
        match argument.is_required_set() {
            true => line.push_str(&format!("{name}{repeated}\n")),
            false => line.push_str(&format!("[{name}]{repeated}\n")),
        }
    }
    line
}

/// Those that stand with every command.
fn is_global(argument: &Arg) -> bool {
    ["help", "version", "json"].contains(&argument.get_id().as_str())
}

/// An argument as it is typed.
fn name(argument: &Arg) -> String {
    let values: Vec<_> = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(Str::to_string)
        .collect();
    let value = values.join(" ");
    match argument.get_long() {
        None => format!("\\fI{}\\fP", escape(&value)),
        Some(long) if argument.get_action().takes_values() => {
            format!(
                "\\fB{}\\fP\\~\\fI{}\\fP",
                escape(&format!("--{long}")),
                escape(&value)
            )
        }
        Some(long) => format!("\\fB{}\\fP", escape(&format!("--{long}"))),
    }
}

/// All commands with all that their `--help` says.
fn commands() -> String {
    let mut out = String::new();
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands().filter(|it| it.get_name() != "help") {
        describe("shim6", command, &mut out);
    }
    out
}

fn describe(above: &str, command: &Command, out: &mut String) {
    let words = format!("{above} {}", command.get_name());
    let below: Vec<_> = command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
        .collect();
    if !below.is_empty() {
        for command in below {
            describe(&words, command, out);
        }
        return;
    }
    out.push_str(&format!(".SS {}\n", escape(&words)));
    out.push_str(&usage(&words, command));
    out.push_str(".PP\n");
    let about = command.get_about().map(ToString::to_string);
    out.push_str(&format!("{}.\n", escape(&about.unwrap_or_default())));
    for argument in command.get_arguments().filter(|it| !is_global(it)) {
        let help = argument.get_help().map(ToString::to_string);
        let mut help = escape(&help.unwrap_or_default());
        let default: Vec<_> = argument
            .get_default_values()
            .iter()
            .map(|it| it.to_string_lossy())
            .collect();
        if !default.is_empty() && argument.get_action().takes_values() {
            help.push_str(&format!(" (default: {})", escape(&default.join(" "))));
        }
        let choices: Vec<_> = argument
            .get_possible_values()
            .iter()
            .map(|it| it.get_name().to_owned())
            .collect();
        if !choices.is_empty() && argument.get_action().takes_values() {
            help.push_str(&format!(" ({})", escape(&choices.join(", "))));
        }
        out.push_str(&format!(".TP\n{}\n{help}\n", name(argument)));
    }
    if let Some(after) = command.get_after_help() {
        let mut examples = false;
        out.push_str(".PP\n");
        for line in after.to_string().lines() {
            match line {
                "" => out.push_str(".PP\n"),
                "Example:" | "Examples:" => {
                    examples = true;
                    out.push_str(&format!("{line}\n.PP\n.nf\n.RS\n"));
                }
                line => {
                    let line = line.strip_prefix("  ").unwrap_or(line);
                    out.push_str(&format!("{}\n", escape(line.trim_end())));
                }
            }
        }
        if examples {
            out.push_str(".RE\n.fi\n");
        }
    }
}

fn settings() -> String {
    let mut out = String::new();
    for setting in SETTINGS {
        out.push_str(&format!(
            ".TP\n\\fB{}\\fP\n{}: {}; {} if it is not named\n",
            setting.name,
            escape(setting.about),
            escape(&setting.range.to_string()),
            escape(&setting.line(setting.default)),
        ));
    }
    out
}

fn counters() -> String {
    let mut out = String::new();
    for (name, about) in NAMES {
        let (name, about) = (escape(name), escape(about));
        out.push_str(&format!(".TP\n\\fB{name}\\fP\n{about}\n"));
    }
    out
}

/// The page with these parts in their places.
fn filled(page: &str) -> String {
    let mut page = page.to_owned();
    for (name, part) in [
        ("commands", commands()),
        ("settings", settings()),
        ("counters", counters()),
    ] {
        let begin = format!(".\\\" Begin of the {name}, made from the program.\n");
        let end = format!(".\\\" End of the {name}.\n");
        let (before, rest) = page.split_once(&begin).unwrap();
        let (_, behind) = rest.split_once(&end).unwrap();
        page = format!("{before}{begin}{part}{end}{behind}");
    }
    page
}

#[test]
fn the_manual_page_says_what_the_program_says() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let filled = filled(&page);
    if std::env::var_os("SHIM6_BLESS").is_some() {
        std::fs::write(PAGE, filled).unwrap();
        return;
    }
    for (number, (is, should)) in page.lines().zip(filled.lines()).enumerate() {
        assert_eq!(
            is,
            should,
            "line {} of shim6.8; SHIM6_BLESS=1 cargo test man writes it anew",
            number + 1
        );
    }
    assert_eq!(page, filled);
}

#[test]
fn roff_takes_the_text() {
    assert_eq!(escape("a-b \\ c\n.x\n'y"), "a\\-b \\e c\n\\&.x\n\\&'y");
}
