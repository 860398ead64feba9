//! From the library header of a loaded plugin to its root module. The host does the `dlopen`; this crate alone knows
//! `abi_stable`'s loader.

use std::ffi::c_void;

use abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL};

use crate::ModuleRef;

/// The symbol of a plugin's library header, NUL-terminated.
pub const HEADER_SYMBOL: &str = ROOT_MODULE_LOADER_NAME_WITH_NUL;

/// Why a library's root module cannot be used.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// One line.
    pub summary: String,
    /// The layout difference, some hundred lines, if that is the reason.
    pub layout: Option<String>,
}

/// The root module behind a library's header: checks abi_stable's own version, the boundary's version and the layout
/// of everything reachable from [`Module`](crate::Module), then constructs it.
///
/// # Safety
///
/// `header` is the address of the symbol [`HEADER_SYMBOL`] of a library that stays loaded for good.
pub unsafe fn root_module(header: *const c_void) -> Result<ModuleRef, Mismatch> {
    let plain = |summary: String| Mismatch { summary, layout: None };
    // SAFETY: by the contract above, `header` points at a static `LibHeader`, which begins with an `AbiHeader`;
    // `AbiHeaderRef` is a transparent reference to one. Its magic is checked by `upgrade` before anything else is read.
    let header = unsafe { std::mem::transmute::<*const c_void, AbiHeaderRef>(header) };
    let library = header.upgrade().map_err(|e| match e {
        LibraryError::InvalidAbiHeader(found) => plain(format!(
            "it was built with abi_stable {}.{}, this host with another minor version",
            found.abi_major, found.abi_minor
        )),
        other => plain(first_line(&other.to_string())),
    })?;
    library.init_root_module::<ModuleRef>().map_err(|e| match e {
        LibraryError::AbiInstability(layout) => Mismatch {
            summary: "its tables are laid out differently from this host's".to_owned(),
            layout: Some(layout.to_string()),
        },
        LibraryError::IncompatibleVersionNumber { expected_version, actual_version, .. } => plain(format!(
            "it was built for version {actual_version} of the plugin boundary, this host has {expected_version}"
        )),
        other => plain(first_line(&other.to_string())),
    })
}

fn first_line(text: &str) -> String {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("unknown").to_owned()
}
