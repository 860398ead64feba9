//! What a sink holds in memory.

use arrow_array::RecordBatch;
use usher_abi::Report;

use super::super::{
    bench::{Bench, Step, need},
    memory::{ROWS, Watch, instances},
    outcome::Stop,
};
use crate::{
    MemoryHost,
    drive::Sink,
    origin_columns,
    write::{INPUT, columns_of},
};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("closed instances leave no memory behind", closed),
    ("memory is flat from 10,000 to 1,000,000 rows", flat),
];

/// Good rows with their origins.
fn rows(bench: &Bench<'_>, from: usize, count: usize) -> Result<RecordBatch, String> {
    origin_columns(&bench.case.batch(from..from + count), from as u64).map_err(|e| e.to_string())
}

fn begun(bench: &Bench<'_>, host: &MemoryHost) -> Result<Sink, String> {
    let first = rows(bench, 0, 0)?;
    let services = host.services();
    let mut sink =
        need(Sink::open(bench.module, &bench.case.component, &bench.options(), &services), "opening")?;
    need(sink.check(&columns_of(first.schema_ref())), "check")?;
    need(sink.begin(first.schema_ref()), "begin")?;
    Ok(sink)
}

fn closed(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_the_process()?;
    let batch = rows(bench, 0, 10)?;
    instances(|| {
        let mut sink = begun(bench, &bench.host())?;
        need(sink.write(&batch, INPUT, &mut Report::default()), "write")?;
        need(sink.flush(&mut Report::default()), "flush")?;
        need(sink.finish(&mut Report::default()), "finish").map(drop)
    })
}

fn flat(bench: &Bench<'_>) -> Result<(), Stop> {
    const BATCH: usize = 2_000;
    bench.needs_time()?;
    let host = bench.host().forgetting_parts();
    let mut sink = begun(bench, &host)?;
    let mut memory = Watch::default();
    for from in (0..ROWS).step_by(BATCH) {
        need(sink.write(&rows(bench, from, BATCH)?, INPUT, &mut Report::default()), "write")?;
        memory.after(from + BATCH)?;
    }
    need(sink.flush(&mut Report::default()), "flush")?;
    need(sink.finish(&mut Report::default()), "finish")?;
    memory.after(ROWS)
}
