//! Jobs: taken at once, done later, kept a day.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    account::Account,
    calls::{Row, not_found},
    checks::Refused,
    settings::CreateFailures,
};
use crate::{
    clock,
    faults::{Fault, Faults},
    message::Reply,
};

/// What a job does with its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// `users/create_or_update_many`
    Upsert,
    /// `users/create_many`
    Create,
    /// `users/update_many`
    Update,
    /// `organizations/create_many`
    Organizations,
}

/// A job as taken.
#[derive(Clone, Debug)]
pub struct Job {
    /// `V3-` and 32 digits.
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// How many rows it was given.
    pub total: usize,
    /// `queued`, `working`, `completed` or `failed`.
    pub status: &'static str,
    /// One entry for every row, once it is done, whatever is shown of them.
    pub results: Vec<Value>,
    /// Whether it answers 404 for good (a fault).
    pub is_lost: bool,
    rows: Vec<Row>,
    taken: Instant,
    done: Option<String>,
    is_late: bool,
    is_short: bool,
}

impl Account {
    /// Takes a job, unless too many are under way.
    pub(crate) fn start_job(
        &mut self,
        kind: JobKind,
        rows: Vec<Row>,
        base: &str,
        faults: &Faults,
        line: &str,
    ) -> Result<Reply, Reply> {
        let running: Vec<String> =
            self.jobs.values().filter(|job| job.done.is_none()).map(|job| job.id.clone()).collect();
        let most = self.settings.jobs_at_a_time;
        if running.len() >= most {
            let description =
                "Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later.";
            let body =
                json!({ "error": "TooManyJobs", "description": description, "current_job_ids": running });
            return Err(Reply::json(self.settings.too_many_jobs_status, &body));
        }
        let struck = faults.strike(&[Fault::JobLost, Fault::JobLate, Fault::ShortResults], line);
        let job = Job {
            id: format!("V3-{:032x}", fastrand::u128(..)),
            kind,
            total: rows.len(),
            status: "queued",
            results: Vec::new(),
            is_lost: struck == Some(Fault::JobLost),
            rows,
            taken: Instant::now(),
            done: None,
            is_late: struck == Some(Fault::JobLate),
            is_short: struck == Some(Fault::ShortResults),
        };
        let under_way = running.len() + 1;
        self.most_jobs_at_a_time = self.most_jobs_at_a_time.max(under_way);
        let inflight = format!("total={most}; remaining={}; resets=60", most - under_way);
        let reply = Reply::json(200, &json!({ "job_status": job.shown(base, self.settings.job_time) }));
        self.jobs.insert(job.id.clone(), job);
        Ok(reply.with("zendesk-ratelimit-inflight-jobs", inflight))
    }

    /// Does the jobs whose time is up, in the order in which they were taken.
    pub(crate) fn run_due_jobs(&mut self) {
        let time = self.settings.job_time;
        let is_due = |job: &&Job| job.done.is_none() && job.taken.elapsed() >= time;
        let mut due: Vec<(Instant, String)> =
            self.jobs.values().filter(is_due).map(|job| (job.taken, job.id.clone())).collect();
        due.sort();
        for (_, id) in due {
            let job = &self.jobs[&id];
            let (kind, rows) = (job.kind, job.rows.clone());
            let outcomes: Vec<Value> =
                rows.iter().enumerate().map(|(at, row)| self.outcome(kind, row, at, &id)).collect();
            let has_failed = outcomes.iter().any(|o| o.get("error").is_some());
            let tells_failure = kind != JobKind::Upsert
                && self.settings.create_failures == CreateFailures::IndexedInFailedJob;
            let job = self.jobs.get_mut(&id).expect("it was just there");
            job.results = outcomes;
            job.rows = Vec::new();
            job.status = if has_failed && tells_failure { "failed" } else { "completed" };
            job.done = Some(format!("Completed at {}", clock::written("%Y-%m-%d %H:%M:%S +0000")));
        }
    }

