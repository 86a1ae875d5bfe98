// SPDX-License-Identifier: GPL-2.0

//! Answers that need no context and leave nothing behind: R1, R1bis and Error (RFC 5533, Sections
//! 7.10, 7.17 and 5.14). Given in softirq, without allocation but for the packet, at limited rates.

use super::{
    crypto::KernelDigests,
    now,
    send,
    Control,
    KernelRandom, //
};
use crate::{
    context::{
        Counter,
        Namespace, //
    },
    kernel_ext::lock::{
        new_spinlock_bh,
        SpinLockBh, //
    },
    proto::{
        limit::{
            Limit,
            Limited,
            Limits,
            PeerLimiter, //
        },
        locator::{
            Locator,
            LocatorPair, //
        },
        tag::ContextTag,
        time::Instant,
        validator::{
            R1Subject,
            R1bisSubject,
            ValidatorError,
            Validators, //
        },
        wire::{
            build,
            fault::Report,
            message::{
                Arrival,
                I2bis,
                I1,
                I2, //
            },
        },
    },
};
use kernel::prelude::*;

/// Buckets of the limit for single peers.
const PEERS: usize = 128;

/// Octets of R1 and R1bis: fixed part, and a validator of 16 octets.
const ANSWER_LEN: usize = 40;

/// Most octets of a packet that an Error message quotes.
const QUOTED: usize = 512;

/// What stateless answers need.
#[pin_data]
pub(super) struct Answers {
    #[pin]
    validators: SpinLockBh<Validators>,
    /// For R1, by which strangers become peers.
    #[pin]
    first: SpinLockBh<KBox<PeerLimiter<PEERS>>>,
    /// For R1bis and Error.
    #[pin]
    others: SpinLockBh<KBox<PeerLimiter<PEERS>>>,
}

impl Answers {
    /// With secrets of its own. May sleep.
    pub(super) fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            validators <- new_spinlock_bh!(Validators::new(&mut KernelRandom)),
            first <- new_spinlock_bh!(KBox::new(PeerLimiter::new(), GFP_KERNEL)?),
            others <- new_spinlock_bh!(KBox::new(PeerLimiter::new(), GFP_KERNEL)?),
        }? Error)
    }

    /// Whether an I2 answers an R1 of this host. Any context.
    pub(super) fn check_i2(&self, arrival: &Arrival, i2: &I2<'_>) -> Result<(), ValidatorError> {
        self.validators.lock().check_i2(
            &KernelDigests,
            now(),
            i2.responder_nonce,
            i2.validator,
            &R1Subject::of_i2(arrival, i2),
        )
    }

    /// Whether an I2bis answers an R1bis of this host. Any context.
    pub(super) fn check_i2bis(
        &self,
        arrival: &Arrival,
        i2bis: &I2bis<'_>,
    ) -> Result<(), ValidatorError> {
        self.validators.lock().check_i2bis(
            &KernelDigests,
            now(),
            i2bis.responder_nonce,
            i2bis.validator,
            &R1bisSubject::of_i2bis(arrival, i2bis),
        )
    }
}

impl Control {
    /// By what a peer is told from others: its /64, of which it can take any address.
    pub(super) fn hash_peer(&self, source: Locator) -> u64 {
        self.hash.hash(&source.subnet_prefix())
    }

    /// Answers I1 with R1. Any context.
    pub(super) fn answer_r1(&self, namespace: &Namespace, arrival: &Arrival, i1: &I1) {
        let rate = namespace.settings.r1_rate();
        let now = now();
        if !self.may_answer(namespace, arrival, &self.answers.first, rate, now) {
            return;
        }
        let subject = R1Subject::of_i1(arrival, i1);
        let (nonce, validator) = self.answers.validators.lock().issue_r1(
            &KernelDigests,
            &mut KernelRandom,
            now,
            &subject,
        );
        let mut buffer = [0; ANSWER_LEN];
        let built = build::r1(&mut buffer, i1.initiator_nonce, nonce, &validator)
            .and_then(|builder| builder.finish());
        if let Ok(message) = built {
            send::transmit(namespace, reverse(arrival), message, Counter::OutR1);
        }
    }

    /// Answers a packet with a tag that is not known with R1bis. Any context.
    pub(crate) fn answer_r1bis(&self, namespace: &Namespace, arrival: &Arrival, tag: ContextTag) {
        let rate = namespace.settings.answer_rate();
        let now = now();
        if !self.may_answer(namespace, arrival, &self.answers.others, rate, now) {
            return;
        }
        let subject = R1bisSubject {
            packet_tag: tag,
            source: arrival.source,
            destination: arrival.destination,
        };
        let (nonce, validator) = self.answers.validators.lock().issue_r1bis(
            &KernelDigests,
            &mut KernelRandom,
            now,
            &subject,
        );
        let mut buffer = [0; ANSWER_LEN];
        let built =
            build::r1bis(&mut buffer, tag, nonce, &validator).and_then(|builder| builder.finish());
        if let Ok(message) = built {
            send::transmit(namespace, reverse(arrival), message, Counter::OutR1bis);
        }
    }

    /// Answers a message that could not be processed with an Error message; `packet` is what is
    /// there of it from its IPv6 header on. Any context.
    ///
    /// The answer to a short message is at most 48 octets longer than that, to all others shorter
    /// than three times as long, and it is not sent at all beyond the rates.
    pub(super) fn answer_error(
        &self,
        namespace: &Namespace,
        arrival: &Arrival,
        report: Report,
        packet: &[u8],
    ) {
        let rate = namespace.settings.answer_rate();
        if !self.may_answer(namespace, arrival, &self.answers.others, rate, now()) {
            return;
        }
        let quoted = packet.get(..packet.len().min(QUOTED)).unwrap_or_default();
        let mut buffer = [0; QUOTED + 8];
        let built = build::error(&mut buffer, report, quoted).and_then(|builder| builder.finish());
        if let Ok(message) = built {
            send::transmit(namespace, reverse(arrival), message, Counter::OutError);
        }
    }

    /// Takes a token for an answer to the sender of a packet, or counts why there is none.
    fn may_answer(
        &self,
        namespace: &Namespace,
        arrival: &Arrival,
        limiter: &SpinLockBh<KBox<PeerLimiter<PEERS>>>,
        rate: u32,
        now: Instant,
    ) -> bool {
        let limit = |rate| Limit {
            per_second: rate,
            burst: rate,
        };
        let limits = Limits {
            peer: limit(namespace.settings.answer_rate_peer()),
            host: limit(rate),
        };
        let hash = self.hash_peer(arrival.source);
        let taken = limiter.lock().take(&limits, hash, now);
        match taken {
            Ok(()) => true,
            Err(Limited::Peer) => {
                namespace.counters.count(Counter::AnswerLimitedPeer);
                false
            }
            Err(Limited::Host) => {
                namespace.counters.count(Counter::AnswerLimitedHost);
                false
            }
        }
    }
}

/// The addresses of an answer.
pub(super) fn reverse(arrival: &Arrival) -> LocatorPair {
    LocatorPair {
        local: arrival.destination,
        peer: arrival.source,
    }
}
