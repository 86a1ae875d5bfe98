// SPDX-License-Identifier: GPL-2.0

//! `shim6 stats`.

use std::path::Path;

use serde::Serialize;

use crate::error::Error;
use crate::output::{
    self,
    print, //
};
use crate::stats::{
    self,
    select, //
};

/// What `stats --json` prints of a counter.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    value: u64,
    about: &'a str,
}

pub(crate) fn run(patterns: &[String], zeros: bool, about: bool, json: bool) -> Result<(), Error> {
    let counters = stats::read(Path::new(stats::FILE))
        .and_then(|counters| select(counters, patterns, zeros))
        .map_err(|cause| Error::new("read the counters", cause))?;
    let shown: Vec<_> = counters
        .iter()
        .map(|counter| Shown {
            name: &counter.name,
            value: counter.value,
            about: counter.about(),
        })
        .collect();
    print(|out| match json {
        true => output::json(&shown, out),
        false => stats::text(&counters, about, out),
    })
}
