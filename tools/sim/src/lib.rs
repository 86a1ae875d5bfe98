// SPDX-License-Identifier: GPL-2.0

//! Many hosts made of the Shim6 protocol code that the kernel module runs, in virtual time, with
//! every fault that can be drawn. A run follows from its seed and its options, so whatever goes
//! wrong can be looked at again.
//!
//! [`scenario`] draws what a run is about, [`sim`] lets it happen, [`audit`] looks at everything all
//! along. A [`host`] drives the protocol code as the module does.

pub mod audit;
pub mod bug;
pub mod dice;
pub mod event;
pub mod fault;
pub mod flow;
pub mod host;
pub mod liar;
pub mod map;
mod named;
pub mod net;
pub mod scenario;
pub mod sim;
pub mod stats;

use self::{
    bug::Bug,
    fault::Kinds, //
};

/// What a run is, besides its seed.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many hosts; [`None`] to draw it.
    pub hosts: Option<usize>,
    /// What may go wrong.
    pub faults: Kinds,
    /// For how many minutes things go wrong.
    pub minutes: u32,
    /// What hosts do wrong on purpose.
    pub bug: Option<Bug>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hosts: None,
            faults: Kinds::ALL,
            minutes: 10,
            bug: None,
        }
    }
}
