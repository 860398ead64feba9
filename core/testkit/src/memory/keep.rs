//! `usher.state/1` and `usher.ledger/1`: maps.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use usher_abi::{
    Error,
    service::{LedgerService, StateService},
};

use super::{
    fault::{Call, Faults},
    lock,
};

/// Account and content hash.
type Unit = (String, Vec<u8>);

#[derive(Debug, Default)]
pub(super) struct Keep {
    faults: Arc<Faults>,
    pub(super) values: Mutex<BTreeMap<String, Vec<u8>>>,
    units: Mutex<HashMap<Unit, Vec<u8>>>,
}

impl Keep {
    pub(super) fn new(faults: Arc<Faults>) -> Self {
        Self { faults, ..Self::default() }
    }
}

impl StateService for Keep {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.faults.count(Call::State)?;
        Ok(lock(&self.values).get(key).cloned())
    }

    fn put(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.faults.count(Call::State)?;
        lock(&self.values).insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.faults.count(Call::State)?;
        lock(&self.values).remove(key);
        Ok(())
    }
}

impl LedgerService for Keep {
    fn find(&self, account: &str, unit: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.faults.count(Call::Ledger)?;
        Ok(lock(&self.units).get(&(account.to_owned(), unit.to_vec())).cloned())
    }

    fn note(&self, account: &str, unit: &[u8], outcome: &[u8]) -> Result<(), Error> {
        self.faults.count(Call::Ledger)?;
        lock(&self.units).insert((account.to_owned(), unit.to_vec()), outcome.to_vec());
        Ok(())
    }
}
