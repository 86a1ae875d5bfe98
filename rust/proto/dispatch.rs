// SPDX-License-Identifier: GPL-2.0

//! Which context a control message is for (RFC 5533, Section 12.4).

use super::{
    identity::Identity,
    locator::{
        LocatorPair,
        UlidPair, //
    },
    number::{
        Fii,
        Nonce, //
    },
    tag::ContextTag,
    wire::{
        message::{
            Arrival,
            Message, //
        },
        message_type::MessageType,
        option::UlidPairOption,
        quote::{
            Quote,
            QuotedHeader, //
        }, //
    }, //
};

/// What a context is found by. That one is found does not mean that it takes the message: its
/// [`Machine`](super::establish::Machine) checks that.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// I1, I2 and I2bis: the context with this identity. Without one the message asks for it; the
    /// caller has to see that ULID(local) is an address of this host and that both ULIDs can be
    /// shimmed.
    Identity(Identity),
    /// R1 and R2: the context whose
    /// [outstanding message](super::establish::Machine::outstanding) had this nonce and these
    /// addresses.
    Nonce {
        /// The Initiator Nonce.
        nonce: Nonce,
        /// The addresses.
        pair: LocatorPair,
    },
    /// R1bis, and quoted packets that refer to a context of the peer: a context with this
    /// CT(peer) whose current pair, or else whose sets, have these addresses. There may be more
    /// than one with the tag: peers allocate tags independently.
    PeerTag {
        /// CT(peer).
        tag: ContextTag,
        /// The addresses.
        pair: LocatorPair,
    },
    /// Payload, Update Request and Acknowledgement, Keepalive and Probe, and quoted I1, I2, R2
    /// and I2bis: the context with this CT(local). Without one the answer to the first five is
    /// R1bis.
    LocalTag(ContextTag),
}

impl Key {
    /// What the context of a message is found by; [`None`] for an Error that quotes nothing which
    /// belongs to a context.
    pub fn of(message: &Message<'_>, arrival: &Arrival) -> Option<Self> {
        let pair = LocatorPair {
            local: arrival.destination,
            peer: arrival.source,
        };
        let identity = |option: Option<UlidPairOption>, fii: Fii| {
            let ulids = option.map_or(
                UlidPair {
                    local: pair.local.as_ulid(),
                    peer: pair.peer.as_ulid(),
                },
                UlidPairOption::at_receiver,
            );
            Some(Self::Identity(Identity { ulids, fii }))
        };
        let local_tag = |tag| Some(Self::LocalTag(tag));

        match message {
            Message::I1(i1) => identity(i1.ulid_pair, i1.fii),
            Message::I2(i2) => identity(i2.ulid_pair, i2.fii),
            Message::I2bis(i2bis) => identity(i2bis.ulid_pair, i2bis.fii),
            Message::R1(r1) => Some(Self::Nonce {
                nonce: r1.initiator_nonce,
                pair,
            }),
            Message::R2(r2) => Some(Self::Nonce {
                nonce: r2.initiator_nonce,
                pair,
            }),
            Message::R1bis(r1bis) => Some(Self::PeerTag {
                tag: r1bis.packet_tag,
                pair,
            }),
            Message::UpdateRequest(request) => local_tag(request.receiver_tag),
            Message::UpdateAcknowledgement(acknowledgement) => {
                local_tag(acknowledgement.receiver_tag)
            }
            Message::Keepalive(keepalive) => local_tag(keepalive.receiver_tag),
            Message::Probe(probe) => local_tag(probe.receiver_tag),
            Message::Error(error) => Self::quoted(&Quote::parse(error.packet)?),
        }
    }

    /// What the context is found by that sent a packet which an ICMPv6 error or an Error message
    /// quotes; [`None`] for R1 and R1bis, which no context sends.
    pub fn quoted(quote: &Quote) -> Option<Self> {
        match quote.header {
            QuotedHeader::Payload(header) => Some(Self::PeerTag {
                tag: header.tag,
                pair: quote.locators,
            }),
            QuotedHeader::Control { message, tag } => match message {
                MessageType::UpdateRequest
                | MessageType::UpdateAcknowledgement
                | MessageType::Keepalive
                | MessageType::Probe => Some(Self::PeerTag {
                    tag: tag?,
                    pair: quote.locators,
                }),
                MessageType::I1 | MessageType::I2 | MessageType::R2 | MessageType::I2bis => {
                    Some(Self::LocalTag(tag?))
                }
                MessageType::R1 | MessageType::R1bis | MessageType::Error => None,
            },
        }
    }
}

/// What to do with a control message whose context is not there (RFC 5533, Sections 7.9 to 7.20
/// and 12). A [`Negative`](super::establish::Negative) counts as nothing here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unmatched {
    /// I1: answer with R1.
    ReplyR1,
    /// I2 and I2bis: check Responder Nonce and Responder Validator, then
    /// [make the context](super::establish::Machine::respond).
    Respond,
    /// Messages that refer to a context: answer with R1bis. So is payload answered.
    ReplyR1bis,
    /// R1, R2, R1bis and Error: nothing.
    Drop,
}

impl Unmatched {
    /// What to do with a message of this type.
    pub const fn of(message: MessageType) -> Self {
        match message {
            MessageType::I1 => Self::ReplyR1,
            MessageType::I2 | MessageType::I2bis => Self::Respond,
            MessageType::UpdateRequest
            | MessageType::UpdateAcknowledgement
            | MessageType::Keepalive
            | MessageType::Probe => Self::ReplyR1bis,
            MessageType::R1 | MessageType::R2 | MessageType::R1bis | MessageType::Error => {
                Self::Drop
            }
        }
    }
}
