// SPDX-License-Identifier: GPL-2.0

//! What may keep Shim6 from working on a host, and what to do about it. Each check is a function of
//! what was read, and gives findings; [`firewall`] knows about nftables.

pub(crate) mod firewall;

use std::fmt;
use std::io::{
    self,
    Write, //
};
use std::net::Ipv6Addr;

use serde::{
    Serialize,
    Serializer, //
};

use crate::context::words::State;
use crate::context::Context;
use crate::identity::LocalIdentity;
use crate::output::{
    Colour,
    Paint, //
};
use crate::provision::{
    Note,
    Plan, //
};
use crate::rtnl::{
    interface_name,
    Scene, //
};
use crate::stats::Counter;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Something will not work in some case.
    Warning,
    /// Something does not work.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The checks. Their words are part of the schema of `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Check {
    Kernel,
    Module,
    Configuration,
    Identities,
    Addresses,
    Routes,
    Mtu,
    Firewall,
    Peers,
    Counters,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kernel => "kernel",
            Self::Module => "module",
            Self::Configuration => "configuration",
            Self::Identities => "identities",
            Self::Addresses => "addresses",
            Self::Routes => "routes",
            Self::Mtu => "mtu",
            Self::Firewall => "firewall",
            Self::Peers => "peers",
            Self::Counters => "counters",
        })
    }
}

/// What a check found. The fields are the schema of `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) level: Level,
    pub(crate) text: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

impl Finding {
    pub(crate) fn new(check: Check, level: Level, text: impl Into<String>) -> Self {
        Self {
            check,
            level,
            text: text.into(),
            advice: None,
        }
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Writes a line per finding, and one below it that says what to do.
pub(crate) fn text(findings: &[Finding], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let Finding {
            check,
            level,
            text,
            advice,
        } = finding;
        let colour = match level {
            Level::Ok => Colour::Green,
            Level::Note => Colour::Bold,
            Level::Warning => Colour::Yellow,
            Level::Error => Colour::Red,
        };
        let level = paint.paint(colour, &format!("{level:8}"));
        writeln!(out, "{level} {check:14} {text}")?;
        if let Some(advice) = advice {
            writeln!(out, "{:23} -> {advice}", "")?;
        }
    }
    Ok(())
}

/// Identities: whether there are any, and whether the host has their addresses.
pub(crate) fn identities(identities: &[LocalIdentity], scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    if identities.is_empty() {
        findings.push(
            Finding::new(
                Check::Identities,
                Level::Warning,
                "there is no identity: this host can prove no locators, and only its peers can move",
            )
            .advise(
                "shim6 hba generate --prefix ... --output FILE, name the file in \
                 /etc/shim6/shim6.toml, shim6 apply",
            ),
        );
    }
    for identity in identities {
        let name = &identity.name;
        let addresses = &identity.description.addresses;
        let here: Vec<_> = addresses
            .iter()
            .filter(|address| scene.addresses.iter().any(|it| it.address == **address))
            .collect();
        let found = format!(
            "identity {name}: {} of {} addresses",
            here.len(),
            addresses.len()
        );
        findings.push(match here.len() {
            0 => Finding::new(
                Check::Identities,
                Level::Error,
                format!("{found} are on this host"),
            )
            .advise("shim6 hba apply, or start the service shim6"),
            1 if identity.signs && scene.addresses.len() > 1 => Finding::new(
                Check::Identities,
                Level::Ok,
                format!("{found}; its key signs for others"),
            ),
            1 => Finding::new(
                Check::Identities,
                Level::Warning,
                format!("{found} is on this host: there is no other way"),
            )
            .advise("shim6 hba apply says what the others lack"),
            _ => Finding::new(
                Check::Identities,
                Level::Ok,
                format!("{found} are on this host"),
            ),
        });
    }
    findings
}

/// What the plan for the addresses says about them.
pub(crate) fn addresses(plan: &Plan, unusual_source: Option<Ipv6Addr>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for note in &plan.notes {
        let (check, level) = match note {
            Note::Duplicate(..) => (Check::Addresses, Level::Error),
            Note::NoInterface(_) => (Check::Addresses, Level::Warning),
            Note::NoGateway(..) | Note::SeveralGateways(..) => (Check::Routes, Level::Warning),
        };
        findings.push(Finding::new(check, level, note.to_string()));
    }
    if let Some(source) = unusual_source {
        findings.push(
            Finding::new(
                Check::Addresses,
                Level::Warning,
                format!(
                    "programs that do not choose get {source} for connections to the Internet, which \
                     is in no identity: this host can prove nothing for them"
                ),
            )
            .advise(
                "assign the addresses of the identity after others (shim6 hba apply), or have \
                 programs bind to one",
            ),
        );
    }
    findings
}

/// An address, where its packets go to the Internet, and where they should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) address: Ipv6Addr,
    /// The interface that has its prefix.
    pub(crate) expected: u32,
    /// The interface that the kernel would use; [`None`] without a route.
    pub(crate) actual: Option<u32>,
}

