//! The pass before the pass: what must be known of all rows before the first goes on. Runs only for chains that need
//! it, over only the columns that it needs.

use arrow_array::{Array, BooleanArray};
use usher_abi::{Error, Report};
use usher_keys::Fingerprints;

use super::{
    names::NOTHING,
    prepare::{PreparedChain, Suppression},
    run::{take_first, with_nothing},
    shape::{ConsentStage, Origins},
    unique::{Keys, UniqueStage, as_text, bad},
};
use crate::runner::Source;

impl PreparedChain {
    /// Reads suppression lists, finds the records that `unique` keeps, and the addresses that refuse consent.
    pub(super) fn survey(&mut self, limit: Option<u64>) -> Result<(), Error> {
        if let (Some(suppression), Some(exclude)) = (self.suppression.take(), &mut self.stage.exclude) {
            read_keys(suppression, &mut exclude.keys)?;
        }
        let mut columns: Vec<String> = Vec::new();
        let mut uniques: Vec<&mut UniqueStage> = Vec::new();
        let mut consents: Vec<&mut ConsentStage> = Vec::new();
        uniques.extend(self.stage.unique.as_mut().filter(|u| u.needs_survey()));
        for sink in &mut self.sinks {
            uniques.extend(sink.stage.unique.as_mut().filter(|u| u.needs_survey()));
            consents.extend(sink.stage.consent.as_mut().filter(|c| c.refusals.is_some()));
        }
        let programs = uniques.iter().flat_map(|u| std::iter::once(&u.key).chain(u.rank.as_ref()));
        for program in programs {
            columns.extend_from_slice(program.columns());
        }
        for consent in &consents {
            columns.extend_from_slice(consent.condition.program.columns());
            columns.extend(consent.refusals.iter().flat_map(|(key, _)| key.columns().to_vec()));
        }
        let needs_nothing = columns.iter().any(|c| c == NOTHING);
        let projection: Vec<String> =
            self.projection.iter().filter(|c| columns.contains(c)).cloned().collect();
        if uniques.is_empty() && consents.is_empty() {
            return Ok(());
        }
        let mut left = limit.unwrap_or(u64::MAX);
        each_batch(&mut *self.source, &projection, |mut batch, input, mut report| {
            take_first(&mut batch, input, &mut report, &mut left)?;
            let batch = if needs_nothing { with_nothing(&batch)? } else { batch };
            let origins = Origins::new(&batch, input)?;
            for unique in &mut uniques {
                unique.survey(&batch, &origins)?;
            }
            for consent in &mut consents {
                survey_consent(consent, &batch)?;
            }
            Ok(left > 0)
        })?;
        uniques.iter_mut().for_each(|u| u.survey_done());
        self.view.restart_progress();
        Ok(())
    }
}

/// Notes the addresses of rows that say no. A row that says nothing refuses nothing.
fn survey_consent(consent: &mut ConsentStage, batch: &arrow_array::RecordBatch) -> Result<(), Error> {
    let program = &consent.condition.program;
    let agrees = program.condition(batch).map_err(bad)?;
    let said = program.value(batch).map_err(bad)?.array;
    let Some((key, refusals)) = &mut consent.refusals else { return Ok(()) };
    let keys = as_text(&key.value(batch).map_err(bad)?.array)?;
    let Some(keys) = Keys::new(&keys) else { return Ok(()) };
    let failed: Vec<usize> = agrees.errors.iter().map(|(row, _)| *row).collect();
    let refuses = |row: usize| {
        let keep: &BooleanArray = &agrees.keep;
        !keep.value(row) && said.is_valid(row) && failed.binary_search(&row).is_err()
    };
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
    each_batch(&mut *suppression.source, std::slice::from_ref(&column), |batch, _, _| {
        let values = batch.column_by_name(&column).map(as_text).transpose()?;
        let keys = values.as_ref().and_then(Keys::new);
        for key in (0..batch.num_rows()).filter_map(|row| keys.as_ref().and_then(|k| k.get(row))) {
            let print = into.folded(key);
            into.insert(print, 1);
        }
        Ok(true)
    })
}

/// Every batch of a source, until `take` says that it has enough.
fn each_batch(
    source: &mut dyn Source,
    projection: &[String],
    mut take: impl FnMut(arrow_array::RecordBatch, u32, Report) -> Result<bool, Error>,
) -> Result<(), Error> {
    for split in source.plan(projection, 1)? {
        let mut stream = source.open_split(&split)?;
        loop {
            let mut report = Report::default();
            let Some((batch, input)) = stream.next(&mut report)? else { break };
            if !take(batch, input, report)? {
                return Ok(());
            }
        }
    }
    Ok(())
}
