//! Which rows go on, and as which columns: the chain's own conditions, then each sink's.

use std::{collections::BTreeSet, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions,
    cast::AsArray,
    types::{UInt32Type, UInt64Type},
};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use usher_abi::{Error, Identity, Origin, Reject, metadata};
use usher_keys::Fingerprints;

use super::{
    books::Books,
    longest::Longest,
    notes::Notes,
    sync::{Left, SyncStage, WentOut},
    unique::{Keys, UniqueStage, as_text, bad, each_print},
};
use crate::expression::Program;

/// Name of the column with the place of each record in its decompressed input.
pub(super) const OFFSET: &str = "_offset";
/// Name of the column with the length of each record.
pub(super) const LENGTH: &str = "_length";

/// Origins of the rows of a batch.
#[derive(Clone, Copy)]
pub(super) struct Origins<'a> {
    pub(super) input: u32,
    pub(super) offsets: &'a [u64],
    pub(super) lengths: &'a [u32],
}

impl<'a> Origins<'a> {
    pub(super) fn new(batch: &'a RecordBatch, input: u32) -> Result<Self, Error> {
        let missing = || {
            Error::bug(
                "plugin.origin",
                format!(
                    "a batch came without `{OFFSET}` and `{LENGTH}`; sources must add them, transforms keep them"
                ),
            )
        };
        let offsets = batch.column_by_name(OFFSET).and_then(|c| c.as_primitive_opt::<UInt64Type>());
        let lengths = batch.column_by_name(LENGTH).and_then(|c| c.as_primitive_opt::<UInt32Type>());
        let (offsets, lengths) = (offsets.ok_or_else(missing)?, lengths.ok_or_else(missing)?);
        Ok(Self { input, offsets: offsets.values(), lengths: lengths.values() })
    }

    pub(super) fn get(&self, row: usize) -> Origin {
        Origin { input: self.input, length: self.lengths[row], offset: self.offsets[row] }
    }

    pub(super) fn identity(&self) -> Identity {
        let mut identity = Identity::default();
        self.offsets.iter().for_each(|offset| identity.add(self.input, *offset));
        identity
    }
}

/// Who a stage works for: a sink's place in the chain, or the chain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(pub(super) Option<usize>);

/// A condition and what its false rows are counted as.
pub(super) struct Condition {
    pub(super) program: Program,
    /// The manifest key, for rejects (`where`, `consent`).
    pub(super) key: &'static str,
    /// The reason in the books.
    pub(super) reason: &'static str,
}

impl Condition {
    /// Keeps the rows for which it holds; books the others, and lists them in `left` if somebody wants to know.
    fn apply(
        &self,
        batch: RecordBatch,
        input: u32,
        owner: Owner,
        books: &mut Books,
        left: &mut Option<Vec<Left>>,
        notes: &Notes,
    ) -> Result<RecordBatch, Error> {
        let conditions = self.program.condition(&batch).map_err(bad)?;
        if conditions.keep.true_count() == batch.num_rows() {
            return Ok(batch);
        }
        let origins = Origins::new(&batch, input)?;
        if let Some(left) = left {
            let mut out: Vec<bool> = conditions.keep.values().iter().map(|keep| !keep).collect();
            conditions.errors.iter().for_each(|(row, _)| out[*row] = false);
            left.push(Left::new(&batch, &BooleanArray::from(out), input, self.reason)?);
        }
        let mut errors = conditions.errors.into_iter().peekable();
        for row in 0..batch.num_rows() {
            if conditions.keep.value(row) {
                continue;
            }
            match errors.next_if(|(at, _)| *at == row) {
                Some((_, message)) => {
                    let reject = Reject::new(origins.get(row), self.key, "condition.not-boolean", message);
                    books.rejected.add(input, origins.offsets[row]);
                    notes.reject(owner, &reject)?;
                }
                None => books.filter(self.reason, input, origins.offsets[row]),
            }
        }
        keep_rows(&batch, &conditions.keep)
    }
}

/// `exclude`: rows whose key stands in another source.
pub(super) struct Exclude {
    pub(super) key: Program,
    pub(super) keys: Fingerprints<u8>,
}

/// What happens to every row of a chain before the sinks see it.
#[derive(Default)]
pub(super) struct ChainStage {
    pub(super) where_: Option<Condition>,
    pub(super) exclude: Option<Exclude>,
    pub(super) unique: Option<UniqueStage>,
    pub(super) books: Books,
    /// Rows that conditions left out since it was last emptied, if a sink wants to know.
    pub(super) left: Option<Vec<Left>>,
}

