//! What was found out of a unit before it was sent. The ledger keeps it, so that results are told of the right rows, and
//! users that this run has made are known for its own, also when the run was ended in between.

use serde::{Deserialize, Serialize};
use usher_sdk::{Host, Ledger, abi::Error, outbox::Unit};

/// See the module's head. Rows count from 0 within the unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trip {
    /// Rows that are not sent: their users are there already (`create`), or are not there (`update`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept_back: Vec<u64>,
    /// Rows that are not sent again: an earlier try has made their users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) made: Vec<u64>,
    /// An earlier try may have arrived.
    #[serde(default)]
    pub(crate) again: bool,
}

impl Trip {
    /// The rows that are sent, of so many.
    pub(crate) fn sent(&self, rows: u64) -> Vec<u64> {
        (0..rows).filter(|row| !self.kept_back.contains(row) && !self.made.contains(row)).collect()
    }
}

/// The trips of one account, in the ledger.
#[derive(Debug)]
pub(crate) struct Trips {
    ledger: Ledger,
    account: String,
}

impl Trips {
    pub(crate) fn new(host: &Host, account: &str) -> Result<Self, Error> {
        Ok(Self { ledger: host.ledger()?, account: account.to_owned() })
    }

    /// The trip of a unit that may have arrived; `None` for one that has not. A note that cannot be read, of another
    /// version of the plugin, is as one of a unit that may have arrived.
    pub(crate) fn find(&self, unit: &Unit) -> Result<Option<Trip>, Error> {
        let found = self.ledger.find(&self.account, &key(unit))?;
        let unread = || Some(Trip { again: true, ..Trip::default() });
        Ok(found.and_then(|text| serde_json::from_slice(&text).unwrap_or_else(|_| unread())))
    }

    /// Before a unit is sent; `None` once the vendor has said that it took none of it.
    pub(crate) fn note(&self, unit: &Unit, trip: Option<&Trip>) -> Result<(), Error> {
        let text = serde_json::to_vec(&trip).map_err(|e| Error::bug("trip.json", e.to_string()))?;
        self.ledger.note(&self.account, &key(unit), &text)
    }
}

/// Unlike the outbox's own keys, which are of sixteen bytes.
fn key(unit: &Unit) -> Vec<u8> {
    format!("trip {}", unit.id).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::Trip;

    #[test]
    fn what_is_neither_kept_back_nor_made_is_sent() {
        let trip = Trip { kept_back: vec![1], made: vec![3], again: true };
        assert_eq!(trip.sent(5), [0, 2, 4]);
        assert_eq!(Trip::default().sent(2), [0, 1]);
    }
}
