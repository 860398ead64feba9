//! Constant Contact as the outbox sees it: units go out as imports, or one contact at a time as sign-ups, and imports are
//! asked for until they are done.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher_sdk::{
    Http, Reply,
    abi::{Error, ErrorClass},
    outbox::{Destination, Doubt, Fates, Jobs, Progress, Reaction, RowReject, Step, Unit, UnitOutcome},
};

use crate::{
    account::Account,
    activity::{Activity, State, activity},
    api::{self, Refusal},
    client::{Client, PATIENCE_MS},
    limits,
    options::SmsPermission,
    refusals::{quota, refused},
};

/// How long an import may take, in milliseconds. The vendor lists activities of ten days (OAS).
const LONGEST_MS: u64 = 86_400_000;
/// How often one unit is sent again on account of the same trouble.
const TRIES: u32 = 5;
/// How long to wait when the account has its 1,000 imports waiting (OAS), in milliseconds.
const QUEUE_MS: u64 = 30_000;

/// How contacts are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Imports of JSON.
    Json,
    /// Imports of CSV, with this header.
    Csv(Vec<u8>),
    /// One by one, with the permission `explicit`.
    SignUp,
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    pub(crate) client: &'a mut Client,
    pub(crate) account: &'a Account,
    pub(crate) way: Way,
    pub(crate) sms: SmsPermission,
    pub(crate) first_line: Option<u64>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
    /// Whether the tags were given.
    pub(crate) tagged: bool,
    /// Why nothing more is to be sent.
    stop: Option<Error>,
    /// The number of the token that a unit went out with.
    sent_with: BTreeMap<u64, u64>,
    /// How often a unit met with trouble.
    troubles: BTreeMap<u64, u32>,
    /// Since when nothing is taken.
    refused_since: Option<u64>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(
        client: &'a mut Client,
        account: &'a Account,
        way: Way,
        sms: SmsPermission,
        first_line: Option<u64>,
    ) -> Self {
        Self {
            client,
            account,
            way,
            sms,
            first_line,
            warnings: Vec::new(),
            tagged: false,
            stop: None,
            sent_with: BTreeMap::new(),
            troubles: BTreeMap::new(),
            refused_since: None,
        }
    }

    fn call(&self) -> &'static str {
        if self.way == Way::SignUp { "signing a contact up" } else { "sending an import" }
    }

    /// The unit was refused, and every other would be: it is not sent, and the next request is an error.
    fn stop(&mut self, error: Error) -> Reaction {
        self.stop = Some(error);
        Reaction::Later(0)
    }

    /// Whether a unit has met with trouble so often that it is given up.
    fn is_given_up(&mut self, unit: &Unit) -> bool {
        let times = self.troubles.entry(unit.number).or_default();
        *times += 1;
        *times > TRIES
    }

    /// A refusal that says nothing of single contacts.
    fn refused(&mut self, unit: &Unit, refusal: &Refusal) -> Result<Reaction, Error> {
        let (call, now) = (self.call(), self.client.clock.now_ms());
        let error = || refused(call, refusal);
        match refusal.status {
            401 => {
                let generation = self.sent_with.get(&unit.number).copied().unwrap_or_default();
                self.client.tokens.forget(generation);
                Ok(if self.is_given_up(unit) { self.stop(error()) } else { Reaction::Later(0) })
            }
            429 if refusal.is_quota() => Ok(self.stop(quota(call, refusal, now))),
            429 => {
                let since = *self.refused_since.get_or_insert(now);
                if now.saturating_sub(since) > PATIENCE_MS {
                    return Ok(self.stop(error()));
                }
                Ok(Reaction::Later(if refusal.is_throttled() { 1_000 } else { QUEUE_MS }))
            }
            // Whether it had its effect is not known.
            408 | 500..=599 if self.way != Way::Json => {
                if self.is_given_up(unit) {
                    return Err(error());
                }
                self.client.clock.sleep_ms(2_000)?;
                match self.look(unit)? {
                    Doubt::SendAgain => Ok(Reaction::Later(2_000)),
                    Doubt::Job(id) => Ok(Reaction::Job(id)),
                    Doubt::Done(outcome) => Ok(Reaction::Done(outcome)),
                    Doubt::Unknown(why) => {
                        Ok(Reaction::Done(UnitOutcome::all(Fates::Unknown, json!({ "unknown": why }))))
                    }
                }
            }
            408 | 500..=599 => Err(error()),
            _ => Ok(self.stop(error())),
        }
    }

    /// No contact of the unit was taken, for what the vendor says.
    fn rejected(unit: &Unit, refusal: &Refusal, code: &str, retryable: bool) -> Reaction {
        let message = format!("Constant Contact refused it: answered {}{}", refusal.status, refusal.words());
        let reject = |row| RowReject {
            row,
            code: code.to_owned(),
            message: message.clone(),
            retryable,
            details: refusal.details(),
            ..RowReject::default()
        };
        let rejects = (0..unit.rows).map(reject).collect();
        Reaction::Done(UnitOutcome { rejects, ..UnitOutcome::all(Fates::Confirmed, refusal.details()) })
    }

    /// Whether a unit arrived that may have.
    fn look(&mut self, unit: &Unit) -> Result<Doubt, Error> {
        match self.way {
            // The same contacts once more change nothing (OAS: existing ones are updated by what is sent), and no activity
            // of an import of JSON says which it was.
            Way::Json => Ok(Doubt::SendAgain),
            Way::Csv(_) => self.look_for_file(unit),
            Way::SignUp => self.look_for_contact(unit),
        }
    }

    /// An import of CSV is known by its file's name.
    fn look_for_file(&mut self, unit: &Unit) -> Result<Doubt, Error> {
        let name = api::file_name(&unit.id);
        let ours = |activity: &Activity| {
            activity.source_file_name.as_deref() == Some(&name) && activity.state() != State::GivenUp
        };
        let call = "looking for an import that may have arrived";
        let query = [("limit", "500")];
        let found: Vec<Activity> =
            self.client.pages(call, api::ACTIVITIES, &query, "activities", |page: &[Activity]| {
                page.iter().any(ours)
            })?;
        let found = found.into_iter().find(ours).filter(|activity| api::is_id(&activity.activity_id));
        Ok(found.map_or(Doubt::SendAgain, |activity| Doubt::Job(activity.activity_id)))
    }

    /// A contact that waits for its confirmation must not be signed up twice: the second time would make the permission
    /// `explicit` without it (OAS: "updated contacts have their `permission_to_send` property set as explicit").
    fn look_for_contact(&mut self, unit: &Unit) -> Result<Doubt, Error> {
        let contact = contact(unit)?;
        let email = contact["email"].as_str().unwrap_or_default();
        let url = self.client.url(api::CONTACTS);
        let call = "looking for a contact that may have signed up";
        let text = self.client.text(call, &url, &[("email", email), ("status", "all")])?;
        let found: Value = api::read(&text, "contacts")?;
        let waits = found["contacts"].as_array().into_iter().flatten().any(|contact| {
            contact["email_address"]["permission_to_send"].as_str() == Some("pending_confirmation")
        });
        if waits {
            let answer = json!({ "permission_to_send": "pending_confirmation" });
            return Ok(Doubt::Done(UnitOutcome::all(Fates::Confirmed, answer)));
        }
        Ok(Doubt::SendAgain)
    }

    /// How far one import is.
    fn progress(&mut self, id: &str, rows: u64, at_ms: u64) -> Result<Progress, Error> {
        let url = self.client.url(&format!("{}/{id}", api::ACTIVITIES));
        let call = "asking how far an import is";
        let text = match self.client.get(call, &url, &[])? {
            Ok(text) => text,
            Err(refusal) if refusal.status == 404 => return Ok(Progress::Lost),
            Err(refusal) => return Err(refused(call, &refusal)),
        };
        let Ok(activity) = activity(&text) else { return Ok(Progress::NotUnderstood(text)) };
        match activity.state() {
            State::Running if self.client.clock.now_ms().saturating_sub(at_ms) > LONGEST_MS => {
                let message = format!(
                    "the import {id} was not done within a day; see it in Constant Contact, and run the same command again"
                );
                Err(Error::new(ErrorClass::TIMEOUT, "import.timeout", message))
            }
            State::Running => Ok(Progress::Running),
            State::Completed => {
                let (outcome, warnings) = activity.outcome(rows, self.first_line);
                self.warnings.extend(warnings);
                Ok(Progress::Done(outcome))
            }
            // What was done before it was given up is not said; the same contacts once more do no harm.
            State::GivenUp => {
                self.warnings.push(format!(
                    "import {id}: its state is `{}`{}",
                    activity.state,
                    activity.why()
                ));
                Ok(Progress::Lost)
            }
            State::Other => Ok(Progress::NotUnderstood(text)),
        }
    }

    /// Gives the tags to everybody on the lists, and waits until that is done (OAS).
    fn tag(&mut self) -> Result<(), Error> {
        let call = "giving the tags";
        let body = api::tagging(&self.account.lists(), &self.account.tags());
        let text = self.client.post(call, api::TAGGING, &body)?.map_err(|refusal| refused(call, &refusal))?;
        let id = activity(&text)?.activity_id;
        let url = self.client.url(&format!("{}/{id}", api::ACTIVITIES));
        let begun = self.client.clock.now_ms();
        for asked in 0.. {
            self.client.clock.sleep_ms(wait_ms(asked))?;
            let activity = activity(&self.client.text("asking how far the tags are", &url, &[])?)?;
            let late = self.client.clock.now_ms().saturating_sub(begun) > LONGEST_MS;
            match activity.state() {
                State::Running if !late => {}
                State::Completed => {
                    for error in activity.errors().take(3) {
                        self.warnings.push(format!("tags, activity {id}: {error}"));
                    }
                    self.tagged = true;
                    break;
                }
                _ => {
                    let message = format!(
                        "{call}: the activity {id} has the state `{}`{}; the contacts are there, and the same command gives \
                         the tags once more",
                        activity.state,
                        activity.why()
                    );
                    return Err(Error::transient("import.tags", message));
                }
            }
        }
        Ok(())
    }
}

