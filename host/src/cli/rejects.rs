//! `usher rejects`

mod import;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use usher_abi::Error;

use super::{
    Global,
    session::{code, out_folder, print_json, say_error},
};
use crate::{
    report::{print, rejects},
    runs::{self, Group, Run},
};

/// Show what a run did not take, by reason; or bring back what a vendor did not take, from its error report
#[derive(Debug, Args)]
pub(super) struct Rejects {
    /// The run, by its id; the newest of each chain when none is named (with `--import`: of the only chain)
    run: Option<String>,
    /// Look here instead of in the manifest's `out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    import: import::Import,
}

impl Rejects {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let out = match out_folder(global, self.out) {
            Ok(out) => out,
            Err(code) => return code,
        };
        if self.import.is_wanted() {
            return self.import.execute(global, &out, self.run.as_deref());
        }
        let found = match look(&out, self.run.as_deref()) {
            Ok(found) => found,
            Err(error) => {
                say_error(global, &error);
                return code::FAILED;
            }
        };
        if global.json {
            let shown = |(run, groups): &(Run, Vec<Group>)| -> Value {
                json!({ "chain": run.chain, "run": run.id, "folder": run.folder, "groups": groups })
            };
            print_json(&found.iter().map(shown).collect::<Vec<_>>());
        } else {
            for (run, groups) in &found {
                let retried = run.folder.join("retried.csv").exists();
                print(&rejects(run, groups, retried));
            }
        }
        code::DONE
    }
}

fn look(out: &Path, id: Option<&str>) -> Result<Vec<(Run, Vec<Group>)>, Error> {
    let runs = match id {
        Some(id) => vec![runs::find(out, id)?],
        None => runs::newest(out)?,
    };
    let read = |run: Run| {
        let groups = runs::rejects(&run.folder)?;
        Ok((run, groups))
    };
    runs.into_iter().map(read).collect()
}
