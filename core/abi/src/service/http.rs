//! `usher.http/1`: requests to the network hosts that the plugin's preamble names. The host sends them: it holds the
//! allowed hosts, rate limits, retries, proxies and timeouts.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    std_types::{ROption, RResult, RSlice, RStr, RString},
};

use super::{InputFile, Slab};
use crate::{Error, serve::with};

/// Id of the service.
pub const HTTP: &str = "usher.http/1";

/// The functions of the service. All are `[any thread]` and take the host's context first; one call at a time per
/// ticket.
///
/// A request is begun, waited for, its reply's body is read slab by slab or kept as an input, and its ticket is closed,
/// whether it came to an end or not. Several may be under way at once; the host sends so many of them side by side as
/// it thinks good, and the rest wait in the order of `begin`. A reply whose body is large and neither read nor closed
/// keeps its place among them.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct HttpTable {
    /// Begins a request: its head as JSON ([`HttpRequest`](crate::HttpRequest)), its body, which is copied. Answers a
    /// ticket at once, and an error at once when the request may not be sent as it is (a host that is not allowed, a
    /// write in a dry run).
    pub begin: extern "C" fn(*const c_void, RStr<'_>, RSlice<'_, u8>) -> RResult<u64, Error>,
    /// Blocks until there is a reply, redirects followed and retries made, and answers its head as JSON
    /// ([`HttpReply`](crate::HttpReply)), whatever its status is. An error when there is none; class `cancelled` soon
    /// after the run is cancelled. Asked again it answers the same.
    pub wait: extern "C" fn(*const c_void, u64) -> RResult<RString, Error>,
    /// The next slab of the reply's body, never empty; none at the end. A body that is cut is an error of class
    /// `transient`, never an end. Waits for the reply first if need be.
    pub next: extern "C" fn(*const c_void, u64) -> RResult<ROption<Slab>, Error>,
    /// Stores what is left of the reply's body and makes it an input of the run under this name, which
    /// `usher.input/1` reads any number of times from then on: so rejects have an origin. Blocks until the body is
    /// complete. Needs the service `input`, too; code `http.keep` where it is not to be had.
    pub keep: extern "C" fn(*const c_void, u64, RStr<'_>) -> RResult<InputFile, Error>,
    /// Closes a ticket. A request that is under way is given up; whether the other side has seen it, nobody knows.
    pub close: extern "C" fn(*const c_void, u64),
}

/// What serves [`HttpTable`].
pub trait HttpService: Send + Sync {
    /// See [`HttpTable::begin`].
    fn begin(&self, head: &str, body: &[u8]) -> Result<u64, Error>;
    /// See [`HttpTable::wait`].
    fn wait(&self, ticket: u64) -> Result<String, Error>;
    /// See [`HttpTable::next`].
    fn next(&self, ticket: u64) -> Result<Option<Slab>, Error>;
    /// See [`HttpTable::keep`].
    fn keep(&self, ticket: u64, name: &str) -> Result<InputFile, Error>;
    /// See [`HttpTable::close`].
    fn close(&self, ticket: u64);
}

extern "C" fn begin(context: *const c_void, head: RStr<'_>, body: RSlice<'_, u8>) -> RResult<u64, Error> {
    with(context, |s| s.http()?.begin(head.as_str(), body.as_slice()))
}

extern "C" fn wait(context: *const c_void, ticket: u64) -> RResult<RString, Error> {
    with(context, |s| Ok(s.http()?.wait(ticket)?.into()))
}

extern "C" fn next(context: *const c_void, ticket: u64) -> RResult<ROption<Slab>, Error> {
    with(context, |s| Ok(s.http()?.next(ticket)?.into()))
}

extern "C" fn keep(context: *const c_void, ticket: u64, name: RStr<'_>) -> RResult<InputFile, Error> {
    with(context, |s| s.http()?.keep(ticket, name.as_str()))
}

extern "C" fn close(context: *const c_void, ticket: u64) {
    let _ = with(context, |s| {
        s.http()?.close(ticket);
        Ok(())
    });
}

pub(crate) static HTTP_TABLE: HttpTable = HttpTable { begin, wait, next, keep, close };
