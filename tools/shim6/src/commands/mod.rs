// SPDX-License-Identifier: GPL-2.0

//! What each command does: asks the kernel or computes, and prints. Nothing here knows how the
//! command line is written or what a message looks like.

pub(crate) mod address;
pub(crate) mod apply;
pub(crate) mod context;
pub(crate) mod doctor;
pub(crate) mod identity;
pub(crate) mod monitor;
pub(crate) mod probe;
pub(crate) mod provision;
pub(crate) mod stats;
pub(crate) mod top;
pub(crate) mod watch;

use crate::client::{
    Client,
    Request, //
};
use crate::error::Error;
use crate::output::warn;

/// Has the kernel do something. `tried` is read after "cannot".
fn act(request: Request, tried: String) -> Result<(), Error> {
    let notice = Client::connect()
        .and_then(|mut client| client.act(request))
        .map_err(|cause| Error::new(tried, cause))?;
    warn(notice);
    Ok(())
}
