//! Imports of which it is not known whether they arrived: they are looked for among the activities (EVAN: before an import
//! is sent again; OAS: those of ten days are listed). Only those of CSV can be: they are known by their file's name. What an
//! import of JSON holds, no activity says, and one of as many contacts may be another unit's; it is sent again, which changes
//! nothing (OAS: existing contacts are updated by what is sent).

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
/// Pages of 500 that are looked at.
const PAGES: usize = 20;

impl Delivery<'_> {
    /// An import of CSV is known by its file's name, which every run of the same contacts has: it must be of now.
    pub(crate) fn look_for_file(&mut self, unit: &Unit, at_ms: u64) -> Result<Doubt, Error> {
        let name = api::file_name(&unit.id);
        let since = at_ms.saturating_sub(SKEW_MS);
        let missing = self.missing.clone();
        let is_ours = |activity: &Activity| {
            activity.source_file_name.as_deref() == Some(&name)
                && activity.created_ms().is_some_and(|at| at >= since)
                && !matches!(activity.state(), State::GivenUp | State::Cancelled)
                && api::is_id(&activity.activity_id)
                && missing.get(&activity.activity_id).is_none_or(|times| *times < MISSING)
        };
        let mut found = None;
        let call = "looking for an import that may have arrived";
        let query = [("limit", "500")];
        self.client.scan(call, api::ACTIVITIES, &query, "activities", PAGES, |page: Vec<Activity>| {
            found = page.into_iter().find(is_ours);
            found.is_some()
        })?;
        Ok(found.map_or(Doubt::SendAgain, |activity| Doubt::Job(activity.activity_id)))
    }
}