impl ChainStage {
    /// The rows that `where` and `exclude` leave; `unique` chooses among these.
    pub(super) fn select(
        &mut self,
        mut batch: RecordBatch,
        input: u32,
        notes: &Notes,
    ) -> Result<RecordBatch, Error> {
        let Self { books, left, .. } = self;
        if let Some(condition) = &self.where_ {
            batch = condition.apply(batch, input, Owner(None), books, left, notes)?;
        }
        if let Some(exclude) = &mut self.exclude {
            let listed = listed(&exclude.key, &mut exclude.keys, &batch)?;
            batch = drop_rows(batch, input, &listed, "exclude", books, left)?;
        }
        Ok(batch)
    }

    /// After rows have passed on trial: the books are blank again.
    pub(super) fn restart(&mut self) {
        self.books = Books::default();
        self.unique.iter_mut().for_each(UniqueStage::restart);
    }

    pub(super) fn apply(
        &mut self,
        batch: RecordBatch,
        input: u32,
        notes: &Notes,
    ) -> Result<RecordBatch, Error> {
        let mut batch = self.select(batch, input, notes)?;
        if let Some(unique) = &mut self.unique {
            batch = make_unique(unique, batch, input, Owner(None), &mut self.books, notes)?;
        }
        Ok(batch)
    }
}

/// `consent` of a sink.
pub(super) struct ConsentStage {
    pub(super) condition: Condition,
    /// The address, and the addresses of which any record refuses.
    pub(super) refusals: Option<(Program, Fingerprints<u8>)>,
}

impl ConsentStage {
    /// What it asks of a row.
    pub(super) fn programs(&self) -> impl Iterator<Item = &Program> {
        let key = self.refusals.iter().map(|(key, _)| key);
        key.chain([&self.condition.program])
    }
}

/// A column that a sink gets.
pub(super) struct Shaped {
    pub(super) name: String,
    pub(super) program: Program,
}

/// Rows to look at.
pub(super) struct Sample {
    pub(super) most: usize,
    pub(super) rows: Vec<Vec<Option<String>>>,
}

impl Sample {
    fn take(&mut self, shaped: &RecordBatch) {
        let columns = shaped.num_columns().saturating_sub(2);
        for row in 0..shaped.num_rows().min(self.most - self.rows.len()) {
            let cell = |i: usize| super::unique::cell_text(shaped.column(i), row);
            self.rows.push((0..columns).map(cell).collect());
        }
    }
}

/// What happens to the rows of a chain on their way to one sink.
pub(super) struct SinkStage {
    pub(super) owner: Owner,
    /// The inputs whose rows it takes, if not all: those of the records that it has missed.
    pub(super) only: Option<BTreeSet<u32>>,
    pub(super) where_: Option<Condition>,
    pub(super) unique: Option<UniqueStage>,
    pub(super) consent: Option<ConsentStage>,
    pub(super) columns: Vec<Shaped>,
    pub(super) books: Books,
    /// Whether any row filled the column; by column.
    pub(super) filled: Vec<bool>,
    /// The first rows as the sink gets them, if somebody wants to look.
    pub(super) sample: Option<Sample>,
    /// Which rows it has had, if it is given only what has changed.
    pub(super) sync: Option<SyncStage>,
    /// Instead: which rows an earlier run gave it, if its work is done again.
    pub(super) went_out: Option<WentOut>,
    /// Rows that its conditions left out, of the batch that it works on, if it wants to know.
    pub(super) left: Option<Vec<Left>>,
    /// The longest values, if somebody wants to know.
    pub(super) longest: Option<Longest>,
    /// The source's column of which no two rows have the same value, if `unique` is about a column as it comes.
    pub(super) key: Option<String>,
}

impl SinkStage {
    /// The rows that the sink's own `where` leaves; its `unique` chooses among these.
    pub(super) fn select(
        &mut self,
        batch: RecordBatch,
        input: u32,
        notes: &Notes,
    ) -> Result<RecordBatch, Error> {
        let batch = self.missed(batch, input)?;
        match &self.where_ {
            Some(condition) => {
                condition.apply(batch, input, self.owner, &mut self.books, &mut self.left, notes)
            }
            None => Ok(batch),
        }
    }

