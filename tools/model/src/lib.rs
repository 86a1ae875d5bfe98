// SPDX-License-Identifier: GPL-2.0

//! Hosts made of the Shim6 protocol code that the kernel module runs, without the kernel around
//! it: contexts, a table of them, HBA sets, validators. Two ways to try them:
//!
//! - [`net`] joins two or three of them by a network that loses, repeats, delays and reorders, in
//!   virtual time and from a seed;
//! - [`check`] visits every state that two of them can come to within a number of steps.
//!
//! Both ask [`Host::check`](host::Host::check) after every step. [`reap`] does as [`check`] for the
//! failure detection of a context that is established.

pub mod check;
pub mod crypto;
pub mod host;
pub mod net;
pub mod packet;
pub mod reap;
pub mod set;
pub mod settle;
