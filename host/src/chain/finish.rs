//! The end of a run: books balance, thresholds hold, the run's own files are written, and it is published.

use std::{collections::BTreeMap, io::Write, path::Path, time::Instant};

use serde::Serialize;
use serde_json::json;
use usher_abi::{Delivery, Error, ErrorClass, Identity};

use super::{
    engine::Engine,
    mapping::Filling,
    notes::Notes,
    outcome::{
        ColumnOutcome, ConnectorOutcome, Counted, DeliveryOutcome, Failure, Outcome, PartOutcome, Progress,
        SyncOutcome,
    },
    planned::Planning,
    prepare::{PreparedChain, PreparedSink},
    receipt::{Files, Made},
    report::{inputs_of, report},
    run::Mode,
    sync::{SyncStage, account_of, write_sync_files},
    writing::SinkEnd,
};
use crate::{
    report::{Missing, Said, upload_guide},
    runs::RECEIPT,
    services::{Attempt, Digest, Part, Sending, Staging, disk_error},
};

/// Everything that is left when the last row has passed.
pub(super) struct Closing<'a> {
    pub(super) engine: &'a Engine,
    pub(super) prepared: PreparedChain,
    pub(super) staging: Staging,
    pub(super) notes: Notes,
    pub(super) read: Identity,
    pub(super) ends: Vec<SinkEnd>,
    /// The first byte of a record, by input.
    pub(super) firsts: BTreeMap<u32, u64>,
    pub(super) digests: Vec<Digest>,
    pub(super) means: Files,
    pub(super) id: &'a str,
    /// The run that this one is an attempt at.
    pub(super) attempt: Attempt,
    pub(super) mode: Mode,
    pub(super) started: Instant,
    /// How many records had each guessed attribute.
    pub(super) seen: Vec<u64>,
    pub(super) progress: &'a Progress,
}

