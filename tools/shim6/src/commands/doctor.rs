// SPDX-License-Identifier: GPL-2.0

//! `shim6 doctor`: reads what the checks of [`crate::doctor`] look at. What cannot be read is a finding.

use std::fs;
use std::io;
use std::net::{
    Ipv6Addr,
    SocketAddr,
    UdpSocket, //
};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::time::{
    Duration,
    Instant, //
};

use nix::poll::{
    poll,
    PollFd,
    PollFlags,
    PollTimeout, //
};

use super::apply::{
    load,
    Loaded, //
};
use crate::abi::{
    cmd,
    state,
    GENL_MCGRP_EVENTS, //
};
use crate::client::Client;
use crate::config::plan::plan as plan_of;
use crate::config::present::Present;
use crate::config::{
    settings,
    DEFAULT_FILE, //
};
use crate::context::{
    request,
    Context,
    Identity,
    Selector, //
};
use crate::doctor::{
    self,
    firewall,
    Check,
    Finding,
    Level,
    Way, //
};
use crate::error::{
    Cause,
    Error, //
};
use crate::identity::LocalIdentity;
use crate::output::{
    self,
    print,
    Paint, //
};
use crate::provision::{
    plan,
    Scope, //
};
use crate::rtnl::{
    interface_name,
    Rtnl,
    Scene, //
};
use crate::stats;

/// An address of the Internet at large: no packet is sent there.
const ANYWHERE: Ipv6Addr = Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 1);

/// How long a peer may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// All checks; false if one found an error.
pub(crate) fn run(peer: Option<Ipv6Addr>, json: bool) -> Result<bool, Error> {
    let mut findings = vec![kernel()];
    let mut rtnl = Rtnl::open().map_err(|cause| Error::new("examine this host", cause))?;
    let scene = rtnl
        .scene()
        .map_err(|cause| Error::new("examine this host", cause))?;
    match Client::connect() {
        Ok(mut client) => {
            findings.push(Finding::new(Check::Module, Level::Ok, "shim6 is loaded"));
            examine(&mut client, &mut rtnl, &scene, &mut findings)?;
            if let Some(peer) = peer {
                findings.push(ask(&mut client, peer)?);
            }
        }
        Err(cause) => findings.push(
            Finding::new(Check::Module, Level::Error, cause.to_string()).advise(
                "modprobe shim6; if there is no such module, install the package shim6-dkms",
            ),
        ),
    }
    findings.extend(rules());
    findings.sort_by_key(|finding| finding.check as u8);
    let paint = Paint::for_stdout();
    print(|out| match json {
        true => output::json(&findings, out),
        false => doctor::text(&findings, paint, out),
    })?;
    Ok(findings.iter().all(|finding| finding.level != Level::Error))
}

/// The kernel that runs: its release, and whether it can have modules in Rust.
fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim();
    let text = format!("Linux {release}");
    let numbers: Vec<u32> = release
        .split(['.', '-', '+'])
        .map_while(|word| word.parse().ok())
        .collect();
    if numbers.as_slice() < [7, 2].as_slice() {
        return Finding::new(Check::Kernel, Level::Error, text)
            .advise("the module needs 7.2 or newer, with CONFIG_RUST=y");
    }
    let config = fs::read_to_string(format!("/boot/config-{release}")).unwrap_or_default();
    match config.is_empty() || config.contains("\nCONFIG_RUST=y") {
        true => Finding::new(Check::Kernel, Level::Ok, text),
        false => Finding::new(
            Check::Kernel,
            Level::Error,
            format!("{text} without CONFIG_RUST"),
        )
        .advise("a kernel with CONFIG_RUST=y, as Debian's are from 7.2 on"),
    }
}

