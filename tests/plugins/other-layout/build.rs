//! A type's layout names the package that the type is of; the tables of this plugin shall differ from the real ones by a
//! field, not by that name.

fn main() {
    println!("cargo:rustc-env=CARGO_PKG_NAME=usher-abi");
    println!("cargo:rerun-if-changed=build.rs");
}
