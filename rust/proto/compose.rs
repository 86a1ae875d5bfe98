// SPDX-License-Identifier: GPL-2.0

//! The messages that a context sends, from what its machine decided and from what the host tells
//! about itself (RFC 5533, Sections 5 and 7 to 10).
//!
//! A control packet has at most 1,280 octets (RFC 5533, Section 5.1). What does not fit is left
//! out: first the preferences, which an Update Request can bring later, then locators that are
//! verified by HBA, from the end of the list. ULID(local), the source of the message and all
//! locators verified by CGA stay: without the first two the peer would not recognise this host,
//! and the signature is over all of the last. The CGA Parameter Data Structure is never cut.

use core::slice;

use super::{
    establish::Content,
    identity::Identity,
    locator::{
        Locator,
        LocatorPair,
        LocatorRecord,
        Preference,
        VerificationMethod, //
    },
    number::{
        Fii,
        Generation,
        Nonce, //
    },
    reap::Reap,
    tag::ContextTag,
    wire::{
        build::{
            self,
            kind,
            BuildError,
            Builder, //
        },
        option::{
            KeepaliveTimeout,
            UlidPairOption, //
        },
        probe::ProbeState, //
    }, //
};

/// What this host tells about itself to one peer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostView<'a> {
    /// Its locators, ULID(local) among them; empty for a host that can prove no locator and has
    /// only its ULID to tell.
    pub locators: &'a [LocatorRecord],
    /// The number of this version of the list.
    pub generation: Generation,
    /// As many as locators, or none.
    pub preferences: &'a [Preference],
    /// The octets of its CGA Parameter Data Structure.
    pub parameters: &'a [u8],
    /// The octets of its signature over generation and locators verified by CGA; empty if there
    /// are none of these.
    pub signature: &'a [u8],
    /// The timeout that it wants the peer to use for Keepalives, if not the default.
    pub keepalive_timeout: Option<KeepaliveTimeout>,
}

impl HostView<'_> {
    /// A host with nothing but its ULID.
    pub const ULID_ONLY: Self = Self {
        locators: &[],
        generation: Generation::new(0),
        preferences: &[],
        parameters: &[],
        signature: &[],
        keepalive_timeout: None,
    };
}

/// What a message does not have because it would have been too long.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LeftOut {
    /// It is complete.
    Nothing,
    /// The preferences. They can be told with [`Update::Preferences`].
    Preferences,
    /// The preferences, if there are any, and so many locators.
    Locators(usize),
}

/// A message that is ready to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Composed<'b> {
    /// The Shim6 header with its options.
    pub octets: &'b [u8],
    /// What it does not have.
    pub left_out: LeftOut,
}

impl<'b> Composed<'b> {
    /// A message that has all it should have.
    const fn complete(octets: &'b [u8]) -> Self {
        Self {
            octets,
            left_out: LeftOut::Nothing,
        }
    }
}

/// What an Update Request is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Update {
    /// The list and the preferences.
    Everything {
        /// Whether the CGA Parameter Data Structure has to come with it because the peer was
        /// never sent it.
        parameters: bool,
    },
    /// The preferences for the list that the peer has.
    Preferences,
}

/// The message that [`Action::Send`](super::establish::Action::Send) asks for, in `buffer`.
///
/// # Errors
///
/// [`BuildError::TooLong`] if even the message with the fewest locators is too long, and the
/// other errors of [`build`] if `host` is not as it says.
pub fn compose<'b>(
    buffer: &'b mut [u8],
    identity: &Identity,
    pair: LocatorPair,
    content: &Content<'_>,
    host: &HostView<'_>,
) -> Result<Composed<'b>, BuildError> {
    match *content {
        Content::I1 {
            initiator_tag,
            initiator_nonce,
        } => {
            let builder = build::i1(buffer, initiator_tag, initiator_nonce)?;
            name_context(builder, identity, pair)?
                .finish()
                .map(Composed::complete)
        }
        Content::I2 {
            initiator_tag,
            initiator_nonce,
            responder_nonce,
            validator,
        } => describe(buffer, identity, pair, host, true, |buffer| {
            let builder = build::i2(
                buffer,
                initiator_tag,
                initiator_nonce,
                responder_nonce,
                validator,
            )?;
            name_context(builder, identity, pair)
        }),
        Content::R2 {
            responder_tag,
            initiator_nonce,
        } => describe(buffer, identity, pair, host, true, |buffer| {
            build::r2(buffer, responder_tag, initiator_nonce)
        }),
        Content::I2bis {
            initiator_tag,
            initiator_nonce,
            responder_nonce,
            packet_tag,
            validator,
        } => describe(buffer, identity, pair, host, true, |buffer| {
            let builder = build::i2bis(
                buffer,
                initiator_tag,
                initiator_nonce,
                responder_nonce,
                packet_tag,
                validator,
            )?;
            name_context(builder, identity, pair)
        }),
        Content::UpdateAcknowledgement {
            receiver_tag,
            request_nonce,
        } => build::update_acknowledgement(buffer, receiver_tag, request_nonce)?
            .finish()
            .map(Composed::complete),
    }
}

