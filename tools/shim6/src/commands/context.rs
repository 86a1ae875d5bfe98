// SPDX-License-Identifier: GPL-2.0

//! `shim6 context`.

use super::act;
use crate::abi::cmd;
use crate::args::context::ContextCommand;
use crate::client::Client;
use crate::context::{
    request,
    show,
    Context,
    ContextTag,
    Selector, //
};
use crate::error::{
    Cause,
    Error, //
};
use crate::output::{
    self,
    print,
    warn_torn, //
};

pub(crate) fn run(command: ContextCommand, json: bool) -> Result<(), Error> {
    let (request, tried) = match command {
        ContextCommand::Add(args) => {
            let new = args.into_new_context();
            (
                request::add(&new),
                format!("add the context {}", new.identity),
            )
        }
        ContextCommand::Del { selector } => (
            request::del(&selector),
            format!("delete the context {selector}"),
        ),
        ContextCommand::Set { selector, change } => (
            request::set(&selector, &change.into_change()),
            format!("change the context {selector}"),
        ),
        ContextCommand::Start {
            ulid_local,
            ulid_peer,
        } => (
            request::start(ulid_local, ulid_peer),
            format!("start a context ulid-local {ulid_local} ulid-peer {ulid_peer}"),
        ),
        ContextCommand::Flush => (request::flush(), "flush the contexts".to_owned()),
        ContextCommand::Show { selector, tag } => return show(selector.into_selector(), tag, json),
    };
    act(request, tried)
}

/// Shows one context, or all of them, or those that have a tag.
fn show(selector: Option<Selector>, tag: Option<ContextTag>, json: bool) -> Result<(), Error> {
    let mut contexts = match selector {
        Some(selector) => Client::connect()
            .and_then(|mut client| client.one(request::get(&selector), Context::from_attributes))
            .map(|context| vec![context])
            .map_err(|cause| Error::new(format!("show the context {selector}"), cause))?,
        None => {
            let dump = Client::connect()
                .and_then(|mut client| {
                    client.all(cmd::CONTEXT_GET, Context::from_attributes, |context| {
                        context.identity
                    })
                })
                .map_err(|cause| Error::new("show the contexts", cause))?;
            warn_torn(dump.consistent, "contexts");
            dump.objects
        }
    };
    if let Some(tag) = tag {
        contexts.retain(|context| context.has_tag(tag));
        if contexts.is_empty() {
            return Err(Error::new(
                format!("show the context of tag {tag}"),
                Cause::Input("no context has it".into()),
            ));
        }
    }
    print(|out| match json {
        true => output::json(&contexts, out),
        false => show::text(&contexts, out),
    })
}
