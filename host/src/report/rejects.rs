//! What a run did not take, for people.

use std::fmt::Write as _;

use super::{
    advice::advice,
    tables::{count, indent},
};
use crate::runs::{Group, Run};

/// The rejects of a run, group by group: how many, examples, and what to do. `retried`: the run tried records of another again.
pub fn rejects(run: &Run, groups: &[Group], retried: bool) -> String {
    let Run { chain, id, folder, .. } = run;
    let all: u64 = groups.iter().map(|group| group.count).sum();
    let mut text = format!("{chain}, run {id}: {} reject{}\n", count(all), if all == 1 { "" } else { "s" });
    for group in groups {
        // What the source or the chain rejects, no sink gets.
        let whose = if group.connector.is_empty() { "everybody" } else { &group.connector };
        let _ = writeln!(text, "  {whose}: {}", headline(group));
        text.push_str(&indent(&indent(&examples(group))));
        if let Some((_, advice)) = advice(&group.code) {
            let _ = writeln!(text, "    what to do: {advice}");
        }
    }
    if retried && all > 0 {
        let table = folder.join("retried.csv");
        let _ = writeln!(
            text,
            "  lines are those of what was tried again; where each comes from: {}",
            table.display()
        );
    }
    if all > 0 {
        let _ = writeln!(text, "  all of them, with their records: {}", folder.join("rejects.csv").display());
        let _ = writeln!(text, "  once more, as they are: usher retry {id}");
        let _ = writeln!(
            text,
            "  corrected: change `raw` in a copy of {}, and usher retry {id} --rejects COPY",
            folder.join("rejects.ndjson").display()
        );
    }
    text
}

/// How many, the code, and what that means.
pub(super) fn headline(group: &Group) -> String {
    let meaning = advice(&group.code).map_or(String::new(), |(meaning, _)| format!(": {meaning}"));
    format!("{} × {}{meaning}", count(group.count), group.code)
}

/// Where the first ones stand and, unless messages were taken out, what is said of them.
pub(super) fn examples(group: &Group) -> String {
    let mut text = String::new();
    for example in &group.examples {
        let _ = write!(text, "{}:{}", example.input, example.line);
        if !example.field.is_empty() {
            let _ = write!(text, ": `{}`", example.field);
        }
        if !example.message.is_empty() {
            let _ = write!(text, ": {}", example.message);
        }
        text.push('\n');
    }
    if group.count > group.examples.len() as u64 {
        let _ = writeln!(text, "… and {} more", count(group.count - group.examples.len() as u64));
    }
    text
}