/// What the module and the host say.
fn examine(
    client: &mut Client,
    rtnl: &mut Rtnl,
    scene: &Scene,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let failed = |cause| Error::new("examine this host", cause);
    let present = Present::read(client).map_err(failed)?;
    let identities = client
        .all(cmd::IDENTITY_GET, LocalIdentity::from_attributes, |it| {
            it.name.clone()
        })
        .map_err(failed)?
        .objects;
    let contexts = client
        .all(cmd::CONTEXT_GET, Context::from_attributes, |it| it.identity)
        .map_err(failed)?
        .objects;
    findings.extend(configuration(&present));
    findings.extend(doctor::identities(&identities, scene));

    let wanted: Vec<_> = identities
        .iter()
        .flat_map(|identity| identity.description.addresses.iter().copied())
        .collect();
    let plan = plan(scene, &wanted, Scope::These);
    let source =
        source_to(ANYWHERE).filter(|source| !wanted.is_empty() && !wanted.contains(source));
    findings.extend(doctor::addresses(&plan, source));

    let mut ways = Vec::new();
    let mut interfaces = Vec::new();
    for address in &wanted {
        let Some(here) = scene.addresses.iter().find(|it| it.address == *address) else {
            continue;
        };
        ways.push(Way {
            address: *address,
            expected: here.interface,
            actual: rtnl.way(*address, ANYWHERE).map_err(failed)?,
        });
        if !interfaces.contains(&here.interface) {
            interfaces.push(here.interface);
        }
    }
    findings.extend(doctor::routes(&ways));
    let names: Vec<_> = interfaces.into_iter().map(interface_name).collect();
    let mtus: Vec<_> = names
        .iter()
        .filter_map(|name| Some((name.clone(), number(name, "mtu")?)))
        .collect();
    findings.extend(doctor::mtu(&mtus));
    findings.extend(names.iter().filter_map(|name| deaf_to_routers(name)));
    findings.extend(doctor::peers(&contexts));
    let counters = stats::read(Path::new(stats::FILE)).map_err(failed)?;
    findings.extend(doctor::counters(&counters));
    Ok(())
}

/// A setting of IPv6 on an interface.
fn number(interface: &str, name: &str) -> Option<u32> {
    let path = format!("/proc/sys/net/ipv6/conf/{interface}/{name}");
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// An interface that forwards does not listen to routers unless it is told to.
fn deaf_to_routers(interface: &str) -> Option<Finding> {
    let deaf = number(interface, "forwarding")? != 0 && number(interface, "accept_ra")? == 1;
    deaf.then(|| {
        Finding::new(
            Check::Routes,
            Level::Note,
            format!("{interface} forwards packets, and so does not listen to routers"),
        )
        .advise(format!(
            "sysctl net.ipv6.conf.{interface}.accept_ra=2, if its prefixes come from routers"
        ))
    })
}

/// The file, and what is in force.
fn configuration(present: &Present) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = Path::new(DEFAULT_FILE);
    let check = Check::Configuration;
    match load(path) {
        Err(_) if !path.exists() => findings.push(
            Finding::new(check, Level::Note, format!("there is no {DEFAULT_FILE}"))
                .advise("shim6 config show prints one of what is in force"),
        ),
        Err(error) => findings.push(Finding::new(check, Level::Error, error.to_string())),
        Ok(Loaded::Faults(faults)) => findings.extend(
            faults
                .iter()
                .map(|fault| Finding::new(check, Level::Error, format!("{DEFAULT_FILE}:{fault}"))),
        ),
        Ok(Loaded::Config(config)) => findings.push(match plan_of(present, &config) {
            Ok(steps) if steps.is_empty() => {
                Finding::new(check, Level::Ok, format!("{DEFAULT_FILE} is in force"))
            }
            Ok(steps) => {
                let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
                let text = format!("{DEFAULT_FILE} is not in force: {}", steps.join(", "));
                Finding::new(check, Level::Warning, text)
                    .advise("shim6 apply, or start the service shim6")
            }
            Err(faults) => Finding::new(check, Level::Error, faults.join("; ")),
        }),
    }
    let establish = present.settings.get("establish").map(String::as_str);
    findings.extend(match establish {
        Some("off") => Some(
            Finding::new(
                check,
                Level::Warning,
                "net.shim6.establish is off: no contexts are established, and peers get no answer",
            )
            .advise("establish = \"on-request\" or \"auto\" under [settings]"),
        ),
        Some("on-request") if present.policy.is_empty() => Some(
            Finding::new(
                check,
                Level::Note,
                "contexts are established when peers ask, or by \"shim6 context start\" only",
            )
            .advise("a policy for prefixes of peers, or establish = \"auto\""),
        ),
        _ => None,
    });
    findings.extend(
        settings::SETTINGS
            .iter()
            .filter(|setting| setting.name == "tag_bits")
            .filter(|setting| {
                let value = present.settings.get(setting.name);
                value.is_some_and(|value| value != setting.default)
            })
            .map(|_| {
                Finding::new(
                    check,
                    Level::Error,
                    "net.shim6.tag_bits is set: tags can be guessed",
                )
                .advise("leave it at 47 outside of tests")
            }),
    );
    findings
}

