//! Faults of a batch, whoever hands it on.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array, cast::AsArray,
    types::UInt64Type,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use usher_sdk::{Records, abi::Error};

use crate::fault::Fault;

/// Good rows with something wrong about them.
pub(crate) fn spoilt_batch(fault: Fault, records: Records) -> Result<Records, Error> {
    let schema = records.batch.schema();
    let mut columns = records.batch.columns().to_vec();
    let mut fields: Vec<Field> = schema.fields().iter().map(|field| field.as_ref().clone()).collect();
    let mut input = records.input;
    // Behind the data stand `_offset` and `_length`.
    let data = columns.len() - 2;
    match fault {
        Fault::ColumnMissing if data > 0 => {
            columns.remove(0);
            fields.remove(0);
        }
        Fault::OriginsMissing => {
            for (place, name) in [(data, "other"), (data + 1, "another")] {
                columns[place] = Arc::new(Int64Array::from(vec![0; columns[place].len()]));
                fields[place] = Field::new(name, DataType::Int64, false);
            }
        }
        Fault::OtherOrigins => {
            let offsets = columns[data].as_primitive::<UInt64Type>().values().iter();
            columns[data] = Arc::new(offsets.map(|offset| offset + 1).collect::<UInt64Array>());
        }
        Fault::OtherInput => input += 1,
        Fault::ForeignType | Fault::OtherKind | Fault::InvalidUtf8 | Fault::OffsetsBeyond if data > 0 => {
            columns[0] = spoilt_column(fault, &columns[0]);
            fields[0] = Field::new(fields[0].name(), columns[0].data_type().clone(), true)
                .with_metadata(fields[0].metadata().clone());
        }
        _ => {}
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|e| Error::bug("misbehaving.batch", e.to_string()))?;
    Ok(Records { batch, input, ..records })
}

/// The column, more or less.
fn spoilt_column(fault: Fault, column: &ArrayRef) -> ArrayRef {
    // Columns of a text view are taken as they are.
    let Some(texts) = column.as_string_opt::<i32>() else { return column.clone() };
    let (offsets, bytes) = (texts.offsets().clone(), texts.values().clone());
    match fault {
        Fault::ForeignType => Arc::new(Int32Array::from(vec![1; texts.len()])),
        Fault::OtherKind => Arc::new(Int64Array::from(vec![1; texts.len()])),
        Fault::InvalidUtf8 => {
            let bytes: Vec<u8> = bytes.iter().map(|b| if *b == b'@' { 0xFF } else { *b }).collect();
            // SAFETY: none. The host must notice before anybody reads the text.
            Arc::new(unsafe { StringArray::new_unchecked(offsets, Buffer::from(bytes), None) })
        }
        Fault::OffsetsBeyond => {
            let mut offsets = offsets.to_vec();
            if let Some(last) = offsets.last_mut() {
                *last = 4_000_000;
            }
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            // SAFETY: none. The host must notice before anybody follows the offsets.
            Arc::new(unsafe { StringArray::new_unchecked(offsets, bytes, None) })
        }
        _ => column.clone(),
    }
}
