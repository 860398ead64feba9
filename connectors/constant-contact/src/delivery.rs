//! Constant Contact as the outbox sees it: units go out as imports, or one contact at a time as sign-ups, and imports are
//! asked for until they are done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use usher_sdk::{
    Http, Ledger, Reply,
    abi::Error,
    outbox::{Destination, Doubt, Fates, Jobs, Progress, Reaction, RowReject, Step, Unit, UnitOutcome},
};

use crate::{
    account::Account,
    activity::activity,
    api::{self, Refusal},
    client::{Client, PATIENCE_MS},
    limits,
    options::SmsPermission,
    polling::wait_ms,
    refusals::{quota, refused},
    sign_up::is_kept_back,
};

/// How often one unit is sent again on account of the same refusal.
const TRIES: u32 = 5;
/// The waits after a reply that leaves it open whether a unit was taken, in milliseconds; then the vendor's trouble ends the
/// delivery. No more than the outbox looks for a unit.
const TROUBLE_MS: [u64; 3] = [2_000, 8_000, 30_000];
/// An import that is not known so often is lost.
pub(crate) const MISSING: u32 = 4;
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
    /// Notes of this run.
    pub(crate) ledger: Ledger,
    /// The number of the token that a unit went out with.
    sent_with: BTreeMap<u64, u64>,
    /// How often a unit met with trouble.
    troubles: BTreeMap<u64, u32>,
    /// How often an import was not known.
    pub(crate) missing: BTreeMap<String, u32>,
    /// Sign-ups that may have arrived.
    pub(crate) doubted: BTreeSet<u64>,
    /// Since when nothing is taken.
    refused_since: Option<u64>,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(
        client: &'a mut Client,
        account: &'a Account,
        ledger: Ledger,
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
            ledger,
            sent_with: BTreeMap::new(),
            troubles: BTreeMap::new(),
            missing: BTreeMap::new(),
            doubted: BTreeSet::new(),
            refused_since: None,
        }
    }

    fn call(&self) -> &'static str {
        if self.way == Way::SignUp { "signing a contact up" } else { "sending an import" }
    }

    /// How often a unit has met with trouble, this time counted.
    fn troubled(&mut self, unit: &Unit) -> u32 {
        let times = self.troubles.entry(unit.number).or_default();
        *times += 1;
        *times
    }

    /// Whether a unit has met with trouble so often that it is given up.
    fn is_given_up(&mut self, unit: &Unit) -> bool {
        self.troubled(unit) > TRIES
    }

    /// A refusal that says nothing of single contacts.
    fn refused(&mut self, unit: &Unit, refusal: &Refusal) -> Result<Reaction, Error> {
        let (call, now) = (self.call(), self.client.clock.now_ms());
        let error = || refused(call, refusal);
        match refusal.status {
            401 => {
                let generation = self.sent_with.get(&unit.number).copied().unwrap_or_default();
                self.client.tokens.forget(generation);
                Ok(if self.is_given_up(unit) { Reaction::Refused(error()) } else { Reaction::Later(0) })
            }
            429 if refusal.is_quota() => Ok(Reaction::Refused(quota(call, refusal, now))),
            429 => {
                let since = *self.refused_since.get_or_insert(now);
                if now.saturating_sub(since) > PATIENCE_MS {
                    return Ok(Reaction::Refused(error()));
                }
                Ok(Reaction::Later(if refusal.is_throttled() { 1_000 } else { QUEUE_MS }))
            }
            // Whether it had its effect is not known.
            408 | 500..=599 => match TROUBLE_MS.get(self.troubled(unit) as usize - 1) {
                Some(wait) => {
                    self.client.clock.sleep_ms(*wait)?;
                    Ok(Reaction::InDoubt(format!("{call} was answered with {}", refusal.status)))
                }
                None => Err(error()),
            },
            _ => Ok(Reaction::Refused(error())),
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
}

impl Destination for Delivery<'_> {
    fn account(&self) -> String {
        self.account.id.clone()
    }

    fn in_flight(&self) -> usize {
        // The vendor queues a thousand imports (OAS); with so many, what is asked for rarely keeps the rest waiting.
        if self.way == Way::SignUp { 4 } else { 32 }
    }

    fn poll_ms(&self, asked: u32) -> u64 {
        wait_ms(asked)
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        let lists = self.account.lists();
        let request = match &self.way {
            // Not idempotent for the host, whose attempts nobody counts; a unit in doubt is sent again here.
            Way::Json => {
                let body = api::json_import(&unit.records, &lists, self.sms);
                http.post(self.client.url(api::JSON_IMPORT)).body("application/json", within_limit(body)?)
            }
            Way::Csv(header) => {
                let form = api::file_import(&unit.id, header, &unit.records, &lists, self.sms);
                let (content_type, body) = form.encode();
                http.post(self.client.url(api::FILE_IMPORT)).body(&content_type, within_limit(body)?)
            }
            Way::SignUp => match self.sign_up(http, unit)? {
                Ok(request) => request,
                Err(outcome) => return Ok(Step::Done(outcome)),
            },
        };
        let (request, generation) = self.client.dress(request)?;
        self.sent_with.insert(unit.number, generation);
        Ok(request.into())
    }

    fn sent(&mut self, unit: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let status = reply.status();
        if !reply.is_success() {
            // A refusal whose body cannot be read is one all the same.
            let refusal = Refusal::new(status, &reply.lossy_text(limits::REPLY).unwrap_or_default());
            return match status {
                // Of several contacts it does not say which: a list that was deleted meanwhile would cost them all.
                400 if unit.rows == 1 => Ok(Self::rejected(unit, &refusal, "import.refused", false)),
                // Parallel writes on one contact: it is tried again, and then left.
                409 if self.is_given_up(unit) => Ok(Self::rejected(unit, &refusal, "import.conflict", true)),
                409 => Ok(Reaction::Later(1_000)),
                _ => self.refused(unit, &refusal),
            };
        }
        self.refused_since = None;
        let text = reply.lossy_text(limits::REPLY)?;
        let riddle = |client: &Client| Ok(Reaction::NotUnderstood(client.tokens.without_secrets(&text)));
        if self.way != Way::SignUp {
            let Ok(activity) = activity(&text) else { return riddle(self.client) };
            return Ok(Reaction::Job(activity.activity_id));
        }
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        match body["contact_id"].as_str() {
            Some(id) if api::is_id(id) => {
                let answer = json!({ "action": body["action"] });
                Ok(Reaction::Done(UnitOutcome::all(Fates::Confirmed, answer)))
            }
            _ => riddle(self.client),
        }
    }

    fn poll(&mut self, _: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        self.ask_for(jobs)
    }

    fn doubt(&mut self, _: &Http, unit: &Unit, at_ms: u64) -> Result<Doubt, Error> {
        match self.way {
            Way::Json => Ok(Doubt::SendAgain),
            Way::Csv(_) => self.look_for_file(unit, at_ms),
            Way::SignUp => self.doubt_sign_up(unit),
        }
    }

    fn is_harmless(&self, reject: &RowReject) -> bool {
        is_kept_back(&reject.code)
    }

    fn close(&mut self, _: &Http) -> Result<(), Error> {
        if self.account.tags().is_empty() { Ok(()) } else { self.tag() }
    }
}

/// What is above the limit would be dropped without a word.
fn within_limit(body: Vec<u8>) -> Result<Vec<u8>, Error> {
    if body.len() < limits::BODY {
        return Ok(body);
    }
    let message = format!("an import of {} bytes, of which {} would be taken", body.len(), limits::BODY);
    Err(Error::bug("import.too-large", message))
}
