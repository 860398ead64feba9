//! The writing guide keeps its word: its commands, run as they stand in a fresh folder, end with rows that a new plugin
//! wrote; and its reference names everything that there is.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod reference;
mod roles;
mod workshop;
