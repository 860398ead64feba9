//! The functions of `SinkTable` over the trait.

use std::{ffi::c_void, marker::PhantomData, mem};

use usher_abi::{
    ArrowSchema, Batch, CheckRequest, Checked, Error, Instance, RResult, RStr, RString, Report, SinkTable,
    import_batch, import_schema,
};

use super::Sink;
use crate::{
    Host, Records,
    guard::{Shell, cancel, close, enter},
    options,
};

struct Table<T>(PhantomData<T>);

impl<T: Sink> Table<T> {
    const TABLE: &'static SinkTable = &SinkTable {
        check: check::<T>,
        begin: begin::<T>,
        write: write::<T>,
        flush: flush::<T>,
        finish: finish::<T>,
        cancel: cancel::<T>,
        close: close::<T>,
    };
}

/// Opens a sink behind the boundary.
#[doc(hidden)]
pub fn open<T: Sink>(options_json: &str, host: Host) -> Result<Instance, Error> {
    let flag = host.cancelled_flag();
    let sink = T::open(options::parse(options_json)?, host)?;
    Ok(Instance {
        this: Shell::into_raw(sink, flag),
        source: std::ptr::null(),
        transform: std::ptr::null(),
        sink: Table::<T>::TABLE,
    })
}

extern "C" fn check<T: Sink>(this: *mut c_void, request: RStr<'_>) -> RResult<RString, Error> {
    enter(this, "check", |sink: &mut T| {
        let request: CheckRequest = options::from_json(request.as_str())?;
        options::to_json(&Checked { problems: sink.check(&request.columns)? })
    })
}

extern "C" fn begin<T: Sink>(this: *mut c_void, schema: &ArrowSchema) -> RResult<(), Error> {
    enter(this, "begin", |sink: &mut T| sink.begin(import_schema(schema)?))
}

extern "C" fn write<T: Sink>(
    this: *mut c_void,
    batch: &mut Batch,
    report: &mut Report,
) -> RResult<(), Error> {
    enter(this, "write", |sink: &mut T| {
        let (input, checkpoint) = (batch.input, mem::take(&mut batch.checkpoint).into());
        sink.write(Records { batch: import_batch(batch)?, input, checkpoint }, report)
    })
}

extern "C" fn flush<T: Sink>(this: *mut c_void, report: &mut Report) -> RResult<(), Error> {
    enter(this, "flush", |sink: &mut T| sink.flush(report))
}

extern "C" fn finish<T: Sink>(
    this: *mut c_void,
    _: RStr<'_>,
    report: &mut Report,
) -> RResult<RString, Error> {
    enter(this, "finish", |sink: &mut T| options::to_json(&sink.finish(report)?))
}
