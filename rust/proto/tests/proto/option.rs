// SPDX-License-Identifier: GPL-2.0

//! Options of received messages, rule by rule (RFC 5533, Section 5.15).

use shim6_proto::{
    number::Fii,
    wire::{
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
        option::{
            HostOptions,
            KeepaliveTimeout,
            OptionType, //
        }, //
    },
};

use crate::{
    model::pair,
    support::{
        arrival,
        assert_dropped,
        control,
        locator_list,
        padded_tlv,
        parse,
        tlv,
        ulid,
        update,
        with_host,
        TAG, //
    },
};

/// An option type that is not assigned.
const UNKNOWN: u16 = 0x1234;

/// The fault of an unknown critical option at `pointer`.
fn critical(pointer: u16) -> Fault {
    Fault {
        reason: Reason::OptionCritical,
        report: Some(Report {
            code: ErrorCode::CRITICAL_OPTION,
            pointer,
        }),
    }
}

// The frame.

#[test]
fn no_options() {
    with_host(&[], |host| assert_eq!(*host, HostOptions::default()));
}

#[test]
fn option_that_overruns_the_header() {
    let mut option = tlv(4, &[1; 12]);
    option[3] = 13;
    assert_dropped(&update(&[option]), Reason::OptionOverrun);
}

#[test]
fn option_with_the_longest_length() {
    let mut option = tlv(4, &[1; 12]);
    option[2..4].fill(0xff);
    assert_dropped(&update(&[option]), Reason::OptionOverrun);
}

#[test]
fn padding_is_not_checked() {
    with_host(&[padded_tlv(4, false, &[1; 5], 0xff)], |host| {
        assert_eq!(host.cga_parameters, Some([1; 5].as_slice()));
    });
}

#[test]
fn length_that_ends_in_the_padding_of_the_last_octets() {
    // 12 octets of contents fill 16 octets; 8 leave the rest as padding.
    let mut option = tlv(4, &[1; 12]);
    option[3] = 8;
    with_host(&[option], |host| {
        assert_eq!(host.cga_parameters, Some([1; 8].as_slice()));
    });
}

#[test]
fn any_order() {
    let keepalive = tlv(10, &[0, 0, 0, 9]);
    let pds = tlv(4, &[1, 2]);
    for options in [[keepalive.clone(), pds.clone()], [pds, keepalive]] {
        with_host(&options, |host| {
            assert_eq!(host.cga_parameters, Some([1, 2].as_slice()));
            assert_eq!(
                host.keepalive_timeout.map(KeepaliveTimeout::seconds),
                Some(9)
            );
        });
    }
}

// Unknown options and the C bit.

#[test]
fn unknown_option_is_skipped() {
    let options = [tlv(UNKNOWN, &[1; 9]), tlv(4, &[2])];
    with_host(&options, |host| {
        assert_eq!(host.cga_parameters, Some([2].as_slice()));
    });
}

/// Fifteen bits tell options apart, not eight.
#[test]
fn unknown_option_with_the_low_bits_of_a_known_one() {
    for high in [0x0100, 0x4000] {
        with_host(&[tlv(high | 4, &[1]), tlv(high | 10, &[1])], |host| {
            assert_eq!(*host, HostOptions::default());
        });
    }
}

#[test]
fn unknown_critical_option_is_reported() {
    let message = update(&[tlv(4, &[2]), padded_tlv(UNKNOWN, true, &[1; 9], 0)]);
    assert_eq!(parse(&message), Err(critical(40 + 16 + 8)));
}

#[test]
fn first_unknown_critical_option_is_reported() {
    let message = update(&[
        padded_tlv(UNKNOWN, true, &[], 0),
        padded_tlv(UNKNOWN + 1, true, &[], 0),
    ]);
    assert_eq!(parse(&message), Err(critical(56)));
}

#[test]
fn pointer_counts_from_the_ipv6_header() {
    let arrival = Arrival {
        offset: 72,
        ..arrival()
    };
    let message = update(&[padded_tlv(UNKNOWN, true, &[], 0)]);
    assert_eq!(Message::parse(&arrival, &message), Err(critical(72 + 16)));
}

#[test]
fn reserved_option_type_is_unknown() {
    let message = update(&[padded_tlv(0, true, &[], 0)]);
    assert_eq!(parse(&message), Err(critical(56)));
}

#[test]
fn option_that_is_not_for_this_message_is_skipped() {
    // A ULID Pair in an Update Request, and too short for one.
    with_host(&[tlv(6, &[1; 5]), tlv(1, &[3])], |host| {
        assert_eq!(*host, HostOptions::default());
    });
}

#[test]
fn critical_option_that_is_not_for_this_message_is_reported() {
    let message = update(&[padded_tlv(6, true, &[0; 36], 0)]);
    assert_eq!(parse(&message), Err(critical(56)));
}

