//! `usher plan`

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usher_abi::Error;

use super::{
    Global,
    session::{Ended, RunFlags, Session, code, print_json, worst_of},
};
use crate::{
    chain::{Mode, Outcome},
    report::{on_terminal, plan, print, tell},
    runs::PLAN_VERSION,
    services::{disk_error, replace_private_file},
};

/// Do everything but send and publish, and say exactly what a run would do
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// The chains, by name; all when none is named
    pub(super) chains: Vec<String>,
    /// Read at most so many records
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Count what has not changed, too, for connectors with `sync = "changed"`
    #[arg(long)]
    pub(super) full: bool,
    /// Write the plan into this file, too, for `usher run --plan FILE`, which refuses to do anything else
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Show messages that may quote values of people also where no terminal shows them: in a pipe, in JSON, in FILE
    #[arg(long)]
    pub(super) show_values: bool,
}

impl Plan {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let flags = RunFlags { limit: self.limit, full: self.full, ..RunFlags::default() };
        let mut session = match Session::open(global, flags) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let chains = match session.chains(&self.chains) {
            Ok(chains) => chains,
            Err(code) => return code,
        };
        show(&mut session, &chains, self.show_values, self.out.as_deref())
    }
}

/// Plans chains, and shows and writes what came of it; also for dry runs. Answers the worst exit code.
pub(super) fn show(session: &mut Session, chains: &[String], values: bool, out: Option<&Path>) -> u8 {
    let (mut ended, mut code) = session.run_each(chains, Mode::Plan);
    if let Some(path) = out
        && let Err(error) = write(path, chains, &ended, values)
    {
        tell!(error, "{error}");
        code = worst_of(code, code::FAILED);
    }
    let json = session.global.json;
    let masks = !values && (json || !on_terminal());
    for outcome in ended.iter_mut().filter_map(Ended::well) {
        let masked = masks && outcome.mask();
        if !json {
            print(&plan(outcome, masked));
        }
    }
    if json {
        print_json(&ended);
    }
    code
}

/// What [`crate::runs::Plan`] reads.
#[derive(Serialize)]
struct Written {
    version: u32,
    usher: &'static str,
    /// Whether messages that may quote values were taken out.
    masked: bool,
    chains: Vec<Outcome>,
}

fn write(path: &Path, chains: &[String], ended: &[Ended], values: bool) -> Result<(), Error> {
    let planned = |ended: &Ended| match ended {
        Ended::Well(outcome) => Some(Outcome::clone(outcome)),
        Ended::Badly(_) => None,
    };
    let mut planned: Vec<Outcome> = ended.iter().filter_map(planned).collect();
    if planned.len() < chains.len() {
        let message = format!("`{}` was not written, since not every chain can be planned", path.display());
        return Err(Error::config("plan.incomplete", message));
    }
    for outcome in planned.iter_mut().filter(|_| !values) {
        outcome.mask();
    }
    let written =
        Written { version: PLAN_VERSION, usher: env!("CARGO_PKG_VERSION"), masked: !values, chains: planned };
    let mut text =
        serde_json::to_string_pretty(&written).map_err(|e| Error::bug("host.json", e.to_string()))?;
    text.push('\n');
    replace_private_file(path, text.as_bytes()).map_err(|error| disk_error("plan", path, &error))
}
