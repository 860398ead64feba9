//! Units on their way to Zendesk: each becomes a job, whose results say what became of the rows.
//!
//! Imports that only create, and those that only update, look users up by their external ids before a unit is sent: the
//! unit then goes without the rows that it must not have ([`Trip`]).

use std::collections::BTreeMap;

use serde_json::json;
use usher_sdk::{
    Clock, Host, Http, Reply,
    abi::{Error, ErrorClass},
    outbox::{
        Destination, Doubt, Fates, InFlight, Jobs, Progress, Reaction, RowReject, Step, Unit, UnitOutcome,
    },
    words::counted,
};

use crate::{
    api::{self, Job, Load},
    client::{Answer, Client},
    limits::{self, FULL_MS, JOB_APPEARS_MS, JOB_MS, JOBS, LATER_MS},
    options::ImportType,
    refusals::Call,
    results::{DUPLICATE, SentRow, has_ended, progress},
    trip::{Trip, Trips},
    users::{Known, Users},
};

/// The code of a row whose user is there, where users are only created.
const EXISTS: &str = "user.exists";
/// The code of a row whose user is not there, where users are only updated.
pub(crate) const UNKNOWN: &str = "user.unknown";

/// Zendesk, as an outbox sees it.
#[derive(Debug)]
pub(crate) struct Sending {
    client: Client,
    clock: Clock,
    load: Load,
    trips: Trips,
    /// Zendesk has taken a unit, so that it will take others.
    taken: bool,
    /// Since when Zendesk has had no room for another request.
    full_since_ms: Option<u64>,
    /// Since when each job has been waited for, by this run.
    asked_since_ms: BTreeMap<String, u64>,
    /// When this attempt began.
    began_ms: u64,
    /// Rows of which results say nothing.
    unclear: u64,
    /// Rows of new users that could not be looked up, by their unit.
    blind: BTreeMap<u64, u64>,
    /// Rows that Zendesk refuses as duplicates, perhaps of what an earlier try has made.
    untellable: u64,
    /// What jobs that do not end said last.
    endless: Vec<String>,
}

impl Sending {
    pub(crate) fn new(host: &Host, client: &Client, load: Load) -> Result<Self, Error> {
        let clock = host.clock()?;
        Ok(Self {
            client: client.clone(),
            began_ms: clock.now_ms(),
            clock,
            load,
            trips: Trips::new(host, &client.api.subdomain)?,
            taken: false,
            full_since_ms: None,
            asked_since_ms: BTreeMap::new(),
            unclear: 0,
            blind: BTreeMap::new(),
            untellable: 0,
            endless: Vec::new(),
        })
    }

