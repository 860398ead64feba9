//! Table of a transform: batches in, batches out.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{RResult, RStr, RString},
};

use crate::{ArrowSchema, Batch, Error, Report, Status};

/// The functions of a transform. Rows keep their `_offset` and `_length`.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct TransformTable {
    /// As [`SourceTable::check`](crate::SourceTable::check).
    pub check: extern "C" fn(*mut c_void, RStr<'_>) -> RResult<RString, Error>,
    /// The schema that comes out when this one goes in; asked twice before the first batch, with what may come and
    /// with what will ([`metadata::OPEN`](crate::metadata::OPEN)).
    pub output_schema: extern "C" fn(*mut c_void, &ArrowSchema, &mut ArrowSchema) -> RResult<(), Error>,
    /// Takes the input batch (its `release` is the transform's now) and fills the output one; `AGAIN` when rows are
    /// held back.
    pub apply: extern "C" fn(*mut c_void, &mut Batch, &mut Batch, &mut Report) -> RResult<Status, Error>,
    /// After the last batch: what was held back, batch by batch, until `END`.
    pub flush: extern "C" fn(*mut c_void, &mut Batch, &mut Report) -> RResult<Status, Error>,
    /// `[any thread]` As for sources.
    pub cancel: extern "C" fn(*mut c_void),
    /// Frees the instance.
    pub close: extern "C" fn(*mut c_void),
}
