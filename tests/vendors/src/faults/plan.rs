//! Which fault strikes when: drawn from a seed, or named beforehand.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 429 with `Retry-After`, before the effect.
    TooManyWithRetryAfter,
    /// 429 without a word of when, before the effect.
    TooMany,
    /// 500 before the effect.
    Error500,
    /// 502 with a gateway's page, before the effect.
    Error502,
    /// 503 before the effect.
    Error503,
    /// 503 although the work was done: the client cannot know.
    Error503After,
    /// The work was done, and the connection is reset in the middle of the reply.
    Reset,
    /// The work was done, and the reply comes in small pieces with long breaths.
    Drip,
    /// The work was done, and the reply is a page with status 200 where JSON was to come.
    Html,
    /// A compressed file ends before its end, and nothing else says so (Auth0's download).
    TruncatedGzip,
    /// The link to a file is no longer good (Auth0's download).
    ExpiredLink,
    /// A job that was taken is never heard of again: 404 for its id. Its effects happen.
    JobLost,
    /// A job answers 404 once, right after it was made.
    JobLate,
    /// The results of a job lack their last entries. The effects happen (Zendesk).
    ShortResults,
}

impl Fault {
    /// Those that any request may meet; the others have their places.
    pub const GENERAL: [Self; 9] = [
        Self::TooManyWithRetryAfter,
        Self::TooMany,
        Self::Error500,
        Self::Error502,
        Self::Error503,
        Self::Error503After,
        Self::Reset,
        Self::Drip,
        Self::Html,
    ];

    /// All there are.
    pub const ALL: [Self; 14] = [
        Self::TooManyWithRetryAfter,
        Self::TooMany,
        Self::Error500,
        Self::Error502,
        Self::Error503,
        Self::Error503After,
        Self::Reset,
        Self::Drip,
        Self::Html,
        Self::TruncatedGzip,
        Self::ExpiredLink,
        Self::JobLost,
        Self::JobLate,
        Self::ShortResults,
    ];

    /// Whether the work is done although the client is not told so.
    pub fn is_after_the_effect(self) -> bool {
        matches!(self, Self::Error503After | Self::Reset | Self::Drip | Self::Html)
    }
}

/// Which faults may strike, how often, and where.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    /// The same seed draws the same faults for the same requests in the same order.
    pub seed: u64,
    /// What may be drawn; empty means none.
    pub kinds: Vec<Fault>,
    /// How likely one is at each place where one may strike, 0 to 1.
    pub probability: f64,
    /// No more than so many are drawn.
    pub at_most: u32,
    /// Requests whose line begins with one of these (`POST /oauth`) meet no fault that is drawn.
    pub spare: Vec<String>,
    /// Faults that are not drawn: each strikes once, at the first request whose line begins so.
    pub planned: Vec<(String, Fault)>,
    /// What `Retry-After` says, in seconds.
    pub retry_after: u64,
    /// The breath between the pieces of a dripping reply, of which there are ten.
    pub breath: Duration,
}

impl Default for FaultPlan {
    fn default() -> Self {
        Self {
            seed: 0,
            kinds: Vec::new(),
            probability: 0.0,
            at_most: u32::MAX,
            spare: Vec::new(),
            planned: Vec::new(),
            retry_after: 1,
            breath: Duration::from_millis(50),
        }
    }
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every kind, one request in ten, twenty at most.
    pub fn random(seed: u64) -> Self {
        Self { seed, kinds: Fault::ALL.to_vec(), probability: 0.1, at_most: 20, ..Self::default() }
    }

    /// One fault, at the first request whose line begins so (`POST /users/import`).
    pub fn once(line: &str, fault: Fault) -> Self {
        Self::none().and(line, fault)
    }

    /// One more that is named beforehand.
    #[must_use]
    pub fn and(mut self, line: &str, fault: Fault) -> Self {
        self.planned.push((line.to_owned(), fault));
        self
    }
}

/// A fault that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struck {
    /// The request that met it.
    pub line: String,
    /// What went wrong.
    pub fault: Fault,
}

/// The plan at work, shared by the layer and the vendor.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Draw>>);

#[derive(Debug)]
struct Draw {
    plan: FaultPlan,
    random: fastrand::Rng,
    drawn: u32,
    struck: Vec<Struck>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        let random = fastrand::Rng::with_seed(plan.seed);
        Self(Arc::new(Mutex::new(Draw { plan, random, drawn: 0, struck: Vec::new() })))
    }

    fn draw(&self) -> MutexGuard<'_, Draw> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one of these strikes here; if so it is noted.
    pub(crate) fn strike(&self, among: &[Fault], line: &str) -> Option<Fault> {
        let mut draw = self.draw();
        let fault = draw.planned(among, line).or_else(|| draw.drawn(among, line))?;
        draw.struck.push(Struck { line: line.to_owned(), fault });
        Some(fault)
    }

    pub(crate) fn struck(&self) -> Vec<Struck> {
        self.draw().struck.clone()
    }

    pub(crate) fn retry_after(&self) -> u64 {
        self.draw().plan.retry_after
    }

    pub(crate) fn breath(&self) -> Duration {
        self.draw().plan.breath
    }
}

impl Draw {
    fn planned(&mut self, among: &[Fault], line: &str) -> Option<Fault> {
        let here =
            |(begin, fault): &(String, Fault)| line.starts_with(begin.as_str()) && among.contains(fault);
        let at = self.plan.planned.iter().position(here)?;
        Some(self.plan.planned.remove(at).1)
    }

    fn drawn(&mut self, among: &[Fault], line: &str) -> Option<Fault> {
        let may: Vec<Fault> = self.plan.kinds.iter().copied().filter(|kind| among.contains(kind)).collect();
        let is_spared = self.plan.spare.iter().any(|begin| line.starts_with(begin.as_str()));
        if may.is_empty() || is_spared || self.drawn >= self.plan.at_most {
            return None;
        }
        if self.random.f64() >= self.plan.probability {
            return None;
        }
        self.drawn += 1;
        self.random.choice(may)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draw = self.draw();
        write!(out, "seed {}, {} faults", draw.plan.seed, draw.struck.len())?;
        draw.struck.iter().try_for_each(|struck| write!(out, "\n  {:?} at {}", struck.fault, struck.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(plan: FaultPlan) -> Vec<Struck> {
        let faults = Faults::new(plan);
        for number in 0..200 {
            faults.strike(&Fault::GENERAL, &format!("GET /{number}"));
        }
        faults.struck()
    }

    #[test]
    fn a_seed_gives_the_same_faults_and_no_more_than_allowed() {
        let first = run(FaultPlan { at_most: 7, ..FaultPlan::random(3) });
        assert_eq!(first, run(FaultPlan { at_most: 7, ..FaultPlan::random(3) }));
        assert_eq!(first.len(), 7);
        assert_ne!(first, run(FaultPlan { at_most: 7, ..FaultPlan::random(4) }));
    }

    #[test]
    fn what_is_planned_strikes_once_and_what_is_spared_never() {
        let once = run(FaultPlan::once("GET /19", Fault::Html));
        assert_eq!(once, [Struck { line: "GET /19".to_owned(), fault: Fault::Html }]);
        let plan = FaultPlan { spare: vec!["GET /".to_owned()], probability: 1.0, ..FaultPlan::random(1) };
        assert_eq!(run(plan), []);
    }
}
