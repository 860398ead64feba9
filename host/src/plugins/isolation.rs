//! Where a plugin's code runs: in the host's own process, or in a jailed one of its own.

use std::path::Path;

use usher_abi::preamble::{NETWORK, Preamble, is_right};

use crate::{
    manifest::{Isolation, Jail},
    runner::Rights,
};

/// Where a plugin runs whose connector does not say: what came with the host or was looked at and locked, here; everything
/// else apart.
pub(super) fn usual(trusted: bool) -> Isolation {
    if trusted { Isolation::None } else { Isolation::Process }
}

/// What a worker of the plugin gets: what the plugin wants and the manifest grants. The error, half a line that follows the
/// plugin's name, is that it wants more than that.
pub(super) fn rights(preamble: &Preamble, jail: &Jail) -> Result<Rights, String> {
    let wanted: Vec<&str> = preamble.wants.iter().map(String::as_str).filter(|want| is_right(want)).collect();
    if let Some(strange) = wanted.iter().find(|want| want.contains(':')) {
        return Err(format!("wants `{strange}`, a right that this host does not know; update this host"));
    }
    let refused: Vec<&str> =
        wanted.iter().copied().filter(|want| !jail.grants.iter().any(|grant| grant == want)).collect();
    if !refused.is_empty() {
        let list: Vec<String> = wanted.iter().map(|want| format!("\"{want}\"")).collect();
        return Err(format!(
            "wants `{}`, which the manifest does not grant it; write `jail.grants = [{}]` if you trust it with that",
            refused.join("` and `"),
            list.join(", ")
        ));
    }
    let usual = Rights::default();
    Ok(Rights {
        memory: jail.memory.unwrap_or(usual.memory),
        deadline: jail.deadline.unwrap_or(usual.deadline),
        network: wanted.contains(&NETWORK),
        paths: wanted
            .iter()
            .filter(|want| want.starts_with('/'))
            .map(|path| Path::new(path).to_owned())
            .collect(),
    })
}
