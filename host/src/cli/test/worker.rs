//! The process that loads the plugin and runs the checks. What it finds goes to the supervisor as lines of JSON, so that
//! a plugin which hangs or ends the process leaves everything that was found before.

use std::path::Path;

use serde::{Deserialize, Serialize};
use usher_testkit::{Case, Check, Extent, Suite};

use super::watch::{Printed, Threads};
use crate::{
    cli::session::code,
    manifest::Isolation,
    plugins::{Registry, SearchPath},
    report::print,
};

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// The plugin cannot be worked with, and why.
    Refused(String),
    /// Subject and name of every check, before the first.
    Planned(Vec<(String, String)>),
    /// The check at this place begins.
    Began(usize),
    /// The check has ended.
    Ended {
        /// What came of it.
        check: Check,
        /// What was printed on standard output meanwhile.
        printed: String,
        /// Threads that were not there before; none where nobody can tell.
        threads: Option<usize>,
    },
}

fn say(message: &Message) {
    if let Ok(line) = serde_json::to_string(message) {
        print(&(line + "\n"));
    }
}

/// Runs the checks from a place on.
pub(super) fn run(
    plugin: &str,
    cases: Option<&Path>,
    extent: Extent,
    isolation: Isolation,
    grants: &[String],
    from: usize,
) -> u8 {
    match work(plugin, cases, extent, isolation, grants, from) {
        Ok(()) => code::DONE,
        Err(message) => {
            say(&Message::Refused(message));
            code::FAILED
        }
    }
}

fn work(
    plugin: &str,
    cases: Option<&Path>,
    extent: Extent,
    isolation: Isolation,
    grants: &[String],
    from: usize,
) -> Result<(), String> {
    let mut printed = Printed::divert().map_err(|e| format!("standard output cannot be watched: {e}"))?;
    let registry = Registry::new(SearchPath::new(&[], None, &[]), Path::new(""), None);
    // Where it runs is said, not guessed: by itself in this process, which is nobody else's.
    let registry = registry.forcing(Some(isolation));
    let plugin = registry.look_at(plugin, grants)?;
    let cases = match cases {
        Some(file) => Case::load(file)?,
        None => plugin.description.components.iter().filter_map(|c| Case::guess(c).ok()).collect(),
    };
    let module = plugin.into_module().ok_or("the plugin is in use")?;
    let mut threads = Threads::new();
    let suite = Suite::new(module, &cases, extent).apart(isolation == Isolation::Process);
    let names: Vec<_> = suite.names().map(|(subject, name)| (subject.to_owned(), name.to_owned())).collect();
    let places = from..names.len();
    say(&Message::Planned(names));
    for place in places {
        say(&Message::Began(place));
        let check = suite.run(place);
        say(&Message::Ended { check, printed: printed.since(), threads: threads.more() });
    }
    Ok(())
}
