//! What keeps a result back: too many rejects, nothing left, an unusual volume.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use usher_abi::{Error, Identity};

use super::{
    books::UNCHANGED,
    prepare::{PreparedChain, PreparedSink},
};

impl PreparedChain {
    /// Why the result is kept back, if it is.
    pub(super) fn refusals(&self, read: u64) -> Vec<String> {
        let of_sinks = self.sinks.iter().filter_map(|sink| of_sink(sink, read));
        let unusual = self.usual.iter().flat_map(|usual| usual.refusals(read, &self.sinks));
        of_sinks.chain(unusual).collect()
    }
}

fn of_sink(sink: &PreparedSink, read: u64) -> Option<String> {
    let rejected = sink.stage.books.rejected.count;
    if sink.max_rejects.exceeded(rejected, read) {
        return Some(format!(
            "`{}` rejected {rejected} of {read} records, more than max_rejects = {} allows; see rejects.csv",
            sink.name, sink.max_rejects
        ));
    }
    if let Some((missing, delivered)) = sink.gone.of.filter(|_| sink.gone.is_too_many()) {
        return Some(format!(
            "{missing} of {delivered} people delivered to `{}` are gone from the source, more than max_missing = {}% allows; if \
             that is right, run once with `--set 'connectors.{}.max_missing=100%'`",
            sink.name,
            sink.gone.most(),
            sink.name
        ));
    }
    let books = &sink.stage.books;
    let nothing =
        books.written.count + books.sent() + books.held(Identity { count: read, sum: 0 }).count == 0;
    let nothing = nothing && books.not_sent.count == 0 && books.unchanged() == 0 && !sink.allow_empty;
    nothing.then(|| {
        format!(
            "nothing is left for `{}` of {read} records; if that is right, set allow_empty = true",
            sink.name
        )
    })
}

/// Many fewer or many more rows than in the last good run mean that something is wrong with the source or a condition,
/// which no single row shows. Here are those of the run that `latest` names.
pub(super) struct Usual {
    /// By so many of a hundred rows this run's may differ.
    percent: f64,
    last: Last,
}

/// What is wanted of a `report.json`.
#[derive(Deserialize)]
struct Last {
    chain: String,
    run: String,
    read: Records,
    connectors: Vec<Connector>,
}

#[derive(Deserialize)]
struct Records {
    records: u64,
}

#[derive(Deserialize)]
struct Connector {
    name: String,
    books: Terms,
}

#[derive(Deserialize)]
struct Terms {
    read: u64,
    filtered: BTreeMap<String, u64>,
    merged: u64,
}

impl Usual {
    /// As the last good run below `chain_folder` had it; `None` before the first.
    pub(super) fn load(chain_folder: &Path, percent: f64) -> Result<Option<Self>, Error> {
        let path = chain_folder.join("latest/report.json");
        let unreadable = |reason: &dyn std::fmt::Display| {
            let path = path.display();
            Error::config(
                "run.report",
                format!(
                    "`{path}`, to which `max_change` compares, cannot be read ({reason}); restore it, or remove `latest`"
                ),
            )
        };
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        };
        let last = serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
        Ok(Some(Self { percent, last }))
    }

    /// What is unusual: of the records that were read, or else of the rows that each sink was to take.
    pub(super) fn refusals(&self, read: u64, sinks: &[PreparedSink]) -> Vec<String> {
        let Self { percent, last } = self;
        let chain = &last.chain;
        let differs = |now: u64, then: u64| now.abs_diff(then) as f64 * 100.0 > percent * then as f64;
        let told = |what: &str, now: u64, then: u64| {
            format!(
                "{what} {now} rows, {then} in run {}: more of a change than max_change = {percent}% allows; if that is \
                 right, run once with `--set 'chains.{chain}.max_change=1000%'`",
                last.run
            )
        };
        if differs(read, last.read.records) {
            return vec![told("the chain read", read, last.read.records)];
        }
        let of = |sink: &PreparedSink| {
            let before = last.connectors.iter().find(|connector| connector.name == sink.name)?;
            // What has not changed was not taken again, which is no change of what there is.
            let filtered = before.books.filtered.iter().filter(|(reason, _)| *reason != UNCHANGED);
            let filtered: u64 = filtered.map(|(_, rows)| rows).sum();
            // Neither left out nor merged.
            let then = before.books.read.saturating_sub(filtered + before.books.merged);
            let books = &sink.stage.books;
            let now = (read + books.unchanged()).saturating_sub(books.filtered().count + books.merged.count);
            differs(now, then).then(|| told(&format!("`{}` takes", sink.name), now, then))
        };
        sinks.iter().filter_map(of).collect()
    }
}
