// SPDX-License-Identifier: GPL-2.0

//! The Shim6 protocol: RFC 5533, and RFC 5534 as far as its messages go.
//!
//! Pure functions over octets and values: no kernel, no allocation, no clock, no I/O. Time and
//! randomness come in as arguments, effects go out as values. No input makes this code panic, and
//! the lints below keep it so: Debian kernels turn an overflow or a bad index into `BUG()`.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::todo,
    clippy::unimplemented,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod counted;
mod octets;

pub mod cga;
pub mod compose;
pub mod crypto;
pub mod dispatch;
pub mod establish;
pub mod hba;
pub mod identity;
pub mod limit;
pub mod locator;
pub mod number;
pub mod pds;
pub mod random;
pub mod reap;
pub mod rsa_key;
pub mod signature;
pub mod tag;
pub mod time;
pub mod validator;
pub mod verify;
pub mod wire;
