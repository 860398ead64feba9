//! What a source makes of good inputs.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use usher_abi::{Catalog, PlanRequest, ValueKind};
use usher_sdk::{
    Records,
    records::{LENGTH, OFFSET},
};

use super::super::{
    bench::{Bench, Step, need, rows_text, same, survive},
    outcome::{Stop, skip},
};
use crate::{MemoryHost, Read, ReadPlan, drive, records};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("the sample is read", sample),
    ("the same input gives the same rows", twice),
    ("only the attributes asked for come, in that order", projection),
    ("an unknown attribute is no panic", unknown_attribute),
    ("an input without records has no rows", empty),
    ("0, 1, 2, 100 and 10,000 records are as many rows", counts),
    ("100,000 records are as many rows", many),
    ("slabs of any size give the same rows", slabs),
    ("an input of unknown size gives the same rows", streamed),
    ("two files are read one after the other", two_files),
    ("any number of splits gives the same rows", splits),
    ("a stream goes on from its checkpoint", checkpoints),
];

fn sample(bench: &Bench<'_>) -> Result<(), Stop> {
    if bench.case.inputs.is_empty() {
        Err("the case gives no input".to_owned())?;
    }
    let host = bench.host();
    let read = need(bench.read(&host), "reading the sample")?;
    if read.rows() == 0 {
        Err("no row came out of it".to_owned())?;
    }
    let paths: Vec<&str> = read.catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    if let Some(twice) = paths.iter().enumerate().find_map(|(i, p)| paths[..i].contains(p).then_some(p)) {
        Err(format!("the catalog has `{twice}` twice"))?;
    }
    well_formed(&host, &read, &paths)?;
    if host.open_readers() > 0 {
        Err(format!("{} readers are still open after `close`", host.open_readers()))?;
    }
    Ok(())
}

/// Schema and origins of everything that was read.
pub(super) fn well_formed(host: &MemoryHost, read: &Read, columns: &[&str]) -> Result<(), String> {
    let mut last = (0, 0);
    for (batch, input) in read.batches.iter().zip(&read.inputs) {
        schema_is(batch.schema_ref(), columns)?;
        kinds_are(batch.schema_ref(), &read.catalog)?;
        let records = Records::new(batch.clone(), *input);
        let origins = records.origins().map_err(|e| e.to_string())?;
        for row in 0..batch.num_rows() {
            let origin = origins.get(row);
            within(host, origin)?;
            if last.0 == *input && origin.offset < last.1 {
                return Err(format!("{origin:?} begins before the end of the record before it"));
            }
            last = (*input, origin.offset + u64::from(origin.length));
        }
    }
    for reject in &read.report.rejects {
        within(host, reject.origin).map_err(|e| format!("a reject: {e}"))?;
        if reject.code.is_empty() || reject.message.is_empty() {
            return Err(format!("{:?} is rejected without a code or a message", reject.origin));
        }
    }
    Ok(())
}

fn within(host: &MemoryHost, origin: usher_abi::Origin) -> Result<(), String> {
    let bytes =
        host.input_bytes(origin.input).ok_or_else(|| format!("{origin:?} is of no input that was given"))?;
    match origin.offset.checked_add(u64::from(origin.length)) {
        Some(end) if end <= bytes.len() as u64 => Ok(()),
        _ => Err(format!("{origin:?} is behind the end of its input ({} bytes)", bytes.len())),
    }
}

fn schema_is(schema: &Schema, columns: &[&str]) -> Result<(), String> {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let wanted: Vec<&str> = columns.iter().copied().chain([OFFSET, LENGTH]).collect();
    if names != wanted {
        return Err(format!("the columns are {names:?} instead of {wanted:?}"));
    }
    let types: Vec<&DataType> = schema.fields().iter().rev().take(2).map(|f| f.data_type()).collect();
    if types != [&DataType::UInt32, &DataType::UInt64] {
        return Err(format!("`{OFFSET}` and `{LENGTH}` are not UInt64 and UInt32"));
    }
    Ok(())
}