    /// What a person should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.endless.clone();
        if self.unclear > 0 {
            warnings.push(format!(
                "of {} Zendesk's results say nothing, so what became of them is not known; run again, which {}",
                counted(self.unclear, "row", "rows"),
                match self.import_type() {
                    Some(ImportType::Create) => "looks their users up and sends those that are not there",
                    _ => "sends their requests again",
                }
            ));
        }
        let blind: u64 = self.blind.values().sum();
        if blind > 0 {
            warnings.push(format!(
                "{} no `external_id` to be looked up by; Zendesk refuses those whose address it has \
                 (`{DUPLICATE}`)",
                counted(blind, "row has", "rows have")
            ));
        }
        if self.untellable > 0 {
            warnings.push(format!(
                "{} sent again, since it was not known whether the first attempt had arrived; Zendesk has the addresses now, \
                 and whether from that attempt cannot be told: see in Zendesk when the users were made",
                counted(self.untellable, "row without `external_id` was", "rows without `external_id` were")
            ));
        }
        warnings
    }

    fn import_type(&self) -> Option<ImportType> {
        if let Load::Users(import_type) = self.load { Some(import_type) } else { None }
    }

    /// The import type, if users are looked up for it.
    fn looks_up(&self) -> Option<ImportType> {
        self.import_type().filter(|import_type| *import_type != ImportType::CreateAndUpdate)
    }

    fn call(&self) -> Call {
        if self.load == Load::Organizations { Call::SendOrganizations } else { Call::Send }
    }

    /// Which rows of a unit are sent, by what the account has.
    fn plan(&mut self, unit: &Unit, users: &Users, known: &Known, updates: bool) -> Result<Trip, Error> {
        let with = |is_known: bool| -> Vec<u64> {
            (0..users.count()).filter(|row| users.id(*row, known).is_some() == is_known).collect()
        };
        if updates {
            return Ok(Trip { kept_back: with(false), ..Trip::default() });
        }
        Ok(match self.trips.find(unit)? {
            None => {
                let blind = (0..users.count()).filter(|row| users.key(*row).is_none()).count() as u64;
                self.blind.insert(unit.number, blind);
                Trip { kept_back: with(true), ..Trip::default() }
            }
            // It was looked before the first try, so that whoever is there now is there by it.
            Some(Trip { kept_back, .. }) => {
                let made = with(true).into_iter().filter(|row| !kept_back.contains(row)).collect();
                Trip { kept_back, made, again: true }
            }
        })
    }

    /// The whole unit's outcome, by that of the rows that were sent.
    fn whole(&self, mut outcome: UnitOutcome, trip: &Trip) -> UnitOutcome {
        outcome.answer["failed"] = json!(outcome.rejects.len());
        outcome.answer["unknown"] = json!(outcome.unknown.len());
        if !trip.made.is_empty() {
            outcome.answer["found"] = json!(trip.made.len());
        }
        if !trip.kept_back.is_empty() {
            outcome.answer["not_sent"] = json!(trip.kept_back.len());
        }
        let (code, message) = match self.import_type() {
            Some(ImportType::Update) => {
                (UNKNOWN, "Zendesk has no user with this `external_id`, and `update` creates none")
            }
            _ => {
                (EXISTS, "Zendesk has a user with this `external_id` already, whom `create` does not change")
            }
        };
        outcome.rejects.extend(trip.kept_back.iter().map(|row| RowReject {
            row: *row,
            column: "external_id".to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
            ..RowReject::default()
        }));
        outcome
    }

    /// Zendesk has no room for a request now: it goes later, but not for ever.
    fn later(&mut self, unit: &Unit, answer: &Answer, jobs: bool) -> Result<Reaction, Error> {
        self.not_taken(unit)?;
        let now = self.clock.now_ms();
        let since = *self.full_since_ms.get_or_insert(now);
        if now.saturating_sub(since) < FULL_MS {
            let hint = answer.retry_after_ms.or(answer.jobs_reset_ms.filter(|_| jobs));
            return Ok(Reaction::Later(hint.unwrap_or(LATER_MS)));
        }
        if !jobs {
            return Ok(Reaction::Refused(self.client.refusal(self.call(), answer)));
        }
        let message = format!(
            "sending: Zendesk has had no room for another job for {} minutes: others fill the {JOBS} that an account may \
             have; wait until they are done, and run again",
            FULL_MS / 60_000
        );
        let error = Error::new(ErrorClass::RATE_LIMITED, "api.too-many-jobs", message);
        Ok(Reaction::Refused(error))
    }

    /// Zendesk has said that it took none of a unit: what it has then is not by this run, unless an earlier try arrived.
    fn not_taken(&self, unit: &Unit) -> Result<(), Error> {
        if self.looks_up().is_none() || self.trips.find(unit)?.is_some_and(|trip| trip.again) {
            return Ok(());
        }
        self.trips.note(unit, None)
    }

    /// What is known of a job from the reply that shows it.
    fn judge(&mut self, job: &Job, flight: &InFlight, jobs: &mut Jobs<'_>) -> Result<Progress, Error> {
        if !has_ended(job) {
            return Ok(self.running(job));
        }
        self.asked_since_ms.remove(&job.id);
        let unit = jobs.unit(flight.unit)?;
        let users = Users::of(&unit)?;
        let found = if self.looks_up().is_some() { self.trips.find(&unit)? } else { None };
        let trip = found.unwrap_or_default();
        let sent = trip.sent(users.count()).into_iter();
        let sent: Vec<SentRow> =
            sent.map(|row| SentRow { row, address: users.address(row).to_owned() }).collect();
        let unclear = match progress(job, &sent, self.load) {
            Progress::Done(outcome) if outcome.unknown.is_empty() => {
                return self.settled(outcome, &users, &trip).map(Progress::Done);
            }
            // A job of an earlier attempt that does not say what became of every row will never do so: it is as good as
            // lost.
            Progress::Done(_) | Progress::NotUnderstood(_) if flight.at_ms < self.began_ms => {
                return Ok(Progress::Lost);
            }
            Progress::NotUnderstood(text) => {
                return Ok(Progress::NotUnderstood(self.client.api.without_secrets(&text)));
            }
            Progress::Done(outcome) => outcome,
            other => return Ok(other),
        };
        self.unclear += unclear.unknown.len() as u64;
        self.settled(unclear, &users, &trip).map(Progress::Done)
    }

    /// A job that has not ended, which is waited for, but not for ever.
    fn running(&mut self, job: &Job) -> Progress {
        let now = self.clock.now_ms();
        let since = *self.asked_since_ms.entry(job.id.clone()).or_insert(now);
        if now.saturating_sub(since) < JOB_MS {
            return Progress::Running;
        }
        self.endless.push(format!(
            "job {} is still `{}` after {} hours; run again later, which asks for it where it is",
            job.id,
            job.status,
            JOB_MS / 3_600_000
        ));
        Progress::Done(UnitOutcome::all(Fates::Unknown, json!({ "job": job.id, "status": job.status })))
    }

    /// The outcome of a unit whose results are there. What was sent again may be refused for what an earlier try has made.
    fn settled(
        &mut self,
        mut outcome: UnitOutcome,
        users: &Users,
        trip: &Trip,
    ) -> Result<UnitOutcome, Error> {
        let refused = outcome.rejects.iter().filter(|reject| reject.code == DUPLICATE);
        let refused: Vec<u64> = refused.map(|reject| reject.row).collect();
        if trip.again && !refused.is_empty() {
            let known = self.client.known_users(refused.iter().filter_map(|row| users.key(*row)))?;
            let is_own = |row: u64| users.key(row).is_none_or(|key| known.id(key).is_some());
            outcome.rejects.retain(|reject| reject.code != DUPLICATE || !is_own(reject.row));
            let untellable: Vec<u64> = refused.into_iter().filter(|row| users.key(*row).is_none()).collect();
            self.untellable += untellable.len() as u64;
            outcome.unknown.extend(untellable);
        }
        Ok(self.whole(outcome, trip))
    }

    /// A job that the account does not know: not yet, or not any more.
    fn unknown(&self, flight: &InFlight) -> Progress {
        let age = self.clock.now_ms().saturating_sub(flight.at_ms);
        if age < JOB_APPEARS_MS { Progress::Running } else { Progress::Lost }
    }

    fn ask_one(&mut self, flight: &InFlight, jobs: &mut Jobs<'_>) -> Result<Progress, Error> {
        let answer = self.client.ask(&api::job_path(&flight.job))?;
        if answer.status == 404 {
            return Ok(self.unknown(flight));
        }
        if !answer.is_success() {
            return Err(self.client.refusal(Call::Jobs, &answer));
        }
        match Job::one(&answer.text).filter(|job| job.id == flight.job) {
            Some(job) => self.judge(&job, flight, jobs),
            None => Ok(Progress::NotUnderstood(self.client.api.without_secrets(&answer.text))),
        }
    }
}

