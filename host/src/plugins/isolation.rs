//! Where a plugin's code runs: in the host's own process, or in a jailed one of its own.

use std::{fmt, path::Path};

use usher_abi::preamble::{NETWORK, Preamble, is_right};

use crate::{
    manifest::{Isolation, Jail},
    runner::Rights,
};

/// Where a plugin runs that does not run in the host's own process.
pub(crate) const APART: &str = if cfg!(target_os = "linux") {
    "in a jail, a process of its own for each instance"
} else {
    "in a process of its own for each instance, which no jail surrounds on this system"
};

/// Where a plugin's code runs, and why there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Where.
    pub isolation: Isolation,
    /// Why.
    pub why: Why,
}

/// Why a plugin runs where it does; the first that is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The command says so.
    Command,
    /// Its connector says so.
    Connector,
    /// It lies where the host's own plugins do.
    CameWithTheHost,
    /// Somebody has looked at it and locked it.
    Locked,
    /// Nobody has said that it can be trusted.
    Stranger,
}

impl Whereabouts {
    pub(super) fn new(isolation: Isolation, why: Why) -> Self {
        Self { isolation, why }
    }
}

/// `in the host's own process (it came with the host)`
impl fmt::Display for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.isolation {
            Isolation::None => "in the host's own process",
            Isolation::Process => APART,
        };
        let why = match self.why {
            Why::Command => "the command says so",
            Why::Connector => "its connector says so",
            Why::CameWithTheHost => "it came with the host",
            Why::Locked => "it is locked",
            Why::Stranger => "it did not come with the host and is not locked",
        };
        write!(f, "{place} ({why})")
    }
}

/// What a worker of the plugin gets: what the plugin wants and the manifest grants. The error, half a line that follows the
/// plugin's name, is that it wants more than that.
pub(super) fn rights(preamble: &Preamble, jail: &Jail) -> Result<Rights, String> {
    let wanted = wanted(preamble);
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
        ..of(&wanted)
    })
}

/// What a worker gets of a plugin that is only looked at: of what it wants, what it is granted.
pub(super) fn granted(preamble: &Preamble, grants: &[String]) -> Rights {
    let mut wanted = wanted(preamble);
    wanted.retain(|want| grants.iter().any(|grant| grant == want));
    of(&wanted)
}

fn wanted(preamble: &Preamble) -> Vec<&str> {
    preamble.wants.iter().map(String::as_str).filter(|want| is_right(want)).collect()
}

fn of(rights: &[&str]) -> Rights {
    let paths = rights.iter().filter(|right| right.starts_with('/'));
    Rights {
        network: rights.contains(&NETWORK),
        paths: paths.map(|path| Path::new(path).to_owned()).collect(),
        ..Rights::default()
    }
}
