//! `[retention]`: how long what is kept of runs.

use std::time::Duration;

use super::{model::Retention, place::KeyPath, read::Reader, tree::Node};

/// The keys of the table.
pub(super) const KEYS: [&str; 3] = ["runs", "rejects", "inputs"];

/// The largest age, in hours: a hundred years. Larger ones are mistakes, and dates before them do not exist everywhere.
const MOST_HOURS: u64 = 100 * 366 * 24;

impl<'a> Reader<'a> {
    /// The table `retention`. What is wrong in it keeps what it is about for ever.
    pub(super) fn retention(&mut self, node: &'a Node) -> Retention {
        let path = KeyPath::from(["retention"]);
        let Some(entries) = self.table(node, &path, "[retention]") else { return Retention::default() };
        self.known_keys(entries, &path, &KEYS, "");
        let [runs, rejects, inputs] =
            KEYS.map(|key| node.get(key).and_then(|node| self.age(node, &path.child(key))));
        Retention { runs, rejects, inputs }
    }

    fn age(&mut self, node: &'a Node, path: &KeyPath) -> Option<Duration> {
        let help = "write hours (`\"12h\"`), days (`\"30d\"`) or weeks (`\"4w\"`)";
        self.parsed(node, path, ("age", help), age)
    }
}

/// The time of `"12h"`, `"30d"` or `"4w"`.
fn age(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let hours = match unit {
        "h" => 1,
        "d" => 24,
        "w" => 7 * 24,
        _ => return None,
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let hours = number.parse::<u64>().ok().filter(|_| plain)?.checked_mul(hours)?;
    (hours <= MOST_HOURS).then(|| Duration::from_secs(hours * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_hours_days_or_weeks() {
        let hours = |text| age(text).map(|age| age.as_secs() / 3600);
        assert_eq!(["12h", "30d", "4w", "0d"].map(hours), [Some(12), Some(720), Some(672), Some(0)]);
        for text in [
            "",
            "d",
            "30",
            "30 d",
            "-1d",
            "+1d",
            "1.5d",
            "30m",
            "1y",
            "3650000d",
            "99999999999999999999d",
            "1é",
        ] {
            assert_eq!(age(text), None, "{text}");
        }
    }
}
