//! For `usher-sdk`'s `export!` only: what the macro's expansion names, so that a plugin depends on the SDK alone.

pub use abi_stable::{
    StableAbi,
    library::{
        __call_root_module_loader as call_root_module_loader, CheckTypeLayout, LibHeader, RootModule,
        RootModuleResult,
    },
    prefix_type::PrefixTypeTrait,
};

/// The text of a caught panic.
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}
