// SPDX-License-Identifier: GPL-2.0

//! Validity of control messages, check by check and in the order of the checks (RFC 5533,
//! Section 12.3).

use shim6_proto::{
    number::{
        Fii,
        Nonce, //
    },
    wire::{
        checksum,
        fault::{
            ErrorCode,
            Fault,
            Reason,
            Report, //
        },
        message::{
            Arrival,
            Message, //
        },
        message_type::MessageType, //
    }, //
};

use crate::support::{
    self,
    arrival,
    assert_dropped,
    control,
    fix_checksum,
    locator,
    parse,
    tlv,
    TAG, //
};

/// A valid Keepalive.
fn keepalive() -> Vec<u8> {
    control(66, &[TAG.to_control().as_slice(), &[0; 4]].concat())
}

/// Parses a valid Keepalive that came from `source` to `destination`.
#[track_caller]
fn assert_address_dropped(source: &str, destination: &str) {
    let arrival = Arrival {
        source: locator(source),
        destination: locator(destination),
        offset: 40,
    };
    let fault = Err(Reason::Address.into());
    assert_eq!(Message::parse(&arrival, &keepalive()), fault);
}

#[test]
fn valid_keepalive() {
    match parse(&keepalive()) {
        Ok(Message::Keepalive(keepalive)) => assert_eq!(keepalive.receiver_tag, TAG),
        other => panic!("{other:?}"),
    }
}

// The header fits in the packet.

#[test]
fn nothing_at_all() {
    assert_dropped(&[], Reason::Truncated);
}

#[test]
fn longer_than_the_packet() {
    let mut message = keepalive();
    message[1] = 2;
    fix_checksum(&mut message);
    assert_dropped(&message, Reason::Truncated);
}

#[test]
fn octets_behind_the_header_are_no_part_of_it() {
    let mut message = keepalive();
    message.extend_from_slice(&[0xff; 9]);
    assert!(parse(&message).is_ok());
}

// P is zero.

#[test]
fn payload_header_is_no_control_message() {
    let mut message = keepalive();
    message[2] |= 0x80;
    fix_checksum(&mut message);
    assert_dropped(&message, Reason::NotControl);
}

// The addresses are unicast.

#[test]
fn multicast_source() {
    assert_address_dropped("ff02::1", "2001:db8::1");
}

#[test]
fn multicast_destination() {
    assert_address_dropped("2001:db8::1", "ff0e::8c");
}

#[test]
fn unspecified_source() {
    assert_address_dropped("::", "2001:db8::1");
}

#[test]
fn unspecified_destination() {
    assert_address_dropped("2001:db8::1", "::");
}

// S is zero.

#[test]
fn hip_is_not_shim6() {
    let mut message = keepalive();
    message[3] |= 1;
    fix_checksum(&mut message);
    assert_dropped(&message, Reason::NotShim6);
}

#[test]
fn reserved_bits_beside_s_are_ignored() {
    let mut message = keepalive();
    message[3] = 0xfe;
    message[6] |= 0x80;
    message[12..16].fill(0xff);
    fix_checksum(&mut message);
    match parse(&message) {
        Ok(Message::Keepalive(keepalive)) => assert_eq!(keepalive.receiver_tag, TAG),
        other => panic!("{other:?}"),
    }
}

#[test]
fn next_header_is_not_looked_at() {
    let mut message = keepalive();
    message[0] = 17;
    fix_checksum(&mut message);
    assert!(parse(&message).is_ok());
}

// The checksum.

#[test]
fn wrong_checksum() {
    let mut message = keepalive();
    message[5] ^= 1;
    assert_dropped(&message, Reason::Checksum);
}

/// There is no rule that zero means "no checksum".
#[test]
fn zero_is_no_excuse() {
    let mut message = keepalive();
    message[4..6].fill(0);
    assert_dropped(&message, Reason::Checksum);
}

