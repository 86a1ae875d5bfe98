// SPDX-License-Identifier: GPL-2.0

//! Contexts for people: one block of lines each.

use std::fmt;
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::time::Duration;

use super::locator::Locator;
use super::{
    watch,
    Context,
    Incident, //
};

/// Writes a block per context. `*` marks the current pair.
pub(crate) fn text(contexts: &[Context], out: &mut dyn Write) -> io::Result<()> {
    contexts.iter().try_for_each(|context| block(context, out))
}

fn block(context: &Context, out: &mut dyn Write) -> io::Result<()> {
    let Context {
        identity,
        state,
        tag_local,
        switches,
        retries,
        ..
    } = context;
    writeln!(out, "context {identity}")?;
    let timer = Or(context.timer.map(Span), "none");
    let Some(tag_local) = tag_local else {
        // Nothing else is kept of a peer that is left alone.
        return writeln!(out, "    state {state} for another {timer}");
    };
    writeln!(out, "    state {state} switches {switches}")?;
    let tag_peer = Or(context.tag_peer, "unknown");
    writeln!(out, "    tag-local {tag_local} tag-peer {tag_peer}")?;
    let last_tx = Or(context.last_tx.map(Age), "never");
    let last_rx = Or(context.last_rx.map(Age), "never");
    writeln!(out, "    last-tx {last_tx}, last-rx {last_rx}")?;
    let origin = Or(context.origin, "unknown");
    let name = Or(context.name.as_deref(), "none");
    let reason = Or(context.pair_reason, "unknown");
    writeln!(
        out,
        "    origin {origin} identity {name} pair-reason {reason}"
    )?;
    let local = Or(context.generation_local, "none");
    let peer = Or(context.generation_peer, "none");
    writeln!(out, "    generation-local {local} generation-peer {peer}")?;
    let update = match context.update_outstanding {
        true => "outstanding",
        false => "none",
    };
    let reap = Or(context.reap, "none");
    writeln!(
        out,
        "    timer {timer} retries {retries} update {update} reap {reap}"
    )?;
    if let Some(watch) = &context.watch {
        let current = (context.current_local, context.current_peer);
        watch::text(watch, current, out)?;
    }
    if let (Some(cookie), Some(inode)) = (context.owner_cookie, context.owner_inode) {
        // As `ss -e` has them.
        writeln!(out, "    owner sk:{cookie:x} ino:{inode}")?;
    }
    writeln!(out, "    locator-local")?;
    list(&context.locator_local, context.current_local, out)?;
    writeln!(out, "    locator-peer")?;
    list(&context.locator_peer, context.current_peer, out)?;
    if !context.history.is_empty() {
        writeln!(out, "    history")?;
    }
    for incident in &context.history {
        let Incident {
            event,
            state,
            cause,
            age,
        } = incident;
        let age = Age(*age);
        writeln!(
            out,
            "        event {event} state {state} cause {cause} {age}"
        )?;
    }
    Ok(())
}

