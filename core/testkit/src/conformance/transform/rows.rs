//! What a transform makes of rows, good and hostile.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;

use super::super::{
    bench::{Bench, Step, need, same, survive},
    hostile::hostile_texts,
    outcome::Stop,
};
use super::account::{account, columns};
use crate::{MemoryHost, Transformed, records, write::with_origins};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("every row comes out, is rejected or is merged, once", sample),
    ("100,000 rows come out, are rejected or are merged, once", many),
    ("the same rows give the same rows", twice),
    ("rows without a column are no panic", no_columns),
    ("nulls and hostile texts are no panic", hostile),
];

pub(super) fn run(
    bench: &Bench<'_>,
    host: &MemoryHost,
    batches: &[RecordBatch],
    what: &str,
) -> Result<Transformed, String> {
    let given = need(with_origins(batches), what)?;
    let (component, options) = (&bench.case.component, bench.case.options.clone());
    let done = need(crate::transform(bench.module, component, options, host, given.clone()), what)?;
    let schema = given[0].schema_ref();
    account(&given, &done).map_err(|e| format!("{what}: {e}"))?;
    columns(schema, &done).map_err(|e| format!("{what}: {e}"))?;
    Ok(done)
}

fn sample(bench: &Bench<'_>) -> Result<(), Stop> {
    for rows in [0, 1, 2, 100, 10_000] {
        run(bench, &bench.host(), &[bench.case.batch(0..rows)], &format!("{rows} rows"))?;
    }
    Ok(())
}

fn many(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_time()?;
    let batches: Vec<RecordBatch> =
        (0..100_000).step_by(2_000).map(|from| bench.case.batch(from..from + 2_000)).collect();
    run(bench, &bench.host(), &batches, "100,000 rows")?;
    Ok(())
}

fn twice(bench: &Bench<'_>) -> Result<(), Stop> {
    let first = run(bench, &bench.host(), &[bench.case.batch(0..50)], "50 rows")?;
    let again = run(bench, &bench.host(), &[bench.case.batch(0..50)], "50 rows again")?;
    same(&records(&first.batches), &records(&again.batches), "the second time")?;
    Ok(())
}

/// A transform may refuse such rows, or pass them on.
fn no_columns(bench: &Bench<'_>) -> Result<(), Stop> {
    let count = RecordBatchOptions::new().with_row_count(Some(3));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &count)
        .map_err(|e| e.to_string())?;
    let (component, options) = (&bench.case.component, bench.case.options.clone());
    let done = crate::transform(bench.module, component, options, &bench.host(), vec![rows]);
    survive(done, "three rows without a column")?;
    Ok(())
}

fn hostile(bench: &Bench<'_>) -> Result<(), Stop> {
    let try_one = |what: &str, cell: &dyn Fn(usize, String) -> Option<String>| {
        let rows = bench.case.batch_with(0..3, |column, _, good| cell(column, good));
        run(bench, &bench.host(), &[rows], what).map(drop)
    };
    for (column, name) in bench.case.column_names().iter().enumerate() {
        try_one(&format!("three rows with `{name}` null"), &|c, good| (c != column).then_some(good))?;
    }
    try_one("three rows of nulls", &|_, _| None)?;
    for (what, text) in hostile_texts() {
        try_one(what, &|_, _| Some(text.clone()))?;
    }
    Ok(())
}