#[test]
fn computed_zero_is_sent_as_zero() {
    // Tag octets and nonce chosen so that the words add up to 0xffff.
    let mut message = vec![59, 1, 66, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let rest = support::checksum(&message);
    message[8..10].copy_from_slice(&rest.to_be_bytes());

    assert_eq!(checksum::shim6(&message), 0);
    assert!(checksum::shim6_is_correct(&message));
    assert!(matches!(parse(&message), Ok(Message::Keepalive(_))));
}

// The type.

/// The report about an unknown type when the header begins at `offset`.
fn unknown_type(offset: usize, message: &[u8]) -> Fault {
    let arrival = Arrival {
        offset,
        ..arrival()
    };
    Message::parse(&arrival, message).expect_err("an unknown type")
}

#[test]
fn unknown_type_is_reported() {
    for code in [0, 7, 63, 69, 127] {
        assert_eq!(
            unknown_type(40, &control(code, &[0; 10])),
            Fault {
                reason: Reason::UnknownType,
                report: Some(Report {
                    code: ErrorCode::UNKNOWN_TYPE,
                    pointer: 42,
                }),
            }
        );
    }
}

#[test]
fn unknown_type_behind_extension_headers() {
    let fault = unknown_type(64, &control(7, &[0; 10]));
    assert_eq!(fault.report.unwrap().pointer, 66);
}

#[test]
fn unknown_type_may_be_as_short_as_a_header() {
    assert_eq!(
        unknown_type(40, &control(7, &[0; 2])).reason,
        Reason::UnknownType
    );
}

// The length of the type.

#[test]
fn shorter_than_the_type_allows() {
    for message in MessageType::ALL {
        let length = message.min_len() - 8;
        assert_dropped(
            &control(message.to_wire(), &vec![0; length - 6]),
            Reason::TooShort,
        );
    }
}

// The order of the checks.

#[test]
fn addresses_come_before_s_checksum_and_type() {
    let mut message = control(7, &[0; 10]);
    message[3] |= 1;
    let arrival = Arrival {
        source: locator("ff02::1"),
        ..arrival()
    };
    assert_eq!(
        Message::parse(&arrival, &message),
        Err(Reason::Address.into())
    );
}

#[test]
fn s_comes_before_the_checksum() {
    let mut message = keepalive();
    message[3] |= 1;
    assert_dropped(&message, Reason::NotShim6);
}

#[test]
fn checksum_comes_before_the_type() {
    let mut message = control(7, &[0; 10]);
    message[15] ^= 1;
    assert_dropped(&message, Reason::Checksum);
}

#[test]
fn type_comes_before_its_options() {
    // What would be an option that overruns if the type had options.
    let mut body = [0; 18];
    body[10..].copy_from_slice(&[0, 2, 0xff, 0xff, 0, 0, 0, 0]);
    assert_eq!(
        unknown_type(40, &control(99, &body)).reason,
        Reason::UnknownType
    );
}

// The Responder Validator.

#[test]
fn r1_without_validator() {
    assert_dropped(&control(2, &[0; 10]), Reason::ValidatorMissing);
}

#[test]
fn i2_without_validator() {
    assert_dropped(&control(3, &[0; 18]), Reason::ValidatorMissing);
}

#[test]
fn r1bis_without_validator() {
    assert_dropped(&control(5, &[0; 10]), Reason::ValidatorMissing);
}

#[test]
fn i2bis_without_validator() {
    assert_dropped(&control(6, &[0; 26]), Reason::ValidatorMissing);
}

/// The validator is opaque: any length will do.
#[test]
fn validator_of_any_length() {
    for length in [0, 1, 20, 1000] {
        let contents = vec![7; length];
        let message = control(2, &[[0; 10].as_slice(), &tlv(1, &contents)].concat());
        match parse(&message) {
            Ok(Message::R1(r1)) => assert_eq!(r1.validator, contents),
            other => panic!("{other:?}"),
        }
    }
}

// Fields at the right places: every octet of the fixed part is different.

/// Octets 6, 7, 8 ... for a fixed part of `length` octets.
fn counting(length: u8) -> Vec<u8> {
    (6..length).collect()
}

#[test]
fn fields_of_i2bis() {
    let message = control(6, &[counting(32), tlv(1, &[9])].concat());
    match parse(&message) {
        Ok(Message::I2bis(i2bis)) => {
            assert_eq!(i2bis.initiator_tag.get(), 0x0607_0809_0a0b);
            assert_eq!(i2bis.initiator_nonce, Nonce::new(0x0c0d_0e0f));
            assert_eq!(i2bis.responder_nonce, Nonce::new(0x1011_1213));
            assert_eq!(i2bis.packet_tag.get(), 0x1a1b_1c1d_1e1f);
            assert_eq!(i2bis.ulid_pair, None);
            assert_eq!(i2bis.fii, Fii::DEFAULT);
        }
        other => panic!("{other:?}"),
    }
}

/// The top bit of octet 26 belongs to the reserved field before it.
#[test]
fn reserved_bit_above_the_packet_tag_of_i2bis() {
    let mut body = counting(32);
    body[20] |= 0x80;
    match parse(&control(6, &[body, tlv(1, &[9])].concat())) {
        Ok(Message::I2bis(i2bis)) => assert_eq!(i2bis.packet_tag.get(), 0x1a1b_1c1d_1e1f),
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_of_r1() {
    let message = control(2, &[counting(16), tlv(1, &[9])].concat());
    match parse(&message) {
        Ok(Message::R1(r1)) => {
            assert_eq!(r1.initiator_nonce, Nonce::new(0x0809_0a0b));
            assert_eq!(r1.responder_nonce, Nonce::new(0x0c0d_0e0f));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_of_an_error() {
    let mut message = control(68, &[0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8]);
    message[3] = 0x7f << 1;
    fix_checksum(&mut message);
    match parse(&message) {
        Ok(Message::Error(error)) => {
            assert_eq!(error.code.get(), 0x7f);
            assert_eq!(error.pointer, 0x1234);
            assert_eq!(error.packet, [1, 2, 3, 4, 5, 6, 7, 8]);
        }
        other => panic!("{other:?}"),
    }
}

/// The packet in error is not read as options, whatever is in it.
#[test]
fn error_has_no_options() {
    let quoted = [0xff; 32];
    assert!(matches!(
        parse(&control(68, &[[0, 0].as_slice(), &quoted].concat())),
        Ok(Message::Error(error)) if error.packet == quoted
    ));
}

#[test]
fn fii_option_that_says_zero_is_like_none() {
    let body = [counting(16), tlv(7, &[0; 4])].concat();
    match parse(&control(1, &body)) {
        Ok(Message::I1(i1)) => assert_eq!(i1.fii, Fii::DEFAULT),
        other => panic!("{other:?}"),
    }
}

#[test]
fn message_type_of_a_message() {
    assert_eq!(
        parse(&keepalive()).unwrap().message_type(),
        MessageType::Keepalive
    );
}

/// Messages are values on a kernel stack of 16 KiB.
#[test]
fn messages_are_small() {
    assert!(
        size_of::<Message<'_>>() <= 256,
        "{}",
        size_of::<Message<'_>>()
    );
    assert!(size_of::<Fault>() <= 16);
}
