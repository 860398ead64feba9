//! The transform: adds a column, rejects rows, and is always one batch behind.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringViewArray};
use usher_sdk::{
    Cells, Host, Records, Transform,
    abi::{Changed, Component, Error, Reject, Report, metadata},
    arrow_schema::{DataType, Field, Schema, SchemaRef},
    describe,
};

use crate::options::Changing;

/// The transform `rows`.
#[derive(Debug)]
pub(crate) struct Rows {
    options: Changing,
    held: Option<Records>,
}

impl Transform for Rows {
    type Options = Changing;

    fn component() -> Component {
        describe::transform::<Changing>("rows", "Adds `domain`, made from `email`")
    }

    fn open(options: Changing, _: Host) -> Result<Self, Error> {
        Ok(Self { options, held: None })
    }

    fn output_schema(&mut self, input: SchemaRef) -> Result<Schema, Error> {
        Ok(with_domain(&input))
    }

    fn apply(&mut self, rows: Records, report: &mut Report) -> Result<Option<Records>, Error> {
        let Some(email) = rows.batch.column_by_name("email") else { return Ok(self.held.replace(rows)) };
        let emails = Cells::new("email", email)?;
        let origins = rows.origins()?;
        let (mut keep, mut domains, mut text) = (Vec::new(), Vec::new(), String::new());
        for row in 0..rows.batch.num_rows() {
            text.clear();
            emails.append_text(row, &mut text);
            let refused = self.options.refuse.as_deref() == Some(text.as_str());
            if refused {
                let reject =
                    Reject::new(origins.get(row), "email", "sample.refused", "the options refuse it");
                report.rejects.push(Reject { details: r#"{"by":"refuse"}"#.into(), ..reject });
            } else {
                domains.push(text.split_once('@').map(|(_, domain)| domain.to_owned()));
            }
            keep.push(!refused);
        }
        let count = domains.iter().flatten().count() as u64;
        report.changed.push(Changed { column: "domain".into(), rule: "domain".into(), count });
        let batch = kept(&rows.batch, &keep, StringViewArray::from_iter(domains))?;
        Ok(self.held.replace(Records { batch, ..rows }))
    }

    fn flush(&mut self, _: &mut Report) -> Result<Option<Records>, Error> {
        Ok(self.held.take())
    }
}

/// The columns that come out; without `email` nothing can be made of it.
fn with_domain(input: &Schema) -> Schema {
    let mut fields: Vec<Arc<Field>> = input.fields().iter().cloned().collect();
    if input.index_of("email").is_ok() {
        let notes = [(metadata::FROM, r#"["email"]"#), (metadata::KIND, "text")];
        let notes = notes.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        fields.push(Arc::new(Field::new("domain", DataType::Utf8View, true).with_metadata(notes)));
    }
    Schema::new(fields)
}

fn kept(batch: &RecordBatch, keep: &[bool], domains: StringViewArray) -> Result<RecordBatch, Error> {
    let bad = |e: &dyn std::fmt::Display| Error::bug("sample.batch", e.to_string());
    let keep = BooleanArray::from(keep.to_vec());
    let kept = arrow_select::filter::filter_record_batch(batch, &keep).map_err(|e| bad(&e))?;
    let mut columns: Vec<ArrayRef> = kept.columns().to_vec();
    columns.push(Arc::new(domains));
    RecordBatch::try_new(Arc::new(with_domain(&kept.schema())), columns).map_err(|e| bad(&e))
}
