// SPDX-License-Identifier: GPL-2.0

//! What a socket can want of its context and nobody else's: what makes a fork where a context is
//! shared (draft-ietf-shim6-multihome-shim-api-03, Section 9).

use super::{
    Context,
    Detection,
    Listed,
    SetPairError,
    Side,
    Wanted, //
};
use crate::{
    kernel_ext::rcu::RcuArc,
    proto::time::Interval, //
};
use kernel::{
    prelude::*,
    sync::{
        rcu,
        Arc, //
    }, //
};

/// A setting of a socket. To be kept until there is a context that it can be applied to.
#[derive(Clone)]
pub(crate) enum Setting {
    /// The locator of a side that is preferred; `None` for no preference.
    Preferred(Side, Option<Wanted>),
    /// The list of a side; `None` for all that there is.
    List(Side, Option<Arc<KVec<Wanted>>>),
    /// How failure detection works.
    Detection(Detection),
    /// Whether a second pair is kept confirmed.
    HotStandby(bool),
}

impl Setting {
    /// Whether this is what a socket has that never asked for anything. Such a setting makes no
    /// fork, and none is kept.
    pub(crate) fn is_default(&self) -> bool {
        match self {
            Self::Preferred(_, preferred) => preferred.is_none(),
            Self::List(_, wanted) => wanted.is_none(),
            Self::Detection(detection) => *detection == Detection::default(),
            Self::HotStandby(wanted) => !wanted,
        }
    }

    /// Whether this takes the place of another one.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Preferred(side, _), Self::Preferred(other, _))
            | (Self::List(side, _), Self::List(other, _)) => side == other,
            (Self::Detection(_), Self::Detection(_))
            | (Self::HotStandby(_), Self::HotStandby(_)) => true,
            _ => false,
        }
    }

    /// Whether a context, or a fork of it, could be so. Process context.
    ///
    /// # Errors
    ///
    /// Those of [`Setting::apply`].
    pub(crate) fn check(&self, context: &Context) -> Result<(), SetPairError> {
        match self {
            Self::Preferred(side, Some(wanted)) => context.can_prefer(*side, &wanted.locator),
            Self::List(side, Some(wanted)) => {
                let ulid = context.ulids().local.as_locator();
                let has_ulid = wanted.iter().any(|wanted| wanted.locator == ulid);
                let rcu = rcu::read_lock();
                let list = context.locators(&rcu).side(*side);
                let are_listed = wanted.iter().all(|wanted| list.has(&wanted.locator));
                if are_listed && (*side == Side::Peer || has_ulid) {
                    Ok(())
                } else {
                    Err(SetPairError::NotInList(*side))
                }
            }
            Self::Preferred(_, None)
            | Self::List(_, None)
            | Self::Detection(_)
            | Self::HotStandby(_) => Ok(()),
        }
    }

    /// Makes a context so. Process context, may sleep.
    ///
    /// # Errors
    ///
    /// A [`SetPairError`]; nothing is changed then.
    pub(crate) fn apply(&self, context: &RcuArc<Context>) -> Result<(), SetPairError> {
        match self {
            Self::Preferred(side, Some(wanted)) => context.prefer(*side, wanted),
            // Traffic stays where it is: what the default would be may have failed.
            Self::Preferred(_, None) => Ok(()),
            Self::List(side, wanted) => {
                let wanted = wanted.as_deref().map(KVec::as_slice);
                context.lock()?.remember_list(*side)?;
                match side {
                    Side::Local => Context::want_local_list(context, wanted),
                    Side::Peer => Context::want_peer_list(context, wanted),
                }
            }
            Self::Detection(detection) => detect(context, detection),
            Self::HotStandby(wanted) => {
                let mut locked = context.lock()?;
                let mut overrides = locked.reap_overrides();
                overrides.hot_standby = wanted.then_some(true);
                locked.set_reap_of_socket(overrides)?;
                Ok(())
            }
        }
    }
}

/// Choices: the Send Timeout bounds the Keepalive Interval, and if it is longer than
/// the system's, no Keepalives are sent.
fn detect(context: &Context, detection: &Detection) -> Result<(), SetPairError> {
    let seconds = |value: u16| (value != 0).then(|| Interval::from_secs(u32::from(value)));
    let mut locked = context.lock()?;
    let mut overrides = locked.reap_overrides();
    let system = locked.namespace_reap_constants().send_timeout;
    let timeout = seconds(detection.send_timeout);
    overrides.send_timeout = timeout;
    overrides.keepalive_interval = seconds(detection.keepalive_interval).or(timeout);
    overrides.suppress_keepalives = timeout.map(|timeout| timeout > system);
    overrides.initial_probes = (detection.probes != 0).then_some(detection.probes);
    overrides.initial_probe_timeout = (detection.probe_timeout != 0)
        .then(|| Interval::from_millis(u32::from(detection.probe_timeout)));
    locked.set_reap_of_socket(overrides)?;
    Ok(())
}