fn list(locators: &[Locator], current: Option<Ipv6Addr>, out: &mut dyn Write) -> io::Result<()> {
    for locator in locators {
        let Locator {
            address,
            verification,
            priority,
            weight,
            ..
        } = locator;
        let mark = if Some(*address) == current { '*' } else { ' ' };
        write!(
            out,
            "      {mark} {address} verification {verification} priority {priority} weight {weight}"
        )?;
        for (is, word) in [
            (locator.broken, "broken"),
            (locator.transient, "transient"),
            (locator.verified, "verified"),
            (locator.reachable, "reachable"),
            (locator.acknowledged, "acknowledged"),
        ] {
            if is {
                write!(out, " {word}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A value, or a word for none.
struct Or<T>(Option<T>, &'static str);

impl<T: fmt::Display> fmt::Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str(self.1),
        }
    }
}

/// How long ago something happened.
struct Age(Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ago", Span(self.0))
    }
}

/// A span of time, in the two largest units that say something.
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;

        let seconds = self.0.as_secs();
        match seconds {
            0 => write!(f, "{} ms", self.0.subsec_millis()),
            1..MINUTE => write!(f, "{seconds}.{:03} s", self.0.subsec_millis()),
            MINUTE..HOUR => write!(f, "{} min {} s", seconds / MINUTE, seconds % MINUTE),
            HOUR..DAY => {
                let minutes = seconds % HOUR / MINUTE;
                write!(f, "{} h {minutes} min", seconds / HOUR)
            }
            DAY.. => {
                let hours = seconds % DAY / HOUR;
                write!(f, "{} d {hours} h", seconds / DAY)
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::locator::Verification;
    use super::super::watch::{
        Rank,
        Ranked,
        Watch, //
    };
    use super::super::words::{
        Cause,
        Criterion,
        Event,
        Origin,
        PairReason,
        Reap,
        State,
        Unusable, //
    };
    use super::super::{
        ContextTag,
        Identity, //
    };
    use super::*;
    use crate::output;

    /// What `--json` prints.
    fn json(contexts: &[Context], out: &mut dyn Write) -> io::Result<()> {
        output::json(contexts, out)
    }

    pub(crate) fn context() -> Context {
        let a1: Ipv6Addr = "2001:db8:1::a".parse().unwrap();
        let a2: Ipv6Addr = "2001:db8:2::a".parse().unwrap();
        let b1: Ipv6Addr = "2001:db8:1::b".parse().unwrap();
        Context {
            identity: Identity {
                ulid_local: a1,
                ulid_peer: b1,
                fii: 0,
            },
            state: State(4),
            tag_local: Some(ContextTag::new(0xa1).unwrap()),
            tag_peer: ContextTag::new(0x7fff_ffff_ffff),
            locator_local: vec![
                Locator {
                    priority: 1,
                    broken: true,
                    acknowledged: true,
                    ..Locator::new(a1)
                },
                Locator {
                    verification: Verification::Hba,
                    weight: 10,
                    transient: true,
                    ..Locator::new(a2)
                },
            ],
            locator_peer: vec![Locator {
                verified: true,
                reachable: true,
                ..Locator::new(b1)
            }],
            current_local: Some(a2),
            current_peer: Some(b1),
            last_tx: Some(Duration::from_millis(1204)),
            last_rx: None,
            switches: 3,
            origin: Some(Origin(2)),
            name: Some("home".into()),
            pair_reason: Some(PairReason(1)),
            generation_local: Some(5),
            generation_peer: None,
            timer: Some(Duration::from_millis(4000)),
            retries: 1,
            update_outstanding: true,
            reap: Some(Reap(1)),
            watch: Some(Watch {
                send_timeout: Duration::from_millis(15_000),
                keepalives: true,
                initial_probes: 4,
                probe_timeout: Duration::from_millis(500),
                hot_standby: true,
                overridden: vec!["hot-standby"],
                standby_local: Some(a1),
                standby_peer: Some(b1),
                ranking: vec![
                    Ranked {
                        local: a1,
                        peer: b1,
                        unusable: None,
                        behind_in: None,
                        rank: Some(Rank {
                            shared: 1,
                            peer_priority: 2,
                            ulids: true,
                            precedence: 40,
                            prefix: 48,
                            ..Rank::default()
                        }),
                    },
                    Ranked {
                        local: a2,
                        peer: b1,
                        unusable: None,
                        behind_in: Some(Criterion(0)),
                        rank: Some(Rank {
                            shared: 2,
                            wanted: 1,
                            broken: 1,
                            transient: 1,
                            deprecated: true,
                            labels_differ: true,
                            ..Rank::default()
                        }),
                    },
                    Ranked {
                        local: a2,
                        peer: a1,
                        unusable: Some(Unusable(2)),
                        behind_in: None,
                        rank: None,
                    },
                ],
            }),
            owner_cookie: Some(0x100a),
            owner_inode: Some(1234),
            history: vec![
                Incident {
                    event: Event(1),
                    state: State(4),
                    cause: Cause(4),
                    age: Duration::from_millis(2500),
                },
                Incident {
                    event: Event(0),
                    state: State(2),
                    cause: Cause(1),
                    age: Duration::from_secs(61),
                },
            ],
        }
    }

    fn shown(
        how: impl Fn(&[Context], &mut dyn Write) -> io::Result<()>,
        what: &[Context],
    ) -> String {
        let mut out = Vec::new();
        how(what, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_block_for_people() {
        assert_eq!(
            shown(text, &[context()]),
            "\
context ulid-local 2001:db8:1::a ulid-peer 2001:db8:1::b fii 0
    state ESTABLISHED switches 3
    tag-local 0000000000a1 tag-peer 7fffffffffff
    last-tx 1.204 s ago, last-rx never
    origin responder identity home pair-reason handshake
    generation-local 5 generation-peer none
    timer 4.000 s retries 1 update outstanding reap exploring
    send-timeout 15.000 s keepalives on initial-probes 4 probe-timeout 500 ms hot-standby on \
(of this context: hot-standby)
    ranking
      + 2001:db8:1::a 2001:db8:1::b shared 1 wanted 0 priority 2/0 ulids precedence 40 prefix 48
      * 2001:db8:2::a 2001:db8:1::b shared 2 wanted 1 broken 1 priority 0/0 transient deprecated \
other-label precedence 0 prefix 0, behind in disjoint
        2001:db8:2::a 2001:db8:1::a unusable peer-not-verified
    owner sk:100a ino:1234
    locator-local
        2001:db8:1::a verification none priority 1 weight 0 broken acknowledged
      * 2001:db8:2::a verification hba priority 0 weight 10 transient
    locator-peer
      * 2001:db8:1::b verification none priority 0 weight 0 verified reachable
    history
        event state state ESTABLISHED cause message 2.500 s ago
        event added state I2-SENT cause trigger 1 min 1 s ago
"
        );
    }

    #[test]
    fn nothing_for_people_is_nothing() {
        assert_eq!(shown(text, &[]), "");
    }

    #[test]
    fn what_is_not_known_yet() {
        let young = Context {
            tag_peer: None,
            origin: None,
            name: None,
            pair_reason: None,
            generation_local: None,
            timer: None,
            update_outstanding: false,
            reap: None,
            watch: None,
            owner_cookie: None,
            owner_inode: None,
            history: Vec::new(),
            ..context()
        };
        let text = shown(text, &[young]);
        assert!(text.contains("tag-peer unknown\n"), "{text}");
        assert!(text.contains("origin unknown identity none pair-reason unknown\n"));
        assert!(text.contains("generation-local none generation-peer none\n"));
        assert!(text.contains("timer none retries 1 update none reap none\n"));
        assert!(!text.contains("history"));
        assert!(!text.contains("owner"));
    }

    #[test]
    fn an_array_for_programs() {
        assert_eq!(
            shown(json, &[context()]),
            concat!(
                r#"[{"ulid_local":"2001:db8:1::a","ulid_peer":"2001:db8:1::b","fii":0,"#,
                r#""state":"ESTABLISHED","#,
                r#""tag_local":"0000000000a1","tag_peer":"7fffffffffff","#,
                r#""locator_local":[{"address":"2001:db8:1::a","verification":"none","#,
                r#""priority":1,"weight":0,"broken":true,"transient":false,"#,
                r#""verified":false,"reachable":false,"acknowledged":true},"#,
                r#"{"address":"2001:db8:2::a","verification":"hba","#,
                r#""priority":0,"weight":10,"broken":false,"transient":true,"#,
                r#""verified":false,"reachable":false,"acknowledged":false}],"#,
                r#""locator_peer":[{"address":"2001:db8:1::b","verification":"none","#,
                r#""priority":0,"weight":0,"broken":false,"transient":false,"#,
                r#""verified":true,"reachable":true,"acknowledged":false}],"#,
                r#""current_local":"2001:db8:2::a","current_peer":"2001:db8:1::b","#,
                r#""last_tx_ms":1204,"last_rx_ms":null,"switches":3,"#,
                r#""origin":"responder","identity":"home","pair_reason":"handshake","#,
                r#""generation_local":5,"generation_peer":null,"timer_ms":4000,"retries":1,"#,
                r#""update_outstanding":true,"reap":"exploring","failure_detection":{"#,
                r#""send_timeout_ms":15000,"keepalives":true,"initial_probes":4,"#,
                r#""probe_timeout_ms":500,"hot_standby":true,"overridden":["hot-standby"],"#,
                r#""standby_local":"2001:db8:1::a","standby_peer":"2001:db8:1::b","ranking":["#,
                r#"{"local":"2001:db8:1::a","peer":"2001:db8:1::b","unusable":null,"#,
                r#""behind_in":null,"rank":{"shared":1,"wanted":0,"broken":0,"#,
                r#""peer_priority":2,"local_priority":0,"transient":0,"deprecated":false,"#,
                r#""labels_differ":false,"precedence":40,"ulids":true,"prefix":48}},"#,
                r#"{"local":"2001:db8:2::a","peer":"2001:db8:1::b","unusable":null,"#,
                r#""behind_in":"disjoint","rank":{"shared":2,"wanted":1,"broken":1,"#,
                r#""peer_priority":0,"local_priority":0,"transient":1,"deprecated":true,"#,
                r#""labels_differ":true,"precedence":0,"ulids":false,"prefix":0}},"#,
                r#"{"local":"2001:db8:2::a","peer":"2001:db8:1::a","#,
                r#""unusable":"peer-not-verified","behind_in":null,"rank":null}]},"owner_cookie":4106,"owner_inode":1234,"history":["#,
                r#"{"event":"state","state":"ESTABLISHED","cause":"message","age_ms":2500},"#,
                r#"{"event":"added","state":"I2-SENT","cause":"trigger","age_ms":61000}]}]"#,
                "\n"
            )
        );
    }

    #[test]
    fn an_array_of_nothing_is_an_array() {
        assert_eq!(shown(json, &[]), "[]\n");
    }

    #[test]
    fn numbers_of_64_bits_stay_exact() {
        let old = Context {
            last_rx: Some(Duration::from_millis(u64::MAX)),
            switches: u64::MAX,
            ..context()
        };
        let text = shown(json, &[old]);
        assert!(text.contains(r#""last_rx_ms":18446744073709551615"#));
        assert!(text.contains(r#""switches":18446744073709551615"#));
    }

    #[test]
    fn ages() {
        for (milliseconds, text) in [
            (0, "0 ms ago"),
            (999, "999 ms ago"),
            (1_000, "1.000 s ago"),
            (59_999, "59.999 s ago"),
            (60_000, "1 min 0 s ago"),
            (3_599_999, "59 min 59 s ago"),
            (3_600_000, "1 h 0 min ago"),
            (86_399_999, "23 h 59 min ago"),
            (86_400_000, "1 d 0 h ago"),
            (u64::MAX, "213503982334 d 14 h ago"),
        ] {
            assert_eq!(Age(Duration::from_millis(milliseconds)).to_string(), text);
        }
    }

    #[test]
    fn a_peer_that_is_left_alone() {
        let mut context = context();
        context.tag_local = None;
        context.state = State(5);
        context.timer = Some(Duration::from_secs(60));
        let mut out = Vec::new();
        text(&[context], &mut out).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(
            shown.ends_with("    state E-FAILED for another 1 min 0 s\n"),
            "{shown}"
        );
        assert_eq!(shown.lines().count(), 2);
    }
}
