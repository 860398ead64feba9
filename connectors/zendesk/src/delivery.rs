//! Units on their way to Zendesk: each becomes a job, whose results say what became of the rows.

use std::collections::{BTreeMap, BTreeSet};

use usher_sdk::{
    Clock, Host, Http, Reply,
    abi::{Error, ErrorClass},
    outbox::{Destination, Doubt, InFlight, Jobs, Progress, Reaction, Step, Unit},
    words::counted,
};

use crate::{
    api::{self, Job, Load},
    client::{Answer, Client},
    limits::{self, FULL_MS, JOB_APPEARS_MS, JOB_MS, JOBS, LATER_MS},
    options::ImportType,
    refusals::Call,
    results::progress,
};

/// Zendesk, as an outbox sees it.
#[derive(Debug)]
pub(crate) struct Sending {
    client: Client,
    clock: Clock,
    load: Load,
    /// Zendesk has taken a unit, so that it will take others.
    taken: bool,
    /// Since when the account has been full of jobs.
    full_since_ms: Option<u64>,
    /// Since when each job has been waited for, by this run.
    asked_since_ms: BTreeMap<String, u64>,
    /// Units that may have arrived twice.
    again: BTreeSet<u64>,
    /// When this attempt began.
    began_ms: u64,
    /// Rows of which results say nothing.
    unclear: u64,
}

impl Sending {
    pub(crate) fn new(host: &Host, client: &Client, load: Load) -> Result<Self, Error> {
        let clock = host.clock()?;
        Ok(Self {
            client: client.clone(),
            began_ms: clock.now_ms(),
            clock,
            load,
            taken: false,
            full_since_ms: None,
            asked_since_ms: BTreeMap::new(),
            again: BTreeSet::new(),
            unclear: 0,
        })
    }

    /// What a person should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.unclear > 0 {
            warnings.push(format!(
                "of {} Zendesk's results say nothing, so what became of them is not known{}",
                counted(self.unclear, "row", "rows"),
                if self.load.may_be_sent_again() {
                    "; run again, which sends their requests again"
                } else {
                    ""
                }
            ));
        }
        if !self.again.is_empty() && matches!(self.load, Load::Users(ImportType::Create)) {
            warnings.push(format!(
                "sent again, since it is not known whether the first attempt arrived: {}; a row that Zendesk refuses as a \
                 duplicate may be a user whom that attempt has created",
                counted(self.again.len() as u64, "request that creates", "requests that create")
            ));
        }
        warnings
    }

    fn too_many_jobs(&mut self, answer: &Answer) -> Result<Reaction, Error> {
        let now = self.clock.now_ms();
        let since = *self.full_since_ms.get_or_insert(now);
        if now.saturating_sub(since) >= FULL_MS {
            let message = format!(
                "sending: Zendesk has had no room for another job for {} minutes: others fill the {JOBS} that an account may \
                 have; wait until they are done, and run again",
                FULL_MS / 60_000
            );
            let error = Error::new(ErrorClass::RATE_LIMITED, "api.too-many-jobs", message);
            return Ok(Reaction::Refused(error));
        }
        Ok(Reaction::Later(answer.retry_after_ms.or(answer.jobs_reset_ms).unwrap_or(LATER_MS)))
    }

    /// What is known of a job from the reply that shows it.
    fn judge(&mut self, job: &Job, flight: &InFlight) -> Result<Progress, Error> {
        let progress = match progress(job, flight.rows, self.load) {
            Progress::NotUnderstood(text) => Progress::NotUnderstood(self.client.api.without_secrets(&text)),
            other => other,
        };
        if !matches!(progress, Progress::Running) {
            self.asked_since_ms.remove(&job.id);
            return Ok(self.settled(progress, flight));
        }
        let now = self.clock.now_ms();
        let since = *self.asked_since_ms.entry(job.id.clone()).or_insert(now);
        if now.saturating_sub(since) < JOB_MS {
            return Ok(Progress::Running);
        }
        let message = format!(
            "job {} is still `{}` after {} hours; run again later, which asks for it where it is",
            job.id,
            job.status,
            JOB_MS / 3_600_000
        );
        Err(Error::new(ErrorClass::TRANSIENT, "api.timeout", message))
    }

    /// A job of an earlier attempt that does not say what became of every row will never do so: it is as good as lost,
    /// where its rows may be sent again.
    fn settled(&mut self, progress: Progress, flight: &InFlight) -> Progress {
        let unclear = match &progress {
            Progress::Done(outcome) => outcome.unknown.len() as u64,
            Progress::NotUnderstood(_) => flight.rows,
            _ => return progress,
        };
        if unclear > 0 && self.load.may_be_sent_again() && flight.at_ms < self.began_ms {
            return Progress::Lost;
        }
        if matches!(progress, Progress::Done(_)) {
            self.unclear += unclear;
        }
        progress
    }

    /// A job that the account does not know: not yet, or not any more.
    fn unknown(&self, flight: &InFlight) -> Progress {
        let age = self.clock.now_ms().saturating_sub(flight.at_ms);
        if age < JOB_APPEARS_MS { Progress::Running } else { Progress::Lost }
    }

    fn ask_one(&mut self, flight: &InFlight) -> Result<Progress, Error> {
        let answer = self.client.ask(&api::job_path(&flight.job))?;
        if answer.status == 404 {
            return Ok(self.unknown(flight));
        }
        if !answer.is_success() {
            return Err(self.client.refusal(Call::Jobs, &answer));
        }
        match Job::one(&answer.text).filter(|job| job.id == flight.job) {
            Some(job) => self.judge(&job, flight),
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
        Ok(self.client.load(self.load, unit).into())
    }

    fn sent(&mut self, _: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let answer = Answer::of(reply)?;
        // Its status is not documented.
        if api::error_name(&answer.text).as_deref() == Some("TooManyJobs") {
            return self.too_many_jobs(&answer);
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
        let error = self.client.refusal(Call::Send, &answer);
        match answer.status {
            // Whatever stands before Zendesk may have passed it on.
            408 | 500..=599 => Err(error),
            400..=499 => Ok(Reaction::Refused(error)),
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
        let Some(known) = known else {
            return list.iter().map(|flight| self.ask_one(flight)).collect();
        };
        let by_id: BTreeMap<&str, &Job> = known.iter().map(|job| (job.id.as_str(), job)).collect();
        list.iter()
            .map(|flight| match by_id.get(flight.job.as_str()) {
                Some(job) => self.judge(job, flight),
                None => Ok(self.unknown(flight)),
            })
            .collect()
    }

    /// An upsert and an update do no harm twice. What creates does none either, since Zendesk refuses keys that it has;
    /// but then it is not known who has created them, and [`warnings`](Self::warnings) says so.
    fn doubt(&mut self, _: &Http, unit: &Unit, _: u64) -> Result<Doubt, Error> {
        self.again.insert(unit.number);
        Ok(Doubt::SendAgain)
    }
}
