// SPDX-License-Identifier: GPL-2.0

//! Tests whether packets pass between pairs of locators, by ICMPv6 echo (RFC 4443). The module has
//! no way to be asked for probes of its own (RFC 5534) over a pair that it does not use, so an echo
//! is what there is: it takes the same way as a packet between these locators, and says nothing about
//! a firewall that treats Shim6 in another way than echoes.

pub(crate) mod matrix;

use std::collections::BTreeMap;
use std::io;
use std::net::{
    Ipv6Addr,
    SocketAddrV6, //
};
use std::os::fd::{
    AsFd,
    AsRawFd,
    OwnedFd, //
};
use std::time::{
    Duration,
    Instant, //
};

use nix::errno::Errno;
use nix::poll::{
    poll,
    PollFd,
    PollFlags,
    PollTimeout, //
};
use nix::sys::socket::{
    bind,
    recvfrom,
    sendto,
    socket,
    AddressFamily,
    MsgFlags,
    SockFlag,
    SockProtocol,
    SockType,
    SockaddrIn6, //
};
use serde::Serialize;

use crate::error::Cause;
use crate::pds::generate::random;

const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
/// ICMPv6 header of an echo, and the random octets behind it.
const HEADER_LEN: usize = 8;
const NONCE_LEN: usize = 8;

/// A pair of locators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Pair {
    pub(crate) local: Ipv6Addr,
    pub(crate) peer: Ipv6Addr,
}

/// What became of the probes of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The first answer took so long.
    Answered(Duration),
    /// No answer came in time.
    Silent,
    /// The packet could not be sent, in words.
    Unsent(String),
}

/// The octets of an echo request. The kernel fills in the checksum.
fn request(nonce: [u8; NONCE_LEN]) -> Vec<u8> {
    let mut octets = vec![ECHO_REQUEST];
    octets.resize(HEADER_LEN, 0);
    octets.extend(nonce);
    octets
}

/// Whether octets are the answer to that request.
fn answers(octets: &[u8], nonce: [u8; NONCE_LEN]) -> bool {
    octets.first() == Some(&ECHO_REPLY) && octets.get(HEADER_LEN..) == Some(&nonce)
}

fn address(address: Ipv6Addr) -> SockaddrIn6 {
    SocketAddrV6::new(address, 0, 0, 0).into()
}

fn words(errno: Errno) -> String {
    Cause::System(io::Error::from(errno)).to_string()
}

/// A socket that sends from a local address and hears what comes to it.
fn open(local: Ipv6Addr) -> Result<OwnedFd, Errno> {
    let socket = socket(
        AddressFamily::Inet6,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        SockProtocol::IcmpV6,
    )?;
    bind(socket.as_raw_fd(), &address(local))?;
    Ok(socket)
}

/// Probes all pairs at once, each `attempts` times with `timeout` between them and after the last
/// one.
pub(crate) fn probe(
    pairs: &[Pair],
    attempts: u32,
    timeout: Duration,
) -> Result<BTreeMap<Pair, Outcome>, Cause> {
    let nonce = random::<NONCE_LEN>()?;
    let mut outcomes = BTreeMap::new();
    let mut sockets = BTreeMap::new();
    for pair in pairs {
        if let std::collections::btree_map::Entry::Vacant(place) = sockets.entry(pair.local) {
            match open(pair.local) {
                Ok(socket) => drop(place.insert(socket)),
                Err(Errno::EPERM) => return Err(Errno::EPERM.into()),
                Err(errno) => {
                    outcomes.insert(*pair, Outcome::Unsent(words(errno)));
                    continue;
                }
            }
        }
        outcomes.insert(*pair, Outcome::Silent);
    }
    let mut sent = BTreeMap::new();
    for _ in 0..attempts {
        let open: Vec<_> = unanswered(&outcomes);
        if open.is_empty() {
            break;
        }
        for pair in open {
            let Some(socket) = sockets.get(&pair.local) else {
                continue;
            };
            sent.entry(pair).or_insert_with(Instant::now);
            let fd = socket.as_raw_fd();
            let to = address(pair.peer);
            if let Err(errno) = sendto(fd, &request(nonce), &to, MsgFlags::empty()) {
                outcomes.insert(pair, Outcome::Unsent(words(errno)));
            }
        }
        listen(&sockets, nonce, &sent, timeout, &mut outcomes)?;
    }
    Ok(outcomes)
}

