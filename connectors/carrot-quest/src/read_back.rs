//! Reading people back (GETUSER), since the reply to an import says only who is queued: within the rate limit, and not
//! for ever.

use std::collections::{BTreeSet, VecDeque};

use usher_sdk::{
    Clock, Http,
    abi::{Error, ErrorClass},
    outbox::Progress,
    words::counted,
};

use crate::{
    api,
    client::{Client, Said},
    limits::{LEAST_LET_RUN_MS, MOST_POLL_MS, ROUND},
    live::{Confirm, Live},
    people::{Person, Shown},
    refusals::Call,
};

/// How people are read back, over all units.
#[derive(Debug)]
pub(crate) struct ReadBack {
    clock: Clock,
    confirm: Confirm,
    sample: u64,
    wait_ms: u64,
    /// That everybody got.
    tags: Vec<String>,
    /// Rounds since anything came of one.
    idle: u32,
    moved: bool,
    /// Why nobody more is read back: the token may not.
    denied: Option<String>,
    /// People whom the API refused to show, and why the first of them.
    refused: Option<(u64, String)>,
}

/// Who of a unit is still looked for, and who was found.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    queue: VecDeque<(u64, Person)>,
    /// Rows that are shown as they were sent.
    pub(crate) confirmed: BTreeSet<u64>,
    /// Rows that were not, when the time was up.
    pub(crate) missing: BTreeSet<u64>,
    /// The properties at which they differ.
    pub(crate) differing: BTreeSet<String>,
    /// People of whom the API does not show all that was sent.
    pub(crate) bare: u64,
}

/// How far a unit is.
#[derive(Debug)]
pub(crate) enum Round {
    Open,
    Done,
    NotUnderstood(String),
}

impl Waiting {
    /// Looks for these.
    pub(crate) fn new(people: impl IntoIterator<Item = (u64, Person)>) -> Self {
        // No path can hold some ids; these stay as they are.
        let queue = people.into_iter().filter(|(_, person)| api::user_path(&person.id).is_some()).collect();
        Self { queue, ..Self::default() }
    }

    /// How many were asked for to the end.
    pub(crate) fn asked(&self) -> u64 {
        (self.confirmed.len() + self.missing.len()) as u64 + self.bare
    }
}

impl ReadBack {
    pub(crate) fn new(live: &Live, clock: Clock, confirm: Confirm, tags: &[String]) -> Self {
        Self {
            clock,
            confirm,
            sample: live.sample,
            wait_ms: live.wait_seconds.saturating_mul(1_000),
            tags: tags.to_vec(),
            idle: 1,
            moved: false,
            denied: None,
            refused: None,
        }
    }

    /// Whether anybody is read back.
    pub(crate) fn is_on(&self) -> bool {
        self.confirm != Confirm::None && self.denied.is_none()
    }

    /// The rows to be read back, of `rows` of a unit: `sure` ones are accepted, `unclear` ones may not be.
    pub(crate) fn choose(&self, sure: &[u64], unclear: &BTreeSet<u64>) -> BTreeSet<u64> {
        match self.confirm {
            _ if !self.is_on() => BTreeSet::new(),
            Confirm::None => BTreeSet::new(),
            Confirm::All => sure.iter().chain(unclear).copied().collect(),
            Confirm::Sample => spread(sure, self.sample),
        }
    }

    /// Whether a unit of one row is among the sample.
    pub(crate) fn chooses(&self, number: u64) -> bool {
        self.is_on() && (self.confirm == Confirm::All || number < self.sample)
    }

    /// Another unit waits.
    pub(crate) fn begin(&mut self) {
        self.idle = 1;
    }

    /// Waits until an import that may have been queued at `at_ms` or later has had its time to run: what the options give
    /// it, and never less than [`LEAST_LET_RUN_MS`] from now, when the doubt arose.
    pub(crate) fn let_run(&self, at_ms: u64) -> Result<(), Error> {
        let left = at_ms.saturating_add(self.wait_ms).saturating_sub(self.clock.now_ms());
        self.clock.sleep_ms(left.max(LEAST_LET_RUN_MS))
    }

    /// How long to wait before the next round: not at all while people are found.
    pub(crate) fn poll_ms(&self) -> u64 {
        if self.idle == 0 { 0 } else { (1_000 << self.idle.min(6)).min(MOST_POLL_MS) }
    }

    /// After a round over all units.
    pub(crate) fn end_of_round(&mut self) {
        self.idle = if std::mem::take(&mut self.moved) { 0 } else { self.idle.saturating_add(1) };
    }

    /// What a person should know, if people could not be read back.
    pub(crate) fn into_warnings(self) -> Vec<String> {
        let denied = self.denied.map(|why| format!(
            "nobody more was read back (which needs the right `user-read`), so rows are accepted, not confirmed: {why}"
        ));
        let refused = self.refused.map(|(people, why)| {
            let people = counted(people, "person", "people");
            format!("{people} could not be read back, so these rows are not confirmed: {why}")
        });
        denied.into_iter().chain(refused).collect()
    }

