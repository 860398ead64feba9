//! Imports of which it is not known whether they arrived: they are looked for among the activities (EVAN: before an import
//! is sent again; OAS: those of ten days are listed).

use usher_sdk::{
    abi::Error,
    outbox::{Doubt, Unit},
};

use crate::{
    activity::{Activity, State},
    api,
    delivery::{Delivery, MISSING},
};

/// Between the clock here and that of the vendor, in milliseconds. What an earlier run sent must not be taken for this
/// one's, so it is small: an import that is overlooked is sent again, which does no harm.
const SKEW_MS: u64 = 10_000;
/// So many contacts are imported by nobody else at the same time; programs beside this one do import single ones. Fewer are
/// sent again.
const MANY: u64 = 100;
/// Pages of 500 that are looked at.
const PAGES: usize = 20;

impl Delivery<'_> {
    /// An import of CSV is known by its file's name, which every run of the same contacts has: it must be of now.
    pub(crate) fn look_for_file(&mut self, unit: &Unit, at_ms: u64) -> Result<Doubt, Error> {
        let name = api::file_name(&unit.id);
        let (found, _) =
            self.candidates(at_ms, |activity| activity.source_file_name.as_deref() == Some(&name))?;
        match found.into_iter().next() {
            Some(activity) => self.taken_for(unit, activity.activity_id),
            None => Ok(Doubt::SendAgain),
        }
    }

    /// An import of JSON has no name. It is the one that was noted for the unit, or the only one of so many contacts that
    /// no other unit has; where there are several, or the contacts are few, they are sent again: that changes nothing (OAS: existing ones
    /// are updated by what is sent).
    pub(crate) fn look_for_rows(&mut self, unit: &Unit, at_ms: u64) -> Result<Doubt, Error> {
        let rows = unit.rows;
        let is_alike = |activity: &Activity| activity.source_file_name.is_none() && activity.is_of(rows);
        let (found, is_whole) = self.candidates(at_ms, is_alike)?;
        let mut free = Vec::new();
        for activity in found {
            match self.owner(&activity.activity_id)? {
                Some(owner) if owner == unit.id.as_bytes() => return Ok(Doubt::Job(activity.activity_id)),
                Some(_) => {}
                None => free.push(activity.activity_id),
            }
        }
        match (free.pop(), free.is_empty() && is_whole && rows >= MANY) {
            (Some(id), true) => self.taken_for(unit, id),
            _ => Ok(Doubt::SendAgain),
        }
    }

    /// Imports since then that may be meant, and whether all activities were seen.
    fn candidates(
        &mut self,
        at_ms: u64,
        is_alike: impl Fn(&Activity) -> bool,
    ) -> Result<(Vec<Activity>, bool), Error> {
        let since = at_ms.saturating_sub(SKEW_MS);
        let missing = self.missing.clone();
        let is_ours = |activity: &Activity| {
            is_alike(activity)
                && activity.created_ms().is_some_and(|at| at >= since)
                && !matches!(activity.state(), State::GivenUp | State::Cancelled)
                && api::is_id(&activity.activity_id)
                && missing.get(&activity.activity_id).is_none_or(|times| *times < MISSING)
        };
        let mut found = Vec::new();
        let call = "looking for an import that may have arrived";
        let query = [("limit", "500")];
        let is_whole = self.client.scan(call, api::ACTIVITIES, &query, "activities", PAGES, |page| {
            found.extend(page.into_iter().filter(is_ours));
            false
        })?;
        Ok((found, is_whole))
    }

    fn taken_for(&mut self, unit: &Unit, id: String) -> Result<Doubt, Error> {
        self.own(&id, unit)?;
        Ok(Doubt::Job(id))
    }

    /// Notes whose an activity is, for whoever goes on with the run.
    pub(crate) fn own(&self, activity: &str, unit: &Unit) -> Result<(), Error> {
        self.ledger.note(&self.account.id, &key(activity), unit.id.as_bytes())
    }

    fn owner(&self, activity: &str) -> Result<Option<Vec<u8>>, Error> {
        self.ledger.find(&self.account.id, &key(activity))
    }
}

fn key(activity: &str) -> Vec<u8> {
    format!("activity {activity}").into_bytes()
}
