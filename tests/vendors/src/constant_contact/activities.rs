//! Activities: taken at once, done later, told by counters.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    account::{Account, uuid},
    errors::{invalid, not_found, refused},
    import::Row,
    library::{body, page},
};
use crate::{
    clock,
    faults::{Fault, Faults},
    message::{Asked, Reply},
};

/// What an activity does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Rows of a file or of JSON, onto lists.
    Import {
        /// Ids of lists.
        lists: Vec<String>,
    },
    /// Tags for contacts.
    Tag {
        /// Ids of tags.
        tags: Vec<String>,
        /// Ids of contacts.
        contacts: Vec<String>,
        /// Everybody on these lists.
        lists: Vec<String>,
        /// Everybody with these tags.
        tagged: Vec<String>,
        /// Everybody.
        all: bool,
    },
}

/// An activity as taken.
#[derive(Clone, Debug)]
pub struct Activity {
    /// The vendor's id.
    pub id: String,
    /// What it does.
    pub work: Work,
    /// The name of the file, where there was one.
    pub source_file_name: Option<String>,
    /// How it ends, or has ended.
    pub ending: &'static str,
    /// Rows, the header of a file included.
    pub items_total: usize,
    /// Contacts among them.
    pub persons: usize,
    /// Errors that nobody can fix.
    pub errors: usize,
    /// Errors that somebody can fix in the interface.
    pub correctable: usize,
    /// People who had unsubscribed, and stay so.
    pub cannot_add: usize,
    /// Errors in words.
    pub messages: Vec<String>,
    /// Rows beyond 4 MB or 40,000 lines, of which no reply speaks.
    pub dropped: usize,
    /// Whether it answers 404 for good (a fault).
    pub is_lost: bool,
    pub(crate) rows: Vec<Row>,
    is_import: bool,
    is_late: bool,
    taken: Instant,
    made: String,
    over: Option<String>,
}

impl Activity {
    /// Whether it has come to its end.
    pub fn is_over(&self) -> bool {
        self.over.is_some()
    }
}

impl Account {
    /// Takes work on, unless too much is queued.
    pub(crate) fn start(
        &mut self,
        work: Work,
        rows: Vec<Row>,
        file: Option<String>,
        dropped: usize,
        faults: &Faults,
        line: &str,
    ) -> Result<Reply, Reply> {
        if self.activities.iter().filter(|activity| !activity.is_over()).count() >= self.settings.most_queued
        {
            return Err(refused(429, "too_many_activities", "you exceeded 1,000 queued activities"));
        }
        let struck = faults.strike(&[Fault::JobLost, Fault::JobLate], line);
        let is_import = matches!(work, Work::Import { .. });
        let activity = Activity {
            id: uuid(),
            work,
            ending: self.settings.endings.pop_front().unwrap_or("completed"),
            items_total: rows.len() + usize::from(file.is_some()),
            persons: rows.len(),
            source_file_name: file,
            errors: 0,
            correctable: 0,
            cannot_add: 0,
            messages: Vec::new(),
            dropped,
            is_lost: struck == Some(Fault::JobLost),
            rows,
            is_import,
            is_late: struck == Some(Fault::JobLate),
            taken: Instant::now(),
            made: clock::now_text(),
            over: None,
        };
        let reply = Reply::json(201, &self.shown(&activity, false));
        self.activities.push(activity);
        Ok(reply)
    }

    /// Does what has taken its time, in the order in which it was taken.
    pub(crate) fn run_due_activities(&mut self) {
        for at in 0..self.activities.len() {
            let activity = &mut self.activities[at];
            if activity.is_over() || activity.taken.elapsed() < self.settings.activity_time {
                continue;
            }
            activity.over = Some(clock::now_text());
            let (rows, work, id) =
                (std::mem::take(&mut activity.rows), activity.work.clone(), activity.id.clone());
            if activity.ending != "completed" {
                continue;
            }
            match work {
                Work::Import { lists } => {
                    let has_header = activity.source_file_name.is_some();
                    let tally = self.take_rows(rows, &lists, &id, has_header);
                    let activity = &mut self.activities[at];
                    (activity.errors, activity.correctable) = (tally.errors, tally.correctable);
                    (activity.cannot_add, activity.messages) = (tally.cannot_add, tally.messages);
                }
                Work::Tag { tags, contacts, lists, tagged, all } => {
                    let count = self.tag_contacts(&tags, |contact| {
                        all || contacts.contains(&contact.contact_id)
                            || lists.iter().any(|list| contact.lists.contains(list))
                            || tagged.iter().any(|tag| contact.tags.contains(tag))
                    });
                    self.activities[at].items_total = count;
                }
            }
        }
    }

