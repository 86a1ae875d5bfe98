// SPDX-License-Identifier: GPL-2.0

//! Control messages to be sent, built in the caller's buffer (RFC 5533, Sections 5.3 to 5.15;
//! RFC 5534, Section 5).
//!
//! One function for each message takes what the message must have. It returns a [`Builder`] that
//! has methods only for the options which are defined for that message, and whose
//! [`finish`](Builder::finish) fills in the length and the checksum.

use super::{
    super::{
        number::Nonce,
        tag::ContextTag, //
    },
    fault::Report,
    message_type::MessageType,
    option::OptionType,
    probe::{
        self,
        ProbeRecord,
        ProbeRecords,
        ProbeState, //
    }, //
};

pub use super::builder::{
    kind,
    BuildError,
    Builder,
    MAX_LEN, //
};

/// I1 (RFC 5533, Section 5.4).
///
/// # Errors
///
/// [`BuildError::NoRoom`].
pub fn i1(
    buffer: &mut [u8],
    initiator_tag: ContextTag,
    initiator_nonce: Nonce,
) -> Result<Builder<'_, kind::I1>, BuildError> {
    Builder::new(buffer, MessageType::I1)?
        .field(6, initiator_tag.to_control())?
        .field(12, initiator_nonce.to_wire())
}

/// R1 (RFC 5533, Section 5.5).
///
/// # Errors
///
/// [`BuildError::NoRoom`] and [`BuildError::TooLong`].
pub fn r1<'b>(
    buffer: &'b mut [u8],
    initiator_nonce: Nonce,
    responder_nonce: Nonce,
    validator: &[u8],
) -> Result<Builder<'b, kind::R1>, BuildError> {
    Builder::new(buffer, MessageType::R1)?
        .field(8, initiator_nonce.to_wire())?
        .field(12, responder_nonce.to_wire())?
        .option(OptionType::ResponderValidator, validator)
}

/// I2 (RFC 5533, Section 5.6).
///
/// # Errors
///
/// [`BuildError::NoRoom`] and [`BuildError::TooLong`].
pub fn i2<'b>(
    buffer: &'b mut [u8],
    initiator_tag: ContextTag,
    initiator_nonce: Nonce,
    responder_nonce: Nonce,
    validator: &[u8],
) -> Result<Builder<'b, kind::I2>, BuildError> {
    Builder::new(buffer, MessageType::I2)?
        .field(6, initiator_tag.to_control())?
        .field(12, initiator_nonce.to_wire())?
        .field(16, responder_nonce.to_wire())?
        .option(OptionType::ResponderValidator, validator)
}

/// R2 (RFC 5533, Section 5.7).
///
/// # Errors
///
/// [`BuildError::NoRoom`].
pub fn r2(
    buffer: &mut [u8],
    responder_tag: ContextTag,
    initiator_nonce: Nonce,
) -> Result<Builder<'_, kind::R2>, BuildError> {
    Builder::new(buffer, MessageType::R2)?
        .field(6, responder_tag.to_control())?
        .field(12, initiator_nonce.to_wire())
}

/// R1bis (RFC 5533, Section 5.8).
///
/// # Errors
///
/// [`BuildError::NoRoom`] and [`BuildError::TooLong`].
pub fn r1bis<'b>(
    buffer: &'b mut [u8],
    packet_tag: ContextTag,
    responder_nonce: Nonce,
    validator: &[u8],
) -> Result<Builder<'b, kind::R1bis>, BuildError> {
    Builder::new(buffer, MessageType::R1bis)?
        .field(6, packet_tag.to_control())?
        .field(12, responder_nonce.to_wire())?
        .option(OptionType::ResponderValidator, validator)
}

/// I2bis (RFC 5533, Section 5.9).
///
/// # Errors
///
/// [`BuildError::NoRoom`] and [`BuildError::TooLong`].
pub fn i2bis<'b>(
    buffer: &'b mut [u8],
    initiator_tag: ContextTag,
    initiator_nonce: Nonce,
    responder_nonce: Nonce,
    packet_tag: ContextTag,
    validator: &[u8],
) -> Result<Builder<'b, kind::I2bis>, BuildError> {
    Builder::new(buffer, MessageType::I2bis)?
        .field(6, initiator_tag.to_control())?
        .field(12, initiator_nonce.to_wire())?
        .field(16, responder_nonce.to_wire())?
        .field(26, packet_tag.to_control())?
        .option(OptionType::ResponderValidator, validator)
}

