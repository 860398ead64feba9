//! People one by one, by `POST /users/{id}/props` (SETPROPS): for a few of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_sdk::{
    Clock, Http, Reply,
    abi::Error,
    outbox::{Destination, Fates, Jobs, Progress, Reaction, RowReject, Step, Unit, UnitOutcome},
};

use crate::{
    api::{self, Envelope},
    client::Client,
    limits::PROPS_IN_FLIGHT,
    live::Live,
    options::{Lists, Options, PropertyType},
    people::Person,
    read_back::{ReadBack, Round, Waiting},
    refusals::Call,
};

/// One person, a line of the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    id: String,
    operations: Vec<Operation>,
}

/// An operation on a property (PROPS). Blank cells make none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Operation {
    op: String,
    key: String,
    value: Value,
}

impl Line {
    /// A row: its cells, the id first, and what the others hold.
    pub(crate) fn new(cells: &[String], headings: &[String], kinds: &[PropertyType], lists: Lists) -> Self {
        let (id, others) = cells.split_first().map_or((String::new(), &[][..]), |(id, o)| (id.clone(), o));
        let named = headings.iter().zip(kinds).zip(others).filter(|(_, cell)| !cell.is_empty());
        let operations = named.map(|((key, kind), cell)| Operation {
            op: "update_or_create".to_owned(),
            key: key.clone(),
            value: value(cell, *kind, lists),
        });
        Self { id, operations: operations.collect() }
    }

    /// As it stands in the outbox.
    pub(crate) fn to_record(&self) -> Result<Vec<u8>, Error> {
        let mut record = serde_json::to_vec(self).map_err(|e| Error::bug("carrot.json", e.to_string()))?;
        record.push(b'\n');
        Ok(record)
    }

    fn of(unit: &Unit) -> Result<Self, Error> {
        serde_json::from_slice(&unit.records).map_err(|e| Error::bug("carrot.json", e.to_string()))
    }

    fn person(&self) -> Person {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Array(_) => None,
            other => Some(other.to_string()),
        };
        let props = self.operations.iter().filter_map(|o| Some((o.key.clone(), text(&o.value)?)));
        Person { id: self.id.clone(), props: props.collect() }
    }
}

/// A cell as what it holds. Texts stay texts, of which the vendor guesses the type as it does in an import.
fn value(cell: &str, kind: PropertyType, lists: Lists) -> Value {
    let read = match kind {
        PropertyType::Integer => cell.parse::<i64>().ok().map(Value::from),
        PropertyType::Boolean => cell.parse::<bool>().ok().map(Value::from),
        PropertyType::List if lists == Lists::Json => serde_json::from_str(cell).ok(),
        PropertyType::List => Some(cell.split(',').collect()),
        PropertyType::Text | PropertyType::Date => None,
    };
    read.unwrap_or_else(|| Value::from(cell))
}

/// Sets people one by one.
#[derive(Debug)]
pub(crate) struct Props<'a> {
    options: &'a Options,
    client: Client,
    read_back: ReadBack,
    waiting: HashMap<u64, Waiting>,
    /// People who were not there in the end.
    missing: u64,
}

impl<'a> Props<'a> {
    pub(crate) fn new(options: &'a Options, live: &Live, clock: Clock) -> Self {
        Self {
            options,
            client: Client::new(options, live),
            read_back: ReadBack::new(live, clock, live.confirm),
            waiting: HashMap::new(),
            missing: 0,
        }
    }

    /// What came of reading somebody back, or of not doing so.
    fn outcome(&mut self, waiting: &Waiting) -> UnitOutcome {
        self.missing += waiting.missing.len() as u64;
        let fates = match (waiting.confirmed.is_empty(), waiting.missing.is_empty()) {
            (false, _) => Fates::Confirmed,
            (true, false) => Fates::Unknown,
            (true, true) => Fates::Accepted,
        };
        UnitOutcome::all(fates, json!({ "read_back": waiting.asked() }))
    }

    /// What a person should know.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        let missing = (self.missing > 0).then(|| {
            format!(
                "people read back that were not as sent when the time for it was up: {}; raise `wait_seconds` within `api` \
                 if that takes longer",
                self.missing
            )
        });
        let denied = self.read_back.into_warning();
        missing.into_iter().chain(denied).collect()
    }
}

