//! The root module: `usher_abi::Module` and one field more. Types and fields bear the same names, so that nothing else
//! differs.

use abi_stable::{
    StableAbi, declare_root_module_statics, library::RootModule, package_version_strings,
    prefix_type::PrefixTypeTrait, sabi_types::VersionStrings,
};
use usher_sdk::abi::{Error, Extension, HostTable, Instance, Kind, ROption, RResult, RStr, RString};

/// As `usher_abi::Module`, but for `version`.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = ModuleRef, prefix_fields = ModuleFields)))]
#[sabi(missing_field(panic))]
pub struct Module {
    /// As in `usher_abi::Module`.
    pub describe: extern "C" fn() -> RResult<RString, Error>,
    /// As in `usher_abi::Module`.
    pub open: extern "C" fn(Kind, RStr<'_>, RStr<'_>, HostTable) -> RResult<Instance, Error>,
    /// The field too many.
    pub version: extern "C" fn() -> u32,
    /// As in `usher_abi::Module`.
    #[sabi(last_prefix_field)]
    pub get_extension: extern "C" fn(RStr<'_>) -> ROption<Extension>,
}

impl RootModule for ModuleRef {
    declare_root_module_statics! {ModuleRef}

    const BASE_NAME: &'static str = "usher";
    const NAME: &'static str = "usher";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// Never called: the host looks at the layout first.
pub(crate) fn root() -> ModuleRef {
    Module { describe, open, version, get_extension }.leak_into_prefix()
}

extern "C" fn describe() -> RResult<RString, Error> {
    RResult::RErr(Error::bug("other-layout.called", "`describe` was called in spite of the layout"))
}

extern "C" fn open(_: Kind, _: RStr<'_>, _: RStr<'_>, _: HostTable) -> RResult<Instance, Error> {
    RResult::RErr(Error::bug("other-layout.called", "`open` was called in spite of the layout"))
}

extern "C" fn version() -> u32 {
    2
}

extern "C" fn get_extension(_: RStr<'_>) -> ROption<Extension> {
    ROption::RNone
}
