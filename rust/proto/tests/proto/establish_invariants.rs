// SPDX-License-Identifier: GPL-2.0

//! Anything that can happen to a machine, and what holds of every machine and every step. The
//! property tests and the fuzz target for machines think of the events.

use shim6_proto::{
    establish::{
        Action,
        State, //
    },
    locator::{
        Locator,
        LocatorPair, //
    },
    number::{
        Generation,
        Nonce, //
    },
    tag::ContextTag,
    time::Interval,
    verify::Rejection,
    wire::message::{
        Arrival,
        Message, //
    }, //
};

use crate::establish_support::*;

/// A nonce of a message of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WhichNonce {
    /// The one that is asked for.
    Right,
    /// One that was drawn.
    Drawn(u32),
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    I1(ContextTag),
    R1(WhichNonce),
    I2(ContextTag, List),
    R2(ContextTag, WhichNonce, List),
    R1bis(ContextTag),
    I2bis(ContextTag, List),
    Request(List, Option<(Generation, u8)>),
    Acknowledgement(WhichNonce),
    Keepalive,
    Probe,
    Error,
    Payload,
    Unrecognized(ContextTag),
    Announce,
    Restart,
    Expire,
    Timeout,
    Wait(u32),
    Verdict(Result<(), Rejection>),
}

/// The nonce as a number.
fn nonce(bench: &Bench, which: WhichNonce) -> Nonce {
    match which {
        WhichNonce::Drawn(n) => drawn(n),
        WhichNonce::Right => bench
            .machine()
            .outstanding()
            .map_or(drawn(bench.random.0 - FIRST), |(nonce, _)| nonce),
    }
}

/// The message of an event that is one.
fn message(bench: &Bench, event: &Event) -> Option<Message<'static>> {
    Some(match *event {
        Event::I1(tag) => i1(tag),
        Event::R1(which) => r1(nonce(bench, which)),
        Event::I2(tag, list) => i2(tag, list),
        Event::R2(tag, which, list) => r2(tag, nonce(bench, which), list),
        Event::R1bis(tag) => r1bis(tag),
        Event::I2bis(tag, list) => i2bis(tag, list),
        Event::Request(list, preferences) => request(host(list, preferences)),
        Event::Acknowledgement(which) => acknowledgement(nonce(bench, which)),
        Event::Keepalive => keepalive(),
        Event::Probe => probe(),
        Event::Error => error(),
        _ => return None,
    })
}

/// Lets an event happen.
pub(crate) fn happen(bench: &mut Bench, event: &Event, arrival: Arrival) -> Vec<Action<'static>> {
    if let Some(message) = message(bench, event) {
        return bench.receive(&message, arrival);
    }
    match *event {
        Event::Payload => bench.payload(),
        Event::Unrecognized(tag) => bench.unrecognized(tag, ULIDS),
        Event::Announce => bench.announce(),
        Event::Restart if bench.machine().outstanding().is_some() => vec![],
        Event::Restart if bench.state() != State::Established => vec![],
        Event::Restart => bench.restart(),
        Event::Expire => bench.expire(),
        Event::Timeout => bench.timeout(),
        Event::Wait(millis) => {
            // A timer is served when it expires.
            let later = bench.now.saturating_add(Interval::from_millis(millis));
            match bench.machine().next_deadline() {
                Some(deadline) if deadline <= later => bench.expire(),
                _ => {
                    bench.now = later;
                    vec![]
                }
            }
        }
        Event::Verdict(verdict) => {
            bench.context.verdict = verdict;
            vec![]
        }
        _ => vec![],
    }
}

/// Whether an action sends a packet.
fn sends(action: &Action<'_>) -> bool {
    matches!(
        action,
        Action::Send { .. }
            | Action::Resend { .. }
            | Action::SendUpdate { .. }
            | Action::ResendUpdate
            | Action::ReplyR1
            | Action::ReplyR1bis
            | Action::Report(_)
    )
}

/// The pair that may be used: a locator of this host, and one that was verified or is the ULID.
fn usable(bench: &Bench, pair: &LocatorPair) -> bool {
    let has = |list: &[Locator], locator| list.contains(&locator);
    (has(&bench.context.local, pair.local) && has(&bench.context.peer, pair.peer)) || *pair == ULIDS
}

/// What holds of every machine.
pub(crate) fn check_machine(bench: &Bench) {
    let machine = bench.machine();
    let state = machine.state();

    if state.sends_to_pair() {
        assert!(machine.peer_tag().is_some(), "{machine:?}");
    }
    if matches!(state, State::I1Sent | State::EFailed | State::NoSupport) {
        assert_eq!(machine.peer_tag(), None, "{machine:?}");
    }
    match machine.next_deadline() {
        Some(deadline) => {
            // The longest interval is the last one of I1, 64 s, or that of an Update Request.
            let latest = bench.now.saturating_add(Interval::from_secs(180));
            assert!(deadline <= latest, "{machine:?}");
        }
        None => assert!(machine.outstanding().is_none(), "{machine:?}"),
    }
    assert_ne!(state, State::Idle);
}

/// What holds of every step.
pub(crate) fn check_step(
    before: &Bench,
    after: &Bench,
    event: &Event,
    actions: &[Action<'static>],
) {
    assert!(
        actions.iter().filter(|action| sends(action)).count() <= 2,
        "{event:?}: {actions:?}"
    );
    assert!(after.context.verified - before.context.verified <= 1);
    if let [rest @ .., Action::Discard(_)] = actions {
        if !rest
            .iter()
            .any(|action| matches!(action, Action::Resend { .. }))
        {
            assert_eq!(after.machine, before.machine, "{event:?}: {actions:?}");
        }
        assert_eq!(after.context.peer, before.context.peer);
    }
    for (i, action) in actions.iter().enumerate() {
        match action {
            Action::AdoptPeer { .. } => {
                assert_eq!(actions.get(i + 1), Some(&Action::CheckConfusion));
                assert_eq!(after.context.verified, before.context.verified + 1);
            }
            Action::UsePair(pair) => assert!(usable(after, pair), "{pair:?}"),
            Action::Negative(negative) => {
                assert_eq!(negative.state, after.state());
                assert!(negative.until > after.now);
            }
            Action::Established { .. } => assert_eq!(after.state(), State::Established),
            _ => {}
        }
    }
}
