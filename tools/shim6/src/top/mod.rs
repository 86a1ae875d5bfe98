// SPDX-License-Identifier: GPL-2.0

//! A table of contexts and of what the shim does a second. The kernel counts packets for each network
//! namespace and not for each context, so rates are those of the namespace.

use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::time::Duration;

use serde::Serialize;

use crate::context::show::Span;
use crate::context::words::{
    Reap,
    State, //
};
use crate::context::{
    Context,
    Identity, //
};
use crate::output::{
    Colour,
    Paint, //
};
use crate::stats::Counter;

/// What is shown of the counters: a word, and the names of those that are added.
const RATES: [(&str, &[&str]); 5] = [
    ("out", &["OutTranslated", "OutUlids"]),
    ("in", &["InTranslated", "InTranslatedLate", "InUlids"]),
    (
        "control",
        &[
            "InControl",
            "OutI1",
            "OutR1",
            "OutI2",
            "OutR2",
            "OutR1bis",
            "OutI2bis",
            "OutUpdateRequest",
            "OutUpdateAcknowledgement",
            "OutError",
            "OutKeepalive",
            "OutProbe",
        ],
    ),
    ("probes", &["InProbe", "OutProbe"]),
    ("switches", &["PairSwitched"]),
];

/// Events a second, or in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Rates {
    pub(crate) out: f64,
    #[serde(rename = "in")]
    pub(crate) inbound: f64,
    pub(crate) control: f64,
    pub(crate) probes: f64,
    pub(crate) switches: f64,
}

impl Rates {
    /// From two readings of the counters and the time between them.
    pub(crate) fn between(before: &[Counter], now: &[Counter], time: Duration) -> Self {
        let sum = |counters: &[Counter], names: &[&str]| -> u64 {
            counters
                .iter()
                .filter(|counter| names.contains(&counter.name.as_str()))
                .fold(0, |sum, counter| sum.saturating_add(counter.value))
        };
        let seconds = time.as_secs_f64();
        let [out, inbound, control, probes, switches] = RATES.map(|(_, names)| {
            // The module may have been loaded anew.
            let events = sum(now, names).saturating_sub(sum(before, names));
            match seconds > 0.0 {
                true => (events as f64 / seconds * 10.0).round() / 10.0,
                false => 0.0,
            }
        });
        Self {
            out,
            inbound,
            control,
            probes,
            switches,
        }
    }
}

/// One picture. The fields are the schema of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Picture {
    /// When, in UTC.
    pub(crate) time: String,
    /// Nothing in the first picture.
    pub(crate) per_second: Option<Rates>,
    pub(crate) contexts: Vec<Row>,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) identity: Identity,
    pub(crate) state: State,
    pub(crate) reap: Option<Reap>,
    pub(crate) current_local: Option<Ipv6Addr>,
    pub(crate) current_peer: Option<Ipv6Addr>,
    pub(crate) standby_local: Option<Ipv6Addr>,
    pub(crate) standby_peer: Option<Ipv6Addr>,
    pub(crate) last_tx_ms: Option<u64>,
    pub(crate) last_rx_ms: Option<u64>,
    pub(crate) switches: u64,
}

impl Row {
    pub(crate) fn new(context: &Context) -> Self {
        let milliseconds =
            |span: Option<Duration>| span.and_then(|span| u64::try_from(span.as_millis()).ok());
        let watch = context.watch.as_ref();
        Self {
            identity: context.identity,
            state: context.state,
            reap: context.reap,
            current_local: context.current_local,
            current_peer: context.current_peer,
            standby_local: watch.and_then(|watch| watch.standby_local),
            standby_peer: watch.and_then(|watch| watch.standby_peer),
            last_tx_ms: milliseconds(context.last_tx),
            last_rx_ms: milliseconds(context.last_rx),
            switches: context.switches,
        }
    }

    /// The cells of its line.
    fn cells(&self) -> [String; 7] {
        let age = |ms: Option<u64>| {
            ms.map_or("never".to_owned(), |ms| {
                Span(Duration::from_millis(ms)).to_string()
            })
        };
        let pair = |local: Option<Ipv6Addr>, peer: Option<Ipv6Addr>| match local.zip(peer) {
            Some((local, peer)) => format!("{local} > {peer}"),
            None => "-".to_owned(),
        };
        let Identity { ulid_peer, fii, .. } = self.identity;
        [
            match fii {
                0 => ulid_peer.to_string(),
                _ => format!("{ulid_peer} fii {fii}"),
            },
            self.state.to_string(),
            self.reap.map_or("-".to_owned(), |reap| reap.to_string()),
            age(self.last_tx_ms),
            age(self.last_rx_ms),
            self.switches.to_string(),
            pair(self.current_local, self.current_peer),
        ]
    }

    fn colour(&self) -> Colour {
        match (self.state.0, self.reap.map(|reap| reap.0)) {
            (crate::abi::state::ESTABLISHED, Some(crate::abi::reap::OPERATIONAL) | None) => {
                Colour::Green
            }
            (crate::abi::state::E_FAILED | crate::abi::state::NO_SUPPORT, _) => Colour::Red,
            _ => Colour::Yellow,
        }
    }
}

