//! The library header that the loader looks for.

use usher_abi::export::{CheckTypeLayout, LibHeader, RootModule, RootModuleResult};

/// For `export!` only: the header of a plugin whose root module is `M`.
pub const fn header<M: RootModule>(construct: extern "C" fn() -> RootModuleResult) -> LibHeader {
    // SAFETY: `export!` passes the constructor that it makes from a function returning `M`, through
    // `call_root_module_loader`, which erases exactly that type.
    unsafe { LibHeader::from_constructor::<M>(construct, CheckTypeLayout::Yes) }
}
