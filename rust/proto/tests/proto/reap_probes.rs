// SPDX-License-Identifier: GPL-2.0

//! What Probes list, which reports are believed, and which pair is chosen from them (RFC 5534,
//! Sections 5.2, 6.8 and 8).

use shim6_proto::{
    compose,
    number::Nonce,
    reap::{
        Action,
        State,
        SwitchReason, //
    },
    wire::{
        build::BuildError,
        probe::{
            ProbeRecord,
            ProbeState, //
        }, //
    }, //
};

use crate::reap_support::*;

const EXPLORING: ProbeState = ProbeState::Exploring;
const INBOUND_OK: ProbeState = ProbeState::InboundOk;
const OPERATIONAL: ProbeState = ProbeState::Operational;

/// The only Probe among actions.
#[track_caller]
fn the_probe(actions: &[Action]) -> &Action {
    let mut probes = actions
        .iter()
        .filter(|action| matches!(action, Action::Probe { .. }));
    let probe = probes.next().expect("a Probe");
    assert_eq!(probes.next(), None);
    probe
}

/// The record of the Probe among actions.
fn record(actions: &[Action]) -> ProbeRecord {
    let Action::Probe { pair, nonce, .. } = the_probe(actions) else {
        unreachable!()
    };
    our_record(*pair, *nonce)
}

/// The first sent record is the message itself, the others are those not yet reported; received
/// records are copies.
#[test]
fn contents() {
    let mut bench = Bench::in_state(State::Operational);
    let first = bench.hint();
    let said = bench.says(the_probe(&first));
    assert_eq!(said.state, EXPLORING);
    assert_eq!(said.sent, [record(&first)]);
    assert_eq!(said.received, []);

    let their = |nonce: u32, data: u32| ProbeRecord {
        data,
        ..their_record(pair(A2, B2), nonce)
    };
    let octets = probe_octets(&Said {
        state: EXPLORING,
        sent: vec![their(5, 0xdead_beef), their(4, 0)],
        received: vec![],
    });
    let second = bench.probe_in(&octets, &from_peer(pair(A2, B2)));
    let said = bench.says(the_probe(&second));
    assert_eq!(said.state, INBOUND_OK);
    assert_eq!(said.sent, [record(&second), record(&first)]);
    // The data is copied unchanged, and what the peer only says that it sent is not received.
    assert_eq!(said.received, [their(5, 0xdead_beef)]);

    let third = bench.probe(ULIDS, INBOUND_OK, 6, &[record(&first)]);
    let said = bench.says(the_probe(&third));
    assert_eq!(said.state, OPERATIONAL);
    assert_eq!(said.sent, [record(&third), record(&second)]);
    assert_eq!(
        said.received,
        [their_record(ULIDS, 6), their(5, 0xdead_beef)]
    );
}

/// Entering InboundOk without a probe of the peer, there is none to report.
#[test]
fn nothing_to_report() {
    let mut bench = Bench::in_state(State::Exploring);
    let actions = bench.receive();
    let said = bench.says(the_probe(&actions));
    assert_eq!((said.state, said.received), (INBOUND_OK, vec![]));
}

/// There is room for 15 records of each kind, and the message is short enough with them.
#[test]
fn at_most_fifteen_records() {
    let mut bench = Bench::in_state(State::InboundOk);
    for nonce in 100..130 {
        bench.set_clock(u64::from(nonce) * 1000);
        let actions = bench.probe(pair(A2, B2), EXPLORING, nonce, &[]);
        let said = bench.says(the_probe(&actions));
        assert_eq!(said.sent[0], record(&actions));
        assert_eq!(said.received[0], their_record(pair(A2, B2), nonce));
        assert!(bench.composed(the_probe(&actions)).len() <= 1216);
        if nonce > 120 {
            assert_eq!((said.sent.len(), said.received.len()), (15, 15));
        }
    }
}

/// A Probe that comes twice is reported once.
#[test]
fn repeated_probe() {
    let mut bench = Bench::in_state(State::Exploring);
    bench.probe(ULIDS, EXPLORING, 1, &[]);
    let actions = bench.probe(ULIDS, EXPLORING, 1, &[]);
    let said = bench.says(the_probe(&actions));
    assert_eq!(said.received, [their_record(ULIDS, 1)]);
}

/// Received probes count from the last transition to Exploring, sent ones from the last departure
/// from Operational.
#[test]
fn lists_are_cleared() {
    let mut bench = Bench::in_state(State::InboundOk);
    bench.run_until(20_000);
    assert_eq!(bench.reap.state(), State::Exploring);
    let actions = bench.receive();
    let said = bench.says(the_probe(&actions));
    assert_eq!(said.received, []);
    assert!(said.sent.len() > 5, "{said:?}");

    bench.probe(ULIDS, INBOUND_OK, 9, &[]);
    assert_eq!(bench.reap.state(), State::Operational);
    let actions = bench.probe(ULIDS, EXPLORING, 10, &[]);
    let said = bench.says(the_probe(&actions));
    assert_eq!(said.sent, [record(&actions)]);
    assert_eq!(said.received, [their_record(ULIDS, 10)]);
}

