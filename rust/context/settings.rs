// SPDX-License-Identifier: GPL-2.0

//! The settings of a namespace, `/proc/sys/net/shim6`. Times are in milliseconds unless the name says
//! otherwise; defaults are those of RFC 5533, Section 14.

use super::Namespace;
use crate::{
    kernel_ext::{
        net::Net,
        sysctl::{
            Registered,
            Setting, //
        },
    },
    proto::{
        establish::Constants,
        reap,
        time::Interval,
        wire::option::KeepaliveTimeout, //
    },
};
use kernel::{
    c_str,
    prelude::*, //
};

/// When contexts are established without being asked for (`net.shim6.establish`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Establish {
    /// Never; messages of peers are not answered either, but for contexts that exist.
    Off,
    /// For sockets that ask, by netlink, and for the prefixes of the policy.
    OnRequest,
    /// Also for connections that turn out to be worth it.
    Auto,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $index:ident = $setting:expr;)*) => {
        /// Index of a setting in [`SETTINGS`].
        #[derive(Clone, Copy)]
        enum Index {
            $($(#[$doc])* $index,)*
        }

        /// How many there are.
        const NUMBER: usize = [$(Index::$index),*].len();

        /// What they are.
        static SETTINGS: [Setting; NUMBER] = [$($setting),*];
    };
}

/// A day, the most that any time can be set to.
const DAY: u32 = 86_400_000;

settings! {
    /// Most contexts.
    MaxContexts = Setting::number(c_str!("max_contexts"), 65_536, 0, i32::MAX as u32);
    /// Sockets with settings of their own, and so forks of this host.
    MaxForks = Setting::number(c_str!("max_forks"), 4_096, 0, 1_048_576);
    /// Those among them that one user made.
    MaxForksUser = Setting::number(c_str!("max_forks_user"), 256, 0, 1_048_576);
    /// Forks of one peer, that is of one /64.
    MaxForksPeer = Setting::number(c_str!("max_forks_peer"), 256, 0, 1_048_576);
    /// How long a fork that has lost its socket has to be silent before it goes.
    ForkLinger = Setting::number(c_str!("fork_linger"), 10_000, 0, DAY);
    /// When contexts are established.
    Establish = Setting::word(
        c_str!("establish"),
        1,
        &[c_str!("off"), c_str!("on-request"), c_str!("auto")],
    );
    /// Packets of a connection, both ways, before it gets a context on its own.
    EstablishPackets = Setting::number(c_str!("establish_packets"), 50, 1, i32::MAX as u32);
    /// Age of a connection before it gets a context on its own.
    EstablishAge = Setting::number(c_str!("establish_age"), 1_000, 0, DAY);
    /// I1_TIMEOUT.
    I1Timeout = Setting::number(c_str!("i1_timeout"), 4_000, 10, DAY);
    /// I1_RETRIES_MAX.
    I1RetriesMax = Setting::number(c_str!("i1_retries_max"), 4, 0, 32);
    /// I2_TIMEOUT.
    I2Timeout = Setting::number(c_str!("i2_timeout"), 4_000, 10, DAY);
    /// I2_RETRIES_MAX.
    I2RetriesMax = Setting::number(c_str!("i2_retries_max"), 2, 0, 32);
    /// I2bis_TIMEOUT.
    I2bisTimeout = Setting::number(c_str!("i2bis_timeout"), 4_000, 10, DAY);
    /// I2bis_RETRIES_MAX.
    I2bisRetriesMax = Setting::number(c_str!("i2bis_retries_max"), 2, 0, 32);
    /// UPDATE_TIMEOUT.
    UpdateTimeout = Setting::number(c_str!("update_timeout"), 4_000, 10, DAY);
    /// MAX_UPDATE_TIMEOUT.
    MaxUpdateTimeout = Setting::number(c_str!("max_update_timeout"), 120_000, 10, DAY);
    /// NO_R1_HOLDDOWN_TIME.
    NoR1HolddownTime = Setting::number(c_str!("no_r1_holddown_time"), 60_000, 10, DAY);
    /// ICMP_HOLDDOWN_TIME.
    IcmpHolddownTime = Setting::number(c_str!("icmp_holddown_time"), 600_000, 10, DAY);
    /// How long a context without traffic and users lives (RFC 5533, Section 9).
    IdleTimeout = Setting::number(c_str!("idle_timeout"), 300_000, 100, DAY);
    /// R1 messages a second, to all peers together.
    R1Rate = Setting::number(c_str!("r1_rate"), 100_000, 0, 10_000_000);
    /// R1bis and Error messages a second, to all peers together.
    AnswerRate = Setting::number(c_str!("answer_rate"), 100, 0, 10_000_000);
    /// Stateless answers of each kind a second to one peer, that is to one /64.
    AnswerRatePeer = Setting::number(c_str!("answer_rate_peer"), 10, 0, 10_000_000);
    /// Least time between Update Requests of a context for changes of addresses.
    UpdateInterval = Setting::number(c_str!("update_interval"), 1_000, 0, DAY);
    /// Send Timeout (RFC 5534, Section 7).
    SendTimeout = Setting::number(c_str!("send_timeout"), 15_000, 100, DAY);
    /// Keepalive Interval; 0 for a third of the Keepalive Timeout.
    KeepaliveInterval = Setting::number(c_str!("keepalive_interval"), 0, 0, DAY);
    /// Initial Probe Timeout.
    ProbeTimeout = Setting::number(c_str!("probe_timeout"), 500, 10, DAY);
    /// Number of Initial Probes.
    InitialProbes = Setting::number(c_str!("initial_probes"), 4, 1, 32);
    /// Max Probe Timeout.
    MaxProbeTimeout = Setting::number(c_str!("max_probe_timeout"), 60_000, 10, DAY);
    /// Whether a second pair is kept confirmed.
    HotStandby = Setting::word(c_str!("hot_standby"), 0, &[c_str!("off"), c_str!("on")]);
    /// How often a hot standby is confirmed.
    StandbyInterval = Setting::number(c_str!("standby_interval"), 60_000, 100, DAY);
    /// How long after a pair failed a better one than that in use is tried again; 0 for never.
    FailbackHold = Setting::number(c_str!("failback_hold"), 60_000, 0, DAY);
    /// The most that becomes of it when that pair keeps failing.
    FailbackHoldMax = Setting::number(c_str!("failback_hold_max"), 3_600_000, 0, DAY);
    /// How often the retransmission timer of a TCP connection has to expire in a row before another
    /// pair is looked for; 0: the Send Timeout alone decides.
    TcpRetransmits = Setting::number(c_str!("tcp_retransmits"), 0, 0, 255);
    /// Bits of a tag that are random: fewer than 47 only to test what happens when tags collide
    /// (RFC 5533, Appendix C.4).
    TagBits = Setting::number(c_str!("tag_bits"), 47, 4, 47);
}

/// The settings of a namespace, registered.
pub(crate) struct Settings(Registered<NUMBER>);

impl Settings {
    /// Settings at their defaults, shown as files. Process context.
    pub(super) fn new(net: &Net) -> Result<Self> {
        Registered::new::<Namespace>(net, c_str!("net/shim6"), &SETTINGS).map(Self)
    }

    fn get(&self, index: Index) -> u32 {
        self.0.get(index as usize)
    }

    fn interval(&self, index: Index) -> Interval {
        Interval::from_millis(self.get(index))
    }

    fn retries(&self, index: Index) -> u8 {
        u8::try_from(self.get(index)).unwrap_or(u8::MAX)
    }

    /// Most contexts that may exist.
    pub(super) fn max_contexts(&self) -> u32 {
        self.get(Index::MaxContexts)
    }

    /// Most sockets with settings of their own.
    pub(super) fn max_forks(&self) -> u32 {
        self.get(Index::MaxForks)
    }

    /// Most among them that one user made.
    pub(super) fn max_forks_user(&self) -> u32 {
        self.get(Index::MaxForksUser)
    }

    /// Most forks of one peer.
    pub(super) fn max_forks_peer(&self) -> u32 {
        self.get(Index::MaxForksPeer)
    }

    /// How long a fork that has lost its socket has to be silent before it goes: what the peer still
    /// sends, as the end of a connection, would make both hosts recover it.
    pub(crate) fn fork_linger(&self) -> Interval {
        self.interval(Index::ForkLinger)
    }

    /// When contexts are established.
    #[inline]
    pub(crate) fn establish(&self) -> Establish {
        match self.get(Index::Establish) {
            0 => Establish::Off,
            1 => Establish::OnRequest,
            _ => Establish::Auto,
        }
    }

    /// Packets of a connection before it gets a context on its own.
    pub(crate) fn establish_packets(&self) -> u32 {
        self.get(Index::EstablishPackets)
    }

    /// Age of a connection before it gets a context on its own.
    pub(crate) fn establish_age(&self) -> Interval {
        self.interval(Index::EstablishAge)
    }

    /// The constants of the state machine.
    pub(crate) fn constants(&self) -> Constants {
        Constants {
            i1_timeout: self.interval(Index::I1Timeout),
            i1_retries_max: self.retries(Index::I1RetriesMax),
            i2_timeout: self.interval(Index::I2Timeout),
            i2_retries_max: self.retries(Index::I2RetriesMax),
            i2bis_timeout: self.interval(Index::I2bisTimeout),
            i2bis_retries_max: self.retries(Index::I2bisRetriesMax),
            update_timeout: self.interval(Index::UpdateTimeout),
            max_update_timeout: self.interval(Index::MaxUpdateTimeout),
            no_r1_holddown: self.interval(Index::NoR1HolddownTime),
            icmp_holddown: self.interval(Index::IcmpHolddownTime),
            teardown: self.idle_timeout(),
            update_spacing: self.interval(Index::UpdateInterval),
            ..Constants::default()
        }
    }

    /// The constants of failure detection for a peer that asks for this Keepalive Timeout, in
    /// seconds. What does not fit together is made to.
    pub(crate) fn reap_constants(&self, keepalive_timeout: Option<u16>) -> reap::Constants {
        let probe_timeout = self.interval(Index::ProbeTimeout);
        let told = keepalive_timeout.and_then(KeepaliveTimeout::new);
        let keepalive_timeout = reap::Constants::keepalive_timeout_of(told);
        // Else one lost Keepalive would make the peer explore.
        let most = Interval::from_millis(keepalive_timeout.as_millis() / 2);
        let keepalive_interval = match self.get(Index::KeepaliveInterval) {
            0 => None,
            set => Some(Interval::from_millis(set).min(most)),
        };
        let failback_hold = self.interval(Index::FailbackHold);
        reap::Constants {
            initial_probe_timeout: probe_timeout,
            initial_probes: self.retries(Index::InitialProbes),
            max_probe_timeout: self.interval(Index::MaxProbeTimeout).max(probe_timeout),
            send_timeout: self.interval(Index::SendTimeout),
            keepalive_timeout,
            keepalive_interval,
            hot_standby: self.get(Index::HotStandby) != 0,
            standby_interval: self.interval(Index::StandbyInterval),
            confirm_timeout: self.interval(Index::UpdateTimeout),
            failback_hold,
            failback_hold_max: self.interval(Index::FailbackHoldMax).max(failback_hold),
            ..reap::Constants::default()
        }
    }

    /// How many timeouts in a row of a TCP connection speak against the current pair; 0: none do.
    #[inline]
    pub(crate) fn tcp_retransmits(&self) -> u32 {
        self.get(Index::TcpRetransmits)
    }

    /// How long a context without traffic and users lives.
    pub(crate) fn idle_timeout(&self) -> Interval {
        self.interval(Index::IdleTimeout)
    }

    /// R1 messages a second, to all peers together.
    pub(crate) fn r1_rate(&self) -> u32 {
        self.get(Index::R1Rate)
    }

    /// R1bis and Error messages a second, to all peers together.
    pub(crate) fn answer_rate(&self) -> u32 {
        self.get(Index::AnswerRate)
    }

    /// Stateless answers a second to one peer.
    pub(crate) fn answer_rate_peer(&self) -> u32 {
        self.get(Index::AnswerRatePeer)
    }

    /// The random bits of a tag.
    pub(crate) fn tag_mask(&self) -> u64 {
        u64::MAX
            .checked_shl(self.get(Index::TagBits))
            .map_or(u64::MAX, |high| !high)
    }
}
