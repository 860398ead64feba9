//! The boundary between the Usher host and its connector plugins.
//!
//! A plugin is a shared library that exports one [`Module`] and a [`preamble`] that the host reads
//! *from the file*, without running the library. Everything that crosses is in this crate: hand-written
//! `#[repr(C)]` tables, an opaque handle beside each, and JSON text for what people write and read.
//!
//! Rules that hold for every table, written down once:
//!
//! * **Calls** are blocking and come one at a time per instance; an instance may move between threads between
//!   calls. Functions marked `[any thread]` may be called at any time from any thread.
//! * **Strings and bytes**: `RStr` and `RSlice` are lent for the call; `RString` and `RVec` change owner and may
//!   be dropped by either side.
//! * **Arrow data**: the consumer allocates a [`Batch`], the producer fills it, whoever holds it last calls the
//!   `release` functions inside.
//! * **Reports** of a sink are read even when the call answers an error: what is known of rows is never lost.
//! * **Panics** never cross: each side catches its own and answers [`ErrorClass::BUG`].
//! * **Integers that enumerate** ([`Kind`], [`Status`], [`ErrorClass`]) are open: an unknown value is an error,
//!   never undefined behaviour.
//! * **Growth** happens by extension ids only (`usher.input/1`); nothing reachable from [`Module`] changes within
//!   a major version.

#[cfg(feature = "arrow")]
mod arrow;
mod batch;
mod claims;
mod description;
mod error;
mod exchange;
mod host;
mod load;
mod login;
pub mod metadata;
mod module;
mod names;
pub mod preamble;
mod report;
mod request;
mod serve;
pub mod service;
mod sink;
mod source;
mod transform;
mod wants;

#[doc(hidden)]
pub mod export;

#[cfg(feature = "arrow")]
pub use arrow::{export_batch, export_schema, import_batch, import_schema, text_column};
pub use batch::{ArrowArray, ArrowSchema, Batch};
pub use claims::{STANDARD_CLAIMS, is_standard};
pub use description::{
    Attribute, Catalog, Column, Component, Consent, Delivery, Description, Guide, Limit, OnInvalid, Part,
    Problem, RateLimit, Receipt, Role, Stopped, Suspend, ValueKind,
};
pub use error::{Error, ErrorClass};
pub use exchange::{HttpReply, HttpRequest};
pub use host::{Extension, HostTable, LogLevel};
pub use load::{HEADER_SYMBOL, Mismatch, root_module};
pub use login::{LOGIN, LoginHandle, LoginProgress, LoginPrompt, LoginTable};
pub use module::{Instance, Kind, Module, ModuleRef};
pub use names::{Suggestion, nearest};
pub use report::{Changed, Identity, LeftOut, Merged, Origin, Reject, Report};
pub use request::{CheckRequest, Checked, NOTHING_MORE, PlanRequest};
pub use serve::{HostLog, Services};
pub use sink::SinkTable;
pub use source::{SourceTable, Split, Status, StreamHandle, StreamTable};
pub use transform::TransformTable;

/// The types of `abi_stable` that stand in the boundary's signatures.
pub use abi_stable::std_types::{ROption, RResult, RSlice, RSliceMut, RStr, RString, RVec};

/// Version of the boundary, which is this crate's; a plugin of another major is refused.
pub const ABI_MAJOR: u32 = 1;
/// Says what a side may know that the other does not; nothing is refused for it.
pub const ABI_MINOR: u32 = 0;
