//! Account before + the files of a real run = account after, with doubles of the vendors' importers (`README.md`).

#[path = "mod.rs"]
mod importers;
mod runs;
#[path = "../support/mod.rs"]
mod support;
