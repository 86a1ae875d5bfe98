// SPDX-License-Identifier: GPL-2.0

//! The counters of a network namespace, `/proc/net/shim6_stat`.

pub(crate) mod names;

use std::fs;
use std::io::{
    self,
    Write, //
};
use std::path::Path;

use crate::error::Cause;
use names::NAMES;

/// Where the counters of this network namespace are.
pub(crate) const FILE: &str = "/proc/net/shim6_stat";

/// A counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) name: String,
    pub(crate) value: u64,
}

impl Counter {
    /// What it counts; nothing for one of a newer module.
    pub(crate) fn about(&self) -> &'static str {
        let known = NAMES.iter().find(|(name, _)| *name == self.name);
        known.map_or("", |(_, about)| about)
    }
}

/// All counters of a namespace in the order of the module.
pub(crate) fn read(path: &Path) -> Result<Vec<Counter>, Cause> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Cause::NoFamily(crate::abi::GENL_NAME),
        _ => error.into(),
    })?;
    text.lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next();
            let value = words.next().and_then(|value| value.parse().ok());
            name.zip(value)
                .map(|(name, value)| Counter {
                    name: name.to_owned(),
                    value,
                })
                .ok_or_else(|| Cause::Answer(format!("no counter: {line}")))
        })
        .collect()
}

/// The counters whose names match one of the patterns, or all; those at zero only if asked for. A
/// pattern that no counter matches is a mistake.
pub(crate) fn select(
    counters: Vec<Counter>,
    patterns: &[String],
    zeros: bool,
) -> Result<Vec<Counter>, Cause> {
    let stands_for_none = |pattern: &&String| !counters.iter().any(|it| matches(pattern, &it.name));
    if let Some(pattern) = patterns.iter().find(stands_for_none) {
        return Err(Cause::Input(format!("there is no counter {pattern}")));
    }
    Ok(counters
        .into_iter()
        .filter(|counter| zeros || counter.value != 0)
        .filter(|counter| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|pattern| matches(pattern, &counter.name))
        })
        .collect())
}

/// Whether a pattern stands for a name: `*` for any characters, `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    let mut rest = name.chars();
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let behind = &pattern.get(1..).unwrap_or_default();
            name.char_indices()
                .map(|(at, _)| at)
                .chain([name.len()])
                .any(|at| matches(behind, name.get(at..).unwrap_or_default()))
        }
        Some(first) => {
            let is = rest.next().is_some_and(|it| first == '?' || first == it);
            is && matches(
                pattern.get(first.len_utf8()..).unwrap_or_default(),
                rest.as_str(),
            )
        }
    }
}

/// Writes a line per counter.
pub(crate) fn text(counters: &[Counter], about: bool, out: &mut dyn Write) -> io::Result<()> {
    for counter in counters {
        let Counter { name, value } = counter;
        match about {
            true => writeln!(out, "{name:<24} {value:<12} {}", counter.about())?,
            false => writeln!(out, "{name:<24} {value}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Directory;

    fn counter(name: &str, value: u64) -> Counter {
        Counter {
            name: name.to_owned(),
            value,
        }
    }

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("InI1", "InI1", true),
            ("InI1", "InI1x", false),
            ("InI", "InI1", false),
            ("In*", "InI1", true),
            ("*I1", "OutI1", true),
            ("*t*1", "OutI1", true),
            ("*x*", "OutI1", false),
            ("In??", "InI1", true),
            ("In?", "InI1", false),
            ("**", "", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn zeros_are_suppressed() {
        let all = || vec![counter("InI1", 0), counter("OutI1", 7), counter("InR1", 1)];
        let of = |patterns: &[&str], zeros| {
            let patterns: Vec<_> = patterns.iter().map(|it| (*it).to_owned()).collect();
            let left = select(all(), &patterns, zeros).unwrap();
            left.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(of(&[], false), ["OutI1", "InR1"]);
        assert_eq!(of(&[], true), ["InI1", "OutI1", "InR1"]);
        assert_eq!(of(&["In*"], false), ["InR1"]);
        assert_eq!(of(&["In*", "OutI1"], true), ["InI1", "OutI1", "InR1"]);
    }

    #[test]
    fn a_pattern_stands_for_something() {
        let patterns = ["In*".to_owned(), "OutI2".to_owned()];
        let refused = select(vec![counter("InI1", 0)], &patterns, false).unwrap_err();
        assert_eq!(refused.to_string(), "there is no counter OutI2");
    }

    #[test]
    fn a_file_of_the_kernel() {
        let directory = Directory::new();
        let path = directory.path().join("shim6_stat");
        assert!(matches!(read(&path), Err(Cause::NoFamily("shim6"))));
        fs::write(
            &path,
            "Contexts                 2\nInI1  18446744073709551615\nNew 1\n",
        )
        .unwrap();
        let all = read(&path).unwrap();
        assert_eq!(
            all,
            [
                counter("Contexts", 2),
                counter("InI1", u64::MAX),
                counter("New", 1)
            ]
        );
        let mut out = Vec::new();
        text(&all, true, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("InI1                     18446744073709551615 I1 messages received."));
        fs::write(&path, "Contexts\n").unwrap();
        assert!(matches!(read(&path), Err(Cause::Answer(_))));
    }
}
