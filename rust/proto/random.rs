// SPDX-License-Identifier: GPL-2.0

//! Where unpredictable numbers come from: nonces, tags and the jitter of timers.

/// A source of numbers that nobody else can foresee (RFC 5533, Section 16.2).
pub trait Random {
    /// 32 unpredictable bits.
    fn u32(&mut self) -> u32;

    /// 64 unpredictable bits.
    fn u64(&mut self) -> u64;
}
