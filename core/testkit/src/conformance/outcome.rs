//! What the suite found.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Deserialize, Serialize};

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "detail", rename_all = "lowercase")]
pub enum Verdict {
    /// The component does what it must.
    Passed,
    /// It does not: what it fails at, with the smallest input known.
    Failed(String),
    /// The check was not run: it does not apply, or it lacks what it needs.
    Skipped(String),
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `plugin`, or role and name of the component (`sink users`; `sink users #2` for its second case).
    pub subject: String,
    /// What must be true, as a sentence.
    pub name: String,
    /// Whether it is.
    #[serde(flatten)]
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

/// Runs a check; a panic of the suite itself is a failure like any other.
pub(super) fn judge(check: impl FnOnce() -> Result<(), Stop>) -> Verdict {
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(Ok(())) => Verdict::Passed,
        Ok(Err(Stop::Failed(failure))) => Verdict::Failed(failure),
        Ok(Err(Stop::Skipped(reason))) => Verdict::Skipped(reason),
        Err(panic) => Verdict::Failed(format!("panicked: {}", usher_abi::export::panic_message(&*panic))),
    }
}

impl Outcome {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|c| matches!(c.verdict, Verdict::Failed(_)))
    }

    /// The checks that were not run.
    pub fn skipped(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|c| matches!(c.verdict, Verdict::Skipped(_)))
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
}

impl fmt::Display for Outcome {
    /// The failures first, then one line a check, then the counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in self.failures() {
            if let Verdict::Failed(failure) = &check.verdict {
                let failure = failure.replace('\n', "\n    ");
                writeln!(f, "FAILED {}: {}\n    {failure}\n", check.subject, check.name)?;
            }
        }
        for check in &self.checks {
            let (mark, reason) = match &check.verdict {
                Verdict::Passed => ("ok     ", String::new()),
                Verdict::Failed(_) => ("FAILED ", String::new()),
                Verdict::Skipped(reason) => ("skipped", format!(" ({})", reason.replace('\n', "; "))),
            };
            writeln!(f, "{mark} {}: {}{reason}", check.subject, check.name)?;
        }
        let (failed, skipped) = (self.failures().count(), self.skipped().count());
        let passed = self.checks.len() - failed - skipped;
        write!(f, "\n{} checks: {passed} passed, {failed} failed, {skipped} skipped", self.checks.len())
    }
}