/// Whether each source leaves by its own provider.
pub(crate) fn routes(ways: &[Way]) -> Vec<Finding> {
    let advice = "shim6 hba apply makes rules and routes, or start the service shim6";
    let mut findings: Vec<_> = ways
        .iter()
        .filter_map(|way| {
            let Way {
                address,
                expected,
                actual,
            } = way;
            let expected_name = interface_name(*expected);
            match actual {
                Some(actual) if actual == expected => None,
                Some(actual) => Some(format!(
                    "packets from {address} leave by {}, and its provider is on {expected_name}: \
                     other providers drop them",
                    interface_name(*actual)
                )),
                None => Some(format!("packets from {address} have no route")),
            }
        })
        .map(|text| Finding::new(Check::Routes, Level::Error, text).advise(advice))
        .collect();
    if findings.is_empty() && !ways.is_empty() {
        findings.push(Finding::new(
            Check::Routes,
            Level::Ok,
            "each address leaves by its own provider",
        ));
    }
    findings
}

/// The least MTU of an interface: 1280 and the payload extension header.
const LEAST_MTU: u32 = 1288;

/// MTUs of interfaces, by their names.
pub(crate) fn mtu(mtus: &[(String, u32)]) -> Vec<Finding> {
    mtus.iter()
        .map(|(interface, mtu)| match *mtu < LEAST_MTU {
            true => Finding::new(
                Check::Mtu,
                Level::Warning,
                format!("{interface} takes packets of {mtu} octets"),
            )
            .advise(format!(
                "{LEAST_MTU} or more, or datagrams of 1273 octets and more are fragmented below the \
                 shim header, which some firewalls drop"
            )),
            false => Finding::new(Check::Mtu, Level::Ok, format!("{interface}: {mtu}")),
        })
        .collect()
}

/// Peers that do not answer.
pub(crate) fn peers(contexts: &[Context]) -> Vec<Finding> {
    let state = |context: &Context, states: &[u8]| {
        let State(state) = context.state;
        states.contains(&state)
    };
    let mut findings: Vec<_> = contexts
        .iter()
        .filter(|it| {
            state(
                it,
                &[crate::abi::state::E_FAILED, crate::abi::state::NO_SUPPORT],
            )
        })
        .map(|context| {
            let peer = context.identity.ulid_peer;
            match context.state.0 == crate::abi::state::NO_SUPPORT {
                true => Finding::new(
                    Check::Peers,
                    Level::Warning,
                    format!("{peer} says that it does not know Shim6"),
                )
                .advise("load the module there"),
                false => Finding::new(
                    Check::Peers,
                    Level::Warning,
                    format!("{peer} did not answer"),
                )
                .advise(
                    "load the module there, set net.shim6.establish to on-request or auto, and \
                     have firewalls on the way pass next header 140",
                ),
            }
        })
        .collect();
    let established = contexts
        .iter()
        .filter(|it| state(it, &[crate::abi::state::ESTABLISHED]))
        .count();
    if established > 0 {
        findings.push(Finding::new(
            Check::Peers,
            Level::Ok,
            format!("{established} contexts are established"),
        ));
    }
    findings
}

/// Counters that should stand at zero, and what to do when they do not.
const SUSPICIOUS: &[(&str, &str)] = &[
    (
        "OutNoRoute",
        "shim6 doctor shows routes; a default route for each provider is needed",
    ),
    (
        "OutControlFailed",
        "a firewall of this host drops next header 140 in OUTPUT, or a route is missing",
    ),
    (
        "OutConntrackRefused",
        "look at the rules of this host about conntrack",
    ),
    (
        "LastResortFailed",
        "look at the kernel's log; contexts whose ULID has no route do not work",
    ),
    (
        "InUnknownTag",
        "packets of contexts that this host has lost; peers recover them",
    ),
    (
        "ControlQueueFull",
        "somebody floods this host with control messages",
    ),
    (
        "RequestQueueFull",
        "more connections ask for contexts than can be served",
    ),
    ("ContextTableFull", "raise net.shim6.max_contexts"),
    ("ForkTableFull", "raise net.shim6.max_forks"),
    (
        "AnswerLimitedHost",
        "raise net.shim6.r1_rate or net.shim6.answer_rate if the peers are real",
    ),
    ("Drop_checksum", "a device on the way changes Shim6 headers"),
    (
        "Refuse_no_set",
        "a peer's file of an identity is that of another host",
    ),
    (
        "Refuse_not_in_set",
        "a peer has addresses that are not of its set",
    ),
];

