//! The preamble, as `export!` would write it.

use usher_sdk::abi::preamble::{ABI_MAJOR_TEXT, ABI_MINOR_TEXT, PANIC, RUSTC, TARGET, concatenate, length};

const PARTS: &[&str] = &[
    "{\"usher\":\"plugin\",\"abi\":[",
    ABI_MAJOR_TEXT,
    ",",
    ABI_MINOR_TEXT,
    concat!("],\"name\":\"other-layout\",\"version\":\"", env!("CARGO_PKG_VERSION")),
    "\",\"summary\":\"A root module with one field too many\",\"sdk\":\"",
    usher_sdk::VERSION,
    "\",\"rustc\":\"",
    RUSTC,
    "\",\"target\":\"",
    TARGET,
    "\",\"panic\":\"",
    PANIC,
    "\",\"components\":[],\"wants\":[],\"hosts\":[]}",
];

#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__usher"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".usher"))]
static PREAMBLE: [u8; length(PARTS)] = concatenate(PARTS);
