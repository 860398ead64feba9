//! The conformance suite: what every connector must do, whatever its vendor.

mod bench;
mod case;
mod faults;
mod hostile;
mod options;
mod outcome;
mod plugin;
mod sample;
mod sink;
mod source;
mod transform;

use usher_abi::{ModuleRef, Role};

pub use case::Case;
pub use hostile::hostile_texts;
pub use outcome::{Check, Outcome, Verdict};
pub use sample::Sample;

use bench::{Bench, Step};

/// Runs the suite over a plugin: one case per component. Nothing is loaded, read or written outside of this process.
///
/// A failing check says what it fails at with the smallest input that it knows of; see [`Outcome::assert`].
pub fn conformance(module: ModuleRef, cases: &[Case]) -> Outcome {
    let mut outcome = Outcome::default();
    for (name, check) in plugin::CHECKS {
        outcome.run("plugin", name, || check(module, cases));
    }
    for case in cases {
        let bench = Bench::new(module, case);
        let steps = match case.role {
            Role::Source => source::STEPS,
            Role::Transform => transform::STEPS,
            Role::Sink => sink::STEPS,
        };
        for (name, step) in options::STEPS.iter().copied().chain(steps.iter().flat_map(|s| s.iter().copied()))
        {
            outcome.run(&case.title(), name, || step(&bench));
        }
    }
    outcome
}

/// Steps of a role, by file.
type Steps = &'static [&'static [(&'static str, Step)]];
