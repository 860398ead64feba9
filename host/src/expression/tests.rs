//! What expressions mean, and that both ways of running agree on it.

mod agree;
mod errors;
mod meaning;
mod names;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow_schema::{Field, Schema};

use super::load::load;
use super::{Bound, Expression, NamePath, Program, Segment};

/// The values of one row of the test batch; every column of every type is made of them.
#[derive(Debug, Clone, Default)]
struct Row {
    text: Option<String>,
    any: Option<String>,
    flag: Option<bool>,
    count: Option<i64>,
    ratio: Option<f64>,
    tags: Option<Vec<Option<String>>>,
    time: Option<i64>,
    day: Option<i32>,
}

/// The columns text, any, large, view, flag, count, ratio, tags, time, day and First Name.
fn batch(rows: &[Row]) -> RecordBatch {
    let texts = || rows.iter().map(|row| row.text.as_deref());
    let anys = || rows.iter().map(|row| row.any.as_deref());
    let mut tags = ListBuilder::new(StringBuilder::new());
    for row in rows {
        tags.append_option(row.tags.clone());
    }
    let kind = HashMap::from([("usher.kind".to_owned(), "any".to_owned())]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from_iter(texts()))),
        ("First Name", Arc::new(StringArray::from_iter(texts()))),
        ("large", Arc::new(LargeStringArray::from_iter(texts()))),
        ("view", Arc::new(StringViewArray::from_iter(texts()))),
        ("flag", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.flag)))),
        ("count", Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.count)))),
        ("ratio", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.ratio)))),
        ("tags", Arc::new(tags.finish())),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.time)).with_timezone("UTC"),
            ),
        ),
        ("day", Arc::new(Date32Array::from_iter(rows.iter().map(|row| row.day)))),
        ("any", Arc::new(StringArray::from_iter(anys()))),
        ("any_view", Arc::new(StringViewArray::from_iter(anys()))),
    ];
    let fields = columns.iter().map(|(name, array)| {
        let field = Field::new(*name, array.data_type().clone(), true);
        if name.starts_with("any") { field.with_metadata(kind.clone()) } else { field }
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

/// Binds to the columns of the test batch by their first segment.
fn resolve(path: &NamePath) -> Option<Bound> {
    let Segment::Key(column) = &path.segments[0] else { return None };
    let known = batch(&[]).schema().field_with_name(column).is_ok();
    known.then(|| Bound { column: column.clone(), consumed: 1 })
}

fn program(text: &str) -> Program {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.bind(&resolve).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What the cells of an array print.
fn texts(array: &ArrayRef) -> Vec<Option<String>> {
    let field = Field::new("column", array.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(array)]).unwrap();
    let column = load(&batch, "column", false).unwrap().cells().unwrap();
    let mut scratch = String::new();
    (0..array.len()).map(|row| column.text(row, &mut scratch).map(str::to_owned)).collect()
}

/// Both ways of running agree on the values and the condition; gives the texts, errors as `! message`.
fn run(text: &str, rows: &[Row]) -> Vec<Option<String>> {
    let (program, batch) = (program(text), batch(rows));
    let value = program.value(&batch).unwrap();
    let by_row = program.value_row_by_row(&batch).unwrap();
    assert_eq!(value.errors, by_row.errors, "{text} over {rows:?}");
    assert_eq!(texts(&value.array), texts(&by_row.array), "{text} over {rows:?}");
    let condition = program.condition(&batch).unwrap();
    let by_row = program.condition_row_by_row(&batch).unwrap();
    assert_eq!(condition.keep, by_row.keep, "{text} over {rows:?}");
    assert_eq!(condition.errors, by_row.errors, "{text} over {rows:?}");
    let mut found = texts(&value.array);
    for (row, message) in value.errors {
        assert!(found[row].is_none(), "{text}: a row in error has a value");
        found[row] = Some(format!("! {message}"));
    }
    found
}

/// The result for one row with this text in `text` and in `any`; null is printed `null`.
fn one(text: &str, value: &str) -> String {
    let row = Row { text: Some(value.to_owned()), any: Some(value.to_owned()), ..Row::default() };
    run(text, &[row])[0].clone().unwrap_or_else(|| "null".to_owned())
}

/// The condition for one row with this text in `text` and in `any`.
fn holds(text: &str, value: &str) -> bool {
    let row = Row { text: Some(value.to_owned()), any: Some(value.to_owned()), ..Row::default() };
    let conditions = program(text).condition(&batch(&[row])).unwrap();
    assert_eq!(conditions.errors, [], "{text} of {value}");
    conditions.keep.value(0)
}
