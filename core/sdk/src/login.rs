//! Logging in to a vendor: the trait, and its table.

use std::{
    ffi::c_void,
    marker::PhantomData,
    sync::{Arc, atomic::AtomicBool},
};

use serde::de::DeserializeOwned;
use usher_abi::{
    Error, HostTable, LoginHandle, LoginProgress, LoginPrompt, LoginTable, RResult, RStr, RString,
};

use crate::{
    Host, Secret,
    guard::{self, Shell, cancel, close, enter},
    options,
};

/// Logs in to a vendor, for `usher login`: `open` → `begin` → `poll`…, or `open` → `export`. A plugin that has one names it
/// in [`export!`](crate::export): `login = login::Login`.
pub trait Login: Sized + Send + 'static {
    /// Typed options: those of the connector that logs in.
    type Options: DeserializeOwned;

    /// Takes the options, which have passed the schema of the connector's component.
    fn open(options: Self::Options, host: Host) -> Result<Self, Error>;

    /// Begins a login.
    fn begin(&mut self) -> Result<LoginPrompt, Error>;

    /// Asks once whether it is done. When it is, what came of it has been put into the state
    /// ([`Host::state`](crate::Host::state)). Does not wait: the host does.
    fn poll(&mut self) -> Result<LoginProgress, Error>;

    /// The secret by which another machine logs in without a person.
    fn export(&mut self) -> Result<Secret, Error>;
}

struct Table<T>(PhantomData<T>);

impl<T: Login> Table<T> {
    const TABLE: &'static LoginTable = &LoginTable {
        open: open::<T>,
        begin: begin::<T>,
        poll: poll::<T>,
        export: export::<T>,
        cancel: cancel::<T>,
        close: close::<T>,
    };
}

/// The table of a login; for [`export!`](crate::export).
pub(crate) fn table<T: Login>() -> &'static LoginTable {
    Table::<T>::TABLE
}

extern "C" fn open<T: Login>(options_json: RStr<'_>, host: HostTable) -> RResult<LoginHandle, Error> {
    guard::catch("login", || {
        let flag = Arc::new(AtomicBool::new(false));
        let login = T::open(options::parse(options_json.as_str())?, Host::new(host, flag.clone()))?;
        Ok(LoginHandle { this: Shell::into_raw(login, flag) })
    })
    .into()
}

extern "C" fn begin<T: Login>(this: *mut c_void) -> RResult<RString, Error> {
    enter(this, "begin", |login: &mut T| options::to_json(&login.begin()?))
}

extern "C" fn poll<T: Login>(this: *mut c_void) -> RResult<RString, Error> {
    enter(this, "poll", |login: &mut T| options::to_json(&login.poll()?))
}

extern "C" fn export<T: Login>(this: *mut c_void) -> RResult<RString, Error> {
    enter(this, "export", |login: &mut T| Ok(login.export()?.reveal().into()))
}
