// SPDX-License-Identifier: GPL-2.0

//! What fuzzers do with the octets that they think of: one function for each target. What has to
//! hold is mostly written down in the tests of the protocol and in the model, whose files are
//! modules here.

mod attack;
mod cga;
mod compose;
mod hosts;
mod limit;
mod machine;
mod message;
mod packet;
mod validator;
mod verify;

#[path = "../../tests/proto/crypto.rs"]
mod crypto;
#[path = "../../tests/proto/establish_invariants.rs"]
mod establish_invariants;
#[path = "../../tests/proto/establish_messages.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod establish_messages;
#[path = "../../tests/proto/establish_support.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod establish_support;
#[path = "../../tests/proto/model.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod model;
#[path = "../../tests/proto/peer.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod peer;
#[path = "../../tests/proto/support.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod support;

pub use self::{
    attack::attack,
    cga::{
        key,
        pds, //
    },
    compose::compose,
    hosts::hosts,
    limit::limit,
    machine::machine,
    message::{
        message,
        round_trip, //
    },
    packet::packet,
    validator::validator,
    verify::verify, //
};
