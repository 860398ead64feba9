//! Stage 1's files, by Landlock: the plugin's and the system's libraries, for reading and running; what the manifest grants,
//! for reading.

use std::{io, path::Path};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
    path_beneath_rules,
};

use crate::runner::worker::Rights;

/// What the loader reads: its cache, and folders of libraries, as far as they are there.
const SYSTEM: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/lib",
    "/lib64",
    "/lib32",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/nix/store",
    "/gnu/store",
];

/// The newest of Landlock's versions whose rules are used; older kernels do what they can.
const NEWEST: ABI = ABI::V6;

/// From now on nothing else is opened, nothing is bound or connected by TCP unless that was granted, and nothing outside is
/// signalled. Answers what this kernel cannot do.
pub(super) fn restrict(plugin: &Path, rights: &Rights) -> io::Result<Vec<String>> {
    let all = AccessFs::from_all(NEWEST);
    let libraries = AccessFs::ReadFile | AccessFs::Execute;
    let cannot =
        |e: landlock::RulesetError| io::Error::other(format!("its files cannot be locked away: {e}"));
    let status = (|| {
        let rules = Ruleset::default().handle_access(all)?;
        let rules = match rights.network {
            true => rules,
            false => rules.handle_access(AccessNet::from_all(NEWEST))?,
        };
        rules
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .add_rules(path_beneath_rules([plugin], libraries))?
            .add_rules(path_beneath_rules(SYSTEM, libraries))?
            .add_rules(path_beneath_rules(&rights.paths, AccessFs::ReadFile | AccessFs::ReadDir))?
            .restrict_self()
    })()
    .map_err(cannot)?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Vec::new(),
        RulesetStatus::PartiallyEnforced => vec![
            "this kernel's Landlock is older than the jail would like: while it is loaded, a plugin might signal processes of \
             yours"
                .to_owned(),
        ],
        RulesetStatus::NotEnforced => vec![
            "this kernel has no Landlock: while it is loaded, a plugin can read the files that you can read".to_owned(),
        ],
    })
}
