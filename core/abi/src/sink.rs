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
    /// Takes a [`CheckRequest`](crate::CheckRequest) and answers a [`Checked`](crate::Checked), both as JSON. Asks the vendor, too, when there is a service to do so; it writes nothing.
    pub check: extern "C" fn(*mut c_void, RStr<'_>) -> RResult<RString, Error>,
    /// The schema of all batches: the columns checked before, then `_offset` and `_length`. The schema is lent.
    pub begin: extern "C" fn(*mut c_void, &ArrowSchema) -> RResult<(), Error>,
    /// Takes a batch (its `release` is the sink's now). Rows that cannot be taken go into the report, not into an
    /// error.
    pub write: extern "C" fn(*mut c_void, &mut Batch, &mut Report) -> RResult<(), Error>,
    /// Hands on whatever is buffered: when it returns, the report has what can be known of every row written before.
    /// May come between batches, any number of times, and changes nothing of what comes out: a file goes on as before.
    pub flush: extern "C" fn(*mut c_void, &mut Report) -> RResult<(), Error>,
    /// Ends the work: a [`Receipt`](crate::Receipt) as JSON. Takes a JSON object, which is empty
    /// ([`NOTHING_MORE`](crate::NOTHING_MORE)).
    pub finish: extern "C" fn(*mut c_void, RStr<'_>, &mut Report) -> RResult<RString, Error>,
    /// `[any thread]` As for sources.
    pub cancel: extern "C" fn(*mut c_void),
    /// Frees the instance; without a `finish` before, its files are thrown away. What a vendor has been sent stays.
    pub close: extern "C" fn(*mut c_void),
}
