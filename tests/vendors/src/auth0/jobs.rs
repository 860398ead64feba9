//! Export jobs: ordered, asked for, forgotten after a day.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{account::Account, calls::refused};
use crate::{
    clock,
    faults::{Fault, Faults},
    message::{Asked, Reply},
};

/// A field of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The path in the profile.
    pub name: String,
    /// What it is called in the file.
    pub export_as: Option<String>,
}

/// An export as ordered.
#[derive(Clone, Debug)]
pub struct Job {
    /// `job_` and sixteen letters and digits.
    pub id: String,
    /// `json` or `csv`.
    pub format: String,
    /// No more users than these.
    pub limit: Option<usize>,
    /// The connection whose users are asked for.
    pub connection_id: Option<String>,
    /// Fields, in their order; `None` leaves the choice to the vendor.
    pub fields: Option<Vec<Field>>,
    /// How often it was asked for.
    pub polls: u32,
    /// Links that were given out for its file, with when.
    pub(crate) links: Vec<(String, Instant)>,
    ordered: Map<String, Value>,
    created_at: String,
    made: Instant,
    is_lost: bool,
    is_late: bool,
}

/// Fields of a CSV.
const MOST_CSV_FIELDS: usize = 30;
/// What an order may hold.
const PROPERTIES: [&str; 4] = ["connection_id", "format", "limit", "fields"];

impl Account {
    pub(crate) fn order(&mut self, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
        let bad = |message: &str| refused(400, "Bad Request", message);
        let Some(Value::Object(order)) = asked.json() else { return Err(bad("the body is no JSON object")) };
        if let Some(name) = order.keys().find(|name| !PROPERTIES.contains(&name.as_str())) {
            return Err(bad(&format!("Payload validation error: additional property {name}")));
        }
        let format = order.get("format").map_or(Some("json"), Value::as_str).unwrap_or_default();
        if !["json", "csv"].contains(&format) {
            return Err(bad("Payload validation error: format is json or csv"));
        }
        let limit = match order.get("limit") {
            None => None,
            Some(limit) => {
                Some(limit.as_u64().filter(|limit| *limit > 0).ok_or_else(|| bad("limit is 1 or more"))?)
            }
        };
        let fields = match order.get("fields") {
            None => None,
            Some(fields) => Some(read_fields(fields).ok_or_else(|| bad("Payload validation error: fields"))?),
        };
        if format == "csv" && fields.as_ref().is_some_and(|fields| fields.len() > MOST_CSV_FIELDS) {
            return Err(bad("no more than 30 fields in a csv export"));
        }
        let connection_id = order.get("connection_id").map(|id| id.as_str().unwrap_or_default().to_owned());
        if let Some(id) = &connection_id
            && !self.settings.connections.iter().any(|(known, _)| known == id)
        {
            return Err(bad("The connection does not exist"));
        }
        let struck = faults.strike(&[Fault::JobLost, Fault::JobLate], &asked.line());
        let job = Job {
            id: format!("job_{:016x}", fastrand::u64(..)),
            format: format.to_owned(),
            limit: limit.map(|limit| limit as usize),
            connection_id,
            fields,
            polls: 0,
            links: Vec::new(),
            created_at: clock::written("%Y-%m-%dT%H:%M:%S.000Z"),
            made: Instant::now(),
            is_lost: struck == Some(Fault::JobLost),
            is_late: struck == Some(Fault::JobLate),
            ordered: order,
        };
        let mut shown = self.shown(&job);
        shown["status"] = json!("pending");
        self.jobs.push(job);
        Ok(Reply::json(200, &Value::Object(shown)))
    }

