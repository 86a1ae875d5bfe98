// SPDX-License-Identifier: GPL-2.0

//! Forks of one ULID pair (RFC 5533, Section 4.2): whatever happens to one instance, the others do not
//! notice, and what both ends fork at once are two contexts.

use proptest::{
    collection::vec,
    prelude::*, //
};
use shim6_model::{
    host::Confused,
    net::{
        Incident,
        Net, //
    }, //
};
use shim6_proto::{
    establish::{
        Constants,
        State, //
    },
    time::Interval, //
};

/// A host asks for an instance of the context between the first ULIDs of two hosts.
fn trigger(fii: u32) -> Incident {
    Incident::Trigger {
        peer: 0,
        local_ulid: 0,
        peer_ulid: 0,
        fii,
    }
}

fn net(seed: u64) -> Net {
    Net::new(seed, 2, Confused::Discard, Constants::default())
}

/// The FIIs of the established contexts of a host, in order.
fn established(net: &Net, host: usize) -> Vec<u32> {
    let contexts = net
        .hosts()
        .get(host)
        .map_or(&[][..], |host| host.contexts());
    let mut fiis: Vec<u32> = contexts
        .iter()
        .filter(|context| context.machine.state() == State::Established)
        .map(|context| context.identity.fii.get())
        .collect();
    fiis.sort_unstable();
    fiis
}

#[test]
fn what_both_ends_fork_at_once_are_two_contexts() {
    let mut net = net(1);
    net.incident(0, trigger(0)).expect("a trigger");
    net.run(Interval::from_secs(3)).expect("nothing wrong");
    net.incident(0, trigger(0x1111_1111)).expect("a trigger");
    net.incident(1, trigger(0x2222_2222)).expect("a trigger");
    net.run(Interval::from_secs(3)).expect("nothing wrong");
    assert!(net.is_settled(), "{:#?}", net.hosts());
    for host in [0, 1] {
        assert_eq!(established(&net, host), [0, 0x1111_1111, 0x2222_2222]);
    }
    assert_eq!(net.statistics().sent, 12, "four messages for each");
}

#[test]
fn a_fork_while_the_default_is_recovered() {
    let mut net = net(2);
    net.incident(0, trigger(0)).expect("a trigger");
    net.run(Interval::from_secs(3)).expect("nothing wrong");
    net.incident(1, Incident::Forget).expect("a loss");
    net.incident(
        0,
        Incident::Probe {
            context: 0,
            local: 0,
            peer: 0,
        },
    )
    .expect("a message to the context that is lost");
    net.incident(0, trigger(7)).expect("a trigger");
    net.run(Interval::from_secs(3)).expect("nothing wrong");
    assert!(net.is_settled(), "{:#?}", net.hosts());
    for host in [0, 1] {
        assert_eq!(established(&net, host), [0, 7]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However many are asked for at once, by whom and in which order: each becomes one context
    /// of each host, with tags of its own.
    #[test]
    fn instances_stay_apart(
        seed in any::<u64>(),
        asked in vec((0..2_usize, 0..6_u32, 0..400_u32), 1..12),
    ) {
        let mut net = net(seed);
        let mut wanted: Vec<u32> = asked.iter().map(|(_, fii, _)| *fii).collect();
        wanted.sort_unstable();
        wanted.dedup();
        for (host, fii, pause) in asked {
            net.incident(host, trigger(fii)).expect("a trigger");
            net.run(Interval::from_millis(pause)).expect("nothing wrong");
        }
        net.settle().expect("nothing wrong");
        for host in [0, 1] {
            prop_assert_eq!(established(&net, host), wanted.clone());
            let mut tags: Vec<_> = net.hosts()[host]
                .contexts()
                .iter()
                .map(|context| context.machine.local_tag().get())
                .collect();
            tags.sort_unstable();
            tags.dedup();
            prop_assert_eq!(tags.len(), wanted.len());
        }
    }
}
