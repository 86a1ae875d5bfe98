// SPDX-License-Identifier: GPL-2.0

//! Explorations that take seconds; `shim6-model check` goes further.

use shim6_model::{
    check::{
        Bounds,
        Checker,
        Explored, //
    },
    host::Confused, //
};

/// Explores and expects nothing wrong, and as many states as there were when this was written:
/// fewer would mean that something is not explored any more.
#[track_caller]
fn explore(bounds: Bounds, states: usize) -> Explored {
    match Checker::new(bounds).run() {
        Ok(explored) => {
            println!("{explored}");
            assert!(explored.states >= states, "{explored}");
            explored
        }
        Err(counterexample) => panic!("{counterexample}"),
    }
}

/// Loss, duplication, reordering, crossing I1s, timeouts and a host that forgets.
#[test]
fn one_context() {
    explore(
        Bounds {
            depth: 9,
            ..Bounds::default()
        },
        30_000,
    );
}

/// Nothing is cut off: with one packet under way at a time all states can be visited.
#[test]
fn all_states_with_one_packet() {
    let explored = explore(
        Bounds {
            depth: usize::MAX,
            packets: 1,
            forgets: 0,
            payloads: 0,
            ..Bounds::default()
        },
        100,
    );
    assert!(explored.complete, "{explored}");
}

/// A host that is started anew does not know its own validators.
#[test]
fn restarts() {
    explore(
        Bounds {
            depth: 8,
            forgets: 2,
            restarts: true,
            payloads: 2,
            ..Bounds::default()
        },
        10_000,
    );
}

/// Locators change while contexts are established and lost.
#[test]
fn updates() {
    explore(
        Bounds {
            depth: 8,
            announces: 2,
            triggers: 1,
            ..Bounds::default()
        },
        10_000,
    );
}

/// Two contexts and two tags: a tag is soon given to another context.
#[test]
fn confusion() {
    for confused in [Confused::Discard, Confused::Restart] {
        explore(
            Bounds {
                depth: 7,
                contexts: 2,
                tags: Some(2),
                forgets: 2,
                confused,
                ..Bounds::default()
            },
            10_000,
        );
    }
}

/// What cannot be is found, and the way to it is told: there is one tag for two contexts.
#[test]
fn counterexamples_are_found() {
    let bounds = Bounds {
        contexts: 2,
        tags: Some(1),
        ..Bounds::default()
    };
    let counterexample = Checker::new(bounds)
        .run()
        .expect_err("no agreement about two contexts with one tag");
    assert_eq!(counterexample.trace.len(), 1, "{counterexample}");
    assert!(counterexample.wrong.contains("no agreement"));
}
