//! `usher check`

use clap::Args;

use super::{
    Global,
    session::{RunFlags, Session, add_new, code},
};
use crate::chain::{self, Failure};
use crate::plugins::APART;
use crate::report::{list, print};

/// Check manifest, plugins, options, columns and expressions; reads no more than the inputs' heads
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The chains, by name; all when none is named
    chains: Vec<String>,
    /// Ask the vendors, too: credentials, rights, and whether what the manifest names is there; sends only what reads
    #[arg(long)]
    online: bool,
}

impl Check {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let mut session = match Session::open(global, RunFlags::default()) {
            Ok(session) => session,
            Err(code) => return code,
        };
        let chains = match session.chains(&self.chains) {
            Ok(chains) => chains,
            Err(code) => return code,
        };
        let (mut problems, mut warnings, mut exit) = (Vec::new(), Vec::new(), code::DONE);
        for name in &chains {
            match chain::check(&mut session.engine, name, self.online) {
                Ok(more) => add_new(&mut warnings, more),
                Err(Failure::Manifest(more)) => {
                    add_new(&mut problems, more);
                    exit = code::USAGE;
                }
                Err(other) => {
                    let (more, failed) = session.fail(&[], name, other);
                    problems.extend(more);
                    exit = exit.max(failed);
                }
            }
        }
        problems.extend(warnings);
        if global.json || !problems.is_empty() {
            session.say(&problems);
        }
        if exit == code::DONE && !global.json && !global.quiet {
            print(&format!("{}: {} in order\n", global.manifest.display(), chains.join(", ")));
            for (plugin, hosts) in session.engine.plugins.apart() {
                let reached = match hosts {
                    [] => String::new(),
                    hosts => format!("; through the host it reaches {}", list(hosts)),
                };
                print(&format!("{plugin} runs {APART}{reached}\n"));
            }
        }
        exit
    }
}
