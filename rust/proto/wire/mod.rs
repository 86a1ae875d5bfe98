// SPDX-License-Identifier: GPL-2.0

//! What Shim6 looks like on the wire: headers, options and messages, parsed once into types and
//! built from types, and the transformation of payload packets (RFC 5533, Sections 5, 8, 11, 12).

pub mod build;
mod builder;
pub mod chain;
pub mod checksum;
pub mod fault;
pub mod flow;
pub mod icmp;
pub mod ipv6;
pub mod message;
pub mod message_type;
pub mod option;
pub mod payload;
pub mod probe;
pub mod quote;
pub mod rewrite;
