//! The source `rows`: a delimited file, read as the SDK does, and spoilt.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, cast::AsArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Records, Source, Stream,
    abi::{Catalog, Component, Error, PlanRequest, Problem, Report, Split},
    describe,
    source::{Declared, Delimiter, MAX_RECORD_BYTES, Profile, STANDARD_CLAIMS, TableStream, Tables},
};

use crate::{fault::Fault, words::spoilt};

/// Options of the source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The file
    input: String,
    /// What goes wrong
    #[serde(default)]
    fault: Fault,
}

/// A delimited file.
#[derive(Debug)]
pub(crate) struct Rows {
    fault: Fault,
    tables: Tables,
}

impl Source for Rows {
    type Options = Options;
    type Stream = Spoilt;

    fn component() -> Component {
        spoilt(Component { open: true, ..describe::source::<Options>("rows", "Rows of a delimited file") })
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        options.fault.open();
        let profile = Profile {
            input: options.input,
            delimiter: Delimiter::default(),
            quote: b'"',
            declared: Declared { claims: BTreeMap::new(), kinds: BTreeMap::new() },
            usual: |heading| STANDARD_CLAIMS.iter().copied().find(|claim| *claim == heading),
            limit: MAX_RECORD_BYTES,
        };
        Ok(Self { fault: options.fault, tables: Tables::new(profile, host) })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        self.fault.panic_if(Fault::PanicInCheck);
        Ok(self.tables.check())
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        self.fault.panic_if(Fault::PanicInCatalog);
        self.tables.catalog()
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        self.fault.panic_if(Fault::PanicInPlan);
        self.tables.plan(&request.columns)
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Spoilt, Error> {
        self.fault.panic_if(Fault::PanicInOpenSplit);
        Ok(Spoilt { fault: self.fault, rows: self.tables.open_split(split, checkpoint)?, read: 0 })
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.fault.panic_if(Fault::PanicInClose);
    }
}

/// Good rows with something wrong about them.
#[derive(Debug)]
pub(crate) struct Spoilt {
    fault: Fault,
    rows: TableStream,
    read: u64,
}

impl Stream for Spoilt {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        self.fault.panic_if(Fault::PanicInNext);
        self.fault.work(self.read)?;
        let Some(records) = self.rows.next(report)? else { return Ok(None) };
        self.read += records.batch.num_rows() as u64;
        let mut columns = records.batch.columns().to_vec();
        let mut fields: Vec<Field> =
            records.batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        // Behind the data stand `_offset` and `_length`.
        let data = columns.len() - 2;
        match self.fault {
            Fault::ColumnMissing if data > 0 => {
                columns.remove(0);
                fields.remove(0);
            }
            Fault::OriginsMissing => {
                fields[data] = Field::new("other", DataType::UInt64, false);
                fields[data + 1] = Field::new("another", DataType::UInt32, false);
            }
            _ if data > 0 => {
                columns[0] = spoilt_column(self.fault, &columns[0]);
                fields[0] = Field::new(fields[0].name(), columns[0].data_type().clone(), true);
            }
            _ => {}
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| Error::bug("misbehaving.batch", e.to_string()))?;
        Ok(Some(Records { batch, ..records }))
    }
}

/// The column, more or less.
fn spoilt_column(fault: Fault, column: &ArrayRef) -> ArrayRef {
    let texts = column.as_string::<i32>();
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