/// The types are those that the catalog's kinds cross as.
fn kinds_are(schema: &Schema, catalog: &Catalog) -> Result<(), String> {
    for field in schema.fields() {
        let Some(attribute) = catalog.attributes.iter().find(|a| a.path == *field.name()) else { continue };
        let found = field.data_type();
        let text = matches!(found, DataType::Utf8 | DataType::Utf8View);
        let fits = match attribute.kind {
            ValueKind::Text | ValueKind::Any => text,
            ValueKind::Boolean => *found == DataType::Boolean,
            ValueKind::Integer => *found == DataType::Int64,
            ValueKind::Number => *found == DataType::Float64,
            ValueKind::Timestamp => text || matches!(found, DataType::Timestamp(..)),
            ValueKind::Date => text || *found == DataType::Date32,
            ValueKind::List => matches!(found, DataType::List(_)),
        };
        if !fits {
            let (path, kind) = (&attribute.path, attribute.kind.name());
            return Err(format!(
                "the catalog says that `{path}` is of the kind `{kind}`, but it comes as {found}"
            ));
        }
    }
    Ok(())
}

fn twice(bench: &Bench<'_>) -> Result<(), Stop> {
    let first = need(bench.read(&bench.host()), "reading the sample")?;
    let again = need(bench.read(&bench.host()), "reading the sample again")?;
    same(&rows_text(&first), &rows_text(&again), "the second time")?;
    if first.catalog != again.catalog {
        Err("the catalog is another one the second time".to_owned())?;
    }
    Ok(())
}

fn projection(bench: &Bench<'_>) -> Result<(), Stop> {
    let all = need(bench.read(&bench.host()), "reading the sample")?;
    let paths: Vec<&str> = all.catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    let mut plans: Vec<Vec<&str>> = vec![Vec::new()];
    plans.extend(paths.iter().map(|path| vec![*path]));
    plans.push(paths.iter().copied().rev().collect());
    plans.push(paths.iter().copied().step_by(2).collect());
    for plan in plans {
        let host = bench.host();
        let what = format!("projection {plan:?}");
        let read = bench.read_with(&host, ReadPlan { projection: Some(&plan), max_splits: 1 });
        let read = need(read, &what)?;
        well_formed(&host, &read, &plan).map_err(|e| format!("{what}: {e}"))?;
        let wanted: Vec<&str> = plan.iter().copied().chain([OFFSET, LENGTH]).collect();
        let expected = need(select(&all.batches, &wanted), &what)?;
        same(&expected, &records(&read.batches), &what)?;
    }
    Ok(())
}

/// The rows with these columns only, as text.
fn select(batches: &[RecordBatch], columns: &[&str]) -> Result<String, usher_abi::Error> {
    let mut text = String::new();
    for batch in batches {
        let indices: Vec<usize> =
            columns.iter().filter_map(|c| batch.schema_ref().index_of(c).ok()).collect();
        let batch =
            batch.project(&indices).map_err(|e| usher_abi::Error::bug("test.batch", e.to_string()))?;
        text.push_str(&records(&[batch]));
    }
    Ok(text)
}

fn unknown_attribute(bench: &Bench<'_>) -> Result<(), Stop> {
    for path in ["no such attribute", "", ".", "a..b", "a[", "a[99999999999999999999]", "_offset"] {
        let only = [path];
        let plan = ReadPlan { projection: Some(&only), max_splits: 1 };
        survive(bench.read_with(&bench.host(), plan), &format!("attribute `{path}`"))?;
    }
    Ok(())
}

fn empty(bench: &Bench<'_>) -> Result<(), Stop> {
    // No bytes at all may be an error (a CSV file without a header), but not a bug and no rows.
    let read = survive(bench.read(&bench.host_of_bytes(b"")), "an input of 0 bytes")?;
    match read.map_or(0, |read| read.rows()) {
        rows if rows > 0 && bench.case.inputs.len() == 1 => Err(format!("{rows} rows come out of 0 bytes"))?,
        _ => Ok(()),
    }
}

fn counts(bench: &Bench<'_>) -> Result<(), Stop> {
    count(bench, &[0, 1, 2, 100, 10_000])
}

fn many(bench: &Bench<'_>) -> Result<(), Stop> {
    bench.needs_time()?;
    count(bench, &[100_000])
}

fn count(bench: &Bench<'_>, counts: &[usize]) -> Result<(), Stop> {
    let Some((_, sample)) = bench.case.inputs.first().filter(|(_, s)| !s.is_whole()) else {
        return skip("the sample cannot be taken apart");
    };
    let others = need(bench.read(&bench.host()), "reading the sample")?;
    let others = (others.rows() + others.report.rejects.len() as u64).saturating_sub(sample.len() as u64);
    for &rows in counts {
        let host = bench.host_of_rows(rows);
        let read = need(bench.read(&host), &format!("{rows} records"))?;
        let found = read.rows() + read.report.rejects.len() as u64;
        if found != others + rows as u64 {
            Err(format!(
                "{rows} records are {} rows and {} rejects",
                read.rows(),
                read.report.rejects.len()
            ))?;
        }
        let paths: Vec<&str> = read.catalog.attributes.iter().map(|a| a.path.as_str()).collect();
        well_formed(&host, &read, &paths).map_err(|e| format!("{rows} records: {e}"))?;
    }
    Ok(())
}