/// Update Request (RFC 5533, Section 5.10).
///
/// # Errors
///
/// [`BuildError::NoRoom`].
pub fn update_request(
    buffer: &mut [u8],
    receiver_tag: ContextTag,
    request_nonce: Nonce,
) -> Result<Builder<'_, kind::UpdateRequest>, BuildError> {
    Builder::new(buffer, MessageType::UpdateRequest)?
        .field(6, receiver_tag.to_control())?
        .field(12, request_nonce.to_wire())
}

/// Update Acknowledgement (RFC 5533, Section 5.11).
///
/// # Errors
///
/// [`BuildError::NoRoom`].
pub fn update_acknowledgement(
    buffer: &mut [u8],
    receiver_tag: ContextTag,
    request_nonce: Nonce,
) -> Result<Builder<'_, kind::UpdateAcknowledgement>, BuildError> {
    Builder::new(buffer, MessageType::UpdateAcknowledgement)?
        .field(6, receiver_tag.to_control())?
        .field(12, request_nonce.to_wire())
}

/// Keepalive (RFC 5534, Section 5.1).
///
/// # Errors
///
/// [`BuildError::NoRoom`].
pub fn keepalive(
    buffer: &mut [u8],
    receiver_tag: ContextTag,
) -> Result<Builder<'_, kind::Keepalive>, BuildError> {
    Builder::new(buffer, MessageType::Keepalive)?.field(6, receiver_tag.to_control())
}

/// Probe (RFC 5534, Section 5.2).
///
/// The first of the `sent` records describes this very message; there have to be 1 to 15. At
/// most 15 records may be `received`.
///
/// # Errors
///
/// [`BuildError::Count`] and [`BuildError::NoRoom`].
pub fn probe(
    buffer: &mut [u8],
    receiver_tag: ContextTag,
    state: ProbeState,
    sent: impl IntoIterator<Item = ProbeRecord>,
    received: impl IntoIterator<Item = ProbeRecord>,
) -> Result<Builder<'_, kind::Probe>, BuildError> {
    let mut builder = Builder::new(buffer, MessageType::Probe)?
        .field(6, receiver_tag.to_control())?
        .field(probe::STATE_AT, [state.to_wire()])?;
    let sent = append_records(&mut builder, sent)?;
    let received = append_records(&mut builder, received)?;

    if sent == 0 {
        return Err(BuildError::Count);
    }
    builder.field(probe::COUNTS_AT, [(received << 4) | sent])
}

/// Error (RFC 5533, Section 5.14).
///
/// `packet` is the packet in error from its IPv6 header on. As much of it is quoted as there is
/// room for: at most 1,232 octets, and a multiple of 8.
///
/// # Errors
///
/// [`BuildError::PacketInError`] and [`BuildError::NoRoom`].
pub fn error<'b>(
    buffer: &'b mut [u8],
    report: Report,
    packet: &[u8],
) -> Result<Builder<'b, kind::Error>, BuildError> {
    let fixed = MessageType::Error.fixed_len();
    let quoted = packet.len().min(MAX_LEN.wrapping_sub(fixed)) & !7;
    let quote = packet
        .get(..quoted)
        .filter(|quote| !quote.is_empty())
        .ok_or(BuildError::PacketInError)?;
    let mut builder = Builder::new(buffer, MessageType::Error)?
        .field(3, [report.code.to_wire()])?
        .field(6, report.pointer.to_be_bytes())?;

    builder.append(quoted)?.copy_from_slice(quote);
    Ok(builder)
}

/// Appends probe records and returns their number.
fn append_records(
    builder: &mut Builder<'_, kind::Probe>,
    records: impl IntoIterator<Item = ProbeRecord>,
) -> Result<u8, BuildError> {
    let mut number: u8 = 0;

    for record in records {
        if usize::from(number) == ProbeRecords::MAX {
            return Err(BuildError::Count);
        }
        number = number.wrapping_add(1);
        record
            .put(builder.append(ProbeRecord::LEN)?)
            .ok_or(BuildError::NoRoom)?;
    }
    Ok(number)
}
