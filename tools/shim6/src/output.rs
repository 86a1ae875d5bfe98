// SPDX-License-Identifier: GPL-2.0

//! Standard output and standard error.

use std::env;
use std::fmt;
use std::io::{
    self,
    BufWriter,
    IsTerminal,
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

/// A colour, or another way to make text stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Bold,
}

/// Whether text is coloured: on a terminal only, and not where `NO_COLOR` is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    /// As standard output wants it.
    pub(crate) fn for_stdout() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(io::stdout().is_terminal() && !refused)
    }

    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self(false)
    }

    /// Whether standard output is a terminal that takes colours.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        let number = match colour {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Bold => 1,
        };
        match self.0 {
            true => format!("\x1b[{number}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coloured_or_not() {
        assert_eq!(Paint(true).paint(Colour::Red, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Paint(false).paint(Colour::Red, "x"), "x");
    }
}
