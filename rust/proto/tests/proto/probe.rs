// SPDX-License-Identifier: GPL-2.0

//! Probes, rule by rule (RFC 5534, Section 5.2).

use shim6_proto::{
    number::Nonce,
    wire::{
        fault::{
            ErrorCode,
            Reason, //
        },
        message::Message,
        probe::{
            Probe,
            ProbeState, //
        }, //
    }, //
};

use crate::support::{
    assert_dropped,
    control,
    fix_checksum,
    locator,
    padded_tlv,
    parse,
    tlv,
    TAG, //
};

/// A Probe with these counts and state bits, and with room for `records` records, which are
/// numbered by their octets.
fn probe(received: u8, sent: u8, sta: u8, records: u8, options: &[u8]) -> Vec<u8> {
    let mut body = TAG.to_control().to_vec();
    body.extend_from_slice(&[(received << 4) | sent, (sta << 6) | 0x3f, 0xff, 0xff]);
    for record in 1..=records {
        body.extend_from_slice(&[record; 40]);
    }
    body.extend_from_slice(options);
    control(67, &body)
}

/// Hands a valid Probe to `check`.
#[track_caller]
fn with_probe(message: &[u8], check: impl FnOnce(&Probe<'_>)) {
    match parse(message) {
        Ok(Message::Probe(probe)) => check(&probe),
        other => panic!("{other:?}"),
    }
}

#[test]
fn sent_records_come_first() {
    with_probe(&probe(1, 2, 2, 3, &[]), |probe| {
        let nonces = |records: shim6_proto::wire::probe::ProbeRecords<'_>| {
            records.iter().map(|r| r.nonce).collect::<Vec<_>>()
        };
        assert_eq!(
            nonces(probe.sent),
            [Nonce::new(0x0101_0101), Nonce::new(0x0202_0202)]
        );
        assert_eq!(nonces(probe.received), [Nonce::new(0x0303_0303)]);
        assert_eq!(probe.receiver_tag, TAG);
    });
}

#[test]
fn fields_of_a_record() {
    let mut body = TAG.to_control().to_vec();
    body.extend_from_slice(&[1, 0, 0, 0]);
    body.extend(0..40);
    with_probe(&control(67, &body), |probe| {
        let record = probe.sent.iter().next().unwrap();
        assert_eq!(record.source, locator("1:203:405:607:809:a0b:c0d:e0f"));
        assert_eq!(
            record.destination,
            locator("1011:1213:1415:1617:1819:1a1b:1c1d:1e1f")
        );
        assert_eq!(record.nonce, Nonce::new(0x2021_2223));
        assert_eq!(record.data, 0x2425_2627);
    });
}

#[test]
fn states() {
    let states = [
        ProbeState::Operational,
        ProbeState::Exploring,
        ProbeState::InboundOk,
    ];
    for (sta, state) in (0..).zip(states) {
        with_probe(&probe(0, 1, sta, 1, &[]), |probe| {
            assert_eq!(probe.state, state)
        });
    }
}

#[test]
fn illegal_state() {
    assert_dropped(&probe(0, 1, 3, 1, &[]), Reason::ProbeState);
}

#[test]
fn without_sent_record() {
    assert_dropped(&probe(0, 0, 1, 1, &[]), Reason::ProbeWithoutSent);
    assert_dropped(&probe(1, 0, 1, 1, &[]), Reason::ProbeWithoutSent);
}

#[test]
fn more_records_than_the_header_holds() {
    assert_dropped(&probe(0, 2, 1, 1, &[]), Reason::ProbeRecords);
    assert_dropped(&probe(1, 1, 1, 1, &[]), Reason::ProbeRecords);
    assert_dropped(&probe(15, 15, 1, 29, &[]), Reason::ProbeRecords);
}

#[test]
fn record_that_is_cut_by_an_octet_of_the_unit() {
    let mut message = probe(0, 2, 1, 2, &[]);
    message.truncate(message.len() - 8);
    message[1] -= 1;
    fix_checksum(&mut message);
    assert_dropped(&message, Reason::ProbeRecords);
}

#[test]
fn most_records() {
    let message = probe(15, 15, 1, 30, &[]);
    assert_eq!(message.len(), 1216);
    with_probe(&message, |probe| {
        assert_eq!(probe.sent.iter().len(), 15);
        assert_eq!(probe.received.iter().len(), 15);
    });
}

#[test]
fn options_follow_the_records() {
    with_probe(&probe(1, 1, 0, 2, &tlv(0x1234, &[1; 4])), |probe| {
        assert_eq!(probe.sent.iter().len(), 1);
    });
    let message = probe(1, 1, 0, 2, &padded_tlv(0x1234, true, &[1; 4], 0));
    let report = parse(&message).unwrap_err().report.unwrap();
    assert_eq!(report.code, ErrorCode::CRITICAL_OPTION);
    assert_eq!(report.pointer, 40 + 16 + 2 * 40);
}

/// Counts and state are found wrong before an option is reported.
#[test]
fn no_report_about_a_malformed_probe() {
    let option = padded_tlv(0x1234, true, &[1; 4], 0);
    assert_dropped(&probe(0, 1, 3, 1, &option), Reason::ProbeState);
    assert_dropped(&probe(0, 0, 1, 1, &option), Reason::ProbeWithoutSent);
}

/// What is left over behind the records has to be options.
#[test]
fn record_that_is_not_counted() {
    assert_dropped(&probe(0, 1, 1, 2, &[]), Reason::OptionOverrun);
}
