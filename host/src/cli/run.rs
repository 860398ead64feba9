//! `usher run`

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use usher_abi::Error;

use super::{
    Global,
    session::{RunFlags, Session, code, print_json},
};
use crate::{
    chain::Mode,
    manifest::Diagnostic,
    report::{summary, tell},
    runs::Plan,
    services::Tape,
};

/// Run chains and publish what they write
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The chains, by name; all when none is named
    chains: Vec<String>,
    /// Write here instead of the manifest's `out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Read at most so many records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Refuse to send or publish anything unless it is what this plan says (`usher plan --out FILE`); its chains, unless
    /// some are named
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    plan: Option<PathBuf>,
    /// Publish nothing; the same as `usher plan`
    #[arg(long, conflicts_with_all = ["metrics_file", "wait", "exit_on_withdrawn"])]
    dry_run: bool,
    /// Send what has not changed, too, to connectors with `sync = "changed"`
    #[arg(long)]
    full: bool,
    /// The exit code when all is well, but people delivered before must not be any more (withdrawn.csv); 0 to 125
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u8).range(0..=125))]
    exit_on_withdrawn: Option<u8>,
    /// Go on with nothing: send every row, also those that an unfinished run has sent
    #[arg(long, conflicts_with = "dry_run")]
    anew: bool,
    /// Write each exchange over the network into this folder, without secrets and values of people
    #[arg(long, value_name = "DIR", conflicts_with_all = ["replay", "dry_run"])]
    record: Option<PathBuf>,
    /// Keep values of people in the record: it is as private as the input then, and replays where the connector depends on
    /// such values, too
    #[arg(long, requires = "record")]
    with_values: bool,
    /// Answer requests over the network from such a folder, and send none
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    replay: Option<PathBuf>,
    /// If another run of the chain goes on, wait for its end
    #[arg(long)]
    wait: bool,
    /// Show messages that may quote values of people also where no terminal shows them: in a pipe, in JSON
    #[arg(long)]
    show_values: bool,
    /// Write what came of each chain into this file, in the text form of Prometheus
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<PathBuf>,
    /// Use this run id instead of one made from the time
    #[arg(long, value_name = "ID", hide = true)]
    run_id: Option<String>,
}

impl Run {
    pub(super) fn execute(self, global: &Global) -> u8 {
        if self.dry_run {
            let (chains, limit, full) = (self.chains, self.limit, self.full);
            return super::plan::Plan { chains, limit, full, out: None, show_values: self.show_values }
                .execute(global);
        }
        let mut chains = self.chains;
        let plan = match self.plan.map(|path| approved(&path, &mut chains, &global.manifest)).transpose() {
            Ok(plan) => plan,
            Err(error) => return refuse(global, &error),
        };
        let tape = self.record.map(|folder| Tape::Record { folder, masked: !self.with_values });
        let tape = tape.or(self.replay.map(Tape::Replay));
        let flags = RunFlags {
            out: self.out,
            limit: self.limit,
            run_id: self.run_id,
            tape,
            anew: self.anew,
            metrics: self.metrics_file,
            wait: self.wait,
            full: self.full,
            withdrawn: self.exit_on_withdrawn,
            plan: plan.map(Arc::new),
            show_values: self.show_values,
            ..RunFlags::default()
        };
        let mut session = match Session::open(global, flags) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let chains = match session.chains(&chains) {
            Ok(chains) => chains,
            Err(code) => return code,
        };
        session.run_chains(&chains, Mode::Run, |outcome| summary(outcome, global.quiet))
    }
}

/// The plan in this file, if everything that `chains` (all of the plan's, if none is named) were planned with is what it
/// was. Looked at before any chain begins, since one may send before another is refused.
fn approved(path: &Path, chains: &mut Vec<String>, manifest: &Path) -> Result<Plan, Error> {
    let plan = Plan::read(path)?;
    if chains.is_empty() {
        *chains = plan.chains.iter().map(|planned| planned.chain.clone()).collect();
    }
    plan.files_unchanged(chains, manifest)?;
    Ok(plan)
}

fn refuse(global: &Global, error: &Error) -> u8 {
    if global.json {
        print_json(&[Diagnostic::error(error.to_string()).code(error.code.as_str())]);
    } else {
        tell!(error, "{error}");
        tell!("nothing was sent or published");
    }
    code::FAILED
}
