//! Expressions and templates over rows: a line of expression, then a line for each row. Column by column and row by row they
//! come to the same.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{Field, Schema};
use serde_json::Value;
use usher::expression::{Bound, Expression, NamePath, Segment};
use usher_testkit::records;

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (text, rows) = text.split_once('\n').unwrap_or((text, ""));
    let rows: Vec<&str> = rows.split('\n').take(8).collect();
    let Ok(expression) = Expression::parse(text) else { return };
    let batch = batch(&rows);
    let resolve = |path: &NamePath| {
        let Segment::Key(column) = &path.segments[0] else { return None };
        let known = batch.schema().field_with_name(column).is_ok();
        known.then(|| Bound { column: column.clone(), consumed: 1 })
    };
    let Ok(program) = expression.bind(&resolve) else { return };
    let (columns, by_row) = (program.value(&batch), program.value_row_by_row(&batch));
    let (columns, by_row) = (columns.expect("a batch of the schema"), by_row.expect("a batch of the schema"));
    assert_eq!(columns.errors, by_row.errors, "{text}");
    assert_eq!(shown(columns.array), shown(by_row.array), "{text}");
    let (columns, by_row) = (program.condition(&batch), program.condition_row_by_row(&batch));
    let (columns, by_row) = (columns.expect("a batch of the schema"), by_row.expect("a batch of the schema"));
    assert_eq!((columns.keep, columns.errors), (by_row.keep, by_row.errors), "{text}");
}

/// The columns `text`, `flag`, `count` and `tags`, made of a text for each row.
fn batch(rows: &[&str]) -> RecordBatch {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        tags.append_value(row.split(',').map(Some));
    }
    let columns: [(&str, ArrayRef); 4] = [
        ("text", Arc::new(StringArray::from_iter(rows.iter().map(|row| (*row != "null").then_some(*row))))),
        ("flag", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.parse().ok())))),
        ("count", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.parse().ok())))),
        ("tags", Arc::new(tags.finish())),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// What the values print; row by row, all of them are texts.
fn shown(array: ArrayRef) -> Vec<Option<String>> {
    let schema = Schema::new(vec![Field::new("value", array.data_type().clone(), true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![array]).expect("one column");
    let text = |row: &str| match serde_json::from_str::<Value>(row).expect("JSON")["value"].take() {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    records(&[batch]).lines().map(text).collect()
}
