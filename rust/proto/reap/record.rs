// SPDX-License-Identifier: GPL-2.0

//! Probes that were sent and received: what is reported, and what a report is believed by
//! (RFC 5534, Section 5.2).

use super::super::{
    locator::LocatorPair,
    number::Nonce,
    wire::probe::{
        ProbeRecord,
        ProbeRecords, //
    }, //
};

/// The newest probes, as many as a message can list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Newest<T>([Option<T>; ProbeRecords::MAX]);

impl<T: Copy> Newest<T> {
    /// None.
    pub(super) const NONE: Self = Self([None; ProbeRecords::MAX]);

    /// Puts one before the others; the oldest makes way if there is no room.
    pub(super) fn push(&mut self, entry: T) {
        self.0.rotate_right(1);
        if let Some(first) = self.0.first_mut() {
            *first = Some(entry);
        }
    }

    /// Takes out those that are not to be kept.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        let kept = *self;
        self.clear();
        // From the oldest on, so that the order stays.
        for entry in kept.0.iter().rev().flatten().filter(|entry| keep(entry)) {
            self.push(*entry);
        }
    }

    /// All, the newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.0.iter().flatten()
    }

    /// All, the newest first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().flatten()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::NONE;
    }
}

/// A probe that this host sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Sent {
    pub(super) pair: LocatorPair,
    pub(super) nonce: Nonce,
    /// Whether the peer has reported it. It is not listed any more then, but still believed.
    pub(super) is_reported: bool,
    /// Whether the last Probe that reported anything was the first to report this one.
    pub(super) is_news: bool,
}

impl Sent {
    /// What the message says about it. This host has no use for the data.
    pub(super) const fn record(&self) -> ProbeRecord {
        ProbeRecord {
            source: self.pair.local,
            destination: self.pair.peer,
            nonce: self.nonce,
            data: 0,
        }
    }

    /// Whether `record` is about this probe. Addresses alone can be guessed, so the nonce has to
    /// be right as well.
    pub(super) fn is(&self, record: &ProbeRecord) -> bool {
        self.nonce == record.nonce
            && self.pair.local == record.source
            && self.pair.peer == record.destination
    }
}

/// The pair on which a probe of the peer came.
pub(super) const fn arrival_pair(record: &ProbeRecord) -> LocatorPair {
    LocatorPair {
        local: record.destination,
        peer: record.source,
    }
}