/// The rules of nftables.
fn rules() -> Vec<Finding> {
    let unknown = |why: String| {
        vec![Finding::new(
            Check::Firewall,
            Level::Note,
            format!("rules of nftables were not looked at: {why}"),
        )]
    };
    let output = match Command::new("nft")
        .args(["--json", "list", "ruleset"])
        .output()
    {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return unknown("there is no command nft".into());
        }
        Err(error) => return unknown(Cause::System(error).to_string()),
    };
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return unknown(why.lines().next().unwrap_or("nft failed").to_owned());
    }
    match serde_json::from_slice(&output.stdout) {
        Ok(ruleset) => firewall::look(&ruleset),
        Err(error) => unknown(error.to_string()),
    }
}

/// Asks a peer for a context, and waits for what comes of it.
fn ask(client: &mut Client, peer: Ipv6Addr) -> Result<Finding, Error> {
    let failed = |cause| Error::new(format!("ask {peer} for a context"), cause);
    let Some(local) = source_to(peer) else {
        return Ok(Finding::new(
            Check::Peers,
            Level::Error,
            format!("there is no route to {peer}"),
        ));
    };
    let selector = Selector::Identity(Identity {
        ulid_local: local,
        ulid_peer: peer,
        fii: 0,
    });
    let mut listener = client.listen(GENL_MCGRP_EVENTS).map_err(failed)?;
    match client.act(request::start(local, peer)) {
        Ok(_) => {}
        // There is one already.
        Err(Cause::Kernel { errno, .. }) if errno == libc::EEXIST => {}
        Err(cause) => {
            return Ok(Finding::new(
                Check::Peers,
                Level::Error,
                failed(cause).to_string(),
            ));
        }
    }
    let began = Instant::now();
    loop {
        let context = client
            .all(cmd::CONTEXT_GET, Context::from_attributes, |it| it.identity)
            .map_err(failed)?
            .objects
            .into_iter()
            .find(|it| Selector::Identity(it.identity) == selector);
        let state = context.as_ref().map(|context| context.state.0);
        let left = PATIENCE.saturating_sub(began.elapsed());
        match state {
            Some(state::ESTABLISHED) => {
                let locators = context.map_or(0, |context| context.locator_peer.len());
                return Ok(Finding::new(
                    Check::Peers,
                    Level::Ok,
                    format!("{peer} knows Shim6 and has {locators} locators"),
                ));
            }
            // The request may not have been carried out yet.
            None | Some(state::I1_SENT | state::I2_SENT | state::I2BIS_SENT) if !left.is_zero() => {
            }
            Some(state::NO_SUPPORT) => {
                return Ok(Finding::new(
                    Check::Peers,
                    Level::Error,
                    format!("{peer} says that it does not know Shim6"),
                )
                .advise("load the module there"));
            }
            _ => {
                return Ok(Finding::new(
                    Check::Peers,
                    Level::Error,
                    format!("{peer} does not answer to Shim6"),
                )
                .advise(
                    "load the module there, set net.shim6.establish to on-request or auto, and have \
                     firewalls on the way pass next header 140",
                ));
            }
        }
        let timeout = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX);
        let mut waiting = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        // An error is no reason to stop: the time is limited.
        let _ = poll(&mut waiting, timeout);
        listener.hear().map_err(failed)?;
    }
}

/// The address from which programs that do not choose send to another. Nothing is sent.
fn source_to(peer: Ipv6Addr) -> Option<Ipv6Addr> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((peer, 53)).ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V6(address) => Some(*address.ip()),
        SocketAddr::V4(_) => None,
    }
}
