//! What a source holds in memory.

use usher_abi::Report;

use super::super::{
    bench::{Bench, Step, need},
    memory::{ROWS, Watch, instances},
    outcome::{Stop, skip},
};
use super::faults::open;

pub(super) const STEPS: &[(&str, Step)] = &[
    ("closed instances leave no memory behind", closed),
    ("memory is flat from 10,000 to 1,000,000 records", flat),
];

fn closed(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_the_process()?;
    instances(|| {
        let host = bench.host();
        let (_source, stream) = open(bench, &host)?;
        let Some(mut stream) = stream else { return Ok(()) };
        while need(stream.next(&mut Report::default()), "`next`")?.is_some() {}
        Ok(())
    })
}

/// The input stands in memory from the beginning, so what grows is the source's.
fn flat(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_time()?;
    if bench.case.inputs.first().is_none_or(|(_, sample)| sample.is_whole()) {
        return skip("the sample cannot be taken apart");
    }
    let host = bench.host_of_rows(ROWS);
    let (_source, stream) = open(bench, &host)?;
    let Some(mut stream) = stream else { return Ok(()) };
    let (mut memory, mut rows) = (Watch::default(), 0);
    loop {
        let mut report = Report::default();
        let Some(pulled) = need(stream.next(&mut report), "`next`")? else { return Ok(()) };
        rows += pulled.batch.num_rows() + report.rejects.len();
        memory.after(rows)?;
    }
}
