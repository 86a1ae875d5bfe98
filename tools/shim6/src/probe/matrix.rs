// SPDX-License-Identifier: GPL-2.0

//! The outcomes of probes as a matrix: a line for each local locator, a column for each of the peer.

use std::collections::BTreeMap;
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::time::Duration;

use serde::Serialize;

use super::{
    Outcome,
    Pair, //
};
use crate::context::{
    Context,
    Identity, //
};
use crate::output::{
    Colour,
    Paint, //
};

/// The pairs of a context and what became of them. The fields are the schema of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Matrix {
    #[serde(flatten)]
    pub(crate) identity: Identity,
    /// How it was tested.
    pub(crate) method: &'static str,
    pub(crate) pairs: Vec<Cell>,
}

/// A pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cell {
    #[serde(flatten)]
    pub(crate) pair: Pair,
    /// It is the current pair.
    pub(crate) current: bool,
    /// It is the pair that stands by.
    pub(crate) standby: bool,
    /// The pair of the ULIDs, and the context translates: what was tested is the current pair.
    pub(crate) translated: bool,
    pub(crate) answered: bool,
    /// Microseconds until the first answer.
    pub(crate) rtt_us: Option<u64>,
    /// Why nothing was sent.
    pub(crate) error: Option<String>,
}

/// All pairs of locators of a context. None of one that has no peer yet.
pub(crate) fn pairs(context: &Context) -> Vec<Pair> {
    let peers = || context.locator_peer.iter().map(|it| it.address);
    let locals = context.locator_local.iter().map(|it| it.address);
    locals
        .flat_map(|local| peers().map(move |peer| Pair { local, peer }))
        .collect()
}

impl Matrix {
    pub(crate) fn new(context: &Context, outcomes: &BTreeMap<Pair, Outcome>) -> Self {
        let current = context.current_local.zip(context.current_peer);
        let standby = context
            .watch
            .as_ref()
            .and_then(|watch| watch.standby_local.zip(watch.standby_peer));
        let Identity {
            ulid_local,
            ulid_peer,
            ..
        } = context.identity;
        let ulids = Some((ulid_local, ulid_peer));
        let cell = |pair: Pair| {
            let is = |other: Option<(Ipv6Addr, Ipv6Addr)>| other == Some((pair.local, pair.peer));
            let outcome = outcomes.get(&pair).cloned().unwrap_or(Outcome::Silent);
            Cell {
                pair,
                current: is(current),
                standby: is(standby),
                translated: is(ulids) && !is(current),
                answered: matches!(outcome, Outcome::Answered(_)),
                rtt_us: match &outcome {
                    Outcome::Answered(took) => u64::try_from(took.as_micros()).ok(),
                    _ => None,
                },
                error: match outcome {
                    Outcome::Unsent(why) => Some(why),
                    _ => None,
                },
            }
        };
        Self {
            identity: context.identity,
            method: "echo",
            pairs: pairs(context).into_iter().map(cell).collect(),
        }
    }

    /// Whether all pairs work.
    pub(crate) fn is_whole(&self) -> bool {
        self.pairs.iter().all(|cell| cell.answered)
    }

    /// Draws it. `*` marks the current pair, `+` the one that stands by, `~` the one that was not
    /// tested itself.
    pub(crate) fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "context {}", self.identity)?;
        let mut locals: Vec<Ipv6Addr> = Vec::new();
        let mut peers: Vec<Ipv6Addr> = Vec::new();
        for Cell { pair, .. } in &self.pairs {
            if !locals.contains(&pair.local) {
                locals.push(pair.local);
            }
            if !peers.contains(&pair.peer) {
                peers.push(pair.peer);
            }
        }
        let width = |addresses: &[Ipv6Addr]| {
            let widths = addresses.iter().map(|it| it.to_string().len());
            widths.max().unwrap_or_default()
        };
        let first = width(&locals);
        let others = width(&peers).max("* 999.999 ms".len());
        write!(out, "    {:first$}", "")?;
        for peer in &peers {
            write!(out, "  {:>others$}", peer.to_string())?;
        }
        writeln!(out)?;
        let mut footnotes: Vec<String> = Vec::new();
        for local in locals {
            write!(out, "    {:first$}", local.to_string())?;
            for cell in self.pairs.iter().filter(|cell| cell.pair.local == local) {
                let mark = match (cell.current, cell.standby, cell.translated) {
                    (true, ..) => "* ",
                    (_, true, _) => "+ ",
                    (.., true) => "~ ",
                    _ => "",
                };
                let (text, colour) = match (&cell.error, cell.rtt_us) {
                    (Some(why), _) => {
                        if !footnotes.contains(why) {
                            footnotes.push(why.clone());
                        }
                        ("not sent".to_owned(), Colour::Red)
                    }
                    (None, Some(rtt)) => (milliseconds(rtt), Colour::Green),
                    (None, None) => ("no answer".to_owned(), Colour::Red),
                };
                let cell = format!("{:>others$}", format!("{mark}{text}"));
                write!(out, "  {}", paint.paint(colour, &cell))?;
            }
            writeln!(out)?;
        }
        for why in footnotes {
            writeln!(out, "    not sent: {why}")?;
        }
        if self.pairs.iter().any(|cell| cell.translated) {
            writeln!(
                out,
                "    ~ packets between the ULIDs take the current pair, and so did this echo"
            )?;
        }
        Ok(())
    }
}

