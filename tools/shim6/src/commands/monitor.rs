// SPDX-License-Identifier: GPL-2.0

//! `shim6 monitor`.

use std::io;
use std::os::fd::AsFd;
use std::time::SystemTime;

use nix::errno::Errno;
use nix::poll::{
    poll,
    PollFd,
    PollFlags,
    PollTimeout, //
};

use crate::abi::{
    cmd,
    GENL_MCGRP_EVENTS, //
};
use crate::client::Client;
use crate::error::{
    Cause,
    Error, //
};
use crate::events::{
    self,
    News,
    Report, //
};
use crate::genl::listener::Heard;
use crate::genl::Message;
use crate::output::print;
use crate::signals::Stop;

/// Prints events until a signal comes or nobody reads them any more.
pub(crate) fn run(json: bool) -> Result<(), Error> {
    let watch = |cause| Error::new("watch the contexts", cause);
    let stop = Stop::new().map_err(|error| watch(error.into()))?;
    let mut listener = Client::connect()
        .and_then(|client| client.listen(GENL_MCGRP_EVENTS))
        .map_err(watch)?;
    while wait(&stop, &io::stdout(), &listener).map_err(watch)? {
        let heard = listener.hear().map_err(watch)?;
        let time = SystemTime::now();
        for news in news(heard).map_err(watch)? {
            print(|out| match json {
                true => events::json(time, &news, out),
                false => events::text(time, &news, out),
            })?;
        }
    }
    Ok(())
}

/// Waits until there is something to hear; false if it is time to end: there is a signal, or nobody
/// reads what we write.
fn wait(stop: &impl AsFd, stdout: &impl AsFd, listener: &impl AsFd) -> Result<bool, Cause> {
    let mut waiting = [
        PollFd::new(stop.as_fd(), PollFlags::POLLIN),
        // Tells no more than that the reader is gone.
        PollFd::new(stdout.as_fd(), PollFlags::empty()),
        PollFd::new(listener.as_fd(), PollFlags::POLLIN),
    ];
    while let Err(errno) = poll(&mut waiting, PollTimeout::NONE) {
        if errno != Errno::EINTR {
            return Err(errno.into());
        }
    }
    let [stop, stdout, _] = waiting.map(|it| it.revents().is_some_and(|flags| !flags.is_empty()));
    Ok(!stop && !stdout)
}

/// The news in what was heard.
fn news(heard: Heard) -> Result<Vec<News>, Cause> {
    match heard {
        Heard::Silence => Ok(Vec::new()),
        Heard::Lost => Ok(vec![News::Lost]),
        Heard::Messages(messages) => messages.iter().filter_map(report).collect(),
    }
}

/// The event in a message. A newer kernel may send others.
fn report(message: &Message) -> Option<Result<News, Cause>> {
    (message.cmd == cmd::EVENT).then(|| {
        Report::from_attributes(&message.attributes)
            .map(News::Report)
            .map_err(Cause::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::attr;
    use crate::context::samples::new_context;
    use crate::genl::Attributes;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn message(cmd: u8) -> Message {
        let mut attributes = Attributes::default();
        let identity = new_context().identity;
        attributes.put(attr::EVENT, [crate::abi::event::PAIR]);
        attributes.put(attr::ULID_LOCAL, identity.ulid_local.octets());
        attributes.put(attr::ULID_PEER, identity.ulid_peer.octets());
        Message {
            family: 30,
            cmd,
            version: 1,
            attributes: attributes.into_octets(),
        }
    }

    #[test]
    fn the_wait_ends_with_news_or_with_a_reason_to_end() {
        let pair = || UnixStream::pair().unwrap();
        let ((stop, mut stops), (stdout, reader), (listener, mut kernel)) =
            (pair(), pair(), pair());
        kernel.write_all(b"news").unwrap();
        assert!(wait(&stop, &stdout, &listener).unwrap());
        stops.write_all(b"signal").unwrap();
        assert!(!wait(&stop, &stdout, &listener).unwrap());
        let (stop, _stops) = pair();
        drop(reader);
        assert!(!wait(&stop, &stdout, &listener).unwrap());
    }

    #[test]
    fn events_are_told_from_other_messages() {
        let heard = Heard::Messages(vec![message(cmd::EVENT), message(99), message(cmd::EVENT)]);
        let news = news(heard).unwrap();
        assert_eq!(news.len(), 2);
        for news in news {
            let News::Report(report) = news else {
                panic!("{news:?}");
            };
            assert_eq!(report.event.to_string(), "pair");
            assert_eq!(report.identity, new_context().identity);
        }
    }

    #[test]
    fn silence_is_no_news_and_a_loss_is() {
        assert_eq!(news(Heard::Silence).unwrap(), []);
        assert_eq!(news(Heard::Lost).unwrap(), [News::Lost]);
    }

    #[test]
    fn an_event_that_makes_no_sense_is_an_error() {
        let mut message = message(cmd::EVENT);
        message.attributes.clear();
        let refusal = news(Heard::Messages(vec![message])).unwrap_err();
        assert!(refusal.to_string().contains("EVENT is missing"));
    }
}
