// SPDX-License-Identifier: GPL-2.0

//! The order of pairs, criterion by criterion, and why a pair is none (RFC 5534, Sections 3.1, 3.2
//! and 4.3; RFC 6724).

use std::collections::BTreeMap;

use shim6_proto::{
    locator::{
        Locator,
        LocatorPair,
        Preference,
        PreferenceFlags, //
    },
    reap::{
        ranking::{
            Criterion,
            RankedPair,
            Ranking,
            Unusable, //
        },
        Action,
        Activity,
        Candidates,
        Constants,
        Hint,
        Reap,
        Step, //
    }, //
};

use crate::reap_support::*;

/// An address in text.
fn ip(text: &str) -> Locator {
    Locator::from(text.parse::<std::net::Ipv6Addr>().unwrap())
}

fn ranked(locators: &Locators, failed: Option<LocatorPair>, of: LocatorPair) -> RankedPair {
    Ranking::new(locators, &IDENTITY.ulids, failed)
        .find(&of)
        .unwrap_or_else(|| panic!("{of:?} is no candidate"))
}

/// Expects that the first pair is better, because of this.
#[track_caller]
fn better(
    locators: &Locators,
    failed: Option<LocatorPair>,
    first: LocatorPair,
    second: LocatorPair,
    criterion: Criterion,
) {
    let (a, b) = (
        ranked(locators, failed, first).rank,
        ranked(locators, failed, second).rank,
    );
    assert!(a < b, "{a} / {b}");
    assert_eq!(a.criterion(&b), Some(criterion), "{a} / {b}");
    assert_eq!(b.criterion(&a), Some(criterion));
    assert_eq!(a.criterion(&a), None);
}

fn all() -> Locators {
    Locators::new(&[A1, A2], &[B1, B2])
}

#[test]
fn disjoint_pairs_first() {
    let failed = Some(ULIDS);
    let disjoint = pair(A2, B2);
    // Even if everything else speaks against it.
    let mut locators = all();
    locators.peer_mut(B2).preference = broken();
    locators.local_mut(A1).is_wanted = true;
    for other in [pair(A1, B2), pair(A2, B1)] {
        better(&locators, failed, disjoint, other, Criterion::Disjoint);
        better(&locators, failed, other, ULIDS, Criterion::Disjoint);
    }
}

#[test]
fn wanted_locators_next() {
    let mut locators = all();
    locators.local_mut(A2).is_wanted = true;
    locators.peer_mut(B2).is_wanted = true;
    locators.peer_mut(B2).preference = broken();
    better(
        &locators,
        None,
        pair(A2, B2),
        pair(A1, B2),
        Criterion::Wanted,
    );
    better(&locators, None, pair(A2, B1), ULIDS, Criterion::Wanted);
}

#[test]
fn broken_locators_later() {
    let mut locators = all();
    locators.peer_mut(B1).preference = Preference {
        priority: Some(1),
        ..broken()
    };
    locators.peer_mut(B2).preference = priority(200);
    better(&locators, None, pair(A1, B2), ULIDS, Criterion::NotBroken);
}

#[test]
fn priorities_of_the_peer_before_ours() {
    let mut locators = all();
    locators.peer_mut(B1).preference = priority(2);
    locators.peer_mut(B2).preference = priority(1);
    locators.local_mut(A1).preference = priority(1);
    locators.local_mut(A2).preference = priority(2);
    better(
        &locators,
        None,
        pair(A2, B2),
        ULIDS,
        Criterion::PeerPriority,
    );
    better(
        &locators,
        None,
        pair(A1, B2),
        pair(A2, B2),
        Criterion::LocalPriority,
    );
}

#[test]
fn transient_locators_later() {
    let mut locators = all();
    locators.local_mut(A1).preference.flags = PreferenceFlags::TRANSIENT;
    better(
        &locators,
        None,
        pair(A2, B1),
        ULIDS,
        Criterion::NotTransient,
    );
}

#[test]
fn deprecated_locators_later() {
    let mut locators = all();
    locators.local_mut(A1).is_deprecated = true;
    better(
        &locators,
        None,
        pair(A2, B1),
        ULIDS,
        Criterion::NotDeprecated,
    );
}

