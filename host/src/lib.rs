//! Usher's host: reads a manifest, loads one plugin per vendor and runs chains. The `usher` binary is a thin face over
//! this library.

pub mod chain;
pub mod cli;
pub mod expression;
pub mod manifest;
pub mod plugins;
pub mod report;
pub mod runner;
pub mod runs;
pub mod services;
pub mod swap;
