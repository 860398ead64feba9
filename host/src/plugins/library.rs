//! Loading: the only place that runs a plugin's code for the first time.

use std::{ffi::c_void, path::Path};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use usher_abi::{HEADER_SYMBOL, ModuleRef, root_module};

use super::Refusal;

/// What stands in the place of libraries, for `bench/linked.rs` alone.
#[cfg(feature = "linked")]
pub static LINKED: std::sync::OnceLock<fn(&Path) -> Option<ModuleRef>> = std::sync::OnceLock::new();

/// Loads the library and checks its layout. It is never unloaded: Rust libraries with thread-locals cannot be.
///
/// The caller has read the preamble before.
pub fn load(path: &Path) -> Result<ModuleRef, Refusal> {
    #[cfg(feature = "linked")]
    if let Some(module) = LINKED.get().and_then(|linked| linked(path)) {
        return Ok(module);
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let refuse = |reason: String| Refusal { is_plugin: true, ..Refusal::new(&path, reason) };
    let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_NODELETE;
    // SAFETY: running the library's constructors is what loading a plugin means; the user named it.
    let library = unsafe { Library::open(Some(&path), flags) }
        .map_err(|e| refuse(format!("cannot be loaded: {}; build or copy the plugin again", cause(&e))))?;
    // SAFETY: only the address is taken; `root_module` checks the magic behind it first.
    let header = unsafe { library.get::<*const c_void>(HEADER_SYMBOL.as_bytes()) }
        .map(|symbol| symbol.into_raw().cast_const())
        .map_err(|_| {
            refuse("does not export the root module; build it with usher-sdk's `export!`".to_owned())
        })?;
    std::mem::forget(library);
    // SAFETY: the address is that symbol's, and the library was just made to stay for good.
    unsafe { root_module(header.cast()) }.map_err(|mismatch| Refusal {
        detail: mismatch.layout,
        ..refuse(format!(
            "{}; rebuild the plugin with the usher-sdk of this host (-v shows the difference)",
            mismatch.summary
        ))
    })
}

fn cause(error: &libloading::Error) -> String {
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    // The loader repeats the path, which the refusal names anyway.
    text.split_once(": ").map_or(text.clone(), |(_, rest)| rest.to_owned())
}
