// SPDX-License-Identifier: GPL-2.0

//! Tests of the protocol crate, one file for each file or concern of the crate.
//!
//! `golden_*` check it against the vectors in `tests/vectors`, `*_properties` against arbitrary
//! input, the others rule by rule.

mod build;
mod chain;
mod fault;
mod golden_messages;
mod golden_options;
mod golden_pds;
mod golden_rewrite;
mod golden_tag;
mod icmp;
mod locator;
mod message;
mod message_properties;
mod model;
mod option;
mod option_locators;
mod packet_properties;
mod payload;
mod pds;
mod probe;
mod quote;
mod rewrite;
mod support;
mod tag;
