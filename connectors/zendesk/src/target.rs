//! Where rows go: into files, or to the API.

use usher_sdk::{Fate, Row, abi::Error, checks::Fault};

use crate::{files::FileDelivery, limits, outgoing::Outgoing, patterns::Placed};

/// One of the two forms of delivery.
#[derive(Debug)]
pub(crate) enum Target {
    Files(Box<FileDelivery>),
    Api(Box<Outgoing>),
}

impl Target {
    /// Takes a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Placed, Fault>, Error> {
        match self {
            Self::Files(files) => files.push(row),
            Self::Api(outgoing) => outgoing.push(row),
        }
    }

    /// What is known of a row that was taken.
    pub(crate) fn fate(&self) -> Fate {
        match self {
            Self::Files(_) => Fate::Written,
            Self::Api(_) => Fate::Held,
        }
    }

    /// Notes an organization that a row names.
    pub(crate) fn organization(&mut self, name: &str) -> Result<(), Error> {
        match self {
            Self::Files(files) => files.organization(name),
            Self::Api(outgoing) => {
                outgoing.organization(name);
                Ok(())
            }
        }
    }

    /// Why a row's organizations cannot be delivered.
    pub(crate) fn organizations_fault(&self, row: &Row, column: usize) -> Option<Fault> {
        match self {
            Self::Files(_) => None,
            Self::Api(outgoing) => outgoing.unknown_organization(row, column),
        }
    }

    /// Whether users are looked up before they are updated.
    pub(crate) fn looks_up(&self) -> bool {
        matches!(self, Self::Api(_))
    }

    /// Whether a number can be a user's own beside a shared one: the API has one `phone` and a flag for it (OAS).
    pub(crate) fn has_shared_phone_beside(&self) -> bool {
        matches!(self, Self::Files(_))
    }

    /// The most bytes that a row of a group may have.
    pub(crate) fn most_bytes(&self, group: u32) -> u64 {
        match self {
            Self::Files(files) => files.files.most_bytes(group),
            Self::Api(_) => limits::API_ROW_BYTES,
        }
    }
}
