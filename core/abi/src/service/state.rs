//! `usher.state/1`: a small durable key/value store per connector (tokens, job ids).

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{ROption, RResult, RSlice, RStr, RVec},
};

use crate::{Error, serve::with};

/// Id of the service.
pub const STATE: &str = "usher.state/1";

/// The functions of the service, `[any thread]`. Keys are the connector's own; others cannot see them.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct StateTable {
    /// The value under a key.
    pub get: extern "C" fn(*const c_void, RStr<'_>) -> RResult<ROption<RVec<u8>>, Error>,
    /// Stores a value; it is on disk when the call returns.
    pub put: extern "C" fn(*const c_void, RStr<'_>, RSlice<'_, u8>) -> RResult<(), Error>,
    /// Removes a key; removing nothing is no error.
    pub delete: extern "C" fn(*const c_void, RStr<'_>) -> RResult<(), Error>,
}

/// What serves [`StateTable`].
pub trait StateService: Send + Sync {
    /// See [`StateTable::get`].
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// See [`StateTable::put`].
    fn put(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    /// See [`StateTable::delete`].
    fn delete(&self, key: &str) -> Result<(), Error>;
}

extern "C" fn get(context: *const c_void, key: RStr<'_>) -> RResult<ROption<RVec<u8>>, Error> {
    with(context, |s| Ok(s.state()?.get(key.as_str())?.map(RVec::from).into()))
}

extern "C" fn put(context: *const c_void, key: RStr<'_>, value: RSlice<'_, u8>) -> RResult<(), Error> {
    with(context, |s| s.state()?.put(key.as_str(), value.as_slice()))
}

extern "C" fn delete(context: *const c_void, key: RStr<'_>) -> RResult<(), Error> {
    with(context, |s| s.state()?.delete(key.as_str()))
}

pub(crate) static STATE_TABLE: StateTable = StateTable { get, put, delete };
