// SPDX-License-Identifier: GPL-2.0

//! How much tests try, which is less in Miri.

use proptest::test_runner::Config;

/// Of what tests try one by one, this is the distance from one to the next: some are enough in Miri,
/// where everything takes thousands of times as long.
pub(crate) const STRIDE: usize = if cfg!(miri) { 101 } else { 1 };

/// So many cases, or in Miri those that `qemu/miri` wants.
pub(crate) fn cases(number: u32) -> Config {
    if cfg!(miri) {
        Config::default()
    } else {
        Config::with_cases(number)
    }
}
