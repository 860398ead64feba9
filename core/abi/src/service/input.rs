//! `usher.input/1`: bytes of the files that an instance's options name.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{ROption, RResult, RStr, RString, RVec},
};
use serde::{Deserialize, Serialize};

use crate::{Error, serve::with};

/// Id of the service.
pub const INPUT: &str = "usher.input/1";

/// One input: a file, one file of a glob, or standard input.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct InputFile {
    /// Its id in this run; origins and batches name it.
    pub id: u32,
    /// How messages name it (`users.ndjson`).
    pub name: RString,
    /// Decompressed size in bytes, when it is known.
    pub size: ROption<u64>,
    /// Whether a reader may start anywhere (not so for compressed input and streams).
    pub splittable: bool,
}

/// Some consecutive bytes of an input, owned and reference-counted: whoever holds a slab may read it, from any
/// thread, until it drops it.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct Slab {
    /// First byte.
    pub data: *const u8,
    /// Bytes.
    pub len: usize,
    /// Place of the first byte in the decompressed input.
    pub offset: u64,
    /// The owner's handle.
    pub owner: *const c_void,
    /// Gives the slab back; called once.
    pub release: extern "C" fn(*const c_void),
}

// SAFETY: the bytes are immutable while the slab lives, and `release` is `[any thread]`.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

impl Slab {
    /// A slab over bytes that `owner` keeps alive.
    pub fn new(owner: std::sync::Arc<Vec<u8>>, offset: u64) -> Self {
        extern "C" fn release(owner: *const c_void) {
            // SAFETY: `owner` came from `Arc::into_raw` below and is given back once.
            drop(unsafe { std::sync::Arc::from_raw(owner.cast::<Vec<u8>>()) });
        }
        let (data, len) = (owner.as_ptr(), owner.len());
        Self { data, len, offset, owner: std::sync::Arc::into_raw(owner).cast(), release }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: `data` points at `len` immutable bytes for as long as the slab lives.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        (self.release)(self.owner);
    }
}

/// The functions of the service. All are `[any thread]` and take the host's context first.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct InputTable {
    /// Finds the inputs behind a path, a glob or `-`, in the order in which they are to be read. Only texts that the
    /// instance's own options hold are accepted.
    pub open: extern "C" fn(*const c_void, RStr<'_>) -> RResult<RVec<InputFile>, Error>,
    /// Opens a reader over the bytes `start..end` of an input (`end` may be `u64::MAX`).
    pub reader: extern "C" fn(*const c_void, u32, u64, u64) -> RResult<u64, Error>,
    /// The next slab of a reader, never empty; none at the end. One call at a time per reader.
    pub next: extern "C" fn(*const c_void, u64) -> RResult<ROption<Slab>, Error>,
    /// Closes a reader.
    pub close: extern "C" fn(*const c_void, u64),
}

/// What serves [`InputTable`].
pub trait InputService: Send + Sync {
    /// See [`InputTable::open`].
    fn open(&self, spec: &str) -> Result<Vec<InputFile>, Error>;
    /// See [`InputTable::reader`].
    fn reader(&self, input: u32, start: u64, end: u64) -> Result<u64, Error>;
    /// See [`InputTable::next`].
    fn next(&self, reader: u64) -> Result<Option<Slab>, Error>;
    /// See [`InputTable::close`].
    fn close(&self, reader: u64);
}

extern "C" fn open(context: *const c_void, spec: RStr<'_>) -> RResult<RVec<InputFile>, Error> {
    with(context, |s| Ok(s.input()?.open(spec.as_str())?.into()))
}

extern "C" fn reader(context: *const c_void, input: u32, start: u64, end: u64) -> RResult<u64, Error> {
    with(context, |s| s.input()?.reader(input, start, end))
}

extern "C" fn next(context: *const c_void, reader: u64) -> RResult<ROption<Slab>, Error> {
    with(context, |s| Ok(s.input()?.next(reader)?.into()))
}

extern "C" fn close(context: *const c_void, reader: u64) {
    let _ = with(context, |s| {
        s.input()?.close(reader);
        Ok(())
    });
}

pub(crate) static INPUT_TABLE: InputTable = InputTable { open, reader, next, close };
