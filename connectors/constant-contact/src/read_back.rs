//! Contacts read back from the account, where a completed import does not say which of them it did not take.
//!
//! Its answer stays the same however often it is asked for, so the account is asked instead (`OAS`: `GET /contacts`): for
//! everybody who was updated since the import was made, 500 in a request, and then one by one for those who are not among
//! them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;
use usher_sdk::{
    abi::{Error, ErrorClass},
    outbox::{Fates, RowReject, Unit, UnitOutcome},
    words::counted,
};

use crate::{
    activity::{Activity, Open},
    api,
    delivery::Delivery,
    keys,
    person::Person,
    sign_up::unsubscribed,
};

/// Requests for one unit: pages of 500 contacts, and single contacts.
const PAGES: usize = 200;
const SINGLE: usize = 500;
/// Contacts that a person can look at one by one.
const FEW: u64 = 100;
/// When more are missing than the import says, they may not be shown yet: how long until they are asked for again.
const SHOWN_MS: u64 = 30_000;

/// What was seen of a row's contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// On the lists, and updated since.
    There,
    /// On the lists, but not updated since, as far as that is said: it may have been there before.
    Before,
    /// Not there, or not on the lists.
    Away,
    /// It has unsubscribed.
    Unsubscribed,
    /// It was not asked for: there are too many, or it has no address.
    NotAsked,
}

