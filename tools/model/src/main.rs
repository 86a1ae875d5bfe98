// SPDX-License-Identifier: GPL-2.0

//! Explores states of two hosts, or lets hosts talk in a bad network, and says what was found.

use std::{
    fmt::Display,
    process::ExitCode, //
};

use clap::{
    Args,
    Parser,
    Subcommand, //
};
use shim6_model::{
    check::{
        Bounds,
        Checker,
        Counterexample, //
    },
    crypto::Seeded,
    host::Confused,
    net::{
        Faults,
        Incident,
        Net, //
    },
    reap, //
};
use shim6_proto::{
    establish::Constants,
    time::Interval, //
};

/// Hosts made of the Shim6 protocol code, in a network that does its worst.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Visit every state that two hosts can come to within bounds.
    Check(CheckArguments),
    /// Let hosts talk in a network that loses, repeats, delays and reorders.
    Net(NetArguments),
    /// Visit every state of failure detection that two ends of a context can come to within bounds.
    Reap(ReapArguments),
}

#[derive(Args)]
struct CheckArguments {
    /// Steps from the start.
    #[arg(long, default_value_t = 16)]
    depth: usize,
    /// States after which to stop.
    #[arg(long, default_value_t = 3_000_000)]
    states: usize,
    /// Packets under way at a time; one that would be more is lost.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=200))]
    packets: u8,
    /// Local triggers of the two hosts together.
    #[arg(long, default_value_t = 2)]
    triggers: u8,
    /// Packets that arrive and stay under way.
    #[arg(long, default_value_t = 1)]
    duplicates: u8,
    /// Times that a host loses its contexts.
    #[arg(long, default_value_t = 1)]
    forgets: u8,
    /// A host that loses its contexts may also lose the secret of its validators.
    #[arg(long)]
    restarts: bool,
    /// Packets sent over established contexts.
    #[arg(long, default_value_t = 1)]
    payloads: u8,
    /// Changes of a host's locators.
    #[arg(long, default_value_t = 0)]
    announces: u8,
    /// Contexts that can exist between the hosts: one, and forks.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    contexts: u8,
    /// Explore every choice of so many tags, so that contexts are confused.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=128))]
    tags: Option<u8>,
    /// Begin anew with a context whose tag the peer has given to another one, instead of
    /// discarding it.
    #[arg(long)]
    restart_confused: bool,
    /// Do not look whether the hosts come to agree from every state.
    #[arg(long)]
    no_settle: bool,
}

#[derive(Args)]
struct NetArguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seeds to try.
    #[arg(long, default_value_t = 1_000)]
    runs: u64,
    /// Hosts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=3))]
    hosts: u8,
    /// Incidents in a run.
    #[arg(long, default_value_t = 200)]
    incidents: u32,
    /// Bits that tags have, if they are to be few.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=47))]
    tag_bits: Option<u32>,
}

#[derive(Args)]
struct ReapArguments {
    /// Steps from the start.
    #[arg(long, default_value_t = 8)]
    depth: usize,
    /// States after which to stop.
    #[arg(long, default_value_t = 3_000_000)]
    states: usize,
    /// Packets under way at a time; one that would be more is lost.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=200))]
    packets: u8,
    /// Payload packets that the ends send before the paths are repaired.
    #[arg(long, default_value_t = 4)]
    payloads: u8,
    /// Times that an end is told that something is wrong.
    #[arg(long, default_value_t = 2)]
    hints: u8,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Check(arguments) => check(&arguments),
        Command::Net(arguments) => net(&arguments),
        Command::Reap(arguments) => explore_reap(&arguments),
    }
}

fn explore_reap(arguments: &ReapArguments) -> ExitCode {
    let bounds = reap::Bounds {
        depth: arguments.depth,
        states: arguments.states,
        packets: usize::from(arguments.packets),
        payloads: arguments.payloads,
        hints: arguments.hints,
        bug: None,
    };
    tell(reap::Checker::new(bounds).run())
}