/// The lists are kept for 10 seconds after the exploration, so that a report which is late is
/// believed, and no longer.
#[test]
fn late_reports() {
    for (late, is_believed) in [(9_900, true), (10_100, false)] {
        let (mut bench, first) = exploring();
        assert_eq!(bench.run_until(400), []);
        bench.probe(ULIDS, INBOUND_OK, 1, &[]);
        assert_eq!(bench.reap.pair(), ULIDS);

        bench.set_clock(400 + late);
        let actions = bench.probe(ULIDS, INBOUND_OK, 2, &[first]);
        assert_eq!(
            actions.contains(&Action::Reported),
            is_believed,
            "{actions:?}"
        );
        let switched = if is_believed {
            vec![pair(A2, B2)]
        } else {
            vec![]
        };
        assert_eq!(switches(&actions), switched);
    }
}

/// A context that explores, and the record of its first probe, which went over A2 and B2.
fn exploring() -> (Bench, ProbeRecord) {
    let mut bench = Bench::in_state(State::Operational);
    let first = record(&bench.hint());
    assert_eq!(first, our_record(pair(A2, B2), first.nonce));
    (bench, first)
}

/// A report is believed only of a probe that was sent: these addresses and this nonce (R-14,
/// scenario S35). The state changes all the same, as the RFC says.
#[test]
fn reports_of_others_are_not_believed() {
    let (_, first) = exploring();
    let forged = [
        ProbeRecord {
            nonce: Nonce::new(first.nonce.get() + 1),
            ..first
        },
        ProbeRecord {
            source: A1,
            ..first
        },
        ProbeRecord {
            destination: B1,
            ..first
        },
        ProbeRecord {
            source: B2,
            destination: A2,
            ..first
        },
    ];
    for record in forged {
        for state in [INBOUND_OK, OPERATIONAL] {
            let (mut bench, _) = exploring();
            let actions = bench.probe(ULIDS, state, 1, &[record]);
            assert_eq!(switches(&actions), []);
            assert!(!actions.contains(&Action::Reported));
            assert!(actions.contains(&Action::Unbelieved(1)));
            assert_eq!(bench.reap.pair(), ULIDS);
            assert_eq!(bench.reap.state(), State::Operational);
            assert_eq!(bench.reap.reported().next(), None);
        }
    }
}

/// What was reported proves that the peer is there, once (RFC 5533, Section 7.2).
#[test]
fn return_routability() {
    let (mut bench, first) = exploring();
    let actions = bench.probe(ULIDS, EXPLORING, 1, &[first]);
    assert!(actions.contains(&Action::Reported));
    assert_eq!(bench.reap.reported().collect::<Vec<_>>(), [pair(A2, B2)]);
    let actions = bench.probe(ULIDS, EXPLORING, 2, &[first]);
    assert!(!actions.contains(&Action::Reported));
    // And still it may be chosen.
    let actions = bench.probe(ULIDS, INBOUND_OK, 3, &[first]);
    assert_eq!(switches(&actions), [pair(A2, B2)]);
}

/// An exploration with all four pairs probed, and the records of these probes.
fn all_probed() -> (Bench, Vec<ProbeRecord>) {
    let mut bench = Bench::new();
    let mut actions = bench.hint();
    actions.extend(bench.run_until(1_600).into_iter().map(|(_, action)| action));
    let records: Vec<ProbeRecord> = actions
        .iter()
        .filter_map(|action| match action {
            Action::Probe { pair, nonce, .. } => Some(our_record(*pair, *nonce)),
            _ => None,
        })
        .collect();
    assert_eq!(records.len(), 4);
    (bench, records)
}

/// A Probe that reports only what was sent before what has been reported knows less than is known:
/// another one of the peer has overtaken it, and what it reports may have failed since.
#[test]
fn an_overtaken_report_moves_nothing() {
    let (mut bench, records) = all_probed();
    let (older, newer) = (records[0], records[2]);
    let actions = bench.probe(ULIDS, INBOUND_OK, 4, &[newer]);
    assert_eq!(switches(&actions), [pair(newer.source, newer.destination)]);

    let actions = bench.probe(ULIDS, INBOUND_OK, 3, &[older]);
    assert_eq!(switches(&actions), []);
    let actions = bench.probe(ULIDS, INBOUND_OK, 5, &[older, newer]);
    assert_eq!(switches(&actions), []);
}

/// The current pair is kept if it is reported, whatever else is (RFC 5534, Section 6.8).
#[test]
fn the_current_pair_is_kept() {
    for state in [INBOUND_OK, OPERATIONAL] {
        let (mut bench, records) = all_probed();
        let actions = bench.probe(ULIDS, state, 1, &records);
        assert_eq!(switches(&actions), []);
        assert_eq!(bench.reap.pair(), ULIDS);
    }
}

