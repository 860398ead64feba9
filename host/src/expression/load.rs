//! Reading a column of a batch.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};

use super::cell::boolean;
use super::column::{Column, Data, Reading, Texts};
use super::error::EvalError;
use super::text::{print_date, print_timestamp};
use super::write::TextWriter;

/// The key of a field's metadata that says what its texts are.
use usher_abi::metadata::KIND;
/// The arrow extension type of JSON text.
const EXTENSION: &str = "ARROW:extension:name";

/// The column as it is.
pub(super) fn array<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, EvalError> {
    batch.column_by_name(name).ok_or_else(|| EvalError::new(format!("the batch has no column `{name}`")))
}

/// The column as expressions see it. With `verbatim` dynamic text is just text.
pub(super) fn load(batch: &RecordBatch, name: &str, verbatim: bool) -> Result<Data, EvalError> {
    let array = array(batch, name)?;
    let schema = batch.schema_ref();
    let dynamic = !verbatim && schema.field_with_name(name).is_ok_and(is_dynamic);
    let column = match array.data_type() {
        DataType::Utf8 => texts(Texts::Utf8(array.as_string::<i32>().clone()), array.len(), dynamic)?,
        DataType::LargeUtf8 => texts(Texts::Large(array.as_string::<i64>().clone()), array.len(), dynamic)?,
        DataType::Utf8View => texts(Texts::View(array.as_string_view().clone()), array.len(), dynamic)?,
        DataType::Boolean => Column::Bool(array.as_boolean().clone()),
        DataType::Int64 => Column::Integer(array.as_primitive::<Int64Type>().clone()),
        DataType::Float64 => Column::Float(array.as_primitive::<Float64Type>().clone()),
        DataType::List(item) if item.data_type() == &DataType::Utf8 => {
            return Ok(Data::Lists(array.as_list().clone()));
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            printed(times, name, |row, out| print_timestamp(times.value(row), out))?
        }
        DataType::Date32 => {
            let dates = array.as_primitive::<Date32Type>();
            printed(dates, name, |row, out| print_date(dates.value(row), out))?
        }
        DataType::Null => Column::Const(super::ast::Const::Null),
        other => {
            return Err(EvalError::new(format!(
                "column `{name}` has the type {other}, which expressions cannot read"
            )));
        }
    };
    Ok(Data::Cells(column))
}

fn is_dynamic(field: &Field) -> bool {
    let metadata = field.metadata();
    match metadata.get(KIND) {
        Some(kind) => kind == "any",
        None => metadata.get(EXTENSION).is_some_and(|extension| extension == "arrow.json"),
    }
}

/// Dynamic text with true and false in lower case, the way they print.
fn texts(texts: Texts, rows: usize, dynamic: bool) -> Result<Column, EvalError> {
    if !dynamic {
        return Ok(Column::Text(texts, Reading::Text));
    }
    let is_shouted = |text: &str| text != "true" && text != "false" && boolean(text).is_some();
    if !(0..rows).any(|row| texts.get(row).is_some_and(is_shouted)) {
        return Ok(Column::Text(texts, Reading::Dynamic));
    }
    let mut writer = TextWriter::new(rows, texts.bytes());
    for row in 0..rows {
        match texts.get(row) {
            None => writer.end_null(),
            Some(text) => {
                match boolean(text) {
                    Some(true) => writer.text().push_str("true"),
                    Some(false) => writer.text().push_str("false"),
                    None => writer.text().push_str(text),
                }
                writer.end();
            }
        }
    }
    Ok(Column::Text(Texts::Utf8(writer.finish()?), Reading::Dynamic))
}

/// Times and dates are texts in ISO 8601.
fn printed(
    array: &dyn Array,
    name: &str,
    mut print: impl FnMut(usize, &mut String) -> bool,
) -> Result<Column, EvalError> {
    let mut writer = TextWriter::new(array.len(), array.len() * 20);
    for row in 0..array.len() {
        if array.is_null(row) {
            writer.end_null();
        } else if print(row, writer.text()) {
            writer.end();
        } else {
            // Which row is not told: `array` may be a part of the batch.
            return Err(EvalError::new(format!("column `{name}` has a time out of range")));
        }
    }
    Ok(Column::Text(Texts::Utf8(writer.finish()?), Reading::Text))
}
