//! What the suite must be told of a component.

use std::{ops::Range, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use serde_json::Value;
use usher_abi::Role;

use super::sample::{Sample, number};

/// A component and what the suite works it with: good options, samples of what it reads or takes, options that it
/// must refuse.
#[derive(Clone, Debug)]
pub struct Case {
    pub(super) role: Role,
    pub(super) component: String,
    pub(super) options: Value,
    pub(super) inputs: Vec<(String, Sample)>,
    pub(super) columns: Vec<(String, Vec<String>)>,
    pub(super) refused: Vec<(Value, String)>,
    /// Made by [`guess`](Self::guess): its values may be bad ones.
    pub(super) guessed: bool,
}

impl Case {
    fn new(role: Role, component: &str, options: Value) -> Self {
        let (inputs, columns, refused) = (Vec::new(), Vec::new(), Vec::new());
        let component = component.to_owned();
        Self { role, component, options, inputs, columns, refused, guessed: false }
    }

    /// A source with good options, which name the inputs given by [`input`](Self::input).
    pub fn source(component: &str, options: Value) -> Self {
        Self::new(Role::Source, component, options)
    }

    /// A sink with good options.
    pub fn sink(component: &str, options: Value) -> Self {
        Self::new(Role::Sink, component, options)
    }

    /// A transform with good options.
    pub fn transform(component: &str, options: Value) -> Self {
        Self::new(Role::Transform, component, options)
    }

    /// Sources: what stands behind a spec that the options name.
    #[must_use]
    pub fn input(mut self, spec: &str, sample: Sample) -> Self {
        self.inputs.push((spec.to_owned(), sample));
        self
    }

    /// Sinks and transforms: a text column and good values of it, used in turn. `{n}` in a value stands for the
    /// number of the row: a column that must be unique needs it.
    #[must_use]
    pub fn column<'a>(mut self, name: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.columns.push((name.to_owned(), values.into_iter().map(str::to_owned).collect()));
        self
    }

    /// Options that must be refused with a problem at this JSON pointer (`/delimiter`). An empty pointer stands for
    /// any.
    #[must_use]
    pub fn refuses(mut self, options: Value, pointer: &str) -> Self {
        self.refused.push((options, pointer.to_owned()));
        self
    }

    /// How the outcome names it.
    pub(super) fn title(&self) -> String {
        title(self.role, &self.component)
    }

    pub(super) fn column_names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Good rows, by number.
    pub(super) fn batch(&self, rows: Range<usize>) -> RecordBatch {
        self.batch_with(rows, |_, _, good| Some(good))
    }

    /// Rows whose cells are chosen by column, row and the good value.
    pub(super) fn batch_with(
        &self,
        rows: Range<usize>,
        mut cell: impl FnMut(usize, usize, String) -> Option<String>,
    ) -> RecordBatch {
        let fields: Vec<Field> =
            self.columns.iter().map(|(name, _)| Field::new(name.as_str(), DataType::Utf8, true)).collect();
        let arrays = self.columns.iter().enumerate().map(|(column, (_, values))| {
            let values: StringArray = rows.clone().map(|row| cell(column, row, good(values, row))).collect();
            Arc::new(values) as ArrayRef
        });
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
        match RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays.collect(), &options) {
            Ok(batch) => batch,
            Err(error) => panic!("the case's columns make no batch: {error}"),
        }
    }
}

/// Role and name of a component.
pub(super) fn title(role: Role, component: &str) -> String {
    let role = match role {
        Role::Source => "source",
        Role::Transform => "transform",
        Role::Sink => "sink",
    };
    format!("{role} {component}")
}

fn good(values: &[String], row: usize) -> String {
    let value = values.get(row.checked_rem(values.len()).unwrap_or(0)).map_or("", String::as_str);
    String::from_utf8_lossy(&number(value.as_bytes(), row)).into_owned()
}