impl Destination for Delivery<'_> {
    fn account(&self) -> String {
        self.account.id.clone()
    }

    fn in_flight(&self) -> usize {
        if self.way == Way::SignUp { 4 } else { 8 }
    }

    fn poll_ms(&self, asked: u32) -> u64 {
        wait_ms(asked)
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        if let Some(error) = self.stop.take() {
            return Err(error);
        }
        let lists = self.account.lists();
        let request = match &self.way {
            Way::Json => {
                let body = api::json_import(&unit.records, &lists, self.sms);
                // Sent twice, it imports the same contacts twice, which changes nothing the second time.
                let request = http.post(self.client.url(api::JSON_IMPORT)).idempotent();
                request.body("application/json", within_limit(body)?)
            }
            Way::Csv(header) => {
                let form = api::file_import(&unit.id, header, &unit.records, &lists, self.sms);
                let (content_type, body) = form.encode();
                http.post(self.client.url(api::FILE_IMPORT)).body(&content_type, within_limit(body)?)
            }
            Way::SignUp => {
                let contact = contact(unit)?;
                let contact = contact.as_object().cloned().unwrap_or_default();
                let body = api::sign_up(&contact, &lists, |name| self.account.field(name));
                http.post(self.client.url(api::SIGN_UP)).json(&body)
            }
        };
        let (request, generation) = self.client.dress(request)?;
        self.sent_with.insert(unit.number, generation);
        Ok(request.into())
    }

    fn sent(&mut self, unit: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let status = reply.status();
        if !reply.is_success() {
            // A refusal whose body cannot be read is one all the same.
            let refusal = Refusal::new(status, &reply.text(limits::REPLY).unwrap_or_default());
            return match status {
                400 => Ok(Self::rejected(unit, &refusal, "import.refused", false)),
                // Parallel writes on one contact: it is tried again, and then left.
                409 if self.is_given_up(unit) => Ok(Self::rejected(unit, &refusal, "import.conflict", true)),
                409 => Ok(Reaction::Later(1_000)),
                _ => self.refused(unit, &refusal),
            };
        }
        self.refused_since = None;
        let text = reply.text(limits::REPLY)?;
        if self.way != Way::SignUp {
            return Ok(match activity(&text) {
                Ok(activity) => Reaction::Job(activity.activity_id),
                Err(_) => Reaction::NotUnderstood(text),
            });
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        match body["contact_id"].as_str() {
            Some(id) if api::is_id(id) => {
                let answer = json!({ "action": body["action"] });
                Ok(Reaction::Done(UnitOutcome::all(Fates::Confirmed, answer)))
            }
            _ => Ok(Reaction::NotUnderstood(text)),
        }
    }

    fn poll(&mut self, _: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let list = jobs.list().to_vec();
        list.iter().map(|job| self.progress(&job.job, job.rows, job.at_ms)).collect()
    }

    fn doubt(&mut self, _: &Http, unit: &Unit, _: u64) -> Result<Doubt, Error> {
        self.look(unit)
    }

    fn close(&mut self, _: &Http) -> Result<(), Error> {
        if self.account.tags().is_empty() { Ok(()) } else { self.tag() }
    }
}

/// Between two questions for activities, in milliseconds.
fn wait_ms(asked: u32) -> u64 {
    (1_000u64 << asked.min(4)).min(15_000)
}

/// What is above the limit would be dropped without a word.
fn within_limit(body: Vec<u8>) -> Result<Vec<u8>, Error> {
    if body.len() < limits::BODY {
        return Ok(body);
    }
    let message = format!("an import of {} bytes, of which {} would be taken", body.len(), limits::BODY);
    Err(Error::bug("import.too-large", message))
}

/// The contact of a unit of one.
fn contact(unit: &Unit) -> Result<Value, Error> {
    serde_json::from_slice(&unit.records).map_err(|e| Error::bug("import.record", e.to_string()))
}