#[test]
fn messages_without_options_of_their_own_skip_and_report_too() {
    let body = |option: Vec<u8>| [TAG.to_control().to_vec(), vec![0; 4], option].concat();
    for code in [65, 66] {
        assert!(parse(&control(code, &body(tlv(2, &[0])))).is_ok());
        let message = control(code, &body(padded_tlv(2, true, &[0], 0)));
        assert_eq!(parse(&message), Err(critical(56)));
    }
}

#[test]
fn known_option_may_be_critical() {
    with_host(&[padded_tlv(4, true, &[2], 0)], |host| {
        assert_eq!(host.cga_parameters, Some([2].as_slice()));
    });
}

// What goes first.

#[test]
fn overrun_is_found_before_a_critical_option() {
    let mut overrun = tlv(UNKNOWN, &[]);
    overrun[3] = 5;
    let message = update(&[padded_tlv(UNKNOWN, true, &[], 0), overrun]);
    assert_dropped(&message, Reason::OptionOverrun);
}

#[test]
fn malformed_option_is_found_before_a_critical_one() {
    let message = update(&[padded_tlv(UNKNOWN, true, &[], 0), tlv(10, &[0; 3])]);
    assert_dropped(&message, Reason::OptionMalformed);
}

#[test]
fn critical_option_is_found_before_a_missing_validator() {
    let body = [vec![0; 10], padded_tlv(UNKNOWN, true, &[], 0)].concat();
    assert_eq!(parse(&control(2, &body)), Err(critical(56)));
}

// Duplicates.

#[test]
fn every_option_twice() {
    let valid = |option| match option {
        OptionType::ResponderValidator | OptionType::CgaParameters | OptionType::CgaSignature => {
            vec![1]
        }
        OptionType::LocatorList => locator_list(1, &[1]),
        OptionType::LocatorPreferences => vec![0, 0, 0, 7, 1, 0],
        OptionType::UlidPair => vec![0; 36],
        OptionType::ForkedInstanceIdentifier | OptionType::KeepaliveTimeout => vec![0; 4],
    };
    // I2 takes them all.
    for option in OptionType::ALL {
        let once = tlv(option.to_wire(), &valid(option));
        let mut body = [vec![0; 18], once.clone()].concat();
        if option != OptionType::ResponderValidator {
            body.extend_from_slice(&tlv(1, &[1]));
        }
        assert!(parse(&control(3, &body)).is_ok(), "{option:?} once");
        body.extend_from_slice(&once);
        assert_dropped(&control(3, &body), Reason::OptionDuplicate);
    }
}

#[test]
fn skipped_options_may_repeat() {
    let options = [
        tlv(UNKNOWN, &[1]),
        tlv(UNKNOWN, &[1]),
        tlv(6, &[1]),
        tlv(6, &[1]),
    ];
    with_host(&options, |host| assert_eq!(*host, HostOptions::default()));
}

// ULID Pair, Forked Instance Identifier, Keepalive Timeout.

#[test]
fn ulid_pair_of_any_other_length() {
    for length in [0, 4, 20, 35, 37, 40] {
        let body = [vec![0; 10], tlv(6, &vec![0; length])].concat();
        assert_dropped(&control(1, &body), Reason::OptionMalformed);
    }
}

#[test]
fn ulid_pair_names_sender_and_receiver() {
    let contents = [[0xff; 4].as_slice(), &[1; 16], &[2; 16]].concat();
    let body = [vec![0; 10], tlv(6, &contents)].concat();
    match parse(&control(1, &body)) {
        Ok(Message::I1(i1)) => {
            let option = i1.ulid_pair.unwrap();
            assert_eq!(option, pair([1; 16], [2; 16]));
            assert_eq!(
                option.at_receiver().local,
                ulid("202:202:202:202:202:202:202:202")
            );
            assert_eq!(
                option.at_receiver().peer,
                ulid("101:101:101:101:101:101:101:101")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn forked_instance_identifier() {
    let body = [vec![0; 10], tlv(7, &[0xde, 0xad, 0xbe, 0xef])].concat();
    match parse(&control(1, &body)) {
        Ok(Message::I1(i1)) => assert_eq!(i1.fii, Fii::new(0xdead_beef)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn forked_instance_identifier_of_any_other_length() {
    for length in [0, 3, 5, 8] {
        let body = [vec![0; 10], tlv(7, &vec![0; length])].concat();
        assert_dropped(&control(1, &body), Reason::OptionMalformed);
    }
}

#[test]
fn keepalive_timeout_in_seconds() {
    with_host(&[tlv(10, &[0xff, 0xff, 0x01, 0x02])], |host| {
        assert_eq!(host.keepalive_timeout, KeepaliveTimeout::new(258));
    });
}

#[test]
fn keepalive_timeout_zero_is_ignored() {
    with_host(&[tlv(10, &[0; 4])], |host| {
        assert_eq!(host.keepalive_timeout, None)
    });
}

#[test]
fn keepalive_timeout_of_any_other_length() {
    for length in [0, 2, 3, 5, 8] {
        assert_dropped(
            &update(&[tlv(10, &vec![0; length])]),
            Reason::OptionMalformed,
        );
    }
}