/// Labels and precedences of RFC 6724, Section 2.1: a pair whose labels match goes before one whose
/// labels differ; else the peer's higher precedence.
#[test]
fn policy_table() {
    let rows = [
        ("2001:db8::1", 40, 1),
        ("2002:102:304::1", 30, 2),
        ("2001::1", 5, 5),
        ("fc00::1", 3, 13),
        ("fdff::1", 3, 13),
        ("3ffe::1", 1, 12),
        ("::102:304", 1, 3),
        ("2001:1::1", 40, 1),
        ("fe00::1", 40, 1),
    ];
    for (a, _, label_a) in rows {
        for (b, precedence, label_b) in rows {
            let locators = Locators::new(&[ip(a)], &[ip(b)]);
            let rank = ranked(&locators, None, pair(ip(a), ip(b))).rank;
            assert_eq!(rank.precedence.0, precedence, "{b}");
            assert_eq!(rank.labels_differ, label_a != label_b, "{a} {b}");
        }
    }
    let (unique_local, global) = (ip("fd00::1"), ip("2001:db8:a::1"));
    let locators = Locators::new(
        &[unique_local, global],
        &[ip("fd00::2"), ip("2001:db8:b::2")],
    );
    better(
        &locators,
        None,
        pair(global, ip("2001:db8:b::2")),
        pair(unique_local, ip("2001:db8:b::2")),
        Criterion::Label,
    );
    better(
        &locators,
        None,
        pair(global, ip("2001:db8:b::2")),
        pair(unique_local, ip("fd00::2")),
        Criterion::Precedence,
    );
}

#[test]
fn ulids_and_prefixes() {
    better(&all(), None, ULIDS, pair(A2, B2), Criterion::Ulids);

    let (near, far) = (ip("2001:db8:b:9::1"), ip("2001:db9::1"));
    let locators = Locators::new(&[near, far], &[B1]);
    better(
        &locators,
        None,
        pair(near, B1),
        pair(far, B1),
        Criterion::Prefix,
    );
    // Only the subnet prefix counts.
    let rank = |peer| ranked(&Locators::new(&[A1], &[peer]), None, pair(A1, peer)).rank;
    assert_eq!(rank(ip("2001:db8:a:1:ffff::1")).common_prefix.0, 64);
    assert_eq!(rank(ip("3001:db8:a:1::1")).common_prefix.0, 3);
}

/// Whatever the order: criteria that come first count, those behind do not.
#[test]
fn criteria_have_an_order() {
    let expected = [
        "disjoint",
        "wanted",
        "not_broken",
        "peer_priority",
        "local_priority",
        "not_transient",
        "not_deprecated",
        "label",
        "precedence",
        "ulids",
        "prefix",
    ];
    let names: Vec<&str> = Criterion::ALL.iter().map(|c| c.name()).collect();
    assert_eq!(names, expected);
}

#[test]
fn what_is_no_candidate() {
    let why = |locators: &Locators, of: LocatorPair| {
        let ranking = Ranking::new(locators, &IDENTITY.ulids, None);
        let found = ranking.all().find(|(pair, _)| *pair == of);
        found.unwrap().1.err()
    };
    let other = pair(A2, B2);
    assert_eq!(why(&all(), other), None);

    let mut locators = all();
    locators.local_mut(A2).is_operational = false;
    assert_eq!(why(&locators, other), Some(Unusable::LocalNotOperational));

    let mut locators = all();
    locators.local_mut(A2).is_acknowledged = false;
    locators.local_mut(A1).is_acknowledged = false;
    assert_eq!(why(&locators, other), Some(Unusable::LocalNotAcknowledged));
    assert_eq!(why(&locators, ULIDS), None);

    let mut locators = all();
    locators.peer_mut(B2).is_verified = false;
    locators.peer_mut(B1).is_verified = false;
    assert_eq!(why(&locators, other), Some(Unusable::PeerNotVerified));
    assert_eq!(why(&locators, ULIDS), None);

    for odd in [
        "fe80::1",
        "::1",
        "ff02::1",
        "fec0::1",
        "::ffff:1.2.3.4",
        "::",
    ] {
        let locators = Locators::new(&[A1, ip(odd)], &[B1, ip(odd)]);
        assert_eq!(
            why(&locators, pair(A1, ip(odd))),
            Some(Unusable::Scope),
            "{odd}"
        );
        assert_eq!(
            why(&locators, pair(ip(odd), B1)),
            Some(Unusable::Scope),
            "{odd}"
        );
    }
    // Not a locator of the context at all.
    let ranking_of = all();
    let ranking = Ranking::new(&ranking_of, &IDENTITY.ulids, None);
    assert_eq!(ranking.find(&pair(A1, FOREIGN)), None);
    assert_eq!(ranking.all().count(), 4);
    assert_eq!(ranking.usable().count(), 4);
}

