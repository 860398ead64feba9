//! A plugin whose preamble is in order and whose root module has one field more than this version of the boundary
//! says: what a plugin looks like that was built with a changed `usher-abi` under an unchanged version. Only the layout
//! check can refuse it.

mod module;
mod preamble;

pub use module::{Module, ModuleRef};
use usher_sdk::abi::export::{LibHeader, RootModuleResult, call_root_module_loader};

extern "C" fn construct() -> RootModuleResult {
    call_root_module_loader(module::root)
}

/// The header under the name that the loader looks for.
#[unsafe(no_mangle)]
pub static _1as_0lib_1header_0root_bmodule_bloader: LibHeader = usher_sdk::header::<ModuleRef>(construct);
