//! The source `rows`: three addresses that stand in no file.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use usher_sdk::{
    Host, Records, Source, Stream,
    abi::{Attribute, Catalog, Component, Error, Problem, Report, Split, ValueKind},
    describe,
    records::origin_fields,
};

use crate::fault::{Fault, Options};

const ADDRESSES: [&str; 3] = ["ada@example.com", "bob@example.com", "eve@example.com"];

/// Three rows.
#[derive(Debug)]
pub(crate) struct Rows {
    options: Arc<Options>,
    projection: Vec<String>,
}

impl Source for Rows {
    type Options = Options;
    type Stream = OneBatch;

    fn component() -> Component {
        describe::source::<Options>("rows", "Three addresses")
    }

    fn open(options: Options, _: Host) -> Result<Self, Error> {
        options.panic_if(Fault::PanicInOpen);
        Ok(Self { options: Arc::new(options), projection: Vec::new() })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        self.options.panic_if(Fault::PanicInCheck);
        Ok(Vec::new())
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        self.options.panic_if(Fault::PanicInCatalog);
        let email = Attribute {
            path: "email".to_owned(),
            kind: ValueKind::Text,
            claim: Some("email".to_owned()),
            summary: String::new(),
        };
        Ok(Catalog { attributes: vec![email], ..Catalog::default() })
    }

    fn plan(&mut self, projection: &[String], _: usize) -> Result<Vec<Split>, Error> {
        self.options.panic_if(Fault::PanicInPlan);
        self.projection = projection.to_vec();
        Ok(vec![Split { end: u64::MAX, ..Split::default() }])
    }

    fn open_split(&mut self, _: &Split, _: &[u8]) -> Result<OneBatch, Error> {
        self.options.panic_if(Fault::PanicInOpenSplit);
        Ok(OneBatch { options: self.options.clone(), projection: Some(std::mem::take(&mut self.projection)) })
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.options.panic_if(Fault::PanicInClose);
    }
}

/// The rows, once.
#[derive(Debug)]
pub(crate) struct OneBatch {
    options: Arc<Options>,
    projection: Option<Vec<String>>,
}

impl Stream for OneBatch {
    fn next(&mut self, _: &mut Report) -> Result<Option<Records>, Error> {
        self.options.panic_if(Fault::PanicInNext);
        self.options.work();
        let Some(projection) = self.projection.take() else { return Ok(None) };
        let fault = self.options.fault;
        let mut fields = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        if fault != Fault::ColumnMissing {
            for name in projection {
                let column = addresses(fault);
                fields.push(Field::new(name, column.data_type().clone(), true));
                columns.push(column);
            }
        }
        let [offset, length] = origin_fields();
        let [no_offset, no_length] = ["other", "another"].map(|n| Field::new(n, DataType::UInt64, false));
        if fault == Fault::OriginsMissing {
            fields.extend([no_offset, no_length]);
            columns.extend([0, 1].map(|_| Arc::new(UInt64Array::from(vec![0, 16, 32])) as ArrayRef));
        } else {
            fields.extend([offset, length]);
            columns.push(Arc::new(UInt64Array::from(vec![0, 16, 32])));
            columns.push(Arc::new(UInt32Array::from(vec![15, 15, 15])));
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| Error::bug("misbehaving.batch", e.to_string()))?;
        Ok(Some(Records::new(batch, 0)))
    }
}

/// The column, more or less.
fn addresses(fault: Fault) -> ArrayRef {
    let text = ADDRESSES.concat();
    let offsets = |ends: [i32; 4]| OffsetBuffer::new(ScalarBuffer::from(ends.to_vec()));
    match fault {
        Fault::ForeignType => Arc::new(Int32Array::from(vec![1, 2, 3])),
        Fault::InvalidUtf8 => {
            let bytes: Vec<u8> = text.bytes().map(|b| if b == b'@' { 0xFF } else { b }).collect();
            // SAFETY: none. The host must notice before anybody reads the text.
            Arc::new(unsafe {
                StringArray::new_unchecked(offsets([0, 15, 30, 45]), Buffer::from(bytes), None)
            })
        }
        Fault::OffsetsBeyond => {
            let bytes = Buffer::from(text.into_bytes());
            // SAFETY: none. The host must notice before anybody follows the offsets.
            Arc::new(unsafe { StringArray::new_unchecked(offsets([0, 15, 30, 4_000_000]), bytes, None) })
        }
        _ => Arc::new(StringArray::from(ADDRESSES.to_vec())),
    }
}
