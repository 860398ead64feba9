//! `usher.login/1`: logging in to a vendor, which is neither reading nor writing. An extension of a plugin's module
//! ([`Module::get_extension`](crate::Module)).
//!
//! A person enters a code in a browser, on any machine; meanwhile the plugin asks whether that was done, and keeps what it
//! got in the connector's state.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{RResult, RStr, RString},
};
use serde::{Deserialize, Serialize};

use crate::{Error, HostTable};

/// Id of the extension.
pub const LOGIN: &str = "usher.login/1";

/// A login that was opened.
///
/// Owner: the host; it calls the table's `close` exactly once and nothing afterwards.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct LoginHandle {
    /// Handed to every function of the table.
    pub this: *mut c_void,
}

// SAFETY: a login may move between threads between calls, as an instance may.
unsafe impl Send for LoginHandle {}

/// The functions of the extension. Calls come one at a time per login; all but `open` may be made from any one thread.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct LoginTable {
    /// `[any thread]` Opens a login: the connector's options as JSON, and the host's table, which outlives it and has the
    /// services `http`, `clock` and `state`, as far as the plugin's file asks for them.
    pub open: extern "C" fn(RStr<'_>, HostTable) -> RResult<LoginHandle, Error>,
    /// Begins it: a [`LoginPrompt`] as JSON. Called once, before `poll`.
    pub begin: extern "C" fn(*mut c_void) -> RResult<RString, Error>,
    /// Asks once whether it is done: a [`LoginProgress`] as JSON. When it is, what came of it is in the state. The host waits
    /// between two calls. An error of class `auth` ends it: refused, or too late.
    pub poll: extern "C" fn(*mut c_void) -> RResult<RString, Error>,
    /// The secret by which another machine logs in without a person, as it is kept: the value of an option of the connector.
    /// Needs neither `begin` nor `poll`. An error when nobody has logged in.
    pub export: extern "C" fn(*mut c_void) -> RResult<RString, Error>,
    /// `[any thread]` Makes a running call answer `cancelled` soon; never blocks.
    pub cancel: extern "C" fn(*mut c_void),
    /// Ends it.
    pub close: extern "C" fn(*mut c_void),
}

/// What a person is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginPrompt {
    /// Where the code is entered.
    pub verification_uri: String,
    /// The same with the code in it, if there is such an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_uri_complete: Option<String>,
    /// The code.
    pub user_code: String,
    /// Seconds in which that must be done.
    pub expires_in: u64,
    /// Seconds between two questions.
    pub interval: u64,
}

/// How far a login is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginProgress {
    /// Whether it is done, and kept.
    pub done: bool,
    /// Seconds until the next question, when it is not.
    #[serde(default)]
    pub interval: u64,
    /// The option that takes what `export` answers (`/api/refresh_token`), when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// What a person should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
