// SPDX-License-Identifier: GPL-2.0

//! The signals by which people end a program, SIGINT and SIGTERM, and that by which they have a service
//! read its file again, SIGHUP.

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

/// What somebody wants of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// To end.
    Stop,
    /// To read its file again.
    Reload,
}

/// A file descriptor that is readable as soon as there is an order.
#[derive(Debug)]
pub(crate) struct Orders(SignalFd);

impl Orders {
    /// To be called before there are other threads.
    pub(crate) fn new() -> io::Result<Self> {
        let mut all = signals();
        all.add(Signal::SIGHUP);
        all.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self(SignalFd::with_flags(&all, flags)?))
    }

    /// The next order, if there is one.
    pub(crate) fn next(&self) -> io::Result<Option<Order>> {
        let signal = self.0.read_signal()?.map(|info| info.ssi_signo);
        Ok(signal.map(|number| match i32::try_from(number) {
            Ok(libc::SIGHUP) => Order::Reload,
            _ => Order::Stop,
        }))
    }
}

impl AsFd for Orders {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
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
    fn orders_are_told_one_by_one() {
        let told = std::thread::spawn(|| {
            let orders = Orders::new().unwrap();
            assert_eq!(orders.next().unwrap(), None);
            raise(Signal::SIGHUP).unwrap();
            raise(Signal::SIGTERM).unwrap();
            let mut told = vec![orders.next().unwrap(), orders.next().unwrap()];
            told.sort_by_key(|order| *order == Some(Order::Stop));
            told.push(orders.next().unwrap());
            told
        });
        let expected = [Some(Order::Reload), Some(Order::Stop), None];
        assert_eq!(told.join().unwrap(), expected);
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
