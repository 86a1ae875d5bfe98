// SPDX-License-Identifier: GPL-2.0

//! What one context has otherwise than the settings of its namespace say (RFC 5534, Section 7).

use crate::proto::{
    reap::Constants,
    time::Interval,
    wire::option::KeepaliveTimeout, //
};

/// Constants of failure detection that are a context's own: an administrator's by netlink, or those
/// of a socket (`SHIM_APP_TIMEOUT`, `SHIM_PATHEXPLORE`, `SHIM_HOT_STANDBY`). What is [`None`] is as
/// the namespace has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ReapOverrides {
    /// Send Timeout. The peer is told.
    pub(crate) send_timeout: Option<Interval>,
    /// Keepalive Interval, at most; a third of the Keepalive Timeout if that is less.
    pub(crate) keepalive_interval: Option<Interval>,
    /// Whether no Keepalives are sent.
    pub(crate) suppress_keepalives: Option<bool>,
    /// Number of Initial Probes.
    pub(crate) initial_probes: Option<u8>,
    /// Initial Probe Timeout.
    pub(crate) initial_probe_timeout: Option<Interval>,
    /// Whether a second pair is kept confirmed.
    pub(crate) hot_standby: Option<bool>,
}

impl ReapOverrides {
    /// Nothing is otherwise.
    pub(crate) const NONE: Self = Self {
        send_timeout: None,
        keepalive_interval: None,
        suppress_keepalives: None,
        initial_probes: None,
        initial_probe_timeout: None,
        hot_standby: None,
    };

    /// The constants of a namespace with these in place of its own. What does not fit together is
    /// made to.
    pub(crate) fn applied_to(&self, constants: Constants) -> Constants {
        let initial_probe_timeout = self
            .initial_probe_timeout
            .unwrap_or(constants.initial_probe_timeout);
        let third = Interval::from_millis(constants.keepalive_timeout.as_millis() / 3);
        Constants {
            send_timeout: self.send_timeout.unwrap_or(constants.send_timeout),
            keepalive_interval: self
                .keepalive_interval
                .map(|interval| interval.min(third))
                .or(constants.keepalive_interval),
            suppress_keepalives: self
                .suppress_keepalives
                .unwrap_or(constants.suppress_keepalives),
            initial_probes: self.initial_probes.unwrap_or(constants.initial_probes),
            initial_probe_timeout,
            max_probe_timeout: constants.max_probe_timeout.max(initial_probe_timeout),
            hot_standby: self.hot_standby.unwrap_or(constants.hot_standby),
            ..constants
        }
    }
}

/// What the peer of a context was told of this host's Send Timeout (RFC 5534, Section 5.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct ToldTimeout(Option<KeepaliveTimeout>);

impl ToldTimeout {
    /// Whether the peer has to be told, because it goes by another time.
    pub(super) fn is_outdated(self, constants: &Constants) -> bool {
        let default = Constants::default().timeout_in_seconds();
        self.0.or(default) != constants.timeout_in_seconds()
    }

    /// What a message has to tell, which counts as told from now on. The default is told only to
    /// who was told another before.
    pub(super) fn tell(&mut self, constants: &Constants) -> Option<KeepaliveTimeout> {
        if self.0.is_some() || self.is_outdated(constants) {
            self.0 = constants.timeout_in_seconds();
        }
        self.0
    }
}
