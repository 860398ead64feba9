//! Whole chains into the vendors' simulators: the real binary, real libraries, real sockets, and faults drawn from seeds.
//! At the end the vendor's account is what it is to be, user for user.
//!
//! `USHER_USERS` (1,000), `USHER_SEEDS` (2) and `USHER_FIRST_SEED` (1) say how much is done; a seed draws the same faults
//! again for the same requests.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "../support/mod.rs"]
mod support;

mod auth0;
mod calls;
mod carrot_quest;
mod constant_contact;
mod people;
mod trial;
mod whole;
mod zendesk;
