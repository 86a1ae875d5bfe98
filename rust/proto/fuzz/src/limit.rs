// SPDX-License-Identifier: GPL-2.0

//! Limits of rates over time.

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_proto::{
    limit::{
        Limit,
        Limited,
        Limits,
        PeerLimiter, //
    },
    time::Instant, //
};

/// Nobody ever gets more than the burst and what the rate makes of the time, whatever others do;
/// and a peer alone gets exactly that.
pub fn limit(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let limits = Limits {
        peer: any_limit(u)?,
        host: any_limit(u)?,
    };
    let mut limiter = PeerLimiter::<4>::new();
    let mut now: u64 = u.arbitrary::<u32>()?.into();
    // When something was taken by whom.
    let mut taken: Vec<(u64, u64)> = vec![];

    for _ in 0..300 {
        now += match u.int_in_range(0..=3)? {
            0 | 1 => 0,
            2 => u64::from(u.arbitrary::<u8>()?),
            _ => u64::from(u.arbitrary::<u16>()?),
        };
        // Few peers, two of them with the same place.
        let hash = u64::from(u.int_in_range(0..=4_u8)?) * 0x1_0000_0001;
        let result = limiter.take(&limits, hash, Instant::from_millis(now));
        match result {
            Ok(()) => taken.push((now, hash)),
            // Without the others the limit is not reached.
            Err(Limited::Host) => assert!(!taken.is_empty() || limits.host.burst == 0),
            Err(Limited::Peer) => assert!(
                taken.iter().any(|(_, other)| *other == hash) || limits.peer.burst == 0,
                "{limits:?}"
            ),
        }
        check(&limits.host, taken.iter().map(|(at, _)| *at).collect());
        // A peer that shares its place with another begins anew now and then.
        if matches!(hash & 3, 1..=3) {
            let own = taken.iter().filter(|(_, other)| *other == hash);
            check(&limits.peer, own.map(|(at, _)| *at).collect());
        }
    }
    Ok(())
}

fn any_limit(u: &mut Unstructured<'_>) -> Result<Limit> {
    let most = if u.arbitrary()? { 20 } else { u32::MAX };
    Ok(Limit {
        per_second: u.int_in_range(0..=most)?,
        burst: u.int_in_range(0..=most)?,
    })
}

/// In no span of time that ends with the last event is more than the burst and what the rate makes
/// of the span.
fn check(limit: &Limit, times: Vec<u64>) {
    let Some(last) = times.last() else {
        return;
    };
    for (index, first) in times.iter().enumerate() {
        let number = (times.len() - index) as u128;
        let span = u128::from(last - first);
        let most = u128::from(limit.burst) * 1000 + span * u128::from(limit.per_second);
        assert!(number * 1000 <= most, "{limit:?} {times:?}");
    }
}
