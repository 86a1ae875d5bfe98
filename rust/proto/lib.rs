// SPDX-License-Identifier: GPL-2.0

//! The Shim6 protocol as a host crate.
//!
//! The kernel module compiles the same files as its module `proto`; this root only gives them a
//! crate of their own, so that tests, tools and fuzzers run the very code that the kernel runs.

#![no_std]
#![forbid(unsafe_code)]

#[path = "mod.rs"]
mod proto;

pub use proto::*;
