//! Units on their way: which are sent, which the vendor works on, which are done.

mod doubts;

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

use serde_json::{Value, json};
use usher_abi::{Error, Part, Report, service::PartFormat};

use super::{
    Outbox, Unit,
    answer::masked,
    cut::Cut,
    destination::{Destination, InFlight, Jobs, Progress, Reaction, Step},
    note::{Note, Notes},
    outcome::{Fates, UnitOutcome},
    pace::Pace,
};
use crate::{Clock, Http, PendingReply};

/// How often in a row the answer to a question for jobs may break off.
const MOST_BREAKS: u32 = 5;
/// So many answers in a row that nobody understands end the delivery: the rest would fare no better.
const MOST_RIDDLES: u32 = 3;

/// How far a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    NotSent,
    /// It may have arrived.
    UnderWay,
    /// Its rows were reported.
    Reported,
}

/// A delivery while it goes on.
pub(super) struct Flight<'a> {
    outbox: &'a mut Outbox,
    destination: &'a mut dyn Destination,
    http: Http,
    clock: Clock,
    notes: Notes,
    cuts: Vec<Cut>,
    /// So many units go first, and must come back clean.
    canaries: usize,
    report: &'a mut Report,
    states: Vec<State>,
    /// Sent, not answered; oldest first.
    waiting: VecDeque<(usize, u64, PendingReply)>,
    jobs: Vec<InFlight>,
    /// When the vendor took up each unit that it works on. A request may have waited long for the rate limit before.
    taken_up: BTreeMap<u64, u64>,
    /// Refused for want of room.
    later: VecDeque<usize>,
    not_before_ms: u64,
    /// Questions for jobs since one was done.
    asked: u32,
    pace: Pace,
    /// Units that may have arrived though they are sent again: since when, and how often there was doubt.
    doubts: BTreeMap<usize, (u64, u32)>,
    /// Nothing more is sent.
    ending: bool,
    /// Answers to questions for jobs that broke off, in a row.
    breaks: u32,
    /// Answers that were not understood, in a row.
    riddles: u32,
    /// Something was sent.
    sends: bool,
    /// Nothing that writes is sent: requests are put together only.
    dry: bool,
    unclean: u64,
    settled: u64,
    earlier: u64,
    answers: BTreeMap<usize, Value>,
    kept: Vec<Part>,
    warnings: Vec<String>,
}

