// SPDX-License-Identifier: GPL-2.0

//! What can be asked of the kernel about contexts, as attributes of the generic netlink family.

use std::net::Ipv6Addr;

use super::locator::Locator;
use super::{
    Change,
    CurrentPair,
    Identity,
    NewContext,
    Selector, //
};
use crate::abi::{
    attr,
    cmd,
    locator_attr,
    locator_flag, //
};
use crate::client::Request;
use crate::genl::Attributes;

/// One context.
pub(crate) fn get(selector: &Selector) -> Request {
    named(cmd::CONTEXT_GET, selector)
}

/// A static context to add.
pub(crate) fn add(new: &NewContext) -> Request {
    let mut request = Request::new(cmd::CONTEXT_ADD);
    let attributes = &mut request.attributes;
    put_identity(attributes, &new.identity);
    attributes.put(attr::TAG_LOCAL, new.tag_local.value().to_ne_bytes());
    attributes.put(attr::TAG_PEER, new.tag_peer.value().to_ne_bytes());
    put_list(attributes, attr::LOCATOR_LOCAL, &new.locator_local);
    put_list(attributes, attr::LOCATOR_PEER, &new.locator_peer);
    put_current(attributes, &new.current);
    request
}

/// A context to delete.
pub(crate) fn del(selector: &Selector) -> Request {
    named(cmd::CONTEXT_DEL, selector)
}

/// A context to change.
pub(crate) fn set(selector: &Selector, change: &Change) -> Request {
    let mut request = named(cmd::CONTEXT_SET, selector);
    let attributes = &mut request.attributes;
    put_list(attributes, attr::LOCATOR_LOCAL, &change.locator_local);
    put_current(attributes, &change.current);
    change.watch.put(attributes);
    request
}

/// A context to establish with a peer. Its FII is 0.
pub(crate) fn start(ulid_local: Ipv6Addr, ulid_peer: Ipv6Addr) -> Request {
    let mut request = Request::new(cmd::CONTEXT_START);
    let identity = Identity {
        ulid_local,
        ulid_peer,
        fii: 0,
    };
    put_identity(&mut request.attributes, &identity);
    request
}

/// All contexts that are not static, to be forgotten.
pub(crate) fn flush() -> Request {
    Request::new(cmd::CONTEXT_FLUSH)
}

fn named(cmd: u8, selector: &Selector) -> Request {
    let mut request = Request::new(cmd);
    match selector {
        Selector::Identity(identity) => put_identity(&mut request.attributes, identity),
        Selector::Tag(tag) => request
            .attributes
            .put(attr::TAG_LOCAL, tag.value().to_ne_bytes()),
    }
    request
}

fn put_identity(attributes: &mut Attributes, identity: &Identity) {
    attributes.put(attr::ULID_LOCAL, identity.ulid_local.octets());
    attributes.put(attr::ULID_PEER, identity.ulid_peer.octets());
    if identity.fii != 0 {
        attributes.put(attr::FII, identity.fii.to_ne_bytes());
    }
}

fn put_list(attributes: &mut Attributes, kind: u16, locators: &[Locator]) {
    for locator in locators {
        attributes.put_nest(kind, locator_attributes(locator));
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

// The octets below are those of a little-endian host.
#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::super::samples::{
        identity,
        new_context,
        tag,
        A1,
        A2,
        B1,
        B2, //
    };
    use super::*;

    /// The request to family 30 in octets, sequence number 1, flags NLM_F_REQUEST.
    fn octets(request: Request) -> Vec<u8> {
        request.into_message(30).into_request(1, 1)
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
        assert_eq!(octets(get(&selector)), expected);
    }

    #[test]
    fn dump_names_no_context() {
        assert_eq!(octets(Request::new(cmd::CONTEXT_GET)), header(20, 1));
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
        assert_eq!(octets(del(&selector)), expected);
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
        let change = Change {
            current: CurrentPair {
                local: None,
                peer: Some(B2.into()),
            },
            ..Change::default()
        };
        assert_eq!(octets(set(&selector, &change)), expected);
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
        assert_eq!(octets(add(&new_context())), expected);
    }

    #[test]
    #[rustfmt::skip]
    fn set_preferences() {
        let expected = [
            header(32 + 40 + 24, 4),
            vec![12, 0, 4, 0, 0xa1, 0, 0, 0, 0, 0, 0, 0],
            vec![40, 0, 6, 0x80],
                vec![20, 0, 1, 0], A1.to_vec(),
                vec![5, 0, 3, 0, 9, 0, 0, 0],
                vec![5, 0, 5, 0, 1, 0, 0, 0],
            vec![24, 0, 6, 0x80],
                vec![20, 0, 1, 0], A2.to_vec(),
        ]
        .concat();
        let change = Change {
            locator_local: vec![
                Locator {
                    priority: 9,
                    broken: true,
                    ..Locator::new(A1.into())
                },
                Locator::new(A2.into()),
            ],
            ..Change::default()
        };
        assert_eq!(octets(set(&Selector::Tag(tag(0xa1)), &change)), expected);
    }

    #[test]
    fn start_names_the_ulids_and_flush_nothing() {
        let expected = [
            header(60, 5),
            vec![20, 0, 1, 0],
            A1.to_vec(),
            vec![20, 0, 2, 0],
            B1.to_vec(),
        ]
        .concat();
        assert_eq!(octets(start(A1.into(), B1.into())), expected);
        assert_eq!(octets(flush()), header(20, 6));
    }
}
