// SPDX-License-Identifier: GPL-2.0

//! The settings `net.shim6.*`: their names, what they may be and what they are where nobody sets
//! them. A test compares every one with the module's.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// Where the settings of this network namespace are.
pub(crate) const DIRECTORY: &str = "/proc/sys/net/shim6";

/// A day in milliseconds, the most that any time can be set to.
const DAY: u32 = 86_400_000;

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    /// A number from the first to the second; the text says what it counts.
    Number(u32, u32, &'static str),
    /// One of these words.
    Words(&'static [&'static str]),
}

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) range: Range,
    /// As it is written.
    pub(crate) default: &'static str,
    /// What it is, for people.
    pub(crate) about: &'static str,
}

const MS: &str = "milliseconds";

/// All settings, in the order of the module.
#[rustfmt::skip]
pub(crate) const SETTINGS: &[Setting] = &[
    number("max_contexts", "65536", 0, i32::MAX as u32, "contexts", "Most contexts"),
    number("max_forks", "4096", 0, 1_048_576, "sockets", "Sockets with settings of their own"),
    number("max_forks_user", "256", 0, 1_048_576, "sockets", "Those among them that one user made"),
    number("max_forks_peer", "256", 0, 1_048_576, "forks", "Forks of one peer, that is of one /64"),
    number("fork_linger", "10000", 0, DAY, MS, "How long a fork without a socket has to be silent"),
    words("establish", "on-request", &["off", "on-request", "auto"], "When contexts are established"),
    number("establish_packets", "50", 1, i32::MAX as u32, "packets",
        "Packets of a connection before it gets a context (auto)"),
    number("establish_age", "1000", 0, DAY, MS, "Age of a connection before it gets a context (auto)"),
    number("i1_timeout", "4000", 10, DAY, MS, "I1_TIMEOUT"),
    number("i1_retries_max", "4", 0, 32, "times", "I1_RETRIES_MAX"),
    number("i2_timeout", "4000", 10, DAY, MS, "I2_TIMEOUT"),
    number("i2_retries_max", "2", 0, 32, "times", "I2_RETRIES_MAX"),
    number("i2bis_timeout", "4000", 10, DAY, MS, "I2bis_TIMEOUT"),
    number("i2bis_retries_max", "2", 0, 32, "times", "I2bis_RETRIES_MAX"),
    number("update_timeout", "4000", 10, DAY, MS, "UPDATE_TIMEOUT"),
    number("max_update_timeout", "120000", 10, DAY, MS, "MAX_UPDATE_TIMEOUT"),
    number("no_r1_holddown_time", "60000", 10, DAY, MS, "NO_R1_HOLDDOWN_TIME"),
    number("icmp_holddown_time", "600000", 10, DAY, MS, "ICMP_HOLDDOWN_TIME"),
    number("idle_timeout", "300000", 100, DAY, MS, "How long a context without traffic and users lives"),
    number("r1_rate", "100000", 0, 10_000_000, "messages a second", "R1 messages to all peers together"),
    number("answer_rate", "100", 0, 10_000_000, "messages a second",
        "R1bis and Error messages to all peers together"),
    number("answer_rate_peer", "10", 0, 10_000_000, "messages a second",
        "Answers of each kind to one peer, that is to one /64"),
    number("update_interval", "1000", 0, DAY, MS, "Least time between Update Requests of a context"),
    number("send_timeout", "15000", 100, DAY, MS, "Send Timeout"),
    number("keepalive_interval", "0", 0, DAY, MS,
        "Keepalive Interval; 0: a third of the Keepalive Timeout"),
    number("probe_timeout", "500", 10, DAY, MS, "Initial Probe Timeout"),
    number("initial_probes", "4", 1, 32, "probes", "Number of Initial Probes"),
    number("max_probe_timeout", "60000", 10, DAY, MS, "Max Probe Timeout"),
    words("hot_standby", "off", &["off", "on"], "Whether a second pair is kept confirmed"),
    number("standby_interval", "60000", 100, DAY, MS, "How often a hot standby is confirmed"),
    number("failback_hold", "60000", 0, DAY, MS,
        "How long after its failure a better pair is tried again; 0: never"),
    number("failback_hold_max", "3600000", 0, DAY, MS, "What becomes of it when the pair keeps failing"),
    number("tcp_retransmits", "0", 0, 255, "timeouts",
        "Timeouts of TCP in a row that speak against a pair; 0: none do"),
    number("tag_bits", "47", 4, 47, "bits", "Random bits of a tag; fewer only for tests"),
];

