// SPDX-License-Identifier: GPL-2.0

//! The search for a modifier (RFC 3972 section 4, steps 1 to 3), on all processors.

use std::io::{
    self,
    IsTerminal,
    Write, //
};
use std::num::NonZero;
use std::sync::atomic::{
    AtomicBool,
    AtomicU64,
    Ordering, //
};
use std::sync::mpsc::{
    self,
    RecvTimeoutError, //
};
use std::thread;
use std::time::{
    Duration,
    Instant, //
};

use shim6_proto::cga::{
    self,
    Search,
    Sec, //
};
use shim6_proto::pds::Parameters;

use super::host::Host;
use crate::context::show::Span;

/// Modifiers that a worker tries before it looks around. They take a few milliseconds.
const BATCH: u32 = 1 << 14;

/// Time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

/// The largest Sec value that parameters admit. Nothing else in a PDS tells for which value it was
/// made.
pub(crate) fn largest_sec(parameters: &Parameters<'_>) -> Sec {
    let zeros = cga::hash2(&Host, parameters)
        .iter()
        .take_while(|octet| **octet == 0)
        .count();
    u8::try_from(zeros / 2)
        .ok()
        .and_then(Sec::new)
        .unwrap_or(Sec::MAX)
}

/// Finds a modifier for which `sec` is the largest value that the parameters admit, beginning at
/// the one of `start`. Calls `report` with the number of modifiers tried so far, now and then.
/// [`None`] only if no worker is left.
pub(crate) fn search(
    start: Parameters<'_>,
    sec: Sec,
    workers: NonZero<u32>,
    mut report: impl FnMut(u64),
) -> Option<[u8; 16]> {
    let tried = &AtomicU64::new(0);
    let found = &AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for index in 0..workers.get() {
            let mut share = Search::new(start, sec).share(index, workers.get());
            let sender = sender.clone();
            scope.spawn(move || {
                while !found.load(Ordering::Relaxed) {
                    let candidate = share.step(&Host, BATCH);
                    tried.fetch_add(BATCH.into(), Ordering::Relaxed);
                    if let Some(parameters) = candidate.filter(|it| largest_sec(it) == sec) {
                        // The receiver is gone once another worker was faster.
                        let _ = sender.send(parameters.modifier());
                        return;
                    }
                }
            });
        }
        drop(sender);
        let modifier = loop {
            match receiver.recv_timeout(REPORT_INTERVAL) {
                Ok(modifier) => break Some(modifier),
                Err(RecvTimeoutError::Timeout) => report(tried.load(Ordering::Relaxed)),
                Err(RecvTimeoutError::Disconnected) => break None,
            }
        };
        found.store(true, Ordering::Relaxed);
        modifier
    })
}

/// As many workers as there are processors for us.
pub(crate) fn processors() -> NonZero<u32> {
    thread::available_parallelism()
        .ok()
        .and_then(|number| number.try_into().ok())
        .unwrap_or(NonZero::<u32>::MIN)
}

/// A line on the terminal that tells how the search goes.
pub(crate) struct Progress {
    expected: u64,
    begun: Instant,
    shown: bool,
}

impl Progress {
    /// Nothing is shown for a search of one attempt, or if nobody is there to read it.
    pub(crate) fn new(sec: Sec) -> Self {
        Self {
            expected: sec.expected_attempts(),
            begun: Instant::now(),
            shown: sec > Sec::default() && io::stderr().is_terminal(),
        }
    }

    /// Shows how many modifiers were tried.
    pub(crate) fn report(&mut self, tried: u64) {
        if self.shown {
            let line = line(tried, self.begun.elapsed(), self.expected);
            // Nothing depends on it, so a failure is no failure.
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// How the search goes. What it takes from now on is always the same on average: modifiers that
/// were tried in vain say nothing about the others.
fn line(tried: u64, elapsed: Duration, expected: u64) -> String {
    let rate = tried as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
    let whole = Duration::try_from_secs_f64(expected as f64 / rate.max(1.0)).unwrap_or_default();
    format!(
        "{tried} hashes, {:.2} million/s, expected {expected} in {}",
        rate / 1e6,
        Span(whole)
    )
}

#[cfg(test)]
mod tests {
    use super::super::vectors::{
        self,
        octets, //
    };
    use super::*;
    use shim6_proto::pds::Pds;

    fn modifier(value: &serde_json::Value) -> [u8; 16] {
        octets(value).try_into().unwrap()
    }

    fn workers(number: u32) -> NonZero<u32> {
        NonZero::new(number).unwrap()
    }

    #[test]
    fn one_worker_finds_what_the_vectors_have() {
        let sets = vectors::file("hba.json");
        for name in ["hostA", "hostB"] {
            let set = vectors::named(&sets["sets"], name);
            let pds = octets(&set["addresses"][0]["pds"]);
            let start = Pds::parse(&pds)
                .unwrap()
                .parameters()
                .with_modifier(modifier(&set["modifier_start"]));
            let sec = Sec::new(u8::try_from(set["sec"].as_u64().unwrap()).unwrap()).unwrap();
            assert_eq!(
                search(start, sec, workers(1), |_| ()),
                Some(modifier(&set["modifier_final"])),
                "{name}"
            );
        }
    }

    #[test]
    fn several_workers_find_one_that_is_good_enough() {
        let sets = vectors::file("hba.json");
        let set = vectors::named(&sets["sets"], "hostA");
        let pds = octets(&set["addresses"][0]["pds"]);
        let start = *Pds::parse(&pds).unwrap().parameters();
        let sec = Sec::new(1).unwrap();
        let modifier = search(start, sec, workers(3), |_| ()).unwrap();
        let hash2 = cga::hash2(&Host, &start.with_modifier(modifier));
        assert_eq!(hash2[..2], [0, 0]);
    }

    #[test]
    fn what_is_found_admits_no_larger_sec() {
        let sets = vectors::file("hba.json");
        let set = vectors::named(&sets["sets"], "hostB");
        let pds = octets(&set["addresses"][0]["pds"]);
        let start = *Pds::parse(&pds).unwrap().parameters();
        assert_eq!(largest_sec(&start).get(), 1);
        let modifier = search(start, Sec::default(), workers(1), |_| ()).unwrap();
        assert_ne!(modifier, start.modifier());
        assert_eq!(largest_sec(&start.with_modifier(modifier)).get(), 0);
    }

    #[test]
    fn the_largest_sec_of_the_vectors_is_theirs() {
        let sets = vectors::file("hba.json");
        for set in sets["sets"].as_array().unwrap() {
            let pds = octets(&set["addresses"][0]["pds"]);
            let parsed = Pds::parse(&pds).unwrap();
            let sec = largest_sec(parsed.parameters());
            assert_eq!(u64::from(sec.get()), set["sec"].as_u64().unwrap());
        }
    }

    #[test]
    fn a_search_may_begin_at_the_last_modifier() {
        let sets = vectors::file("hba.json");
        let set = vectors::named(&sets["sets"], "hostA");
        let pds = octets(&set["addresses"][0]["pds"]);
        let start = Pds::parse(&pds)
            .unwrap()
            .parameters()
            .with_modifier([255; 16]);
        assert!(search(start, Sec::default(), workers(2), |_| ()).is_some());
    }

    #[test]
    fn the_line_of_a_search() {
        assert_eq!(
            line(20_000_000, Duration::from_secs(2), 1 << 32),
            "20000000 hashes, 10.00 million/s, expected 4294967296 in 7 min 9 s"
        );
        // Before anything is known.
        assert!(line(0, Duration::ZERO, 65536).contains("0 hashes, 0.00 million"));
    }
}
