//! What a sink makes of good rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray, cast::AsArray};
use arrow_schema::{DataType, Field, Schema};

use super::super::{
    bench::{Bench, Step, need, same, survive},
    outcome::{Stop, skip},
};
use crate::{
    Books, MemoryHost, Written,
    drive::Sink,
    write::{INPUT, columns_of, with_origins},
};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("the sample is written and the books balance", sample),
    ("no batch and no row leave no record", empty),
    ("1, 2, 100 and 10,000 rows balance", counts),
    ("100,000 rows balance", many),
    ("rows without a column are no panic and balance", no_columns),
    ("nulls are no panic and balance", nulls),
    ("the same rows give the same bytes", twice),
    ("batches of any size give the same bytes", batch_sizes),
    ("`flush` between batches changes nothing", flushes),
    ("text in any form gives the same bytes", text_forms),
];

/// Writes rows (origin columns are added), and holds report, receipt and parts against each other.
pub(super) fn settle(
    bench: &Bench<'_>,
    host: &MemoryHost,
    batches: &[RecordBatch],
    what: &str,
) -> Result<Written, String> {
    let batches = need(with_origins(batches), what)?;
    let mut books = Books::new();
    for batch in &batches {
        need(books.give(batch, INPUT), what)?;
    }
    let written = need(bench.write(host, batches), what)?;
    books.settle(&written.report).map_err(|e| format!("{what}: {e}"))?;
    for reject in &written.report.rejects {
        if reject.code.is_empty() || reject.message.is_empty() {
            return Err(format!("{what}: {:?} is rejected without a code or a message", reject.origin));
        }
    }
    receipt(host, &written).map_err(|e| format!("{what}: {e}"))?;
    Ok(written)
}

/// The receipt names exactly the finished parts, which hold the rows that are written, and no part is left.
fn receipt(host: &MemoryHost, written: &Written) -> Result<(), String> {
    if let Some(stem) = host.open_parts().first() {
        return Err(format!("the part `{stem}` is neither finished nor discarded"));
    }
    let rows: u64 = written.receipt.parts.iter().filter(|p| !p.extra).map(|p| p.rows).sum();
    if rows != written.report.written.count {
        let count = written.report.written.count;
        return Err(format!("the report has {count} rows written, the parts of the receipt hold {rows}"));
    }
    let mut said: Vec<(&str, u64, u64)> =
        written.receipt.parts.iter().map(|p| (p.name.as_str(), p.rows, p.bytes)).collect();
    let parts = host.parts();
    let mut found: Vec<(&str, u64, u64)> =
        parts.iter().map(|p| (p.name.as_str(), p.records, p.bytes.len() as u64)).collect();
    said.sort_unstable();
    found.sort_unstable();
    if said == found {
        return Ok(());
    }
    Err(format!("the receipt has {said:?} (name, rows, bytes), the host {found:?}"))
}

/// All parts as one text.
pub(super) fn parts_text(host: &MemoryHost) -> String {
    host.parts()
        .iter()
        .map(|p| format!("== {}\n{}\n", p.name, p.bytes.escape_ascii().to_string().replace("\\n", "\\n\n")))
        .collect()
}

fn sample(bench: &Bench<'_>) -> Result<(), Stop> {
    if bench.case.columns.is_empty() {
        Err("the case gives no column".to_owned())?;
    }
    let longest = bench.case.columns.iter().map(|(_, values)| values.len()).max().unwrap_or(1);
    let written = settle(bench, &bench.host(), &[bench.case.batch(0..longest)], "the sample")?;
    if let Some(reject) = written.report.rejects.first() {
        let reject = format!("`{}`: {} ({})", reject.column, reject.message, reject.code);
        if bench.case.guessed {
            return skip(&format!("the suite had to guess a row, and it is rejected, {reject}; give a case"));
        }
        Err(format!("a good row is rejected, {reject}"))?;
    }
    Ok(())
}

fn empty(bench: &Bench<'_>) -> Result<(), Stop> {
    let none = bench.case.batch(0..0);
    for (what, batches) in
        [("no batch", vec![]), ("a batch without rows", vec![none.clone()]), ("three", vec![none.clone(); 3])]
    {
        let host = bench.host();
        let services = host.services();
        let mut books = Books::new();
        let batches: Vec<RecordBatch> = need(with_origins(&batches), what)?;
        let schema = need(with_origins(std::slice::from_ref(&none)), what)?[0].schema();
        let mut sink =
            need(Sink::open(bench.module, &bench.case.component, &bench.options(), &services), what)?;
        need(sink.check(&columns_of(&schema)), what)?;
        need(sink.begin(&schema), what)?;
        let mut report = usher_abi::Report::default();
        for batch in &batches {
            need(books.give(batch, INPUT), what)?;
            need(sink.write(batch, INPUT, &mut report), what)?;
        }
        need(sink.flush(&mut report), what)?;
        let receipt = need(sink.finish(&mut report), what)?;
        books.settle(&report).map_err(|e| format!("{what}: {e}"))?;
        if receipt.parts.iter().any(|p| p.rows > 0) {
            Err(format!("{what}: the receipt has a part with rows"))?;
        }
    }
    // Empty batches between others change nothing.
    let (plain, mixed) = (bench.host(), bench.host());
    settle(bench, &plain, &[bench.case.batch(0..4)], "four rows")?;
    let batches = [none.clone(), bench.case.batch(0..2), none.clone(), bench.case.batch(2..4), none];
    settle(bench, &mixed, &batches, "empty batches between others")?;
    same(&parts_text(&plain), &parts_text(&mixed), "empty batches between others")?;
    Ok(())
}