const fn number(
    name: &'static str,
    default: &'static str,
    least: u32,
    most: u32,
    unit: &'static str,
    about: &'static str,
) -> Setting {
    Setting {
        name,
        range: Range::Number(least, most, unit),
        default,
        about,
    }
}

const fn words(
    name: &'static str,
    default: &'static str,
    words: &'static [&'static str],
    about: &'static str,
) -> Setting {
    Setting {
        name,
        range: Range::Words(words),
        default,
        about,
    }
}

/// What settings are set to, by their names, as they are written.
pub(crate) type Values = BTreeMap<&'static str, String>;

/// The setting of this name.
pub(crate) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(least, most, unit) => {
                write!(f, "a number of {unit} from {least} to {most}")
            }
            Self::Words(words) => {
                let (last, others) = words.split_last().unwrap_or((&"", &[]));
                for word in others {
                    write!(f, "\"{word}\" or ")?;
                }
                write!(f, "\"{last}\"")
            }
        }
    }
}

impl Setting {
    /// The line of a file that gives it a value.
    pub(crate) fn line(&self, value: &str) -> String {
        match self.range {
            Range::Number(..) => format!("{} = {value}", self.name),
            Range::Words(_) => format!("{} = \"{value}\"", self.name),
        }
    }
}

/// What is in force: all settings that the kernel of this namespace has.
pub(crate) fn in_force(directory: &Path) -> io::Result<Values> {
    let mut values = Values::new();
    for setting in SETTINGS {
        match fs::read_to_string(directory.join(setting.name)) {
            Ok(value) => {
                values.insert(setting.name, value.trim_end().to_owned());
            }
            // An older module does not have all of them.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

/// Sets one.
pub(crate) fn set(directory: &Path, name: &str, value: &str) -> io::Result<()> {
    fs::write(directory.join(name), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULE: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../rust/context/settings.rs"
    ));

    /// A number as the module writes it.
    fn value(text: &str) -> u32 {
        match text.trim() {
            "DAY" => DAY,
            "i32::MAX as u32" => i32::MAX as u32,
            digits => digits.replace('_', "").parse().unwrap(),
        }
    }

    /// The settings of the module: name, default, range.
    fn of_the_module() -> Vec<(String, String, Vec<String>)> {
        let mut all = Vec::new();
        for part in MODULE.split(" = Setting::").skip(1) {
            let (part, _) = part.split_once(");\n").unwrap();
            let (kind, part) = part.split_once("(").unwrap();
            let (_, part) = part.split_once("c_str!(\"").unwrap();
            let (name, arguments) = part.split_once("\"),").unwrap();
            let (default, range) = if kind == "word" {
                let words: Vec<_> = arguments
                    .split("c_str!(\"")
                    .skip(1)
                    .map(|word| word.split('"').next().unwrap().to_owned())
                    .collect();
                let index = arguments.split(',').next().unwrap();
                (words[value(index) as usize].clone(), words)
            } else {
                let numbers: Vec<_> = arguments
                    .split(',')
                    .map(|number| value(number).to_string())
                    .collect();
                (numbers[0].clone(), numbers[1..].to_vec())
            };
            all.push((name.to_owned(), default, range));
        }
        all
    }

    #[test]
    fn they_are_those_of_the_module() {
        let ours: Vec<_> = SETTINGS
            .iter()
            .map(|setting| {
                let range = match setting.range {
                    Range::Number(least, most, _) => vec![least.to_string(), most.to_string()],
                    Range::Words(words) => words.iter().map(|word| (*word).to_owned()).collect(),
                };
                (setting.name.to_owned(), setting.default.to_owned(), range)
            })
            .collect();
        assert_eq!(ours, of_the_module());
        assert!(ours.len() > 30);
    }

    #[test]
    fn ranges_in_words() {
        let text = |name| find(name).unwrap().range.to_string();
        assert_eq!(text("initial_probes"), "a number of probes from 1 to 32");
        assert_eq!(text("establish"), "\"off\" or \"on-request\" or \"auto\"");
        assert_eq!(find("send-timeout"), None);
    }

    #[test]
    fn what_is_set_is_in_force() {
        let directory = crate::scratch::Directory::new();
        fs::write(directory.path().join("send_timeout"), "15000\n").unwrap();
        fs::write(directory.path().join("unknown"), "1\n").unwrap();
        set(directory.path(), "send_timeout", "2000").unwrap();
        let values = in_force(directory.path()).unwrap();
        assert_eq!(values, Values::from([("send_timeout", "2000".to_owned())]));
    }
}
