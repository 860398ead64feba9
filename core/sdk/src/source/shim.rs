//! The functions of `SourceTable` and `StreamTable` over the traits.

use std::{ffi::c_void, marker::PhantomData};

use usher_abi::{
    Batch, Checked, Error, Instance, PlanRequest, RResult, RSlice, RStr, RString, RVec, Report, SourceTable,
    Split, Status, StreamHandle, StreamTable, export_batch,
};

use super::{Source, Stream};
use crate::{
    Host,
    guard::{Shell, cancel, close, enter},
    options,
};

/// The instance and the host, whose cancellation is that of its streams, too.
struct Opened<T> {
    source: T,
    host: Host,
}

struct Table<T>(PhantomData<T>);

impl<T: Source> Table<T> {
    const SOURCE: &'static SourceTable = &SourceTable {
        check: check::<T>,
        catalog: catalog::<T>,
        plan: plan::<T>,
        open_split: open_split::<T>,
        cancel: cancel::<Opened<T>>,
        close: close::<Opened<T>>,
    };
    const STREAM: &'static StreamTable =
        &StreamTable { next: next::<T::Stream>, cancel: cancel::<T::Stream>, close: close::<T::Stream> };
}

/// Opens a source behind the boundary.
#[doc(hidden)]
pub fn open<T: Source>(options_json: &str, host: Host) -> Result<Instance, Error> {
    let source = T::open(options::parse(options_json)?, host.clone())?;
    let flag = host.cancelled_flag();
    Ok(Instance {
        this: Shell::into_raw(Opened { source, host }, flag),
        source: Table::<T>::SOURCE,
        transform: std::ptr::null(),
        sink: std::ptr::null(),
    })
}

extern "C" fn check<T: Source>(this: *mut c_void, _: RStr<'_>) -> RResult<RString, Error> {
    enter(this, "check", |o: &mut Opened<T>| options::to_json(&Checked { problems: o.source.check()? }))
}

extern "C" fn catalog<T: Source>(this: *mut c_void, _: RStr<'_>) -> RResult<RString, Error> {
    enter(this, "catalog", |o: &mut Opened<T>| options::to_json(&o.source.catalog()?))
}

extern "C" fn plan<T: Source>(this: *mut c_void, request: RStr<'_>) -> RResult<RVec<Split>, Error> {
    enter(this, "plan", |o: &mut Opened<T>| {
        let mut request: PlanRequest = options::from_json(request.as_str())?;
        request.max_splits = request.max_splits.max(1);
        Ok(o.source.plan(&request)?.into())
    })
}

extern "C" fn open_split<T: Source>(
    this: *mut c_void,
    split: &Split,
    checkpoint: RSlice<'_, u8>,
) -> RResult<StreamHandle, Error> {
    enter(this, "open_split", |o: &mut Opened<T>| {
        let stream = o.source.open_split(split, checkpoint.as_slice())?;
        Ok(StreamHandle { this: Shell::below(stream, o.host.cancelled_flag()), table: Table::<T>::STREAM })
    })
}

extern "C" fn next<S: Stream>(
    this: *mut c_void,
    batch: &mut Batch,
    report: &mut Report,
) -> RResult<Status, Error> {
    enter(this, "next", |stream: &mut S| {
        Ok(match stream.next(report)? {
            Some(records) => {
                *batch = export_batch(&records.batch, records.input, records.checkpoint)?;
                Status::OK
            }
            None => Status::END,
        })
    })
}
