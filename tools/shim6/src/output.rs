// SPDX-License-Identifier: GPL-2.0

//! Standard output and standard error.

use std::fmt;
use std::io::{
    self,
    BufWriter,
    Write, //
};

use serde::Serialize;

use crate::error::{
    Cause,
    Error, //
};

/// Writes to standard output through a buffer.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)
        .and_then(|()| out.flush())
        .map_err(|error| Error::new("write to standard output", Cause::System(error)))
}

/// Writes a JSON value and a line end.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// Passes on what the kernel has to say about a request it carried out.
pub(crate) fn warn(notice: Option<String>) {
    if let Some(notice) = notice {
        say(format_args!("warning: {notice}"));
    }
}

/// Warns that objects changed while they were read.
pub(crate) fn warn_torn(consistent: bool, objects: &str) {
    if !consistent {
        say(format_args!(
            "warning: the {objects} kept changing while they were read; the list may be incomplete"
        ));
    }
}

/// One line to standard error. A closed standard error is no reason to panic.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "shim6: {line}");
}

/// One line to standard error that names its place itself.
pub(crate) fn complain(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
