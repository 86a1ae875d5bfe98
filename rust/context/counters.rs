// SPDX-License-Identifier: GPL-2.0

//! What is counted in every namespace, and its names in `/proc/net/shim6_stat`.

use super::Namespace;
use crate::{
    kernel_ext::{
        net::Net,
        percpu,
        procfs::Show, //
    },
    proto::wire::fault::Reason, //
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
    /// Payload packets translated behind an outer Fragment header.
    InTranslatedLate,
    /// Packets received between the ULIDs of a context, without a header.
    InUlids,
    /// Super-packets that generic receive offload made of received packets.
    InGroMerged,
    /// Dropped: payload with a context tag nobody here gave out.
    InUnknownTag,
    /// Payload packets left alone: they are not for this host.
    InForwarded,
    /// Dropped: no memory.
    InNoMemory,
    /// Dropped: the chain of extension headers is malformed or too long.
    InBadHeaders,
    /// Control messages received, good or bad.
    InControl,
    /// Control messages that no state machine wants.
    InControlIgnored,
    /// ICMPv6 errors translated to ULIDs.
    InIcmpTranslated,
    /// ICMPv6 errors about our packets that could not be translated: malformed or a bad checksum.
    InIcmpBad,
    /// Contexts made.
    ContextAdded,
    /// Contexts removed.
    ContextDeleted,
    /// Contexts refused because `net.shim6.max_contexts` was reached.
    ContextTableFull,
    /// Changes of a current locator pair.
    PairSwitched,
    /// Routes of last resort that could not be installed.
    LastResortFailed,
}

/// Counters without a [`Reason`].
const PLAIN: usize = Counter::NAMES.len();

/// All counters.
const ALL: usize = PLAIN + Reason::ALL.len();

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

    /// Counts a dropped Shim6 header.
    pub(crate) fn count_drop(&self, reason: Reason) {
        self.0.inc(PLAIN.saturating_add(reason.index()));
    }
}

/// `/proc/net/shim6_stat`: a line for each counter, its name and its value.
pub(crate) struct StatFile;

impl Show for StatFile {
    const NAME: &'static CStr = c_str!("shim6_stat");

    fn show(net: &Net, file: &SeqFile) {
        let namespace = Namespace::of(net);
        seq_print!(file, "{:<24} {}\n", "Contexts", namespace.contexts.len());
        for (index, name) in Counter::NAMES.iter().enumerate() {
            seq_print!(file, "{:<24} {}\n", name, namespace.counters.0.sum(index));
        }
        for reason in Reason::ALL {
            let value = namespace
                .counters
                .0
                .sum(PLAIN.saturating_add(reason.index()));
            seq_print!(file, "Drop_{:<19} {}\n", reason.name(), value);
        }
    }
}