    /// The columns that this sink asks for, so that conditions filter no others. One that is given only what has changed calls
    /// rows by columns of the chain's, too.
    fn project(&self, batch: RecordBatch) -> Result<RecordBatch, Error> {
        if self.sync.is_some() {
            return Ok(batch);
        }
        let where_ = self.where_.iter().map(|condition| &condition.program);
        let unique = self.unique.iter().map(|unique| &unique.key);
        let consent = self.consent.iter().flat_map(ConsentStage::programs);
        let columns = self.columns.iter().map(|column| &column.program);
        let programs = where_.chain(unique).chain(consent).chain(columns);
        let names = programs.flat_map(Program::columns).map(String::as_str);
        let names: BTreeSet<&str> = names.chain([OFFSET, LENGTH]).collect();
        let fields = batch.schema_ref().fields().iter().enumerate();
        let wanted: Vec<usize> = fields
            .filter(|(_, field)| names.contains(field.name().as_str()))
            .map(|(index, _)| index)
            .collect();
        batch.project(&wanted).map_err(|e| Error::bug("host.batch", e.to_string()))
    }

    /// No rows of inputs that are for others.
    fn missed(&mut self, batch: RecordBatch, input: u32) -> Result<RecordBatch, Error> {
        if self.only.as_ref().is_none_or(|only| only.contains(&input)) {
            return Ok(batch);
        }
        for offset in Origins::new(&batch, input)?.offsets {
            self.books.filter("not-missed", input, *offset);
        }
        Ok(batch.slice(0, 0))
    }

    /// The rows for the sink, in its columns, with their origins.
    pub(super) fn apply(
        &mut self,
        batch: RecordBatch,
        input: u32,
        notes: &Notes,
    ) -> Result<RecordBatch, Error> {
        let batch = self.project(batch)?;
        let mut batch = self.select(batch, input, notes)?;
        let (books, left) = (&mut self.books, &mut self.left);
        if let Some(unique) = &mut self.unique {
            batch = make_unique(unique, batch, input, self.owner, books, notes)?;
        }
        if let Some(consent) = &mut self.consent {
            batch = consent.condition.apply(batch, input, self.owner, books, left, notes)?;
            if let Some((key, refusals)) = &mut consent.refusals {
                let refused = listed(key, refusals, &batch)?;
                batch = drop_rows(batch, input, &refused, consent.condition.reason, books, left)?;
            }
        }
        if let (Some(sync), Some(left)) = (&mut self.sync, left) {
            left.drain(..).try_for_each(|left| sync.leave(&left))?;
        }
        let shaped = self.columns_of(&batch, input, notes)?;
        self.look_at(&shaped, input)?;
        Ok(shaped)
    }

