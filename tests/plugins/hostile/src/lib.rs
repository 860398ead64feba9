//! A plugin that attacks: from a constructor, which runs while it is loaded, or from a call. What it does is written into its
//! file (`constructor.rs`) or its options; every attack answers whether it was let, so that a test can tell a jail from luck.

mod attack;
mod constructor;
mod source;

usher_sdk::export! {
    name = "hostile",
    summary = "Rows that are none of your business",
    sources = { "rows" => source::Rows },
    // Longer than the rights that a test writes over it.
    wants = ["input", "clock", "state"],
}
