//! The writing guide keeps its word: its commands, run as they stand in a fresh folder, end with rows that a new plugin
//! wrote; its reference names everything that there is; and its chapter on HTTP shows code that is compiled and tested.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "../support/mod.rs"]
mod support;

mod chapter;
mod commands;
mod reference;
mod roles;
mod workshop;
