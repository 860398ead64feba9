//! Tells the crate for which platform and with which compiler it is built; both stand in every preamble.

use std::{env, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version =
        version.and_then(|o| String::from_utf8(o.stdout).ok()).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=USHER_TARGET={target}");
    println!("cargo:rustc-env=USHER_RUSTC={}", version.trim());
}
