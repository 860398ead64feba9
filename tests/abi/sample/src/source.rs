//! The source: JSON lines under fixed attributes, one for every type of column that a source may send.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, RecordBatch, StringViewArray,
    cast::AsArray,
    types::{Date32Type, Int64Type, TimestampMicrosecondType},
};
use usher_sdk::{
    Host, Records, Source, Stream,
    abi::{Attribute, Catalog, Component, Error, PlanRequest, Report, Split, ValueKind},
    arrow_schema::{Field, Schema},
    describe, records,
    source::{Inputs, JsonStream, MAX_RECORD_BYTES, Projection, Wanted},
};

use crate::options::Reading;

/// Path, what the catalog says of it, and what the JSON has.
const ATTRIBUTES: [(&str, ValueKind, ValueKind); 8] = [
    ("email", ValueKind::Text, ValueKind::Text),
    ("name", ValueKind::Text, ValueKind::Text),
    ("agreed", ValueKind::Boolean, ValueKind::Boolean),
    ("visits", ValueKind::Integer, ValueKind::Integer),
    ("score", ValueKind::Number, ValueKind::Number),
    ("seen", ValueKind::Timestamp, ValueKind::Integer),
    ("born", ValueKind::Date, ValueKind::Integer),
    ("tags", ValueKind::List, ValueKind::List),
];

/// The source `rows`.
#[derive(Debug)]
pub(crate) struct Rows {
    options: Reading,
    host: Host,
    wanted: Vec<Wanted>,
}

impl Source for Rows {
    type Options = Reading;
    type Stream = Typed;

    fn component() -> Component {
        Component { attributes: attributes(), ..describe::source::<Reading>("rows", "JSON records, typed") }
    }

    fn open(options: Reading, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, wanted: Vec::new() })
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        Inputs::open(&self.host, &self.options.input)?;
        Ok(Catalog { attributes: attributes(), ..Catalog::default() })
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        let kind =
            |path: &String| ATTRIBUTES.iter().find(|(name, ..)| name == path).map(|(_, _, kind)| *kind);
        let wanted =
            |path| kind(path).map(|kind| Wanted::new(path.as_str(), kind)).ok_or_else(|| unknown(path));
        self.wanted = request.columns.iter().map(wanted).collect::<Result<_, _>>()?;
        Ok(Inputs::open(&self.host, &self.options.input)?.splits(request.max_splits as usize, |_| true))
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Typed, Error> {
        let projection = Projection::new(&self.wanted, &[]);
        JsonStream::lines(&self.host, projection, split, checkpoint, MAX_RECORD_BYTES).map(Typed)
    }
}

fn attributes() -> Vec<Attribute> {
    let attribute =
        |(path, kind, _): (&str, _, _)| Attribute { path: path.into(), kind, ..Attribute::default() };
    ATTRIBUTES.map(attribute).into()
}

fn unknown(path: &str) -> Error {
    Error::config("sample.attribute", format!("there is no attribute `{path}`"))
}

/// Rows with the types that JSON does not have.
#[derive(Debug)]
pub(crate) struct Typed(JsonStream);

impl Stream for Typed {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        self.0.next(report)?.map(typed).transpose()
    }
}

fn typed(rows: Records) -> Result<Records, Error> {
    let schema = rows.batch.schema();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .zip(rows.batch.columns())
        .map(|(field, column)| match field.name().as_str() {
            "email" => Arc::new(column.as_string::<i32>().iter().collect::<StringViewArray>()) as ArrayRef,
            "seen" => {
                let micros =
                    column.as_primitive::<Int64Type>().reinterpret_cast::<TimestampMicrosecondType>();
                Arc::new(micros.with_timezone("UTC"))
            }
            "born" => Arc::new(column.as_primitive::<Int64Type>().unary::<_, Date32Type>(|day| day as i32)),
            _ => column.clone(),
        })
        .collect();
    let fields = schema.fields().iter().zip(&columns).map(|(field, column)| {
        let mut notes = field.metadata().clone();
        if let Some((_, kind, _)) = ATTRIBUTES.iter().find(|(name, ..)| name == field.name()) {
            notes.insert(records::KIND.to_owned(), kind.name().to_owned());
        }
        Field::new(field.name(), column.data_type().clone(), field.is_nullable()).with_metadata(notes)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch =
        RecordBatch::try_new(schema, columns).map_err(|e| Error::bug("sample.batch", e.to_string()))?;
    Ok(Records { batch, ..rows })
}
