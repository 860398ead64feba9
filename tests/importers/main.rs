//! Account before + the files of a real run = account after, with doubles of the vendors' importers (`README.md`).

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "mod.rs"]
mod importers;
mod runs;
#[path = "../support/mod.rs"]
mod support;
