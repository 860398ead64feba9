//! Organizations that users name: which ones there are, and the ids of those that are created.
//!
//! They are created before it is known whether data imports are enabled: that shows with the first users only, and users
//! need the organizations.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};
use usher_sdk::{
    Host,
    abi::{Delivery, Error, Origin, Part, Report, Stopped, service::PartFormat},
    outbox::Outbox,
};

use crate::{api::Load, client::Client, delivery::Sending, held::line, limits};

/// The names, each once, in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: HashSet<String>,
    order: Vec<String>,
}

/// What came of creating them.
#[derive(Debug, Default)]
pub(crate) struct Created {
    pub(crate) ids: BTreeMap<String, i64>,
    pub(crate) count: u64,
    pub(crate) parts: Vec<Part>,
    pub(crate) warnings: Vec<String>,
    /// A dry run: they would be created.
    pub(crate) dry: bool,
    /// It ended before its time, so that no user may be sent.
    pub(crate) stopped: Option<Delivery>,
}

impl Names {
    /// Takes a name that a user has.
    pub(crate) fn add(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.order.push(name.to_owned());
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Creates those that are not there: names are unique (OAS), so Zendesk refuses those that are, which does no harm.
    pub(crate) fn create(self, host: &Host, client: &Client) -> Result<Created, Error> {
        if self.order.is_empty() {
            return Ok(Created::default());
        }
        let format = PartFormat::ndjson();
        let mut outbox =
            Outbox::new(host, "organizations", "ndjson", &format, b"", limits::of_a_request(), 0)?;
        let mut created = Created::default();
        let mut sent = Vec::new();
        for name in self.order {
            let organization: Map<String, Value> = Map::from_iter([("name".to_owned(), json!(name))]);
            // Its number stands for where it came from.
            let origin = Origin { input: 0, length: 0, offset: sent.len() as u64 };
            match outbox.push(&line(&organization)?, origin)? {
                Ok(()) => sent.push(name),
                Err(fault) => {
                    created.warnings.push(format!("an organization is not created: {}", fault.message))
                }
            }
        }
        let (mut sending, mut report) = (Sending::new(host, client, Load::Organizations)?, Report::default());
        let done = outbox.deliver(&mut sending, &mut report)?;
        created.parts =
            done.parts.into_iter().map(|part| Part { note: "organizations".to_owned(), ..part }).collect();
        created.dry = done.delivery.stopped.as_ref().is_some_and(|stopped| stopped.code == "http.dry-run");
        created.count = report.confirmed.count;
        created.ids = ids(&sent, &done.delivery.answers);
        created.warnings.extend(done.warnings);
        refused(&sent, &report, &mut created.warnings);
        if !created.dry {
            created.stopped = stopped(done.delivery);
        }
        Ok(created)
    }
}

/// A delivery that keeps users back: it ended before its time, or does not say of every organization whether it is there.
fn stopped(mut delivery: Delivery) -> Option<Delivery> {
    if delivery.stopped.is_none() && delivery.settled < delivery.units {
        delivery.stopped = Some(Stopped {
            code: "organization.unsettled".to_owned(),
            message: "it is not known of every organization whether it was created, and users would come without theirs; run \
                      again, which finds out"
                .to_owned(),
            retryable: true,
        });
    }
    delivery.stopped.is_some().then_some(delivery)
}

/// The ids that the answers hold, by name.
fn ids(names: &[String], answers: &[Value]) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for answer in answers {
        let first = answer["first_row"].as_u64().and_then(|row| usize::try_from(row.checked_sub(1)?).ok());
        let (Some(first), Some(ids)) = (first, answer["answer"]["ids"].as_array()) else { continue };
        for (name, id) in names.iter().skip(first).zip(ids) {
            if let Some(id) = id.as_i64() {
                found.insert(name.clone(), id);
            }
        }
    }
    found
}

/// Names that Zendesk has not taken: most are there already, but only its words say so.
fn refused(names: &[String], report: &Report, warnings: &mut Vec<String>) {
    const SHOWN: usize = 5;
    let name = |offset: u64| usize::try_from(offset).ok().and_then(|at| names.get(at));
    for reject in report.rejects.iter().filter(|reject| reject.code != "vendor.duplicate").take(SHOWN) {
        if let Some(name) = name(reject.origin.offset) {
            warnings.push(format!(
                "organization `{name}` was not created, as it may be there already: {}",
                reject.message
            ));
        }
    }
    let others = report.rejects.iter().filter(|reject| reject.code != "vendor.duplicate").count();
    if others > SHOWN {
        warnings.push(format!("{} more organizations were not created", others - SHOWN));
    }
    if report.unknown.count > 0 {
        let count = report.unknown.count;
        warnings.push(format!("of {count} organizations it is not known whether they were created"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_place() {
        let names = ["A", "B", "C"].map(str::to_owned);
        let answers = [
            json!({ "first_row": 1, "answer": { "ids": [1, null] } }),
            json!({ "first_row": 3, "answer": { "ids": [3, 4] } }),
            json!({ "first_row": 1, "answer": "not understood" }),
        ];
        let found = ids(&names, &answers);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("A".to_owned(), 1), ("C".to_owned(), 3)]);
    }

    #[test]
    fn names_are_kept_once() {
        let mut names = Names::default();
        ["B", "A", "B"].iter().for_each(|name| names.add(name));
        assert_eq!((names.len(), names.order), (2, vec!["B".to_owned(), "A".to_owned()]));
    }
}