    fn shown(&self, job: &Job) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("type".to_owned(), json!("users_export"));
        shown.insert("status".to_owned(), json!(self.status(job)));
        shown.insert("format".to_owned(), json!(job.format));
        shown.extend(job.ordered.clone());
        let wanted = job.connection_id.as_deref();
        let mut connections = self.settings.connections.iter();
        let connection = connections.find(|(id, _)| wanted.is_none_or(|wanted| wanted == id));
        shown.insert(
            "connection".to_owned(),
            json!(connection.map(|(_, name)| name.as_str()).unwrap_or_default()),
        );
        shown.insert("created_at".to_owned(), json!(job.created_at));
        shown.insert("id".to_owned(), json!(job.id));
        shown
    }

    fn status(&self, job: &Job) -> &str {
        let (age, time) = (job.made.elapsed(), self.settings.job_time);
        if age >= time {
            return &self.settings.ending;
        }
        let share = age.as_secs_f64() / time.as_secs_f64();
        let at = (share * self.settings.statuses.len() as f64) as usize;
        self.settings.statuses.get(at).map_or("pending", String::as_str)
    }

    /// Where a job stands among those that are still kept.
    pub(crate) fn kept(&self, id: &str) -> Result<usize, Reply> {
        let day = clock::scaled(Duration::from_secs(24 * 60 * 60), self.settings.speed);
        let at = self.jobs.iter().position(|job| job.id == id && !job.is_lost && job.made.elapsed() < day);
        at.ok_or_else(|| refused(404, "Not Found", "The job does not exist"))
    }

    pub(crate) fn show_job(&mut self, id: &str, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
        let at = self.kept(id)?;
        self.jobs[at].polls += 1;
        if faults.strike(&[Fault::JobLost], &asked.line()).is_some() {
            self.jobs[at].is_lost = true;
        }
        if std::mem::take(&mut self.jobs[at].is_late) || self.jobs[at].is_lost {
            return Err(refused(404, "Not Found", "The job does not exist"));
        }
        let job = &self.jobs[at];
        let mut shown = self.shown(job);
        let (age, time) = (job.made.elapsed(), self.settings.job_time);
        if age >= time {
            self.ended(at, &mut shown, asked);
        } else if self.settings.tells_progress {
            let share = age.as_secs_f64() / time.as_secs_f64();
            shown.insert("percentage_done".to_owned(), json!((share * 100.0) as u64));
            shown.insert("time_left_seconds".to_owned(), json!((time - age).as_secs()));
        }
        Ok(Reply::json(200, &Value::Object(shown)))
    }

    /// A link of its own with every answer, or why there is none.
    fn ended(&mut self, at: usize, shown: &mut Map<String, Value>, asked: &Asked) {
        if self.settings.ending != "completed" {
            shown.insert("status_details".to_owned(), json!(self.settings.status_details));
            return;
        }
        let signature = format!("{:016x}", fastrand::u64(..));
        let scheme = if self.settings.links_have_scheme { "http://" } else { "" };
        let host = asked.header("host").unwrap_or_default();
        let job = &mut self.jobs[at];
        let packed = if self.settings.packs { ".gz" } else { "" };
        let file = format!("{}/{}.{}{packed}", job.id, self.settings.tenant, job.format);
        let expires = clock::epoch_in(self.settings.link_lives);
        let location =
            format!("{scheme}{host}/files/{file}?Expires={expires}&Key-Pair-Id=KEY&Signature={signature}");
        job.links.push((signature, Instant::now()));
        shown.insert("location".to_owned(), json!(location));
    }

    /// Exports have none.
    pub(crate) fn job_errors(&self, id: &str) -> Result<Reply, Reply> {
        self.kept(id).map(|_| Reply { status: 204, ..Reply::default() })
    }
}

fn read_fields(fields: &Value) -> Option<Vec<Field>> {
    let field = |field: &Value| {
        let field = field.as_object()?;
        let is_known = field.keys().all(|key| key == "name" || key == "export_as");
        let fits = |text: &&str| (1..=100).contains(&text.chars().count());
        let name = field.get("name").and_then(Value::as_str).filter(fits).filter(|_| is_known)?;
        let export_as = match field.get("export_as") {
            None => None,
            Some(text) => Some(text.as_str().filter(fits)?.to_owned()),
        };
        Some(Field { name: name.to_owned(), export_as })
    };
    fields.as_array()?.iter().map(field).collect()
}