    /// Looks for some people of a unit that was sent at `at_ms`. Until its time is up, one who is not there ends the
    /// round: the import has not run.
    pub(crate) fn round(
        &mut self,
        client: &Client,
        http: &Http,
        at_ms: u64,
        waiting: &mut Waiting,
    ) -> Result<Round, Error> {
        for _ in 0..ROUND {
            if self.denied.is_some() {
                waiting.queue.clear();
            }
            let Some((row, person)) = waiting.queue.pop_front() else { return Ok(Round::Done) };
            let late = self.clock.now_ms() >= at_ms.saturating_add(self.wait_ms);
            let said = match self.ask(client, http, &person) {
                Ok(said) => said,
                Err(error) => {
                    waiting.queue.push_front((row, person));
                    return Err(error);
                }
            };
            let shown = match (said.success(), said.refusal(Call::User)) {
                (Some(envelope), _) => person.compare(&envelope.data, &self.tags),
                (None, _) if said.is_lookup_error() => Shown::Nobody,
                // The rows were taken all the same. A token that is no good any more ends the delivery.
                (None, Some(error)) if said.status == 403 => {
                    self.denied = Some(error.message.to_string());
                    continue;
                }
                (None, Some(error)) if error.class == ErrorClass::PERMANENT => {
                    self.refused.get_or_insert_with(|| (0, error.message.to_string())).0 += 1;
                    Shown::Bare
                }
                (None, Some(error)) => {
                    waiting.queue.push_front((row, person));
                    return Err(error);
                }
                (None, None) => return Ok(Round::NotUnderstood(said.text)),
            };
            let differing = match shown {
                Shown::AsSent => {
                    waiting.confirmed.insert(row);
                    self.moved = true;
                    continue;
                }
                Shown::Bare => {
                    waiting.bare += 1;
                    self.moved = true;
                    continue;
                }
                Shown::Otherwise(names) => names,
                Shown::Nobody => Vec::new(),
            };
            if late {
                waiting.missing.insert(row);
                waiting.differing.extend(differing);
                self.moved = true;
            } else {
                waiting.queue.push_back((row, person));
                return Ok(Round::Open);
            }
        }
        Ok(if waiting.queue.is_empty() { Round::Done } else { Round::Open })
    }

    /// Asks for one person (GETUSER), with what of them was sent.
    fn ask(&self, client: &Client, http: &Http, person: &Person) -> Result<Said, Error> {
        let path = api::user_path(&person.id).unwrap_or_default();
        let mut query = vec![("by_user_id", "true"), ("props_custom", "true")];
        if !self.tags.is_empty() {
            query.push(("tags", "true"));
        }
        client.ask(|| client.get(http, &path).query(query.iter().copied()))
    }
}

/// What a round over all units answers when one of them fails: what has come of the others is kept. The failure shows
/// again in the next round, unless it has passed.
pub(crate) fn kept(error: Error, mut progress: Vec<Progress>, jobs: usize) -> Result<Vec<Progress>, Error> {
    let running = |progress: &Progress| matches!(progress, Progress::Running);
    if error.class == ErrorClass::CANCELLED || progress.iter().all(running) {
        return Err(error);
    }
    progress.resize_with(jobs, || Progress::Running);
    Ok(progress)
}

/// At most `most` of these, the first and the last among them, as far apart as can be.
fn spread(rows: &[u64], most: u64) -> BTreeSet<u64> {
    let (last, steps) = (rows.len().saturating_sub(1) as u128, u128::from(most.max(1)));
    if rows.len() as u128 <= steps {
        return rows.iter().copied().collect();
    }
    let place = |step: u128| usize::try_from(step * last / (steps - 1).max(1)).unwrap_or(usize::MAX);
    (0..steps).filter_map(|step| rows.get(place(step)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::spread;

    #[test]
    fn a_sample_is_spread() {
        let rows: Vec<u64> = (0..100).collect();
        assert_eq!(spread(&rows, 1).into_iter().collect::<Vec<_>>(), [0]);
        assert_eq!(spread(&rows, 2).into_iter().collect::<Vec<_>>(), [0, 99]);
        assert_eq!(spread(&rows, 4).into_iter().collect::<Vec<_>>(), [0, 33, 66, 99]);
        assert_eq!(spread(&[], 4).len(), 0);
    }

    proptest! {
        #[test]
        fn a_sample_has_its_size(count in 0..200u64, most in 1..60u64) {
            let rows: Vec<u64> = (0..count).map(|n| n * 3).collect();
            prop_assert_eq!(spread(&rows, most).len() as u64, most.min(count));
        }
    }
}
