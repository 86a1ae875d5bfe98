// SPDX-License-Identifier: GPL-2.0

//! Contexts as attributes of the generic netlink family: requests are built here, and what the
//! kernel says is read here. Attributes that a newer kernel adds are passed over.

use std::net::Ipv6Addr;
use std::time::Duration;

use netlink_packet_core::{
    parse_ipv6,
    parse_u32,
    parse_u64,
    parse_u8,
    DecodeError,
    ErrorContext, //
};

use super::{
    Context,
    ContextTag,
    CurrentPair,
    Identity,
    Locator,
    NewContext,
    Selector,
    State,
    Verification, //
};
use crate::abi::{
    self,
    attr,
    cmd,
    locator_attr,
    locator_flag, //
};
use crate::genl::{
    for_each_attribute,
    Attributes,
    Message, //
};

/// What can be asked of the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request<'a> {
    Get(&'a Selector),
    Dump,
    Add(&'a NewContext),
    Del(&'a Selector),
    Set(&'a Selector, &'a CurrentPair),
}

impl Request<'_> {
    /// The message that asks it of family number `family`.
    pub(crate) fn into_message(self, family: u16) -> Message {
        let mut attributes = Attributes::default();
        let cmd = match self {
            Self::Get(selector) => {
                put_selector(&mut attributes, selector);
                cmd::CONTEXT_GET
            }
            Self::Dump => cmd::CONTEXT_GET,
            Self::Add(new) => {
                put_identity(&mut attributes, &new.identity);
                attributes.put(attr::TAG_LOCAL, new.tag_local.value().to_ne_bytes());
                attributes.put(attr::TAG_PEER, new.tag_peer.value().to_ne_bytes());
                for locator in &new.locator_local {
                    attributes.put_nest(attr::LOCATOR_LOCAL, locator_attributes(locator));
                }
                for locator in &new.locator_peer {
                    attributes.put_nest(attr::LOCATOR_PEER, locator_attributes(locator));
                }
                put_current(&mut attributes, &new.current);
                cmd::CONTEXT_ADD
            }
            Self::Del(selector) => {
                put_selector(&mut attributes, selector);
                cmd::CONTEXT_DEL
            }
            Self::Set(selector, current) => {
                put_selector(&mut attributes, selector);
                put_current(&mut attributes, current);
                cmd::CONTEXT_SET
            }
        };
        Message {
            family,
            cmd,
            version: abi::GENL_VERSION,
            attributes: attributes.into_octets(),
        }
    }
}

fn put_identity(attributes: &mut Attributes, identity: &Identity) {
    attributes.put(attr::ULID_LOCAL, identity.ulid_local.octets());
    attributes.put(attr::ULID_PEER, identity.ulid_peer.octets());
    if identity.fii != 0 {
        attributes.put(attr::FII, identity.fii.to_ne_bytes());
    }
}

fn put_selector(attributes: &mut Attributes, selector: &Selector) {
    match selector {
        Selector::Identity(identity) => put_identity(attributes, identity),
        Selector::Tag(tag) => attributes.put(attr::TAG_LOCAL, tag.value().to_ne_bytes()),
    }
}

fn put_current(attributes: &mut Attributes, current: &CurrentPair) {
    if let Some(local) = current.local {
        attributes.put(attr::CURRENT_LOCAL, local.octets());
    }
    if let Some(peer) = current.peer {
        attributes.put(attr::CURRENT_PEER, peer.octets());
    }
}

/// The nest of a locator. What has the value that the kernel takes anyway is left out.
fn locator_attributes(locator: &Locator) -> Attributes {
    let flags = match locator.broken {
        true => locator_flag::BROKEN,
        false => 0,
    } | match locator.transient {
        true => locator_flag::TRANSIENT,
        false => 0,
    };
    let mut nest = Attributes::default();
    nest.put(locator_attr::ADDRESS, locator.address.octets());
    for (kind, value) in [
        (locator_attr::VERIFICATION, locator.verification.into()),
        (locator_attr::PRIORITY, locator.priority),
        (locator_attr::WEIGHT, locator.weight),
        (locator_attr::FLAGS, flags),
    ] {
        if value != 0 {
            nest.put(kind, [value]);
        }
    }
    nest
}

fn read_address(value: &[u8]) -> Result<Ipv6Addr, DecodeError> {
    parse_ipv6(value).map(Ipv6Addr::from)
}

fn read_tag(value: &[u8]) -> Result<ContextTag, DecodeError> {
    ContextTag::new(parse_u64(value)?)
        .ok_or_else(|| DecodeError::from("a context tag of more than 47 bits"))
}

fn read_locator(nest: &[u8]) -> Result<Locator, DecodeError> {
    let mut address = None;
    let mut locator = Locator::new(Ipv6Addr::UNSPECIFIED);
    for_each_attribute(nest, |kind, value| {
        match kind {
            locator_attr::ADDRESS => address = Some(read_address(value)?),
            locator_attr::VERIFICATION => {
                locator.verification = Verification::from(parse_u8(value)?);
            }
            locator_attr::PRIORITY => locator.priority = parse_u8(value)?,
            locator_attr::WEIGHT => locator.weight = parse_u8(value)?,
            locator_attr::FLAGS => {
                let flags = parse_u8(value)?;
                locator.broken = flags & locator_flag::BROKEN != 0;
                locator.transient = flags & locator_flag::TRANSIENT != 0;
            }
            _ => {}
        }
        Ok(())
    })?;
    locator.address = required(address, "ADDRESS of a locator")?;
    Ok(locator)
}

impl Context {
    /// Reads the attributes of a context.
    pub(crate) fn from_attributes(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut ulid_local = None;
        let mut ulid_peer = None;
        let mut fii = 0;
        let mut state = None;
        let mut tag_local = None;
        let mut tag_peer = None;
        let mut locator_local = Vec::new();
        let mut locator_peer = Vec::new();
        let mut current_local = None;
        let mut current_peer = None;
        let mut last_tx = None;
        let mut last_rx = None;
        let mut switches = 0;
        for_each_attribute(octets, |kind, value| {
            let mut read = || {
                match kind {
                    attr::ULID_LOCAL => ulid_local = Some(read_address(value)?),
                    attr::ULID_PEER => ulid_peer = Some(read_address(value)?),
                    attr::FII => fii = parse_u32(value)?,
                    attr::TAG_LOCAL => tag_local = Some(read_tag(value)?),
                    attr::TAG_PEER => tag_peer = Some(read_tag(value)?),
                    attr::LOCATOR_LOCAL => locator_local.push(read_locator(value)?),
                    attr::LOCATOR_PEER => locator_peer.push(read_locator(value)?),
                    attr::CURRENT_LOCAL => current_local = Some(read_address(value)?),
                    attr::CURRENT_PEER => current_peer = Some(read_address(value)?),
                    attr::STATE => state = Some(State(parse_u8(value)?)),
                    attr::LAST_TX => last_tx = Some(Duration::from_millis(parse_u64(value)?)),
                    attr::LAST_RX => last_rx = Some(Duration::from_millis(parse_u64(value)?)),
                    attr::SWITCHES => switches = parse_u64(value)?,
                    _ => {}
                }
                Ok(())
            };
            read().with_context(|| format!("attribute {kind} of a context"))
        })?;
        Ok(Self {
            identity: Identity {
                ulid_local: required(ulid_local, "ULID_LOCAL")?,
                ulid_peer: required(ulid_peer, "ULID_PEER")?,
                fii,
            },
            state: required(state, "STATE")?,
            tag_local: required(tag_local, "TAG_LOCAL")?,
            tag_peer,
            locator_local,
            locator_peer,
            current_local: required(current_local, "CURRENT_LOCAL")?,
            current_peer: required(current_peer, "CURRENT_PEER")?,
            last_tx,
            last_rx,
            switches,
        })
    }
}

fn required<T>(value: Option<T>, name: &str) -> Result<T, DecodeError> {
    value.ok_or_else(|| DecodeError::from(format!("attribute {name} is missing")))
}

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    const FAMILY: u16 = 30;

    /// 2001:db8:1::a and so on, as octets.
    const A1: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa];
    const A2: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa];
    const B1: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb];
    const B2: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb];

    fn identity(fii: u32) -> Identity {
        Identity {
            ulid_local: A1.into(),
            ulid_peer: B1.into(),
            fii,
        }
    }

    fn tag(value: u64) -> ContextTag {
        ContextTag::new(value).unwrap()
    }

    /// The request in octets, sequence number 1, flags NLM_F_REQUEST.
    fn octets(request: Request<'_>) -> Vec<u8> {
        request.into_message(FAMILY).into_request(1, 1)
    }

    /// Header of a request to family 30: nlmsghdr and genlmsghdr.
    #[rustfmt::skip]
    fn header(len: u8, cmd: u8) -> Vec<u8> {
        vec![
            len, 0, 0, 0, 30, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0,
            cmd, 1, 0, 0,
        ]
    }

    #[test]
    fn get_by_tag() {
        let expected = [
            header(32, 1),
            vec![12, 0, 4, 0, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0, 0],
        ]
        .concat();
        let selector = Selector::Tag(tag(0x0123_4567_89ab));
        assert_eq!(octets(Request::Get(&selector)), expected);
    }

    #[test]
    fn dump_names_no_context() {
        assert_eq!(octets(Request::Dump), header(20, 1));
    }

    #[test]
    fn del_by_identity_leaves_out_a_fii_of_0() {
        let expected = [
            header(60, 3),
            vec![20, 0, 1, 0],
            A1.to_vec(),
            vec![20, 0, 2, 0],
            B1.to_vec(),
        ]
        .concat();
        let selector = Selector::Identity(identity(0));
        assert_eq!(octets(Request::Del(&selector)), expected);
    }

    #[test]
    fn set_by_identity_with_a_fii() {
        let expected = [
            header(88, 4),
            vec![20, 0, 1, 0],
            A1.to_vec(),
            vec![20, 0, 2, 0],
            B1.to_vec(),
            vec![8, 0, 3, 0, 0x78, 0x56, 0x34, 0x12],
            vec![20, 0, 9, 0],
            B2.to_vec(),
        ]
        .concat();
        let selector = Selector::Identity(identity(0x1234_5678));
        let current = CurrentPair {
            local: None,
            peer: Some(B2.into()),
        };
        assert_eq!(octets(Request::Set(&selector, &current)), expected);
    }

    fn new_context() -> NewContext {
        NewContext {
            identity: identity(0),
            tag_local: tag(0xa1),
            tag_peer: tag(0x7fff_ffff_ffff),
            locator_local: vec![
                Locator::new(A1.into()),
                Locator {
                    verification: Verification::Hba,
                    priority: 3,
                    weight: 255,
                    broken: true,
                    transient: true,
                    ..Locator::new(A2.into())
                },
            ],
            locator_peer: vec![Locator {
                verification: Verification::Cga,
                transient: true,
                ..Locator::new(B1.into())
            }],
            current: CurrentPair {
                local: Some(A2.into()),
                peer: None,
            },
        }
    }

    #[test]
    #[rustfmt::skip]
    fn add_with_everything() {
        let expected = [
            header(60 + 24 + 24 + 56 + 40 + 20, 2),
            vec![20, 0, 1, 0], A1.to_vec(),
            vec![20, 0, 2, 0], B1.to_vec(),
            vec![12, 0, 4, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0],
            vec![12, 0, 5, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0],
            vec![24, 0, 6, 0x80],
                vec![20, 0, 1, 0], A1.to_vec(),
            vec![56, 0, 6, 0x80],
                vec![20, 0, 1, 0], A2.to_vec(),
                vec![5, 0, 2, 0, 1, 0, 0, 0],
                vec![5, 0, 3, 0, 3, 0, 0, 0],
                vec![5, 0, 4, 0, 255, 0, 0, 0],
                vec![5, 0, 5, 0, 3, 0, 0, 0],
            vec![40, 0, 7, 0x80],
                vec![20, 0, 1, 0], B1.to_vec(),
                vec![5, 0, 2, 0, 2, 0, 0, 0],
                vec![5, 0, 5, 0, 2, 0, 0, 0],
            vec![20, 0, 8, 0], A2.to_vec(),
        ]
        .concat();
        let new = new_context();
        assert_eq!(octets(Request::Add(&new)), expected);
    }

    /// What the kernel says about a context, with its padding before 64-bit attributes.
    #[rustfmt::skip]
    fn answer() -> Vec<u8> {
        [
            vec![20, 0, 1, 0], A1.to_vec(),
            vec![20, 0, 2, 0], B1.to_vec(),
            vec![8, 0, 3, 0, 2, 0, 0, 0],
            vec![4, 0, 14, 0],
            vec![12, 0, 4, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0],
            vec![12, 0, 5, 0, 0xb1, 0, 0, 0, 0, 0, 0, 0],
            vec![24, 0, 6, 0x80], vec![20, 0, 1, 0], A1.to_vec(),
            vec![24, 0, 7, 0x80], vec![20, 0, 1, 0], B1.to_vec(),
            vec![40, 0, 7, 0x80], vec![20, 0, 1, 0], B2.to_vec(),
                vec![5, 0, 2, 0, 1, 0, 0, 0],
                vec![5, 0, 5, 0, 1, 0, 0, 0],
            vec![20, 0, 8, 0], A1.to_vec(),
            vec![20, 0, 9, 0], B2.to_vec(),
            vec![5, 0, 10, 0, 4, 0, 0, 0],
            vec![12, 0, 11, 0, 0xe8, 3, 0, 0, 0, 0, 0, 0],
            vec![12, 0, 13, 0, 9, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat()
    }

    #[test]
    fn a_context_from_the_kernel() {
        let expected = Context {
            identity: identity(2),
            state: State(4),
            tag_local: tag(0xa1),
            tag_peer: Some(tag(0xb1)),
            locator_local: vec![Locator::new(A1.into())],
            locator_peer: vec![
                Locator::new(B1.into()),
                Locator {
                    verification: Verification::Hba,
                    broken: true,
                    ..Locator::new(B2.into())
                },
            ],
            current_local: A1.into(),
            current_peer: B2.into(),
            last_tx: Some(Duration::from_secs(1)),
            last_rx: None,
            switches: 9,
        };
        assert_eq!(Context::from_attributes(&answer()).unwrap(), expected);
    }

    #[test]
    fn unknown_attributes_are_passed_over() {
        let known = Context::from_attributes(&answer()).unwrap();
        let mut newer = answer();
        newer.extend([7, 0, 0xff, 0x3f, 1, 2, 3, 0]);
        newer.splice(0..0, [8, 0, 99, 0x80, 4, 0, 1, 0]);
        assert_eq!(Context::from_attributes(&newer).unwrap(), known);
    }

    #[test]
    fn what_is_added_comes_back() {
        let new = new_context();
        let mut octets = Request::Add(&new).into_message(FAMILY).attributes;
        // What only the kernel knows: CURRENT_PEER and STATE.
        octets.extend(
            [
                vec![20, 0, 9, 0],
                B1.to_vec(),
                vec![5, 0, 10, 0, 4, 0, 0, 0],
            ]
            .concat(),
        );
        let context = Context::from_attributes(&octets).unwrap();
        assert_eq!(context.identity, new.identity);
        assert_eq!(context.tag_local, new.tag_local);
        assert_eq!(context.tag_peer, Some(new.tag_peer));
        assert_eq!(context.locator_local, new.locator_local);
        assert_eq!(context.locator_peer, new.locator_peer);
        assert_eq!(Some(context.current_local), new.current.local);
    }

    #[test]
    fn a_missing_or_misshapen_attribute_is_named() {
        let refusal = |octets: &[u8]| Context::from_attributes(octets).unwrap_err().to_string();
        assert!(refusal(&[]).contains("ULID_LOCAL is missing"));
        assert!(refusal(&[6, 0, 3, 0, 1, 2, 0, 0]).contains("attribute 3 of a context"));
        assert!(refusal(&[4, 0, 6, 0x80]).contains("ADDRESS of a locator is missing"));
        let too_large = [12, 0, 4, 0, 0, 0, 0, 0, 0, 0x80, 0, 0];
        assert!(refusal(&too_large).contains("more than 47 bits"));
    }

    #[test]
    fn no_truncated_context_is_accepted_or_panics() {
        let whole = answer();
        // The last attribute, SWITCHES, may be absent, so stop before it.
        for len in 0..whole.len() - 28 {
            assert!(Context::from_attributes(&whole[..len]).is_err(), "{len}");
        }
    }
}
