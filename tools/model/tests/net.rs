// SPDX-License-Identifier: GPL-2.0

//! Two and three hosts in a bad network: whatever happens in whatever order, no host ever has two
//! contexts with one identity, two live ones that its peer could take for each other, or sends to
//! a locator that was not verified; and as soon as messages get through again, all agree.

use proptest::{
    collection::vec,
    prelude::*, //
};
use shim6_model::{
    host::Confused,
    net::{
        Faults,
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

/// A context between the first two hosts.
const TRIGGER: Incident = Incident::Trigger {
    peer: 0,
    local_ulid: 0,
    peer_ulid: 0,
    fii: 0,
};

fn net(seed: u64, hosts: usize) -> Net {
    Net::new(seed, hosts, Confused::Discard, Constants::default())
}

#[test]
fn establishment_takes_four_messages() {
    let mut net = net(1, 2);
    net.incident(0, TRIGGER).expect("a trigger");
    net.run(Interval::from_secs(3)).expect("nothing wrong");
    assert!(net.is_settled(), "{:#?}", net.hosts());
    assert_eq!(net.statistics().sent, 4);
    net.run(Interval::from_secs(1_000)).expect("nothing wrong");
    assert_eq!(net.statistics().sent, 4, "nothing more to say");
}

#[test]
fn crossing_i1_takes_four_messages() {
    let mut net = net(2, 2);
    net.incident(0, TRIGGER).expect("a trigger");
    net.incident(1, TRIGGER).expect("a trigger");
    net.run(Interval::from_secs(3)).expect("nothing wrong");
    assert!(net.is_settled(), "{:#?}", net.hosts());
    assert_eq!(net.statistics().sent, 4, "two I1, two R2");
}

#[test]
fn silence_ends_in_e_failed() {
    let mut net = net(3, 2);
    net.set_faults(Faults {
        loss: 100,
        ..Faults::NONE
    });
    net.incident(0, TRIGGER).expect("a trigger");
    net.run(Interval::from_secs(186)).expect("nothing wrong");
    let [a, _] = net.hosts() else {
        panic!("two hosts");
    };
    assert!(a.contexts().is_empty());
    let (_, identity) = net.wanted().first().expect("a wanted context");
    let negative = a.negative(identity).expect("a peer that does not answer");
    assert_eq!(negative.state, State::EFailed);
    assert_eq!(net.statistics().sent, 5);
}

/// The two ways back: the host that lost its state is sent something, or begins anew.
#[test]
fn recovery() {
    for incident in [Incident::Forget, Incident::Restart] {
        let mut net = net(4, 2);
        net.incident(0, TRIGGER).expect("a trigger");
        net.run(Interval::from_secs(1)).expect("nothing wrong");

        net.incident(1, incident).expect("a loss");
        net.incident(0, Incident::Payload(0)).expect("a packet");
        let before = net.statistics().sent;
        net.run(Interval::from_secs(1)).expect("nothing wrong");
        assert!(net.is_settled(), "{:#?}", net.hosts());
        assert_eq!(net.statistics().sent - before, 3, "R1bis, I2bis, R2");

        net.incident(0, incident).expect("a loss");
        let before = net.statistics().sent;
        net.incident(0, TRIGGER).expect("a trigger");
        net.run(Interval::from_secs(1)).expect("nothing wrong");
        assert!(net.is_settled(), "{:#?}", net.hosts());
        assert_eq!(net.statistics().sent - before, 4, "I1, R1, I2, R2");
    }
}

/// A locator of somebody else in the list: the message is refused, and the context goes on.
#[test]
fn lies_are_not_believed() {
    let mut net = net(5, 3);
    net.incident(0, TRIGGER).expect("a trigger");
    net.run(Interval::from_secs(1)).expect("nothing wrong");
    net.incident(0, Incident::Lie).expect("a lie");
    net.run(Interval::from_secs(10)).expect("nothing wrong");
    let [a, b, _] = net.hosts() else {
        panic!("three hosts");
    };
    let ours = a.contexts().first().expect("a context");
    let theirs = b.counterpart(ours).expect("a context");
    assert_eq!(theirs.peer().len(), 2, "what it told before");
    assert!(!ours.machine.is_announced(), "no acknowledgement");
    net.settle().expect("agreement");
}

fn incidents(fork: u32) -> impl Strategy<Value = Incident> {
    prop_oneof![
        6 => (0_usize..2, 0_usize..3, 0_usize..3, 0..=fork).prop_map(
            |(peer, local_ulid, peer_ulid, fii)| Incident::Trigger {
                peer,
                local_ulid,
                peer_ulid,
                fii,
            }
        ),
        6 => (0_usize..8).prop_map(Incident::Payload),
        6 => (0_usize..8, 0_usize..3, 0_usize..3).prop_map(
            |(context, local, peer)| Incident::Probe { context, local, peer }
        ),
        2 => Just(Incident::Announce),
        1 => Just(Incident::Lie),
        1 => (0_usize..8).prop_map(Incident::Discard),
        1 => Just(Incident::Forget),
        1 => Just(Incident::Restart),
        3 => (0_usize..200).prop_map(Incident::Replay),
        1 => (0_usize..3, 0_usize..2, 0_usize..3).prop_map(
            |(local, peer, remote)| Incident::Break { local, peer, remote }
        ),
        1 => Just(Incident::Repair),
    ]
}

fn faults() -> impl Strategy<Value = Faults> {
    (0_u8..60, 0_u8..40, 1_u32..20_000).prop_map(|(loss, duplicates, delay)| Faults {
        loss,
        duplicates,
        delay,
    })
}

/// Times between incidents: often none, sometimes long enough for every timer.
fn pauses() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..10, 0_u32..5_000, 0_u32..100_000]
}