impl Closing<'_> {
    pub(super) fn close(mut self) -> Result<Outcome, Failure> {
        let staged = self.staging.parts();
        let mut connectors = Vec::new();
        for index in 0..self.prepared.sinks.len() {
            let sink = &self.prepared.sinks[index];
            let parts: Vec<&Part> = staged.iter().filter(|p| p.connector == sink.name).collect();
            let extra: Vec<&str> =
                self.ends[index].receipt.parts.iter().filter(|p| p.extra).map(|p| p.name.as_str()).collect();
            let rows = parts.iter().filter(|p| !extra.contains(&p.name.as_str())).map(|p| p.rows).sum();
            let label = format!("{} {}", sink.plugin, sink.version);
            sink.stage.books.balance(&sink.name, self.read, rows).map_err(|e| e.context(label))?;
            connectors.push(self.outcome_of(index, &parts));
        }
        let refused = self.prepared.refusals(self.read.count);
        let (mut warnings, limited) = (self.warnings(), self.limited());
        let partly = self.partly()?;
        let sent = self.prepared.sinks.iter().any(PreparedSink::has_sent);
        let inputs = &self.prepared.inputs;
        match inputs.inputs().iter().try_for_each(|input| inputs.unchanged(input.id)) {
            // What was sent was read before, and what became of it must be told.
            Err(error) if sent => warnings.push(error.message.to_string()),
            unchanged => unchanged?,
        }
        let forget = self.mode == Mode::Run && partly.is_empty() && self.is_finished();
        let noted = if self.mode == Mode::Run { self.note_what_went_out(forget)? } else { Vec::new() };
        for (index, noting) in &noted {
            connectors[*index].sync.iter_mut().for_each(|sync| sync.waiting = noting.waiting);
            warnings.extend(noting.given_up.iter().map(|run| {
                format!(
                    "{}: nobody has confirmed run {run}, and nobody can any more: its rows go out until a later run is confirmed",
                    self.prepared.sinks[*index].name
                )
            }));
        }
        let (digests, engine, attempt) = (self.digests, self.engine, self.attempt);
        let mut outcome = Outcome {
            chain: self.prepared.chain.name.clone(),
            run: self.id.to_owned(),
            folder: None,
            latest: false,
            refused,
            partly,
            limited,
            read: self.read.count,
            through: self.prepared.through.outcome(),
            connectors,
            warnings,
            seconds: 0.0,
            bytes: digests.iter().map(|d| d.bytes).sum(),
            plan: None,
        };
        if self.mode == Mode::Plan {
            let planning = Planning {
                engine,
                chain: &self.prepared,
                notes: &self.notes,
                ends: &self.ends,
                digests: &digests,
                means: &self.means,
                records: self.read.count,
                logs: &self.progress.logs(),
            };
            outcome.plan = Some(Box::new(planning.outcome()?));
        }
        if self.mode == Mode::Run {
            let names: Vec<String> = self.prepared.sinks.iter().map(|s| s.name.clone()).collect();
            let syncs = self.prepared.sinks.iter().any(|sink| sink.stage.sync.is_some());
            for (index, sink) in self.prepared.sinks.iter().enumerate() {
                sink.gone.withdrawn.iter().try_for_each(|one| self.notes.withdrawn(index, one))?;
            }
            self.notes.write(&self.prepared.inputs, &self.staging, &names, syncs)?;
            write_sync_files(&self.staging, &self.prepared.sinks)?;
            let inputs = inputs_of(&self.prepared.inputs, &digests, &self.firsts)?;
            let mut report = report(&self.prepared, &outcome, &staged, self.read, &self.ends, inputs);
            if let Some(retry) = &engine.settings.retry {
                report["retries"] = json!(retry.run);
            }
            write_json(&self.staging, "report.json", &report)?;
            for (index, (sink, end)) in self.prepared.sinks.iter().zip(&self.ends).enumerate() {
                // What a vendor was sent nobody uploads.
                if end.receipt.delivery.is_some() {
                    continue;
                }
                let parts: Vec<&Part> = staged.iter().filter(|p| p.connector == sink.name).collect();
                let missing = Missing {
                    rejected: sink.stage.books.rejected.count,
                    left_out: self.notes.left_out_of(index),
                    withdrawn: sink.gone.withdrawn.len() as u64,
                };
                let mut said = Said {
                    refused: outcome.refused.clone(),
                    warnings: self.prepared.said_of(&sink.name),
                    afterwards: sink.guide_to_confirm(self.id).filter(|_| forget),
                };
                if limited {
                    said.warnings.push(first_records(self.read.count));
                }
                let text = upload_guide(&sink.name, &sink.plugin, &end.receipt, &parts, missing, &said);
                write_file(&self.staging, &format!("{}/UPLOAD.md", sink.name), text.as_bytes())?;
            }
            let made = Made {
                engine,
                chain: &self.prepared,
                staging: &self.staging,
                read: self.read,
                ends: &self.ends,
                digests: &digests,
                id: self.id,
            };
            // Of all other files: it is the last.
            write_json(&self.staging, RECEIPT, &made.receipt(&self.means)?)?;
            if engine.cancel.is_cancelled() && !sent {
                return Err(Failure::Cancelled);
            }
            // The first records are for a look, those of a retry are for whoever missed them: whoever takes `latest` wants
            // all.
            let whole = !limited && engine.settings.retry.is_none();
            outcome.latest = outcome.refused.is_empty() && outcome.partly.is_empty() && whole;
            let published = self.staging.publish(outcome.latest);
            if published.as_ref().map_or_else(|error| error.code == "output.latest", |_| true) {
                for (index, noting) in noted {
                    let PreparedSink { name, stage, gone, .. } = &self.prepared.sinks[index];
                    let account = account_of(&self.ends[index]);
                    let publish = |sync: &SyncStage| sync.publish(noting.delivery, account, gone);
                    let done = stage.sync.as_ref().map_or(Ok(()), publish);
                    // The run is there. The next one of the chain makes up for it.
                    if let Err(error) = done {
                        outcome.warnings.push(format!(
                            "{name}: it is not noted yet that this run was published: {error}"
                        ));
                    }
                }
            }
            // Not before the run can be seen: whoever must run again must not send again.
            if forget && published.as_ref().map_or_else(|error| error.code == "output.latest", |_| true) {
                engine.forget(&attempt)?;
            }
            outcome.folder = Some(shown(&published?.path()));
        }
        outcome.seconds = self.started.elapsed().as_secs_f64();
        Ok(outcome)
    }

    /// Whether there may be more records than were read.
    fn limited(&self) -> bool {
        self.engine.settings.limit == Some(self.read.count)
    }

    fn outcome_of(&self, index: usize, parts: &[&Part]) -> ConnectorOutcome {
        let sink = &self.prepared.sinks[index];
        let books = &sink.stage.books;
        let counted = |(what, count): (String, u64)| Counted { what, count };
        let filtered = books.filtered.iter().map(|(reason, i)| counted(((*reason).to_owned(), i.count)));
        let changed = self.ends[index].changed.iter().map(|(c, r, n)| counted((format!("{c}: {r}"), *n)));
        let empty = sink.stage.columns.iter().filter(|c| sink.stage.is_empty(&c.name));
        ConnectorOutcome {
            name: sink.name.clone(),
            plugin: sink.plugin.clone(),
            parts: parts
                .iter()
                .map(|p| PartOutcome {
                    path: format!("{}/{}", p.connector, p.name),
                    rows: p.rows,
                    bytes: p.bytes,
                })
                .collect(),
            written: books.written.count,
            delivery: self.ends[index].receipt.delivery.as_ref().map(|delivery| DeliveryOutcome {
                account: delivery.account.clone(),
                accepted: books.accepted.count,
                confirmed: books.confirmed.count,
                unknown: books.unknown.count,
                not_sent: books.not_sent.count,
                units: delivery.units,
                settled: delivery.settled,
                earlier: delivery.earlier,
            }),
            filtered: filtered.collect(),
            merged: books.merged.count,
            rejected: self.notes.rejects_of(index),
            changed: changed.collect(),
            left_out: self.notes.left_out_of(index),
            sync: sink.stage.sync.as_ref().map(|_| SyncOutcome {
                waiting: 0,
                withdrawn: sink.gone.withdrawn.len() as u64,
                missing: sink.gone.of.map(|(missing, _)| missing),
                suspension: sink.suspension(),
            }),
            empty_columns: empty.map(|column| column.name.clone()).collect(),
            columns: sink
                .columns
                .iter()
                .map(|(column, from, how)| ColumnOutcome {
                    column: column.clone(),
                    from: *from,
                    how: how.clone(),
                })
                .collect(),
            sample: sink.stage.sample.as_ref().map(|s| s.rows.clone()).unwrap_or_default(),
        }
    }

    /// What was not sent, or is not known of what was; a sentence for each sink. An error when nothing is left of the
    /// run: no file was to be written and nothing was sent.
    fn partly(&self) -> Result<Vec<String>, Error> {
        let sinks = || self.prepared.sinks.iter().zip(&self.ends);
        if self.engine.delivering.get() != Sending::All {
            return Ok(Vec::new());
        }
        let went_out = sinks().any(|(sink, end)| match &end.receipt.delivery {
            None => true,
            Some(delivery) => delivery.settled > 0 || sink.has_sent(),
        });
        let stopped = |end: &SinkEnd| end.receipt.delivery.as_ref().and_then(|d| d.stopped.clone());
        if !went_out && let Some((sink, why)) = sinks().find_map(|(sink, end)| Some((sink, stopped(end)?))) {
            let class = if why.retryable { ErrorClass::TRANSIENT } else { ErrorClass::PERMANENT };
            return Err(Error::new(class, why.code, why.message).context(format!("`{}`", sink.name)));
        }
        let rows = sinks().filter_map(|(sink, end)| partly(sink, end.receipt.delivery.as_ref()?));
        Ok(rows.chain(sinks().filter_map(|(sink, _)| sink.left_to_suspend())).collect())
    }

    /// Whether nothing is left of the run that this one is an attempt at. The first records of a run that was begun with
    /// more are not all of it.
    fn is_finished(&self) -> bool {
        let all = !self.limited() || self.attempt.run == self.id;
        all && self.engine.delivering.get() == Sending::All
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> =
            self.prepared.warnings.iter().map(|d| format!("{}: {}", d.key, d.message)).collect();
        warnings
            .extend(self.prepared.notes.iter().map(|note| format!("{}: {note}", self.prepared.chain.from)));
        for (guess, seen) in
            self.prepared.guesses.iter().zip(&self.seen).filter(|(guess, _)| guess.named_at.is_some())
        {
            let (column, read) = (&guess.column, self.read.count);
            warnings.push(format!("`{column}` is no known attribute; {seen} of {read} records have it"));
        }
        if self.limited() {
            warnings.push(first_records(self.read.count));
        }
        if self.prepared.reads_anew {
            warnings.push(OTHER_INPUTS.to_owned());
        }
        let has_rows = |sink: &&PreparedSink| sink.stage.books.written.count > 0 || sink.held > 0;
        for sink in self.prepared.sinks.iter().filter(has_rows) {
            for (column, from, _) in &sink.columns {
                // Defaults are there for whoever has the claim; what the manifest itself asks for should hold something.
                let asked = matches!(from, Filling::Field | Filling::Claim);
                if asked && sink.stage.is_empty(column) {
                    warnings.push(format!(
                        "{}: no record fills `{column}`; check the spelling of what fills it",
                        sink.name
                    ));
                }
            }
        }
        for (sink, end) in self.prepared.sinks.iter().zip(&self.ends) {
            warnings.extend(sink.sync_warnings(account_of(end)).map(|w| format!("{}: {w}", sink.name)));
            warnings.extend(end.receipt.warnings.iter().map(|w| format!("{}: {w}", sink.name)));
        }
        warnings
    }
}

