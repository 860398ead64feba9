//! Importers of vendors, doubled: a CSV file in, the vendor's account out. See `README.md`.

pub(crate) mod account;
pub(crate) mod carrot_quest;
pub(crate) mod cohort;
pub(crate) mod constant_contact;
mod table;
pub(crate) mod zendesk;