/// A script: host, incident, pause.
fn script(fork: u32) -> impl Strategy<Value = Vec<(usize, Incident, u32)>> {
    vec((0_usize..3, incidents(fork), pauses()), 1..60)
}

/// Runs a script, then lets the hosts settle.
fn play(
    mut net: Net,
    faults: Faults,
    script: &[(usize, Incident, u32)],
) -> Result<(), TestCaseError> {
    net.set_faults(faults);
    for (host, incident, pause) in script {
        let happened = net
            .incident(*host, *incident)
            .and_then(|()| net.run(Interval::from_millis(*pause)));
        prop_assert!(happened.is_ok(), "{happened:?}");
    }
    let settled = net.settle();
    prop_assert!(settled.is_ok(), "{settled:?}");
    Ok(())
}

proptest! {
    #[test]
    fn two_hosts(seed: u64, faults in faults(), script in script(0)) {
        play(net(seed, 2), faults, &script)?;
    }

    #[test]
    fn two_hosts_with_forks(seed: u64, faults in faults(), script in script(2)) {
        play(net(seed, 2), faults, &script)?;
    }

    #[test]
    fn three_hosts(seed: u64, faults in faults(), script in script(1)) {
        play(net(seed, 3), faults, &script)?;
    }

    /// Hosts with 128 tags: the mode for tests that RFC 5533, Appendix C.4 asks for.
    #[test]
    fn confusion(seed: u64, restart: bool, faults in faults(), script in script(2)) {
        let confused = if restart { Confused::Restart } else { Confused::Discard };
        let mut net = Net::new(seed, 3, confused, Constants::default());
        net.use_few_tags(7);
        play(net, faults, &script)?;
    }

    /// Hosts with so few tags that confusion is the rule.
    #[test]
    fn much_confusion(seed: u64, restart: bool, faults in faults(), script in script(2)) {
        let confused = if restart { Confused::Restart } else { Confused::Discard };
        let mut net = Net::new(seed, 3, confused, Constants::default());
        net.use_few_tags(5);
        play(net, faults, &script)?;
    }
}
