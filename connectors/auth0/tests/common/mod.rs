//! What the tests of this connector share.

use serde_json::{Value, json};
use usher_testkit::{MemoryHost, Read, read};

/// Reads one input with options besides `input`.
pub(crate) fn users(input: impl Into<Vec<u8>>, options: Value, projection: Option<&[&str]>) -> Read {
    try_users(input, options, projection).unwrap()
}

/// As [`users`], with the error.
pub(crate) fn try_users(
    input: impl Into<Vec<u8>>,
    mut options: Value,
    projection: Option<&[&str]>,
) -> Result<Read, usher_sdk::abi::Error> {
    options["input"] = json!("users");
    let host = MemoryHost::new().with_input("users", input);
    read(usher_auth0::plugin(), "users", options, &host, projection)
}

/// Rows without nulls and origins, as the expected files of the samples write them: what an `any` column holds is
/// read as JSON where it is a scalar of JSON other than a text.
pub(crate) fn plain(read: &Read) -> Vec<Value> {
    let any: Vec<&str> = read
        .catalog
        .attributes
        .iter()
        .filter(|a| a.kind == usher_sdk::abi::ValueKind::Any)
        .map(|a| a.path.as_str())
        .collect();
    let text = usher_testkit::records(&read.batches);
    let rows = text.lines().map(|line| {
        let Value::Object(row) = serde_json::from_str(line).unwrap() else { panic!("a row is an object") };
        let cells = row.into_iter().filter(|(name, value)| !name.starts_with('_') && !value.is_null());
        let cells = cells.map(|(name, value)| {
            let scalar = value.as_str().filter(|_| any.contains(&name.as_str()));
            let scalar = scalar.and_then(|t| serde_json::from_str::<Value>(t).ok());
            let value = scalar.filter(|v| v.is_boolean() || v.is_number()).unwrap_or(value);
            (name, value)
        });
        Value::Object(cells.collect())
    });
    rows.collect()
}
