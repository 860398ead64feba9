//! The vendor's side of a delivery: an import that runs in the background, and what it says of its rows in the end.

use serde_json::json;
use usher_sdk::{
    Clock, Http, Reply,
    abi::Error,
    outbox::{Destination, Doubt, Fates, InFlight, Jobs, Progress, Reaction, Step, Unit, UnitOutcome},
};

use crate::{
    api::{self, Begun, Client, Process, REPLY_BYTES},
    options::Options,
};

/// Imports into one account.
pub(crate) struct Import<'a> {
    pub(crate) options: &'a Options,
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

impl Destination for Import<'_> {
    fn account(&self) -> String {
        self.client.account.clone()
    }

    /// How many imports may run at once is not documented.
    fn in_flight(&self) -> usize {
        1
    }

    /// Soon at first, then every 48 seconds: of such questions there may be a hundred an hour (LIMITS).
    fn poll_ms(&self, asked: u32) -> u64 {
        1_500 << asked.min(5)
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        let body = api::body(self.options, &unit.records);
        let request =
            self.client.post(http, "/contacts/import").body("application/json", body).refused_once();
        // Contacts are found again by their address, so the same rows twice end as once.
        Ok(if self.options.update_existing { request.idempotent() } else { request }.into())
    }

    fn sent(&mut self, _: &Unit, reply: Reply) -> Result<Reaction, Error> {
        match reply.status() {
            429 => return Ok(Reaction::Later(api::reset_ms(&reply))),
            400..=499 => return Ok(Reaction::Refused(api::refusal(reply)?)),
            _ => {}
        }
        let text = reply.error_for_status()?.text(REPLY_BYTES)?;
        Ok(match serde_json::from_str::<Begun>(&text) {
            Ok(begun) => Reaction::Job(begun.process.to_string()),
            Err(_) => Reaction::NotUnderstood(text),
        })
    }

    fn poll(&mut self, http: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        jobs.list().iter().map(|job| self.ask(http, job)).collect()
    }

    fn doubt(&mut self, _: &Http, _: &Unit, _: u64) -> Result<Doubt, Error> {
        Ok(if self.options.update_existing {
            Doubt::SendAgain
        } else {
            Doubt::Unknown("what Brevo does with them a second time is not documented".to_owned())
        })
    }
}

impl Import<'_> {
    fn ask(&mut self, http: &Http, job: &InFlight) -> Result<Progress, Error> {
        let reply = self.client.get(http, &format!("/processes/{}", job.job)).refused_once().send()?;
        match reply.status() {
            404 => return Ok(Progress::Lost),
            429 => return self.running(job),
            _ => {}
        }
        let text = reply.error_for_status()?.text(REPLY_BYTES)?;
        match serde_json::from_str::<Process>(&text) {
            Ok(process) if process.status == "completed" => {
                Ok(Progress::Done(self.completed(job, process.lists())))
            }
            Ok(process) if ["queued", "in_process", "processing"].contains(&process.status.as_str()) => {
                self.running(job)
            }
            // `failed` and `cancelled`, too: what became of the rows until then, no page says.
            _ => Ok(Progress::NotUnderstood(text)),
        }
    }

    /// Not done, unless that has been the answer for too long.
    fn running(&self, job: &InFlight) -> Result<Progress, Error> {
        let minutes = self.clock.now_ms().saturating_sub(job.at_ms) / 60_000;
        if minutes < self.options.wait_minutes {
            return Ok(Progress::Running);
        }
        let message =
            format!("import {} is not done after {minutes} minutes; run again to ask for it", job.job);
        Err(Error::transient("brevo.slow", message))
    }

    /// Rows are confirmed only where Brevo says that there is nothing about any of them.
    fn completed(&mut self, job: &InFlight, lists: Option<Vec<&str>>) -> UnitOutcome {
        let answer = json!({ "process": job.job, "status": "completed", "lists": lists });
        let about = match lists {
            Some(lists) if lists.is_empty() => return UnitOutcome::all(Fates::Confirmed, answer),
            Some(lists) => {
                format!("it has lists of rows that were not taken as they are: {}", lists.join(", "))
            }
            None => "it does not say whether all rows were taken".to_owned(),
        };
        self.warnings
            .push(format!("import {} of {} rows is done, but {about}; see Brevo", job.job, job.rows));
        UnitOutcome::all(Fates::Accepted, answer)
    }
}
