//! What came of rows that went into a transform, row by row.

use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_schema::{FieldRef, Schema};
use usher_abi::{Origin, metadata};
use usher_sdk::Records;

use crate::{Transformed, write::INPUT};

/// Every row that was given comes out, is rejected or is merged, once; no other row is named anywhere.
pub(super) fn account(given: &[RecordBatch], done: &Transformed) -> Result<(), String> {
    let report = &done.report;
    let delivered = [report.written, report.accepted, report.confirmed, report.unknown];
    if delivered.iter().any(|fate| fate.count > 0) || !report.left_out.is_empty() {
        return Err(
            "it reports rows as delivered, but a transform can only reject, merge and change".to_owned()
        );
    }
    if let Some(reject) = report.rejects.iter().find(|r| r.code.is_empty() || r.message.is_empty()) {
        return Err(format!("{:?} is rejected without a code or a message", reject.origin));
    }
    let mut fates: HashMap<Origin, Option<&str>> = HashMap::new();
    for batch in given {
        fates.extend(origins(batch, INPUT)?.into_iter().map(|origin| (origin, None)));
    }
    let mut named: Vec<(Origin, &str)> = Vec::new();
    for (batch, input) in done.batches.iter().zip(&done.inputs) {
        named.extend(origins(batch, *input)?.into_iter().map(|origin| (origin, "comes out")));
    }
    named.extend(report.rejects.iter().map(|r| (r.origin, "is rejected")));
    named.extend(report.merged.iter().map(|m| (m.origin, "is merged")));
    for (origin, fate) in named {
        let known =
            fates.get_mut(&origin).ok_or_else(|| format!("{origin:?} {fate}, but was never given"))?;
        if let Some(before) = known.replace(fate) {
            return Err(format!("{origin:?} {before}, and then {fate}"));
        }
    }
    let mut lost: Vec<&Origin> = fates.iter().filter(|(_, fate)| fate.is_none()).map(|(o, _)| o).collect();
    lost.sort_unstable();
    if let Some(origin) = lost.first() {
        let (rows, lost) = (fates.len(), lost.len());
        return Err(format!(
            "{lost} of {rows} rows are lost: {origin:?} neither comes out nor is rejected or merged"
        ));
    }
    for merged in &report.merged {
        match fates.get(&merged.survivor) {
            None => return Err(format!("{:?} is a survivor, but was never given", merged.survivor)),
            Some(Some("is merged")) => {
                return Err(format!("{:?} is a survivor, but is itself merged", merged.survivor));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn origins(batch: &RecordBatch, input: u32) -> Result<Vec<Origin>, String> {
    let records = Records::new(batch.clone(), input);
    let origins = records.origins().map_err(|e| e.to_string())?;
    Ok((0..batch.num_rows()).map(|row| origins.get(row)).collect())
}

/// Every batch has the columns that were announced, in their order; what is new among them says what it is made from.
pub(super) fn columns(given: &Schema, done: &Transformed) -> Result<(), String> {
    let shown = |field: Option<&FieldRef>| field.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let announced = done.schema.fields();
    let from = |field: &FieldRef| -> Vec<String> {
        let said = field.metadata().get(metadata::FROM).and_then(|from| serde_json::from_str(from).ok());
        said.unwrap_or_else(|| vec![field.name().clone()])
    };
    for field in announced {
        if let Some(missing) = from(field).iter().find(|name| given.field_with_name(name).is_err()) {
            let name = field.name();
            return Err(format!(
                "`{name}` is announced, made from `{missing}`, which does not go in; new columns say with `{}` what they \
                 are made from",
                metadata::FROM
            ));
        }
    }
    for batch in &done.batches {
        let come = batch.schema_ref().fields();
        let place = (0..come.len().max(announced.len())).find(|&i| come.get(i) != announced.get(i));
        if let Some(i) = place {
            let (come, announced) = (shown(come.get(i)), shown(announced.get(i)));
            return Err(format!("as column {}, {come} comes where {announced} was announced", i + 1));
        }
    }
    Ok(())
}