    fn tag_contacts(&mut self, tags: &[String], is_meant: impl Fn(&super::Contact) -> bool) -> usize {
        let mut count = 0;
        for contact in self.contacts.values_mut() {
            if is_meant(contact) {
                contact.tags.extend(tags.iter().cloned());
                count += 1;
            }
        }
        count
    }

    /// As the reply to the request that made it, which has no generic counters, or as asked for later.
    fn shown(&self, activity: &Activity, has_all_counters: bool) -> Value {
        let share =
            activity.taken.elapsed().as_secs_f64() / self.settings.activity_time.as_secs_f64().max(1e-9);
        let state = match &activity.over {
            Some(_) => activity.ending,
            None if share < 0.25 => "initialized",
            None => "processing",
        };
        let mut shown = json!({
            "activity_id": activity.id,
            "state": state,
            "created_at": activity.made,
            "updated_at": clock::now_text(),
            "activity_errors": activity.messages,
            "_links": { "self": { "href": format!("/v3/activities/{}", activity.id) } },
        });
        if state == "processing" {
            shown["percent_done"] = json!((share * 100.0).min(99.0) as u64);
        }
        if state != "initialized" {
            shown["started_at"] = json!(activity.made);
        }
        if let Some(over) = &activity.over {
            shown["completed_at"] = json!(over);
            shown["percent_done"] = json!(100);
        }
        if let Some(name) = &activity.source_file_name {
            shown["source_file_name"] = json!(name);
        }
        let completed = if activity.is_over() { activity.items_total } else { 0 };
        shown["status"] = json!({ "items_total_count": activity.items_total });
        if activity.is_import {
            shown["status"]["person_count"] = json!(activity.persons);
            shown["status"]["error_count"] = json!(activity.errors);
            shown["status"]["correctable_count"] = json!(activity.correctable);
            shown["status"]["cannot_add_to_list_count"] = json!(activity.cannot_add);
        }
        if has_all_counters || !activity.is_import {
            shown["status"]["items_completed_count"] = json!(completed);
        }
        if has_all_counters {
            shown["status"]["list_count"] = json!(0);
        }
        shown
    }

    pub(crate) fn show_activity(&mut self, id: &str, faults: &Faults, line: &str) -> Result<Reply, Reply> {
        let at = self.activities.iter().position(|activity| activity.id == id).ok_or_else(not_found)?;
        let activity = &mut self.activities[at];
        if faults.strike(&[Fault::JobLost], line).is_some() {
            activity.is_lost = true;
        }
        if std::mem::take(&mut activity.is_late) || activity.is_lost {
            return Err(not_found());
        }
        Ok(Reply::json(200, &self.shown(&self.activities[at], true)))
    }

    /// The newest first; the order is unverified.
    pub(crate) fn show_activities(&self, asked: &Asked) -> Result<Reply, Reply> {
        let state = asked.parameter("state");
        let all = self.activities.iter().rev().filter(|activity| !activity.is_lost);
        let all = all.map(|activity| self.shown(activity, true));
        let all: Vec<Value> = all.filter(|shown| state.is_none_or(|state| shown["state"] == state)).collect();
        Ok(Reply::json(200, &page(asked, "activities", &all, 500)?))
    }

    pub(crate) fn start_tagging(&mut self, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
        let body = body(asked)?;
        let ids = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let source = body.get("source").cloned().unwrap_or_default();
        let tags = body.get("tag_ids").map(ids).unwrap_or_default();
        let (contacts, lists, tagged) =
            (ids(&source["contact_ids"]), ids(&source["list_ids"]), ids(&source["tag_ids"]));
        let all = source["all_active_contacts"] == json!(true);
        if tags.is_empty() || tags.len() > 50 || lists.len() > 50 || contacts.len() > 500 {
            return Err(invalid("tag_ids are 1 to 50, list_ids up to 50, contact_ids up to 500"));
        }
        if !all && contacts.is_empty() && lists.is_empty() && tagged.is_empty() {
            return Err(invalid("source is missing"));
        }
        let knows = |all: &[super::Named], id: &String| all.iter().any(|named| named.id == *id);
        let is_known =
            tags.iter().all(|id| knows(&self.tags, id)) && lists.iter().all(|id| knows(&self.lists, id));
        if !is_known {
            return Err(not_found());
        }
        let work = Work::Tag { tags, contacts, lists, tagged, all };
        self.start(work, Vec::new(), None, 0, faults, &asked.line())
    }
}
