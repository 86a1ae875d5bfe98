// SPDX-License-Identifier: GPL-2.0

//! What is counted in every namespace, and its names in `/proc/net/shim6_stat`.

use super::Namespace;
use crate::{
    kernel_ext::{
        net::Net,
        percpu,
        procfs::Show, //
    },
    proto::{
        establish::Cause,
        verify::Refusal,
        wire::fault::Reason, //
    },
};
use kernel::{
    c_str,
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident,)*) => {
        /// Something that is counted, besides the drops that have a [`Reason`].
        #[derive(Clone, Copy)]
        pub(crate) enum Counter {
            $($(#[$doc])* $variant,)*
        }

        impl Counter {
            /// Names, in the order of the variants.
            const NAMES: &'static [&'static str] = &[$(stringify!($variant),)*];

            /// The name in `/proc/net/shim6_stat`.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

counters! {
    /// Packets sent through a context whose locators are its ULIDs: left as they were.
    OutUlids,
    /// Packets sent with a payload extension header.
    OutTranslated,
    /// Super-packets among them that were left whole for the device.
    OutWhole,
    /// Super-packets among them to be segmented in software.
    OutSoftwareGso,
    /// TCP packets that were cut anew because the path takes less.
    OutResegmented,
    /// Packets that were fragmented above the shim because the path takes less.
    OutFragmented,
    /// Packets for a path of 1280 octets, which are fragmented below the shim.
    OutFragmentedBelow,
    /// Packets that IPsec has yet to transform.
    OutXfrmPending,
    /// Dropped: no route from locator to locator.
    OutNoRoute,
    /// Dropped: too big for the path, and the sender forbids fragments.
    OutTooBig,
    /// Dropped: no memory.
    OutNoMemory,
    /// Dropped: the chain of extension headers is malformed or too long.
    OutBadHeaders,
    /// Dropped: conntrack refused the flow.
    OutConntrackRefused,
    /// Payload packets received and translated to ULIDs.
    InTranslated,
    /// Payload packets translated behind an outer Fragment or Destination Options header.
    InTranslatedLate,
    /// Packets received between the ULIDs of a context, without a header.
    InUlids,
    /// Super-packets that generic receive offload made of received packets.
    InGroMerged,
    /// Dropped: payload with a context tag nobody here gave out.
    InUnknownTag,
    /// Dropped: payload with the tag of a context that has no peer yet.
    InEarly,
    /// Payload packets left alone: they are not for this host.
    InForwarded,
    /// Dropped: no memory.
    InNoMemory,
    /// Dropped: the chain of extension headers is malformed or too long.
    InBadHeaders,
    /// Control messages received, good or bad.
    InControl,
    /// Control messages that nobody here wants: for static contexts, for ULIDs of other hosts.
    InControlIgnored,
    /// Control messages that found no place in the queue.
    ControlQueueFull,
    /// I1 messages received.
    InI1,
    /// R1 messages received.
    InR1,
    /// I2 messages received.
    InI2,
    /// R2 messages received.
    InR2,
    /// R1bis messages received.
    InR1bis,
    /// I2bis messages received.
    InI2bis,
    /// Update Requests received.
    InUpdateRequest,
    /// Update Acknowledgements received.
    InUpdateAcknowledgement,
    /// Keepalives received.
    InKeepalive,
    /// Probes received.
    InProbe,
    /// Error messages received.
    InError,
    /// Dropped: I2 and I2bis whose Responder Nonce or Validator is not ours, or too old.
    InBadValidator,
    /// Control messages whose tag is right, between locators that are not those of the context.
    InForeignLocators,
    /// Control messages refused with an Error message.
    InRefused,
    /// I1 messages sent.
    OutI1,
    /// R1 messages sent.
    OutR1,
    /// I2 messages sent.
    OutI2,
    /// R2 messages sent.
    OutR2,
    /// R1bis messages sent.
    OutR1bis,
    /// I2bis messages sent.
    OutI2bis,
    /// Update Requests sent.
    OutUpdateRequest,
    /// Update Acknowledgements sent.
    OutUpdateAcknowledgement,
    /// Error messages sent.
    OutError,
    /// Keepalives sent.
    OutKeepalive,
    /// Probes sent.
    OutProbe,
    /// Messages sent again for want of an answer.
    OutRetransmitted,
    /// Control messages that left out preferences or locators, to be no longer than 1280 octets.
    OutShortened,
    /// Control messages that could not be sent: no route, a firewall, no memory.
    OutControlFailed,
    /// Answers not sent because of `net.shim6.answer_rate_peer`.
    AnswerLimitedPeer,
    /// Answers not sent because of `net.shim6.r1_rate` or `net.shim6.answer_rate`.
    AnswerLimitedHost,
    /// Requests for contexts that found no place in the queue.
    RequestQueueFull,
    /// ICMPv6 errors translated to ULIDs.
    InIcmpTranslated,
    /// ICMPv6 errors about our packets that could not be translated: malformed or a bad checksum.
    InIcmpBad,
    /// Contexts made.
    ContextAdded,
    /// Contexts removed.
    ContextDeleted,
    /// Contexts established with a peer.
    ContextEstablished,
    /// Contexts established again after the peer had lost its own.
    ContextRecovered,
    /// Contexts whose peer did not answer, or does not know Shim6.
    EstablishmentFailed,
    /// Contexts that the peer lost, as another one with the same tag showed.
    ContextConfused,
    /// Contexts forgotten because nobody used them.
    ContextIdle,
    /// Contexts not made because no free tag was found.
    ContextNoTag,
    /// Contexts refused because `net.shim6.max_contexts` was reached.
    ContextTableFull,
    /// Changes of a current locator pair.
    PairSwitched,
    /// Explorations begun (RFC 5534, Section 4.3).
    Explored,
    /// Timeouts of TCP connections that spoke against the current pair.
    TcpTimeout,
    /// Changes to a pair over which the peer reported a Probe.
    SwitchedProbed,
    /// Changes to a pair that stood by.
    SwitchedStandby,
    /// Changes back to a better pair.
    SwitchedBack,
    /// Times that connections were told to send again at once.
    Resumed,
    /// Times that all pairs had been probed without an answer.
    ProbeRounds,
    /// Probes that were not sent because this host has no locator to send from.
    ProbeNoPair,
    /// Probes of peers that were not answered because there were too many.
    ProbeNotAnswered,
    /// Probes of peers that reported probes which were not sent.
    ProbeUnbelieved,
    /// Forks of contexts that this host asked its peers for.
    ForkStarted,
    /// Forks of this host that were established.
    ForkEstablished,
    /// Forks of this host that peers did not answer.
    ForkFailed,
    /// Forks of this host deleted, because their sockets are gone.
    ForkDeleted,
    /// Settings of sockets that did not fit their forks when these were established.
    ForkSettingFailed,
    /// Settings of a socket that went from a context to a fork, because another socket came.
    ForkMoved,
    /// Sockets that got no fork because of `net.shim6.max_forks`.
    ForkTableFull,
    /// Sockets that got no fork because of `net.shim6.max_forks_user`.
    ForkUserLimited,
    /// Forks of peers refused because of `net.shim6.max_forks_peer`.
    ForkPeerLimited,
    /// Packets sent through forks.
    OutForked,
    /// Payload packets received by forks.
    InForked,
    /// Conversations forgotten that came in by forks of peers, for want of a place.
    FlowForgotten,
    /// Routes of last resort that could not be installed.
    LastResortFailed,
}

/// Counters without a [`Reason`].
const PLAIN: usize = Counter::NAMES.len();

/// Where the reasons begin for which valid messages are not taken.
const DISCARDS: usize = PLAIN + Reason::ALL.len();

/// Where the reasons begin for which a peer's word about itself is not taken.
const REFUSALS: usize = DISCARDS + Cause::ALL.len();

/// All counters.
const ALL: usize = REFUSALS + Refusal::ALL.len();

/// The counters of a namespace.
pub(crate) struct Counters(percpu::Counters<ALL>);

impl Counters {
    /// Counters at zero. May sleep.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(percpu::Counters::new()?))
    }

    /// Counts something. Any context.
    #[inline]
    pub(crate) fn count(&self, counter: Counter) {
        self.0.inc(counter as usize);
    }

    /// A counter for what counts on the way.
    #[inline]
    pub(crate) fn tally(&self, counter: Counter) -> percpu::Tally<'_> {
        self.0.tally(counter as usize)
    }

    /// The value of a counter without a [`Reason`], by its place. A packet is counted once, so
    /// super-packets that were translated have to be added to the others.
    fn value(&self, index: usize) -> u64 {
        const TRANSLATED: usize = Counter::OutTranslated as usize;
        let sum = |counter: Counter| self.0.sum(counter as usize);
        match index {
            TRANSLATED => sum(Counter::OutTranslated)
                .wrapping_add(sum(Counter::OutWhole))
                .wrapping_add(sum(Counter::OutSoftwareGso)),
            _ => self.0.sum(index),
        }
    }

    /// Counts a dropped Shim6 header.
    pub(super) fn count_drop(&self, reason: Reason) {
        self.0.inc(PLAIN.saturating_add(reason.index()));
    }

    /// Counts a valid message that its context did not take.
    pub(super) fn count_discard(&self, cause: Cause) {
        self.0.inc(DISCARDS.saturating_add(cause.index()));
    }

    /// Counts a message that was not verified.
    pub(super) fn count_refusal(&self, refusal: Refusal) {
        self.0.inc(REFUSALS.saturating_add(refusal.index()));
    }
}

/// `/proc/net/shim6_stat`: a line for each counter, its name and its value.
pub(crate) struct StatFile;

impl Show for StatFile {
    const NAME: &'static CStr = c_str!("shim6_stat");

    fn show(net: &Net, file: &SeqFile) {
        let namespace = Namespace::of(net);
        seq_print!(file, "{:<24} {}\n", "Contexts", namespace.contexts.len());
        seq_print!(file, "{:<24} {}\n", "Forks", namespace.contexts.forks());
        for (index, name) in Counter::NAMES.iter().enumerate() {
            seq_print!(file, "{:<24} {}\n", name, namespace.counters.value(index));
        }
        let sum =
            |first: usize, index: usize| namespace.counters.0.sum(first.saturating_add(index));
        for reason in Reason::ALL {
            let value = sum(PLAIN, reason.index());
            seq_print!(file, "Drop_{:<19} {}\n", reason.name(), value);
        }
        for cause in Cause::ALL {
            let value = sum(DISCARDS, cause.index());
            seq_print!(file, "Discard_{:<16} {}\n", cause.name(), value);
        }
        for refusal in Refusal::ALL {
            let value = sum(REFUSALS, refusal.index());
            seq_print!(file, "Refuse_{:<17} {}\n", refusal.name(), value);
        }
    }
}
