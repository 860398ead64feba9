//! A bound expression, and running it over a batch.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_select::{concat::concat, nullif::nullif};

use super::cell::{Cell, not_boolean};
use super::column::Column;
use super::error::EvalError;
use super::evaluate::{Evaluate, Stop};
use super::load;
use super::lower::{Condition, Op};
use super::merge::to_array;
use super::print::Code;
use super::rows;
use super::value::with_cell;
use super::write::TextWriter;

/// An expression bound to columns. It keeps no state between batches and may be used from many threads.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) columns: Vec<String>,
    pub(super) plan: Plan,
    /// What the row by row path runs.
    pub(super) code: Code,
    /// The whole expression, as messages name it.
    pub(super) label: String,
    /// So many threads the row by row path may use.
    pub(super) threads: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// The only column, as it is.
    Copy,
    Columns(Op),
    /// Row by row, because of this.
    Rows(String),
}

/// The values of a program for one batch.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// One value per row. A bare path gives the very array of the batch; otherwise booleans are `Boolean`,
    /// integers `Int64` and lists `List<Utf8>` when column operations made them, and all else is `Utf8`.
    /// Null where the value is missing or the row is in error.
    pub array: ArrayRef,
    /// The rows in error, each once and in order, with a message on one line.
    pub errors: Vec<(usize, String)>,
}

/// A condition for one batch.
#[derive(Debug, Clone)]
pub struct Conditions {
    /// One value per row, never null. False where the value is missing or the row is in error.
    pub keep: BooleanArray,
    /// The rows in error, each once and in order, with a message on one line: mostly values that are
    /// neither true nor false.
    pub errors: Vec<(usize, String)>,
}

impl Program {
    /// The same on so many threads where it runs row by row. What comes out does not depend on them.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The columns of the batch that it reads, each once.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether it became column operations. Rarely, when the types of a batch mix so that only a single row
    /// knows what its value is, such a program still runs row by row; the result is the same text.
    pub fn is_columnar(&self) -> bool {
        !matches!(self.plan, Plan::Rows(_))
    }

    /// The column that it copies, if it does nothing else.
    pub fn copied(&self) -> Option<&str> {
        self.columns.first().filter(|_| matches!(self.plan, Plan::Copy)).map(String::as_str)
    }

    /// How it runs and what it does, on one line for `usher plan`.
    pub fn describe(&self) -> String {
        match &self.plan {
            Plan::Copy => format!("copy of {}", self.label),
            Plan::Columns(_) => format!("column operations: {}", self.label),
            Plan::Rows(reason) => format!("row by row: {reason}"),
        }
    }

    /// The values for the rows of `batch`. Fails only if the batch does not fit the program.
    pub fn value(&self, batch: &RecordBatch) -> Result<Evaluated, EvalError> {
        let op = match (&self.plan, self.columns.first()) {
            (Plan::Copy, Some(name)) => {
                return Ok(Evaluated { array: Arc::clone(load::array(batch, name)?), errors: Vec::new() });
            }
            (Plan::Columns(op), _) => op,
            _ => return self.value_row_by_row(batch),
        };
        let mut evaluate = Evaluate::new(batch, &self.columns);
        let data = match evaluate.data(op) {
            Ok(data) => data,
            Err(Stop::RowByRow) => return self.value_row_by_row(batch),
            Err(Stop::Error(error)) => return Err(error),
        };
        let array = to_array(data, batch.num_rows())?;
        let errors = evaluate.into_errors();
        Ok(Evaluated { array: without(array, &errors)?, errors })
    }

    /// The rows of `batch` for which the condition holds. Fails only if the batch does not fit the program.
    pub fn condition(&self, batch: &RecordBatch) -> Result<Conditions, EvalError> {
        let op = match &self.plan {
            Plan::Copy => &Op::Column(0),
            Plan::Columns(op) => op,
            Plan::Rows(_) => return self.condition_row_by_row(batch),
        };
        let mut evaluate = Evaluate::new(batch, &self.columns);
        let condition = Condition { op: op.clone(), label: self.label.clone() };
        let mut keep = match evaluate.condition(&condition) {
            Ok(keep) => keep,
            Err(Stop::RowByRow) => return self.condition_row_by_row(batch),
            Err(Stop::Error(error)) => return Err(error),
        };
        let errors = evaluate.into_errors();
        if !errors.is_empty() {
            let wrong = rows_of(&errors, batch.num_rows());
            keep = &keep & &!&wrong;
        }
        Ok(Conditions { keep: BooleanArray::new(keep, None), errors })
    }

