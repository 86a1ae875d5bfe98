// SPDX-License-Identifier: GPL-2.0

//! What a host may do wrong on purpose, to see that each check finds it. All of it is in what
//! drives the protocol code, none in that code.

use crate::named::named;

named! {
    /// Something that a host does wrong on purpose.
    pub enum Bug {
        /// Lists of locators are taken without verification.
        NoVerification = "no-verification",
        /// A verified locator is used for payload before the peer answered there.
        NoReachability = "no-reachability",
        /// Reports are believed whatever nonce they have.
        BelieveReports = "believe-reports",
        /// An I2 makes a context even if there is one.
        SecondContext = "second-context",
        /// Payload with a tag goes to another context than that of the tag.
        WrongContext = "wrong-context",
        /// Packets leave no stamps, so no Send Timer runs.
        NoStamps = "no-stamps",
        /// Acknowledgements leave a stamp, so that the Send Timer waits for an answer to them.
        AckStamps = "ack-stamps",
        /// What confirms a pair leaves a stamp, so that the Send Timer waits for an answer to it.
        ConfirmStamps = "confirm-stamps",
        /// No Keepalives are sent.
        NoKeepalives = "no-keepalives",
        /// The time between Probes does not grow.
        NoBackoff = "no-backoff",
        /// Timers of handshakes do not fire.
        NoRetransmission = "no-retransmission",
        /// Stateless answers are not limited.
        NoLimits = "no-limits",
        /// R1bis is much longer than what it answers.
        LongAnswers = "long-answers",
        /// Unused contexts stay.
        NoTeardown = "no-teardown",
        /// Update Requests are not sent.
        NoUpdates = "no-updates",
        /// No host asks for a context.
        NoRequests = "no-requests",
        /// A tag that is not known is not answered.
        NoR1bis = "no-r1bis",
        /// The program comes to an end when a Keepalive is due.
        Panic = "panic",
    }
}