/// When an attempt goes on with a run that read something else.
pub(super) const OTHER_INPUTS: &str = "the inputs are not those of the attempt before: rows that it has sent are sent again, where \
they stand among others now";

fn first_records(read: u64) -> String {
    format!("only the first {read} records were read (--limit)")
}

/// What is left of a delivery, in a sentence, if something is.
fn partly(sink: &PreparedSink, delivery: &Delivery) -> Option<String> {
    let books = &sink.stage.books;
    let (not_sent, unknown) = (books.not_sent.count, books.unknown.count);
    if delivery.stopped.is_none() && not_sent == 0 && unknown == 0 {
        return None;
    }
    let mut left = Vec::new();
    if not_sent > 0 {
        left.push(format!("{not_sent} rows were not sent"));
    }
    if unknown > 0 {
        left.push(format!("what became of {unknown} is not known"));
    }
    if left.is_empty() {
        left.push("all rows were sent, but it is not done".to_owned());
    }
    let why = delivery.stopped.as_ref().map_or(String::new(), |why| format!(" ({})", why.message));
    Some(format!("`{}`: {}{why}", sink.name, left.join(", and ")))
}

fn write_json(staging: &Staging, name: &str, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value).map_err(|e| Error::bug("host.json", e.to_string()))?;
    text.push('\n');
    write_file(staging, name, text.as_bytes())
}

fn write_file(staging: &Staging, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let mut file = staging.create_file(name)?;
    file.write_all(bytes).map_err(|e| disk_error("output", Path::new(name), &e))
}

/// A path as people read it: from where they stand, if it is below.
fn shown(path: &Path) -> String {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(|p| p.display().to_string()))
        .unwrap_or_else(|| path.strip_prefix(".").unwrap_or(path).display().to_string())
}