fn counts(bench: &Bench<'_>) -> Result<(), Stop> {
    [1, 2, 100, 10_000].into_iter().try_for_each(|rows| Ok(count(bench, rows)?))
}

fn many(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_time()?;
    Ok(count(bench, 100_000)?)
}

fn count(bench: &Bench<'_>, rows: usize) -> Result<(), String> {
    let batches: Vec<RecordBatch> =
        (0..rows).step_by(2048).map(|from| bench.case.batch(from..rows.min(from + 2048))).collect();
    settle(bench, &bench.host(), &batches, &format!("{rows} rows")).map(drop)
}

/// A sink may refuse such rows, or take them.
fn no_columns(bench: &Bench<'_>) -> Result<(), Stop> {
    let what = "three rows without a column";
    let options = RecordBatchOptions::new().with_row_count(Some(3));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options);
    let rows = vec![rows.map_err(|e| e.to_string())?];
    if survive(bench.write(&bench.host(), rows.clone()), what)?.is_some() {
        settle(bench, &bench.host(), &rows, what)?;
    }
    Ok(())
}

fn nulls(bench: &Bench<'_>) -> Result<(), Stop> {
    let names = bench.case.column_names();
    for (column, name) in names.iter().enumerate() {
        let batch = bench.case.batch_with(0..3, |c, _, good| (c != column).then_some(good));
        settle(bench, &bench.host(), &[batch], &format!("three rows with `{name}` null"))?;
        let batch =
            bench.case.batch_with(0..3, |c, _, good| Some(if c == column { String::new() } else { good }));
        settle(bench, &bench.host(), &[batch], &format!("three rows with `{name}` empty"))?;
    }
    settle(bench, &bench.host(), &[bench.case.batch_with(0..3, |_, _, _| None)], "three rows of nulls")?;
    settle(
        bench,
        &bench.host(),
        &[bench.case.batch_with(0..3, |_, _, _| Some(String::new()))],
        "three empty rows",
    )?;
    Ok(())
}

fn twice(bench: &Bench<'_>) -> Result<(), Stop> {
    let (first, again) = (bench.host(), bench.host());
    settle(bench, &first, &[bench.case.batch(0..50)], "50 rows")?;
    settle(bench, &again, &[bench.case.batch(0..50)], "50 rows again")?;
    same(&parts_text(&first), &parts_text(&again), "the second time")?;
    Ok(())
}

fn batch_sizes(bench: &Bench<'_>) -> Result<(), Stop> {
    let whole = bench.case.batch(0..60);
    let host = bench.host();
    settle(bench, &host, std::slice::from_ref(&whole), "60 rows")?;
    let expected = parts_text(&host);
    for size in [1, 7, 59] {
        let host = bench.host();
        let what = format!("60 rows in slices of {size}");
        let slices: Vec<RecordBatch> =
            (0..60).step_by(size).map(|from| whole.slice(from, size.min(60 - from))).collect();
        settle(bench, &host, &slices, &what)?;
        same(&expected, &parts_text(&host), &what)?;
    }
    Ok(())
}

/// The host may ask between batches what became of the rows so far.
fn flushes(bench: &Bench<'_>) -> Result<(), Stop> {
    let (what, whole, host) = ("60 rows, flushed after every 20", bench.case.batch(0..60), bench.host());
    settle(bench, &host, std::slice::from_ref(&whole), "60 rows")?;
    let expected = parts_text(&host);
    let host = bench.host();
    let services = host.services();
    let batches: Vec<RecordBatch> = (0..3).map(|i| whole.slice(i * 20, 20)).collect();
    let batches = need(with_origins(&batches), what)?;
    let mut sink = need(Sink::open(bench.module, &bench.case.component, &bench.options(), &services), what)?;
    need(sink.check(&columns_of(&batches[0].schema())), what)?;
    need(sink.begin(&batches[0].schema()), what)?;
    let (mut books, mut report) = (Books::new(), usher_abi::Report::default());
    for batch in &batches {
        need(books.give(batch, INPUT), what)?;
        need(sink.write(batch, INPUT, &mut report), what)?;
        need(sink.flush(&mut report), what)?;
        need(sink.flush(&mut report), what)?;
    }
    need(sink.finish(&mut report), what)?;
    books.settle(&report).map_err(|e| format!("{what}: {e}"))?;
    Ok(same(&expected, &parts_text(&host), what)?)
}

/// The same batch with its text columns as views.
fn as_views(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let fields: Vec<Field> =
        batch.schema_ref().fields().iter().map(|f| Field::new(f.name(), DataType::Utf8View, true)).collect();
    let columns = batch
        .columns()
        .iter()
        .map(|c| Arc::new(c.as_string::<i32>().iter().collect::<StringViewArray>()) as ArrayRef);
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns.collect(), &options)
        .map_err(|e| e.to_string())
}

fn text_forms(bench: &Bench<'_>) -> Result<(), Stop> {
    let (plain, views) = (bench.host(), bench.host());
    let rows = bench.case.batch(0..10);
    settle(bench, &plain, std::slice::from_ref(&rows), "text")?;
    settle(bench, &views, &[as_views(&rows)?], "text views")?;
    same(&parts_text(&plain), &parts_text(&views), "text views")?;
    Ok(())
}
