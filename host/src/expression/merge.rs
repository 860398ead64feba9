//! Choosing between two columns row by row, and turning a column into an arrow array.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array};
use arrow_buffer::BooleanBuffer;
use arrow_select::zip::zip;

use super::ast::Const;
use super::cell::Cell;
use super::column::{Column, Data, Reading, Texts};
use super::error::EvalError;
use super::runs;
use super::write::TextWriter;

/// `left` where `choose` is set, else `right`. Two columns of one type keep it; others become texts.
pub(super) fn merge(choose: &BooleanBuffer, left: Data, right: Data) -> Result<Data, EvalError> {
    let (left, right) = match (left, right) {
        (Data::Lists(left), Data::Lists(right)) if left.data_type() == right.data_type() => {
            let lists = zip(&BooleanArray::new(choose.clone(), None), &left, &right);
            let lists = lists.map_err(|error| EvalError::new(error.to_string()))?;
            return match lists.as_any().downcast_ref() {
                Some(lists) => Ok(Data::Lists(Clone::clone(lists))),
                None => Err(EvalError::new("lists of different types cannot be mixed")),
            };
        }
        (left, right) => (left.cells()?, right.cells()?),
    };
    let pick = |row| if choose.value(row) { left.cell(row) } else { right.cell(row) };
    let rows = 0..choose.len();
    Ok(Data::Cells(match merged_type(&left, &right) {
        Type::Bool => Column::Bool(BooleanArray::from_iter(rows.map(|row| match pick(row) {
            Cell::Bool(value) => Some(value),
            _ => None,
        }))),
        Type::Integer => Column::Integer(Int64Array::from_iter(rows.map(|row| match pick(row) {
            Cell::Integer(value) => Some(value),
            _ => None,
        }))),
        Type::Float => Column::Float(Float64Array::from_iter(rows.map(|row| match pick(row) {
            Cell::Float(value) => Some(value),
            _ => None,
        }))),
        Type::Text(reading) => {
            // Often one side is all.
            let chosen = choose.count_set_bits();
            for (column, all) in [(&left, choose.len()), (&right, 0)] {
                if let (Column::Text(texts, _), true) = (column, chosen == all) {
                    return Ok(Data::Cells(Column::Text(texts.clone(), reading)));
                }
            }
            // Constants aside: they are few, or short.
            let bytes = left.bytes(0).max(right.bytes(0));
            let mut writer = TextWriter::new(choose.len(), bytes);
            runs::choose(choose, &left, &right, &mut writer);
            Column::Text(Texts::Utf8(writer.finish()?), reading)
        }
        Type::Null => Column::Const(Const::Null),
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Bool,
    Integer,
    Float,
    Text(Reading),
}

fn type_of(column: &Column) -> Type {
    match column {
        Column::Const(Const::Null) => Type::Null,
        Column::Bool(_) | Column::Const(Const::Bool(_)) => Type::Bool,
        Column::Integer(_) | Column::Const(Const::Integer(_)) => Type::Integer,
        Column::Float(_) | Column::Const(Const::Float(_)) => Type::Float,
        Column::Text(_, reading) => Type::Text(*reading),
        Column::Const(Const::Text(_)) => Type::Text(Reading::Text),
    }
}

fn merged_type(left: &Column, right: &Column) -> Type {
    match (type_of(left), type_of(right)) {
        (left, right) if left == right => left,
        (Type::Null, other) | (other, Type::Null) => other,
        (Type::Text(Reading::Dynamic), _) if is_plain(right) => Type::Text(Reading::Dynamic),
        (_, Type::Text(Reading::Dynamic)) if is_plain(left) => Type::Text(Reading::Dynamic),
        _ => Type::Text(Reading::Mixed),
    }
}

/// A constant text that stays text when it is read as dynamic text.
fn is_plain(column: &Column) -> bool {
    matches!(column, Column::Const(Const::Text(text)) if matches!(Cell::dynamic(text), Cell::Text(_)))
}

/// The column as an array of that many rows: booleans, integers, lists, else texts.
pub(super) fn to_array(data: Data, rows: usize) -> Result<ArrayRef, EvalError> {
    let column = match data {
        Data::Lists(lists) => return Ok(Arc::new(lists)),
        Data::Cells(column) => column,
    };
    Ok(match column {
        Column::Bool(array) => Arc::new(array),
        Column::Integer(array) => Arc::new(array),
        Column::Text(Texts::Utf8(array), _) => Arc::new(array),
        Column::Const(Const::Bool(value)) => Arc::new(BooleanArray::from(vec![value; rows])),
        Column::Const(Const::Integer(value)) => Arc::new(Int64Array::from(vec![value; rows])),
        column => {
            let mut writer = TextWriter::new(rows, 0);
            runs::print(&column, 0..rows, &mut writer);
            Arc::new(writer.finish()?)
        }
    })
}
