//! The transform `users`: rows as they came, and spoilt. What it does honestly besides is its option `work`.

use std::{
    collections::{HashMap, VecDeque},
    iter,
    sync::Arc,
};

use arrow_array::{BooleanArray, RecordBatch, new_null_array};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};
use arrow_select::{concat::concat_batches, filter::filter_record_batch};
use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Records, Transform,
    abi::{Component, Error, Merged, Problem, Reject, Report, metadata},
    describe,
};

use crate::{batch::spoilt_batch, fault::Fault, stranger::stranger, words::spoilt};

/// Options of the transform.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// What goes wrong
    fault: Fault,
    /// What happens to rows, in good order
    work: Work,
}

/// What a transform may do with rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// Hands them on at once
    #[default]
    PassOn,
    /// Rejects the second of each three
    Reject,
    /// Merges the second of each three into the first
    Merge,
    /// Hands them on at the end
    HoldBack,
}

/// Rows as they came.
#[derive(Debug)]
pub(crate) struct Users {
    fault: Fault,
    work: Work,
    rows: u64,
    held: VecDeque<Records>,
}

impl Transform for Users {
    type Options = Options;

    fn component() -> Component {
        spoilt(describe::transform::<Options>("users", "Rows as they came"))
    }

    fn open(options: Options, _: Host) -> Result<Self, Error> {
        options.fault.open();
        Ok(Self { fault: options.fault, work: options.work, rows: 0, held: VecDeque::new() })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        self.fault.panic_if(Fault::PanicInCheck);
        Ok(Vec::new())
    }

    fn output_schema(&mut self, input: SchemaRef) -> Result<Schema, Error> {
        self.fault.panic_if(Fault::PanicInOutputSchema);
        let mut fields: Vec<FieldRef> = input.fields().to_vec();
        match self.fault {
            Fault::PromiseColumn => {
                let made_from = HashMap::from([(metadata::FROM.to_owned(), "[]".to_owned())]);
                fields.insert(
                    0,
                    Arc::new(Field::new("promised", DataType::Utf8, true).with_metadata(made_from)),
                );
            }
            Fault::InventColumn => fields.insert(0, invented()),
            Fault::OtherOrder => fields.reverse(),
            _ => {}
        }
        Ok(Schema::new(fields))
    }

    fn apply(&mut self, records: Records, report: &mut Report) -> Result<Option<Records>, Error> {
        self.fault.panic_if(Fault::PanicInApply);
        self.fault.work(self.rows)?;
        self.rows += records.batch.num_rows() as u64;
        let records = self.worked(records, report)?;
        match self.fault {
            Fault::KeepBack => return Ok(None),
            Fault::EndlessRows if records.batch.num_rows() == 0 => {}
            Fault::EndlessRows | Fault::EndlessNothing => self.held = [records.clone()].into(),
            _ if self.work == Work::HoldBack => {
                self.held.push_back(records);
                return Ok(None);
            }
            _ => {}
        }
        Ok(Some(records))
    }

    fn flush(&mut self, _: &mut Report) -> Result<Option<Records>, Error> {
        self.fault.panic_if(Fault::PanicInFlush);
        match self.fault {
            Fault::EndlessRows => Ok(self.held.front().cloned()),
            Fault::EndlessNothing => {
                Ok(self.held.front().map(|held| Records { batch: held.batch.slice(0, 0), ..held.clone() }))
            }
            _ => Ok(self.held.pop_front()),
        }
    }
}

impl Users {
    /// The rows that go on. What becomes of the others is in the report; of a spoilt transform, more or less.
    fn worked(&self, records: Records, report: &mut Report) -> Result<Records, Error> {
        let mut keep = self.kept(&records, report)?;
        if let Some(first) = keep.first_mut() {
            let origin = records.origins()?.get(0);
            match self.fault {
                Fault::Swallow => *first = false,
                Fault::RejectStrangers => {
                    *first = false;
                    report.rejects.push(stranger());
                }
                Fault::MergeIntoStrangers => {
                    *first = false;
                    report.merged.push(Merged { origin, survivor: stranger().origin });
                }
                Fault::Boast => report.written.add(origin.input, origin.offset),
                _ => {}
            }
        }
        let mut batch = taken(filter_record_batch(&records.batch, &BooleanArray::from(keep)))?;
        if self.fault == Fault::Double && batch.num_rows() > 0 {
            batch = taken(concat_batches(&batch.schema(), [&batch, &batch.slice(0, 1)]))?;
        }
        if self.fault == Fault::InventColumn {
            let (schema, columns) = (batch.schema(), batch.columns().iter().cloned());
            let fields: Vec<FieldRef> =
                iter::once(invented()).chain(schema.fields().iter().cloned()).collect();
            let nulls = new_null_array(&DataType::Utf8, batch.num_rows());
            let columns = iter::once(nulls).chain(columns).collect();
            batch = taken(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns))?;
        }
        spoilt_batch(self.fault, Records { batch, ..records })
    }

    /// Whether each row goes on; an honest report of the others.
    fn kept(&self, records: &Records, report: &mut Report) -> Result<Vec<bool>, Error> {
        let origins = records.origins()?;
        let mut keep = vec![true; records.batch.num_rows()];
        for row in (1..keep.len()).step_by(3) {
            let (origin, survivor) = (origins.get(row), origins.get(row - 1));
            match self.work {
                Work::PassOn | Work::HoldBack => break,
                Work::Reject => {
                    let reject = Reject::new(origin, "email", "misbehaving.second", "the second of three");
                    report.rejects.push(reject);
                }
                Work::Merge => report.merged.push(Merged { origin, survivor }),
            }
            keep[row] = false;
        }
        Ok(keep)
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        self.fault.panic_if(Fault::PanicInClose);
    }
}

fn invented() -> FieldRef {
    Arc::new(Field::new("invented", DataType::Utf8, true))
}

fn taken(batch: Result<RecordBatch, ArrowError>) -> Result<RecordBatch, Error> {
    batch.map_err(|e| Error::bug("misbehaving.batch", e.to_string()))
}