    /// What [`value`](Self::value) gives, by minijinja and always as `Utf8`: the path that everything can
    /// take, and the one that column operations are held to.
    pub fn value_row_by_row(&self, batch: &RecordBatch) -> Result<Evaluated, EvalError> {
        let parts = rows::spread(batch, self.threads, |part| self.values_of(part))?;
        let arrays: Vec<&dyn Array> = parts.iter().map(|part| part.array.as_ref()).collect();
        let array = concat(&arrays).map_err(|error| EvalError::new(error.to_string()))?;
        Ok(Evaluated { array, errors: in_order(parts.into_iter().map(|p| (p.array.len(), p.errors))) })
    }

    /// What [`condition`](Self::condition) gives, by minijinja.
    pub fn condition_row_by_row(&self, batch: &RecordBatch) -> Result<Conditions, EvalError> {
        let parts = rows::spread(batch, self.threads, |part| self.conditions_of(part))?;
        let keep = parts.iter().flat_map(|part| part.keep.values()).collect::<BooleanBuffer>();
        let errors = in_order(parts.into_iter().map(|p| (p.keep.len(), p.errors)));
        Ok(Conditions { keep: BooleanArray::new(keep, None), errors })
    }

    fn values_of(&self, batch: &RecordBatch) -> Result<Evaluated, EvalError> {
        let mut writer = TextWriter::new(batch.num_rows(), 0);
        let mut errors = Vec::new();
        // A bare path copies dynamic text without reading it.
        let columns = self.load(batch, matches!(self.plan, Plan::Copy))?;
        rows::run(&self.code, columns, batch.num_rows(), |row, result| match result {
            Ok(value) => with_cell(&value, |cell| match cell {
                Cell::Null => writer.end_null(),
                cell => {
                    cell.print(writer.text());
                    writer.end();
                }
            }),
            Err(message) => {
                writer.end_null();
                errors.push((row, message));
            }
        })?;
        Ok(Evaluated { array: Arc::new(writer.finish()?), errors })
    }

    fn conditions_of(&self, batch: &RecordBatch) -> Result<Conditions, EvalError> {
        let mut keep = Vec::with_capacity(batch.num_rows());
        let mut errors = Vec::new();
        rows::run(&self.code, self.load(batch, false)?, batch.num_rows(), |row, result| {
            let condition = result.and_then(|value| {
                with_cell(&value, |cell| cell.condition().map_err(|_| not_boolean(&self.label, cell)))
            });
            keep.push(condition.unwrap_or_else(|message| {
                errors.push((row, message));
                false
            }));
        })?;
        Ok(Conditions { keep: BooleanArray::from(keep), errors })
    }

    fn load(&self, batch: &RecordBatch, verbatim: bool) -> Result<Vec<Column>, EvalError> {
        self.columns.iter().map(|name| load::load(batch, name, verbatim)?.cells()).collect()
    }
}

/// The errors of parts of a batch, of so many rows each.
fn in_order(parts: impl Iterator<Item = (usize, Vec<(usize, String)>)>) -> Vec<(usize, String)> {
    let (mut all, mut first) = (Vec::new(), 0);
    for (rows, errors) in parts {
        all.extend(errors.into_iter().map(|(row, message)| (first + row, message)));
        first += rows;
    }
    all
}

/// The array with null in the rows in error.
fn without(array: ArrayRef, errors: &[(usize, String)]) -> Result<ArrayRef, EvalError> {
    if errors.is_empty() {
        return Ok(array);
    }
    let wrong = BooleanArray::new(rows_of(errors, array.len()), None);
    nullif(&array, &wrong).map_err(|error| EvalError::new(error.to_string()))
}

fn rows_of(errors: &[(usize, String)], rows: usize) -> BooleanBuffer {
    let mut wrong = BooleanBufferBuilder::new(rows);
    wrong.append_n(rows, false);
    errors.iter().for_each(|(row, _)| wrong.set_bit(*row, true));
    wrong.finish()
}
