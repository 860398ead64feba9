//! The books of one sink: every record that was read is exactly once written, filtered, merged or rejected.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_abi::{Error, Identity, Report};

/// The reason for which a sink of changed rows does not get one.
pub(super) const UNCHANGED: &str = "unchanged";

/// Records by what became of them; each term is counted where it happens.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    /// Left out on purpose, by reason (`where`, `exclude`, `no-consent`).
    pub(super) filtered: BTreeMap<&'static str, Identity>,
    /// Gone into another record.
    pub(super) merged: Identity,
    /// Not taken.
    pub(super) rejected: Identity,
    /// Said by the sink to be written.
    pub(super) written: Identity,
    /// Queued by a vendor.
    pub(super) accepted: Identity,
    /// Stored by a vendor, as it says.
    pub(super) confirmed: Identity,
    /// Sent, with nothing known of what became of them.
    pub(super) unknown: Identity,
    /// Checked and not sent; only a sink that sends has such rows.
    pub(super) not_sent: Identity,
}

impl Books {
    pub(super) fn filter(&mut self, reason: &'static str, input: u32, offset: u64) {
        self.filtered.entry(reason).or_default().add(input, offset);
    }

    /// Rows that the vendor has as they are.
    pub(super) fn unchanged(&self) -> u64 {
        self.filtered.get(UNCHANGED).map_or(0, |rows| rows.count)
    }

    /// Books what a sink reports.
    pub(super) fn take(&mut self, report: &Report) {
        self.written.merge(report.written);
        self.accepted.merge(report.accepted);
        self.confirmed.merge(report.confirmed);
        self.unknown.merge(report.unknown);
        for reject in &report.rejects {
            self.rejected.add(reject.origin.input, reject.origin.offset);
        }
        for merged in &report.merged {
            self.merged.add(merged.origin.input, merged.origin.offset);
        }
    }

    /// Adds the terms of the chain, which are every sink's.
    pub(super) fn add(&mut self, chain: &Self) {
        for (reason, identity) in &chain.filtered {
            self.filtered.entry(reason).or_default().merge(*identity);
        }
        self.merged.merge(chain.merged);
        self.rejected.merge(chain.rejected);
    }

    /// What was read and is not accounted for: of a sink that sends, the rows that it holds.
    pub(super) fn held(&self, read: Identity) -> Identity {
        let accounted = self.accounted();
        Identity {
            count: read.count.saturating_sub(accounted.count),
            sum: read.sum.wrapping_sub(accounted.sum),
        }
    }

    /// Rows that went out, whatever became of them.
    pub(super) fn sent(&self) -> u64 {
        self.accepted.count + self.confirmed.count + self.unknown.count
    }

    pub(super) fn filtered(&self) -> Identity {
        let mut sum = Identity::default();
        self.filtered.values().for_each(|i| sum.merge(*i));
        sum
    }

    fn accounted(&self) -> Identity {
        let mut sum = self.filtered();
        let sent = [self.accepted, self.confirmed, self.unknown, self.not_sent];
        for term in [self.merged, self.rejected, self.written].into_iter().chain(sent) {
            sum.merge(term);
        }
        sum
    }

    /// Whether all that was `read` is accounted for, and `staged` rows are what the sink says it wrote.
    pub(super) fn balance(&self, connector: &str, read: Identity, staged: u64) -> Result<(), Error> {
        let accounted = self.accounted();
        if accounted != read {
            let sent = if self.sent() > 0 { format!(", {} sent", self.sent()) } else { String::new() };
            let what =
                if accounted.count == read.count { "other records" } else { "another number of records" };
            return Err(Error::bug(
                "books.unbalanced",
                format!(
                    "the books of `{connector}` do not balance: {} records were read, but {what} ({}) are accounted for \
                     ({} filtered, {} merged, {} rejected, {} written{sent}); nothing was published, report this to the \
                     plugin's author",
                    read.count,
                    accounted.count,
                    self.filtered().count,
                    self.merged.count,
                    self.rejected.count,
                    self.written.count
                ),
            ));
        }
        if staged != self.written.count {
            return Err(Error::bug(
                "books.unbalanced",
                format!(
                    "the books of `{connector}` do not balance: it says it wrote {} rows, its files hold {staged}; \
                     nothing was published, report this to the plugin's author",
                    self.written.count
                ),
            ));
        }
        Ok(())
    }

    /// For `report.json`; the last four terms are those of sinks that send.
    pub(super) fn to_json(&self, read: Identity, sends: bool) -> Value {
        let filtered: BTreeMap<&str, u64> =
            self.filtered.iter().map(|(reason, i)| (*reason, i.count)).collect();
        let sum = |identity: Identity| format!("{:016x}", identity.sum);
        let mut books = json!({
            "read": read.count,
            "filtered": filtered,
            "merged": self.merged.count,
            "rejected": self.rejected.count,
            "written": self.written.count,
            "identity": {
                "read": sum(read),
                "filtered": sum(self.filtered()),
                "merged": sum(self.merged),
                "rejected": sum(self.rejected),
                "written": sum(self.written),
            },
        });
        let sent = [
            ("accepted", self.accepted),
            ("confirmed", self.confirmed),
            ("unknown", self.unknown),
            ("not_sent", self.not_sent),
        ];
        for (term, identity) in sent.into_iter().filter(|_| sends) {
            books[term] = identity.count.into();
            books["identity"][term] = sum(identity).into();
        }
        books
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_balance_by_identity_not_by_count() {
        let mut read = Identity::default();
        read.add(0, 10);
        read.add(0, 20);
        let mut books = Books::default();
        books.filter("where", 0, 10);
        books.written.add(0, 20);
        assert!(books.balance("x", read, 1).is_ok());
        assert!(books.balance("x", read, 2).is_err());
        let mut other = Books::default();
        other.filter("where", 0, 10);
        other.written.add(0, 30);
        let error = other.balance("x", read, 1).unwrap_err();
        assert!(error.message.contains("other records"), "{error}");
    }
}
