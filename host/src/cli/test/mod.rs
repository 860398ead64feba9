//! `usher test`: the conformance suite over a built file.

mod orphan;
mod supervisor;
mod watch;
mod worker;

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use serde_json::json;
use usher_testkit::{Case, Extent, Outcome};

use super::{
    Global,
    plugins::search_path,
    session::{code, print_json, say_error},
};
use crate::{manifest::Isolation, plugins::PluginFile, report::print};

/// Hold a plugin to the conformance suite
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Its file, or its name
    plugin: String,
    /// What to work it with; without this, `conformance.toml` of the current folder or, failing that, what the plugin's
    /// description allows to guess
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// At most 10,000 rows, no long runs; a source without a case is no failure
    #[arg(long)]
    quick: bool,
    /// End a check that takes longer than this
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    deadline: u64,
    /// With `--isolation process`: give it a right that it wants, `network` or a path (may be given several times)
    #[arg(long, value_name = "RIGHT")]
    grant: Vec<String>,
    /// The process that runs the checks, from this one on
    #[arg(long, hide = true, requires = "supervisor")]
    worker: Option<usize>,
    /// The process that watches the worker
    #[arg(long, hide = true)]
    supervisor: Option<u32>,
}

/// A file of cases that a plugin's author keeps beside `Cargo.toml`.
const CASES: &str = "conformance.toml";

impl Test {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let isolation = global.isolation.unwrap_or(Isolation::None);
        let extent = if self.quick { Extent::Quick } else { Extent::Full };
        if let (Some(from), Some(supervisor)) = (self.worker, self.supervisor) {
            orphan::end_with(supervisor);
            let cases = self.cases.as_deref();
            return worker::run(&self.plugin, cases, extent, isolation, &self.grant, from);
        }
        let plugin = match find(global, &self.plugin) {
            Ok(found) => found,
            Err(message) => {
                say_error(global, message);
                return code::FAILED;
            }
        };
        let cases = self.cases.or_else(|| Path::new(CASES).is_file().then(|| CASES.into()));
        if let Some(Err(message)) = cases.as_deref().map(Case::load) {
            say_error(global, message);
            return code::USAGE;
        }
        let started = Instant::now();
        let job = supervisor::Job {
            plugin: &plugin.path,
            cases: cases.as_deref(),
            quick: self.quick,
            isolation,
            grants: &self.grant,
            deadline: Duration::from_secs(self.deadline),
            silent: global.quiet || global.json,
        };
        let outcome = match supervisor::run(&job) {
            Ok(outcome) => outcome,
            Err(error) => {
                say_error(global, format!("cannot run the suite in a process of its own: {error}"));
                return code::FAILED;
            }
        };
        let report = Report { plugin, cases, quick: self.quick, took: started.elapsed(), outcome };
        if global.json {
            report.print_json()
        } else {
            report.print()
        }
        if report.outcome.passed() { code::DONE } else { code::FAILED }
    }
}

/// The plugin of that name, or at that path; none of its code is run.
fn find(global: &Global, plugin: &str) -> Result<PluginFile, String> {
    let (search, folder) = search_path(global);
    let is_file = Path::new(plugin).extension().is_some_and(|e| e == env::consts::DLL_EXTENSION);
    // A path on the command line starts where the user stands, not where the manifest is.
    if is_file || plugin.contains('/') {
        return search.find(&format!("./{plugin}"), Path::new(""));
    }
    search.find(plugin, &folder)
}

/// What came of it, and of what.
struct Report {
    plugin: PluginFile,
    cases: Option<PathBuf>,
    quick: bool,
    took: Duration,
    outcome: Outcome,
}

impl Report {
    fn print(&self) {
        let PluginFile { path, preamble, .. } = &self.plugin;
        let cases = match &self.cases {
            Some(file) => format!("cases of {}", file.display()),
            None => format!("no {CASES}: cases guessed from its description"),
        };
        let quick = if self.quick { "; quick: at most 10,000 rows, no long run" } else { "" };
        let (name, version, path) = (&preamble.name, &preamble.version, path.display());
        let took = self.took.as_secs_f64();
        print(&format!("{name} {version}, {path}\n{cases}{quick}\n\n{} in {took:.1} s\n", self.outcome));
    }

    fn print_json(&self) {
        let failed = self.outcome.failures().count();
        let skipped = self.outcome.skipped().count();
        print_json(&json!({
            "plugin": self.plugin.preamble.name,
            "version": self.plugin.preamble.version,
            "path": self.plugin.path,
            "cases": self.cases,
            "quick": self.quick,
            "seconds": self.took.as_secs_f64(),
            "passed": self.outcome.checks.len() - failed - skipped,
            "failed": failed,
            "skipped": skipped,
            "checks": self.outcome.checks,
        }));
    }
}
