//! What a sink does when the host fails, cancels or asks for two at once.

use std::thread;

use arrow_array::RecordBatch;
use usher_abi::{Error, ErrorClass, Report};

use super::{
    super::{
        bench::{Bench, Step, need, same, show},
        faults::{every_call, full_disk},
        outcome::Stop,
    },
    writing::{parts_text, settle},
};
use crate::{
    MemoryHost,
    drive::Sink,
    write::{INPUT, columns_of, with_origins},
};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("a failing service is an error of its class", failures),
    ("a full disk is told as such", disk),
    ("two instances work at once", two_at_once),
    ("cancelled after any batch, it stops and finishes nothing", cancel),
    ("closed early, it finishes nothing more", closed_early),
];

fn failures(bench: &Bench<'_>) -> Result<(), Stop> {
    Ok(every_call(|| bench.host(), |host| bench.write(host, vec![bench.case.batch(0..20)]).map(drop))?)
}

fn disk(bench: &Bench<'_>) -> Result<(), Stop> {
    Ok(full_disk(|| bench.host(), |host| bench.write(host, vec![bench.case.batch(0..20)]).map(drop))?)
}

fn two_at_once(bench: &Bench<'_>) -> Result<(), Stop> {
    let run = || {
        let host = bench.host();
        let batches: Vec<RecordBatch> = (0..10).map(|i| bench.case.batch(i * 100..(i + 1) * 100)).collect();
        settle(bench, &host, &batches, "1,000 rows").map(|_| parts_text(&host))
    };
    let expected = run()?;
    let (left, right) = thread::scope(|scope| {
        let other = scope.spawn(run);
        (run(), other.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
    });
    same(&expected, &left?, "the first of two")?;
    same(&expected, &right?, "the second of two")?;
    Ok(())
}

/// Opens a sink and gives it so many batches; answers the next one.
fn begun(bench: &Bench<'_>, host: &MemoryHost, batches: usize) -> Result<(Sink, RecordBatch), String> {
    let rows: Vec<RecordBatch> = (0..=batches).map(|i| bench.case.batch(i * 20..(i + 1) * 20)).collect();
    let mut rows = need(with_origins(&rows), "the sample")?;
    let next = rows.remove(batches);
    let services = host.services();
    let mut sink =
        need(Sink::open(bench.module, &bench.case.component, &bench.options(), &services), "opening")?;
    need(sink.check(&columns_of(next.schema_ref())), "check")?;
    need(sink.begin(next.schema_ref()), "begin")?;
    for batch in &rows {
        need(sink.write(batch, INPUT, &mut Report::default()), "write")?;
    }
    Ok((sink, next))
}

fn cancelled<T>(result: Result<T, Error>, what: &str) -> Result<(), String> {
    match result {
        Err(error) if error.class == ErrorClass::CANCELLED => Ok(()),
        Err(error) => Err(format!("{what} after `cancel`: {}", show(&error))),
        Ok(_) => Err(format!("{what} after `cancel` goes on")),
    }
}

fn cancel(bench: &Bench<'_>) -> Result<(), Stop> {
    for batches in 0..5 {
        let host = bench.host();
        let (mut sink, batch) = begun(bench, &host, batches)?;
        let canceller = sink.canceller();
        let _ = thread::spawn(move || canceller.cancel()).join();
        let before = host.parts().len();
        let after = format!("after {batches} batches");
        cancelled(sink.write(&batch, INPUT, &mut Report::default()), &format!("{after}, `write`"))?;
        cancelled(sink.flush(&mut Report::default()), &format!("{after}, `flush`"))?;
        cancelled(sink.finish(&mut Report::default()), &format!("{after}, `finish`"))?;
        drop(sink);
        if host.parts().len() > before {
            Err(format!("{after}, a part is finished after `cancel`"))?;
        }
    }
    Ok(())
}

fn closed_early(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host();
    let (sink, _) = begun(bench, &host, 1)?;
    let before = host.parts().len();
    drop(sink);
    if host.parts().len() > before {
        Err("a part is finished by `close`".to_owned())?;
    }
    Ok(())
}