/// Else the best of those that are reported.
#[test]
fn the_best_is_chosen() {
    for state in [INBOUND_OK, OPERATIONAL] {
        let (mut bench, records) = all_probed();
        // The order of the exploration: nothing in common, one, one, the current pair.
        let actions = bench.probe(ULIDS, state, 1, &records[..3]);
        assert_eq!(switches(&actions), [pair(A2, B2)]);
        let reason = SwitchReason::Reported;
        let pair = pair(A2, B2);
        assert!(actions.contains(&Action::Switch { pair, reason }));

        let (mut bench, records) = all_probed();
        bench.prefer(priority(1), priority(2));
        let actions = bench.probe(ULIDS, state, 1, &records[1..3]);
        assert_eq!(switches(&actions)[0].peer, B1);
    }
}

/// Only what may be used is chosen.
#[test]
fn what_may_not_be_used_is_not_chosen() {
    let spoil: [fn(&mut Bench); 4] = [
        |bench| bench.locators.peer_mut(B2).is_verified = false,
        |bench| bench.locators.local_mut(A2).is_operational = false,
        |bench| bench.locators.local_mut(A2).is_acknowledged = false,
        |bench| bench.locators.peers.truncate(1),
    ];
    for spoil in spoil {
        let (mut bench, records) = all_probed();
        spoil(&mut bench);
        let actions = bench.probe(ULIDS, INBOUND_OK, 1, &records[..1]);
        assert_eq!(switches(&actions), []);
        assert_eq!(bench.reap.pair(), ULIDS);
    }
}

/// In Operational too a Probe InboundOk can bring another pair; a Probe Operational cannot.
#[test]
fn choice_in_operational() {
    let (mut bench, records) = all_probed();
    bench.probe(ULIDS, INBOUND_OK, 1, &[]);
    assert_eq!(bench.reap.state(), State::Operational);
    let actions = bench.probe(ULIDS, OPERATIONAL, 2, &records[..1]);
    assert_eq!(switches(&actions), []);
    let actions = bench.probe(ULIDS, INBOUND_OK, 3, &records[..1]);
    assert_eq!(switches(&actions), [pair(A2, B2)]);
    assert_eq!(actions.last(), Some(&Action::Resume));
    // The answer goes over the new pair.
    assert_eq!(probes(&actions), [(OPERATIONAL, pair(A2, B2))]);
}

/// One answer for each Probe, and ten in a second; other events are as before.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn a_storm_is_not_answered() {
    for state in [EXPLORING, INBOUND_OK] {
        let mut bench = Bench::new();
        let mut answers = 0;
        for nonce in 0..1_000 {
            bench.set_clock(u64::from(nonce));
            let actions = bench.probe(ULIDS, state, nonce, &[]);
            let number = probes(&actions).len();
            assert!(number <= 1);
            assert_eq!(actions.contains(&Action::NotAnswered), number == 0);
            answers += number;
        }
        assert_eq!(answers, 10);
        bench.set_clock(1_000);
        assert_eq!(probes(&bench.probe(ULIDS, state, 5_000, &[])).len(), 1);
    }
}

/// A Probe Operational is never answered.
#[test]
fn content_is_not_answered() {
    for state in [State::Operational, State::Exploring, State::InboundOk] {
        let mut bench = Bench::in_state(state);
        assert_eq!(probes(&bench.probe(ULIDS, OPERATIONAL, 1, &[])), []);
    }
}

/// Nobody can compose a Probe that was not sent.
#[test]
fn only_what_was_sent_is_composed() {
    let (bench, first) = exploring();
    let mut buffer = [0; 1280];
    let nonce = Nonce::new(1);
    let composed = compose::probe(&mut buffer, PEER, EXPLORING, nonce, &bench.reap);
    assert_eq!(composed, Err(BuildError::Count));
    let nonce = first.nonce;
    let mut small = [0; 50];
    let composed = compose::probe(&mut small, PEER, EXPLORING, nonce, &bench.reap);
    assert_eq!(composed, Err(BuildError::NoRoom));
    assert_eq!(
        compose::keepalive(&mut [0; 8], PEER),
        Err(BuildError::NoRoom)
    );
}

/// A nonce that is drawn again for the same pair is that of the newer probe, which the peer has not
/// reported.
#[test]
fn a_nonce_that_comes_again() {
    let told = nonce(&Bench::with(IDENTITY.ulids, Locators::new(&[A1], &[B1])).hint());
    for (drawn, is_reported) in [(told.get().wrapping_add(1), true), (told.get(), false)] {
        let mut bench = Bench::with(IDENTITY.ulids, Locators::new(&[A1], &[B1]));
        assert_eq!(nonce(&bench.hint()), told);
        bench.random = Counter(drawn);
        let report = our_record(ULIDS, told);
        let answer = bench.probe(ULIDS, ProbeState::Exploring, 1, &[report]);
        assert_eq!(nonce(&answer).get(), drawn);
        assert_eq!(bench.reap.reported().count() > 0, is_reported);
    }
}
