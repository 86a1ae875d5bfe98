// SPDX-License-Identifier: GPL-2.0

//! Every check finds what it is there for: hosts that do something wrong on purpose are found, and by
//! the check that the README names.

use shim6_sim::{
    bug::Bug,
    fault::Kinds,
    sim,
    Options, //
};

/// Seeds in which a bug has to show.
const SEEDS: u64 = 800;

/// Fails if the check does not find the bug, in runs of that many hosts with these faults. Others may
/// find it before: a packet for the wrong context is wrong in itself, and misleads failure detection.
fn assert_found(bug: Bug, hosts: Option<usize>, faults: &str, check: &str) {
    let options = Options {
        hosts,
        faults: faults.parse::<Kinds>().expect("faults"),
        bug: Some(bug),
        ..Options::default()
    };
    let is_found = (0..SEEDS).any(|seed| {
        let violations = sim::run(seed, &options).violations;
        violations
            .iter()
            .for_each(|violation| println!("{violation}"));
        violations.iter().any(|violation| violation.check == check)
    });
    assert!(is_found, "{bug} is not found by {check} in {SEEDS} seeds");
}

macro_rules! bugs {
    ($($name:ident: $bug:ident, $hosts:expr, $faults:literal => $check:literal;)*) => {
        $(
            #[test]
            fn $name() {
                assert_found(Bug::$bug, $hosts, $faults, $check);
            }
        )*

        #[test]
        fn none_is_left_out() {
            assert_eq!(Bug::ALL, [$(Bug::$bug,)*]);
        }
    };
}

bugs! {
    lists_without_verification: NoVerification, None, "all" => "destination";
    locators_where_nobody_answered: NoReachability, None, "all" => "reachability";
    reports_with_any_nonce: BelieveReports, None, "all" => "belief";
    a_second_context: SecondContext, None, "all" => "identity";
    payload_for_another_context: WrongContext, None, "all" => "delivery";
    no_send_timer: NoStamps, Some(4), "one-way,partition" => "recovery";
    a_send_timer_for_acknowledgements: AckStamps, Some(4), "one-way,links" => "calm";
    a_send_timer_for_confirmations: ConfirmStamps, None, "all" => "calm";
    no_keepalives: NoKeepalives, None, "none" => "calm";
    no_backoff: NoBackoff, None, "all" => "storm";
    no_retransmission: NoRetransmission, None, "loss" => "establishment";
    answers_without_limit: NoLimits, None, "all" => "storm";
    answers_that_are_longer: LongAnswers, None, "all" => "amplification";
    contexts_that_stay: NoTeardown, None, "none" => "teardown";
    locators_that_are_not_told: NoUpdates, None, "renumber,links" => "settled";
    nobody_asks: NoRequests, None, "none" => "establishment";
    unknown_tags_without_answer: NoR1bis, None, "restart,providers" => "settled";
    a_panic: Panic, None, "none" => "panic";
}