impl Destination for Sending {
    fn account(&self) -> String {
        self.client.api.subdomain.clone()
    }

    /// The first unit goes alone: when imports are not enabled, it is the only one that Zendesk sees.
    fn in_flight(&self) -> usize {
        if self.taken { JOBS } else { 1 }
    }

    fn requests_a_minute(&self) -> Option<u32> {
        limits::requests_a_minute(self.client.limit)
    }

    fn send(&mut self, _: &Http, unit: &Unit) -> Result<Step, Error> {
        let Some(import_type) = self.looks_up() else {
            return Ok(self.client.load(self.load, &unit.records).into());
        };
        let updates = import_type == ImportType::Update;
        let users = Users::of(unit)?;
        let known = self.client.known_users((0..users.count()).filter_map(|row| users.key(row)))?;
        let trip = self.plan(unit, &users, &known, updates)?;
        let rows = trip.sent(users.count());
        if rows.is_empty() {
            let none = UnitOutcome::all(Fates::Confirmed, json!({ "created": 0, "updated": 0 }));
            return Ok(Step::Done(self.whole(none, &trip)));
        }
        self.trips.note(unit, Some(&trip))?;
        Ok(self.client.load(self.load, &users.records(&rows, updates.then_some(&known))?).into())
    }

    fn sent(&mut self, unit: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let answer = Answer::of(reply)?;
        // Its status is not documented.
        if api::error_name(&answer.text).as_deref() == Some("TooManyJobs") {
            return self.later(unit, &answer, true);
        }
        if answer.is_success() {
            return Ok(match Job::one(&answer.text) {
                Some(job) => {
                    self.taken = true;
                    self.full_since_ms = None;
                    Reaction::Job(job.id)
                }
                None => Reaction::NotUnderstood(self.client.api.without_secrets(&answer.text)),
            });
        }
        let error = self.client.refusal(self.call(), &answer);
        match answer.status {
            429 => self.later(unit, &answer, false),
            // Whatever stands before Zendesk may have passed it on. What may be sent twice the host has sent for long.
            408 | 500..=599 if self.load.is_idempotent() => Err(error),
            408 | 500..=599 => Ok(Reaction::InDoubt(error.to_string())),
            400..=499 => {
                self.not_taken(unit)?;
                Ok(Reaction::Refused(error))
            }
            _ => Ok(Reaction::NotUnderstood(self.client.api.without_secrets(&answer.text))),
        }
    }

