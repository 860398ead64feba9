//! `usher run`

use std::path::PathBuf;

use clap::Args;

use super::{
    Global,
    session::{RunFlags, Session},
};
use crate::{chain::Mode, report::summary, services::Tape};

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
    /// Publish nothing; the same as `usher plan`
    #[arg(long, conflicts_with_all = ["metrics_file", "wait"])]
    dry_run: bool,
    /// Go on with nothing: send every row, also those that an unfinished run has sent
    #[arg(long, conflicts_with = "dry_run")]
    anew: bool,
    /// Write each exchange over the network into this folder, without secrets
    #[arg(long, value_name = "DIR", conflicts_with_all = ["replay", "dry_run"])]
    record: Option<PathBuf>,
    /// Leave values of people out of the record: what is recorded can be shown to others, and replays where the connector
    /// does not depend on such values
    #[arg(long, requires = "record")]
    mask: bool,
    /// Answer requests over the network from such a folder, and send none
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    replay: Option<PathBuf>,
    /// If another run of the chain is sending, wait for its end
    #[arg(long)]
    wait: bool,
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
            return super::plan::Plan { chains: self.chains, limit: self.limit }.execute(global);
        }
        let tape = self.record.map(|folder| Tape::Record { folder, masked: self.mask });
        let tape = tape.or(self.replay.map(Tape::Replay));
        let flags = RunFlags {
            out: self.out,
            limit: self.limit,
            run_id: self.run_id,
            tape,
            anew: self.anew,
            metrics: self.metrics_file,
            wait: self.wait,
            ..RunFlags::default()
        };
        let mut session = match Session::open(global, flags) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let chains = match session.chains(&self.chains) {
            Ok(chains) => chains,
            Err(code) => return code,
        };
        session.run_chains(&chains, Mode::Run, |outcome| summary(outcome, global.quiet))
    }
}
