//! Jobs that were ordered. One whose file was not yet fetched is in the state service: a run that was ended meanwhile finds
//! it there when it is started again. One whose file was fetched is in the ledger: a run that goes on with sending what
//! it read must read the same again.

use serde::{Deserialize, Serialize};
use usher_sdk::{Host, Ledger, State, abi::Error};

use crate::{limits::JOB_KEPT_MS, order::Order};

const KEY: &str = "export-jobs";

/// The jobs of one tenant.
#[derive(Debug)]
pub(crate) struct Jobs {
    state: State,
    ledger: Ledger,
    domain: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    domain: String,
    order: Order,
    job: String,
    ordered_ms: u64,
}

impl Jobs {
    pub(crate) fn new(host: &Host, domain: &str) -> Result<Self, Error> {
        Ok(Self { state: host.state()?, ledger: host.ledger()?, domain: domain.to_owned() })
    }

    /// The job of the same order that Auth0 still has.
    pub(crate) fn find(&self, order: &Order, now_ms: u64) -> Result<Option<String>, Error> {
        let same = |noted: &Noted| noted.domain == self.domain && noted.order == *order;
        Ok(self.all(now_ms)?.into_iter().find(same).map(|noted| noted.job))
    }

    /// The job whose file this very run has read in an earlier attempt.
    pub(crate) fn read_before(&self, order: &Order) -> Result<Option<String>, Error> {
        let found = self.ledger.find(&self.domain, &unit(order)?)?;
        Ok(found.and_then(|job| String::from_utf8(job).ok()))
    }

    /// Notes that this run has read the file of a job.
    pub(crate) fn note_read(&self, order: &Order, job: &str) -> Result<(), Error> {
        self.ledger.note(&self.domain, &unit(order)?, job.as_bytes())
    }

    /// Notes a job.
    pub(crate) fn note(&self, order: &Order, job: &str, now_ms: u64) -> Result<(), Error> {
        let mut all = self.all(now_ms)?;
        all.push(Noted {
            domain: self.domain.clone(),
            order: order.clone(),
            job: job.to_owned(),
            ordered_ms: now_ms,
        });
        self.keep(&all)
    }

    /// Forgets a job: its file is here, or will never be.
    pub(crate) fn forget(&self, job: &str, now_ms: u64) -> Result<(), Error> {
        let mut all = self.all(now_ms)?;
        all.retain(|noted| noted.job != job);
        self.keep(&all)
    }

    /// The jobs that Auth0 still has. Notes that cannot be read are of another version of this plugin: a job is lost, which
    /// costs an export.
    fn all(&self, now_ms: u64) -> Result<Vec<Noted>, Error> {
        let text = self.state.get(KEY)?.unwrap_or_default();
        let mut all: Vec<Noted> = serde_json::from_slice(&text).unwrap_or_default();
        all.retain(|noted| now_ms.saturating_sub(noted.ordered_ms) < JOB_KEPT_MS);
        Ok(all)
    }

    fn keep(&self, all: &[Noted]) -> Result<(), Error> {
        if all.is_empty() {
            return self.state.delete(KEY);
        }
        let text = serde_json::to_vec(all).map_err(|e| Error::bug("export.notes", e.to_string()))?;
        self.state.put(KEY, &text)
    }
}

/// An order, as the ledger knows it.
fn unit(order: &Order) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(order).map_err(|e| Error::bug("export.notes", e.to_string()))
}
