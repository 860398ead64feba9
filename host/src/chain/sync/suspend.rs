//! `on_missing = "suspend"`: people who are gone from the source are taken out at the vendor's. One more instance of the
//! sink, opened as its component says ([`Suspend`]), gets a row for each of them when everything else was sent.
//!
//! No record stands behind these rows: their origins are places in the list of missing people, of an input that does not
//! exist, and they have books of their own. What became of each is in `missing.csv`.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array};
use serde_json::{Map, Value};
use usher_abi::{
    Component, Delivery, Error, ErrorClass, Identity, Receipt, Report, Services, Stopped, Suspend,
};

use super::{
    super::{
        binding::{Preparation, delivers},
        books::Books,
        engine::Engine,
        prepare::{Opened, PreparedSink},
        shape::{LENGTH, OFFSET, Shaped},
        writing::SinkEnd,
    },
    closing::account_of,
    gone::Absent,
};
use crate::{
    expression::Program,
    manifest::{Connector, KeyPath, OnMissing},
    runner::{Sink, open_sink},
    runs::Suspension,
    services::Key,
};

/// The input of origins that no record stands behind.
const NO_INPUT: u32 = u32::MAX;

/// Rows of a batch.
const AT_ONCE: usize = 8_192;

/// The instance that suspends people, before it has begun.
pub(in crate::chain) struct Suspender {
    sink: Box<dyn Sink>,
    how: Suspend,
}

/// What became of the people that a vendor was told to suspend.
#[derive(Default)]
pub(in crate::chain) struct Suspended {
    /// By code and message, of whom the vendor did not; by their place in the list.
    refused: BTreeMap<u64, (String, String)>,
    books: Books,
    receipt: Receipt,
    /// The code of the reject of somebody whom the vendor has not got.
    absent: String,
}

impl Preparation<'_> {
    /// The instance that suspends people for a connector that asks for it.
    pub(in crate::chain) fn suspender(
        &mut self,
        engine: &Engine,
        opened: &Opened,
        services: impl FnOnce() -> Arc<Services>,
    ) -> Option<Suspender> {
        let Opened { connector, plugin, component, .. } = opened;
        connector.changed_only.filter(|rules| rules.on_missing == OnMissing::Suspend)?;
        let key = on_missing(connector);
        let how = match able(connector, component) {
            Ok(how) => how.clone(),
            Err(message) => {
                let help =
                    "`on_missing = \"report\"` lists them in `missing.csv`, for somebody to take them out";
                self.diagnostics.push(self.manifest.error(&key, &message).help(help));
                return None;
            }
        };
        let text = options(connector, &how).to_string();
        let mut sink = self.attempt(connector, open_sink(plugin, &component.name, &text, services()))?;
        engine.on_cancel(sink.canceller());
        let columns: Vec<String> = how.columns().map(|(column, _)| column.to_owned()).collect();
        // Its warnings are about columns that this connector has not chosen.
        for problem in self.attempt(connector, sink.check(&columns))?.iter().filter(|p| !p.warning) {
            let message = format!("nobody can be suspended: {}", problem.message);
            self.diagnostics.push(self.manifest.error(&key, &message));
        }
        Some(Suspender { sink, how })
    }
}

impl Suspender {
    /// What is wrong, or worth a warning, with a connector whose people are known by `unique`: the vendor must be able to
    /// find them by it.
    pub(super) fn judge(
        &self,
        prep: &mut Preparation<'_>,
        connector: &Connector,
        columns: &[Shaped],
        unique: &Program,
    ) {
        let key = on_missing(connector);
        let fills = |column: &str| columns.iter().find(|shaped| shaped.name == column);
        let same = fills(&self.how.key).and_then(|shaped| shaped.program.copied());
        if same.is_none() || same != unique.copied() {
            let message = format!(
                "`{}` finds people by `{}`, so that they can be suspended only if that column is a copy of what makes them \
                 known, `unique`",
                connector.plugin, self.how.key
            );
            let help = format!(
                "make `unique` the attribute that fills `{0}`, or fill `{0}` with what is `unique`",
                self.how.key
            );
            prep.diagnostics.push(prep.manifest.error(&key, &message).help(&help));
            return;
        }
        for column in self.how.columns.keys().filter(|column| fills(column).is_none()) {
            let message = format!(
                "whoever comes back to the source stays suspended: nothing fills `{column}` of `{}`, which would end it",
                connector.name
            );
            prep.diagnostics.push(prep.manifest.warning(&key, &message));
        }
    }

