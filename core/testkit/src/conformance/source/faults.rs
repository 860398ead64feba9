//! What a source does when the host fails, cancels or asks for two at once.

use std::thread;

use usher_abi::{Error, ErrorClass, PlanRequest, Report};

use super::super::{
    bench::{Bench, Step, need, rows_text, same, show},
    faults::every_call,
    outcome::Stop,
};
use crate::{
    Call, Failure, MemoryHost, Read,
    drive::{Source, Stream},
};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("a failing service is an error of its class", failures),
    ("two instances work at once", two_at_once),
    ("asked again, and read on many threads, it gives the same rows", again_and_at_once),
    ("cancelled between calls, it stops", cancel_between),
    ("a stream that is cancelled stops alone", cancel_stream),
    ("cancelled after any batch, it stops", cancel_after_any_batch),
    ("cancelled during a call, it stops soon", cancel_during),
    ("cancelled as a run, it stops", cancel_run),
    ("closed early, it leaves nothing open", closed_early),
];

fn failures(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = || bench.host_of_rows(20).slab_size(256);
    Ok(every_call(host, |host| bench.read(host).map(drop))?)
}

fn two_at_once(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(1000).slab_size(1000);
    let expected = rows_text(&need(bench.read(&host), "one instance")?);
    let (left, right) = thread::scope(|scope| {
        let run = || bench.read(&host).map(|read| rows_text(&read));
        let other = scope.spawn(run);
        (run(), other.join().unwrap_or_else(|_| Err(Error::bug("test.panic", "a thread panicked"))))
    });
    same(&expected, &need(left, "the first of two")?, "the first of two")?;
    same(&expected, &need(right, "the second of two")?, "the second of two")?;
    Ok(())
}

/// A run that looks ahead plans and reads again; one on many cores reads all splits at the same time.
fn again_and_at_once(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(300).slab_size(1000);
    let expected = rows_text(&need(bench.read(&host), "one stream")?);
    let services = host.services();
    let mut source =
        need(Source::open(bench.module, &bench.case.component, &bench.options(), &services), "opening")?;
    need(source.check(), "check")?;
    let catalog = need(source.catalog(), "catalog")?;
    let paths = catalog.attributes.iter().map(|a| a.path.as_str());
    let request = PlanRequest { max_splits: 4, ..PlanRequest::new(paths) };
    for what in ["all splits at once", "all splits at once, the second time"] {
        let splits = need(source.plan(&request), what)?;
        let mut streams = Vec::new();
        for split in &splits {
            streams.push(need(source.open_split(split, &[]), what)?);
        }
        let pulled = thread::scope(|scope| {
            let threads: Vec<_> = streams
                .iter_mut()
                .map(|stream| scope.spawn(|| stream.drain(&mut Report::default())))
                .collect();
            let panicked = |_| Err(Error::bug("test.panic", "a thread panicked"));
            threads.into_iter().map(|t| t.join().unwrap_or_else(panicked)).collect::<Result<Vec<_>, _>>()
        });
        let (batches, inputs) =
            need(pulled, what)?.into_iter().flatten().map(|pulled| (pulled.batch, pulled.input)).unzip();
        let (checkpoints, report) = (Vec::new(), Report::default());
        let read = Read { catalog: catalog.clone(), splits, batches, inputs, checkpoints, report };
        same(&expected, &rows_text(&read), what)?;
    }
    Ok(())
}

/// Opens everything up to the stream of the first split.
pub(super) fn open(bench: &Bench<'_>, host: &MemoryHost) -> Result<(Source, Option<Stream>), String> {
    let services = host.services();
    let mut source =
        need(Source::open(bench.module, &bench.case.component, &bench.options(), &services), "opening")?;
    need(source.check(), "check")?;
    let catalog = need(source.catalog(), "catalog")?;
    let paths: Vec<&str> = catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    let splits = need(source.plan(&PlanRequest::new(paths)), "plan")?;
    let stream = splits.first().map(|split| need(source.open_split(split, &[]), "open_split")).transpose()?;
    Ok((source, stream))
}

fn cancelled<T>(result: Result<T, Error>, what: &str) -> Result<(), String> {
    match result {
        Err(error) if error.class == ErrorClass::CANCELLED => Ok(()),
        Err(error) => Err(format!("{what} after `cancel`: {}", show(&error))),
        Ok(_) => Err(format!("{what} after `cancel` goes on")),
    }
}

fn cancel_between(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(100);
    let (source, stream) = open(bench, &host)?;
    if let Some(mut stream) = stream {
        stream.canceller().cancel();
        stream.canceller().cancel();
        cancelled(stream.next(&mut Report::default()), "`next`")?;
    }
    drop(source);
    let (mut source, stream) = open(bench, &host)?;
    source.canceller().cancel();
    cancelled(source.catalog(), "`catalog`")?;
    cancelled(source.plan(&PlanRequest::new([""; 0])), "`plan`")?;
    if let Some(mut stream) = stream {
        cancelled(stream.next(&mut Report::default()), "`next` of a stream of a cancelled source")?;
    }
    Ok(())
}

fn cancel_stream(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(100);
    let (mut source, stream) = open(bench, &host)?;
    let Some(mut stream) = stream else { return Ok(()) };
    stream.canceller().cancel();
    cancelled(stream.next(&mut Report::default()), "`next`")?;
    let splits = need(source.plan(&PlanRequest::new([""; 0])), "`plan` beside a stream that was cancelled")?;
    if let Some(split) = splits.first() {
        let what = "another stream beside one that was cancelled";
        let mut other = need(source.open_split(split, &[]), what)?;
        need(other.next(&mut Report::default()), what)?;
    }
    Ok(())
}

fn cancel_after_any_batch(bench: &Bench<'_>) -> Result<(), Stop> {
    const MANY: usize = 8;
    let host = bench.host_of_rows(20_000);
    let mut batches = 1;
    while batches <= MANY {
        let (source, stream) = open(bench, &host)?;
        let Some(mut stream) = stream else { return Ok(()) };
        for _ in 0..batches {
            if need(stream.next(&mut Report::default()), "`next`")?.is_none() {
                return Ok(());
            }
        }
        source.canceller().cancel();
        cancelled(stream.next(&mut Report::default()), &format!("`next` behind batch {batches}"))?;
        batches += 1;
    }
    Ok(())
}

fn cancel_during(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(10_000).slab_size(512);
    let (source, stream) = open(bench, &host)?;
    let Some(mut stream) = stream else { return Ok(()) };
    let canceller = source.canceller();
    host.when(Failure::new(Call::Read, host.calls(Call::Read) + 2), move || canceller.cancel());
    // The batch that is being made may still come; nothing after it may.
    let mut batches = 0;
    loop {
        match stream.next(&mut Report::default()) {
            Err(error) if error.class == ErrorClass::CANCELLED => return Ok(()),
            Err(error) => Err(format!("`next` during `cancel`: {}", show(&error)))?,
            Ok(None) => return Ok(()),
            Ok(Some(_)) if batches > 1 => Err("batches go on after `cancel`".to_owned())?,
            Ok(Some(_)) => batches += 1,
        }
    }
}

fn cancel_run(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(100);
    host.cancel();
    Ok(cancelled(bench.read(&host), "reading")?)
}

fn closed_early(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(10_000).slab_size(512);
    let (source, stream) = open(bench, &host)?;
    if let Some(mut stream) = stream {
        need(stream.next(&mut Report::default()), "`next`")?;
    }
    drop(source);
    if host.open_readers() > 0 {
        Err(format!("{} readers stay open", host.open_readers()))?;
    }
    Ok(())
}