fn unanswered(outcomes: &BTreeMap<Pair, Outcome>) -> Vec<Pair> {
    outcomes
        .iter()
        .filter(|(_, outcome)| **outcome == Outcome::Silent)
        .map(|(pair, _)| *pair)
        .collect()
}

/// Hears answers until all have come or the time is over.
fn listen(
    sockets: &BTreeMap<Ipv6Addr, OwnedFd>,
    nonce: [u8; NONCE_LEN],
    sent: &BTreeMap<Pair, Instant>,
    timeout: Duration,
    outcomes: &mut BTreeMap<Pair, Outcome>,
) -> Result<(), Cause> {
    let deadline = Instant::now().checked_add(timeout);
    while !unanswered(outcomes).is_empty() {
        let left = deadline.map_or(Duration::ZERO, |it| {
            it.saturating_duration_since(Instant::now())
        });
        // Rounded up, or the last millisecond would be spent in a circle.
        let left = left.as_micros().div_ceil(1000);
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waiting: Vec<_> = sockets
            .values()
            .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN))
            .collect();
        match poll(&mut waiting, left) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        for (local, socket) in sockets {
            while let Some(peer) = receive(socket, nonce)? {
                let pair = Pair {
                    local: *local,
                    peer,
                };
                let took = sent.get(&pair).map(Instant::elapsed);
                if let (Some(outcome @ Outcome::Silent), Some(took)) =
                    (outcomes.get_mut(&pair), took)
                {
                    *outcome = Outcome::Answered(took);
                }
            }
        }
    }
    Ok(())
}

/// The sender of the next answer to our requests that has arrived.
fn receive(socket: &OwnedFd, nonce: [u8; NONCE_LEN]) -> Result<Option<Ipv6Addr>, Cause> {
    let mut buffer = [0; HEADER_LEN + NONCE_LEN + 1];
    loop {
        match recvfrom::<SockaddrIn6>(socket.as_raw_fd(), &mut buffer) {
            Ok((len, Some(sender))) => {
                if answers(buffer.get(..len).unwrap_or_default(), nonce) {
                    return Ok(Some(sender.ip()));
                }
            }
            Ok((_, None)) | Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Ok(None),
            // An ICMPv6 error about one of our packets; the others may still be answered.
            Err(Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_nonce_of_the_request() {
        let nonce = [1, 2, 3, 4, 5, 6, 7, 8];
        let mut octets = request(nonce);
        assert_eq!(octets.len(), 16);
        assert!(!answers(&octets, nonce), "it is a request");
        octets[0] = ECHO_REPLY;
        assert!(answers(&octets, nonce));
        assert!(!answers(&octets, [0; 8]));
        assert!(!answers(&octets[..12], nonce));
        octets.push(0);
        assert!(!answers(&octets, nonce));
        assert!(!answers(&[], nonce));
    }

    /// Where it may open such a socket, a host answers itself; elsewhere that is said.
    #[test]
    fn a_host_answers_itself() {
        let pair = Pair {
            local: Ipv6Addr::LOCALHOST,
            peer: Ipv6Addr::LOCALHOST,
        };
        let nowhere = Pair {
            local: "2001:db8:ffff::1".parse().unwrap(),
            peer: Ipv6Addr::LOCALHOST,
        };
        match probe(&[pair, nowhere], 3, Duration::from_secs(2)) {
            Ok(outcomes) => {
                assert!(matches!(outcomes[&nowhere], Outcome::Unsent(_)));
                // Machines without IPv6 have no such address.
                assert_ne!(outcomes[&pair], Outcome::Silent);
            }
            Err(cause) => assert!(cause.to_string().contains("not permitted"), "{cause}"),
        }
    }
}
