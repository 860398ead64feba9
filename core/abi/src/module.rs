//! The root of a plugin: the only thing the host takes from the library itself.

use std::ffi::c_void;

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{ROption, RResult, RStr, RString},
};

use crate::{Error, Extension, HostTable, SinkTable, SourceTable, TransformTable};

/// Which role to open; an open enumeration.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind(pub u32);

impl Kind {
    /// A source.
    pub const SOURCE: Self = Self(1);
    /// A transform.
    pub const TRANSFORM: Self = Self(2);
    /// A sink.
    pub const SINK: Self = Self(3);
}

/// An opened component: a handle and exactly one table, the one of the role asked for.
///
/// Owner: the host; it calls the table's `close` exactly once and nothing afterwards.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct Instance {
    /// Handed to every function of the table.
    pub this: *mut c_void,
    /// Set for a source.
    pub source: *const SourceTable,
    /// Set for a transform.
    pub transform: *const TransformTable,
    /// Set for a sink.
    pub sink: *const SinkTable,
}

// SAFETY: an instance may move between threads between calls; that is part of the boundary's contract.
unsafe impl Send for Instance {}

/// What a plugin exports. Frozen within a major version: growth happens through `get_extension`.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ModuleRef, prefix_fields = ModuleFields)))]
#[sabi(missing_field(panic))]
pub struct Module {
    /// `[any thread]` A [`Description`](crate::Description) as JSON; the same at every call.
    pub describe: extern "C" fn() -> RResult<RString, Error>,
    /// `[any thread]` Opens a component: role, component name (empty: the role's first), options as JSON and the
    /// host's table, which outlives the instance. Wrong options: [`ErrorClass::CONFIG`](crate::ErrorClass::CONFIG)
    /// with the [`Problem`](crate::Problem)s as details.
    pub open: extern "C" fn(Kind, RStr<'_>, RStr<'_>, HostTable) -> RResult<Instance, Error>,
    /// `[any thread]` What else this plugin offers, by id (`name/1`).
    #[sabi(last_prefix_field)]
    pub get_extension: extern "C" fn(RStr<'_>) -> ROption<Extension>,
}

impl RootModule for ModuleRef {
    abi_stable::declare_root_module_statics! {ModuleRef}

    const BASE_NAME: &'static str = "usher";
    const NAME: &'static str = "usher";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
