//! Running column operations over one batch.

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use super::ast::{Comparison, Const};
use super::cell::{Cell, not_boolean};
use super::column::{Column, Data, Reading, Texts, items};
use super::compare::{compare, equal};
use super::error::EvalError;
use super::few::Few;
use super::list::{self, End, Split};
use super::load::load;
use super::lower::{Condition, Op};
use super::merge::merge;
use super::runs::{self, Plain};
use super::text::{self, TextFilter};
use super::write::TextWriter;

/// Why column operations stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The types of the columns ask for what only the row by row path knows; it must take over. This
    /// depends on the schema and the expression, never on the values.
    RowByRow,
    Error(EvalError),
}

impl From<EvalError> for Stop {
    fn from(error: EvalError) -> Stop {
        Stop::Error(error)
    }
}

/// One batch being evaluated.
pub(super) struct Evaluate<'a> {
    batch: &'a RecordBatch,
    names: &'a [String],
    rows: usize,
    /// Rows in error and their messages, in the order of evaluation; a row may occur more than once, then
    /// its first message counts, because row by row evaluation would have stopped there.
    errors: Vec<(usize, String)>,
}

impl<'a> Evaluate<'a> {
    pub(super) fn new(batch: &'a RecordBatch, names: &'a [String]) -> Evaluate<'a> {
        Evaluate { batch, names, rows: batch.num_rows(), errors: Vec::new() }
    }

    /// The rows in error, each once, in order.
    pub(super) fn into_errors(mut self) -> Vec<(usize, String)> {
        self.errors.sort_by_key(|(row, _)| *row);
        self.errors.dedup_by_key(|(row, _)| *row);
        self.errors
    }

    pub(super) fn data(&mut self, op: &Op) -> Result<Data, Stop> {
        Ok(Data::Cells(match op {
            Op::Column(column) => return Ok(load(self.batch, &self.names[*column], false)?),
            Op::Const(value) => Column::Const(value.clone()),
            Op::Print(parts) => self.print(parts)?,
            Op::Filter(filter, input) => {
                let input = self.data(input)?;
                self.filter(filter, input)?
            }
            Op::Split(split, input) => {
                let input = self.data(input)?;
                return self.split(split, input);
            }
            Op::End(end, input) => {
                let input = self.data(input)?;
                self.end(*end, input)?
            }
            Op::Length(input) => {
                let input = self.data(input)?;
                self.length(input)?
            }
            Op::Default(value, other) => {
                let value = self.data(value)?;
                let other = self.data(other)?;
                let keep = match &value {
                    Data::Cells(Column::Text(Texts::Utf8(texts), _)) => runs::filled(texts),
                    value => self.collect(|row| !value.is_absent(row)),
                };
                return Ok(merge(&keep, value, other)?);
            }
            Op::If(test, then, otherwise) => {
                let test = self.condition(test)?;
                let then = self.branch(then, &test)?;
                let otherwise = self.branch(otherwise, &!&test)?;
                return Ok(merge(&test, then, otherwise)?);
            }
            Op::Compare(comparison, left, right) => {
                Column::Bool(BooleanArray::new(self.comparison(*comparison, left, right)?, None))
            }
            Op::In(item, list) => {
                let item = self.typed(item)?;
                let found = self.collect(|row| {
                    let cell = item.cell(row);
                    list.iter().any(|value| equal(cell, value.cell()))
                });
                Column::Bool(BooleanArray::new(found, None))
            }
            Op::Defined(input) => {
                let input = self.data(input)?;
                Column::Bool(BooleanArray::new(self.collect(|row| !input.is_null(row)), None))
            }
            Op::Not(inner) => Column::Bool(BooleanArray::new(!&self.condition(inner)?, None)),
            Op::And(operands) => Column::Bool(BooleanArray::new(self.chain(operands, true)?, None)),
            Op::Or(operands) => Column::Bool(BooleanArray::new(self.chain(operands, false)?, None)),
        }))
    }

    /// The values as conditions; rows that are none are in error, and false.
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<BooleanBuffer, Stop> {
        let column = self.data(&condition.op)?.cells()?;
        if let Column::Bool(array) = &column {
            return Ok(match array.nulls() {
                None => array.values().clone(),
                Some(nulls) => array.values() & nulls.inner(),
            });
        }
        let errors = &mut self.errors;
        Ok(BooleanBuffer::collect_bool(self.rows, |row| {
            column.condition(row).unwrap_or_else(|_| {
                errors.push((row, not_boolean(&condition.label, column.cell(row))));
                false
            })
        }))
    }

    /// `and` (all) or `or` (any). An operand is not reached in the rows that the ones before decide.
    fn chain(&mut self, operands: &[Condition], all: bool) -> Result<BooleanBuffer, Stop> {
        let mut result: Option<BooleanBuffer> = None;
        for operand in operands {
            let start = self.errors.len();
            let values = self.condition(operand)?;
            result = Some(match result {
                None => values,
                Some(before) => {
                    self.forget(start, |row| before.value(row) != all);
                    if all { &before & &values } else { &before | &values }
                }
            });
        }
        Ok(result.unwrap_or_else(|| BooleanBuffer::new_set(self.rows)))
    }

    /// The values of a branch for the rows that take it; those of other rows mean nothing, and need not have been looked at.
    fn branch(&mut self, op: &Op, taken: &BooleanBuffer) -> Result<Data, Stop> {
        if !matches!(op, Op::Column(_) | Op::Const(_))
            && let Some(few) = Few::new(self.batch, self.names, taken)?
        {
            let mut evaluate = Evaluate::new(&few.batch, self.names);
            let data = evaluate.data(op)?;
            self.errors.extend(evaluate.errors.into_iter().map(|(row, message)| (few.rows[row], message)));
            return Ok(few.spread(data)?);
        }
        let start = self.errors.len();
        let data = self.data(op)?;
        self.forget(start, |row| !taken.value(row));
        Ok(data)
    }

    /// Drops the errors since `start` of rows that were not reached.
    fn forget(&mut self, start: usize, unreached: impl Fn(usize) -> bool) {
        let since = self.errors.split_off(start);
        self.errors.extend(since.into_iter().filter(|(row, _)| !unreached(*row)));
    }

    fn collect(&self, value: impl FnMut(usize) -> bool) -> BooleanBuffer {
        BooleanBuffer::collect_bool(self.rows, value)
    }

    /// A column whose types are known row by row.
    fn typed(&mut self, op: &Op) -> Result<Column, Stop> {
        match self.data(op)?.cells()? {
            Column::Text(_, Reading::Mixed) => Err(Stop::RowByRow),
            column => Ok(column),
        }
    }

    fn print(&mut self, parts: &[Op]) -> Result<Column, Stop> {
        let mut columns = Vec::with_capacity(parts.len());
        for part in parts {
            columns.push(self.data(part)?.cells()?);
        }
        let mut writer =
            TextWriter::new(self.rows, columns.iter().map(|column| column.bytes(self.rows)).sum());
        for row in 0..self.rows {
            columns.iter().for_each(|column| column.print(row, writer.text()));
            writer.end();
        }
        Ok(Column::Text(Texts::Utf8(writer.finish()?), Reading::Text))
    }

    fn filter(&mut self, filter: &TextFilter, input: Data) -> Result<Column, Stop> {
        let mut writer;
        match (filter, input) {
            (TextFilter::Join(separator), Data::Lists(lists)) => {
                writer = TextWriter::new(self.rows, 0);
                for row in 0..self.rows {
                    let Some(items) = items(&lists, row) else {
                        writer.end_null();
                        continue;
                    };
                    for (position, item) in items.enumerate() {
                        if position > 0 {
                            writer.text().push_str(separator);
                        }
                        writer.text().push_str(item.unwrap_or_default());
                    }
                    writer.end();
                }
            }
            (filter, input) => {
                let column = input.cells()?;
                if let (TextFilter::Trim, Column::Text(Texts::Utf8(texts), _)) = (filter, &column)
                    && runs::are_trimmed(texts)
                {
                    return Ok(Column::Text(Texts::Utf8(texts.clone()), Reading::Text));
                }
                writer = TextWriter::new(self.rows, column.bytes(self.rows));
                let errors = &mut self.errors;
                let mut apply = |row: usize, text: &str, writer: &mut TextWriter| {
                    let result = filter.apply(text, writer.text());
                    match result {
                        Ok(true) => writer.end(),
                        Ok(false) => writer.end_null(),
                        Err(message) => {
                            writer.end_null();
                            errors.push((row, message));
                        }
                    }
                };
                if let (Some(plain), Column::Text(texts, _)) = (Plain::new(filter), &column) {
                    plain.write(texts, self.rows, &mut writer, apply);
                } else {
                    let mut scratch = String::new();
                    for row in 0..self.rows {
                        match column.text(row, &mut scratch) {
                            Some(text) => apply(row, text, &mut writer),
                            None => writer.end_null(),
                        }
                    }
                }
            }
        }
        Ok(Column::Text(Texts::Utf8(writer.finish()?), Reading::Text))
    }

    fn split(&mut self, split: &Split, input: Data) -> Result<Data, Stop> {
        let column = match input {
            Data::Lists(lists) => return Ok(Data::Lists(lists)),
            Data::Cells(Column::Text(_, Reading::Mixed)) => return Err(Stop::RowByRow),
            Data::Cells(column) => column,
        };
        let mut builder = ListBuilder::new(StringBuilder::new());
        for row in 0..self.rows {
            match column.cell(row) {
                Cell::Null => builder.append(false),
                cell => {
                    split.pieces(cell, |piece| builder.values().append_option(piece));
                    builder.append(true);
                }
            }
        }
        Ok(Data::Lists(builder.finish()))
    }

    fn end(&mut self, end: End, input: Data) -> Result<Column, Stop> {
        let mut writer = TextWriter::new(self.rows, 0);
        let put = |writer: &mut TextWriter, text: Option<&str>| match text {
            Some(text) => {
                writer.text().push_str(text);
                writer.end();
            }
            None => writer.end_null(),
        };
        let column = match input {
            Data::Lists(lists) => {
                for row in 0..self.rows {
                    let item = items(&lists, row).and_then(|mut items| match end {
                        End::First => items.next(),
                        End::Last => items.next_back(),
                    });
                    put(&mut writer, item.flatten());
                }
                return Ok(Column::Text(Texts::Utf8(writer.finish()?), Reading::Text));
            }
            Data::Cells(Column::Text(_, Reading::Mixed)) => return Err(Stop::RowByRow),
            Data::Cells(column) => column,
        };
        let reading = match &column {
            Column::Text(_, Reading::Text) | Column::Const(Const::Text(_)) => Reading::Text,
            // Elements of JSON lists have types of their own.
            _ => Reading::Mixed,
        };
        let mut found = String::new();
        for row in 0..self.rows {
            let result = end.take(column.cell(row), |cell| {
                found.clear();
                cell.print(&mut found);
                cell != Cell::Null
            });
            match result {
                Ok(some) => put(&mut writer, some.then_some(found.as_str())),
                Err(message) => {
                    writer.end_null();
                    self.errors.push((row, message));
                }
            }
        }
        Ok(Column::Text(Texts::Utf8(writer.finish()?), reading))
    }

    fn length(&mut self, input: Data) -> Result<Column, Stop> {
        let column = match input {
            Data::Lists(lists) => {
                let length = |row| items(&lists, row).map_or(0, |items| items.len() as i64);
                return Ok(Column::Integer((0..self.rows).map(length).collect::<Vec<i64>>().into()));
            }
            Data::Cells(Column::Text(_, Reading::Mixed)) => return Err(Stop::RowByRow),
            Data::Cells(column) => column,
        };
        let mut lengths = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            lengths.push(list::length(column.cell(row)).unwrap_or_else(|message| {
                self.errors.push((row, message));
                0
            }));
        }
        Ok(Column::Integer(Int64Array::from(lengths)))
    }

    fn comparison(&mut self, comparison: Comparison, left: &Op, right: &Op) -> Result<BooleanBuffer, Stop> {
        if let (
            Comparison::Equal | Comparison::Unequal,
            Op::Filter(TextFilter::Lower, left),
            Op::Filter(TextFilter::Lower, right),
        ) = (comparison, left, right)
        {
            let equal = self.equal_lower_cases(left, right)?;
            return Ok(if comparison == Comparison::Equal { equal } else { !&equal });
        }
        let left = self.typed(left)?;
        let right = self.typed(right)?;
        Ok(self.compare(comparison, &left, &right))
    }

    /// Whether `lower` makes the same of both. Most texts differ at once, so that neither need be made.
    fn equal_lower_cases(&mut self, left: &Op, right: &Op) -> Result<BooleanBuffer, Stop> {
        let left = self.data(left)?;
        let right = self.data(right)?;
        if let (Data::Cells(Column::Text(left, _)), Data::Cells(Column::Text(right, _))) = (&left, &right) {
            return Ok(self.collect(|row| match (left.get(row), right.get(row)) {
                (Some(left), Some(right)) => text::equal_in_lower_case(left, right),
                (left, right) => left.is_none() && right.is_none(),
            }));
        }
        let left = self.filter(&TextFilter::Lower, left)?;
        let right = self.filter(&TextFilter::Lower, right)?;
        Ok(self.compare(Comparison::Equal, &left, &right))
    }

    fn compare(&mut self, comparison: Comparison, left: &Column, right: &Column) -> BooleanBuffer {
        if let (
            Column::Text(texts, Reading::Text),
            Column::Const(Const::Text(value)),
            Comparison::Equal | Comparison::Unequal,
        ) = (left, right, comparison)
        {
            let wanted = comparison == Comparison::Equal;
            return self.collect(|row| (texts.get(row) == Some(value)) == wanted);
        }
        let mut result = BooleanBufferBuilder::new(self.rows);
        for row in 0..self.rows {
            result.append(compare(comparison, left.cell(row), right.cell(row)).unwrap_or_else(|message| {
                self.errors.push((row, message));
                false
            }));
        }
        result.finish()
    }
}
