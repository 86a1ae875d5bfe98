// SPDX-License-Identifier: GPL-2.0

//! `shim6 probe`.

use std::net::Ipv6Addr;
use std::time::Duration;

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
use crate::probe::matrix::{
    pairs,
    Matrix, //
};
use crate::probe::probe;

/// Tests all pairs to a peer, or to all; false if one does not work.
pub(crate) fn run(
    peer: Option<Ipv6Addr>,
    attempts: u32,
    timeout: Duration,
    json: bool,
) -> Result<bool, Error> {
    let failed = |cause| Error::new("probe locator pairs", cause);
    let mut contexts = Client::connect()
        .and_then(|mut client| {
            client.all(cmd::CONTEXT_GET, Context::from_attributes, |it| it.identity)
        })
        .map_err(failed)?
        .objects;
    contexts.retain(|context| !pairs(context).is_empty());
    if let Some(peer) = peer {
        let is_of = |context: &Context| {
            context.identity.ulid_peer == peer
                || context.locator_peer.iter().any(|it| it.address == peer)
        };
        contexts.retain(is_of);
        if contexts.is_empty() {
            let why = format!(
                "there is no context with {peer}; \"shim6 context start\" asks the peer for one"
            );
            return Err(failed(Cause::Input(why)));
        }
    }
    let mut all: Vec<_> = contexts.iter().flat_map(pairs).collect();
    all.sort_unstable();
    all.dedup();
    let outcomes = probe(&all, attempts, timeout).map_err(failed)?;
    let matrices: Vec<_> = contexts
        .iter()
        .map(|context| Matrix::new(context, &outcomes))
        .collect();
    let paint = Paint::for_stdout();
    print(|out| match json {
        true => output::json(&matrices, out),
        false => matrices
            .iter()
            .try_for_each(|matrix| matrix.text(paint, out)),
    })?;
    Ok(matrices.iter().all(Matrix::is_whole))
}
