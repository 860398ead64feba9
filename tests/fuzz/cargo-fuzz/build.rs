//! Every connector exports the symbols of a plugin; linked into one program, they are there more than once.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Wl,--allow-multiple-definition");
}
