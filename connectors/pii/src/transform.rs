//! The transform `columns`.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{ListBuilder, StringBuilder},
};
use usher_sdk::{
    Cells, Host, Records, Transform,
    abi::{Changed, Component, Error, Problem, Report, ValueKind, metadata},
    arrow_schema::{DataType, Field, Schema, SchemaRef},
    describe, read_list, records,
};

use crate::{
    action::Change,
    options::{Action, Options},
    plan::Plan,
};

/// Columns that are hidden on their way.
#[derive(Debug)]
pub(crate) struct Hide {
    options: Options,
    plan: Plan,
}

impl Transform for Hide {
    type Options = Options;

    fn component() -> Component {
        describe::transform::<Options>("columns", "Hashes, masks, drops or shortens chosen columns")
    }

    fn open(options: Options, _: Host) -> Result<Self, Error> {
        Ok(Self { plan: Plan::new(options.columns.clone()), options })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        Ok(self.options.problems())
    }

    fn output_schema(&mut self, input: SchemaRef) -> Result<Schema, Error> {
        // With `OPEN` the host asks what may come, without it what will.
        match input.metadata().get(metadata::OPEN) {
            Some(open) => self.plan.resolve(&input, open == "true")?,
            None => self.plan.check_wholes(&input)?,
        }
        let fields = input.fields().iter().zip(self.plan.actions(&input));
        let fields: Vec<Field> = fields.filter_map(|(field, action)| hidden(field, action)).collect();
        Ok(Schema::new(fields))
    }

    fn apply(&mut self, records: Records, report: &mut Report) -> Result<Option<Records>, Error> {
        let schema = records.batch.schema();
        self.plan.check_wholes(&schema)?;
        let actions = self.plan.actions(&schema);
        let key = self.options.key.as_ref().map(|key| key.reveal());
        let (mut fields, mut columns) = (Vec::new(), Vec::<ArrayRef>::new());
        for ((field, column), action) in schema.fields().iter().zip(records.batch.columns()).zip(actions) {
            let Some(out) = hidden(field, action) else { continue };
            let change = action.and_then(|action| Some((action, Change::new(action, key)?)));
            fields.push(out);
            columns.push(match change {
                None => column.clone(),
                Some((action, change)) => {
                    let (hidden, count) = apply(&change, field, column)?;
                    if count > 0 {
                        let (column, rule) = (field.name().as_str().into(), action.rule().into());
                        report.changed.push(Changed { column, rule, count });
                    }
                    hidden
                }
            });
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
            .map_err(|e| Error::bug("pii.batch", e.to_string()))?;
        Ok(Some(Records { batch, ..records }))
    }
}

/// The field that comes out: a text or a list of texts, whatever went in; `None` when it is dropped.
fn hidden(field: &Field, action: Option<Action>) -> Option<Field> {
    match action {
        None => Some(field.clone()),
        Some(Action::Drop) => None,
        Some(_) => {
            let list = matches!(field.data_type(), DataType::List(_));
            let kind = if list || records::kind(field) == Some(ValueKind::List) {
                ValueKind::List
            } else {
                ValueKind::Text
            };
            let mut notes = field.metadata().clone();
            notes.insert(metadata::KIND.to_owned(), kind.name().to_owned());
            let data_type = if list { field.data_type().clone() } else { DataType::Utf8 };
            Some(Field::new(field.name(), data_type, true).with_metadata(notes))
        }
    }
}

/// The changed column, and how many values are others than before.
fn apply(change: &Change, field: &Field, column: &ArrayRef) -> Result<(ArrayRef, u64), Error> {
    let cells = Cells::new(field.name(), column)?;
    // Some sources give lists as JSON texts.
    let lists = records::kind(field) == Some(ValueKind::List);
    let (mut before, mut after, mut count) = (String::new(), String::new(), 0);
    if let DataType::List(item) = column.data_type() {
        let mut list = ListBuilder::new(StringBuilder::new()).with_field(item.clone());
        for row in 0..column.len() {
            let mut differs = false;
            for text in cells.items(row) {
                after.clear();
                change.append(text, &mut after);
                differs |= after != text;
                list.values().append_value(&after);
            }
            list.append(column.is_valid(row));
            count += u64::from(differs);
        }
        return Ok((Arc::new(list.finish()), count));
    }
    let (mut parts, mut items) = (String::new(), Vec::new());
    let mut texts = StringBuilder::with_capacity(column.len(), column.len() * 16);
    for row in 0..column.len() {
        before.clear();
        after.clear();
        if !cells.append_text(row, &mut before) {
            texts.append_null();
            continue;
        }
        items.clear();
        parts.clear();
        if lists && read_list(&before, &mut parts, &mut items) {
            let hidden = items.iter().map(|item| changed(change, &parts[item.clone()]));
            after = serde_json::Value::from_iter(hidden).to_string();
        } else {
            change.append(&before, &mut after);
        }
        count += u64::from(after != before);
        texts.append_value(&after);
    }
    Ok((Arc::new(texts.finish()), count))
}

fn changed(change: &Change, text: &str) -> String {
    let mut out = String::new();
    change.append(text, &mut out);
    out
}
