//! What a run did not take, for people.

use std::fmt::Write as _;

use super::{advice::advice, tables::count};
use crate::runs::{Group, Run};

/// The rejects of a run, group by group: how many, examples, and what to do.
pub fn rejects(run: &Run, groups: &[Group]) -> String {
    let Run { chain, id, folder, .. } = run;
    let all: u64 = groups.iter().map(|group| group.count).sum();
    let mut text = format!("{chain}, run {id}: {} rejects\n", count(all));
    for group in groups {
        let known = advice(&group.code);
        let meaning = known.map_or(String::new(), |(meaning, _)| format!(": {meaning}"));
        // What the source or the chain rejects, no sink gets.
        let whose = if group.connector.is_empty() { "everybody" } else { &group.connector };
        let _ = writeln!(text, "  {whose}: {} × {}{meaning}", count(group.count), group.code);
        for example in &group.examples {
            let field =
                if example.field.is_empty() { String::new() } else { format!("`{}`: ", example.field) };
            let _ = writeln!(text, "    {}:{}: {field}{}", example.input, example.line, example.message);
        }
        if group.count > group.examples.len() as u64 {
            let _ = writeln!(text, "    … and {} more", count(group.count - group.examples.len() as u64));
        }
        if let Some((_, advice)) = known {
            let _ = writeln!(text, "    what to do: {advice}");
        }
    }
    if all > 0 {
        let _ = writeln!(text, "  all of them, with their records: {}", folder.join("rejects.csv").display());
        let _ = writeln!(text, "  once more, corrected or not: usher retry {id}");
    }
    text
}
