//! What the suite found.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The component does what it must.
    Passed,
    /// It does not: what it fails at, with the smallest input known.
    Failed(String),
    /// The check does not apply, or the case lacks what it needs.
    Skipped(String),
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// `plugin`, or role and name of the component (`sink users`).
    pub subject: String,
    /// What must be true, as a sentence.
    pub name: &'static str,
    /// Whether it is.
    pub verdict: Verdict,
}

/// All checks, in the order in which they ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The checks.
    pub checks: Vec<Check>,
}

/// Why a check ends early.
pub(super) enum Stop {
    Failed(String),
    Skipped(String),
}

impl From<String> for Stop {
    fn from(failure: String) -> Self {
        Self::Failed(failure)
    }
}

/// For checks that do not apply.
pub(super) fn skip<T>(reason: &str) -> Result<T, Stop> {
    Err(Stop::Skipped(reason.to_owned()))
}

impl Outcome {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|c| matches!(c.verdict, Verdict::Failed(_)))
    }

    /// Whether none failed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Panics with the list of checks when one failed.
    ///
    /// # Panics
    ///
    /// See above; that is what it is for.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.passed(), "{self}");
    }

    pub(super) fn run(
        &mut self,
        subject: &str,
        name: &'static str,
        check: impl FnOnce() -> Result<(), Stop>,
    ) {
        let verdict = match catch_unwind(AssertUnwindSafe(check)) {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(Stop::Failed(failure))) => Verdict::Failed(failure),
            Ok(Err(Stop::Skipped(reason))) => Verdict::Skipped(reason),
            Err(panic) => Verdict::Failed(format!("panicked: {}", usher_abi::export::panic_message(&*panic))),
        };
        self.checks.push(Check { subject: subject.to_owned(), name, verdict });
    }
}

impl std::fmt::Display for Outcome {
    /// The failures first, then one line a check.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (failed, all) = (self.failures().count(), self.checks.len());
        writeln!(f, "{failed} of {all} checks failed")?;
        for check in self.failures() {
            if let Verdict::Failed(failure) = &check.verdict {
                writeln!(
                    f,
                    "\n  {}: {}\n    {}",
                    check.subject,
                    check.name,
                    failure.replace('\n', "\n    ")
                )?;
            }
        }
        writeln!(f)?;
        for check in &self.checks {
            let mark = match &check.verdict {
                Verdict::Passed => "ok     ",
                Verdict::Failed(_) => "FAILED ",
                Verdict::Skipped(_) => "skipped",
            };
            write!(f, "  {mark} {}: {}", check.subject, check.name)?;
            match &check.verdict {
                Verdict::Skipped(reason) => writeln!(f, " ({reason})")?,
                _ => writeln!(f)?,
            }
        }
        Ok(())
    }
}