impl Destination for Props<'_> {
    fn account(&self) -> String {
        format!("{} {}", self.client.host(), self.options.app)
    }

    fn in_flight(&self) -> usize {
        PROPS_IN_FLIGHT
    }

    fn poll_ms(&self, _: u32) -> u64 {
        self.read_back.poll_ms()
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        let line = Line::of(unit)?;
        let Some(path) = api::props_path(&line.id) else {
            return Ok(Step::Done(refused_row("carrot.id", "no path can hold this `$user_id`", Value::Null)));
        };
        let operations =
            serde_json::to_string(&line.operations).map_err(|e| Error::bug("carrot.json", e.to_string()))?;
        let mut form = vec![("operations", operations)];
        if self.options.app != "$self_app" {
            form.push(("app", self.options.app.clone()));
        }
        let request = self.client.post(http, &path).query([("by_user_id", "true")]).form(form);
        // `update_or_create` of one id: twice is as once.
        Ok(request.idempotent().into())
    }

    fn sent(&mut self, unit: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let said = self.client.read(reply)?;
        if said.success().is_none() {
            // What is wrong with one person is no reason to keep the others back. An id that is not known is created
            // (SETPROPS), so one that is not found is of something else.
            let about_the_row = |e: &&Envelope| said.status == 400 && e.error != "LookupError";
            let Some(envelope) = said.envelope.as_ref().filter(about_the_row) else {
                return said.no_success(Call::Props);
            };
            let Envelope { error, words, .. } = envelope;
            let message = format!("Carrot quest does not take the row ({error}: {words})");
            let details = json!({ "error": error, "error_message": words });
            return Ok(Reaction::Done(refused_row("carrot.row-error", &message, details)));
        }
        if !self.read_back.chooses(unit.number) {
            return Ok(Reaction::Done(self.outcome(&Waiting::default())));
        }
        self.read_back.begin();
        Ok(Reaction::Job("props".to_owned()))
    }

    fn poll(&mut self, http: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let mut progress = Vec::new();
        for job in jobs.list().to_vec() {
            let mut waiting = match self.waiting.remove(&job.unit) {
                Some(waiting) => waiting,
                None => Waiting::new([(0, Line::of(&jobs.unit(job.unit)?)?.person())]),
            };
            progress.push(match self.read_back.round(&self.client, http, job.at_ms, &mut waiting)? {
                Round::Open => {
                    self.waiting.insert(job.unit, waiting);
                    Progress::Running
                }
                Round::Done => Progress::Done(self.outcome(&waiting)),
                Round::NotUnderstood(text) => Progress::NotUnderstood(text),
            });
        }
        self.read_back.end_of_round();
        Ok(progress)
    }
}

fn refused_row(code: &str, message: &str, details: Value) -> UnitOutcome {
    let reject = RowReject {
        row: 0,
        column: String::new(),
        code: code.to_owned(),
        message: message.to_owned(),
        retryable: false,
        details,
    };
    UnitOutcome { rejects: vec![reject], ..UnitOutcome::all(Fates::Accepted, Value::Null) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_what_they_hold() {
        let cells = ["7", "Ada", "", "12", "true", r#"["a","b"]"#, "2024-01-01", "007"];
        let names = ["$name", "$email", "seats", "vip", "likes", "since", "code"];
        use PropertyType::{Boolean, Date, Integer, List, Text};
        let kinds = [Text, Text, Integer, Boolean, List, Date, Text];
        let line = Line::new(&cells.map(str::to_owned), &names.map(str::to_owned), &kinds, Lists::Json);
        let values: Vec<(&str, &Value)> =
            line.operations.iter().map(|o| (o.key.as_str(), &o.value)).collect();
        let expected = [
            ("$name", json!("Ada")),
            ("seats", json!(12)),
            ("vip", json!(true)),
            ("likes", json!(["a", "b"])),
            ("since", json!("2024-01-01")),
            ("code", json!("007")),
        ];
        assert_eq!(values, expected.iter().map(|(k, v)| (*k, v)).collect::<Vec<_>>());
        let person = line.person();
        assert_eq!(person.props[1], ("seats".to_owned(), "12".to_owned()));
        assert!(person.props.iter().all(|(name, _)| name != "likes"));
        assert_eq!(value("a,b", List, Lists::Comma), json!(["a", "b"]));
    }
}