    fn poll(&mut self, _: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        // Also those that an earlier attempt has begun.
        self.taken = true;
        let list = jobs.list().to_vec();
        let ids: Vec<&str> = list.iter().map(|flight| flight.job.as_str()).collect();
        let answer = self.client.ask(&api::jobs_path(&ids))?;
        let known = match answer.status {
            200..=299 => Job::many(&answer.text),
            404 => None,
            _ => return Err(self.client.refusal(Call::Jobs, &answer)),
        };
        // What cannot be told of all of them may be told of each.
        let Some((known, riddles)) = known else {
            return list.iter().map(|flight| self.ask_one(flight, jobs)).collect();
        };
        let by_id: BTreeMap<&str, &Job> = known.iter().map(|job| (job.id.as_str(), job)).collect();
        let mut answers = Vec::with_capacity(list.len());
        for flight in &list {
            // One that cannot be read is there all the same; without an id it may be any.
            let riddle = riddles.iter().find(|r| r["id"].as_str().is_none_or(|id| id == flight.job));
            answers.push(match (by_id.get(flight.job.as_str()), riddle) {
                (Some(job), _) => self.judge(job, flight, jobs)?,
                (None, Some(riddle)) => {
                    Progress::NotUnderstood(self.client.api.without_secrets(&riddle.to_string()))
                }
                (None, None) => self.unknown(flight),
            });
        }
        Ok(answers)
    }

    /// An upsert and an update do no harm twice. For what creates [`send`](Self::send) looks which users an earlier try has
    /// made, and leaves them out. Names of organizations are unique (OAS).
    fn doubt(&mut self, _: &Http, _: &Unit, _: u64) -> Result<Doubt, Error> {
        Ok(Doubt::SendAgain)
    }

    /// A user who is there says nothing of those to come.
    fn is_harmless(&self, reject: &RowReject) -> bool {
        reject.code == EXISTS
    }
}
