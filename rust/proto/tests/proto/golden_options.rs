// SPDX-License-Identifier: GPL-2.0

//! Every case of `options.json`: lengths and paddings, as built and as parsed.

use serde_json::Value;
use shim6_proto::{
    locator::{
        Preference,
        PreferenceFlags, //
    },
    number::{
        Generation,
        Nonce, //
    },
    wire::{
        build::{
            self,
            BuildError, //
        },
        message::Message, //
    }, //
};

use crate::{
    model::hba,
    support::{
        parse,
        vectors,
        TAG, //
    }, //
};

/// Where the first option of an Update Request begins.
const OPTION: usize = 16;

/// The cases of one part of the file.
fn cases(part: &str, number: usize) -> Vec<Value> {
    let cases = vectors!("options")[part].as_array().expect("cases").clone();
    assert_eq!(cases.len(), number);
    cases
}

/// A number of a case.
fn number(case: &Value, name: &str) -> usize {
    case[name].as_u64().expect("a number") as usize
}

/// The octets of the only option of a message; checks that it fills the rest of it, as its
/// length says.
#[track_caller]
fn option<'a>(message: &'a [u8], case: &Value) -> &'a [u8] {
    let option = &message[OPTION..];
    let length = u16::from_be_bytes([option[2], option[3]]);

    assert_eq!(usize::from(length), number(case, "length"), "{case}");
    assert_eq!(option.len(), number(case, "total_length"), "{case}");
    option
}

#[test]
fn padding_of_every_length() {
    for case in cases("tlv", 45) {
        let contents = vec![0xff; number(&case, "length")];
        let mut buffer = [0xa5; build::MAX_LEN];
        let message = build::update_request(&mut buffer, TAG, Nonce::new(1))
            .and_then(|builder| builder.cga_parameters(&contents))
            .and_then(build::Builder::finish)
            .unwrap();
        let option = option(message, &case);
        let (kept, padding) = option.split_at(4 + contents.len());

        assert_eq!(padding.len(), number(&case, "padding"), "{case}");
        assert!(padding.iter().all(|&octet| octet == 0), "{case}");
        assert_eq!(kept[4..], contents);
        match parse(message) {
            Ok(Message::UpdateRequest(request)) => {
                assert_eq!(request.host.cga_parameters, Some(contents.as_slice()));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn locator_list_of_every_size() {
    for case in cases("locator_list", 32) {
        let count = number(&case, "num_locators");
        let locators: Vec<_> = (1..=count).map(|i| hba([i as u8; 16])).collect();
        let mut buffer = [0xa5; build::MAX_LEN];
        let message = build::update_request(&mut buffer, TAG, Nonce::new(1))
            .and_then(|b| b.locator_list(Generation::new(7), locators.iter().copied()))
            .and_then(build::Builder::finish)
            .unwrap();
        let option = option(message, &case);
        let at = number(&case, "locators_offset_in_option");

        assert_eq!(at - 9 - count, number(&case, "internal_padding"), "{case}");
        assert!(
            option[9 + count..at].iter().all(|&octet| octet == 0),
            "{case}"
        );
        assert_eq!(option[at..at + 16], [1; 16], "{case}");
        match parse(message) {
            Ok(Message::UpdateRequest(request)) => {
                let list = request.host.locator_list.unwrap();
                assert_eq!(list.len(), count);
                assert!(list.iter().eq(locators), "{case}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn locator_preferences_of_every_size() {
    for case in cases("locator_preferences", 15) {
        let element_len = number(&case, "element_len");
        let elements: Vec<_> = (0..number(&case, "num_locators"))
            .map(|i| Preference {
                flags: PreferenceFlags::new(i as u8),
                priority: (element_len > 1).then_some(i as u8 + 1),
                weight: (element_len > 2).then_some(i as u8 + 2),
            })
            .collect();
        let mut buffer = [0xa5; build::MAX_LEN];
        let message = build::update_request(&mut buffer, TAG, Nonce::new(1))
            .and_then(|b| b.locator_preferences(Generation::new(7), elements.iter().copied()))
            .and_then(build::Builder::finish)
            .unwrap();
        let option = option(message, &case);

        assert_eq!(usize::from(option[8]), element_len);
        match parse(message) {
            Ok(Message::UpdateRequest(request)) => {
                let preferences = request.host.locator_preferences.unwrap();
                assert!(preferences.iter().eq(elements.iter().copied()), "{case}");
                assert_eq!(
                    preferences.check(Generation::new(7), elements.len()),
                    Ok(())
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The vectors end at 32 locators; what does not fit any more is refused, not cut.
#[test]
fn locator_list_beyond_the_packet_size() {
    let fits = (1..=u8::MAX).take_while(|&count| {
        let locators = (0..count).map(|i| hba([i; 16]));
        let locators: Vec<_> = locators.collect();
        let mut buffer = [0; build::MAX_LEN];
        let built = build::update_request(&mut buffer, TAG, Nonce::new(1))
            .unwrap()
            .locator_list(Generation::new(7), locators.into_iter());
        match built {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error, BuildError::TooLong);
                false
            }
        }
    });

    // 16 octets fixed, 80 before the locators, 71 times 16 octets: 1,232.
    assert_eq!(fits.last(), Some(71));
}
