//! What the host hands to every instance.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    abi_stability::check_layout_compatibility,
    std_types::{ROption, RStr},
    type_layout::TypeLayout,
};

use crate::Error;

/// Severity of a log line; an open enumeration in which a larger number is graver. There is room between those that have a
/// name.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LogLevel(pub u32);

impl LogLevel {
    /// For whoever debugs the connector.
    pub const DEBUG: Self = Self(10);
    /// For whoever watches a run.
    pub const INFO: Self = Self(20);
    /// Something a person should know.
    pub const WARN: Self = Self(30);
    /// Something went wrong.
    pub const ERROR: Self = Self(40);
}

/// A table named by an id, found through `get_extension` on either side.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct Extension {
    /// Layout of the table, so that the asking side can check it before the first call.
    pub layout: &'static TypeLayout,
    /// The table; lives as long as the side that answered.
    pub table: *const c_void,
}

// SAFETY: extensions point at static tables of function pointers.
unsafe impl Send for Extension {}
// SAFETY: as above.
unsafe impl Sync for Extension {}

impl std::fmt::Debug for Extension {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Extension").field(&self.layout.name()).finish()
    }
}

impl Extension {
    /// Names a static table.
    pub fn new<T: StableAbi + Sync>(table: &'static T) -> Self {
        Self { layout: T::LAYOUT, table: std::ptr::from_ref(table).cast() }
    }

    /// The table as `T`, if its layout is the one that this side was built with.
    pub fn get<T: StableAbi + Sync>(self, id: &str) -> Result<&'static T, Error> {
        check_layout_compatibility(T::LAYOUT, self.layout).into_result().map_err(|e| {
            Error::unsupported(
                "abi.extension-layout",
                format!(
                    "extension `{id}` has another layout than this side was built with; rebuild the plugin"
                ),
            )
            .details(serde_json::Value::String(e.to_string()).to_string())
        })?;
        // SAFETY: the layout was checked above, and extensions are static tables (field `table`).
        Ok(unsafe { &*self.table.cast::<T>() })
    }
}

/// What the host offers to every instance. All functions are `[any thread]` and take `context` first.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct HostTable {
    /// The host's own; valid until the instance's `close` has returned, and no longer, whatever thread of the plugin still
    /// runs then. Where `open` failed: until it has returned.
    pub context: *const c_void,
    /// A log line: level, target (a module path or a topic), message.
    pub log: extern "C" fn(*const c_void, LogLevel, RStr<'_>, RStr<'_>),
    /// Adds to a counter of the run: name (`requests`), amount.
    pub metric: extern "C" fn(*const c_void, RStr<'_>, i64),
    /// Whether the run was cancelled; long work asks now and then.
    pub is_cancelled: extern "C" fn(*const c_void) -> bool,
    /// A service, by id (`usher.input/1`). Its functions take the same `context`.
    pub get_extension: extern "C" fn(*const c_void, RStr<'_>) -> ROption<Extension>,
}

// SAFETY: the host's context is required to be usable from any thread.
unsafe impl Send for HostTable {}
// SAFETY: as above.
unsafe impl Sync for HostTable {}
