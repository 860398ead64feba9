//! Batches of a plugin: sound, or refused. What they are made of stands in the first piece, their buffers are the second.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    StringViewArray, TimestampMicrosecondArray,
    builder::{ListBuilder, StringBuilder},
};
use usher::runner::fuzzing;
use usher_testkit::records;

pub(crate) fn run(input: &[u8]) {
    let Some((description, memory)) = super::halves(input) else { return };
    if let Some(batch) = fuzzing::batch(description, memory) {
        // Every value is looked at.
        let _ = records(&[batch]);
    }
}

/// A column of every type.
pub(super) fn batch() -> RecordBatch {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), None]);
    tags.append_null();
    tags.append_value([Some("longer than twelve bytes")]);
    let columns: [(&str, ArrayRef); 9] = [
        ("text", Arc::new(StringArray::from(vec![Some("Ada"), None, Some("Анна")]))),
        (
            "view",
            Arc::new(StringViewArray::from(vec![Some("short"), None, Some("longer than twelve bytes")])),
        ),
        ("bytes", Arc::new(BinaryArray::from_opt_vec(vec![Some(&[0, 255]), None, Some(&[])]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("count", Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)]))),
        ("ratio", Arc::new(Float64Array::from(vec![Some(0.5), None, Some(f64::NAN)]))),
        ("day", Arc::new(Date32Array::from(vec![Some(1), None, Some(i32::MAX)]))),
        (
            "time",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), None, Some(i64::MAX)]).with_timezone("UTC"),
            ),
        ),
        ("tags", Arc::new(tags.finish())),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// That batch.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let (description, memory) = fuzzing::described(&batch());
    vec![super::joined(&description, &memory)]
}
