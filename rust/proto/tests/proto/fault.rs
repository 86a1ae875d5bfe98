// SPDX-License-Identifier: GPL-2.0

//! Reasons and error codes (RFC 5533, Section 5.14), and which types cause what (Section 5.3).

use std::collections::HashSet;

use shim6_proto::wire::{
    fault::{
        ErrorCode,
        Reason, //
    },
    message_type::MessageType,
    option::OptionType, //
};

#[test]
fn every_reason_has_a_name_of_its_own() {
    let names: HashSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();

    assert_eq!(names.len(), Reason::ALL.len());
    for name in names {
        assert!(
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "{name}"
        );
    }
}

#[test]
fn reasons_index_an_array_of_counters() {
    for (index, reason) in Reason::ALL.iter().enumerate() {
        assert_eq!(reason.index(), index);
        assert_eq!(reason.to_string(), reason.name());
    }
}

#[test]
fn error_codes_have_seven_bits() {
    assert_eq!(ErrorCode::new(127).map(ErrorCode::get), Some(127));
    assert_eq!(ErrorCode::new(128), None);
}

/// Codes 5 to 119 are ignored on receipt.
#[test]
fn assigned_error_codes() {
    let assigned = (0..128).filter(|&code| ErrorCode::new(code).unwrap().is_assigned());
    assert!(assigned.eq((0..5).chain(120..128)));
}

#[test]
fn message_types_round_trip() {
    for code in 0..=u8::MAX {
        let message = MessageType::from_wire(code);
        assert_eq!(message.is_some(), matches!(code, 1..=6 | 64..=68), "{code}");
        if let Some(message) = message {
            assert_eq!(message.to_wire(), code);
            assert!(MessageType::ALL.contains(&message));
        }
    }
}

#[test]
fn option_types_round_trip() {
    for code in 0..=u16::MAX {
        let option = OptionType::from_wire(code);
        assert_eq!(option.is_some(), matches!(code, 1..=7 | 10), "{code}");
        if let Some(option) = option {
            assert_eq!(option.to_wire(), code);
            assert!(OptionType::ALL.contains(&option));
        }
    }
}

/// RFC 5533, Sections 5.4 to 5.14; RFC 5534, Section 5.
#[test]
fn least_lengths() {
    let lengths = MessageType::ALL.map(|message| (message.name(), message.min_len()));
    assert_eq!(
        lengths,
        [
            ("I1", 16),
            ("R1", 16),
            ("I2", 24),
            ("R2", 16),
            ("R1bis", 16),
            ("I2bis", 32),
            ("Update Request", 16),
            ("Update Acknowledgement", 16),
            ("Keepalive", 16),
            ("Probe", 56),
            ("Error", 16),
        ]
    );
}

/// Types 64 to 127 do, except Error (RFC 5533, Sections 5.3 and 7.17).
#[test]
fn types_that_cause_r1bis() {
    let causing = MessageType::ALL
        .into_iter()
        .filter(|message| message.refers_to_context());
    assert!(causing.eq([
        MessageType::UpdateRequest,
        MessageType::UpdateAcknowledgement,
        MessageType::Keepalive,
        MessageType::Probe,
    ]));
}

#[test]
fn types_without_tag() {
    let without = MessageType::ALL
        .into_iter()
        .filter(|message| !message.has_tag());
    assert!(without.eq([MessageType::R1, MessageType::Error]));
}

/// The table of options and messages, one row for each option.
#[test]
fn options_of_messages() {
    use MessageType::*;

    let host = [I2, R2, I2bis, UpdateRequest].as_slice();
    let rows = [
        (
            OptionType::ResponderValidator,
            [R1, I2, R1bis, I2bis].as_slice(),
        ),
        (OptionType::LocatorList, host),
        (OptionType::LocatorPreferences, host),
        (OptionType::CgaParameters, host),
        (OptionType::CgaSignature, host),
        (OptionType::UlidPair, &[I1, I2, I2bis]),
        (OptionType::ForkedInstanceIdentifier, &[I1, I2, I2bis]),
        (OptionType::KeepaliveTimeout, host),
    ];
    for (option, messages) in rows {
        for message in MessageType::ALL {
            let expected = messages.contains(&message);
            assert_eq!(message.takes(option), expected, "{option:?} in {message:?}");
        }
    }
}