impl Delivery<'_> {
    /// Finds out what became of the rows that an import leaves open, and says it in `outcome`.
    pub(crate) fn find_out(
        &mut self,
        activity: &Activity,
        at_ms: u64,
        open: &Open,
        unit: &Unit,
        outcome: &mut UnitOutcome,
    ) -> Result<(), Error> {
        let id = &activity.activity_id;
        let what = format!(
            "import {id}: {} not imported, and it does not say which{}",
            counted(open.count, "contact was", "contacts were"),
            open.words
        );
        let since_ms = activity.created_ms().unwrap_or(at_ms);
        match self.read_back(unit, outcome, since_ms, open.count) {
            Ok(seen) => {
                judge(&seen, open, id, outcome);
                self.warnings.push(format!("{what}; {}", told(outcome, unit.rows)));
                Ok(())
            }
            // Asking again would not help.
            Err(error)
                if [ErrorClass::AUTH, ErrorClass::PERMANENT, ErrorClass::DATA].contains(&error.class) =>
            {
                self.warnings.push(format!("{what}; they could not be looked up: {error}"));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What is seen of every row that is open; `None` for the others.
    fn read_back(
        &mut self,
        unit: &Unit,
        outcome: &UnitOutcome,
        since_ms: u64,
        expected: u64,
    ) -> Result<Vec<Option<Seen>>, Error> {
        let emails = keys::emails(&self.way, unit)?;
        let is_open = |row: usize| outcome.rejects.iter().all(|reject| reject.row != row as u64);
        let mut seen: Vec<Option<Seen>> =
            (0..emails.len()).map(|row| is_open(row).then_some(Seen::NotAsked)).collect();
        let rows = emails.iter().enumerate().filter(|(row, _)| is_open(*row));
        let rows: HashMap<&str, usize> =
            rows.filter_map(|(row, email)| Some((email.as_deref()?, row))).collect();

        let (lists, mut left) = (self.account.lists(), rows.len());
        // The answer is of contacts after this moment.
        let since = time(since_ms.saturating_sub(1_000));
        let query = [
            ("updated_after", since.as_str()),
            ("status", "all"),
            ("include", "list_memberships"),
            ("limit", "500"),
        ];
        let call = "reading contacts back";
        self.client.scan(call, api::CONTACTS, &query, "contacts", PAGES, |persons: Vec<Person>| {
            for person in persons {
                let email = person.email().map(str::to_lowercase).unwrap_or_default();
                if let Some(row) = rows.get(email.as_str()) {
                    left = left.saturating_sub(usize::from(seen[*row] == Some(Seen::NotAsked)));
                    seen[*row] = Some(look_at(&person, &lists, true));
                }
            }
            left == 0
        })?;

        let single = |delivery: &mut Self, seen: &mut Vec<Option<Seen>>, which: Seen| {
            let all = rows.iter().map(|(email, row)| (*email, *row));
            let mut again: Vec<(&str, usize)> = all.filter(|(_, row)| seen[*row] == Some(which)).collect();
            again.sort_unstable_by_key(|(_, row)| *row);
            for (email, row) in again.into_iter().take(SINGLE) {
                seen[row] = Some(delivery.look_up(email, &lists, since_ms)?);
            }
            Ok::<_, Error>(())
        };
        single(self, &mut seen, Seen::NotAsked)?;
        if count(&seen, Seen::Away) > expected {
            self.client.clock.sleep_ms(SHOWN_MS)?;
            single(self, &mut seen, Seen::Away)?;
        }
        Ok(seen)
    }

    /// One contact.
    fn look_up(&mut self, email: &str, lists: &[String], since_ms: u64) -> Result<Seen, Error> {
        let url = self.client.url(api::CONTACTS);
        let query = [("email", email), ("status", "all"), ("include", "list_memberships")];
        let text = self.client.text("reading a contact back", &url, &query)?;
        let found = api::page::<Person>(&text, "contacts")?.items;
        let same =
            |person: &&Person| person.email().is_some_and(|address| address.eq_ignore_ascii_case(email));
        Ok(found.iter().find(same).map_or(Seen::Away, |person| {
            let updated: Option<Timestamp> = person.updated_at.as_deref().and_then(|at| at.parse().ok());
            let at_ms = updated.and_then(|at| u64::try_from(at.as_millisecond()).ok());
            look_at(person, lists, at_ms.is_some_and(|at_ms| at_ms >= since_ms))
        }))
    }
}

fn look_at(person: &Person, lists: &[String], is_updated: bool) -> Seen {
    match person.is_on(lists) {
        _ if person.has_unsubscribed() => Seen::Unsubscribed,
        _ if person.is_deleted() => Seen::Away,
        Some(true) if is_updated => Seen::There,
        Some(true) => Seen::Before,
        Some(false) => Seen::Away,
        None => Seen::NotAsked,
    }
}

/// What is known of the rows by what was seen and by how many the import did not take.
///
/// Those who are away are the ones that it did not take. Where it did not take more than those, the rest are among those who
/// were on the lists before. Are these more than the rest, it cannot be told which: few are handed back to be looked at
/// (`import.unclear`), many count as taken and no more. Nothing stays open, since the import never says more than it did.
fn judge(seen: &[Option<Seen>], open: &Open, id: &str, outcome: &mut UnitOutcome) {
    let away = count(seen, Seen::Away);
    let (there, dim) = (count(seen, Seen::There), count(seen, Seen::Before) + count(seen, Seen::NotAsked));
    let rest = open.count.saturating_sub(away);
    outcome.fates = Fates::Accepted;
    for (row, seen) in (0..).zip(seen) {
        match seen {
            None => {}
            Some(Seen::Unsubscribed) => outcome.rejects.push(unsubscribed(row)),
            Some(Seen::Away) if away <= open.count => outcome.rejects.push(refused(row, open, id)),
            Some(Seen::Away) => outcome.rejects.push(unclear(row, open, id)),
            // Everybody who was not imported is accounted for.
            Some(Seen::There) if rest <= dim => outcome.confirmed.push(row),
            Some(Seen::There) if there <= FEW => outcome.rejects.push(unclear(row, open, id)),
            Some(Seen::Before | Seen::NotAsked) if rest == 0 => {}
            Some(Seen::Before | Seen::NotAsked) if dim <= rest => {
                outcome.rejects.push(refused(row, open, id))
            }
            Some(Seen::Before | Seen::NotAsked) if dim <= FEW => outcome.rejects.push(unclear(row, open, id)),
            Some(Seen::There | Seen::Before | Seen::NotAsked) => {}
        }
    }
}

fn count(seen: &[Option<Seen>], what: Seen) -> u64 {
    seen.iter().filter(|seen| **seen == Some(what)).count() as u64
}

fn refused(row: u64, open: &Open, id: &str) -> RowReject {
    let message = format!(
        "Constant Contact did not import it: it is not on the lists, or was not updated{}",
        open.words
    );
    RowReject { code: "import.row-refused".to_owned(), message, ..reject(row, id) }
}

fn unclear(row: u64, open: &Open, id: &str) -> RowReject {
    let message = format!(
        "Constant Contact did not import {}, and this is one of those who may be meant{}; see it there",
        counted(open.count, "contact", "contacts"),
        open.words
    );
    RowReject { code: "import.unclear".to_owned(), message, retryable: true, ..reject(row, id) }
}

fn reject(row: u64, id: &str) -> RowReject {
    RowReject { row, details: json!({ "activity_id": id }), ..RowReject::default() }
}

/// What was found out, for people.
fn told(outcome: &UnitOutcome, rows: u64) -> String {
    let (rejected, confirmed) = (outcome.rejects.len() as u64, outcome.confirmed.len() as u64);
    let accepted = rows.saturating_sub(rejected + confirmed);
    let mut text = format!("they were looked up: {confirmed} are on the lists, {rejected} are rejected");
    if accepted > 0 {
        text.push_str(&format!(
            ", and of {accepted} it cannot be told, so that they count as taken, not as confirmed; see the import in Constant \
             Contact (an import of `csv` names lines)"
        ));
    }
    text
}

fn time(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn judged(seen: &[Seen], count: u64) -> String {
        let mut outcome = UnitOutcome::all(Fates::Unknown, Value::Null);
        let seen: Vec<Option<Seen>> = seen.iter().copied().map(Some).collect();
        judge(&seen, &Open { count, words: String::new() }, "a-1", &mut outcome);
        let rejects: Vec<String> = outcome.rejects.iter().map(|r| format!("{} {}", r.row, r.code)).collect();
        format!(
            "{:?}, confirmed {:?}, unknown {:?}, {rejects:?}",
            outcome.fates, outcome.confirmed, outcome.unknown
        )
    }

    #[test]
    fn never_more_than_was_seen() {
        use Seen::{Away, Before, NotAsked, There, Unsubscribed};
        let cases = [
            ("those who are away were not imported", judged(&[There, Away, There], 1)),
            ("fewer are said than are away", judged(&[There, Away, Away], 1)),
            ("one who was there before", judged(&[There, Before], 1)),
            ("one of two who were there before", judged(&[There, Before, Before], 1)),
            ("who was there before, and nobody else is missing", judged(&[Away, Before], 1)),
            ("everybody is there, and one was not imported", judged(&[There, There], 1)),
            ("unsubscribed", judged(&[There, Unsubscribed, Away], 1)),
            ("too many to be asked for", judged(&[There, NotAsked, NotAsked], 1)),
            ("many who were there before", judged(&[[Away; 1].as_slice(), &[Before; 200]].concat(), 2)),
            ("many are there, and one was not imported", judged(&[There; 200], 1)),
        ];
        let told: Vec<String> = cases.iter().map(|(what, told)| format!("{what}: {told}")).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
