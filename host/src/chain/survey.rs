//! The passes before the pass: what must be known of all rows before the first goes on. They run only for chains that
//! need them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use arrow_array::{Array, RecordBatch};
use crossbeam_channel::bounded;
use usher_abi::{Error, PlanRequest, Report};
use usher_keys::Fingerprints;

use super::{
    books::Books,
    notes::Notes,
    outcome::Progress,
    prepare::{PreparedChain, PreparedSink, Suppression},
    reading::{Read, Reading},
    run::{QUEUE, join, with_nothing},
    shape::{ChainStage, ConsentStage, Origins},
    unique::{Keys, as_text, bad},
};
use crate::{expression::Program, runner::Source};

/// How far a pass goes, and on how many threads.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub(super) limit: Option<u64>,
    pub(super) threads: usize,
}

impl PreparedChain {
    /// Reads suppression lists, finds the records that `unique` keeps, and the addresses that refuse consent.
    ///
    /// `unique` chooses among the rows that the conditions before it leave, as it does when rows go by; a refusal
    /// counts wherever it stands, also in a record that is rejected for something else, hence a pass of its own. What a
    /// sink's `unique` keeps depends on what the chain's keeps, hence one more when both must look ahead.
    pub(super) fn survey(&mut self, reach: Reach) -> Result<(), Error> {
        if let (Some(suppression), Some(exclude)) = (self.suppression.take(), &mut self.stage.exclude) {
            read_keys(suppression, &mut exclude.keys)?;
        }
        let chain_looks_ahead = self.stage.unique.as_ref().is_some_and(|u| u.needs_survey());
        let consent_asked =
            self.sinks.iter().any(|s| s.stage.consent.as_ref().is_some_and(|c| c.refusals.is_some()));
        let (everything, of_consent) = (self.projection.clone(), self.of_consent());
        let together = consent_asked && chain_looks_ahead && of_consent == everything;
        if consent_asked && !together {
            self.pass(reach, &of_consent, |_, sinks, batch, _, _| survey_consents(sinks, &batch))?;
        }
        if chain_looks_ahead {
            self.pass(reach, &everything, |stage, sinks, batch, input, silent| {
                if together {
                    survey_consents(sinks, &batch)?;
                }
                let rows = stage.select(batch, input, silent)?;
                let origins = Origins::new(&rows, input)?;
                stage.unique.iter_mut().try_for_each(|unique| unique.survey(&rows, &origins))
            })?;
            self.stage.unique.iter_mut().for_each(|u| u.survey_done());
        }
        let looks_ahead = |s: &PreparedSink| s.stage.unique.as_ref().is_some_and(|u| u.needs_survey());
        if self.sinks.iter().any(looks_ahead) {
            self.pass(reach, &everything, |stage, sinks, batch, input, silent| {
                let rows = stage.apply(batch, input, silent)?;
                for sink in sinks.iter_mut().filter(|s| looks_ahead(s)) {
                    let rows = sink.stage.select(rows.clone(), input, silent)?;
                    let origins = Origins::new(&rows, input)?;
                    sink.stage.unique.iter_mut().try_for_each(|unique| unique.survey(&rows, &origins))?;
                    sink.stage.books = Books::default();
                }
                Ok(())
            })?;
            for sink in &mut self.sinks {
                sink.stage.unique.iter_mut().for_each(|u| u.survey_done());
            }
        }
        self.view.restart_progress();
        Ok(())
    }

    /// What the source must send to know who refuses: no more, so that a record refuses even if it is rejected for another
    /// value. But transforms are given everything, and so is whoever reads a source that has yet to fetch its records: it
    /// might fetch them once more for other columns.
    fn of_consent(&self) -> Vec<String> {
        let stages = self.sinks.iter().filter_map(|sink| sink.stage.consent.as_ref());
        let needed: Vec<&String> =
            stages.flat_map(ConsentStage::programs).flat_map(Program::columns).collect();
        let columns: Vec<String> = self.projection.iter().filter(|c| needed.contains(c)).cloned().collect();
        let fetches = self.view.progress().total == 0;
        if columns.is_empty() || fetches || !self.through.is_empty() {
            self.projection.clone()
        } else {
            columns
        }
    }

