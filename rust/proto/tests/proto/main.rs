// SPDX-License-Identifier: GPL-2.0

//! Tests of the protocol crate, one file for each file or concern of the crate.
//!
//! `golden_*` check it against the vectors in `tests/vectors`, `*_properties` against arbitrary
//! input, the others rule by rule.

mod build;
mod cga;
mod chain;
mod compose;
mod crypto;
mod dispatch;
mod effort;
mod establish_choices;
mod establish_invariants;
mod establish_messages;
mod establish_properties;
mod establish_rows;
mod establish_rows_established;
mod establish_rows_sent;
mod establish_support;
mod establish_timers;
mod establish_update;
mod fault;
mod flow;
mod golden_cga;
mod golden_hba;
mod golden_messages;
mod golden_options;
mod golden_pds;
mod golden_rewrite;
mod golden_signature;
mod golden_tag;
mod hba;
mod icmp;
mod limit;
mod locator;
mod message;
mod message_properties;
mod model;
mod option;
mod option_locators;
mod packet_properties;
mod payload;
mod pds;
mod peer;
mod probe;
mod quote;
mod reap_examples;
mod reap_network;
mod reap_probes;
mod reap_properties;
mod reap_ranking;
mod reap_rest;
mod reap_rows;
mod reap_schedule;
mod reap_stamps;
mod reap_standby;
mod reap_support;
mod reap_told;
mod rewrite;
mod rsa_key;
mod support;
mod tag;
mod time;
mod validator;
mod validator_subject;
mod verify;
mod verify_signed;
