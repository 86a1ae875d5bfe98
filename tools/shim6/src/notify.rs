// SPDX-License-Identifier: GPL-2.0

//! What a service tells the manager that started it: datagrams to the socket in `NOTIFY_SOCKET`
//! (sd_notify(3)). Without such a socket there is nobody to tell.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{
    SocketAddr,
    UnixDatagram, //
};

use nix::time::{
    clock_gettime,
    ClockId, //
};

/// The manager, if there is one.
#[derive(Debug)]
pub(crate) struct Manager(Option<(UnixDatagram, SocketAddr)>);

impl Manager {
    /// The one that the environment names.
    pub(crate) fn from_environment() -> io::Result<Self> {
        match env::var_os("NOTIFY_SOCKET") {
            Some(name) if !name.is_empty() => Self::at(&name),
            _ => Ok(Self(None)),
        }
    }

    /// The one at a socket: a path, or behind `@` an abstract name.
    fn at(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
        };
        Ok(Self(Some((UnixDatagram::unbound()?, address))))
    }

    /// Up and running, and how, in a sentence.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The file is being read again.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC)
            .map(|now| std::time::Duration::from(now).as_micros())
            .unwrap_or_default();
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={now}"));
    }

    /// How it is, in a sentence.
    pub(crate) fn status(&self, status: &str) {
        self.tell(&format!("STATUS={status}"));
    }

    /// On its way out.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// A manager that does not listen is no reason to stop.
    fn tell(&self, what: &str) {
        if let Some((socket, address)) = &self.0 {
            let _ = socket.send_to_addr(what.as_bytes(), address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Directory;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let len = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    #[test]
    fn a_manager_hears() {
        let directory = Directory::new();
        let path = directory.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("{}", path.display()).replace('/', "-");
        let abstract_address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&abstract_address).unwrap();
        let name = format!("@{name}");
        for (socket, name) in [(by_path, path.as_os_str()), (by_name, OsStr::new(&name))] {
            let manager = Manager::at(name).unwrap();
            manager.ready("one");
            assert_eq!(heard(&socket), "READY=1\nSTATUS=one");
            manager.status("two");
            assert_eq!(heard(&socket), "STATUS=two");
            manager.reloading();
            let text = heard(&socket);
            let (_, time) = text.split_once("RELOADING=1\nMONOTONIC_USEC=").unwrap();
            assert!(time.parse::<u64>().unwrap() > 0);
            manager.stopping();
            assert_eq!(heard(&socket), "STOPPING=1");
        }
    }

    #[test]
    fn nobody_is_told_where_nobody_is() {
        Manager(None).ready("x");
        let directory = Directory::new();
        let gone = directory.path().join("gone");
        Manager::at(gone.as_os_str()).unwrap().ready("x");
    }
}
