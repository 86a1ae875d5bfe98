// SPDX-License-Identifier: GPL-2.0

//! What a machine has to be told: its context, the time, randomness, and answers about locators.

use super::{
    super::{
        identity::Identity,
        locator::Locator,
        number::Generation,
        time::Instant,
        verify::Rejection,
        wire::option::HostOptions, //
    },
    Constants, //
};

/// What every step of a [`Machine`](super::Machine) depends on besides the machine and the event.
#[derive(Debug)]
pub struct Step<'a, R> {
    /// Times and limits.
    pub constants: &'a Constants,
    /// The context that the machine belongs to: always the same for the same machine.
    pub identity: &'a Identity,
    /// The time. It never goes back from step to step.
    pub now: Instant,
    /// Where nonces and jitter come from.
    pub random: &'a mut R,
}

/// The context's locators and their verification, which a machine asks for but does not keep.
/// `'m` is the message that is being received.
pub trait Environment<'m> {
    /// Whether `locator` is in Ls(local): an address that this host told or will tell the peer.
    fn local_has(&self, locator: &Locator) -> bool;

    /// Whether `locator` is in Ls(peer), as the last
    /// [`AdoptPeer`](super::Action::AdoptPeer) or [`UpdatePeer`](super::Action::UpdatePeer)
    /// left it. Not asked while the machine knows no CT(peer).
    fn peer_has(&self, locator: &Locator) -> bool;

    /// Generation and length of the Locator List that made Ls(peer); [`None`] if the peer never
    /// sent one.
    fn peer_list(&self) -> Option<(Generation, usize)>;

    /// Verifies what a message says about its sender, as
    /// [`VerifiedHost::verify`](super::super::verify::VerifiedHost::verify) does.
    ///
    /// This is the expensive part. It is called at most once for a message, as the last of all
    /// checks: when it succeeds, the message is taken, and the actions that say so refer to what
    /// was verified here. So it is also the place to set aside the memory that taking it needs.
    ///
    /// # Errors
    ///
    /// [`Rejection`]; the machine then stays as it is. Without memory, it is
    /// [`Refusal::Unavailable`](super::super::verify::Refusal::Unavailable).
    fn verify(&mut self, host: &HostOptions<'m>) -> Result<(), Rejection>;
}
