// SPDX-License-Identifier: GPL-2.0

//! Every control message of `messages.json`: parsed into its fields, built from its fields, cut
//! at every length and with every bit flipped.

use serde_json::Value;
use shim6_proto::wire::{
    build,
    fault::{
        Fault,
        Reason,
        Report, //
    },
    ipv6::Ipv6Header,
    message::{
        Arrival,
        Message, //
    }, //
};

use crate::{
    effort::STRIDE,
    model::Model,
    support::{
        address,
        field,
        vectors, //
    }, //
};

/// The vector with this name.
fn vector(name: &str) -> Value {
    vectors!("messages")["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .find(|vector| vector["name"] == name)
        .unwrap_or_else(|| panic!("no vector {name}"))
        .clone()
}

/// How the message of a vector arrived.
fn arrival(vector: &Value) -> Arrival {
    Arrival {
        source: address(&vector["ip_src"]).into(),
        destination: address(&vector["ip_dst"]).into(),
        offset: 40,
    }
}

/// The model of a vector; the packet in error is not among the fields of the vectors, so it comes
/// from the message that caused the error.
fn model(vector: &Value, invoking: Option<&str>) -> Model {
    let mut model = Model::from_vector(vector);
    if let (Some((_, packet)), Some(name)) = (&mut model.error, invoking) {
        *packet = field(&self::vector(name)["packet"]);
    }
    model
}

/// The message is what its fields say.
fn check_parse(vector: &Value, invoking: Option<&str>) {
    let shim6 = field(&vector["shim6"]);
    let message = Message::parse(&arrival(vector), &shim6).expect("a valid message");

    assert_eq!(Model::from(&message), model(vector, invoking));
    assert_eq!(u64::from(shim6[1]), vector["hdr_ext_len"].as_u64().unwrap());
}

/// The fields make the message, octet for octet.
fn check_build(vector: &Value, invoking: Option<&str>) {
    let built = model(vector, invoking).build().expect("a message");

    assert_eq!(hex::encode(built), vector["shim6"].as_str().unwrap());
}

/// The whole packet is the IPv6 header and the message.
fn check_packet(vector: &Value) {
    let packet = field(&vector["packet"]);
    let header = Ipv6Header::parse(&packet).expect("an IPv6 header");
    let arrival = arrival(vector);

    assert_eq!(header.source, arrival.source);
    assert_eq!(header.destination, arrival.destination);
    assert_eq!(header.next_header, 140);
    assert_eq!(usize::from(header.payload_length), packet.len() - 40);
    assert_eq!(packet[40..], field(&vector["shim6"]));
}

/// A message that is cut anywhere is refused, and nothing is sent back.
fn check_truncation(vector: &Value) {
    let shim6 = field(&vector["shim6"]);
    let fault = Err(Fault::from(Reason::Truncated));

    for length in 0..shim6.len() {
        assert_eq!(
            Message::parse(&arrival(vector), &shim6[..length]),
            fault,
            "cut at {length}"
        );
    }
}

/// No message with a flipped bit is accepted. P, S and the type are looked at before the options,
/// but only S and P before the checksum, so nothing is sent back either.
fn check_bit_flips(vector: &Value) {
    let shim6 = field(&vector["shim6"]);

    for bit in (0..shim6.len() * 8).step_by(STRIDE) {
        let mut flipped = shim6.clone();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        let fault = Message::parse(&arrival(vector), &flipped).expect_err("a wrong bit");

        assert_eq!(fault.report, None, "bit {bit}");
        match bit {
            8..16 => assert!(
                [Reason::Truncated, Reason::Checksum].contains(&fault.reason),
                "bit {bit} of Hdr Ext Len"
            ),
            16 => assert_eq!(fault.reason, Reason::NotControl),
            31 => assert_eq!(fault.reason, Reason::NotShim6),
            _ => assert_eq!(fault.reason, Reason::Checksum, "bit {bit}"),
        }
    }
}

macro_rules! golden {
    ($($module:ident: $name:literal $(caused by $invoking:literal)?;)*) => {
        $(mod $module {
            const INVOKING: &[&str] = &[$($invoking)?];

            #[test]
            fn parses_into_its_fields() {
                super::check_parse(&super::vector($name), INVOKING.first().copied());
            }

            #[test]
            fn is_built_from_its_fields() {
                super::check_build(&super::vector($name), INVOKING.first().copied());
            }

            #[test]
            fn makes_up_the_packet() {
                super::check_packet(&super::vector($name));
            }

            #[test]
            fn is_refused_when_cut() {
                super::check_truncation(&super::vector($name));
            }

            #[test]
            fn is_refused_with_a_flipped_bit() {
                super::check_bit_flips(&super::vector($name));
            }
        })*

        /// The messages that parse.
        const GOLDEN: &[&str] = &[$($name),*];
    };
}

golden! {
    i1: "I1";
    r1: "R1";
    i2: "I2";
    r2: "R2";
    r1bis: "R1bis";
    i2bis: "I2bis";
    r2_after_i2bis: "R2-after-I2bis";
    i1_forked: "I1-forked";
    update_request_cga: "UpdateRequest-CGA";
    update_request_preferences_only: "UpdateRequest-preferences-only";
    update_acknowledgement: "UpdateAck";
    keepalive: "Keepalive";
    probe_exploring: "Probe-exploring";
    probe_exploring_2: "Probe-exploring-2";
    probe_inbound_ok: "Probe-inboundok";
    probe_operational: "Probe-operational";
    error_0: "Error-0" caused by "unknown-type-100";
    error_1: "Error-1" caused by "UpdateRequest-unknown-critical-option";
    error_2: "Error-2" caused by "UpdateRequest-bad-method";
    error_3: "Error-3" caused by "UpdateRequest-bad-generation";
    error_4: "Error-4" caused by "UpdateRequest-bad-count";
}

/// The messages that cause an error.
const FAULTY: &[&str] = &[
    "unknown-type-100",
    "UpdateRequest-unknown-critical-option",
    "UpdateRequest-bad-method",
    "UpdateRequest-bad-generation",
    "UpdateRequest-bad-count",
];

#[test]
fn every_vector_is_tested() {
    let vectors = vectors!("messages");
    let names = vectors["messages"].as_array().unwrap().iter();
    let mut names: Vec<_> = names.map(|v| v["name"].as_str().unwrap()).collect();
    let mut tested = [GOLDEN, FAULTY].concat();

    names.sort_unstable();
    tested.sort_unstable();
    assert_eq!(names, tested);
}

/// Builds the Error message for `report` about the packet of `cause` and compares it with the
/// vector `answer`.
#[track_caller]
fn assert_answered(cause: &str, report: Report, answer: &str) {
    let mut buffer = [0; build::MAX_LEN];
    let packet = field(&vector(cause)["packet"]);
    let message = build::error(&mut buffer, report, &packet).unwrap().finish();

    assert_eq!(
        hex::encode(message.unwrap()),
        vector(answer)["shim6"].as_str().unwrap()
    );
}

/// The fault of a vector that does not parse.
fn fault(name: &str) -> Fault {
    let vector = vector(name);
    Message::parse(&arrival(&vector), &field(&vector["shim6"])).expect_err("a fault")
}

/// Hands the options of the Update Request in a vector to `check`.
fn with_update(name: &str, check: impl FnOnce(&shim6_proto::wire::option::HostOptions<'_>)) {
    let vector = vector(name);
    let shim6 = field(&vector["shim6"]);
    match Message::parse(&arrival(&vector), &shim6) {
        Ok(Message::UpdateRequest(request)) => check(&request.host),
        other => panic!("{other:?}"),
    }
}

#[test]
fn unknown_type_is_answered_with_error_0() {
    let fault = fault("unknown-type-100");

    assert_eq!(fault.reason, Reason::UnknownType);
    assert_answered("unknown-type-100", fault.report.unwrap(), "Error-0");
}

#[test]
fn unknown_critical_option_is_answered_with_error_1() {
    let name = "UpdateRequest-unknown-critical-option";
    let fault = fault(name);

    assert_eq!(fault.reason, Reason::OptionCritical);
    assert_answered(name, fault.report.unwrap(), "Error-1");
}

#[test]
fn unsupported_method_is_answered_with_error_2() {
    with_update("UpdateRequest-bad-method", |host| {
        let report = host.locator_list.unwrap().unsupported_method().unwrap();
        assert_answered("UpdateRequest-bad-method", report, "Error-2");
    });
}

#[test]
fn wrong_generation_is_answered_with_error_3() {
    with_update("UpdateRequest-bad-generation", |host| {
        let generation = shim6_proto::number::Generation::new(0xa000_0001);
        let report = host.locator_preferences.unwrap().check(generation, 2);
        assert_answered(
            "UpdateRequest-bad-generation",
            report.unwrap_err(),
            "Error-3",
        );
    });
}

#[test]
fn wrong_number_of_elements_is_answered_with_error_4() {
    with_update("UpdateRequest-bad-count", |host| {
        let generation = shim6_proto::number::Generation::new(0xa000_0001);
        let report = host.locator_preferences.unwrap().check(generation, 2);
        assert_answered("UpdateRequest-bad-count", report.unwrap_err(), "Error-4");
    });
}