/// Lists that are longer than the limit do no harm.
#[test]
fn many_locators() {
    struct Endless;
    impl Candidates for Endless {
        fn local(&self, index: usize) -> Option<shim6_proto::reap::ranking::LocalCandidate> {
            Some(local(address(0xa, u8::try_from(index % 250).unwrap())))
        }
        fn peer(&self, index: usize) -> Option<shim6_proto::reap::ranking::PeerCandidate> {
            Some(peer(address(0xb, u8::try_from(index % 250).unwrap())))
        }
    }
    let ranking = Ranking::new(&Endless, &IDENTITY.ulids, None);
    assert_eq!(ranking.usable().count(), 32 * 32);
}

/// All of 1,024 pairs are tried, and none twice, before the first is tried again.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn no_pair_is_skipped() {
    let locators = |host: u8| (1..=32).map(|n| address(host, n)).collect::<Vec<_>>();
    let mut bench = Bench::new();
    bench.locators = Locators::new(&locators(0xa), &locators(0xb));
    bench.constants.max_probe_timeout = bench.constants.initial_probe_timeout;
    let mut actions = bench.hint();
    for round in 1..=3 {
        let mut seen = BTreeMap::new();
        loop {
            for (_, pair) in probes(&actions) {
                *seen.entry((pair.local, pair.peer)).or_insert(0) += 1;
            }
            let now = bench.elapsed() + 1_000;
            actions = bench.run_until(now).into_iter().map(|(_, a)| a).collect();
            let over = actions.iter().position(|a| *a == Action::RoundOver);
            if let Some(over) = over {
                for (_, pair) in probes(&actions[..over]) {
                    *seen.entry((pair.local, pair.peer)).or_insert(0) += 1;
                }
                actions.drain(..over);
                break;
            }
        }
        assert_eq!(seen.len(), 1024, "{round}");
        assert!(seen.values().all(|number| *number == 1), "{round}");
    }
}

/// Among equals each has its share by weight, as with SRV records.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn weights() {
    let with_weight = |weight: u8| Preference {
        priority: Some(0),
        weight: Some(weight),
        ..Preference::default()
    };
    // Four locators of the peer that differ in nothing but the weight.
    let peers: Vec<Locator> = (1..=4).map(|n| ip(&format!("2001:db8:b::{n}"))).collect();
    let mut firsts = BTreeMap::new();
    let mut locators = Locators::new(&[A2], &peers);
    for (peer, weight) in peers.iter().zip([0, 9, 29, 59]) {
        locators.peer_mut(*peer).preference = with_weight(weight);
    }
    let mut dice = Dice(1);
    for _ in 0..4_000 {
        let mut step = Step {
            constants: &Constants::default(),
            ulids: &IDENTITY.ulids,
            now: START,
            random: &mut dice,
            candidates: &locators,
            activity: Activity::default(),
            probe_delay: ms(0),
        };
        let actions = Reap::new(ULIDS, START).hint(&mut step, Hint::TcpTimeout);
        let actions: Vec<Action> = actions.iter().collect();
        *firsts.entry(probes(&actions)[0].1.peer).or_insert(0) += 1;
    }
    // 1, 10, 30 and 60 of 101.
    for (peer, share) in peers.iter().zip([1, 10, 30, 60]) {
        let expected = share * 4_000 / 101;
        let number = firsts.get(peer).copied().unwrap_or(0);
        let tolerance = 60 + expected / 5;
        assert!(i32::abs(number - expected) < tolerance, "{share}: {number}");
    }
    assert!(firsts.get(&peers[0]).is_some_and(|number| *number > 0));
}

/// The explanation has all that is special.
#[test]
fn explanation() {
    let mut locators = all();
    locators.local_mut(A2).preference.flags = PreferenceFlags::new(3);
    locators.local_mut(A2).is_deprecated = true;
    locators.peer_mut(B2).is_wanted = true;
    locators.peer_mut(B2).preference = priority(7);
    let rank = ranked(&locators, Some(ULIDS), pair(A2, B2)).rank;
    assert_eq!(
        rank.to_string(),
        "shared 0 wanted 1 broken priority 7/0 transient deprecated precedence 40 prefix 47"
    );
    let rank = ranked(&all(), None, ULIDS).rank;
    assert_eq!(
        rank.to_string(),
        "shared 0 wanted 0 priority 0/0 precedence 40 ulids prefix 47"
    );
}