/// The message that [`Action::SendUpdate`](super::establish::Action::SendUpdate) asks for, in
/// `buffer`, to be sent over `pair` first.
///
/// # Errors
///
/// As [`compose`].
pub fn update_request<'b>(
    buffer: &'b mut [u8],
    identity: &Identity,
    pair: LocatorPair,
    receiver_tag: ContextTag,
    request_nonce: Nonce,
    update: Update,
    host: &HostView<'_>,
) -> Result<Composed<'b>, BuildError> {
    match update {
        Update::Everything { parameters } => {
            describe(buffer, identity, pair, host, parameters, |buffer| {
                build::update_request(buffer, receiver_tag, request_nonce)
            })
        }
        Update::Preferences => {
            let builder = build::update_request(buffer, receiver_tag, request_nonce)?;
            let builder = add_preferences(builder, host)?;
            add_keepalive_timeout(builder, host)?
                .finish()
                .map(Composed::complete)
        }
    }
}

/// The Probe that [`Action::Probe`](super::reap::Action::Probe) asks for, in `buffer`. `reap` is
/// the machine as the step that asked left it: it knows what the message lists.
///
/// # Errors
///
/// [`BuildError::Count`] if the machine did not send a Probe with this nonce, and
/// [`BuildError::NoRoom`].
pub fn probe<'b>(
    buffer: &'b mut [u8],
    receiver_tag: ContextTag,
    state: ProbeState,
    nonce: Nonce,
    reap: &Reap,
) -> Result<&'b [u8], BuildError> {
    let (sent, received) = reap.records(nonce);
    build::probe(buffer, receiver_tag, state, sent, received)?.finish()
}

/// The Keepalive that [`Action::Keepalive`](super::reap::Action::Keepalive) asks for, in `buffer`.
///
/// # Errors
///
/// [`BuildError::NoRoom`].
pub fn keepalive(buffer: &mut [u8], receiver_tag: ContextTag) -> Result<&[u8], BuildError> {
    build::keepalive(buffer, receiver_tag)?.finish()
}

/// Adds what tells the receiver which context the message is about: the ULIDs if they are not
/// the addresses, the instance if it is not the default one.
fn name_context<'b, K: kind::NamesContext>(
    builder: Builder<'b, K>,
    identity: &Identity,
    pair: LocatorPair,
) -> Result<Builder<'b, K>, BuildError> {
    let builder = if pair == identity.ulids.as_locators() {
        builder
    } else {
        builder.ulid_pair(UlidPairOption::from(identity.ulids))?
    };

    if identity.fii == Fii::DEFAULT {
        Ok(builder)
    } else {
        builder.fii(identity.fii)
    }
}

/// Finishes a message with what the host tells about itself, as much as there is room for.
/// `begin` makes the message up to there; it is called again for every attempt.
fn describe<'b, K, F>(
    buffer: &'b mut [u8],
    identity: &Identity,
    pair: LocatorPair,
    host: &HostView<'_>,
    parameters: bool,
    begin: F,
) -> Result<Composed<'b>, BuildError>
where
    K: kind::DescribesHost,
    F: Fn(&mut [u8]) -> Result<Builder<'_, K>, BuildError>,
{
    let mut attempt = Attempt::complete(identity, pair, host, parameters);
    let length = loop {
        match attempt.build(begin(buffer)?) {
            Ok(octets) => break octets.len(),
            Err(BuildError::TooLong) if attempt.reduce() => {}
            Err(error) => return Err(error),
        }
    };

    Ok(Composed {
        octets: buffer.get(..length).ok_or(BuildError::NoRoom)?,
        left_out: attempt.left_out(),
    })
}

