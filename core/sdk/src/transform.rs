//! The role of a transform, and its table.

use std::{ffi::c_void, marker::PhantomData, mem};

use arrow_schema::{Schema, SchemaRef};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use usher_abi::{
    ArrowSchema, Batch, Checked, Component, Error, Instance, Problem, RResult, RStr, RString, Report, Status,
    TransformTable, export_batch, export_schema, import_batch, import_schema,
};

use crate::{
    Host, Records,
    guard::{Shell, cancel, close, enter},
    options,
};

/// Changes records on their way. Rows keep their origin columns.
pub trait Transform: Sized + Send + 'static {
    /// Typed options.
    type Options: DeserializeOwned + JsonSchema;

    /// What the component is; start from [`describe::transform`](crate::describe::transform).
    fn component() -> Component;

    /// Takes the options, which have passed their schema.
    fn open(options: Self::Options, host: Host) -> Result<Self, Error>;

    /// What is wrong with the options that a schema cannot say.
    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }

    /// The schema that comes out when this one goes in. Asked twice before the first batch: with all that the source
    /// lists ([`metadata::OPEN`](usher_abi::metadata::OPEN) is there), which says what names the chain may use after
    /// this transform; then with the columns that are going to come. Types stand for nothing in either: a field's
    /// [`KIND`](usher_abi::metadata::KIND) says what its values are, its [`CLAIMS`](usher_abi::metadata::CLAIMS) what
    /// claims it provides, those of the chain's own among them. A column that is made from others says so with [`FROM`](usher_abi::metadata::FROM).
    fn output_schema(&mut self, input: SchemaRef) -> Result<Schema, Error>;

    /// One batch in, at most one out.
    fn apply(&mut self, records: Records, report: &mut Report) -> Result<Option<Records>, Error>;

    /// After the last batch: what was held back, until `None`.
    fn flush(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        let _ = report;
        Ok(None)
    }
}

struct Table<T>(PhantomData<T>);

impl<T: Transform> Table<T> {
    const TABLE: &'static TransformTable = &TransformTable {
        check: check::<T>,
        output_schema: output_schema::<T>,
        apply: apply::<T>,
        flush: flush::<T>,
        cancel: cancel::<T>,
        close: close::<T>,
    };
}

/// Opens a transform behind the boundary.
#[doc(hidden)]
pub fn open<T: Transform>(options_json: &str, host: Host) -> Result<Instance, Error> {
    let flag = host.cancelled_flag();
    let transform = T::open(options::parse(options_json)?, host)?;
    Ok(Instance {
        this: Shell::into_raw(transform, flag),
        source: std::ptr::null(),
        transform: Table::<T>::TABLE,
        sink: std::ptr::null(),
    })
}

extern "C" fn check<T: Transform>(this: *mut c_void, _: RStr<'_>) -> RResult<RString, Error> {
    enter(this, "check", |t: &mut T| options::to_json(&Checked { problems: t.check()? }))
}

extern "C" fn output_schema<T: Transform>(
    this: *mut c_void,
    input: &ArrowSchema,
    output: &mut ArrowSchema,
) -> RResult<(), Error> {
    enter(this, "output_schema", |t: &mut T| {
        *output = export_schema(&t.output_schema(import_schema(input)?)?)?;
        Ok(())
    })
}

extern "C" fn apply<T: Transform>(
    this: *mut c_void,
    input: &mut Batch,
    output: &mut Batch,
    report: &mut Report,
) -> RResult<Status, Error> {
    enter(this, "apply", |t: &mut T| {
        let (id, checkpoint) = (input.input, mem::take(&mut input.checkpoint).into());
        let records = Records { batch: import_batch(input)?, input: id, checkpoint };
        fill(t.apply(records, report)?, output, Status::AGAIN)
    })
}

extern "C" fn flush<T: Transform>(
    this: *mut c_void,
    output: &mut Batch,
    report: &mut Report,
) -> RResult<Status, Error> {
    enter(this, "flush", |t: &mut T| fill(t.flush(report)?, output, Status::END))
}

fn fill(records: Option<Records>, output: &mut Batch, otherwise: Status) -> Result<Status, Error> {
    Ok(match records {
        Some(records) => {
            *output = export_batch(&records.batch, records.input, records.checkpoint)?;
            Status::OK
        }
        None => otherwise,
    })
}
