//! Rows from text and rows as text.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, UInt32Array, UInt64Array,
    cast::AsArray,
    types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType, UInt32Type, UInt64Type},
};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use serde_json::Value;
use usher_sdk::{
    abi::metadata,
    records::{LENGTH, OFFSET, origin_fields},
};

/// A batch of nullable text columns, without origin columns ([`write`](fn@crate::write) adds them).
///
/// # Panics
///
/// When the columns are of different lengths.
pub fn text_batch(columns: &[(&str, Vec<Option<&str>>)]) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, _)| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays =
        columns.iter().map(|(_, values)| Arc::new(StringArray::from(values.clone())) as ArrayRef).collect();
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    match batch(fields, arrays, rows) {
        Ok(batch) => batch,
        Err(error) => panic!("these columns make no batch: {error}"),
    }
}

fn batch(fields: Vec<Field>, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

/// The batch with the host's word that each text of a column comes once, case and white space aside.
///
/// # Panics
///
/// When there is no such column.
pub fn comes_once(rows: &RecordBatch, column: &str) -> RecordBatch {
    let unique = HashMap::from([(metadata::UNIQUE.to_owned(), metadata::FOLDED.to_owned())]);
    let mut fields: Vec<Field> = rows.schema_ref().fields().iter().map(|f| f.as_ref().clone()).collect();
    let named = fields.iter_mut().find(|field| field.name() == column);
    *named.expect("a column of this name") = Field::new(column, DataType::Utf8, true).with_metadata(unique);
    batch(fields, rows.columns().to_vec(), rows.num_rows()).expect("the same columns")
}

/// The batch with the columns `_offset` and `_length` at its end, unless it has them: row `n` (counted from
/// `first_row`) is at offset `n * 100` and 99 bytes long.
pub fn origin_columns(rows: &RecordBatch, first_row: u64) -> Result<RecordBatch, ArrowError> {
    if rows.column_by_name(OFFSET).is_some() || rows.column_by_name(LENGTH).is_some() {
        return Ok(rows.clone());
    }
    let count = rows.num_rows();
    let mut fields: Vec<Field> = rows.schema_ref().fields().iter().map(|f| f.as_ref().clone()).collect();
    fields.extend(origin_fields());
    let mut arrays = rows.columns().to_vec();
    arrays.push(Arc::new((first_row..).take(count).map(|row| row * 100).collect::<UInt64Array>()));
    arrays.push(Arc::new(UInt32Array::from(vec![99; count])));
    batch(fields, arrays, count)
}

/// Rows as text, for snapshots: one compact JSON object per row, its keys in the order of the columns. Timestamps
/// read RFC 3339, dates `YYYY-MM-DD`, bytes are hexadecimal.
///
/// # Panics
///
/// When a column has a type outside of Usher's subset.
pub fn records(batches: &[RecordBatch]) -> String {
    let mut text = String::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let schema = batch.schema_ref();
            // Written by hand: two columns of one name both show, as a map would not have it.
            let cells: Vec<String> = (0..batch.num_columns())
                .map(|i| {
                    format!("{}:{}", Value::from(schema.field(i).name().as_str()), cell(batch.column(i), row))
                })
                .collect();
            let _ = writeln!(text, "{{{}}}", cells.join(","));
        }
    }
    text
}

fn cell(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Utf8View => column.as_string_view().value(row).into(),
        DataType::Binary => hex(column.as_binary::<i32>().value(row)),
        DataType::BinaryView => hex(column.as_binary_view().value(row)),
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            jiff::Timestamp::from_microsecond(micros).map_or_else(|_| micros.into(), |t| t.to_string().into())
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            let span = jiff::Span::new().try_days(days);
            let date = span.and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span));
            date.map_or_else(|_| days.into(), |date| date.to_string().into())
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            (0..items.len()).map(|i| cell(&items, i)).collect()
        }
        other => panic!("the type {other} is not of Usher's subset"),
    }
}

/// The values of one column, over all batches.
pub(crate) fn cells(batches: &[RecordBatch], name: &str) -> Vec<Value> {
    let columns = batches.iter().filter_map(|b| b.column_by_name(name));
    columns.flat_map(|c| (0..c.len()).map(move |row| cell(c, row))).collect()
}

fn hex(bytes: &[u8]) -> Value {
    bytes
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_subset_has_a_text() {
        use arrow_array::*;
        let list = {
            let mut list = builder::ListBuilder::new(builder::StringBuilder::new());
            list.append_value([Some("a"), None]);
            list.append_null();
            Arc::new(list.finish()) as ArrayRef
        };
        let times =
            TimestampMicrosecondArray::from(vec![Some(1_767_225_600_000_001), None]).with_timezone("UTC");
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("text", Arc::new(StringArray::from(vec![Some("a\"\n"), None]))),
            ("view", Arc::new(StringViewArray::from(vec![Some("a text longer than twelve"), None]))),
            ("bytes", Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("int", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
            ("float", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
            ("time", Arc::new(times)),
            ("date", Arc::new(Date32Array::from(vec![Some(-1), None]))),
            ("list", list),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let text = records(&[batch]);
        let mut lines = text.lines();
        assert_eq!(
            lines.next().unwrap(),
            r#"{"text":"a\"\n","view":"a text longer than twelve","bytes":"00ff","flag":true,"int":-9223372036854775808,"float":0.5,"time":"2026-01-01T00:00:00.000001Z","date":"1969-12-31","list":["a",null]}"#
        );
        assert!(lines.next().unwrap().starts_with(r#"{"text":null,"view":null"#));
        assert_eq!(lines.next(), None);
    }

    #[test]
    fn origins_are_added_once() {
        let rows = text_batch(&[("a", vec![Some("1"), None])]);
        let with = origin_columns(&rows, 7).unwrap();
        assert_eq!(
            records(std::slice::from_ref(&with)),
            "{\"a\":\"1\",\"_offset\":700,\"_length\":99}\n{\"a\":null,\"_offset\":800,\"_length\":99}\n"
        );
        assert_eq!(origin_columns(&with, 0).unwrap(), with);
        assert_eq!(origin_columns(&text_batch(&[]), 0).unwrap().num_columns(), 2);
    }
}
