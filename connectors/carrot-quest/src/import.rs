//! Parts by `POST /users/import` (IMPORT): what is queued at once, and what comes of it later.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use usher_sdk::{
    Clock, Http, Reply,
    abi::Error,
    outbox::{Destination, Doubt, Fates, Jobs, Progress, Reaction, RowReject, Step, Unit, UnitOutcome},
    words::counted,
};

use crate::{
    api,
    client::Client,
    limits::{IMPORT_TIMEOUT_MS, IMPORTS_IN_FLIGHT},
    live::{Confirm, Live, RowNumbers},
    options::{MergeField, Options},
    people::{self, Table},
    read_back::{self, ReadBack, Round, Waiting},
    refusals::Call,
    row_errors::{self, Answer, Numbering, Reading},
};

/// Imports parts, and reads people back.
#[derive(Debug)]
pub(crate) struct Import<'a> {
    options: &'a Options,
    row_numbers: RowNumbers,
    client: Client,
    /// The line of headings.
    header: &'a [u8],
    table: Table<'a>,
    read_back: ReadBack,
    waiting: HashMap<u64, Waiting>,
    /// What the numbers of an earlier part have told.
    numbering: Option<Numbering>,
    warnings: Vec<String>,
}

impl<'a> Import<'a> {
    pub(crate) fn new(
        options: &'a Options,
        live: &'a Live,
        header: &'a [u8],
        table: Table<'a>,
        clock: Clock,
    ) -> Self {
        // People are read by your own id only. The list of users could be filtered by address, but shows no properties of
        // your own (APPUSERS).
        let confirm = if options.merge_field == MergeField::UserId { live.confirm } else { Confirm::None };
        Self {
            options,
            row_numbers: live.row_numbers,
            client: Client::new(options, live),
            header,
            table,
            read_back: ReadBack::new(live, clock, confirm, &options.tags),
            waiting: HashMap::new(),
            numbering: None,
            warnings: Vec::new(),
        }
    }

    /// What a person should know.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        self.warnings.into_iter().chain(self.read_back.into_warnings()).collect()
    }

    fn warn(&mut self, unit: u64, why: &str) {
        self.warnings.push(format!("part {}: {why}", unit + 1));
    }

    /// The numberings that may be meant; none when the numbers make no sense.
    fn numberings(&mut self, answer: &Answer, rows: u64) -> Vec<Numbering> {
        let possible = answer.numberings(self.row_numbers, self.numbering, rows);
        if let ([one], false) = (possible.as_slice(), answer.errors.is_empty()) {
            self.numbering = Some(*one);
        }
        possible
    }

    /// Whether the row numbers can be understood; else people are told.
    fn makes_sense(&mut self, unit: u64, answer: &Answer, rows: u64) -> bool {
        let sense = !self.numberings(answer, rows).is_empty();
        if !sense {
            let why = "the row numbers of `row_errors` fit no way of counting, or not that of earlier parts; see `row_numbers` \
                       within `api`";
            self.warn(unit, why);
        }
        sense
    }

    /// What the vendor said of a unit's rows, and who of them is to be read back.
    fn reading(&mut self, answer: &Answer, rows: u64) -> (Reading, BTreeSet<u64>) {
        let numberings = self.numberings(answer, rows);
        let reading = answer.interpret(&numberings, rows);
        let named = |row: &u64| reading.rejected.contains_key(row) || reading.unclear.contains(row);
        let sure: Vec<u64> = (0..rows).filter(|row| !named(row)).collect();
        let chosen = self.read_back.choose(&sure, &reading.unclear);
        (reading, chosen)
    }

    fn outcome(&mut self, unit: u64, rows: u64, answer: &Answer, waiting: &Waiting) -> UnitOutcome {
        let (reading, _) = self.reading(answer, rows);
        for why in &reading.because {
            self.warn(unit, why);
        }
        if !waiting.missing.is_empty() {
            let differing: Vec<String> = waiting.differing.iter().map(|name| format!("`{name}`")).collect();
            let at =
                if differing.is_empty() { String::new() } else { format!(" ({})", differing.join(", ")) };
            let why = format!(
                "of {} read back, {} not as sent{at} when the time for it was up; raise `wait_seconds` within `api` if \
                 imports take longer, or see the notifications in the admin panel",
                counted(waiting.asked(), "person", "people"),
                counted(waiting.missing.len() as u64, "is", "are"),
            );
            self.warn(unit, &why);
        }
        // What another part has told of the numbers meanwhile may reject a row that was looked for.
        let confirmed: Vec<u64> =
            waiting.confirmed.iter().filter(|row| !reading.rejected.contains_key(row)).copied().collect();
        let unknown: BTreeSet<u64> = reading.unclear.union(&waiting.missing).copied().collect();
        let is_open = |row: &u64| !reading.rejected.contains_key(row) && !waiting.confirmed.contains(row);
        let mut outcome = UnitOutcome {
            rejects: reading.rejected.iter().map(|(row, said)| reject(*row, said)).collect(),
            unknown: unknown.into_iter().filter(is_open).collect(),
            confirmed,
            ..UnitOutcome::all(Fates::Accepted, told(answer, waiting))
        };
        let named = outcome.rejects.len() + outcome.unknown.len() + outcome.confirmed.len();
        if named as u64 == rows {
            outcome.fates = Fates::Confirmed;
            outcome.confirmed.clear();
        } else if reading.short > 0 {
            outcome.fates = Fates::Unknown;
        }
        outcome
    }
}

