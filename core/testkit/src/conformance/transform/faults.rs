//! What a transform does when the host fails, cancels or asks for two at once.

use std::thread;

use arrow_array::RecordBatch;
use usher_abi::{ErrorClass, Report};

use super::{
    super::{
        bench::{Bench, Step, need, same, show},
        faults::every_call,
        outcome::Stop,
    },
    rows::run,
};
use crate::{
    drive::Transform,
    records,
    write::{INPUT, with_origins},
};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("a failing service is an error of its class", failures),
    ("two instances work at once", two_at_once),
    ("cancelled after any batch, it stops", cancel),
];

fn failures(bench: &Bench<'_>) -> Result<(), Stop> {
    let (component, options) = (&bench.case.component, &bench.case.options);
    let rows = || vec![bench.case.batch(0..20)];
    let work = |host: &_| crate::transform(bench.module, component, options.clone(), host, rows()).map(drop);
    Ok(every_call(|| bench.host(), work)?)
}

fn two_at_once(bench: &Bench<'_>) -> Result<(), Stop> {
    let work = || {
        let batches: Vec<RecordBatch> = (0..10).map(|i| bench.case.batch(i * 100..(i + 1) * 100)).collect();
        run(bench, &bench.host(), &batches, "1,000 rows").map(|done| records(&done.batches))
    };
    let expected = work()?;
    let (left, right) = thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
    });
    same(&expected, &left?, "the first of two")?;
    same(&expected, &right?, "the second of two")?;
    Ok(())
}

fn cancel(bench: &Bench<'_>) -> Result<(), Stop> {
    for batches in 0..5 {
        let rows: Vec<RecordBatch> = (0..=batches).map(|i| bench.case.batch(i * 5..(i + 1) * 5)).collect();
        let rows = need(with_origins(&rows), "the sample")?;
        let services = bench.host().services();
        let (component, options) = (&bench.case.component, bench.options());
        let mut transform = need(Transform::open(bench.module, component, &options, &services), "opening")?;
        need(transform.output_schema(rows[0].schema_ref()), "output_schema")?;
        for batch in &rows[..batches] {
            need(transform.apply(batch, INPUT, &mut Report::default()), "apply")?;
        }
        transform.canceller().cancel();
        match transform.apply(&rows[batches], INPUT, &mut Report::default()) {
            Err(error) if error.class == ErrorClass::CANCELLED => {}
            Err(error) => Err(format!("after {batches} batches: {}", show(&error)))?,
            Ok(_) => Err(format!("after {batches} batches, `apply` goes on after `cancel`"))?,
        }
    }
    Ok(())
}
