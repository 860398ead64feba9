//! `usher forget`

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use usher_abi::{Error, Role};

use super::{
    Global,
    session::{code, load, print_json, say_error},
};
use crate::{
    manifest::{Chain, Manifest},
    report::{print, whereabouts},
    runs::forget::{Person, Reach, forget},
    services::{Busy, Exclusive, Right},
};

/// Remove a person from runs, state and recordings, and say where they were
#[derive(Debug, Args)]
pub(super) struct Forget {
    /// What the person is known by: an address, an id; case and white space around it do not count
    #[arg(required = true)]
    key: Vec<String>,
    /// Look into this folder of `run --record`, too (may be given several times)
    #[arg(long, value_name = "DIR")]
    recordings: Vec<PathBuf>,
    /// Look here instead of in the manifest's `out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Change nothing, and tell where the person is
    #[arg(long)]
    dry_run: bool,
}

impl Forget {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let manifest = match load(global) {
            Ok(manifest) => manifest,
            Err(code) => return code,
        };
        match Person::new(&self.key) {
            Ok(person) => self.forget(global, &manifest, &person).unwrap_or_else(|error| {
                say_error(global, &error);
                code::FAILED
            }),
            Err(error) => {
                say_error(global, &error);
                code::USAGE
            }
        }
    }

    fn forget(&self, global: &Global, manifest: &Manifest, person: &Person) -> Result<u8, Error> {
        let out = self.out.as_ref().unwrap_or(&manifest.out);
        // Nobody sends or publishes meanwhile.
        let rights = [Right::Run(out), Right::Send(&manifest.state)];
        let rights = rights.into_iter().filter(|right| !self.dry_run && right.folder().is_dir());
        let alone = rights.flat_map(|right| {
            let of =
                move |chain: &Chain| Exclusive::new(right, &chain.name, "to forget somebody", Busy::Fail);
            manifest.chains.iter().map(of)
        });
        let _alone = alone.collect::<Result<Vec<_>, _>>()?;
        let told = forget(
            person,
            &Reach {
                out,
                state: &manifest.state,
                base: &manifest.folder,
                recordings: &self.recordings,
                inputs: &inputs(manifest),
                dry: self.dry_run,
            },
        )?;
        if global.json {
            print_json(&told);
        } else {
            print(&whereabouts(&told, self.dry_run));
        }
        Ok(if told.found.is_empty() || !told.left.is_empty() { code::FAILED } else { code::DONE })
    }
}

/// The files that the options of sources name, as far as they are there: what the next run reads.
fn inputs(manifest: &Manifest) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let sources = manifest.connectors.iter().filter(|one| manifest.role(&one.name) == Some(Role::Source));
    for source in sources {
        let mut left = vec![&source.options];
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) => {
                    let pattern = manifest.folder.join(text);
                    let found = glob::glob(&pattern.to_string_lossy()).into_iter().flatten().flatten();
                    files.extend(found.filter(|path| path.is_file()));
                }
                Value::Array(items) => left.extend(items),
                Value::Object(members) => left.extend(members.values()),
                _ => {}
            }
        }
    }
    files
}
