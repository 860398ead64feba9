//! What the ledger knows of a unit.

use serde::{Deserialize, Serialize};
use usher_abi::Error;

use super::outcome::UnitOutcome;
use crate::Ledger;

/// How far a unit was, when it was last noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub(super) enum Note {
    /// About to go out: whether it arrived is not known.
    Sending {
        /// When, in milliseconds since 1970.
        at_ms: u64,
    },
    /// The vendor has said that it took none of it.
    Refused,
    /// The vendor works on it.
    Job {
        /// The vendor's id.
        id: String,
        /// When it was sent.
        at_ms: u64,
    },
    /// It is known what became of it.
    Settled {
        /// That.
        outcome: UnitOutcome,
    },
}

/// The ledger of one account.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) ledger: Ledger,
    pub(super) account: String,
}

impl Notes {
    /// What an earlier attempt noted. A note of another version of the plugin that cannot be read is as one of a unit that
    /// may have arrived.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<Note>, Error> {
        let found = self.ledger.find(&self.account, key)?;
        Ok(found.map(|text| serde_json::from_slice(&text).unwrap_or(Note::Sending { at_ms: 0 })))
    }

    pub(super) fn write(&self, key: &[u8], note: &Note) -> Result<(), Error> {
        let text = serde_json::to_vec(note).map_err(|e| Error::bug("outbox.note", e.to_string()))?;
        self.ledger.note(&self.account, key, &text)
    }
}