fn milliseconds(microseconds: u64) -> String {
    let span = Duration::from_micros(microseconds);
    format!("{}.{:03} ms", span.as_millis(), microseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::show::tests::context;

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    fn outcomes() -> BTreeMap<Pair, Outcome> {
        let pair = |local, peer| Pair {
            local: ip(local),
            peer: ip(peer),
        };
        BTreeMap::from([
            (
                pair("2001:db8:1::a", "2001:db8:1::b"),
                Outcome::Answered(Duration::from_micros(1042)),
            ),
            (pair("2001:db8:2::a", "2001:db8:1::b"), Outcome::Silent),
            (
                pair("2001:db8:1::a", "2001:db8:2::b"),
                Outcome::Unsent("no route".into()),
            ),
            (
                pair("2001:db8:2::a", "2001:db8:2::b"),
                Outcome::Answered(Duration::from_micros(9)),
            ),
        ])
    }

    fn sample() -> Context {
        let mut context = context();
        let mut second = context.locator_peer[0];
        second.address = ip("2001:db8:2::b");
        context.locator_peer.push(second);
        if let Some(watch) = &mut context.watch {
            watch.standby_local = Some(ip("2001:db8:2::a"));
            watch.standby_peer = Some(ip("2001:db8:2::b"));
        }
        context
    }

    #[test]
    fn a_matrix_for_people() {
        let matrix = Matrix::new(&sample(), &outcomes());
        let mut out = Vec::new();
        matrix.text(Paint::plain(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
context ulid-local 2001:db8:1::a ulid-peer 2001:db8:1::b fii 0
                   2001:db8:1::b  2001:db8:2::b
    2001:db8:1::a     ~ 1.042 ms       not sent
    2001:db8:2::a    * no answer     + 0.009 ms
    not sent: no route
    ~ packets between the ULIDs take the current pair, and so did this echo
"
        );
        assert!(!matrix.is_whole());
    }

    #[test]
    fn an_object_for_programs() {
        let matrix = Matrix::new(&sample(), &outcomes());
        let json = serde_json::to_value(&matrix).unwrap();
        assert_eq!(json["ulid_peer"], "2001:db8:1::b");
        assert_eq!(json["method"], "echo");
        let names: Vec<_> = json["pairs"][0].as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "answered",
                "current",
                "error",
                "local",
                "peer",
                "rtt_us",
                "standby",
                "translated"
            ]
        );
        assert_eq!(json["pairs"][0]["rtt_us"], 1042);
        assert_eq!(json["pairs"][1]["error"], "no route");
        assert_eq!(json["pairs"][2]["current"], true);
        assert_eq!(json["pairs"][3]["standby"], true);
    }

    #[test]
    fn the_ulids_are_tested_while_they_are_the_current_pair() {
        let mut context = sample();
        let translated = |context: &Context| {
            let cells = Matrix::new(context, &outcomes()).pairs;
            cells.iter().filter(|cell| cell.translated).count()
        };
        assert_eq!(translated(&context), 1);
        context.current_local = Some(context.identity.ulid_local);
        context.current_peer = Some(context.identity.ulid_peer);
        assert_eq!(translated(&context), 0);
    }

    #[test]
    fn all_pairs_answer() {
        let all = pairs(&sample())
            .into_iter()
            .map(|pair| (pair, Outcome::Answered(Duration::ZERO)))
            .collect();
        assert!(Matrix::new(&sample(), &all).is_whole());
    }
}
