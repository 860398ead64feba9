//! `isolation` and `jail` of a connector: where its plugin runs, and what it may do there.

use std::time::Duration;

use super::{
    model::{Isolation, Jail},
    place::KeyPath,
    read::Reader,
    tree::Node,
};

/// The keys of the table.
pub(super) const KEYS: [&str; 3] = ["memory", "deadline", "grants"];

/// Less memory than this loads no plugin.
const LEAST_MEMORY: u64 = 32_000_000;

impl<'a> Reader<'a> {
    /// What the table of a connector says of its jail.
    pub(super) fn jail(&mut self, table: &'a Node, path: &KeyPath) -> Jail {
        let isolation = table.get("isolation");
        let isolation =
            isolation.and_then(|node| self.one_of(node, &path.child("isolation"), &Isolation::NAMES));
        let mut jail = Jail { isolation: isolation.and_then(Isolation::parse), ..Jail::default() };
        let path = path.child("jail");
        let Some(node) = table.get("jail") else { return jail };
        let Some(entries) = self.table(node, &path, "jail = { memory = \"2GB\" }") else { return jail };
        self.known_keys(entries, &path, &KEYS, "");
        let help = "write megabytes or gigabytes (`\"500MB\"`, `\"2GB\"`), 32 MB at least";
        let at = |key| node.get(key).map(|node| (node, path.child(key)));
        jail.memory = at("memory").and_then(|(node, at)| self.parsed(node, &at, ("memory", help), memory));
        let help = "write seconds, minutes or hours (`\"90s\"`, `\"5m\"`, `\"1h\"`)";
        jail.deadline =
            at("deadline").and_then(|(node, at)| self.parsed(node, &at, ("deadline", help), time));
        let grants = node.get("grants").and_then(|node| self.strings(node, &path.child("grants")));
        jail.grants = grants.unwrap_or_default();
        for (i, grant) in jail.grants.iter().enumerate() {
            if !usher_abi::preamble::is_right(grant) {
                let message = format!("`{grant}` cannot be granted");
                let help = "write `\"network\"`, or an absolute path that the plugin wants to read";
                self.error(&path.child("grants").child(i), message, Some(help));
            }
        }
        jail
    }
}

/// The bytes of `"500MB"` or `"2GB"`.
fn memory(text: &str) -> Option<u64> {
    let bytes = number(text, &[("MB", 1_000_000), ("GB", 1_000_000_000)])?;
    (bytes >= LEAST_MEMORY).then_some(bytes)
}

/// The time of `"90s"`, `"5m"` or `"1h"`; not none at all.
fn time(text: &str) -> Option<Duration> {
    let seconds = number(text, &[("s", 1), ("m", 60), ("h", 3600)])?;
    (1..=365 * 24 * 3600).contains(&seconds).then(|| Duration::from_secs(seconds))
}

fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| plain)?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_units() {
        assert_eq!(["32MB", "2GB"].map(memory), [Some(32_000_000), Some(2_000_000_000)]);
        for text in ["", "MB", "31MB", "2", "2 GB", "+2GB", "2gb", "99999999999999999999GB"] {
            assert_eq!(memory(text), None, "{text}");
        }
        let seconds = |text| time(text).map(|time| time.as_secs());
        assert_eq!(["90s", "5m", "1h"].map(seconds), [Some(90), Some(300), Some(3600)]);
        for text in ["", "s", "0s", "5", "5 m", "-1s", "9000h", "1é"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