const HEADS: [&str; 7] = [
    "ULID(PEER)",
    "STATE",
    "REAP",
    "LAST-TX",
    "LAST-RX",
    "SWITCHES",
    "CURRENT PAIR",
];

impl Picture {
    /// Draws the table. Those that are in use come first.
    pub(crate) fn text(&self, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{}  {} contexts", self.time, self.contexts.len())?;
        match &self.per_second {
            Some(rates) => writeln!(
                out,
                "  a second: out {:.1} in {:.1} control {:.1} probes {:.1} switches {:.1}",
                rates.out, rates.inbound, rates.control, rates.probes, rates.switches
            )?,
            None => writeln!(out)?,
        }
        let rows: Vec<_> = self.contexts.iter().map(Row::cells).collect();
        let width = |index: usize| {
            rows.iter()
                .chain([&HEADS.map(str::to_owned)])
                .filter_map(|cells| cells.get(index).map(String::len))
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<_> = (0..HEADS.len()).map(width).collect();
        let line = |cells: &[String; 7]| {
            let padded = cells.iter().zip(&widths);
            let padded: Vec<_> = padded.map(|(it, width)| format!("{it:width$}")).collect();
            padded.join("  ").trim_end().to_owned()
        };
        if !rows.is_empty() {
            writeln!(
                out,
                "{}",
                paint.paint(Colour::Bold, &line(&HEADS.map(str::to_owned)))
            )?;
        }
        for (row, cells) in self.contexts.iter().zip(&rows) {
            writeln!(out, "{}", paint.paint(row.colour(), &line(cells)))?;
        }
        Ok(())
    }
}

/// The rows of all contexts: those used last first.
pub(crate) fn rows(contexts: &[Context]) -> Vec<Row> {
    let mut rows: Vec<_> = contexts.iter().map(Row::new).collect();
    rows.sort_by_key(|row| {
        let used = row.last_tx_ms.into_iter().chain(row.last_rx_ms).min();
        // By the second: those in use stay where they are.
        (used.map_or(u64::MAX, |ms| ms / 10_000), row.identity)
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::show::tests::context;

    fn counters(values: &[(&str, u64)]) -> Vec<Counter> {
        values
            .iter()
            .map(|(name, value)| Counter {
                name: (*name).to_owned(),
                value: *value,
            })
            .collect()
    }

    #[test]
    fn rates_are_differences_over_time() {
        let before = counters(&[("OutTranslated", 10), ("OutUlids", 5), ("PairSwitched", 9)]);
        let now = counters(&[("OutTranslated", 30), ("OutUlids", 6), ("PairSwitched", 1)]);
        let rates = Rates::between(&before, &now, Duration::from_millis(2000));
        assert_eq!(rates.out, 10.5);
        assert_eq!(rates.inbound, 0.0);
        assert_eq!(rates.switches, 0.0, "the counter began anew");
        let rates = Rates::between(&before, &now, Duration::ZERO);
        assert_eq!(rates, Rates::default());
    }

    #[test]
    fn the_names_are_those_of_counters() {
        for (_, names) in RATES {
            for name in names {
                let known = crate::stats::names::NAMES.iter();
                assert!(known.into_iter().any(|(known, _)| known == name), "{name}");
            }
        }
    }

    #[test]
    fn a_table_for_people() {
        let mut other = context();
        other.identity.fii = 7;
        other.last_rx = Some(Duration::from_millis(3));
        other.reap = None;
        let mut idle = context();
        idle.last_tx = None;
        idle.current_peer = None;
        let contexts = rows(&[idle, context(), other]);
        let picture = Picture {
            time: "2026-01-02T03:04:05Z".into(),
            per_second: Some(Rates {
                out: 12.5,
                ..Rates::default()
            }),
            contexts,
        };
        let mut out = Vec::new();
        picture.text(Paint::plain(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
2026-01-02T03:04:05Z  3 contexts  a second: out 12.5 in 0.0 control 0.0 probes 0.0 switches 0.0
ULID(PEER)           STATE        REAP       LAST-TX  LAST-RX  SWITCHES  CURRENT PAIR
2001:db8:1::b        ESTABLISHED  exploring  1.204 s  never    3         2001:db8:2::a > 2001:db8:1::b
2001:db8:1::b fii 7  ESTABLISHED  -          1.204 s  3 ms     3         2001:db8:2::a > 2001:db8:1::b
2001:db8:1::b        ESTABLISHED  exploring  never    never    3         -
"
        );
    }

    #[test]
    fn an_object_for_programs() {
        let picture = Picture {
            time: "t".into(),
            per_second: Some(Rates::default()),
            contexts: rows(&[context()]),
        };
        let json = serde_json::to_value(&picture).unwrap();
        assert_eq!(json["per_second"]["in"], 0.0);
        assert_eq!(json["contexts"][0]["state"], "ESTABLISHED");
        assert_eq!(json["contexts"][0]["last_tx_ms"], 1204);
        assert_eq!(json["contexts"][0]["fii"], 0);
    }
}
