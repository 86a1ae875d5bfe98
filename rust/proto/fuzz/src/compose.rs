// SPDX-License-Identifier: GPL-2.0

//! Messages of a host that tells anything about itself, and leaves out what does not fit.

use arbitrary::{
    Result,
    Unstructured, //
};
use shim6_proto::{
    compose::{
        compose as compose_message,
        update_request,
        HostView,
        LeftOut,
        Update, //
    },
    establish::Content,
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord,
        Ulid,
        UlidPair,
        VerificationMethod, //
    },
    number::{
        Fii,
        Nonce, //
    },
    tag::ContextTag,
    wire::{
        build::{
            BuildError,
            MAX_LEN, //
        },
        message::Message,
        message_type::MessageType,
        option::{
            KeepaliveTimeout,
            OptionType,
            UlidPairOption, //
        }, //
    }, //
};

use crate::{
    message::{
        generation,
        octets,
        preferences,
        records, //
    },
    model::Model,
    support::{
        arrival,
        checksum, //
    }, //
};

/// What a message is about.
enum About<'a> {
    Content(Content<'a>),
    Update(ContextTag, Nonce, Update),
}

impl About<'_> {
    const fn message_type(&self) -> MessageType {
        match self {
            Self::Content(Content::I1 { .. }) => MessageType::I1,
            Self::Content(Content::I2 { .. }) => MessageType::I2,
            Self::Content(Content::R2 { .. }) => MessageType::R2,
            Self::Content(Content::I2bis { .. }) => MessageType::I2bis,
            Self::Content(Content::UpdateAcknowledgement { .. }) => {
                MessageType::UpdateAcknowledgement
            }
            Self::Update(..) => MessageType::UpdateRequest,
        }
    }

    /// Whether the list and what belongs to it is in the message.
    const fn has_list(&self) -> bool {
        match self {
            Self::Content(_) => self.message_type().takes(OptionType::LocatorList),
            Self::Update(_, _, update) => !matches!(update, Update::Preferences),
        }
    }
}

/// Whatever a host tells, its message is valid and says what it should, or says why not.
pub fn compose(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let tag = ContextTag::from_low_bits(u.arbitrary()?);
    let nonce = Nonce::new(u.arbitrary()?);
    let validator = octets(u, 100)?;
    let about = match u.int_in_range(0..=6)? {
        0 => About::Content(Content::I1 {
            initiator_tag: tag,
            initiator_nonce: nonce,
        }),
        1 => About::Content(Content::I2 {
            initiator_tag: tag,
            initiator_nonce: nonce,
            responder_nonce: nonce,
            validator: &validator,
        }),
        2 => About::Content(Content::R2 {
            responder_tag: tag,
            initiator_nonce: nonce,
        }),
        3 => About::Content(Content::I2bis {
            initiator_tag: tag,
            initiator_nonce: nonce,
            responder_nonce: nonce,
            packet_tag: tag,
            validator: &validator,
        }),
        4 => About::Content(Content::UpdateAcknowledgement {
            receiver_tag: tag,
            request_nonce: nonce,
        }),
        5 => About::Update(tag, nonce, Update::Preferences),
        _ => {
            let parameters = u.arbitrary()?;
            About::Update(tag, nonce, Update::Everything { parameters })
        }
    };

    let mut locators = records(u, 0, 64)?;
    if u.arbitrary()? {
        for record in &mut locators {
            record.method = VerificationMethod::HBA;
        }
    }
    let elements = match u.arbitrary()? {
        true if !locators.is_empty() => preferences(u, locators.len())?,
        _ => vec![],
    };
    let parameters = octets(u, 1300)?;
    let signature = octets(u, 600)?;
    let host = HostView {
        locators: &locators,
        generation: generation(u)?,
        preferences: &elements,
        parameters: &parameters,
        signature: &signature,
        keepalive_timeout: KeepaliveTimeout::new(u.arbitrary()?),
    };
    let own = |u: &mut Unstructured<'_>| -> Result<Locator> {
        match locators.is_empty() {
            true => u.arbitrary().map(Locator::new),
            false => u.choose(&locators).map(|record| record.locator),
        }
    };
    let identity = Identity {
        ulids: UlidPair {
            local: own(u)?.as_ulid(),
            peer: Ulid::new(u.arbitrary()?),
        },
        fii: Fii::new(u.int_in_range(0..=1)?),
    };
    let pair = match u.arbitrary()? {
        true => identity.ulids.as_locators(),
        false => LocatorPair {
            local: own(u)?,
            peer: Locator::new(u.arbitrary()?),
        },
    };
    let room = match u.ratio(1, 8)? {
        true => u.int_in_range(0..=MAX_LEN)?,
        false => MAX_LEN,
    };
    check(&about, &identity, pair, &host, room);
    Ok(())
}