    /// Hands a row for each of `missing` over and ends the work. Only somebody's wish to stop is an error.
    pub(in crate::chain) fn suspend(mut self, missing: &[Absent]) -> Result<Suspended, Error> {
        let mut done = Suspended { absent: self.how.absent.clone(), ..Suspended::default() };
        let mut read = Identity::default();
        let named = || missing.iter().enumerate().filter(|(_, absent)| !absent.who.is_empty());
        named().for_each(|(place, _)| read.add(NO_INPUT, place as u64));
        let rows: Vec<(u64, &str)> = named().map(|(place, absent)| (place as u64, &*absent.who)).collect();
        match self.hand_over(&rows, &mut done) {
            Ok(receipt) => {
                done.books.not_sent = done.books.held(read);
                done.receipt = receipt;
            }
            Err(error) if error.class == ErrorClass::CANCELLED => return Err(error),
            Err(error) => {
                done.books.unknown.merge(done.books.held(read));
                done.receipt.delivery =
                    Some(Delivery { stopped: Some(Stopped::by(&error)), ..Delivery::default() });
            }
        }
        Ok(done)
    }

    fn hand_over(&mut self, rows: &[(u64, &str)], done: &mut Suspended) -> Result<Receipt, Error> {
        let mut report = Report::default();
        self.sink.begin(&self.batch(&[])?.schema())?;
        for rows in rows.chunks(AT_ONCE) {
            let written = self.sink.write(&self.batch(rows)?, NO_INPUT, &mut report);
            done.take(&mut report);
            written?;
        }
        let flushed = self.sink.flush(&mut report);
        done.take(&mut report);
        flushed?;
        let finished = self.sink.finish(&mut report);
        done.take(&mut report);
        finished
    }

    fn batch(&self, rows: &[(u64, &str)]) -> Result<RecordBatch, Error> {
        let texts = |values: Vec<&str>| Arc::new(StringArray::from(values)) as ArrayRef;
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for (column, value) in self.how.columns() {
            columns.push((column, texts(rows.iter().map(|(_, who)| value.unwrap_or(who)).collect())));
        }
        let places = UInt64Array::from_iter_values(rows.iter().map(|(place, _)| *place));
        columns.push((OFFSET, Arc::new(places)));
        columns.push((LENGTH, Arc::new(UInt32Array::from_value(0, rows.len()))));
        RecordBatch::try_from_iter(columns).map_err(|e| Error::bug("host.batch", e.to_string()))
    }
}

impl Suspended {
    fn take(&mut self, report: &mut Report) {
        let report = std::mem::take(report);
        self.books.take(&report);
        for reject in &report.rejects {
            let why = (reject.code.to_string(), reject.message.to_string());
            self.refused.insert(reject.origin.offset, why);
        }
        // Two keys that are one to the sink: what became of the other it does not say of this one.
        self.books.unknown.merge(std::mem::take(&mut self.books.merged));
    }

    pub(in crate::chain) fn counts(&self) -> Suspension {
        let absent = self.refused.values().filter(|(code, _)| *code == self.absent).count() as u64;
        Suspension {
            suspended: self.books.confirmed.count,
            absent,
            refused: self.refused.len() as u64 - absent,
            unknown: self.books.unknown.count + self.books.accepted.count,
            not_sent: self.books.not_sent.count,
            nameless: 0,
        }
    }

    /// What became of one of the people, and what is said of it. Where it is not known of all, it is of none.
    pub(super) fn outcome_of(&self, place: u64) -> (&'static str, &str) {
        match self.refused.get(&place) {
            Some((code, message)) if *code == self.absent => ("absent", message),
            Some((_, message)) => ("refused", message),
            None if self.books.unknown.count + self.books.accepted.count > 0 => ("unknown", ""),
            None if self.books.not_sent.count > 0 => ("not-sent", ""),
            None => ("suspended", ""),
        }
    }

