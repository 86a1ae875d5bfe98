// SPDX-License-Identifier: GPL-2.0

//! Lets seeds run and says what they counted, or lets one run again and tells what happened.

use std::{
    io::{
        self,
        BufWriter,
        Write, //
    },
    ops::Range,
    process::ExitCode,
    sync::{
        atomic::{
            AtomicU64,
            Ordering, //
        },
        Mutex, //
    },
    thread,
    time::Instant as Clock, //
};

use clap::{
    Args,
    Parser,
    Subcommand, //
};
use shim6_sim::{
    bug::Bug,
    fault::Kinds,
    sim,
    stats::{
        Statistics,
        Violation, //
    },
    Options, //
};

/// Many hosts made of the Shim6 protocol code, in virtual time and with every fault there is.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Let seeds run, and check everything all along.
    Run(RunArguments),
    /// Let one seed run again.
    Replay(ReplayArguments),
}

#[derive(Args)]
struct RunArguments {
    /// Which seeds: so many from 0 on, or from A up to and without B.
    #[arg(long, value_name = "N|A..B", value_parser = seeds)]
    seeds: Range<u64>,
    #[command(flatten)]
    common: CommonArguments,
    /// How many at a time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// For programs.
    #[arg(long)]
    json: bool,
    /// Say on standard error how far it is, each time that so many seeds have run.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    progress: Option<u64>,
}

#[derive(Args)]
struct ReplayArguments {
    /// The seed.
    seed: u64,
    #[command(flatten)]
    common: CommonArguments,
    /// Tell everything that happens.
    #[arg(long)]
    trace: bool,
}

#[derive(Args)]
struct CommonArguments {
    /// Hosts in each run, instead of a number that is drawn.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=10_000))]
    hosts: Option<u16>,
    /// What may go wrong: all, none, or names with commas between them.
    #[arg(long, default_value = "all")]
    faults: Kinds,
    /// For how many minutes things go wrong.
    #[arg(long, value_name = "M", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_440))]
    minutes: u32,
    /// What hosts do wrong on purpose, to see that it is found.
    #[arg(long, value_name = "NAME")]
    bug: Option<Bug>,
}

impl CommonArguments {
    fn options(&self) -> Options {
        Options {
            hosts: self.hosts.map(usize::from),
            faults: self.faults,
            minutes: self.minutes,
            bug: self.bug,
        }
    }

    /// The command that lets a seed run again.
    fn replay(&self, seed: u64) -> String {
        let mut command = format!("shim6-sim replay {seed} --trace");
        if let Some(hosts) = self.hosts {
            command += &format!(" --hosts {hosts}");
        }
        if self.faults != Kinds::ALL {
            command += &format!(" --faults {}", self.faults);
        }
        if self.minutes != Options::default().minutes {
            command += &format!(" --minutes {}", self.minutes);
        }
        if let Some(bug) = self.bug {
            command += &format!(" --bug {bug}");
        }
        command
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| format!("\"{text}\" is not a number"))
    };
    let range = match text.split_once("..") {
        Some((first, end)) => number(first)?..number(end)?,
        None => 0..number(text)?,
    };
    if range.is_empty() {
        return Err("there is no seed in it".to_owned());
    }
    Ok(range)
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => run(&arguments),
        Command::Replay(arguments) => replay(&arguments),
    }
}

fn run(arguments: &RunArguments) -> ExitCode {
    let options = arguments.common.options();
    let next = AtomicU64::new(arguments.seeds.start);
    let total = Mutex::new(Statistics::default());
    let clock = Clock::now();

    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= arguments.seeds.end {
            break;
        }
        let statistics = sim::run(seed, &options);
        for violation in &statistics.violations {
            report(violation, arguments);
        }
        // A thread that panics takes the program with it, so nobody left the lock in between.
        let mut total = total.lock().expect("nobody panics with the lock");
        total.add(statistics);
        if let Some(every) = arguments.progress {
            if total.seeds % every == 0 {
                let (seeds, seconds) = (total.seeds, clock.elapsed().as_secs());
                let violations = total.violations.len();
                eprintln!("{seeds} seeds in {seconds} s, {violations} violations");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..arguments.jobs {
            scope.spawn(work);
        }
        work();
    });
    let mut total = total.into_inner().expect("nobody panics with the lock");
    total.violations.sort_by_key(|violation| violation.seed);
    let shown = if arguments.json {
        format!("{:#}\n", total.to_json())
    } else {
        let seconds = clock.elapsed().as_secs_f64();
        format!("{total}{:<24}{seconds:>24.1}\n", "time (s)")
    };
    // Who does not read it does not want it.
    let _ = io::stdout().write_all(shown.as_bytes());
    exit_code(&total)
}

/// Says at once what was found, and how to see it.
fn report(violation: &Violation, arguments: &RunArguments) {
    let command = arguments.common.replay(violation.seed);
    eprintln!("{violation}\n    {command}");
}

fn replay(arguments: &ReplayArguments) -> ExitCode {
    let options = arguments.common.options();
    let statistics = if arguments.trace {
        let mut output = BufWriter::new(io::stdout().lock());
        let statistics = sim::replay(arguments.seed, &options, &mut output);
        let _ = output.flush();
        statistics
    } else {
        sim::run(arguments.seed, &options)
    };
    let mut shown = statistics.to_string();
    for violation in &statistics.violations {
        shown += &format!("{violation}\n");
    }
    let _ = io::stdout().write_all(shown.as_bytes());
    exit_code(&statistics)
}

fn exit_code(statistics: &Statistics) -> ExitCode {
    match statistics.violations.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
