// SPDX-License-Identifier: GPL-2.0

//! Control messages on their way out.

use crate::{
    context::{
        Context,
        Counter,
        Local,
        Namespace, //
    },
    kernel_ext::{
        address::In6Addr,
        fault,
        transmit::{
            self,
            Outgoing, //
        },
    },
    proto::{
        compose::{
            self,
            Composed,
            HostView,
            Update, //
        },
        establish::Content,
        locator::{
            Locator,
            LocatorPair,
            LocatorRecord,
            Preference,
            VerificationMethod,
            MAX_LOCATORS, //
        },
        number::Nonce,
        tag::ContextTag,
        wire::{
            build::{
                BuildError,
                MAX_LEN, //
            },
            ipv6::next_header,
            option::KeepaliveTimeout, //
        },
    },
};
use kernel::prelude::*;

/// Sends a message, and counts it. Any context.
pub(super) fn transmit(namespace: &Namespace, pair: LocatorPair, message: &[u8], counter: Counter) {
    let to = Outgoing {
        source: &In6Addr::from_octets(pair.local.as_octets()),
        destination: &In6Addr::from_octets(pair.peer.as_octets()),
        next_header: next_header::SHIM6,
        mark: 0,
    };
    namespace
        .counters
        .count(match transmit::send(namespace.net(), &to, message) {
            Ok(()) => counter,
            // Whatever waits for an answer has a timer.
            Err(_) => Counter::OutControlFailed,
        });
}

/// A room for a message, off the stack.
pub(super) struct Buffer(KVec<u8>);

impl Buffer {
    /// An empty buffer. May sleep.
    pub(super) fn new() -> Result<Self> {
        Ok(Self(KVec::from_elem(0, MAX_LEN, GFP_KERNEL)?))
    }

    /// Where a message can be written.
    pub(super) fn octets(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// The same, for a message with options.
    fn room(&mut self) -> Result<&mut [u8], BuildError> {
        fault::point(fault::Point::Options).map_err(|_| BuildError::NoRoom)?;
        Ok(&mut self.0)
    }

    /// The message that the machine of a context wants sent.
    pub(super) fn compose(
        &mut self,
        context: &Context,
        local: &Local,
        pair: LocatorPair,
        content: &Content<'_>,
        keepalive_timeout: Option<KeepaliveTimeout>,
    ) -> Result<Composed<'_>, BuildError> {
        let told = Told::new(local);
        compose::compose(
            self.room()?,
            context.identity(),
            pair,
            content,
            &told.view(local, keepalive_timeout),
        )
    }

    /// An Update Request of a context with nothing but the preferences that the peer knows.
    pub(super) fn preferences(
        &mut self,
        context: &Context,
        local: &Local,
        pair: LocatorPair,
        receiver_tag: ContextTag,
        request_nonce: Nonce,
        keepalive_timeout: Option<KeepaliveTimeout>,
    ) -> Result<Composed<'_>, BuildError> {
        let mut told = Told::new(local);
        // Also if nobody has set any.
        told.has_preferences = true;
        compose::update_request(
            self.room()?,
            context.identity(),
            pair,
            receiver_tag,
            request_nonce,
            Update::Preferences,
            &told.view(local, keepalive_timeout),
        )
    }

    /// An Update Request of a context with all that there is to say.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the message")]
    pub(super) fn update_request(
        &mut self,
        context: &Context,
        local: &Local,
        pair: LocatorPair,
        receiver_tag: ContextTag,
        request_nonce: Nonce,
        parameters: bool,
        keepalive_timeout: Option<KeepaliveTimeout>,
    ) -> Result<Composed<'_>, BuildError> {
        let told = Told::new(local);
        compose::update_request(
            self.room()?,
            context.identity(),
            pair,
            receiver_tag,
            request_nonce,
            Update::Everything { parameters },
            &told.view(local, keepalive_timeout),
        )
    }
}

/// A local list as messages have it.
struct Told {
    records: [LocatorRecord; MAX_LOCATORS],
    preferences: [Preference; MAX_LOCATORS],
    len: usize,
    has_preferences: bool,
}

impl Told {
    fn new(local: &Local) -> Self {
        let mut told = Self {
            records: [LocatorRecord {
                locator: Locator::new([0; 16]),
                method: VerificationMethod::HBA,
            }; MAX_LOCATORS],
            preferences: [Preference::default(); MAX_LOCATORS],
            len: 0,
            has_preferences: false,
        };
        // Without an identity nothing can be proved, and there is nothing to tell but the ULID.
        if local.identity.is_none() {
            return told;
        }
        let known = &*local.list;
        told.has_preferences = known
            .iter()
            .any(|known| known.preference != Preference::default());
        let places = told.records.iter_mut().zip(told.preferences.iter_mut());
        for ((record, preference), known) in places.zip(known) {
            *record = LocatorRecord {
                locator: known.locator,
                method: known.verification.unwrap_or(VerificationMethod::HBA),
            };
            // All elements have the same fields.
            *preference = Preference {
                flags: known.preference.flags,
                priority: Some(known.preference.priority.unwrap_or(0)),
                weight: Some(known.preference.weight.unwrap_or(0)),
            };
            told.len = told.len.saturating_add(1);
        }
        told
    }

    fn view<'a>(
        &'a self,
        local: &'a Local,
        keepalive_timeout: Option<KeepaliveTimeout>,
    ) -> HostView<'a> {
        let Some(identity) = &local.identity else {
            return HostView {
                keepalive_timeout,
                ..HostView::ULID_ONLY
            };
        };
        let preferences = if self.has_preferences { self.len } else { 0 };
        HostView {
            locators: self.records.get(..self.len).unwrap_or_default(),
            generation: local.generation,
            preferences: self.preferences.get(..preferences).unwrap_or_default(),
            parameters: identity.pds(),
            signature: &local.signature,
            keepalive_timeout,
        }
    }
}

/// Whether a message has our CGA Parameter Data Structure if we have one.
pub(super) fn describes_host(content: &Content<'_>) -> bool {
    matches!(
        content,
        Content::I2 { .. } | Content::R2 { .. } | Content::I2bis { .. }
    )
}

/// What a message is counted as when it was sent.
pub(super) fn counter_of(content: &Content<'_>) -> Counter {
    match content {
        Content::I1 { .. } => Counter::OutI1,
        Content::I2 { .. } => Counter::OutI2,
        Content::R2 { .. } => Counter::OutR2,
        Content::I2bis { .. } => Counter::OutI2bis,
        Content::UpdateAcknowledgement { .. } => Counter::OutUpdateAcknowledgement,
    }
}
