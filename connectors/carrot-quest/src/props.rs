//! People one by one, by `POST /users/{id}/props` (SETPROPS): for a few of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use usher_sdk::{
    Clock, Http, Reply,
    abi::Error,
    outbox::{Destination, Fates, Jobs, Progress, Reaction, RowReject, Step, Unit, UnitOutcome},
    words::counted,
};

use crate::{
    api::{self, Envelope, Ignored},
    client::Client,
    limits::PROPS_IN_FLIGHT,
    live::Live,
    options::Options,
    people::{Person, Property, Table},
    read_back::{self, ReadBack, Round, Waiting},
    refusals::Call,
    types,
};

/// The arguments of the call that are not of one person (SETPROPS).
const ARGUMENTS: [&str; 5] = ["app", "by_user_id", "double_subscribe", "parse_custom_props_type", "source"];

/// The job of somebody who was set.
const SET: &str = "props";
/// The job of somebody who was set, but for operations that were ignored.
const SET_IN_PART: &str = "props-in-part";

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
    pub(crate) fn new(cells: &[String], table: Table<'_>) -> Self {
        let (id, others) = cells.split_first().map_or((String::new(), &[][..]), |(id, o)| (id.clone(), o));
        let named = table.headings.iter().zip(table.kinds).zip(others).filter(|(_, cell)| !cell.is_empty());
        let operations = named.map(|((key, kind), cell)| Operation {
            op: "update_or_create".to_owned(),
            key: key.clone(),
            value: types::value(cell, *kind, table.lists),
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

    fn person(&self, table: Table<'_>) -> Person {
        let property =
            |o: &Operation| Property { name: o.key.clone(), kind: table.kind(&o.key), sent: o.value.clone() };
        Person { id: self.id.clone(), props: self.operations.iter().map(property).collect() }
    }

    /// Whether a 400 is about this person: by the arguments that it names, or else unless it speaks of the app. What is
    /// wrong with one person is no reason to keep the others back; what is wrong with the app is. An id that is not known
    /// is created (SETPROPS), so one that is not found is of something else.
    fn is_at_fault(&self, envelope: &Envelope) -> bool {
        let is_sent = |name: &String| {
            let key = self.operations.iter().any(|o| o.key == *name);
            name == "operations" || (key && !ARGUMENTS.contains(&name.as_str()))
        };
        let is_app = |word: &str| word.eq_ignore_ascii_case("app");
        match envelope.fields.as_slice() {
            _ if envelope.error == "LookupError" => false,
            [] => !envelope.words.split(|c: char| !c.is_alphanumeric()).any(is_app),
            named => named.iter().all(is_sent),
        }
    }
}

/// Sets people one by one.
#[derive(Debug)]
pub(crate) struct Props<'a> {
    options: &'a Options,
    table: Table<'a>,
    client: Client,
    read_back: ReadBack,
    waiting: HashMap<u64, Waiting>,
    /// People who were not there in the end.
    missing: u64,
    /// By property: how many operations were ignored, and why the first of them.
    ignored: BTreeMap<String, (u64, String)>,
    /// Units of which this attempt was told so.
    in_part: BTreeSet<u64>,
}

impl<'a> Props<'a> {
    pub(crate) fn new(options: &'a Options, live: &Live, table: Table<'a>, clock: Clock) -> Self {
        Self {
            options,
            table,
            client: Client::new(options, live),
            // No call of `/props` sets tags.
            read_back: ReadBack::new(live, clock, live.confirm, &[]),
            waiting: HashMap::new(),
            missing: 0,
            ignored: BTreeMap::new(),
            in_part: BTreeSet::new(),
        }
    }

    /// What came of reading somebody back, or of not doing so. Who was set but in part is accepted by no word of the
    /// vendor's: only what is shown tells.
    fn outcome(&mut self, waiting: &Waiting, in_part: bool) -> UnitOutcome {
        if !in_part {
            self.missing += waiting.missing.len() as u64;
        }
        let fates = match (waiting.confirmed.is_empty(), waiting.missing.is_empty()) {
            (false, _) => Fates::Confirmed,
            (true, true) if !in_part => Fates::Accepted,
            (true, _) => Fates::Unknown,
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
        let ignored = self.ignored.into_iter().map(|(key, (times, why))| {
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            let what = if key.is_empty() { "a property".to_owned() } else { format!("`{key}`") };
            format!(
                "Carrot quest ignored {what} of {}{why}: who does not show it is unknown; correct the property or its type, \
                 and run again",
                counted(times, "person", "people")
            )
        });
        missing.into_iter().chain(ignored).chain(self.read_back.into_warnings()).collect()
    }
}

impl Destination for Props<'_> {
    fn account(&self) -> String {
        self.client.account(&self.options.app)
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
        let Some(envelope) = said.success() else {
            let line = Line::of(unit)?;
            let is_at_fault = |envelope: &&Envelope| said.status == 400 && line.is_at_fault(envelope);
            let Some(envelope) = said.envelope.as_ref().filter(is_at_fault) else {
                return said.no_success(Call::Props);
            };
            let Envelope { error, words, .. } = envelope;
            let message = format!("Carrot quest does not take the row ({error}: {words})");
            let details = json!({ "error": error, "error_message": words });
            return Ok(Reaction::Done(refused_row("carrot.row-error", &message, details)));
        };
        // What is wrong with a property is passed over and told, and the others are set (SETPROPS).
        let in_part = !envelope.ignored.is_empty();
        for Ignored { key, reason } in &envelope.ignored {
            self.ignored.entry(key.clone()).or_insert_with(|| (0, reason.clone())).0 += 1;
        }
        if in_part {
            self.in_part.insert(unit.number);
        }
        let is_read_back = self.read_back.chooses(unit.number) || (in_part && self.read_back.is_on());
        if !is_read_back {
            return Ok(Reaction::Done(self.outcome(&Waiting::default(), in_part)));
        }
        self.read_back.begin();
        Ok(Reaction::Job(if in_part { SET_IN_PART } else { SET }.to_owned()))
    }

    fn poll(&mut self, http: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let mut progress = Vec::new();
        for job in jobs.list().to_vec() {
            let in_part = job.job == SET_IN_PART;
            if in_part && !self.in_part.contains(&job.unit) {
                // An earlier attempt was told so. What was wrong may have been put right, so it is set again.
                progress.push(Progress::Lost);
                continue;
            }
            let mut waiting = match self.waiting.remove(&job.unit) {
                Some(waiting) => waiting,
                None => Waiting::new([(0, Line::of(&jobs.unit(job.unit)?)?.person(self.table))]),
            };
            // What was ignored does not come later: one look is enough.
            let at_ms = if in_part { 0 } else { job.at_ms };
            progress.push(match self.read_back.round(&self.client, http, at_ms, &mut waiting) {
                Ok(Round::Open) => {
                    self.waiting.insert(job.unit, waiting);
                    Progress::Running
                }
                Ok(Round::Done) => Progress::Done(self.outcome(&waiting, in_part)),
                Ok(Round::NotUnderstood(text)) => Progress::NotUnderstood(text),
                Err(error) => {
                    self.waiting.insert(job.unit, waiting);
                    return read_back::kept(error, progress, jobs.list().len());
                }
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
    use crate::options::{
        Lists,
        PropertyType::{self, Boolean, Date, Integer, List, Text},
    };

    #[test]
    fn cells_become_what_they_hold() {
        let cells = ["7", "Ada", "", "12", "true", r#"["a","b"]"#, "2024-01-01", "007"].map(str::to_owned);
        let names = ["$name", "$email", "seats", "vip", "likes", "since", "code"].map(str::to_owned);
        let kinds = [Text, Text, Integer, Boolean, List, Date, Text];
        let table = Table { headings: &names, kinds: &kinds, lists: Lists::Json };
        let line = Line::new(&cells, table);
        let values: Vec<(&str, PropertyType, Value)> = line
            .person(table)
            .props
            .iter()
            .zip(&line.operations)
            .map(|(property, operation)| {
                assert_eq!((&property.name, &property.sent), (&operation.key, &operation.value));
                (operation.key.as_str(), property.kind, operation.value.clone())
            })
            .collect();
        let expected = [
            ("$name", Text, json!("Ada")),
            ("seats", Integer, json!(12)),
            ("vip", Boolean, json!(true)),
            ("likes", List, json!(["a", "b"])),
            ("since", Date, json!("2024-01-01")),
            ("code", Text, json!("007")),
        ];
        assert_eq!(values, expected);
        assert_eq!(types::value("a,b", List, Lists::Comma), json!(["a", "b"]));
    }

    #[test]
    fn a_refusal_is_of_the_person_or_of_the_call() {
        let operation = |key: &str| Operation { op: String::new(), key: key.to_owned(), value: Value::Null };
        let line = Line { id: "7".to_owned(), operations: vec![operation("$email"), operation("app")] };
        for (error, words, fields, expected) in [
            ("ValidationError", "no", &["operations"][..], true),
            ("ValidationError", "no", &["$email"], true),
            ("ValidationError", "no", &["app"], false),
            ("ValidationError", "no", &["operations", "app"], false),
            ("ValidationError", "no", &["merge_field"], false),
            ("BadRequest", "the value is too long", &[], true),
            ("BadRequest", "App 42 is not yours", &[], false),
            ("BadRequest", "it happens", &[], true),
            ("LookupError", "not found", &[], false),
        ] {
            let envelope = Envelope {
                status: 400,
                error: error.to_owned(),
                words: words.to_owned(),
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
                ignored: Vec::new(),
                data: Value::Null,
            };
            assert_eq!(line.is_at_fault(&envelope), expected, "{error} {words} {fields:?}");
        }
    }
}
