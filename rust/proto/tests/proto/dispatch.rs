// SPDX-License-Identifier: GPL-2.0

//! Which context each message is for (RFC 5533, Section 12.4).

use shim6_proto::{
    dispatch::{
        Key,
        Unmatched, //
    },
    identity::Identity,
    number::Fii,
    wire::{
        message::Message,
        message_type::MessageType,
        quote::Quote, //
    }, //
};

use crate::{
    establish_support::*,
    support::{
        control,
        packet,
        parse, //
    },
};

/// What a message that came from B2 to A2 is found by.
fn key(message: &Message<'_>) -> Option<Key> {
    Key::of(message, &ON_OTHER)
}

#[test]
fn by_identity() {
    let by_option = Some(Key::Identity(IDENTITY));
    assert_eq!(key(&i1(PEER)), by_option);
    assert_eq!(key(&i2(PEER, BOTH)), by_option);
    assert_eq!(key(&i2bis(PEER, BOTH)), by_option);
}

/// Without the option the ULIDs are the addresses, whoever sent it to whomever.
#[test]
fn by_identity_without_option() {
    let Message::I1(mut message) = i1(PEER) else {
        panic!("no I1");
    };
    message.ulid_pair = None;
    message.fii = Fii::new(9);
    let Some(Key::Identity(identity)) = key(&Message::I1(message)) else {
        panic!("no identity");
    };
    assert_eq!(identity.ulids.as_locators(), OTHER);
    assert_eq!(identity.fii, Fii::new(9));
    assert_ne!(
        identity,
        Identity {
            fii: Fii::DEFAULT,
            ..identity
        }
    );
}

#[test]
fn by_nonce() {
    let by_nonce = Some(Key::Nonce {
        nonce: drawn(1),
        pair: OTHER,
    });
    assert_eq!(key(&r1(drawn(1))), by_nonce);
    assert_eq!(key(&r2(PEER, drawn(1), NO_LIST)), by_nonce);
}

#[test]
fn by_the_peers_tag() {
    let by_tag = Some(Key::PeerTag {
        tag: PEER,
        pair: OTHER,
    });
    assert_eq!(key(&r1bis(PEER)), by_tag);
}

#[test]
fn by_our_tag() {
    for message in [
        request(host(BOTH, None)),
        acknowledgement(drawn(0)),
        keepalive(),
        probe(),
    ] {
        assert_eq!(key(&message), Some(Key::LocalTag(LOCAL)));
    }
}

/// A message that this host sent from A2 to B2, with PEER in octets 6 to 11.
fn quoted(code: u8) -> Vec<u8> {
    let mut body = PEER.to_control().to_vec();
    body.resize(50, 0);
    packet(A2.octets(), B2.octets(), 140, &control(code, &body))
}

#[test]
fn quotes_by_type() {
    let peers = Key::PeerTag {
        tag: PEER,
        pair: OTHER,
    };
    for message in MessageType::ALL {
        let packet = quoted(message.to_wire());
        let quote = Quote::parse(&packet).expect("a quote");
        let expected = match message {
            MessageType::I1 | MessageType::I2 | MessageType::R2 | MessageType::I2bis => {
                Some(Key::LocalTag(PEER))
            }
            MessageType::R1 | MessageType::R1bis | MessageType::Error => None,
            _ => Some(peers),
        };
        assert_eq!(Key::quoted(&quote), expected, "{message:?}");
    }

    let mut payload = vec![59, 0];
    payload.extend(PEER.to_payload());
    let packet = packet(A2.octets(), B2.octets(), 140, &payload);
    let quote = Quote::parse(&packet).expect("a quote");
    assert_eq!(Key::quoted(&quote), Some(peers));
}

#[test]
fn error_messages_by_what_they_quote() {
    let mut body = vec![0, 0];
    body.extend(quoted(66));
    let message = control(68, &body);
    let parsed = parse(&message).expect("an error message");
    let expected = Key::PeerTag {
        tag: PEER,
        pair: OTHER,
    };
    assert_eq!(key(&parsed), Some(expected));
    assert_eq!(key(&error()), None, "a quote without a Shim6 header");
}

/// Types from 64 on cause R1bis, but for Error (RFC 5533, Sections 5.3 and 7.17).
#[test]
fn without_a_context() {
    for message in MessageType::ALL {
        let expected = match message {
            MessageType::I1 => Unmatched::ReplyR1,
            MessageType::I2 | MessageType::I2bis => Unmatched::Respond,
            _ if message.refers_to_context() => Unmatched::ReplyR1bis,
            _ => Unmatched::Drop,
        };
        assert_eq!(Unmatched::of(message), expected, "{message:?}");
    }
}