    /// The people with whom nothing is left to be done, and those who certainly are as they were.
    pub(super) fn sorted_out(&self, missing: &[Absent]) -> (Vec<Key>, Vec<Key>) {
        let (mut settled, mut refused) = (Vec::new(), Vec::new());
        for (place, absent) in missing.iter().enumerate().filter(|(_, absent)| !absent.who.is_empty()) {
            match self.outcome_of(place as u64).0 {
                "suspended" | "absent" => settled.push(absent.key),
                "refused" => refused.push(absent.key),
                _ => {}
            }
        }
        (settled, refused)
    }

    /// Whether anything of it left this machine, or may have.
    pub(in crate::chain) fn went_out(&self) -> bool {
        self.books.sent() > 0 || self.receipt.delivery.as_ref().is_some_and(|delivery| delivery.settled > 0)
    }
}

/// How the sink of a connector suspends people, or why it cannot.
fn able<'c>(connector: &Connector, component: &'c Component) -> Result<&'c Suspend, String> {
    let Some(how) = &component.suspend else {
        return Err(format!("`{}` has no way to suspend somebody", connector.plugin));
    };
    if !how.deliver.is_empty() && how.deliver != delivers(connector, component) {
        return Err(format!(
            "`{}` can suspend people with `deliver = \"{}\"` only",
            connector.plugin, how.deliver
        ));
    }
    Ok(how)
}

/// The options that the instance is opened with.
fn options(connector: &Connector, how: &Suspend) -> Value {
    let kept = how.keep.iter().filter_map(|name| Some((name.clone(), connector.options.get(name)?.clone())));
    let own = how.options.iter().map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(kept.chain(own).collect::<Map<String, Value>>())
}

fn on_missing(connector: &Connector) -> KeyPath {
    KeyPath::from(["connectors", connector.name.as_str(), "on_missing"])
}

impl PreparedSink {
    /// Has those suspended who are gone, when all else that its sink had to do is done; a plan only counts requests.
    pub(in crate::chain) fn suspend(&mut self, end: &mut SinkEnd) -> Result<(), Error> {
        let stopped = end.receipt.delivery.as_ref().is_some_and(|delivery| delivery.stopped.is_some());
        // Whoever was delivered to another account is not gone from this one.
        let other = self.stage.sync.as_ref().is_some_and(|sync| sync.is_other_account(account_of(end)));
        if !self.suspends() || stopped || other || self.gone.is_too_many() {
            return Ok(());
        }
        if let Some(suspender) = self.suspender.take() {
            let mut suspended = suspender.suspend(&self.gone.missing)?;
            // What it sent is kept beside the rest of what was sent.
            end.receipt.parts.append(&mut suspended.receipt.parts);
            let told = suspended.receipt.warnings.drain(..);
            end.receipt
                .warnings
                .extend(told.map(|warning| format!("people gone from the source: {warning}")));
            self.gone.suspended = Some(suspended);
        }
        Ok(())
    }

    /// How many of the missing were suspended, if that is asked for and somebody looked for them.
    pub(in crate::chain) fn suspension(&self) -> Option<Suspension> {
        let rules = self.stage.sync.as_ref()?.rules;
        self.gone.of.filter(|_| rules.on_missing == OnMissing::Suspend)?;
        let mut counts = self.gone.suspended.as_ref().map_or_else(Suspension::default, Suspended::counts);
        let named = self.gone.missing.iter().filter(|absent| !absent.who.is_empty()).count() as u64;
        counts.nameless = self.gone.missing.len() as u64 - named;
        if self.gone.suspended.is_none() {
            counts.not_sent = named;
        }
        Some(counts)
    }

    /// What is left to be done about people who should be suspended, in a sentence, if something is.
    pub(in crate::chain) fn left_to_suspend(&self) -> Option<String> {
        let suspended = self.gone.suspended.as_ref()?;
        let Suspension { unknown, not_sent, .. } = suspended.counts();
        let stopped = suspended.receipt.delivery.as_ref().and_then(|delivery| delivery.stopped.as_ref());
        if unknown + not_sent == 0 && stopped.is_none() {
            return None;
        }
        let why = stopped.map_or(String::new(), |why| format!(" ({})", why.message));
        Some(format!(
            "`{}`: {not_sent} people gone from the source were not suspended, and of {unknown} it is not known{why}",
            self.name
        ))
    }

    /// Whether people are going to be suspended, if anything may be sent.
    pub(in crate::chain) fn suspends(&self) -> bool {
        self.suspender.is_some() && self.gone.missing.iter().any(|absent| !absent.who.is_empty())
    }
}
