//! `usher retry`

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use usher_abi::Error;

use super::{
    Global,
    plan::show,
    session::{RunFlags, Session, code, out_folder, print_json, say_error},
};
use crate::{
    chain::Mode,
    report::{summary, tell},
    runs::{self, Run},
};

/// Run the chain again over what a run did not take, for the sinks that have missed it
#[derive(Debug, Args)]
pub(super) struct Retry {
    /// The run, by its id; may be left out when only one chain has runs: then its newest
    run: Option<String>,
    /// Read the rejects from here instead of from the run's own `rejects.ndjson`: a copy in which `raw` was corrected
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Look for the run, and write, here instead of in the manifest's `out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also if its rejects were tried again before
    #[arg(long)]
    again: bool,
    /// Publish nothing: count only
    #[arg(long, conflicts_with_all = ["metrics_file", "wait"])]
    dry_run: bool,
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

impl Retry {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let out = match out_folder(global, self.out.clone()) {
            Ok(out) => out,
            Err(code) => return code,
        };
        let base = global.manifest.parent().unwrap_or(Path::new(""));
        let retry = match self.read(&out, base) {
            Ok(retry) => retry,
            Err(error) => {
                say_error(global, &error);
                return code::FAILED;
            }
        };
        for (why, records) in &retry.left {
            tell!(warning, "of run {}, {records} × {why}: not tried again", retry.run);
        }
        let chain = retry.chain.clone();
        if retry.inputs.is_empty() {
            tell!("run {} has no rejects to try again", retry.run);
            if global.json {
                print_json(&[(); 0]);
            }
            return code::DONE;
        }
        let flags = RunFlags {
            out: self.out,
            run_id: self.run_id,
            retry: Some(Arc::new(retry)),
            metrics: self.metrics_file,
            wait: self.wait,
            show_values: self.show_values,
            ..RunFlags::default()
        };
        let mut session = match Session::open(global, flags) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let chains = match session.chains(&[chain]) {
            Ok(chains) => chains,
            Err(code) => return code,
        };
        match self.dry_run {
            true => show(&mut session, &chains, self.show_values, None),
            false => session.run_chains(&chains, Mode::Run, |outcome| summary(outcome, global.quiet)),
        }
    }

    fn read(&self, out: &Path, base: &Path) -> Result<runs::Retry, Error> {
        runs::retry(&self.find(out)?, self.rejects.as_deref(), base)
    }

    fn find(&self, out: &Path) -> Result<Run, Error> {
        let run = runs::named(out, self.run.as_deref())?;
        let mut tried = runs::retried_by(out, &run)?;
        // One that was partly sent is gone on with by the same command.
        tried.retain(|id| {
            let summary = runs::find(out, id).and_then(|run| runs::summary(&run.folder));
            summary.is_ok_and(|summary| !summary.is_partly_sent())
        });
        if let Some(last) = tried.last().filter(|_| !self.again) {
            let instead = match self.rejects {
                Some(_) => {
                    format!("correct a copy of that run's rejects (`usher retry {last} --rejects FILE`)")
                }
                None => "retry that one".to_owned(),
            };
            let message = format!(
                "the rejects of run {} were tried again by run {last}: {instead} for what is left, or say `--again` to send \
                 once more what it has sent",
                run.id
            );
            return Err(Error::config("retry.again", message));
        }
        Ok(run)
    }
}
