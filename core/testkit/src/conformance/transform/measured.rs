//! What a transform holds in memory.

use arrow_array::RecordBatch;
use usher_abi::Report;

use super::super::{
    bench::{Bench, Step, need},
    memory::{ROWS, Watch, instances},
    outcome::Stop,
};
use crate::{drive::Transform, origin_columns, write::INPUT};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("closed instances leave no memory behind", closed),
    ("memory is flat from 10,000 to 1,000,000 rows", flat),
];

fn rows(bench: &Bench<'_>, from: usize, count: usize) -> Result<RecordBatch, String> {
    origin_columns(&bench.case.batch(from..from + count), from as u64).map_err(|e| e.to_string())
}

fn begun(bench: &Bench<'_>) -> Result<Transform, String> {
    let services = bench.host().services();
    let (component, options) = (&bench.case.component, bench.options());
    let mut transform = need(Transform::open(bench.module, component, &options, &services), "opening")?;
    need(transform.output_schema(rows(bench, 0, 0)?.schema_ref()), "output_schema")?;
    Ok(transform)
}

fn closed(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_the_process()?;
    let batch = rows(bench, 0, 10)?;
    instances(|| {
        let mut transform = begun(bench)?;
        need(transform.apply(&batch, INPUT, &mut Report::default()), "apply")?;
        need(transform.flush_all(&mut Report::default()), "flush")?;
        Ok(())
    })
}

fn flat(bench: &Bench<'_>) -> Result<(), Stop> {
    const BATCH: usize = 2_000;
    bench.needs_time()?;
    let mut transform = begun(bench)?;
    let mut memory = Watch::default();
    for from in (0..ROWS).step_by(BATCH) {
        need(transform.apply(&rows(bench, from, BATCH)?, INPUT, &mut Report::default()), "apply")?;
        memory.after(from + BATCH)?;
    }
    need(transform.flush_all(&mut Report::default()), "flush")?;
    memory.after(ROWS)
}
