// SPDX-License-Identifier: GPL-2.0

//! Runs follow from their seeds, and a network without faults gives no reason to explore.

use std::{
    collections::BTreeSet,
    thread, //
};

use shim6_proto::wire::message_type::MessageType;
use shim6_sim::{
    fault::{
        Kind,
        Kinds, //
    },
    sim,
    Options, //
};

#[test]
fn a_run_follows_from_its_seed() {
    let options = Options::default();
    let digests = || (0..40).map(|seed| sim::run(seed, &options).digest);
    let first: Vec<_> = digests().collect();
    let distinct: BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), first.len(), "other seeds are other runs");
    assert!(digests().eq(first.iter().copied()), "again");

    let elsewhere = thread::scope(|scope| {
        let runs: Vec<_> = (0..40)
            .map(|seed| scope.spawn(move || sim::run(seed, &Options::default()).digest))
            .collect();
        let ended = runs.into_iter().map(|run| run.join().expect("an end"));
        ended.collect::<Vec<_>>()
    });
    assert_eq!(elsewhere, first, "many at a time");
}

#[test]
fn a_trace_changes_nothing() {
    let options = Options::default();
    for seed in 0..10 {
        let mut traces = [vec![], vec![]];
        for trace in &mut traces {
            let told = sim::replay(seed, &options, trace);
            assert_eq!(told.digest, sim::run(seed, &options).digest);
        }
        let [one, other] = traces;
        assert!(!one.is_empty());
        assert_eq!(one, other, "seed {seed}");
    }
}

/// Neither the Send Timeout nor anything else is a reason to probe a network in which all is well.
#[test]
fn without_faults_nobody_explores() {
    let options = Options {
        faults: Kinds::NONE,
        ..Options::default()
    };
    let mut contexts = 0;
    for seed in 0..100 {
        let statistics = sim::run(seed, &options);
        assert_eq!(statistics.violations, []);
        assert_eq!(statistics.explored, 0, "seed {seed}");
        assert_eq!(statistics.sent.get(MessageType::Probe), 0, "seed {seed}");
        contexts += statistics.contexts;
    }
    assert!(contexts > 100, "{contexts}");
}

/// Each kind of fault does something, and nothing that is wrong.
#[test]
fn each_kind_alone() {
    let run = |faults| {
        let options = Options {
            hosts: Some(6),
            faults,
            ..Options::default()
        };
        (0..8).fold(0u64, |digest, seed| {
            let statistics = sim::run(seed, &options);
            assert_eq!(statistics.violations, [], "{faults}");
            digest.wrapping_add(statistics.digest)
        })
    };
    let calm = run(Kinds::NONE);
    for kind in Kind::ALL {
        let faults = Kinds::NONE.with(*kind);
        // Errors are sent by routers that know no way any more.
        let faults = match kind {
            Kind::Icmp => faults.with(Kind::Renumber),
            _ => faults,
        };
        assert_ne!(run(faults), calm, "{kind}");
    }
}

#[test]
fn thousands_of_hosts() {
    let options = Options {
        hosts: Some(2_000),
        minutes: 2,
        ..Options::default()
    };
    let statistics = sim::run(1, &options);
    assert_eq!(statistics.violations, []);
    assert_eq!(statistics.hosts, 2_000);
    assert!(statistics.contexts > 1_000, "{statistics}");
    assert!(!statistics.recoveries.is_empty(), "{statistics}");
}
