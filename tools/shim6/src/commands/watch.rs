// SPDX-License-Identifier: GPL-2.0

//! `shim6 watch`, the service: brings the file into force and keeps addresses where their prefixes
//! are. It holds nothing that another start would not find again, so it may end and start at any
//! time; what it made stays.

use std::net::Ipv6Addr;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::poll::{
    poll,
    PollFd,
    PollFlags,
    PollTimeout, //
};
use serde::Serialize;

use super::apply::{
    enforce,
    load,
    say_faults,
    Loaded, //
};
use super::provision::{
    addresses_of,
    carry_out, //
};
use crate::abi::GENL_NAME;
use crate::config::read::Fault;
use crate::config::Config;
use crate::error::{
    Cause,
    Error, //
};
use crate::genl::listener::{
    Heard,
    Listener, //
};
use crate::genl::socket::Connection;
use crate::genl::{
    ctrl,
    for_each_attribute,
    Message, //
};
use crate::notify::Manager;
use crate::output::{
    self,
    print,
    say, //
};
use crate::provision::{
    plan,
    Scope, //
};
use crate::rtnl::{
    Rtnl,
    Watcher, //
};
use crate::signals::{
    Order,
    Orders, //
};

/// Changes seldom come alone: so long nothing is done after the first one, in milliseconds.
const SETTLING: u8 = 100;

/// A line of `watch --json`.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    /// `change`, `note` or `error`.
    kind: &'a str,
    text: &'a str,
}

struct Service<'a> {
    path: &'a Path,
    json: bool,
    manager: Manager,
    rtnl: Rtnl,
    config: Config,
    wanted: Vec<Ipv6Addr>,
    /// What could not be done the last time, in order not to repeat it: `note` or `error`, and text.
    notes: Vec<(&'static str, String)>,
}

/// Runs until a signal ends it; false if there is something wrong with the file at its start.
pub(crate) fn run(path: &Path, json: bool) -> Result<bool, Error> {
    let watch = |cause| Error::new("watch the addresses", cause);
    // Before anything that could be missed.
    let orders = Orders::new().map_err(|error| watch(error.into()))?;
    let mut watcher = Watcher::new().map_err(watch)?;
    let config = match load(path)? {
        Loaded::Config(config) => config,
        Loaded::Faults(faults) => {
            faulty(path, &faults, json)?;
            return Ok(false);
        }
    };
    let mut families = Connection::open()
        .and_then(|mut connection| connection.family("nlctrl"))
        .and_then(|family| Listener::join(&family, "notify"))
        .map_err(watch)?;
    let mut service = Service {
        path,
        json,
        manager: Manager::from_environment().map_err(|error| watch(error.into()))?,
        rtnl: Rtnl::open().map_err(watch)?,
        config: Config::default(),
        wanted: Vec::new(),
        notes: Vec::new(),
    };
    service.adopt(config)?;
    service.provide()?;
    service.manager.ready(&service.status());

    loop {
        wait(&[&orders, &watcher, &families], PollTimeout::NONE).map_err(watch)?;
        while let Some(order) = orders.next().map_err(|error| watch(error.into()))? {
            match order {
                Order::Stop => {
                    service.manager.stopping();
                    return Ok(true);
                }
                Order::Reload => service.reload()?,
            }
        }
        if module_came(&mut families).map_err(watch)? {
            let config = service.config.clone();
            service.attempt(|service| service.adopt(config))?;
        }
        if wait(&[&watcher], PollTimeout::ZERO).map_err(watch)? {
            wait(&[&orders], PollTimeout::from(SETTLING)).map_err(watch)?;
            watcher.drain().map_err(watch)?;
        }
        service.attempt(Service::provide)?;
    }
}

fn json_line(kind: &str, text: &str) -> Result<(), Error> {
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    print(|out| output::json(&Line { time, kind, text }, out))
}

/// Says what is wrong with a file.
fn faulty(path: &Path, faults: &[Fault], json: bool) -> Result<(), Error> {
    say_faults(path, faults);
    if json {
        for fault in faults {
            json_line("error", &format!("{}:{fault}", path.display()))?;
        }
    }
    Ok(())
}

