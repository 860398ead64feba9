//! The suite as a list of checks, which a caller may run one at a time.

use std::{
    iter,
    num::NonZero,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use usher_abi::{ModuleRef, Role};

use super::{
    Case, Check,
    bench::{Bench, Step},
    options,
    outcome::{Outcome, judge},
    plugin, sink, source, transform,
};

/// How much is to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Beside other tests in one process: nothing that measures the process.
    Shared,
    /// In a process of its own, at most 10,000 rows: for the inner loop.
    Quick,
    /// In a process of its own, all of it.
    Full,
}

/// The checks of a plugin, in order.
#[expect(missing_debug_implementations, reason = "a plugin's module has no text")]
pub struct Suite<'a> {
    pub(super) module: ModuleRef,
    pub(super) cases: &'a [Case],
    pub(super) extent: Extent,
    apart: bool,
    planned: Vec<Planned<'a>>,
}

struct Planned<'a> {
    subject: String,
    name: &'static str,
    work: Work<'a>,
}

#[derive(Clone, Copy)]
enum Work<'a> {
    Plugin(plugin::Step),
    Component(&'a Case, Step),
}

/// Steps of a role, by file.
pub(super) type Steps = &'static [&'static [(&'static str, Step)]];

impl<'a> Suite<'a> {
    /// Plans the checks; runs nothing of the plugin yet.
    pub fn new(module: ModuleRef, cases: &'a [Case], extent: Extent) -> Self {
        let of_plugin = plugin::STEPS.iter().map(|&(name, step)| Planned {
            subject: "plugin".to_owned(),
            name,
            work: Work::Plugin(step),
        });
        let of_cases = cases.iter().enumerate().flat_map(|(i, case)| {
            let before = cases[..i].iter().filter(|c| c.title() == case.title()).count();
            let subject =
                if before == 0 { case.title() } else { format!("{} #{}", case.title(), before + 1) };
            let steps = match case.role {
                Role::Source => source::STEPS,
                Role::Transform => transform::STEPS,
                Role::Sink => sink::STEPS,
            };
            let steps = options::STEPS.iter().chain(steps.iter().copied().flatten());
            steps.map(move |&(name, step)| Planned {
                subject: subject.clone(),
                name,
                work: Work::Component(case, step),
            })
        });
        let planned = of_plugin.chain(of_cases).collect();
        Self { module, cases, extent, apart: false, planned }
    }

    /// Says that each instance has a process of its own, so that nothing is left of it once it is closed.
    #[must_use]
    pub fn apart(self, apart: bool) -> Self {
        Self { apart, ..self }
    }

    /// Subject and name of each check, in order.
    pub fn names(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.planned.iter().map(|planned| (planned.subject.as_str(), planned.name))
    }

    /// Runs the check at a place of [`names`](Self::names).
    ///
    /// # Panics
    ///
    /// When there is no such place.
    pub fn run(&self, place: usize) -> Check {
        let Planned { subject, name, work } = &self.planned[place];
        let verdict = judge(|| match work {
            Work::Plugin(step) => step(self),
            Work::Component(case, step) => step(&Bench::new(self.module, case, self.extent, self.apart)),
        });
        Check { subject: subject.clone(), name: (*name).to_owned(), verdict }
    }

    /// Runs all of them, as many at once as the machine has processors; the outcome is in order.
    pub fn run_all(&self) -> Outcome {
        let next = AtomicUsize::new(0);
        let work = || {
            let places = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
            let places = places.take_while(|&place| place < self.planned.len());
            places.map(|place| (place, self.run(place))).collect::<Vec<_>>()
        };
        let mut done: Vec<(usize, Check)> = thread::scope(|scope| {
            let workers = thread::available_parallelism().map_or(1, NonZero::get);
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|p| resume_unwind(p)));
            joined.flatten().collect()
        });
        done.sort_by_key(|(place, _)| *place);
        Outcome { checks: done.into_iter().map(|(_, check)| check).collect() }
    }
}
