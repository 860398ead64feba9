//! What only a plan tells, and how a run is held to it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::Deserialize;
use usher_abi::{Error, LogLevel, Origin, RateLimit};

use super::{
    engine::Engine,
    notes::{Kind, NotedGroup, Notes},
    outcome::{LongestValue, PlanOutcome, RecordAt, Remark, Requests},
    prepare::{PreparedChain, PreparedSink},
    receipt::{Files, made_of},
    writing::SinkEnd,
};
use crate::{
    runs::{Bound, Example, Group, Kept, MadeOf, Passed},
    services::{Digest, InputInfo, InputRegistry, LogLine, REQUESTS, RunLog},
};

/// The books of a sink when the last row has passed it.
pub(super) fn passed(sink: &PreparedSink) -> Passed {
    let books = &sink.stage.books;
    Passed {
        delivered: books.written.count + sink.held,
        filtered: books.filtered().count,
        merged: books.merged.count,
        rejected: books.rejected.count,
        withdrawn: sink.gone.withdrawn.len() as u64,
        missing: sink.gone.of.map_or(0, |(missing, _)| missing),
    }
}

/// An error, if a run whose last row has passed is not what was planned.
pub(super) fn hold(
    bound: &Bound,
    engine: &Engine,
    chain: &PreparedChain,
    means: &Files,
    digests: &[Digest],
    records: u64,
) -> Result<(), Error> {
    if !bound.unbound.is_empty() {
        let warning =
            "the input was downloaded anew: this run is held to the plan's counts, and not to its records";
        (engine.settings.lines)(&LogLine::new(LogLevel::WARN, warning));
    }
    bound.holds(engine.settings.limit, &bindable(engine, chain, means, digests))?;
    bound.passed(records, &passed_by_sink(chain))
}

/// What a run can be held to: not to what a source downloads, which the next run downloads anew.
fn bindable(engine: &Engine, chain: &PreparedChain, means: &Files, digests: &[Digest]) -> MadeOf {
    let kept = |input: &InputInfo| match (input.is_download, input.is_file) {
        (true, _) => None,
        (false, true) => Some(Kept::InPlace),
        (false, false) => Some(Kept::Nowhere),
    };
    made_of(engine, chain, means, digests, kept)
}

fn passed_by_sink(chain: &PreparedChain) -> BTreeMap<String, Passed> {
    chain.sinks.iter().filter_map(|sink| Some((sink.name.clone(), sink.passed?))).collect()
}

/// What a plan is made from, when all sinks have finished.
pub(super) struct Planning<'a> {
    pub(super) engine: &'a Engine,
    pub(super) chain: &'a PreparedChain,
    pub(super) notes: &'a Notes,
    /// By sink.
    pub(super) ends: &'a [SinkEnd],
    /// By input.
    pub(super) digests: &'a [Digest],
    pub(super) means: &'a Files,
    /// Records read.
    pub(super) records: u64,
    pub(super) logs: &'a [Arc<RunLog>],
}