/// How much of a [`HostView`] is put into a message.
struct Attempt<'a> {
    host: &'a HostView<'a>,
    parameters: bool,
    preferences: bool,
    /// How many locators that can be left out are not.
    optional: usize,
    /// Locators that are not left out.
    needed: [Locator; 2],
}

impl<'a> Attempt<'a> {
    /// Everything.
    fn complete(
        identity: &Identity,
        pair: LocatorPair,
        host: &'a HostView<'a>,
        parameters: bool,
    ) -> Self {
        let mut attempt = Self {
            host,
            parameters,
            preferences: !host.preferences.is_empty(),
            optional: 0,
            needed: [identity.ulids.local.as_locator(), pair.local],
        };
        attempt.optional = attempt.all_optional();
        attempt
    }

    /// How many locators can be left out.
    fn all_optional(&self) -> usize {
        let records = self.host.locators.iter();
        records.filter(|record| self.is_optional(record)).count()
    }

    /// Whether a locator can be left out.
    fn is_optional(&self, record: &LocatorRecord) -> bool {
        record.method != VerificationMethod::CGA && !self.needed.contains(&record.locator)
    }

    /// Takes something out; false if there is nothing more to take out.
    fn reduce(&mut self) -> bool {
        if self.preferences {
            self.preferences = false;
            return true;
        }
        match self.optional.checked_sub(1) {
            Some(optional) => {
                self.optional = optional;
                true
            }
            None => false,
        }
    }

    /// What was taken out.
    fn left_out(&self) -> LeftOut {
        match self.all_optional().saturating_sub(self.optional) {
            0 if self.preferences || self.host.preferences.is_empty() => LeftOut::Nothing,
            0 => LeftOut::Preferences,
            locators => LeftOut::Locators(locators),
        }
    }

    /// Adds what is left to a message, and finishes it.
    fn build<'b, K: kind::DescribesHost>(
        &self,
        mut builder: Builder<'b, K>,
    ) -> Result<&'b [u8], BuildError> {
        let host = self.host;

        if !host.locators.is_empty() {
            builder = builder.locator_list(host.generation, Listed::new(self))?;
            if self.parameters {
                builder = builder.cga_parameters(host.parameters)?;
            }
            if host
                .locators
                .iter()
                .any(|record| record.method == VerificationMethod::CGA)
            {
                builder = builder.cga_signature(host.signature)?;
            }
            if self.preferences {
                builder = add_preferences(builder, host)?;
            }
        }
        add_keepalive_timeout(builder, host)?.finish()
    }
}

/// The locators that are put into a message, in the order of the list.
struct Listed<'a> {
    attempt: &'a Attempt<'a>,
    records: slice::Iter<'a, LocatorRecord>,
    /// How many that can be left out may still come.
    optional: usize,
    /// How many come in all.
    len: usize,
}

impl<'a> Listed<'a> {
    fn new(attempt: &'a Attempt<'a>) -> Self {
        let left_out = attempt.all_optional().saturating_sub(attempt.optional);

        Self {
            attempt,
            records: attempt.host.locators.iter(),
            optional: attempt.optional,
            len: attempt.host.locators.len().saturating_sub(left_out),
        }
    }
}

impl Iterator for Listed<'_> {
    type Item = LocatorRecord;

    fn next(&mut self) -> Option<Self::Item> {
        for record in self.records.by_ref() {
            if self.attempt.is_optional(record) {
                let Some(optional) = self.optional.checked_sub(1) else {
                    continue;
                };
                self.optional = optional;
            }
            self.len = self.len.saturating_sub(1);
            return Some(*record);
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len, Some(self.len))
    }
}

impl ExactSizeIterator for Listed<'_> {}

/// Adds the preferences for the whole list.
fn add_preferences<'b, K: kind::DescribesHost>(
    builder: Builder<'b, K>,
    host: &HostView<'_>,
) -> Result<Builder<'b, K>, BuildError> {
    builder.locator_preferences(host.generation, host.preferences.iter().copied())
}

/// Adds the Keepalive Timeout if there is one to tell.
fn add_keepalive_timeout<'b, K: kind::DescribesHost>(
    builder: Builder<'b, K>,
    host: &HostView<'_>,
) -> Result<Builder<'b, K>, BuildError> {
    match host.keepalive_timeout {
        Some(timeout) => builder.keepalive_timeout(timeout),
        None => Ok(builder),
    }
}
