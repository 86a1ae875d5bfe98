// SPDX-License-Identifier: GPL-2.0

//! Messages of the peer as values, and the messages that a machine on the bench sends.

use std::{
    collections::BTreeSet,
    sync::Mutex, //
};

use shim6_proto::{
    establish::{
        Action,
        Content, //
    },
    locator::{
        Locator,
        LocatorPair, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    tag::ContextTag,
    verify::{
        Refusal,
        Rejection, //
    },
    wire::{
        message::{
            I2bis,
            Keepalive,
            Message,
            R1bis,
            UpdateAcknowledgement,
            UpdateRequest,
            I1,
            I2,
            R1,
            R2, //
        },
        option::{
            HostOptions,
            UlidPairOption, //
        }, //
    }, //
};

use crate::{
    establish_support::{
        drawn,
        B1,
        B2,
        IDENTITY,
        LOCAL,
        PEER,
        ULIDS, //
    },
    support::{
        control,
        parse,
        tlv,
        TAG, //
    }, //
};

/// The list that a message has.
pub(crate) type List = &'static [Locator];

/// Both locators of the peer.
pub(crate) const BOTH: List = &[B1, B2];
/// No list.
pub(crate) const NO_LIST: List = &[];

/// The generation of all lists.
pub(crate) const GENERATION: Generation = Generation::new(7);

/// The messages that were made; there are only so many different ones.
static KEPT: Mutex<BTreeSet<&'static [u8]>> = Mutex::new(BTreeSet::new());

/// A message that lives as long as the program.
fn kept(message: Vec<u8>) -> &'static [u8] {
    let mut kept = KEPT.lock().unwrap();
    if let Some(message) = kept.get(message.as_slice()) {
        return message;
    }
    let message: &[u8] = Box::leak(message.into_boxed_slice());
    kept.insert(message);
    message
}

/// What a host with this list tells, and preferences of so many elements and this generation. It
/// is built and parsed, since there is no other way to a [`LocatorList`].
///
/// [`LocatorList`]: shim6_proto::wire::option::LocatorList
pub(crate) fn host(list: List, preferences: Option<(Generation, u8)>) -> HostOptions<'static> {
    let mut body = TAG.to_control().to_vec();
    body.extend_from_slice(&[0; 4]);
    if !list.is_empty() {
        let mut contents = GENERATION.to_wire().to_vec();
        contents.push(list.len() as u8);
        contents.extend(list.iter().map(|_| 1));
        contents.resize(contents.len() + 7 - list.len() % 8, 0);
        contents.extend(list.iter().flat_map(|locator| locator.octets()));
        body.extend(tlv(2, &contents));
    }
    if let Some((generation, elements)) = preferences {
        let mut contents = generation.to_wire().to_vec();
        contents.push(1);
        contents.extend((0..elements).map(|_| 0));
        body.extend(tlv(3, &contents));
    }
    match parse(kept(control(64, &body))) {
        Ok(Message::UpdateRequest(request)) => request.host,
        other => panic!("{other:?}"),
    }
}

/// The ULIDs in a message of the peer.
pub(crate) const PEERS_ULIDS: UlidPairOption = UlidPairOption {
    sender: IDENTITY.ulids.peer,
    receiver: IDENTITY.ulids.local,
};

/// The nonce of messages that the peer begins with.
pub(crate) const PEERS_NONCE: Nonce = Nonce::new(0x5555_5555);
/// The Responder Nonce.
pub(crate) const RESPONDER_NONCE: Nonce = Nonce::new(0x6666_6666);
/// The nonce of Update Requests of the peer.
pub(crate) const REQUEST_NONCE: Nonce = Nonce::new(0x7777_7777);
/// The Responder Validator.
pub(crate) const VALIDATOR: &[u8] = &[0xee; 32];

pub(crate) fn i1(tag: ContextTag) -> Message<'static> {
    Message::I1(I1 {
        initiator_tag: tag,
        initiator_nonce: PEERS_NONCE,
        ulid_pair: Some(PEERS_ULIDS),
        fii: Fii::DEFAULT,
    })
}

pub(crate) fn r1(nonce: Nonce) -> Message<'static> {
    Message::R1(R1 {
        initiator_nonce: nonce,
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
    })
}

