// SPDX-License-Identifier: GPL-2.0

//! Explorations of REAP that take seconds; `shim6-model reap` goes further.

use shim6_model::reap::{
    Bounds,
    Bug,
    Checker, //
};

/// Loss, reordering, timeouts, payload and hints: from every state the ends recover, whichever
/// pair is the only one that works in each direction.
#[test]
fn two_ends_recover() {
    let explored = match Checker::new(Bounds::default()).run() {
        Ok(explored) => explored,
        Err(counterexample) => panic!("{counterexample}"),
    };
    println!("{explored}");
    assert_eq!(explored.depth, Bounds::default().depth);
    assert!(explored.states >= 17_000, "{explored}");
}

/// What is wrong is found, and the way to it is told.
#[test]
fn bugs_are_found() {
    for bug in [Bug::NoReports, Bug::NoRetransmission, Bug::NoSendTimeout] {
        let bounds = Bounds {
            bug: Some(bug),
            ..Bounds::default()
        };
        let counterexample = Checker::new(bounds)
            .run()
            .expect_err("the bug is no harm to anybody");
        assert!(
            counterexample.wrong.contains("no recovery"),
            "{counterexample}"
        );
        assert!(!counterexample.trace.is_empty());
    }
}
