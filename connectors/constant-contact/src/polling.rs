//! How far imports are, and what became of those that have ended.

use std::collections::HashSet;

use serde_json::Value;
use usher_sdk::{
    abi::{Error, ErrorClass},
    outbox::{InFlight, Jobs, Progress},
};

use crate::{
    activity::{Activity, State, Told, activity},
    api,
    delivery::{Delivery, MISSING},
    refusals::refused,
};

/// How long an import may take, in milliseconds. The vendor lists activities of ten days (OAS).
pub(crate) const LONGEST_MS: u64 = 86_400_000;

/// Between two questions for activities, in milliseconds: soon at first, and minutes in the end, since a day has 10,000 requests.
pub(crate) fn wait_ms(asked: u32) -> u64 {
    (250u64 << asked.min(9)).min(120_000)
}

impl Delivery<'_> {
    /// One request says of all imports which are not done; those that have ended are asked for one by one.
    pub(crate) fn ask_for(&mut self, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let list = jobs.list().to_vec();
        let running = if list.len() > 1 { self.running()? } else { HashSet::new() };
        let now = self.client.clock.now_ms();
        let mut answers = Vec::with_capacity(list.len());
        for job in &list {
            let is_young = now.saturating_sub(job.at_ms) <= LONGEST_MS;
            let answer = if is_young && running.contains(&job.job) {
                Progress::Running
            } else {
                self.progress(job, jobs)?
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The ids of activities on the first page that are listed as not done. What cannot be read is asked for by itself.
    fn running(&mut self) -> Result<HashSet<String>, Error> {
        let url = self.client.url(api::ACTIVITIES);
        let text = self.client.text("asking how far imports are", &url, &[("limit", "500")])?;
        let listed = api::page::<Value>(&text, "activities")?.items;
        let listed = listed.into_iter().filter_map(|one| serde_json::from_value::<Activity>(one).ok());
        Ok(listed.filter(|one| one.state() == State::Running).map(|one| one.activity_id).collect())
    }

    /// How far one import is.
    fn progress(&mut self, job: &InFlight, jobs: &mut Jobs<'_>) -> Result<Progress, Error> {
        let id = job.job.as_str();
        let url = self.client.url(&format!("{}/{id}", api::ACTIVITIES));
        let call = "asking how far an import is";
        let text = match self.client.get(call, &url, &[])? {
            Ok(text) => text,
            // What was taken a moment ago may not be listed yet.
            Err(refusal) if refusal.status == 404 => {
                let times = self.missing.entry(id.to_owned()).or_default();
                *times += 1;
                return Ok(if *times < MISSING { Progress::Running } else { Progress::Lost });
            }
            Err(refusal) => return Err(refused(call, &refusal)),
        };
        let Ok(activity) = activity(&text) else { return Ok(self.not_understood(&text)) };
        match activity.state() {
            State::Running if self.client.clock.now_ms().saturating_sub(job.at_ms) > LONGEST_MS => {
                let message = format!(
                    "the import {id} was not done within a day; see it in Constant Contact, and run the same command again"
                );
                Err(Error::new(ErrorClass::TIMEOUT, "import.timeout", message))
            }
            State::Running => Ok(Progress::Running),
            State::Completed => {
                let Told { mut outcome, warnings, open } = activity.outcome(job.rows, self.first_line);
                self.warnings.extend(warnings);
                if let Some(open) = open {
                    let unit = jobs.unit(job.unit)?;
                    self.find_out(&activity, job.at_ms, &open, &unit, &mut outcome)?;
                }
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
            State::Cancelled => self.cancelled(&activity),
            State::Other => Ok(self.not_understood(&text)),
        }
    }

    fn not_understood(&self, text: &str) -> Progress {
        Progress::NotUnderstood(self.client.tokens.without_secrets(text))
    }

    /// Somebody did not want this import: it is told, and only whoever runs the command again sends its contacts again.
    fn cancelled(&mut self, activity: &Activity) -> Result<Progress, Error> {
        let id = &activity.activity_id;
        let (account, key) = (self.account.id.clone(), format!("cancelled {id}").into_bytes());
        if self.ledger.find(&account, &key)?.is_some() {
            self.warnings.push(format!("import {id} was cancelled; its contacts are sent again"));
            return Ok(Progress::Lost);
        }
        self.ledger.note(&account, &key, b"told")?;
        let message = format!(
            "the import {id} was cancelled in Constant Contact{}; what it had done by then is not known, so nothing more is \
             sent; see it there, and run the same command again if its contacts are to be sent after all",
            activity.why()
        );
        Err(Error::permanent("import.cancelled", message))
    }
}
