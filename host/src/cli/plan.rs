//! `usher plan`

use clap::Args;

use super::{
    Global,
    session::{RunFlags, Session},
};
use crate::{chain::Mode, report::plan};

/// Do everything but publish: exact counts, parts, and rejects by reason
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
        session.run_chains(&chains, Mode::Plan, plan)
    }
}
