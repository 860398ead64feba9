//! `usher runs`

mod confirm;
mod locate;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use usher_abi::Error;

use super::{
    Global, prune,
    session::{code, load, load_with, out_folder, print_json, say_error},
};
use crate::{
    report::{self, print, tell},
    runs::{self, Receipt, Run},
};

/// List runs, look at one, or see whether it is still what it was
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Runs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Look here instead of in the manifest's `out`
    #[arg(long, value_name = "DIR", global = true)]
    out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the books of a run: what was read, and what became of it
    Show {
        /// The run, by its id
        run: String,
    },
    /// Say that the vendor has what a run wrote for it: of connectors with `sync = "changed"`
    Confirm(confirm::Confirm),
    /// Remove runs, rejects and downloads that are older than the manifest keeps them (`[retention]`)
    Prune(prune::Prune),
    /// Read every file of a run again, and what it was made of, and tell what is not as it was
    Verify {
        /// The run, by its id
        run: String,
    },
    /// Hold two runs of a chain against each other: what they were made of, what became of the records, the rows
    Diff {
        /// The run before, by its id
        before: String,
        /// The run after
        after: String,
    },
    /// Tell which record a written row was made from, by doing the run's work again
    Locate(locate::Locate),
}

impl Runs {
    pub(super) fn execute(self, global: &Global) -> u8 {
        if let Some(Command::Confirm(command)) = self.command {
            return match load(global) {
                Ok(manifest) => told(global, command.execute(global, &manifest, self.out)),
                Err(code) => code,
            };
        }
        if let Some(Command::Prune(command)) = self.command {
            return match load_with(global, "retention") {
                Ok(manifest) => told(global, command.execute(global, &manifest, self.out)),
                Err(code) => code,
            };
        }
        let out = match out_folder(global, self.out) {
            Ok(out) => out,
            Err(code) => return code,
        };
        let done = match self.command {
            None | Some(Command::Confirm(_) | Command::Prune(_)) => list(global, &out),
            Some(Command::Show { run }) => show(global, &out, &run),
            Some(Command::Verify { run }) => verify(global, &out, &run),
            Some(Command::Diff { before, after }) => diff(global, &out, &before, &after),
            Some(Command::Locate(locate)) => return locate.execute(global, &out),
        };
        told(global, done)
    }
}

fn told(global: &Global, done: Result<u8, Error>) -> u8 {
    done.unwrap_or_else(|error| {
        say_error(global, &error);
        code::FAILED
    })
}

fn list(global: &Global, out: &Path) -> Result<u8, Error> {
    let mut all = Vec::new();
    for run in runs::all(out)? {
        match runs::summary(&run.folder) {
            Ok(summary) => all.push((run, summary)),
            Err(error) => tell!(warning, "{error}"),
        }
    }
    if global.json {
        print_json(&all.iter().map(|(run, summary)| shown(run, &json!(summary))).collect::<Vec<_>>());
    } else {
        print(&report::runs(&all));
    }
    Ok(code::DONE)
}

fn show(global: &Global, out: &Path, id: &str) -> Result<u8, Error> {
    let run = runs::find(out, id)?;
    let summary = runs::summary(&run.folder)?;
    let since = Receipt::read(&run.folder).map(|receipt| receipt.since).unwrap_or_default();
    if global.json {
        let mut shown = shown(&run, &json!(summary));
        (shown["pruned"], shown["forgotten"]) = (json!(since.pruned), json!(since.forgotten));
        print_json(&shown);
    } else {
        print(&(report::run(&run, &summary, &runs::retried_by(out, &run)?) + &report::since(&since)));
    }
    Ok(code::DONE)
}

fn verify(global: &Global, out: &Path, id: &str) -> Result<u8, Error> {
    let run = runs::find(out, id)?;
    let verified = runs::verify(&run.folder, &global.manifest)?;
    if global.json {
        print_json(&shown(&run, &json!(verified)));
    } else {
        print(&report::verified(&run, &verified));
    }
    Ok(if verified.different.is_empty() { code::DONE } else { code::FAILED })
}

fn diff(global: &Global, out: &Path, before: &str, after: &str) -> Result<u8, Error> {
    let diff = runs::diff(&runs::find(out, before)?, &runs::find(out, after)?)?;
    if global.json {
        print_json(&diff);
    } else {
        print(&report::diff(&diff));
    }
    Ok(code::DONE)
}

/// What is told of a run, with its name.
fn shown(run: &Run, told: &serde_json::Value) -> serde_json::Value {
    let published = jiff::Timestamp::try_from(run.published).map(|at| at.to_string()).unwrap_or_default();
    let mut shown = json!({
        "chain": run.chain, "run": run.id, "folder": run.folder, "published": published, "latest": run.latest,
    });
    if let (Some(shown), Some(told)) = (shown.as_object_mut(), told.as_object()) {
        shown.extend(told.clone());
    }
    shown
}
