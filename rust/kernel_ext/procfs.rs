// SPDX-License-Identifier: GPL-2.0

//! Files in `/proc/net`.
//!
//! C header: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h)

use super::{
    fault,
    net::Net, //
};
use crate::bindings;
use kernel::{
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*,
    seq_file::SeqFile,
    str::CStr, //
};

/// A file in `/proc/net` that shows something of the reader's namespace.
pub(crate) trait Show: 'static {
    /// Name of the file.
    const NAME: &'static CStr;

    /// Writes the text. Process context. The namespace stays alive during the call.
    fn show(net: &Net, file: &SeqFile);
}

/// # Safety
///
/// Called by `single_open` files of `/proc/net` only.
unsafe extern "C" fn show<S: Show>(file: *mut bindings::seq_file, _v: *mut c_void) -> c_int {
    // SAFETY: An open file in `/proc/net` holds its namespace.
    let net = unsafe { Net::from_ptr(bindings::shim6_helper_seq_file_net(file)) };
    // SAFETY: The file is valid and locked during the call.
    let file = unsafe { SeqFile::from_raw(file) };
    S::show(net, file);
    0
}

/// Creates the file in a namespace. Process context.
///
/// # Errors
///
/// `ENOMEM`.
pub(crate) fn create<S: Show>(net: &Net) -> Result {
    fault::point(fault::Point::File)?;
    // SAFETY: The namespace is live; the name is copied; the function is static text, and the file
    // is removed, which waits for its readers, before that goes away.
    let entry = unsafe {
        bindings::shim6_helper_proc_create_net(net.as_ptr(), S::NAME.as_char_ptr(), Some(show::<S>))
    };
    if entry.is_null() {
        return Err(ENOMEM);
    }
    Ok(())
}

/// Removes the file and waits for its readers.
pub(crate) fn remove<S: Show>(net: &Net) {
    // SAFETY: The namespace is live.
    unsafe { bindings::shim6_helper_proc_remove_net(net.as_ptr(), S::NAME.as_char_ptr()) };
}
