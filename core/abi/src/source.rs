//! Tables of a source and of the streams that it opens.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{RResult, RSlice, RStr, RString, RVec},
};
use serde::{Deserialize, Serialize};

use crate::{Batch, Error, Report};

/// What a pull answered; an open enumeration.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub u32);

impl Status {
    /// A batch was filled in. It may have no rows: one that a source ends with brings its last checkpoint.
    pub const OK: Self = Self(1);
    /// There is nothing more; no batch was filled in.
    pub const END: Self = Self(2);
    /// Nothing yet, call again. Whoever answers it has waited for a while, so that the caller need not.
    pub const AGAIN: Self = Self(3);
}

/// A piece of an input that can be read on its own.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// The input (an id given by `usher.input/1`).
    pub input: u32,
    /// First byte; records that begin before it belong to the split before.
    pub start: u64,
    /// Records that begin at or after it belong to the next split; `u64::MAX`: to the end.
    pub end: u64,
    /// The source's own.
    pub details: RString,
}

/// An open stream: a handle and its table.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct StreamHandle {
    /// Handed to every function of the table.
    pub this: *mut c_void,
    /// The functions.
    pub table: *const StreamTable,
}

// SAFETY: as for `Instance`: a stream may move between threads between calls.
unsafe impl Send for StreamHandle {}

/// The functions of a source.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct SourceTable {
    /// Looks at the options once more, now with services: takes a [`CheckRequest`](crate::CheckRequest) and answers a
    /// [`Checked`](crate::Checked), both as JSON.
    pub check: extern "C" fn(*mut c_void, RStr<'_>) -> RResult<RString, Error>,
    /// The attributes of the input as a [`Catalog`](crate::Catalog) in JSON; may read a little of it. Takes a JSON object,
    /// which is empty ([`NOTHING_MORE`](crate::NOTHING_MORE)).
    pub catalog: extern "C" fn(*mut c_void, RStr<'_>) -> RResult<RString, Error>,
    /// Takes a [`PlanRequest`](crate::PlanRequest) as JSON, whose columns are all that is to be decoded; answers the
    /// splits in input order. A run that looks ahead asks again, and reads again: the same records must come, so a
    /// source that orders an export keeps it until `close`.
    pub plan: extern "C" fn(*mut c_void, RStr<'_>) -> RResult<RVec<Split>, Error>,
    /// Opens a planned split, from the start or from a checkpoint of an earlier stream of the same split. Streams of
    /// one source may be open at once and are pulled from different threads; all have the same schema.
    pub open_split: extern "C" fn(*mut c_void, &Split, RSlice<'_, u8>) -> RResult<StreamHandle, Error>,
    /// `[any thread]` Makes running and later calls return [`ErrorClass::CANCELLED`](crate::ErrorClass::CANCELLED)
    /// soon. Idempotent, returns at once.
    pub cancel: extern "C" fn(*mut c_void),
    /// Frees the instance; its streams are closed before.
    pub close: extern "C" fn(*mut c_void),
}

/// The functions of a stream.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct StreamTable {
    /// Fills the next batch and says which records it could not read.
    ///
    /// Every batch has the columns of the projection in the order planned, then `_offset` (UInt64) and `_length`
    /// (UInt32): the place of each row in the decompressed input.
    pub next: extern "C" fn(*mut c_void, &mut Batch, &mut Report) -> RResult<Status, Error>,
    /// `[any thread]` As for [`SourceTable::cancel`], of this stream alone; its source's cancels all streams.
    pub cancel: extern "C" fn(*mut c_void),
    /// Frees the stream.
    pub close: extern "C" fn(*mut c_void),
}