fn check(
    about: &About<'_>,
    identity: &Identity,
    pair: LocatorPair,
    host: &HostView<'_>,
    room: usize,
) {
    let mut buffer = vec![0xa5; room];
    let composed = match about {
        About::Content(content) => compose_message(&mut buffer, identity, pair, content, host),
        About::Update(tag, nonce, update) => {
            update_request(&mut buffer, identity, pair, *tag, *nonce, *update, host)
        }
    };
    let composed = match composed {
        Ok(composed) => composed,
        Err(BuildError::NoRoom) => return assert!(room < MAX_LEN),
        // Preferences without a list have to be there.
        Err(BuildError::Count) => {
            let update = matches!(about, About::Update(_, _, Update::Preferences));
            return assert!(update && host.preferences.is_empty());
        }
        Err(error) => return assert_eq!(error, BuildError::TooLong),
    };

    let octets = composed.octets;
    assert!(octets.len() <= MAX_LEN && octets.len() % 8 == 0);
    assert_eq!(checksum(octets), 0);
    let message = Message::parse(&arrival(), octets).expect("a valid message");
    let model = Model::from(&message);
    assert_eq!(model.message, about.message_type());

    if model.message.takes(OptionType::UlidPair) {
        let named =
            (pair != identity.ulids.as_locators()).then(|| UlidPairOption::from(identity.ulids));
        assert_eq!((model.ulid_pair, model.fii), (named, identity.fii));
    }
    if about.has_list() && !host.locators.is_empty() {
        check_list(&model, composed.left_out, identity, pair, host);
    } else {
        assert_eq!(composed.left_out, LeftOut::Nothing);
        assert_eq!(model.host.list, None);
    }
}

/// The list is whole but for what can be left out, from its end, and says so.
fn check_list(
    model: &Model,
    left_out: LeftOut,
    identity: &Identity,
    pair: LocatorPair,
    host: &HostView<'_>,
) {
    let missing = match left_out {
        LeftOut::Locators(number) => number,
        LeftOut::Nothing | LeftOut::Preferences => 0,
    };
    let is_needed = |record: &LocatorRecord| {
        record.method == VerificationMethod::CGA
            || record.locator == identity.ulids.local.as_locator()
            || record.locator == pair.local
    };
    let mut optional = host
        .locators
        .iter()
        .filter(|record| !is_needed(record))
        .count()
        .checked_sub(missing)
        .expect("no more is missing than can be");
    let mut expected = host.locators.to_vec();
    expected.retain(|record| {
        if is_needed(record) {
            return true;
        }
        let stays = optional > 0;
        optional -= usize::from(stays);
        stays
    });
    assert_eq!(model.host.list, Some((host.generation, expected)));

    let preferences = (left_out == LeftOut::Nothing && !host.preferences.is_empty())
        .then(|| (host.generation, host.preferences.to_vec()));
    assert_eq!(model.host.preferences, preferences);
    let mut methods = host.locators.iter().map(|record| record.method);
    let is_signed = methods.any(|method| method == VerificationMethod::CGA);
    assert_eq!(
        model.host.signature.as_deref(),
        is_signed.then_some(host.signature)
    );
    assert_eq!(model.host.keepalive_timeout, host.keepalive_timeout);
}
