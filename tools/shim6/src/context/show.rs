// SPDX-License-Identifier: GPL-2.0

//! Contexts on standard output: one block of lines each for people, or a JSON array for programs.

use std::fmt;
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;
use std::time::Duration;

use super::{
    Context,
    Locator, //
};

/// Writes an array of objects and a line end.
pub(crate) fn json(contexts: &[Context], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, contexts)?;
    writeln!(out)
}

/// Writes a block per context. `*` marks the current pair.
pub(crate) fn text(contexts: &[Context], out: &mut dyn Write) -> io::Result<()> {
    for context in contexts {
        let Context {
            identity,
            state,
            tag_local,
            switches,
            ..
        } = context;
        writeln!(out, "context {identity}")?;
        writeln!(out, "    state {state} switches {switches}")?;
        write!(out, "    tag-local {tag_local} tag-peer ")?;
        match context.tag_peer {
            Some(tag_peer) => writeln!(out, "{tag_peer}")?,
            None => writeln!(out, "unknown")?,
        }
        let last_tx = Age(context.last_tx);
        let last_rx = Age(context.last_rx);
        writeln!(out, "    last-tx {last_tx}, last-rx {last_rx}")?;
        writeln!(out, "    locator-local")?;
        list(&context.locator_local, context.current_local, out)?;
        writeln!(out, "    locator-peer")?;
        list(&context.locator_peer, context.current_peer, out)?;
    }
    Ok(())
}

fn list(locators: &[Locator], current: Ipv6Addr, out: &mut dyn Write) -> io::Result<()> {
    for locator in locators {
        let Locator {
            address,
            verification,
            priority,
            weight,
            broken,
            transient,
        } = locator;
        let mark = if *address == current { '*' } else { ' ' };
        write!(
            out,
            "      {mark} {address} verification {verification} priority {priority} weight {weight}"
        )?;
        if *broken {
            write!(out, " broken")?;
        }
        if *transient {
            write!(out, " transient")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// How long ago something happened, in the two largest units that say something.
struct Age(Option<Duration>);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;

        let Some(age) = self.0 else {
            return f.write_str("never");
        };
        let seconds = age.as_secs();
        match seconds {
            0 => write!(f, "{} ms ago", age.subsec_millis()),
            1..MINUTE => write!(f, "{seconds}.{:03} s ago", age.subsec_millis()),
            MINUTE..HOUR => write!(f, "{} min {} s ago", seconds / MINUTE, seconds % MINUTE),
            HOUR..DAY => {
                let minutes = seconds % HOUR / MINUTE;
                write!(f, "{} h {minutes} min ago", seconds / HOUR)
            }
            DAY.. => {
                let hours = seconds % DAY / HOUR;
                write!(f, "{} d {hours} h ago", seconds / DAY)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        ContextTag,
        Identity,
        State,
        Verification, //
    };
    use super::*;

    fn context() -> Context {
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
            tag_local: ContextTag::new(0xa1).unwrap(),
            tag_peer: ContextTag::new(0x7fff_ffff_ffff),
            locator_local: vec![
                Locator {
                    priority: 1,
                    broken: true,
                    ..Locator::new(a1)
                },
                Locator {
                    verification: Verification::Hba,
                    weight: 10,
                    transient: true,
                    ..Locator::new(a2)
                },
            ],
            locator_peer: vec![Locator::new(b1)],
            current_local: a2,
            current_peer: b1,
            last_tx: Some(Duration::from_millis(1204)),
            last_rx: None,
            switches: 3,
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
    locator-local
        2001:db8:1::a verification none priority 1 weight 0 broken
      * 2001:db8:2::a verification hba priority 0 weight 10 transient
    locator-peer
      * 2001:db8:1::b verification none priority 0 weight 0
"
        );
    }

    #[test]
    fn nothing_for_people_is_nothing() {
        assert_eq!(shown(text, &[]), "");
    }

    #[test]
    fn a_peer_tag_that_is_not_known_yet() {
        let young = Context {
            tag_peer: None,
            ..context()
        };
        assert!(shown(text, &[young]).contains("tag-peer unknown\n"));
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
                r#""priority":1,"weight":0,"broken":true,"transient":false},"#,
                r#"{"address":"2001:db8:2::a","verification":"hba","#,
                r#""priority":0,"weight":10,"broken":false,"transient":true}],"#,
                r#""locator_peer":[{"address":"2001:db8:1::b","verification":"none","#,
                r#""priority":0,"weight":0,"broken":false,"transient":false}],"#,
                r#""current_local":"2001:db8:2::a","current_peer":"2001:db8:1::b","#,
                r#""last_tx_ms":1204,"last_rx_ms":null,"switches":3}]"#,
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
            assert_eq!(
                Age(Some(Duration::from_millis(milliseconds))).to_string(),
                text
            );
        }
    }
}
