// SPDX-License-Identifier: GPL-2.0

//! The signals by which people end a program: SIGINT and SIGTERM.

use std::io;
use std::os::fd::{
    AsFd,
    BorrowedFd, //
};

use nix::sys::signal::{
    SigSet,
    Signal, //
};
use nix::sys::signalfd::{
    SfdFlags,
    SignalFd, //
};

fn signals() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM].into_iter().collect()
}

/// While this lives, this thread is not ended; what came in the meantime ends it then.
#[derive(Debug)]
pub(crate) struct Blocked {
    before: SigSet,
}

impl Blocked {
    pub(crate) fn new() -> io::Result<Self> {
        let before = SigSet::thread_get_mask()?;
        signals().thread_block()?;
        Ok(Self { before })
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // It fails for a mask that is no mask only.
        let _ = self.before.thread_set_mask();
    }
}

/// A file descriptor that is readable as soon as somebody wants this program to end, which then has
/// the time to end as it likes.
#[derive(Debug)]
pub(crate) struct Stop(SignalFd);

impl Stop {
    /// To be called before there are other threads.
    pub(crate) fn new() -> io::Result<Self> {
        signals().thread_block()?;
        Ok(Self(SignalFd::with_flags(
            &signals(),
            SfdFlags::SFD_CLOEXEC,
        )?))
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::poll::{
        poll,
        PollFd,
        PollFlags,
        PollTimeout, //
    };
    use nix::sys::signal::raise;

    /// Whether a signal is told.
    fn is_told(stop: &Stop) -> bool {
        let mut waiting = [PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        poll(&mut waiting, PollTimeout::ZERO).unwrap() == 1
    }

    // A signal that a thread sends itself is its own, and gone with it: threads of other tests do
    // not see it.
    #[test]
    fn a_signal_is_told_and_ends_nothing() {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let told = std::thread::spawn(move || {
                let stop = Stop::new().unwrap();
                assert!(!is_told(&stop));
                raise(signal).unwrap();
                is_told(&stop)
            });
            assert!(told.join().unwrap(), "{signal}");
        }
    }

    #[test]
    fn signals_are_blocked_for_a_while() {
        let before = SigSet::thread_get_mask().unwrap();
        let blocked = Blocked::new().unwrap();
        let during = SigSet::thread_get_mask().unwrap();
        for signal in &signals() {
            assert!(during.contains(signal) && !before.contains(signal));
        }
        drop(blocked);
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
