// SPDX-License-Identifier: GPL-2.0

//! The test vectors of the protocol, which were computed independently of this program.

use serde_json::Value;

/// A file of vectors.
pub(crate) fn file(name: &str) -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../rust/proto/tests/vectors/"
    );
    let text = std::fs::read_to_string(format!("{path}{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The element of an array with this name.
pub(crate) fn named<'a>(array: &'a Value, name: &str) -> &'a Value {
    let array = array.as_array().unwrap();
    array.iter().find(|value| value["name"] == name).unwrap()
}

/// Octets from hexadecimal digits.
pub(crate) fn octets(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}