/// What is known at the end.
pub(super) struct Landed {
    pub(super) settled: u64,
    pub(super) earlier: u64,
    pub(super) bytes: u64,
    pub(super) answers: Vec<Value>,
    pub(super) kept: Vec<Part>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Flight<'a> {
    pub(super) fn new(
        outbox: &'a mut Outbox,
        destination: &'a mut dyn Destination,
        notes: Notes,
        (cuts, canaries): (Vec<Cut>, usize),
        report: &'a mut Report,
    ) -> Result<Self, Error> {
        Ok(Self {
            http: outbox.host.http()?,
            clock: outbox.host.clock()?,
            outbox,
            destination,
            notes,
            states: vec![State::NotSent; cuts.len()],
            cuts,
            canaries,
            report,
            waiting: VecDeque::new(),
            jobs: Vec::new(),
            taken_up: BTreeMap::new(),
            later: VecDeque::new(),
            not_before_ms: 0,
            asked: 0,
            pace: Pace::default(),
            doubts: BTreeMap::new(),
            ending: false,
            breaks: 0,
            riddles: 0,
            sends: false,
            dry: false,
            unclean: 0,
            settled: 0,
            earlier: 0,
            answers: BTreeMap::new(),
            kept: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// Sends everything, the canaries before the others.
    pub(super) fn run(&mut self) -> Result<(), Error> {
        let (canaries, end) = (self.canaries, self.cuts.len());
        self.send_all(0..canaries)?;
        if self.unclean > 0 && !self.dry {
            let rows: u64 = self.cuts[..canaries].iter().map(|cut| cut.rows).sum();
            let next = if self.report.rejects.is_empty() {
                "what became of them is not known yet: run again to find out"
            } else {
                "see rejects.csv, correct what is wrong and run again"
            };
            let message = format!(
                "of the {rows} rows sent first, {} did not come back clean, so no other was sent; {next}",
                self.unclean
            );
            return Err(Error::data("delivery.canary", message));
        }
        self.send_all(canaries..end)?;
        if self.dry {
            return Err(Error::unsupported("http.dry-run", "nothing was sent: this is a dry run"));
        }
        if self.settled == end as u64 { self.destination.close(&self.http) } else { Ok(()) }
    }

    fn send_all(&mut self, units: Range<usize>) -> Result<(), Error> {
        let mut next = units.start;
        loop {
            self.outbox.host.stop_if_cancelled()?;
            let most = self.destination.in_flight().max(1);
            while self.waiting.len() + self.jobs.len() < most {
                if !self.later.is_empty() && self.clock.now_ms() < self.not_before_ms {
                    break;
                }
                if let Some(unit) = self.later.pop_front() {
                    let read = self.outbox.unit(unit, &self.cuts[unit])?;
                    self.send(unit, &read)?;
                } else if next < units.end {
                    next += 1;
                    self.begin(next - 1)?;
                } else {
                    break;
                }
            }
            if let Some((unit, at_ms, pending)) = self.waiting.pop_front() {
                self.hear(unit, at_ms, pending)?;
            } else if !self.jobs.is_empty() {
                self.poll(next < units.end || !self.later.is_empty())?;
            } else if !self.later.is_empty() {
                self.clock.sleep_ms(self.not_before_ms.saturating_sub(self.clock.now_ms()))?;
            } else if next == units.end {
                return Ok(());
            }
        }
    }

    /// Begins with a unit, as far as an earlier attempt has not.
    fn begin(&mut self, unit: usize) -> Result<(), Error> {
        let key = self.cuts[unit].key;
        match self.notes.find(&key)? {
            None | Some(Note::Refused) => {
                let read = self.outbox.unit(unit, &self.cuts[unit])?;
                self.send(unit, &read)
            }
            // What was wrong with those sent first has been put right, or else it is told again.
            Some(Note::Settled { outcome }) if unit < self.canaries && self.blemishes(&outcome, 1) > 0 => {
                let since = self.clock.now_ms();
                self.doubts.insert(unit, (since, 0));
                let read = self.outbox.unit(unit, &self.cuts[unit])?;
                self.send(unit, &read)
            }
            Some(Note::Settled { outcome }) => {
                self.earlier += 1;
                self.take(unit, &outcome)
            }
            Some(Note::Job { id, at_ms }) => {
                self.works_on(unit, id, at_ms);
                Ok(())
            }
            Some(Note::Sending { at_ms }) => self.resolve(unit, at_ms),
        }
    }

    /// Takes the reply to a unit.
    fn hear(&mut self, unit: usize, at_ms: u64, pending: PendingReply) -> Result<(), Error> {
        let reply = match pending.wait() {
            Ok(reply) => reply,
            Err(error) if broke_off(&error) => return self.doubtful(unit, at_ms, &error.message),
            Err(error) => {
                if never_left(&error) {
                    self.refused(unit)?;
                }
                return Err(error);
            }
        };
        if reply.head().attempts > 1 {
            // One of them may have done the work.
            self.doubts.entry(unit).or_insert((at_ms, 0));
        }
        let read = self.outbox.unit(unit, &self.cuts[unit])?;
        match self.destination.sent(&read, reply) {
            Ok(reaction) => self.react(unit, at_ms, reaction),
            Err(error) if broke_off(&error) => self.doubtful(unit, at_ms, &error.message),
            Err(error) if is_riddle(&error) => {
                let said = if error.details.is_empty() { &error.message } else { &error.details };
                self.keep_answer(unit, said)
            }
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, unit: usize, read: &Unit) -> Result<(), Error> {
        let request = match self.destination.send(&self.http, read)? {
            Step::Done(outcome) => return self.settle(unit, &outcome),
            Step::Request(request) => request,
        };
        let at_ms = self.doubts.get(&unit).map_or_else(|| self.clock.now_ms(), |(since, _)| *since);
        self.notes.write(&self.cuts[unit].key, &Note::Sending { at_ms })?;
        match request.begin() {
            Ok(pending) => {
                if !std::mem::replace(&mut self.sends, true) {
                    // The host shows how far it is; see `progress.rs` there.
                    let rows: u64 = self.cuts.iter().map(|cut| cut.rows).sum();
                    self.outbox.host.metric("delivery.rows", i64::try_from(rows).unwrap_or(i64::MAX));
                }
                self.states[unit] = State::UnderWay;
                self.waiting.push_back((unit, at_ms, pending));
            }
            Err(error) if error.code == "http.dry-run" => self.dry = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn react(&mut self, unit: usize, at_ms: u64, reaction: Reaction) -> Result<(), Error> {
        match reaction {
            Reaction::Done(outcome) => self.settle(unit, &outcome),
            Reaction::Job(id) => self.note_job(unit, id),
            Reaction::InDoubt(why) => self.doubtful(unit, at_ms, &why),
            Reaction::Refused(error) => {
                self.refused(unit)?;
                Err(error)
            }
            Reaction::Later(ms) => {
                self.refused(unit)?;
                self.later.push_back(unit);
                // What is under way may make room earlier, but a vendor that is full is not asked at once again.
                self.not_before_ms = self.clock.now_ms() + ms.max(100);
                Ok(())
            }
            Reaction::NotUnderstood(text) => self.keep_answer(unit, &text),
        }
    }

    /// A unit that was not taken: whoever goes on with the run need not ask whether it was, unless an earlier try may have
    /// been.
    fn refused(&mut self, unit: usize) -> Result<(), Error> {
        if self.doubts.contains_key(&unit) {
            return Ok(());
        }
        self.states[unit] = State::NotSent;
        self.notes.write(&self.cuts[unit].key, &Note::Refused)
    }

    fn note_job(&mut self, unit: usize, id: String) -> Result<(), Error> {
        let at_ms = self.clock.now_ms();
        self.notes.write(&self.cuts[unit].key, &Note::Job { id: id.clone(), at_ms })?;
        self.works_on(unit, id, at_ms);
        Ok(())
    }

    fn works_on(&mut self, unit: usize, job: String, at_ms: u64) {
        self.states[unit] = State::UnderWay;
        self.taken_up.insert(unit as u64, self.clock.now_ms());
        self.jobs.push(InFlight { unit: unit as u64, rows: self.cuts[unit].rows, job, at_ms });
    }

    /// Waits a little and asks for all jobs; `more` units wait for room.
    fn poll(&mut self, more: bool) -> Result<(), Error> {
        let now = self.clock.now_ms();
        let taken_up = |job: &InFlight| self.taken_up.get(&job.unit).copied().unwrap_or(job.at_ms);
        let begun: Vec<u64> = self.jobs.iter().map(taken_up).collect();
        let timed = self.destination.requests_a_minute();
        let timed = timed.and_then(|most| self.pace.wait_ms(now, &begun, self.asked, more, most));
        self.clock.sleep_ms(timed.unwrap_or_else(|| self.destination.poll_ms(self.asked)))?;
        let list = std::mem::take(&mut self.jobs);
        let (outbox, cuts) = (&mut *self.outbox, &self.cuts);
        let mut read = |number: u64| {
            let unit = usize::try_from(number).ok().filter(|unit| *unit < cuts.len());
            let unit = unit.ok_or_else(|| Error::bug("outbox.unit", format!("there is no unit {number}")))?;
            outbox.unit(unit, &cuts[unit])
        };
        let answers = match self.destination.poll(&self.http, &mut Jobs { list: &list, read: &mut read }) {
            Err(error) if broke_off(&error) && self.breaks < MOST_BREAKS => {
                self.breaks += 1;
                self.jobs = list;
                return Ok(());
            }
            answers => answers?,
        };
        self.breaks = 0;
        if answers.len() != list.len() {
            let message = format!("{} jobs were asked for, {} answered", list.len(), answers.len());
            return Err(Error::bug("outbox.poll", message));
        }
        self.asked += 1;
        let ended = begun.iter().zip(&answers).filter(|(_, answer)| matches!(answer, Progress::Done(_)));
        let ended: Vec<u64> = ended.map(|(begun, _)| *begun).collect();
        self.pace.learn(self.clock.now_ms(), &ended);
        for (job, answer) in list.into_iter().zip(answers) {
            let unit = usize::try_from(job.unit).unwrap_or(usize::MAX);
            match answer {
                Progress::Running => self.jobs.push(job),
                Progress::Done(outcome) => {
                    self.asked = 0;
                    self.settle(unit, &outcome)?;
                }
                Progress::Lost => self.lost(unit, job.at_ms)?,
                Progress::NotUnderstood(text) => self.keep_answer(unit, &text)?,
            }
        }
        Ok(())
    }

    /// An answer that is not understood goes into the run's folder, without what may be somebody's.
    fn keep_answer(&mut self, unit: usize, text: &str) -> Result<(), Error> {
        let text = masked(text);
        let mut part = self.outbox.host.output()?.create("answer", "txt", &PartFormat::bytes())?;
        part.write(text.as_bytes())?;
        let name = part.finish(0)?;
        self.warn(unit, &format!("the vendor's answer was not understood; it is kept in `{name}`"));
        let answer = json!({ "not_understood": name });
        self.kept.push(Part { name, bytes: text.len() as u64, extra: true, ..Part::default() });
        let riddles = self.riddles + 1;
        self.settle(unit, &UnitOutcome::all(Fates::Unknown, answer))?;
        self.riddles = riddles;
        if riddles < MOST_RIDDLES {
            return Ok(());
        }
        let message = format!(
            "{riddles} answers in a row were not understood; they are kept in the run's folder: see what the vendor says, \
             and run again when it is over"
        );
        Err(Error::permanent("delivery.not-understood", message))
    }

    fn warn(&mut self, unit: usize, why: &str) {
        let cut = &self.cuts[unit];
        let (first, last) = (cut.first + 1, cut.first + cut.rows);
        self.warnings
            .push(format!("rows {first} to {last} of those sent: {why}; what became of them is not known"));
    }

    /// Reports a unit's rows, and notes what became of it. What is not known of all rows is not noted: the next attempt
    /// asks again.
    fn settle(&mut self, unit: usize, outcome: &UnitOutcome) -> Result<(), Error> {
        self.riddles = 0;
        self.take(unit, outcome)?;
        if outcome.is_settled() {
            self.notes.write(&self.cuts[unit].key, &Note::Settled { outcome: outcome.clone() })?;
        }
        Ok(())
    }

    fn take(&mut self, unit: usize, outcome: &UnitOutcome) -> Result<(), Error> {
        let cut = &self.cuts[unit];
        let (first, rows) = (cut.first, cut.rows);
        outcome.report(&self.outbox.origins(first, rows)?, self.report)?;
        self.states[unit] = State::Reported;
        self.outbox.host.metric("delivery.done", i64::try_from(rows).unwrap_or(i64::MAX));
        self.settled += u64::from(outcome.is_settled());
        self.unclean += self.blemishes(outcome, rows);
        let answer = json!({ "unit": unit, "first_row": first + 1, "rows": rows, "answer": outcome.answer });
        self.answers.insert(unit, answer);
        Ok(())
    }

    /// Of so many rows of a unit, those that did not come back clean.
    fn blemishes(&self, outcome: &UnitOutcome, rows: u64) -> u64 {
        let all = if outcome.fates == Fates::Unknown { rows } else { 0 };
        let bad = outcome.rejects.iter().filter(|reject| !self.destination.is_harmless(reject)).count();
        all.max((bad + outcome.unknown.len()) as u64)
    }

    /// Takes the answers that are still to come, after an error. What goes wrong now is no news.
    pub(super) fn hear_out(&mut self) {
        self.ending = true;
        while let Some((unit, at_ms, pending)) = self.waiting.pop_front() {
            drop(self.hear(unit, at_ms, pending));
        }
    }

    /// The end, be it a good one or not: rows under way are of unknown fate.
    pub(super) fn land(mut self) -> Result<Landed, Error> {
        // Requests that are not answered are given up.
        self.waiting.clear();
        for unit in 0..self.cuts.len() {
            if self.states[unit] == State::UnderWay {
                self.take(unit, &UnitOutcome::all(Fates::Unknown, json!("under way when it was stopped")))?;
            }
        }
        Ok(Landed {
            settled: self.settled,
            earlier: self.earlier,
            bytes: self.cuts.iter().map(|cut| cut.bytes).sum(),
            answers: self.answers.into_values().collect(),
            kept: self.kept,
            warnings: self.warnings,
        })
    }
}

/// A request or its reply that broke off, so that it may have had its effect.
fn broke_off(error: &Error) -> bool {
    matches!(error.code.as_str(), "http.lost" | "http.timeout")
}

/// A request that the host still had.
fn never_left(error: &Error) -> bool {
    matches!(error.code.as_str(), "http.unreachable" | "http.rate-limit" | "http.threads")
}

/// A reply that cannot be read for what it is.
fn is_riddle(error: &Error) -> bool {
    matches!(error.code.as_str(), "http.not-text" | "http.not-json" | "http.too-large")
}
