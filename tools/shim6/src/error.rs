// SPDX-License-Identifier: GPL-2.0

//! What can go wrong after the command line was understood, said in one sentence: what was tried,
//! the kernel's own sentence if it gave one, and the text of the error number.

use std::fmt;
use std::io;

use netlink_packet_core::DecodeError;

/// A request that failed.
#[derive(Debug)]
pub(crate) struct Error {
    /// What was tried, to be read after "cannot".
    tried: String,
    cause: Cause,
}

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Cause {
    /// The kernel refused.
    Kernel {
        /// The error number, positive.
        errno: i32,
        /// The extended acknowledgement.
        sentence: Option<String>,
    },
    /// The kernel has no generic netlink family of this name.
    NoFamily(&'static str),
    /// A system call failed.
    System(io::Error),
    /// The kernel's answer makes no sense to us.
    Answer(String),
    /// What we were given to work on makes no sense.
    Input(String),
}

impl Error {
    /// `tried` is read after "cannot": "add the context ...".
    pub(crate) fn new(tried: impl Into<String>, cause: Cause) -> Self {
        Self {
            tried: tried.into(),
            cause,
        }
    }

    /// Whether the reader of our output closed it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(&self.cause, Cause::System(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.tried, self.cause)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel { errno, sentence } => {
                if let Some(sentence) = sentence {
                    // The sentences of the kernel end with or without a full stop.
                    write!(f, "{}: ", sentence.trim_end_matches('.'))?;
                }
                if *errno == libc::EPERM {
                    f.write_str("CAP_NET_ADMIN is needed: ")?;
                }
                f.write_str(&errno_text(&io::Error::from_raw_os_error(*errno)))
            }
            Self::NoFamily(name) => write!(
                f,
                "the kernel has no generic netlink family {name}, so the module is not loaded; \
                 load it with \"modprobe {name}\", or from a build tree with \"insmod {name}.ko\""
            ),
            Self::System(error) => f.write_str(&errno_text(error)),
            Self::Answer(what) => write!(f, "the kernel's answer is not understood: {what}"),
            Self::Input(what) => f.write_str(what),
        }
    }
}

/// The text of an error without the number that the standard library adds.
fn errno_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

impl From<io::Error> for Cause {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<nix::errno::Errno> for Cause {
    fn from(errno: nix::errno::Errno) -> Self {
        Self::System(errno.into())
    }
}

impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        Self::Answer(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(errno: i32, sentence: Option<&str>) -> String {
        let sentence = sentence.map(str::to_owned);
        Error::new(
            "delete the context with tag-local 000000000001",
            Cause::Kernel { errno, sentence },
        )
        .to_string()
    }

    #[test]
    fn the_sentence_of_the_kernel_comes_before_the_error_number() {
        assert_eq!(
            kernel(libc::ENOENT, Some("No context has this tag.")),
            "cannot delete the context with tag-local 000000000001: No context has this tag: \
             No such file or directory"
        );
    }

    #[test]
    fn without_a_sentence_the_error_number_speaks() {
        assert_eq!(
            kernel(libc::EBUSY, None),
            "cannot delete the context with tag-local 000000000001: Device or resource busy"
        );
    }

    #[test]
    fn a_refused_permission_names_the_capability() {
        assert_eq!(
            kernel(libc::EPERM, None),
            "cannot delete the context with tag-local 000000000001: CAP_NET_ADMIN is needed: \
             Operation not permitted"
        );
    }

    #[test]
    fn a_missing_family_says_how_to_load_the_module() {
        let text = Error::new("show the contexts", Cause::NoFamily("shim6")).to_string();
        assert!(text.starts_with("cannot show the contexts: the kernel has no generic netlink"));
        assert!(text.contains("modprobe shim6"));
        assert!(!text.contains('\n'));
    }

    #[test]
    fn what_is_wrong_with_an_input_is_all_that_is_said() {
        let cause = Cause::Input("it is empty".into());
        let text = Error::new("read a PDS from x", cause).to_string();
        assert_eq!(text, "cannot read a PDS from x: it is empty");
    }

    #[test]
    fn only_a_broken_pipe_is_a_broken_pipe() {
        let broken = io::Error::from_raw_os_error(libc::EPIPE);
        assert!(Error::new("write", Cause::System(broken)).is_broken_pipe());
        let full = io::Error::from_raw_os_error(libc::ENOSPC);
        assert!(!Error::new("write", Cause::System(full)).is_broken_pipe());
    }
}
