//! Checks of transforms.

use std::collections::HashSet;

use arrow_array::RecordBatch;
use usher_abi::{ErrorClass, Report};
use usher_sdk::Records;

use super::{
    Steps,
    bench::{Bench, Step, need, same, show},
    hostile::hostile_texts,
    outcome::Stop,
};
use crate::{
    Transformed,
    drive::Transform,
    records,
    write::{INPUT, with_origins},
};

pub(super) const STEPS: Steps = &[FILE];

const FILE: &[(&str, Step)] = &[
    ("rows keep their origins", sample),
    ("the same rows give the same rows", twice),
    ("nulls and hostile texts are no panic", hostile),
    ("cancelled, it stops", cancel),
];

fn run(bench: &Bench<'_>, batches: Vec<RecordBatch>, what: &str) -> Result<Transformed, String> {
    let given = need(with_origins(&batches), what)?;
    let (component, options) = (&bench.case.component, bench.case.options.clone());
    let done = need(crate::transform(bench.module, component, options, &bench.host(), given.clone()), what)?;
    let origins = |batches: &[RecordBatch]| -> Result<HashSet<usher_abi::Origin>, String> {
        let mut all = HashSet::new();
        for batch in batches {
            let records = Records::new(batch.clone(), INPUT);
            let origins = need(records.origins(), what)?;
            all.extend((0..batch.num_rows()).map(|row| origins.get(row)));
        }
        Ok(all)
    };
    let given = origins(&given)?;
    let mut named = origins(&done.batches)?;
    named.extend(done.report.rejects.iter().map(|r| r.origin));
    if let Some(stranger) = named.difference(&given).next() {
        return Err(format!("{what}: {stranger:?} comes out but was never given"));
    }
    for batch in &done.batches {
        if batch.schema_ref().fields() != done.schema.fields() {
            return Err(format!("{what}: a batch has another schema than announced"));
        }
    }
    Ok(done)
}

fn sample(bench: &Bench<'_>) -> Result<(), Stop> {
    for rows in [0, 1, 2, 100, 10_000] {
        run(bench, vec![bench.case.batch(0..rows)], &format!("{rows} rows"))?;
    }
    Ok(())
}

fn twice(bench: &Bench<'_>) -> Result<(), Stop> {
    let first = run(bench, vec![bench.case.batch(0..50)], "50 rows")?;
    let again = run(bench, vec![bench.case.batch(0..50)], "50 rows again")?;
    same(&records(&first.batches), &records(&again.batches), "the second time")?;
    Ok(())
}

fn hostile(bench: &Bench<'_>) -> Result<(), Stop> {
    run(bench, vec![bench.case.batch_with(0..3, |_, _, _| None)], "three rows of nulls")?;
    for (what, text) in hostile_texts() {
        run(bench, vec![bench.case.batch_with(0..1, |_, _, _| Some(text.clone()))], what)?;
    }
    Ok(())
}

fn cancel(bench: &Bench<'_>) -> Result<(), Stop> {
    let batch = need(with_origins(&[bench.case.batch(0..5)]), "the sample")?.remove(0);
    let services = bench.host().services();
    let mut transform =
        need(Transform::open(bench.module, &bench.case.component, &bench.options(), &services), "opening")?;
    need(transform.output_schema(batch.schema_ref()), "output_schema")?;
    transform.canceller().cancel();
    match transform.apply(&batch, INPUT, &mut Report::default()) {
        Err(error) if error.class == ErrorClass::CANCELLED => Ok(()),
        Err(error) => Err(show(&error))?,
        Ok(_) => Err("`apply` after `cancel` goes on".to_owned())?,
    }
}
