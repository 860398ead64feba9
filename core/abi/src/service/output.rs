//! `usher.output/1`: staged files. Nothing written here is seen under its final name before the whole run is good.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{RResult, RSlice, RSliceMut, RStr, RString},
};
use serde::{Deserialize, Serialize};

use crate::{Error, serve::with};

/// Id of the service.
pub const OUTPUT: &str = "usher.output/1";

/// What is in a part, so that the host can count its records by itself.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct PartFormat {
    /// `csv`, `ndjson`, `json` (one array) or `bytes` (not counted).
    pub name: RString,
    /// CSV: the delimiter.
    pub delimiter: u8,
    /// CSV: the quote.
    pub quote: u8,
    /// CSV: whether the first record is a header.
    pub header: bool,
}

impl PartFormat {
    /// Comma- or otherwise separated values with `"` as the quote.
    pub fn csv(delimiter: u8, header: bool) -> Self {
        Self { name: "csv".into(), delimiter, quote: b'"', header }
    }

    /// One JSON value a line.
    pub fn ndjson() -> Self {
        Self { name: "ndjson".into(), delimiter: 0, quote: 0, header: false }
    }

    /// One JSON array.
    pub fn json() -> Self {
        Self { name: "json".into(), delimiter: 0, quote: 0, header: false }
    }

    /// Anything else; the host does not count its records.
    pub fn bytes() -> Self {
        Self { name: "bytes".into(), delimiter: 0, quote: 0, header: false }
    }
}

/// The functions of the service. `[any thread]`, but one call at a time per part.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct OutputTable {
    /// Begins a part: stem (`users`), extension (`csv`), format. Its name is
    /// `<chain>-<connector>-<run>-<stem>-<number>.<extension>`, numbered per stem from 1 in order of `finish`.
    pub create: extern "C" fn(*const c_void, RStr<'_>, RStr<'_>, &PartFormat) -> RResult<u64, Error>,
    /// Appends bytes.
    pub write: extern "C" fn(*const c_void, u64, RSlice<'_, u8>) -> RResult<(), Error>,
    /// Reads back bytes written before; answers how many (0 at the end).
    pub read_back: extern "C" fn(*const c_void, u64, u64, RSliceMut<'_, u8>) -> RResult<usize, Error>,
    /// Ends a part: the number of records (header not counted) that the sink says are in it. Answers its name.
    /// A part whose records, counted by the host, are not as many is an error.
    pub finish: extern "C" fn(*const c_void, u64, u64) -> RResult<RString, Error>,
    /// Throws a part away, unfinished.
    pub discard: extern "C" fn(*const c_void, u64) -> RResult<(), Error>,
}

/// What serves [`OutputTable`].
pub trait OutputService: Send + Sync {
    /// See [`OutputTable::create`].
    fn create(&self, stem: &str, extension: &str, format: &PartFormat) -> Result<u64, Error>;
    /// See [`OutputTable::write`].
    fn write(&self, part: u64, bytes: &[u8]) -> Result<(), Error>;
    /// See [`OutputTable::read_back`].
    fn read_back(&self, part: u64, offset: u64, into: &mut [u8]) -> Result<usize, Error>;
    /// See [`OutputTable::finish`].
    fn finish(&self, part: u64, records: u64) -> Result<String, Error>;
    /// See [`OutputTable::discard`].
    fn discard(&self, part: u64) -> Result<(), Error>;
}

extern "C" fn create(
    context: *const c_void,
    stem: RStr<'_>,
    extension: RStr<'_>,
    format: &PartFormat,
) -> RResult<u64, Error> {
    with(context, |s| s.output()?.create(stem.as_str(), extension.as_str(), format))
}

extern "C" fn write(context: *const c_void, part: u64, bytes: RSlice<'_, u8>) -> RResult<(), Error> {
    with(context, |s| s.output()?.write(part, bytes.as_slice()))
}

extern "C" fn read_back(
    context: *const c_void,
    part: u64,
    offset: u64,
    mut into: RSliceMut<'_, u8>,
) -> RResult<usize, Error> {
    with(context, |s| s.output()?.read_back(part, offset, into.as_mut_slice()))
}

extern "C" fn finish(context: *const c_void, part: u64, records: u64) -> RResult<RString, Error> {
    with(context, |s| Ok(s.output()?.finish(part, records)?.into()))
}

extern "C" fn discard(context: *const c_void, part: u64) -> RResult<(), Error> {
    with(context, |s| s.output()?.discard(part))
}

pub(crate) static OUTPUT_TABLE: OutputTable = OutputTable { create, write, read_back, finish, discard };
