//! Runs and what came of them, as text.

mod rows;

use arrow_array::RecordBatch;
use serde_json::Value;
use usher_sdk::abi::{Error, Role};
use usher_testkit::{MemoryHost, Written, balance, check, write};
use usher_zendesk::plugin;

pub(crate) use rows::{listed, rows};

/// Runs the sink; the books must balance.
pub(crate) fn run(options: Value, batch: RecordBatch) -> Result<(Written, MemoryHost), Error> {
    let (host, count) = (MemoryHost::new(), batch.num_rows() as u64);
    let written = write(plugin(), "users", options, &host, vec![batch])?;
    balance(&written.report, count).expect("the books balance");
    Ok((written, host))
}

/// The problems of a check, as text.
pub(crate) fn problems(options: Value, columns: &[&str]) -> String {
    listed(&check(plugin(), Role::Sink, "users", options, columns).expect("a check"))
}
