//! Delivery over the API: every request as it is sent, in order, and what comes of every answer.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

mod account;
mod jobs;
mod organizations;
mod preflight;
mod resuming;
#[path = "../common/rows.rs"]
mod rows;
mod sending;
