//! A sink's work in an earlier run, done again without a trace: which records its rows were made from.

use std::{collections::HashSet, sync::Arc};

use arrow_array::RecordBatch;
use usher_abi::{Error, Identity, Origin, Report};

use super::{
    engine::Engine,
    notes::Notes,
    outcome::Failure,
    prepare::{PreparedSink, prepare},
    run::Mode,
    shape::{ChainStage, Origins},
    survey::Reach,
    sync::WentOut,
    unique::{Keys, as_text, bad},
};
use crate::{
    plugins::Plugin,
    runs::Run,
    services::{Digest, InputRegistry, Part, Sending, Staging},
};

/// Of each part so many bytes are kept, for its headings.
const HEAD: usize = 65_536;

/// What came of it.
pub(super) struct Replay {
    pub(super) inputs: Arc<InputRegistry>,
    /// Of the inputs, by id.
    pub(super) digests: Vec<Digest>,
    pub(super) plugins: Vec<Arc<Plugin>>,
    /// The sink's parts, with the names that they had.
    pub(super) parts: Vec<Part>,
    /// What the sink says it wrote.
    pub(super) written: Identity,
    rows: Rows,
}

/// The rows that the sink was given, in order.
#[derive(Default)]
struct Rows {
    origins: Vec<Origin>,
    /// The keys of all rows, one after the other, and where each ends.
    keys: String,
    ends: Vec<usize>,
    /// Those that it rejected, or merged into others, by input and first byte.
    gone: HashSet<(u32, u64)>,
    written: Identity,
    begun: bool,
}

impl Replay {
    /// Does the work of `connector` in `run` again: of the first `limit` records, and not for more than `most` rows that
    /// the sink would be given. `held_back`: there were rows that it was not given because they had not changed. Nothing is published or sent, and nobody is asked over the network.
    pub(super) fn new(
        engine: &mut Engine,
        run: &Run,
        connector: &str,
        limit: Option<u64>,
        most: usize,
        held_back: bool,
    ) -> Result<Self, Failure> {
        engine.asking.set(Sending::Nothing);
        engine.delivering.set(Sending::Nothing);
        let staging = Staging::dry(&std::env::temp_dir(), &run.chain, &run.id, HEAD)?;
        let attempt =
            engine.attempt(&engine.manifest.chain(&run.chain)?.clone(), &run.id, Mode::Plan, false)?;
        let mut prepared = prepare(engine, &run.chain, &attempt, &staging, Mode::Plan)?;
        prepared.sinks.retain(|sink| sink.name == connector);
        // The state has moved on since.
        for sink in &mut prepared.sinks {
            sink.stage.sync = None;
            sink.stage.went_out = if held_back { Some(WentOut::read(&run.folder, connector)?) } else { None };
        }
        let reach = Reach { limit, threads: engine.settings.threads };
        prepared.survey(reach)?;
        let mut rows = Rows::default();
        let (columns, email) = (prepared.projection.clone(), prepared.email.clone());
        prepared.pass(reach, &columns, |stage, sinks, batch, input, silent| {
            let batch = stage.apply(batch, input, silent)?;
            sinks.iter_mut().try_for_each(|sink| {
                let keys = keys_of(stage, sink, email.as_deref(), &batch)?;
                rows.give(sink, batch.clone(), input, &keys, most, silent)
            })
        })?;
        for sink in &mut prepared.sinks {
            rows.end(sink)?;
        }
        let inputs = prepared.inputs.clone();
        let digests = inputs.digests()?;
        engine.forget_stops();
        let (plugins, written) = (prepared.plugins, rows.written);
        Ok(Self { inputs, digests, plugins, parts: staging.parts(), written, rows })
    }

    /// How many rows the sink was given.
    pub(super) fn given(&self) -> usize {
        self.rows.origins.len()
    }

    /// The records of the rows that it wrote, in order, by their numbers among those that it was given.
    pub(super) fn of_written(&self) -> Vec<usize> {
        let written = |n: &usize| {
            let Origin { input, offset, .. } = self.rows.origins[*n];
            !self.rows.gone.contains(&(input, offset))
        };
        (0..self.given()).filter(written).collect()
    }

    /// Where the record of a row stands, and its key; the row by its number among those that the sink was given.
    pub(super) fn record(&self, given: usize) -> Option<(Origin, &str)> {
        let origin = self.rows.origins.get(given)?;
        let start = given.checked_sub(1).map_or(0, |before| self.rows.ends[before]);
        Some((*origin, &self.rows.keys[start..self.rows.ends[given]]))
    }
}

impl Rows {
    fn give(
        &mut self,
        sink: &mut PreparedSink,
        batch: RecordBatch,
        input: u32,
        keys: &[(u64, String)],
        most: usize,
        silent: &Notes,
    ) -> Result<(), Error> {
        let shaped = sink.stage.apply(batch, input, silent)?;
        let shaped = shaped.slice(0, shaped.num_rows().min(most - self.origins.len()));
        let origins = Origins::new(&shaped, input)?;
        // Rows may have been left out since, but keep their order.
        let mut keys = keys.iter();
        for row in 0..shaped.num_rows() {
            let key = keys.find(|(offset, _)| *offset == origins.offsets[row]);
            self.keys.push_str(key.map_or("", |(_, key)| key));
            self.ends.push(self.keys.len());
            self.origins.push(origins.get(row));
        }
        if !self.begun {
            sink.sink.begin(&shaped.schema())?;
            self.begun = true;
        }
        if shaped.num_rows() == 0 {
            return Ok(());
        }
        let mut report = Report::default();
        sink.sink.write(&shaped, input, &mut report)?;
        self.take(&report);
        Ok(())
    }

    fn end(&mut self, sink: &mut PreparedSink) -> Result<(), Error> {
        if !self.begun {
            sink.sink.begin(&sink.stage.empty_schema())?;
        }
        let mut report = Report::default();
        sink.sink.flush(&mut report)?;
        sink.sink.finish(&mut report)?;
        self.take(&report);
        Ok(())
    }

    fn take(&mut self, report: &Report) {
        self.written.merge(report.written);
        let merged = report.merged.iter().map(|merged| merged.origin);
        let gone = report.rejects.iter().map(|reject| reject.origin).chain(merged);
        self.gone.extend(gone.map(|origin| (origin.input, origin.offset)));
    }
}

/// What makes each row of a batch one person's: the value of the sink's `unique`, else of the chain's, else the address.
fn keys_of(
    stage: &ChainStage,
    sink: &PreparedSink,
    email: Option<&str>,
    batch: &RecordBatch,
) -> Result<Vec<(u64, String)>, Error> {
    let unique = sink.stage.unique.as_ref().or(stage.unique.as_ref());
    let values = match (unique, email.and_then(|column| batch.column_by_name(column))) {
        (Some(unique), _) => as_text(&unique.key.value(batch).map_err(bad)?.array)?,
        (None, Some(column)) => as_text(column)?,
        (None, None) => return Ok(Vec::new()),
    };
    let Some(keys) = Keys::new(&values) else { return Ok(Vec::new()) };
    // Of which input does not matter within a batch.
    let offsets = Origins::new(batch, 0)?.offsets;
    let key = |row: usize| keys.get(row).unwrap_or_default().trim().to_owned();
    Ok(offsets.iter().enumerate().map(|(row, offset)| (*offset, key(row))).collect())
}