/// Says what was found.
fn tell<T: Display>(result: Result<T, Box<Counterexample>>) -> ExitCode {
    match result {
        Ok(explored) => {
            println!("{explored}");
            ExitCode::SUCCESS
        }
        Err(counterexample) => {
            println!("{counterexample}");
            ExitCode::FAILURE
        }
    }
}

fn check(arguments: &CheckArguments) -> ExitCode {
    let bounds = Bounds {
        depth: arguments.depth,
        states: arguments.states,
        packets: usize::from(arguments.packets),
        triggers: arguments.triggers,
        duplicates: arguments.duplicates,
        forgets: arguments.forgets,
        restarts: arguments.restarts,
        payloads: arguments.payloads,
        announces: arguments.announces,
        contexts: arguments.contexts,
        tags: arguments.tags,
        confused: if arguments.restart_confused {
            Confused::Restart
        } else {
            Confused::Discard
        },
        settle: !arguments.no_settle,
    };
    tell(Checker::new(bounds).run())
}

fn net(arguments: &NetArguments) -> ExitCode {
    let (mut sent, mut received) = (0, 0);
    for seed in (arguments.seed..).take(usize::try_from(arguments.runs).unwrap_or(usize::MAX)) {
        match run(seed, arguments) {
            Ok(net) => {
                sent += net.statistics().sent;
                received += net.statistics().received;
            }
            Err(wrong) => {
                println!("seed {seed}: {wrong}");
                return ExitCode::FAILURE;
            }
        }
    }
    let runs = arguments.runs;
    println!("{runs} runs, {sent} packets sent, {received} received: nothing wrong");
    ExitCode::SUCCESS
}

/// One run: incidents at random times in a bad network, then agreement in a good one.
fn run(seed: u64, arguments: &NetArguments) -> Result<Net, String> {
    let mut dice = Seeded::new(!seed);
    let hosts = usize::from(arguments.hosts);
    let confused = if dice.percent(50) {
        Confused::Discard
    } else {
        Confused::Restart
    };
    let mut net = Net::new(seed, hosts, confused, Constants::default());
    if let Some(bits) = arguments.tag_bits {
        net.use_few_tags(bits);
    }
    net.set_faults(Faults {
        loss: number(&mut dice, 60),
        duplicates: number(&mut dice, 40),
        delay: 1 + number::<u32>(&mut dice, 20_000),
    });
    for _ in 0..arguments.incidents {
        let host = number(&mut dice, hosts as u64);
        let incident = incident(&mut dice);
        net.incident(host, incident)?;
        let longest = *[10, 5_000, 100_000]
            .get(number::<usize>(&mut dice, 3))
            .unwrap_or(&10);
        net.run(Interval::from_millis(number(&mut dice, longest)))?;
    }
    net.settle()?;
    Ok(net)
}

/// Some incident.
fn incident(dice: &mut Seeded) -> Incident {
    match dice.below(32) {
        0..=6 => Incident::Trigger {
            peer: number(dice, 2),
            local_ulid: number(dice, 3),
            peer_ulid: number(dice, 3),
            fii: number(dice, 2),
        },
        7..=12 => Incident::Payload(number(dice, 8)),
        13..=18 => Incident::Probe {
            context: number(dice, 8),
            local: number(dice, 3),
            peer: number(dice, 3),
        },
        19..=20 => Incident::Announce,
        21 => Incident::Lie,
        22..=23 => Incident::Discard(number(dice, 8)),
        24 => Incident::Forget,
        25 => Incident::Restart,
        26..=28 => Incident::Replay(number(dice, 200)),
        29..=30 => Incident::Break {
            local: number(dice, 3),
            peer: number(dice, 2),
            remote: number(dice, 3),
        },
        _ => Incident::Repair,
    }
}

/// A number below `bound`.
fn number<T: TryFrom<u64> + Default>(dice: &mut Seeded, bound: u64) -> T {
    T::try_from(dice.below(bound)).unwrap_or_default()
}
