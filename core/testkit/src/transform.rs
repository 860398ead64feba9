//! Runs a transform.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use serde_json::Value;
use usher_abi::{Error, ModuleRef, Report};
use usher_sdk::records::origin_fields;

use crate::{
    MemoryHost,
    check::refuse,
    drive,
    write::{INPUT, with_origins},
};

/// What a transform answered.
#[derive(Debug)]
pub struct Transformed {
    /// The schema that it announced.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// For each batch, the input that it comes from.
    pub inputs: Vec<u32>,
    /// The reports of all calls.
    pub report: Report,
}

/// Runs a transform through its real tables: `open`, `check`, `output_schema`, `apply`…, `flush`…, `close`. Batches
/// get origin columns as for [`write`](fn@crate::write).
pub fn transform(
    module: ModuleRef,
    component: &str,
    options: Value,
    host: &MemoryHost,
    batches: Vec<RecordBatch>,
) -> Result<Transformed, Error> {
    let batches = with_origins(&batches)?;
    let schema =
        batches.first().map_or_else(|| Arc::new(Schema::new(origin_fields().to_vec())), RecordBatch::schema);
    let services = host.services();
    let mut transform = drive::Transform::open(module, component, &options.to_string(), &services)?;
    refuse(&transform.check()?)?;
    let schema = transform.output_schema(&schema)?;
    let (mut out, mut report) = (Vec::new(), Report::default());
    for batch in &batches {
        let mut fresh = Report::default();
        out.extend(transform.apply(batch, INPUT, &mut fresh)?);
        report.merge(fresh);
    }
    out.extend(transform.flush_all(&mut report)?);
    let (batches, inputs) = out.into_iter().map(|pulled| (pulled.batch, pulled.input)).unzip();
    Ok(Transformed { schema, batches, inputs, report })
}