fn slabs(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = || bench.host_of_rows(200);
    let expected = rows_text(&need(bench.read(&host()), "200 records")?);
    for size in [1, 2, 7, 64, 4096] {
        let what = format!("slabs of {size} bytes");
        let read = need(bench.read(&host().slab_size(size)), &what)?;
        same(&expected, &rows_text(&read), &what)?;
    }
    Ok(())
}

fn streamed(bench: &Bench<'_>) -> Result<(), Stop> {
    let expected = rows_text(&need(bench.read(&bench.host_of_rows(200)), "200 records")?);
    let host = bench.host_of_rows(200).as_stream();
    let plan = ReadPlan { projection: None, max_splits: 4 };
    let read = need(bench.read_with(&host, plan), "an input of unknown size")?;
    same(&expected, &rows_text(&read), "an input of unknown size")?;
    Ok(())
}

fn two_files(bench: &Bench<'_>) -> Result<(), Stop> {
    let Some((spec, sample)) = bench.case.inputs.first() else { return skip("the case gives no input") };
    let one = need(bench.read(&bench.host()), "reading the sample")?;
    let host = bench.host().with_input(spec, sample.bytes());
    let second = u32::try_from(bench.case.inputs.len() + 1).unwrap_or(u32::MAX);
    let two = need(bench.read(&host), "two files")?;
    let of = |read: &Read, wanted: u32| {
        let batches = read.batches.iter().zip(&read.inputs).filter(|(_, input)| **input == wanted);
        records(&batches.map(|(batch, _)| batch.clone()).collect::<Vec<_>>())
    };
    same(&of(&one, 1), &of(&two, 1), "the first file")?;
    same(&of(&one, 1), &of(&two, second), "the second file")?;
    Ok(())
}

fn splits(bench: &Bench<'_>) -> Result<(), Stop> {
    let expected = rows_text(&need(bench.read(&bench.host_of_rows(300)), "300 records")?);
    for max_splits in [2, 3, 16, 1000] {
        let what = format!("300 records in at most {max_splits} splits");
        let plan = ReadPlan { projection: None, max_splits };
        let read = need(bench.read_with(&bench.host_of_rows(300), plan), &what)?;
        let what = format!("{what} ({} made: {})", read.splits.len(), edges(&read));
        same(&expected, &rows_text(&read), &what)?;
    }
    Ok(())
}

fn edges(read: &Read) -> String {
    let edges: Vec<String> = read.splits.iter().take(8).map(|s| format!("{}..{}", s.start, s.end)).collect();
    edges.join(", ")
}

fn checkpoints(bench: &Bench<'_>) -> Result<(), Stop> {
    let host = bench.host_of_rows(10_000);
    let read = need(bench.read(&host), "10,000 records")?;
    if read.checkpoints.iter().all(Vec::is_empty) {
        return skip("the source keeps no checkpoints");
    }
    if read.splits.len() > 1 {
        return skip("one split was asked for and several were made");
    }
    let paths: Vec<&str> = read.catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    let marks = read.checkpoints.iter().enumerate().filter(|(_, c)| !c.is_empty());
    for (i, checkpoint) in marks {
        let what = format!("the checkpoint after batch {}", i + 1);
        let services = host.services();
        let options = bench.options();
        let mut source =
            need(drive::Source::open(bench.module, &bench.case.component, &options, &services), &what)?;
        need(source.check(), &what)?;
        need(source.catalog(), &what)?;
        let splits = need(source.plan(&PlanRequest::new(paths.iter().copied())), &what)?;
        let mut rest = Vec::new();
        for split in &splits {
            let mut stream = need(source.open_split(split, checkpoint), &what)?;
            let mut report = usher_abi::Report::default();
            while let Some(pulled) = need(stream.next(&mut report), &what)? {
                rest.push(pulled.batch);
            }
        }
        same(&records(&read.batches[i + 1..]), &records(&rest), &what)?;
    }
    Ok(())
}