pub(crate) fn i2(tag: ContextTag, list: List) -> Message<'static> {
    Message::I2(I2 {
        initiator_tag: tag,
        initiator_nonce: PEERS_NONCE,
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
        ulid_pair: Some(PEERS_ULIDS),
        fii: Fii::DEFAULT,
        host: host(list, None),
    })
}

pub(crate) fn r2(tag: ContextTag, nonce: Nonce, list: List) -> Message<'static> {
    Message::R2(R2 {
        responder_tag: tag,
        initiator_nonce: nonce,
        host: host(list, None),
    })
}

pub(crate) fn r1bis(tag: ContextTag) -> Message<'static> {
    Message::R1bis(R1bis {
        packet_tag: tag,
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
    })
}

pub(crate) fn i2bis(tag: ContextTag, list: List) -> Message<'static> {
    Message::I2bis(I2bis {
        initiator_tag: tag,
        initiator_nonce: PEERS_NONCE,
        responder_nonce: RESPONDER_NONCE,
        packet_tag: LOCAL,
        validator: VALIDATOR,
        ulid_pair: Some(PEERS_ULIDS),
        fii: Fii::DEFAULT,
        host: host(list, None),
    })
}

pub(crate) fn request(host: HostOptions<'static>) -> Message<'static> {
    Message::UpdateRequest(UpdateRequest {
        receiver_tag: LOCAL,
        request_nonce: REQUEST_NONCE,
        host,
    })
}

pub(crate) fn acknowledgement(nonce: Nonce) -> Message<'static> {
    Message::UpdateAcknowledgement(UpdateAcknowledgement {
        receiver_tag: LOCAL,
        request_nonce: nonce,
    })
}

pub(crate) fn keepalive() -> Message<'static> {
    Message::Keepalive(Keepalive {
        receiver_tag: LOCAL,
    })
}

/// A PDS that is not the one of ULID(peer).
pub(crate) fn foreign_parameters() -> Rejection {
    Refusal::ForeignParameters.into()
}

/// I1 of this host.
pub(crate) const fn sent_i1(nonce: u32) -> Action<'static> {
    Action::Send {
        pair: ULIDS,
        content: Content::I1 {
            initiator_tag: LOCAL,
            initiator_nonce: drawn(nonce),
        },
    }
}

/// R2 of this host, in answer to a message of the peer.
pub(crate) const fn sent_r2(pair: LocatorPair) -> Action<'static> {
    Action::Send {
        pair,
        content: Content::R2 {
            responder_tag: LOCAL,
            initiator_nonce: PEERS_NONCE,
        },
    }
}

/// I2 of this host.
pub(crate) const SENT_I2: Action<'static> = Action::Send {
    pair: ULIDS,
    content: Content::I2 {
        initiator_tag: LOCAL,
        initiator_nonce: drawn(0),
        responder_nonce: RESPONDER_NONCE,
        validator: VALIDATOR,
    },
};

/// I2bis of this host.
pub(crate) const fn sent_i2bis(pair: LocatorPair) -> Action<'static> {
    Action::Send {
        pair,
        content: Content::I2bis {
            initiator_tag: LOCAL,
            initiator_nonce: drawn(2),
            responder_nonce: RESPONDER_NONCE,
            packet_tag: PEER,
            validator: VALIDATOR,
        },
    }
}

/// Update Acknowledgement of this host.
pub(crate) const fn sent_acknowledgement(tag: ContextTag) -> Action<'static> {
    Action::Send {
        pair: ULIDS,
        content: Content::UpdateAcknowledgement {
            receiver_tag: tag,
            request_nonce: REQUEST_NONCE,
        },
    }
}

/// The kept message again, over the ULIDs.
pub(crate) const RESENT: Action<'static> = Action::Resend { pair: ULIDS };

/// A Probe of the peer.
pub(crate) fn probe() -> Message<'static> {
    let mut body = LOCAL.to_control().to_vec();
    body.extend_from_slice(&[1, 0, 0, 0]);
    body.extend_from_slice(&[0; 40]);
    parse(kept(control(67, &body))).expect("a probe")
}

/// An Error message of the peer: it does not know the type of a Keepalive.
pub(crate) fn error() -> Message<'static> {
    let mut body = vec![0, 42];
    body.extend_from_slice(&[0x60; 40]);
    parse(kept(control(68, &body))).expect("an error message")
}
