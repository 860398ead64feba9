//! `report.json`: the books of a run, for machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_abi::{Error, Identity, Origin};

use super::{outcome::Outcome, prepare::PreparedChain, writing::SinkEnd};
use crate::services::{Digest, InputRegistry, Part};

/// What stands before the first record of an input is kept up to so many bytes.
const MOST_HEAD: u64 = 65_536;

/// The inputs, each with what stands before its first record, of which `firsts` has the place: headings, a bracket.
/// Whoever has it can read single records.
pub(super) fn inputs_of(
    inputs: &InputRegistry,
    digests: &[Digest],
    firsts: &BTreeMap<u32, u64>,
) -> Result<Vec<Value>, Error> {
    let all = inputs.inputs().into_iter().zip(digests);
    all.map(|(input, digest)| {
        let mut told = json!({
            "id": input.id,
            "name": input.name,
            "path": input.path,
            "bytes": digest.bytes,
            "digest": format!("blake3:{}", digest.blake3),
        });
        if let Some(first) = firsts.get(&input.id).copied().filter(|first| *first > 0) {
            told["head_bytes"] = json!(first);
            if first <= MOST_HEAD {
                let origin = Origin { input: input.id, offset: 0, length: first as u32 };
                // Of an input that is no UTF-8 nothing can be read alone.
                if let Ok(head) = String::from_utf8(inputs.read_record(origin)?) {
                    told["head"] = json!(head);
                }
            }
        }
        Ok(told)
    })
    .collect()
}

/// The report of a run.
pub(super) fn report(
    prepared: &PreparedChain,
    outcome: &Outcome,
    staged: &[Part],
    read: Identity,
    ends: &[SinkEnd],
    inputs: Vec<Value>,
) -> Value {
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
        let mut told = json!({
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
        });
        if let Some(sync) = &outcome.sync {
            told["sync"] = json!(sync);
        }
        connectors.push(told);
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
