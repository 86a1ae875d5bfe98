// SPDX-License-Identifier: GPL-2.0

//! `shim6 top`.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{
    Duration,
    Instant,
    SystemTime, //
};

use nix::errno::Errno;
use nix::poll::{
    poll,
    PollFd,
    PollFlags,
    PollTimeout, //
};

use crate::abi::cmd;
use crate::client::Client;
use crate::context::Context;
use crate::error::{
    Cause,
    Error, //
};
use crate::output::{
    self,
    print,
    Paint, //
};
use crate::signals::Stop;
use crate::stats;
use crate::top::{
    rows,
    Picture,
    Rates, //
};

/// Clears a terminal.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Draws pictures until a signal comes or nobody looks, or one.
pub(crate) fn run(interval: Duration, once: bool, json: bool) -> Result<(), Error> {
    let failed = |cause| Error::new("watch the contexts", cause);
    let stop = Stop::new().map_err(|error| failed(error.into()))?;
    let mut client = Client::connect().map_err(failed)?;
    let paint = Paint::for_stdout();
    let mut before = None;
    loop {
        let now = Instant::now();
        let counters = stats::read(Path::new(stats::FILE)).map_err(failed)?;
        let contexts = client
            .all(cmd::CONTEXT_GET, Context::from_attributes, |it| it.identity)
            .map_err(failed)?
            .objects;
        let per_second = before.as_ref().map(|(then, old): &(Instant, Vec<_>)| {
            Rates::between(old, &counters, now.saturating_duration_since(*then))
        });
        let picture = Picture {
            time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            per_second,
            contexts: rows(&contexts),
        };
        before = Some((now, counters));
        print(|out| match json {
            true => output::json(&picture, out),
            false => {
                if paint.is_on() && !once {
                    out.write_all(CLEAR.as_bytes())?;
                }
                picture.text(paint, out)
            }
        })?;
        if once || ended(&stop, interval).map_err(failed)? {
            return Ok(());
        }
    }
}

/// Waits; true if it is time to end.
fn ended(stop: &Stop, interval: Duration) -> Result<bool, Cause> {
    let stdout = io::stdout();
    let mut waiting = [
        PollFd::new(stop.as_fd(), PollFlags::POLLIN),
        // Tells no more than that the reader is gone.
        PollFd::new(stdout.as_fd(), PollFlags::empty()),
    ];
    let timeout = PollTimeout::try_from(interval.as_millis()).unwrap_or(PollTimeout::MAX);
    match poll(&mut waiting, timeout) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}
