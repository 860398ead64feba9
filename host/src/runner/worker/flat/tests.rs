//! Batches cross unharmed; what a worker makes up is refused or is a sound batch, and nothing is read that was not handed over.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, StringViewArray, UInt64Array,
    builder::{ListBuilder, StringBuilder},
};
use arrow_buffer::MutableBuffer;
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use usher_abi::{export_batch, export_schema, import_batch, import_schema};

use super::*;

fn people() -> RecordBatch {
    let mut tags = ListBuilder::new(StringBuilder::new());
    for person in [&["a", "b"][..], &[], &["c"]] {
        person.iter().for_each(|tag| tags.values().append_value(tag));
        tags.append(true);
    }
    let long = "a text that is longer than the twelve bytes of a view";
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("email", Arc::new(StringArray::from(vec![Some("ada@example.com"), None, Some("Åda")]))),
        ("note", Arc::new(StringViewArray::from(vec![Some("short"), Some(long), None]))),
        ("agreed", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("visits", Arc::new(Int64Array::from(vec![7, -1, 0]))),
        ("tags", Arc::new(tags.finish())),
        ("_offset", Arc::new(UInt64Array::from(vec![0, 10, 20]))),
    ];
    let field = |(name, column): &(&str, ArrayRef)| {
        let field = Field::new(*name, column.data_type().clone(), true);
        field.with_metadata([("usher.kind".to_owned(), "text".to_owned())].into())
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect()).unwrap()
}

/// A batch as it crosses: what the message says, and the bytes beside it.
fn flat(records: &RecordBatch) -> (FlatBatch, Vec<u8>) {
    let batch = export_batch(records, 3, b"checkpoint".to_vec()).unwrap();
    let flat = FlatBatch::of_batch(&batch).unwrap();
    let mut bytes = vec![0; flat.bytes() as usize];
    flat.copy_buffers(&batch, |place, buffer| {
        bytes[place as usize..][..buffer.len()].copy_from_slice(buffer);
    });
    (flat, bytes)
}

/// What the host makes of both.
fn restored(flat: &FlatBatch, bytes: &[u8]) -> Result<(RecordBatch, u32), Error> {
    let mut copy = MutableBuffer::from_len_zeroed(bytes.len());
    copy.as_slice_mut().copy_from_slice(bytes);
    let (first, len) = (copy.as_ptr(), copy.len());
    // SAFETY: the bytes are this function's own, and nobody writes them.
    let mut batch = unsafe { flat.batch(first, len, Arc::new(copy)) }?;
    let input = batch.input;
    Ok((import_batch(&mut batch)?, input))
}

#[test]
fn batches_cross_unharmed() {
    for records in [people(), people().slice(1, 2), people().slice(0, 0)] {
        let (flat, bytes) = flat(&records);
        assert_eq!(flat.rows(), records.num_rows() as u64);
        assert_eq!(restored(&flat, &bytes).unwrap(), (records, 3));
    }
}

#[test]
fn schemas_cross_with_their_metadata() {
    let schema = people().schema();
    let crossed = FlatBatch::of_schema(&export_schema(&schema).unwrap()).schema().unwrap();
    assert_eq!(import_schema(&crossed).unwrap(), schema);
    let empty = Schema::new(vec![Field::new("x", DataType::Utf8, true)]);
    let crossed = FlatBatch::of_schema(&export_schema(&empty).unwrap()).schema().unwrap();
    assert_eq!(*import_schema(&crossed).unwrap(), empty);
}

#[test]
fn lies_are_told_apart() {
    type Lie = fn(&mut FlatBatch);
    let lies: [(&str, Lie); 9] = [
        ("not within", |flat| flat.buffers[1] = Some((u64::MAX, 8))),
        ("not within", |flat| flat.buffers[1] = Some((1 << 40, 8))),
        ("not within", |flat| flat.buffers[1] = Some((0, 1 << 40))),
        ("fewer buffers", |flat| flat.buffers.truncate(2)),
        ("more arrays or buffers", |flat| flat.buffers.push(None)),
        ("fewer arrays", |flat| flat.arrays.truncate(2)),
        ("fewer fields", |flat| flat.fields.truncate(2)),
        ("metadata that is cut", |flat| flat.fields[1].metadata = Some(vec![1, 0, 0, 0, 255, 255, 255, 127])),
        ("a NUL in a name", |flat| flat.fields[1].name = Some(b"a\0b".to_vec())),
    ];
    for (words, lie) in lies {
        let (mut flat, bytes) = flat(&people());
        lie(&mut flat);
        let error = restored(&flat, &bytes).unwrap_err();
        assert!(error.message.contains(words), "{words}: {error}");
    }
}

#[test]
fn nothing_is_nested_without_end() {
    let (mut flat, bytes) = flat(&people());
    let child = FlatArray { length: 1, null_count: 0, offset: 0, buffers: 0, children: 1 };
    flat.arrays = vec![child; 100_000];
    assert!(restored(&flat, &bytes).unwrap_err().message.contains("nested too deep"));
    let field = FlatField { format: b"+l".to_vec(), name: None, metadata: None, flags: 0, children: 1 };
    flat.fields = vec![field; 100_000];
    assert!(flat.schema().unwrap_err().message.contains("nested too deep"));
}

proptest! {
    /// Whatever bytes a worker sends, the host refuses them or has a batch whose values can all be read.
    #[test]
    fn what_is_made_up_is_refused_or_sound(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        let (flat, mut bytes) = flat(&people());
        let mut message = postcard::to_stdvec(&flat).unwrap();
        for (place, byte) in changes {
            let place = place.index(message.len());
            message[place] = byte;
        }
        for (place, byte) in spoilt {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let Ok(flat) = postcard::from_bytes::<FlatBatch>(&message) else { return Ok(()) };
        if let Ok((records, _)) = restored(&flat, &bytes) {
            for column in records.columns() {
                column.to_data().validate_full().unwrap();
                let shown = format!("{column:?}");
                prop_assert!(!shown.is_empty());
            }
        }
    }
}

/// A null pointer is one byte of a message; so many of them would be some gigabytes here.
#[test]
fn lists_are_bounded() {
    let with = |count: usize| FlatBatch { buffers: vec![None; count], ..FlatBatch::default() };
    let read = |flat: &FlatBatch| {
        postcard::from_bytes::<FlatBatch>(&postcard::to_stdvec(flat).unwrap())
            .map(|read| assert_eq!(read, *flat))
    };
    read(&with(MOST)).unwrap();
    read(&with(MOST + 1)).unwrap_err();
}
