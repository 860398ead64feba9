//! `usher runs prune`

use std::{path::PathBuf, time::SystemTime};

use clap::Args;
use usher_abi::Error;

use super::{
    Global,
    session::{code, print_json, say_error},
};
use crate::{
    manifest::{Manifest, Retention},
    report::{self, print},
    runs::{Run, prune},
    services::Synced,
};

/// What `usher runs prune` takes.
#[derive(Debug, Args)]
pub(super) struct Prune {
    /// Remove nothing, and tell what would be
    #[arg(long)]
    dry_run: bool,
}

impl Prune {
    pub(super) fn execute(
        self,
        global: &Global,
        manifest: &Manifest,
        out: Option<PathBuf>,
    ) -> Result<u8, Error> {
        let keep = manifest.retention.unwrap_or_default();
        if keep == Retention::default() {
            say_error(
                global,
                format!(
                    "`{}` keeps all runs for ever; write `[retention]` with `runs = \"30d\"`, `rejects = \"7d\"` or \
                     `inputs = \"1d\"`",
                    manifest.path.display()
                ),
            );
            return Ok(code::USAGE);
        }
        let waiting = Synced::new(&manifest.state).waiting()?;
        let waits = |run: &Run| waiting.iter().any(|one| one.chain == run.chain && one.run == run.id);
        let out = out.as_ref().unwrap_or(&manifest.out);
        let pruned = prune(out, keep, SystemTime::now(), waits, self.dry_run)?;
        if global.json {
            print_json(&pruned);
        } else {
            print(&report::pruned(&pruned, self.dry_run));
        }
        Ok(code::DONE)
    }
}
