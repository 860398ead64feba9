//! `usher.ledger/1`: durable notes of the units sent in an unfinished run, so that resuming it sends none twice.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{ROption, RResult, RSlice, RStr, RVec},
};

use crate::{Error, serve::with};

/// Id of the service.
pub const LEDGER: &str = "usher.ledger/1";

/// The functions of the service, `[any thread]`.
///
/// A unit is what a sink sends in one piece. Its key is made of chain, connector, destination account, run and the
/// hash of its content; the host adds chain, connector and run. A finished run never silences a new one.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct LedgerTable {
    /// What an earlier attempt of *this* run noted for the unit: destination account, content hash.
    pub find: extern "C" fn(*const c_void, RStr<'_>, RSlice<'_, u8>) -> RResult<ROption<RVec<u8>>, Error>,
    /// Notes a unit; it is on disk when the call returns.
    pub note: extern "C" fn(*const c_void, RStr<'_>, RSlice<'_, u8>, RSlice<'_, u8>) -> RResult<(), Error>,
}

/// What serves [`LedgerTable`].
pub trait LedgerService: Send + Sync {
    /// See [`LedgerTable::find`].
    fn find(&self, account: &str, unit: &[u8]) -> Result<Option<Vec<u8>>, Error>;
    /// See [`LedgerTable::note`].
    fn note(&self, account: &str, unit: &[u8], outcome: &[u8]) -> Result<(), Error>;
}

extern "C" fn find(
    context: *const c_void,
    account: RStr<'_>,
    unit: RSlice<'_, u8>,
) -> RResult<ROption<RVec<u8>>, Error> {
    with(context, |s| Ok(s.ledger()?.find(account.as_str(), unit.as_slice())?.map(RVec::from).into()))
}

extern "C" fn note(
    context: *const c_void,
    account: RStr<'_>,
    unit: RSlice<'_, u8>,
    outcome: RSlice<'_, u8>,
) -> RResult<(), Error> {
    with(context, |s| s.ledger()?.note(account.as_str(), unit.as_slice(), outcome.as_slice()))
}

pub(crate) static LEDGER_TABLE: LedgerTable = LedgerTable { find, note };