    /// Every batch of the source once, with these of its columns, as the chain's stage will see it; nothing is booked or
    /// noted.
    pub(super) fn pass(
        &mut self,
        Reach { limit, threads }: Reach,
        columns: &[String],
        mut look: impl FnMut(&mut ChainStage, &mut [PreparedSink], RecordBatch, u32, &Notes) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Self { view, source, label, through, stage, sinks, needs_nothing, .. } = self;
        let (silent, mut books) = (Notes::silent()?, Books::default());
        let (progress, stop) = (Progress::default(), AtomicBool::new(false));
        thread::scope(|scope| {
            let (to_look, from_reader) = bounded::<Read>(QUEUE);
            let reading = Reading { view, progress: &progress, limit, threads, stop: &stop, label };
            let reader = scope.spawn(move || reading.run(&mut **source, columns, &to_look));
            let mut give = |(batch, input): (RecordBatch, u32)| {
                let batch = if *needs_nothing { with_nothing(&batch)? } else { batch };
                look(stage, sinks, batch, input, &silent)
            };
            let mut looked = from_reader.iter().try_for_each(|Read { batch, input, .. }| {
                through.apply(batch, input, &mut books, &silent)?.into_iter().try_for_each(&mut give)
            });
            stop.store(looked.is_err(), Ordering::Release);
            drop(from_reader);
            let read = join(reader);
            if looked.is_ok() && read.is_ok() {
                looked = through.flush(&mut books, &silent)?.into_iter().try_for_each(&mut give);
            }
            read.and(looked)
        })?;
        self.through.restart()?;
        self.stage.restart();
        Ok(())
    }
}

fn survey_consents(sinks: &mut [PreparedSink], batch: &RecordBatch) -> Result<(), Error> {
    let mut asked = sinks.iter_mut().filter_map(|sink| sink.stage.consent.as_mut());
    asked.try_for_each(|consent| survey_consent(consent, batch))
}

/// Notes the addresses of rows that say no. A row that says nothing refuses nothing.
fn survey_consent(consent: &mut ConsentStage, batch: &RecordBatch) -> Result<(), Error> {
    let program = &consent.condition.program;
    let agrees = program.condition(batch).map_err(bad)?;
    let said = program.value(batch).map_err(bad)?.array;
    let Some((key, refusals)) = &mut consent.refusals else { return Ok(()) };
    let keys = as_text(&key.value(batch).map_err(bad)?.array)?;
    let Some(keys) = Keys::new(&keys) else { return Ok(()) };
    let failed: Vec<usize> = agrees.errors.iter().map(|(row, _)| *row).collect();
    let refuses =
        |row: usize| !agrees.keep.value(row) && said.is_valid(row) && failed.binary_search(&row).is_err();
    for row in (0..batch.num_rows()).filter(|row| refuses(*row)) {
        if let Some(key) = keys.get(row) {
            let print = refusals.folded(key);
            refusals.insert(print, 1);
        }
    }
    Ok(())
}

fn read_keys(mut suppression: Suppression, into: &mut Fingerprints<u8>) -> Result<(), Error> {
    let column = suppression.column.clone();
    let source: &mut dyn Source = &mut *suppression.source;
    for split in source.plan(&PlanRequest::new([&column]))? {
        let mut stream = source.open_split(&split)?;
        while let Some((batch, _)) = stream.next(&mut Report::default())? {
            let values = batch.column_by_name(&column).map(as_text).transpose()?;
            let keys = values.as_ref().and_then(Keys::new);
            for key in (0..batch.num_rows()).filter_map(|row| keys.as_ref().and_then(|k| k.get(row))) {
                let print = into.folded(key);
                into.insert(print, 1);
            }
        }
    }
    Ok(())
}