/// Waits until one of them is readable; false if none is in time.
fn wait(all: &[&dyn Readable], timeout: PollTimeout) -> Result<bool, Cause> {
    let mut waiting: Vec<_> = all
        .iter()
        .map(|it| PollFd::new(it.descriptor(), PollFlags::POLLIN))
        .collect();
    loop {
        match poll(&mut waiting, timeout) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// [`AsFd`] for objects of different types.
trait Readable {
    fn descriptor(&self) -> std::os::fd::BorrowedFd<'_>;
}

impl<T: AsFd> Readable for T {
    fn descriptor(&self) -> std::os::fd::BorrowedFd<'_> {
        self.as_fd()
    }
}

/// Whether the module was loaded: it knows nothing of what was in force before.
fn module_came(families: &mut Listener) -> Result<bool, Cause> {
    let mut came = false;
    loop {
        match families.hear()? {
            Heard::Silence => return Ok(came),
            Heard::Lost => came = true,
            Heard::Messages(messages) => came |= messages.iter().any(is_new_family),
        }
    }
}

fn is_new_family(message: &Message) -> bool {
    let mut ours = false;
    let read = for_each_attribute(&message.attributes, |kind, value| {
        ours |= kind == ctrl::ATTR_FAMILY_NAME
            && value.strip_suffix(&[0]) == Some(GENL_NAME.as_bytes());
        Ok(())
    });
    message.cmd == ctrl::CMD_NEWFAMILY && read.is_ok() && ours
}

impl Service<'_> {
    /// Brings a file into force, or leaves everything as it was.
    fn adopt(&mut self, config: Config) -> Result<(), Error> {
        let wanted = addresses_of(&config)
            .map_err(|cause| Error::new(format!("apply {}", self.path.display()), cause))?;
        for change in enforce(self.path, &config)? {
            self.line("change", &change)?;
        }
        self.wanted = wanted;
        self.config = config;
        Ok(())
    }

    /// Puts addresses where they belong.
    fn provide(&mut self) -> Result<(), Error> {
        let read = |cause| Error::new("read the addresses of this host", cause);
        let scene = self.rtnl.scene().map_err(read)?;
        let plan = plan(&scene, &self.wanted, Scope::All);
        let outcome = carry_out(&mut self.rtnl, &plan);
        for change in &outcome.changes {
            self.line("change", change)?;
        }
        let notes = plan.notes.iter().map(|note| ("note", note.to_string()));
        let errors = outcome.errors.iter().map(|it| ("error", it.to_string()));
        let notes: Vec<_> = notes.chain(errors).collect();
        for note @ (kind, text) in &notes {
            if !self.notes.contains(note) {
                self.line(kind, text)?;
            }
        }
        if notes != self.notes {
            self.notes = notes;
            self.manager.status(&self.status());
        }
        Ok(())
    }

    /// Reads the file again. What is wrong with it is said, and everything stays as it is.
    fn reload(&mut self) -> Result<(), Error> {
        self.manager.reloading();
        self.attempt(|service| match load(service.path)? {
            Loaded::Config(config) => service.adopt(config),
            Loaded::Faults(faults) => {
                faulty(service.path, &faults, service.json)?;
                let path = service.path.display();
                service.line(
                    "error",
                    &format!("{path} is not applied, the last one stays"),
                )
            }
        })?;
        self.manager.ready(&self.status());
        Ok(())
    }

    /// Does something whose failure ends nothing: it is said. That nobody reads it does.
    fn attempt(&mut self, what: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        match what(self) {
            Err(error) if !error.is_broken_pipe() => self.line("error", &error.to_string()),
            other => other,
        }
    }

    fn status(&self) -> String {
        let identities = self.config.identities.iter().flatten().count();
        let addresses = self.wanted.len();
        match self.notes.as_slice() {
            [] => format!("{identities} identities, {addresses} addresses"),
            [(_, note), ..] => format!("{identities} identities, {addresses} addresses; {note}"),
        }
    }

    fn line(&self, kind: &str, text: &str) -> Result<(), Error> {
        if self.json {
            return json_line(kind, text);
        }
        match kind {
            "change" => print(|out| writeln!(out, "{text}")),
            _ => {
                say(format_args!("{kind}: {text}"));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genl::Attributes;

    fn family(cmd: u8, name: &str) -> Message {
        let mut attributes = Attributes::default();
        attributes.put_string(ctrl::ATTR_FAMILY_NAME, name);
        Message {
            family: ctrl::FAMILY,
            cmd,
            version: ctrl::VERSION,
            attributes: attributes.into_octets(),
        }
    }

    #[test]
    fn the_module_is_noticed() {
        assert!(is_new_family(&family(ctrl::CMD_NEWFAMILY, "shim6")));
        assert!(!is_new_family(&family(ctrl::CMD_NEWFAMILY, "shim66")));
        assert!(!is_new_family(&family(ctrl::CMD_GETFAMILY, "shim6")));
    }
}
