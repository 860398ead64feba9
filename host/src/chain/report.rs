//! `report.json`: the books of a run, for machines.

use serde_json::{Value, json};
use usher_abi::Identity;

use super::{outcome::Outcome, prepare::PreparedChain, writing::SinkEnd};
use crate::services::{Digest, Part};

/// The report of a run.
pub(super) fn report(
    prepared: &PreparedChain,
    outcome: &Outcome,
    staged: &[Part],
    read: Identity,
    ends: &[SinkEnd],
    digests: &[Digest],
) -> Value {
    let inputs = prepared.inputs.inputs();
    let inputs: Vec<Value> = inputs
        .iter()
        .zip(digests)
        .map(|(input, digest)| {
            json!({ "id": input.id, "name": input.name, "path": input.path, "bytes": digest.bytes, "digest": format!("blake3:{}", digest.blake3) })
        })
        .collect();
    let mut connectors = Vec::new();
    for ((sink, end), outcome) in prepared.sinks.iter().zip(ends).zip(&outcome.connectors) {
        let parts = staged.iter().filter(|p| p.connector == sink.name).map(|p| {
            json!({
                "path": format!("{}/{}", p.connector, p.name),
                "rows": p.rows,
                "bytes": p.bytes,
                "digest": format!("blake3:{}", p.digest),
                "format": p.format.name.as_str(),
                "delimiter": char::from(p.format.delimiter).to_string(),
                "header": p.format.header,
            })
        });
        let changed = end
            .changed
            .iter()
            .map(|(column, rule, count)| json!({ "column": column, "rule": rule, "count": count }));
        connectors.push(json!({
            "name": sink.name,
            "plugin": sink.plugin,
            "plugin_version": sink.version,
            "deliver": sink.deliver,
            "books": sink.stage.books.to_json(read, end.receipt.delivery.is_some()),
            "parts": parts.collect::<Vec<_>>(),
            "columns": outcome.columns,
            "empty_columns": outcome.empty_columns,
            "rejected": outcome.rejected,
            "changed": changed.collect::<Vec<_>>(),
            "left_out": outcome.left_out,
        }));
    }
    json!({
        "version": 1,
        "chain": outcome.chain,
        "run": outcome.run,
        "inputs": inputs,
        "read": { "records": read.count, "limited": outcome.limited },
        "refused": outcome.refused,
        "warnings": outcome.warnings,
        "through": outcome.through,
        "connectors": connectors,
    })
}