    fn columns_of(&mut self, batch: &RecordBatch, input: u32, notes: &Notes) -> Result<RecordBatch, Error> {
        let schema = batch.schema();
        let (mut fields, mut arrays): (Vec<Arc<Field>>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        let mut failed: Vec<(usize, &str, String)> = Vec::new();
        for (shaped, filled) in self.columns.iter().zip(&mut self.filled) {
            let evaluated = shaped.program.value(batch).map_err(bad)?;
            failed.extend(
                evaluated.errors.into_iter().map(|(row, message)| (row, shaped.name.as_str(), message)),
            );
            // A bare path hands the source's own array on, and with it the kind of its values.
            let copied = shaped.program.columns().first().and_then(|c| schema.column_with_name(c));
            let mut metadata = copied
                .filter(|(i, _)| Arc::ptr_eq(batch.column(*i), &evaluated.array))
                .map(|(_, field)| field.metadata().clone())
                .unwrap_or_default();
            metadata.remove(metadata::UNIQUE);
            if self.key.is_some() && shaped.program.copied() == self.key.as_deref() {
                metadata.insert(metadata::UNIQUE.to_owned(), metadata::FOLDED.to_owned());
            }
            let field =
                Field::new(&shaped.name, evaluated.array.data_type().clone(), true).with_metadata(metadata);
            *filled = *filled || evaluated.array.null_count() < evaluated.array.len();
            fields.push(Arc::new(field));
            arrays.push(evaluated.array);
        }
        for name in [OFFSET, LENGTH] {
            if let Some((i, field)) = schema.column_with_name(name) {
                fields.push(Arc::new(field.clone()));
                arrays.push(batch.column(i).clone());
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let shaped = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|e| Error::bug("host.batch", e.to_string()))?;
        if failed.is_empty() {
            return self.changed(shaped, batch, input);
        }
        let origins = Origins::new(batch, input)?;
        let mut keep = vec![true; batch.num_rows()];
        for (row, column, message) in failed {
            // The first column at fault is the one that is named.
            if std::mem::replace(&mut keep[row], false) {
                self.books.rejected.add(input, origins.offsets[row]);
                notes.reject(
                    self.owner,
                    &Reject::new(origins.get(row), column, "expression.failed", message),
                )?;
            }
        }
        let keep = BooleanArray::from(keep);
        self.changed(keep_rows(&shaped, &keep)?, &keep_rows(batch, &keep)?, input)
    }

    /// Of a sink that is given only what has changed, the rows that have; `called` are the same rows as they were read.
    fn changed(
        &mut self,
        shaped: RecordBatch,
        called: &RecordBatch,
        input: u32,
    ) -> Result<RecordBatch, Error> {
        let keep = match (&mut self.sync, &mut self.went_out) {
            (Some(sync), _) => sync.keep(&shaped, self.columns.len(), called, input, &mut self.books)?,
            // More rows than the run had: what comes is found to be something else in the end.
            (None, Some(went_out)) => match went_out.next(shaped.num_rows()) {
                Some(keep) => keep,
                None => return Ok(shaped),
            },
            (None, None) => return Ok(shaped),
        };
        if keep.true_count() == shaped.num_rows() { Ok(shaped) } else { keep_rows(&shaped, &keep) }
    }

    /// For previews and plans; a run looks at nothing.
    fn look_at(&mut self, shaped: &RecordBatch, input: u32) -> Result<(), Error> {
        self.sample.iter_mut().for_each(|sample| sample.take(shaped));
        self.longest.as_mut().map_or(Ok(()), |longest| longest.take(shaped, input))
    }

    /// Whether no row filled a column.
    pub(super) fn is_empty(&self, column: &str) -> bool {
        self.columns.iter().zip(&self.filled).any(|(c, filled)| c.name == column && !filled)
    }

    /// The schema of the sink's batches when no row ever came: all text.
    pub(super) fn empty_schema(&self) -> SchemaRef {
        let mut fields: Vec<Field> =
            self.columns.iter().map(|c| Field::new(&c.name, arrow_schema::DataType::Utf8, true)).collect();
        fields.push(Field::new(OFFSET, arrow_schema::DataType::UInt64, false));
        fields.push(Field::new(LENGTH, arrow_schema::DataType::UInt32, false));
        Arc::new(Schema::new(fields))
    }
}

fn make_unique(
    unique: &mut UniqueStage,
    batch: RecordBatch,
    input: u32,
    owner: Owner,
    books: &mut Books,
    notes: &Notes,
) -> Result<RecordBatch, Error> {
    let mut merged = Vec::new();
    let keep = unique.keep(&batch, &Origins::new(&batch, input)?, &mut merged, &mut books.merged)?;
    if merged.is_empty() {
        return Ok(batch);
    }
    for one in &merged {
        notes.merged(owner, one, "unique")?;
    }
    keep_rows(&batch, &keep)
}

/// The rows whose key is among `keys`.
fn listed(key: &Program, keys: &mut Fingerprints<u8>, batch: &RecordBatch) -> Result<BooleanArray, Error> {
    let values = as_text(&key.value(batch).map_err(bad)?.array)?;
    let mut listed = BooleanBufferBuilder::new(batch.num_rows());
    match Keys::new(&values) {
        Some(texts) => each_print(keys, &texts, |keys, _, print| {
            listed.append(print.is_some_and(|print| keys.get(print).is_some()));
        }),
        None => listed.append_n(batch.num_rows(), false),
    }
    Ok(BooleanArray::new(listed.finish(), None))
}

fn drop_rows(
    batch: RecordBatch,
    input: u32,
    drop: &BooleanArray,
    reason: &'static str,
    books: &mut Books,
    left: &mut Option<Vec<Left>>,
) -> Result<RecordBatch, Error> {
    if drop.true_count() == 0 {
        return Ok(batch);
    }
    if let Some(left) = left {
        left.push(Left::new(&batch, drop, input, reason)?);
    }
    let origins = Origins::new(&batch, input)?;
    for row in (0..batch.num_rows()).filter(|row| drop.value(*row)) {
        books.filter(reason, input, origins.offsets[row]);
    }
    keep_rows(&batch, &BooleanArray::new(!drop.values(), None))
}

pub(super) fn keep_rows(batch: &RecordBatch, keep: &BooleanArray) -> Result<RecordBatch, Error> {
    filter_record_batch(batch, keep).map_err(|e| Error::bug("host.filter", e.to_string()))
}