/// What the counters tell.
pub(crate) fn counters(counters: &[Counter]) -> Vec<Finding> {
    SUSPICIOUS
        .iter()
        .filter_map(|(name, advice)| {
            let counter = counters
                .iter()
                .find(|it| it.name == *name && it.value > 0)?;
            let text = format!("{name} is {}: {}", counter.value, counter.about());
            Some(Finding::new(Check::Counters, Level::Note, text).advise(*advice))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read::tests::pds;
    use crate::pds::describe::Description;
    use crate::rtnl::{
        Address,
        Lifetimes, //
    };

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    fn identity(signs: bool) -> LocalIdentity {
        LocalIdentity {
            name: "home".into(),
            signs,
            description: Description::of(&pds("hostA")).unwrap(),
        }
    }

    fn scene(addresses: &[Ipv6Addr]) -> Scene {
        let address = |address: &Ipv6Addr| Address {
            interface: 1,
            address: *address,
            len: 64,
            lifetimes: Lifetimes::default(),
            duplicate: false,
            ours: false,
        };
        Scene {
            addresses: addresses.iter().map(address).collect(),
            ..Scene::default()
        }
    }

    fn levels(findings: &[Finding]) -> Vec<Level> {
        findings.iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn identities_and_their_addresses() {
        let all = identity(false).description.addresses;
        let of = |signs, addresses: &[Ipv6Addr]| {
            levels(&identities(&[identity(signs)], &scene(addresses)))
        };
        assert_eq!(levels(&identities(&[], &scene(&all))), [Level::Warning]);
        assert_eq!(of(false, &[]), [Level::Error]);
        assert_eq!(of(false, &all[..1]), [Level::Warning]);
        assert_eq!(of(false, &all), [Level::Ok]);
        let other = [all[0], ip("2001:db8:f::1")];
        assert_eq!(of(true, &other), [Level::Ok]);
        assert_eq!(of(false, &other), [Level::Warning]);
    }

    #[test]
    fn what_the_plan_notes() {
        let plan = Plan {
            notes: vec![
                Note::NoInterface(ip("2001:db8::1")),
                Note::NoGateway(ip("2001:db8::1"), "up1".into()),
                Note::Duplicate(ip("2001:db8::1"), "up1".into()),
            ],
            ..Plan::default()
        };
        let found = addresses(&plan, Some(ip("2001:db8::2")));
        assert_eq!(
            levels(&found),
            [Level::Warning, Level::Warning, Level::Error, Level::Warning]
        );
        assert!(found[3].text.contains("2001:db8::2"));
        assert_eq!(addresses(&Plan::default(), None), []);
    }

    #[test]
    fn ways_out() {
        let way = |actual| Way {
            address: ip("2001:db8::1"),
            expected: 1001,
            actual,
        };
        assert_eq!(routes(&[]), []);
        assert_eq!(levels(&routes(&[way(Some(1001))])), [Level::Ok]);
        let found = routes(&[way(Some(1001)), way(Some(1002)), way(None)]);
        assert_eq!(levels(&found), [Level::Error, Level::Error]);
        assert!(found[0].text.contains("leave by 1002"));
    }

    #[test]
    fn small_packets() {
        let found = mtu(&[("a".into(), 1287), ("b".into(), 1288)]);
        assert_eq!(levels(&found), [Level::Warning, Level::Ok]);
    }

    #[test]
    fn peers_that_do_not_answer() {
        let mut contexts = vec![crate::context::show::tests::context(); 3];
        contexts[1].state = State(5);
        contexts[2].state = State(6);
        assert_eq!(
            levels(&peers(&contexts)),
            [Level::Warning, Level::Warning, Level::Ok]
        );
        assert_eq!(peers(&[]), []);
    }

    #[test]
    fn suspicious_counters_are_counters() {
        for (name, _) in SUSPICIOUS {
            let counter = Counter {
                name: (*name).to_owned(),
                value: 3,
            };
            assert!(!counter.about().is_empty(), "{name}");
            let found = counters(&[counter]);
            assert!(found[0].text.starts_with(&format!("{name} is 3: ")));
        }
        let zero = Counter {
            name: "OutNoRoute".into(),
            value: 0,
        };
        assert_eq!(counters(&[zero]), []);
    }

    #[test]
    fn for_people_and_for_programs() {
        let findings = [
            Finding::new(Check::Kernel, Level::Ok, "Linux 7.3"),
            Finding::new(Check::Mtu, Level::Warning, "small").advise("larger"),
        ];
        let mut out = Vec::new();
        text(&findings, Paint::plain(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
ok       kernel         Linux 7.3
warning  mtu            small
                        -> larger
"
        );
        assert_eq!(
            serde_json::to_string(&findings[1]).unwrap(),
            r#"{"check":"mtu","level":"warning","text":"small","advice":"larger"}"#
        );
    }
}