impl Planning<'_> {
    pub(super) fn outcome(&self) -> Result<PlanOutcome, Error> {
        let chain = self.chain;
        let (rejects, left_out) = (self.notes.groups(Kind::Reject)?, self.notes.groups(Kind::LeftOut)?);
        let remarks: Vec<(&str, Fact)> = self.facts().collect();
        let measured = || {
            let sinks = chain.sinks.iter();
            sinks.flat_map(|sink| Some((sink, sink.stage.longest.as_ref()?))).flat_map(|(sink, longest)| {
                longest.columns.iter().filter_map(move |column| Some((sink, column, column.origin?)))
            })
        };
        let noted = rejects.iter().chain(&left_out).flat_map(|group| group.first.iter().map(|(at, ..)| *at));
        let remarked = remarks.iter().flat_map(|(_, fact)| fact.first.iter().map(Place::origin));
        let places = Places::find(
            &chain.inputs,
            noted.chain(remarked).chain(measured().map(|(.., origin)| origin)).collect(),
        )?;
        Ok(PlanOutcome {
            bound: Bound {
                limit: self.engine.settings.limit,
                made_of: bindable(self.engine, chain, self.means, self.digests),
                unbound: self.downloads(),
                records: self.records,
                passed: passed_by_sink(chain),
            },
            rejects: self.groups(rejects, &places),
            left_out: self.groups(left_out, &places),
            longest: measured()
                .map(|(sink, measured, origin)| LongestValue {
                    connector: sink.name.clone(),
                    column: measured.column.clone(),
                    chars: measured.chars as u64,
                    limit: measured.limit,
                    over: measured.over,
                    at: places.of(origin),
                })
                .collect(),
            requests: self.requests(),
            remarks: remarks
                .iter()
                .map(|(connector, fact)| Remark {
                    connector: (*connector).to_owned(),
                    says: fact.says.clone(),
                    rows: fact.rows,
                    first: fact.first.iter().map(|place| places.of(place.origin())).collect(),
                })
                .collect(),
        })
    }

    /// The facts of the receipts that are remarks of rows.
    fn facts(&self) -> impl Iterator<Item = (&str, Fact)> {
        self.chain.sinks.iter().zip(self.ends).flat_map(|(sink, end)| {
            let facts = end.receipt.facts.values();
            facts.filter_map(|fact| Some((sink.name.as_str(), Fact::deserialize(fact).ok()?)))
        })
    }

    fn groups(&self, noted: Vec<NotedGroup>, places: &Places) -> Vec<Group> {
        let group = |NotedGroup { owner, code, count, first }| {
            let connector = owner.and_then(|owner| self.chain.sinks.get(owner));
            let examples = first.into_iter().map(|(origin, field, message)| {
                let RecordAt { input, line } = places.of(origin);
                Example { input, line, field, message }
            });
            let connector = connector.map(|sink| sink.name.clone()).unwrap_or_default();
            Group { connector, code, count, examples: examples.collect() }
        };
        let mut groups: Vec<Group> = noted.into_iter().map(group).collect();
        // The sort is stable: reasons of the same count stay in the order of their codes.
        groups.sort_by(|a, b| a.connector.cmp(&b.connector).then(b.count.cmp(&a.count)));
        groups
    }

    fn downloads(&self) -> Vec<String> {
        let inputs = self.chain.inputs.inputs().into_iter();
        inputs.filter(|input| input.is_download).map(|input| input.path).collect()
    }

    fn requests(&self) -> Vec<Requests> {
        let mut counted: BTreeMap<(&str, String), u64> = BTreeMap::new();
        for log in self.logs {
            for (name, count) in log.counters() {
                if let Some(limit) = name.strip_prefix(REQUESTS) {
                    *counted.entry((log.connector(), limit.to_owned())).or_default() +=
                        u64::try_from(count).unwrap_or(0);
                }
            }
        }
        let told = counted.into_iter().filter_map(|((connector, name), requests)| {
            let limit = self.chain.rate_limits.get(connector)?.iter().find(|limit| limit.name == name)?;
            Some(Requests {
                connector: connector.to_owned(),
                limit: name,
                allowed: limit.requests,
                per_seconds: limit.per_seconds,
                requests,
                at_least_seconds: at_least_seconds(requests, limit),
            })
        });
        told.collect()
    }
}

/// The least time from the first to the last of so many requests.
fn at_least_seconds(requests: u64, limit: &RateLimit) -> u64 {
    let full = requests.saturating_sub(1) / u64::from(limit.requests.max(1));
    full.saturating_mul(u64::from(limit.per_seconds.max(1)))
}

/// A remark of rows, as the fact of a receipt.
#[derive(Deserialize)]
struct Fact {
    says: String,
    rows: u64,
    first: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    input: u32,
    offset: u64,
}

impl Place {
    fn origin(&self) -> Origin {
        Origin { input: self.input, length: 0, offset: self.offset }
    }
}

/// The lines of some records, found in one pass over each input that has any.
struct Places<'a> {
    inputs: &'a InputRegistry,
    lines: HashMap<(u32, u64), u64>,
}

impl<'a> Places<'a> {
    fn find(inputs: &'a InputRegistry, mut origins: Vec<Origin>) -> Result<Self, Error> {
        let mut lines = HashMap::new();
        origins.iter_mut().for_each(|origin| origin.length = 0);
        inputs.read_records(&mut origins, |origin, _, line| {
            lines.insert((origin.input, origin.offset), line);
            Ok(())
        })?;
        Ok(Self { inputs, lines })
    }

    fn of(&self, origin: Origin) -> RecordAt {
        let line = self.lines.get(&(origin.input, origin.offset)).copied().unwrap_or_default();
        RecordAt { input: self.inputs.name(origin.input), line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_limit_makes_a_run_take_time() {
        let limit = |requests, per_seconds| RateLimit { requests, per_seconds, ..RateLimit::default() };
        let cases = [
            (0, limit(200, 60), 0),
            (200, limit(200, 60), 0),
            (201, limit(200, 60), 60),
            (2_401, limit(200, 60), 720),
            (5, limit(4, 1), 1),
            (10_001, limit(10_000, 86_400), 86_400),
        ];
        for (requests, limit, seconds) in cases {
            assert_eq!(at_least_seconds(requests, &limit), seconds, "{requests} under {limit:?}");
        }
    }
}
