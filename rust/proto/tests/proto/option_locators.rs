// SPDX-License-Identifier: GPL-2.0

//! Locator List and Locator Preferences, rule by rule (RFC 5533, Sections 5.15.2 and 5.15.3).

use shim6_proto::{
    locator::{
        LocatorRecord,
        VerificationMethod, //
    },
    number::Generation,
    wire::fault::{
        ErrorCode,
        Reason,
        Report, //
    }, //
};

use crate::{
    model::hba,
    support::{
        assert_dropped,
        locator_list,
        tlv,
        update,
        with_host, //
    },
};

// Locator List.

#[test]
fn locators_keep_their_order() {
    let mut second = [0; 16];
    second[1] = 2;
    with_host(&[tlv(2, &locator_list(2, &[1, 2]))], |host| {
        let list = host.locator_list.unwrap();
        assert_eq!(list.generation(), Generation::new(7));
        assert_eq!(list.len(), 2);
        assert_eq!(
            list.iter().nth(1),
            Some(LocatorRecord {
                method: VerificationMethod::CGA,
                ..hba(second)
            })
        );
    });
}

#[test]
fn locator_list_without_locators() {
    assert_dropped(
        &update(&[tlv(2, &locator_list(0, &[]))]),
        Reason::OptionMalformed,
    );
    assert_dropped(
        &update(&[tlv(2, &[0, 0, 0, 7, 0])]),
        Reason::OptionMalformed,
    );
}

#[test]
fn locator_list_with_another_number() {
    for count in [1, 3, 255] {
        let option = tlv(2, &locator_list(count, &[1, 1]));
        assert_dropped(&update(&[option]), Reason::OptionMalformed);
    }
}

#[test]
fn locator_list_that_is_cut() {
    let contents = locator_list(2, &[1, 1]);
    for length in 0..contents.len() {
        let option = tlv(2, &contents[..length]);
        assert_dropped(&update(&[option]), Reason::OptionMalformed);
    }
}

#[test]
fn locator_list_that_goes_on() {
    let mut contents = locator_list(2, &[1, 1]);
    contents.push(0);
    assert_dropped(&update(&[tlv(2, &contents)]), Reason::OptionMalformed);
}

#[test]
fn inner_padding_is_not_checked() {
    let mut contents = locator_list(2, &[1, 1]);
    contents[7..12].fill(0xff);
    with_host(&[tlv(2, &contents)], |host| {
        assert_eq!(host.locator_list.unwrap().len(), 2);
    });
}

#[test]
fn largest_locator_list_of_the_format() {
    // A header can have 2,048 octets, so 119 locators and no more.
    let contents = locator_list(119, &[1; 119]);
    with_host(&[tlv(2, &contents)], |host| {
        assert_eq!(host.locator_list.unwrap().iter().count(), 119);
    });
}

#[test]
fn supported_methods_are_not_reported() {
    with_host(&[tlv(2, &locator_list(3, &[1, 2, 1]))], |host| {
        assert_eq!(host.locator_list.unwrap().unsupported_method(), None);
    });
}

#[test]
fn first_unsupported_method_is_reported() {
    for method in [0, 3, 77, 201, 255] {
        let option = tlv(2, &locator_list(4, &[1, 2, method, 0]));
        with_host(&[tlv(4, &[1]), option], |host| {
            assert_eq!(
                host.locator_list.unwrap().unsupported_method(),
                Some(Report {
                    code: ErrorCode::VERIFICATION_METHOD,
                    pointer: 40 + 16 + 8 + 9 + 2,
                })
            );
        });
    }
}

#[test]
fn inconsistent_method_can_be_reported_by_index() {
    with_host(&[tlv(2, &locator_list(2, &[1, 1]))], |host| {
        let report = host.locator_list.unwrap().method_report(1);
        assert_eq!(report.pointer, 40 + 16 + 9 + 1);
    });
}

// Locator Preferences.

/// The contents of a Locator Preferences option.
fn preferences(element_len: u8, elements: &[u8]) -> Vec<u8> {
    [[0, 0, 0, 7, element_len].as_slice(), elements].concat()
}

#[test]
fn element_of_no_length() {
    for elements in [[].as_slice(), &[0], &[0; 3]] {
        let option = tlv(3, &preferences(0, elements));
        assert_dropped(&update(&[option]), Reason::OptionMalformed);
    }
}

#[test]
fn element_that_is_cut() {
    for (element_len, octets) in [(2, 1), (2, 3), (3, 4), (3, 5), (200, 199)] {
        let option = tlv(3, &preferences(element_len, &vec![0; octets]));
        assert_dropped(&update(&[option]), Reason::OptionMalformed);
    }
}

#[test]
fn preferences_without_element_len() {
    for length in 0..5 {
        let option = tlv(3, &preferences(1, &[])[..length]);
        assert_dropped(&update(&[option]), Reason::OptionMalformed);
    }
}

#[test]
fn octets_beyond_the_third_are_ignored() {
    let elements = [1, 2, 3, 99, 98, 2, 5, 6, 97, 96];
    with_host(&[tlv(3, &preferences(5, &elements))], |host| {
        let read: Vec<_> = host
            .locator_preferences
            .unwrap()
            .iter()
            .map(|p| (p.flags.get(), p.priority, p.weight))
            .collect();
        assert_eq!(read, [(1, Some(2), Some(3)), (2, Some(5), Some(6))]);
    });
}

#[test]
fn missing_fields_are_no_opinion() {
    with_host(&[tlv(3, &preferences(1, &[3]))], |host| {
        let preference = host.locator_preferences.unwrap().iter().next().unwrap();
        assert!(preference.flags.is_broken() && preference.flags.is_transient());
        assert_eq!((preference.priority, preference.weight), (None, None));
    });
}

#[test]
fn preferences_that_fit_the_list() {
    with_host(&[tlv(3, &preferences(2, &[0, 1, 0, 2]))], |host| {
        let preferences = host.locator_preferences.unwrap();
        assert_eq!(preferences.generation(), Generation::new(7));
        assert_eq!(preferences.check(Generation::new(7), 2), Ok(()));
    });
}

#[test]
fn preferences_without_elements_fit_no_list() {
    with_host(&[tlv(3, &preferences(1, &[]))], |host| {
        let report = host
            .locator_preferences
            .unwrap()
            .check(Generation::new(7), 1);
        assert_eq!(report.unwrap_err().code, ErrorCode::ELEMENT_COUNT);
    });
}

#[test]
fn generation_is_checked_before_the_number() {
    with_host(&[tlv(4, &[1]), tlv(3, &preferences(1, &[0]))], |host| {
        assert_eq!(
            host.locator_preferences
                .unwrap()
                .check(Generation::new(8), 2),
            Err(Report {
                code: ErrorCode::GENERATION,
                pointer: 40 + 16 + 8 + 4,
            })
        );
    });
}

#[test]
fn more_or_fewer_elements_are_reported() {
    for locators in [0, 1, 3] {
        with_host(&[tlv(3, &preferences(1, &[0, 0]))], |host| {
            assert_eq!(
                host.locator_preferences
                    .unwrap()
                    .check(Generation::new(7), locators),
                Err(Report {
                    code: ErrorCode::ELEMENT_COUNT,
                    pointer: 40 + 16 + 2,
                })
            );
        });
    }
}