    fn outcome(&mut self, kind: JobKind, row: &Row, at: usize, job: &str) -> Value {
        let outcome = match kind {
            JobKind::Upsert => self.upsert(row, job).map(|(id, created)| {
                let status = if created { "Created" } else { "Updated" };
                json!({ "id": id, "status": status, "email": self.users[&id].emails.first() })
            }),
            JobKind::Create => self.create(row, job).map(|id| json!({ "id": id, "status": "Created" })),
            JobKind::Update => self
                .update(row, job)
                .map(|id| json!({ "id": id, "action": "update", "status": "Updated", "success": true })),
            JobKind::Organizations => {
                self.create_organization(row).map(|id| json!({ "id": id, "status": "Created" }))
            }
        };
        outcome.unwrap_or_else(|refused| self.failed(kind, &refused, at))
    }

    fn failed(&self, kind: JobKind, refused: &Refused, at: usize) -> Value {
        let (position, details) = (at + self.settings.position_base, refused.details());
        // Only the error of upserts is recorded; the other is the name of what fails a single user.
        let error = if kind == JobKind::Upsert { "UserUpdateError" } else { "RecordInvalid" };
        match (kind, self.settings.create_failures) {
            (JobKind::Upsert, _) | (_, CreateFailures::PositionedInCompletedJob) => {
                json!({ "id": position, "error": error, "details": details, "status": "Failed" })
            }
            _ => json!({ "index": position, "error": error, "details": details }),
        }
    }

    pub(crate) fn show_job(
        &mut self,
        id: &str,
        base: &str,
        faults: &Faults,
        line: &str,
    ) -> Result<Reply, Reply> {
        let (kept, time) = (self.kept(), self.settings.job_time);
        let job = self.jobs.get_mut(id).ok_or_else(not_found)?;
        if faults.strike(&[Fault::JobLost], line).is_some() {
            job.is_lost = true;
        }
        if std::mem::take(&mut job.is_late) || job.is_lost || job.taken.elapsed() > kept {
            return Err(not_found());
        }
        Ok(Reply::json(200, &json!({ "job_status": job.shown(base, time) })))
    }

    /// Those of a list, else all; jobs that are not there are left out.
    pub(crate) fn show_jobs(&mut self, ids: Option<&str>, base: &str) -> Reply {
        let (kept, time) = (self.kept(), self.settings.job_time);
        let ids: Vec<String> = match ids {
            Some(ids) => ids.split(',').map(|id| id.trim().to_owned()).collect(),
            None => self.jobs.keys().cloned().collect(),
        };
        let mut shown = Vec::new();
        for id in ids {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            if !std::mem::take(&mut job.is_late) && !job.is_lost && job.taken.elapsed() <= kept {
                shown.push(job.shown(base, time));
            }
        }
        Reply::json(200, &json!({ "job_statuses": shown }))
    }

    fn kept(&self) -> Duration {
        clock::scaled(Duration::from_secs(24 * 60 * 60), self.settings.speed)
    }
}

impl Job {
    fn shown(&self, base: &str, time: Duration) -> Value {
        let mut job = json!({
            "id": self.id,
            "url": format!("{base}/api/v2/job_statuses/{}.json", self.id),
            "total": self.total,
            "progress": null,
            "status": "queued",
            "message": null,
            "results": null,
        });
        if let Some(message) = &self.done {
            job["status"] = json!(self.status);
            job["progress"] = json!(self.total);
            job["message"] = json!(message);
            let shown = if self.is_short { self.results.len() / 2 } else { self.results.len() };
            job["results"] = json!(self.results[..shown]);
            return job;
        }
        let share = self.taken.elapsed().as_secs_f64() / time.as_secs_f64().max(f64::MIN_POSITIVE);
        if share >= 0.25 {
            let progress = ((self.total as f64 * share) as usize).min(self.total);
            job["status"] = json!("working");
            job["progress"] = json!(progress);
            job["message"] = json!(format!("Creating User #{progress}"));
        }
        job
    }
}
