//! Table of a sink.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{RResult, RStr, RString},
};

use crate::{ArrowSchema, Batch, Error, Report};

/// The functions of a sink, in the order in which they are called.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct SinkTable {
    /// Takes the names of the columns that will come (a JSON array) and answers a JSON array of
    /// [`Problem`](crate::Problem)s.
    pub check: extern "C" fn(*mut c_void, RStr<'_>) -> RResult<RString, Error>,
    /// The schema of all batches: the columns checked before, then `_offset` and `_length`. The schema is lent.
    pub begin: extern "C" fn(*mut c_void, &ArrowSchema) -> RResult<(), Error>,
    /// Takes a batch (its `release` is the sink's now). Rows that cannot be taken go into the report, not into an
    /// error.
    pub write: extern "C" fn(*mut c_void, &mut Batch, &mut Report) -> RResult<(), Error>,
    /// Hands on whatever is buffered.
    pub flush: extern "C" fn(*mut c_void, &mut Report) -> RResult<(), Error>,
    /// Ends the work: a [`Receipt`](crate::Receipt) as JSON.
    pub finish: extern "C" fn(*mut c_void, &mut Report) -> RResult<RString, Error>,
    /// `[any thread]` As for sources.
    pub cancel: extern "C" fn(*mut c_void),
    /// Frees the instance; without a `finish` before, its work is thrown away.
    pub close: extern "C" fn(*mut c_void),
}