/// A row that the import does not take, with the vendor's words: unless they are another row's, who knows whose.
fn reject(row: u64, said: &[(u64, Value)]) -> RowReject {
    let mut words: Vec<&Value> = said.iter().map(|(_, words)| words).collect();
    words.dedup();
    let numbers = || said.iter().map(|(number, _)| number.to_string());
    let (text, details) = match words.as_slice() {
        [one] => {
            let all: serde_json::Map<String, Value> =
                numbers().map(|number| (number, (*one).clone())).collect();
            (row_errors::words(one), json!({ "row_errors": all }))
        }
        _ => {
            let text = "it is one of two rows with errors, and which is which is not known; set `row_numbers` within `api` \
                        once you know how rows are counted";
            (text.to_owned(), json!({ "row_numbers": numbers().collect::<Vec<_>>() }))
        }
    };
    RowReject {
        row,
        code: "carrot.row-error".to_owned(),
        message: format!("the import does not take the row: {text}"),
        details,
        ..RowReject::default()
    }
}

/// For the receipt: counts alone.
fn told(answer: &Answer, waiting: &Waiting) -> Value {
    json!({
        "updates_planned": answer.planned,
        "row_errors": answer.errors.len(),
        "read_back": waiting.asked(),
        "confirmed": waiting.confirmed.len(),
    })
}

impl Destination for Import<'_> {
    fn account(&self) -> String {
        self.client.account(&self.options.app)
    }

    fn in_flight(&self) -> usize {
        IMPORTS_IN_FLIGHT
    }

    fn poll_ms(&self, _: u32) -> u64 {
        self.read_back.poll_ms()
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        let file = [self.header, &unit.records].concat();
        let form = api::import_form(self.options, &api::file_name(&unit.id), file);
        let request = self.client.post(http, api::IMPORT).multipart(&form).timeout_ms(IMPORT_TIMEOUT_MS);
        // Your own ids are unique in the app, so the same rows sent twice update the same people. Addresses are not: two
        // imports of somebody new, one right after the other, might make two people.
        Ok(match self.options.merge_field {
            MergeField::UserId => request.idempotent().into(),
            MergeField::Email => request.into(),
        })
    }

    fn sent(&mut self, unit: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let said = self.client.read(reply)?;
        let Some(envelope) = said.success() else { return said.no_success(Call::Import) };
        let answer = match row_errors::read(&envelope.data, unit.rows) {
            Ok(answer) => answer,
            Err(why) => {
                self.warn(unit.number, &why);
                return Ok(Reaction::NotUnderstood(said.text));
            }
        };
        if !self.makes_sense(unit.number, &answer, unit.rows) {
            return Ok(Reaction::NotUnderstood(said.text));
        }
        let (reading, chosen) = self.reading(&answer, unit.rows);
        if chosen.is_empty() && reading.unclear.is_empty() && reading.short == 0 {
            let outcome = self.outcome(unit.number, unit.rows, &answer, &Waiting::default());
            return Ok(Reaction::Done(outcome));
        }
        self.read_back.begin();
        // There is no id of a job: what was answered is all that there is to remember. What is not clear now would not be
        // clearer if the part was sent again.
        let job = serde_json::to_string(&answer).map_err(|e| Error::bug("carrot.job", e.to_string()))?;
        Ok(Reaction::Job(job))
    }

    fn doubt(&mut self, _: &Http, _: &Unit, at_ms: u64) -> Result<Doubt, Error> {
        if self.options.merge_field == MergeField::Email {
            // Whom the first import makes, the second must find.
            self.read_back.let_run(at_ms)?;
        }
        Ok(Doubt::SendAgain)
    }

    fn poll(&mut self, http: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let mut progress = Vec::new();
        for job in jobs.list().to_vec() {
            let Ok(answer) = serde_json::from_str::<Answer>(&job.job) else {
                // A note of another version of this plugin.
                progress.push(Progress::Lost);
                continue;
            };
            // Another part may have told meanwhile how rows are counted.
            if !self.makes_sense(job.unit, &answer, job.rows) {
                progress.push(Progress::NotUnderstood(job.job));
                continue;
            }
            let mut waiting = match self.waiting.remove(&job.unit) {
                Some(waiting) => waiting,
                None => {
                    let (_, chosen) = self.reading(&answer, job.rows);
                    let records = jobs.unit(job.unit)?.records;
                    let delimiter = self.options.delimiter.byte();
                    Waiting::new(people::pick(&records, delimiter, self.table, &chosen))
                }
            };
            progress.push(match self.read_back.round(&self.client, http, job.at_ms, &mut waiting) {
                Ok(Round::Open) => {
                    self.waiting.insert(job.unit, waiting);
                    Progress::Running
                }
                Ok(Round::Done) => Progress::Done(self.outcome(job.unit, job.rows, &answer, &waiting)),
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
