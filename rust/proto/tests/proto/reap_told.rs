// SPDX-License-Identifier: GPL-2.0

//! What a machine of REAP tells about itself: its state, whom it wants to hear of, what it suspects.

use shim6_proto::reap::{
    State,
    Wake, //
};

use crate::reap_support::*;

#[test]
fn states_have_the_names_of_the_rfc() {
    for (state, name) in [
        (State::Operational, "Operational"),
        (State::Exploring, "Exploring"),
        (State::InboundOk, "InboundOk"),
    ] {
        assert_eq!(state.name(), name);
    }
}

/// While a timer runs, its end will find out what packets there were.
#[test]
fn the_data_path_tells_only_whom_no_timer_does() {
    let mut bench = Bench::new();
    assert_eq!(bench.reap.wake(), Wake::Any, "nothing runs");
    bench.send();
    assert_eq!(bench.reap.wake(), Wake::Never, "the Send Timer runs");
    let exploring = Bench::in_state(State::Exploring).reap;
    assert_eq!(exploring.wake(), Wake::Received, "anything ends Exploring");
    let inbound_ok = Bench::in_state(State::InboundOk).reap;
    assert_eq!(inbound_ok.wake(), Wake::Never);
}

/// What has failed is of interest until another pair is in use.
#[test]
fn the_pair_that_is_suspected() {
    let mut bench = Bench::new();
    let failed = bench.reap.pair();
    assert_eq!(bench.reap.suspect_pair(), failed, "none: the one in use");
    bench.hint();
    assert_eq!(bench.reap.suspect_pair(), failed);
    bench.run_until(2_000);
    assert_eq!(bench.reap.suspect_pair(), failed);
    let mut bench = Bench::new();
    bench.fail_over();
    assert_eq!(bench.reap.state(), State::Operational);
    assert_ne!(bench.reap.pair(), failed);
    assert_eq!(bench.reap.suspect_pair(), bench.reap.pair());
}
