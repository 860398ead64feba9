//! What goes wrong around a run: signals, a killed process, full disks, folders that cannot be written, inputs that
//! change. Whatever it is, nothing half-made is seen, and the same command can be given again.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod input;
mod pipe;
mod running;
mod signals;
