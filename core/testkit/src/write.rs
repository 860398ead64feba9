//! Runs a sink.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use serde_json::Value;
use usher_abi::{Error, ModuleRef, Problem, Receipt, Report};
use usher_sdk::records::{LENGTH, OFFSET, origin_fields};

use crate::{MemoryHost, check::refuse, drive, origin_columns};

/// The input that rows given to [`write`](fn@write) come from.
pub(crate) const INPUT: u32 = 1;

/// What a sink answered; the files are in [`MemoryHost::parts`].
#[derive(Debug)]
pub struct Written {
    /// The warnings of `check`.
    pub problems: Vec<Problem>,
    /// The reports of all calls.
    pub report: Report,
    /// The receipt.
    pub receipt: Receipt,
}

/// Runs a sink through its real tables: `open`, `check`, `begin`, `write`…, `flush`, `finish`, `close`.
///
/// All batches have the same columns. Origin columns are added where they are missing (see [`origin_columns`]; rows
/// are numbered over all batches); the rows come from input 1. Problems that are more than warnings become an error
/// of class `config` with the problems as details.
pub fn write(
    module: ModuleRef,
    component: &str,
    options: Value,
    host: &MemoryHost,
    batches: Vec<RecordBatch>,
) -> Result<Written, Error> {
    let batches = with_origins(&batches)?;
    let schema =
        batches.first().map_or_else(|| Arc::new(Schema::new(origin_fields().to_vec())), RecordBatch::schema);
    let services = host.services();
    let mut sink = drive::Sink::open(module, component, &options.to_string(), &services)?;
    let problems = sink.check(&columns_of(&schema))?;
    refuse(&problems)?;
    sink.begin(&schema)?;
    let mut report = Report::default();
    for batch in &batches {
        let mut fresh = Report::default();
        sink.write(batch, INPUT, &mut fresh)?;
        report.merge(fresh);
    }
    let mut fresh = Report::default();
    sink.flush(&mut fresh)?;
    report.merge(fresh);
    let mut fresh = Report::default();
    let receipt = sink.finish(&mut fresh)?;
    report.merge(fresh);
    Ok(Written { problems, report, receipt })
}

/// The batches with origin columns, rows numbered over all of them.
pub(crate) fn with_origins(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, Error> {
    let mut row = 0;
    batches
        .iter()
        .map(|batch| {
            let with = origin_columns(batch, row).map_err(|e| Error::bug("test.batch", e.to_string()))?;
            row += batch.num_rows() as u64;
            Ok(with)
        })
        .collect()
}

/// The columns that `check` is asked about: all but the origin columns.
pub(crate) fn columns_of(schema: &Schema) -> Vec<&str> {
    schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .filter(|name| !matches!(*name, OFFSET | LENGTH))
        .collect()
}
