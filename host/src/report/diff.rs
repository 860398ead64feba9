//! Two runs, held against each other, for people.

use std::{collections::BTreeMap, fmt::Write as _};

use indicatif::HumanBytes;

use super::tables::{count, table};
use crate::runs::{ConnectorDiff, Diff, Pair};

/// What is not the same in two runs.
pub fn diff(diff: &Diff) -> String {
    let Pair { before, after } = &diff.runs;
    let mut text = format!("{}, run {before} and run {after}\n", diff.chain);
    let same = |same: bool| if same { "the same" } else { "says something else" };
    let _ = writeln!(text, "  manifest: {}", same(diff.same_manifest));
    let version = |version: &String| version.clone();
    let size = |bytes: &u64| HumanBytes(*bytes).to_string();
    changed(&mut text, "plugins", &diff.plugins, version);
    changed(&mut text, "inputs", &diff.inputs, size);
    let Pair { before: then, after: now } = diff.read;
    let _ = writeln!(text, "  records: {} and {}", count(then), count(now));
    for connector in &diff.connectors {
        text.push('\n');
        text += &of_connector(connector, before, after);
    }
    text
}

fn changed<T>(
    text: &mut String,
    what: &str,
    files: &BTreeMap<String, Pair<Option<T>>>,
    told: impl Fn(&T) -> String,
) {
    if files.is_empty() {
        let _ = writeln!(text, "  {what}: the same");
    }
    for (name, Pair { before, after }) in files {
        let how = match (before.as_ref().map(&told), after.as_ref().map(&told)) {
            (Some(before), Some(after)) if before == after => format!("another of {after}"),
            (Some(before), Some(after)) => format!("{before} and {after}"),
            (Some(_), None) => "in the first only".to_owned(),
            (None, _) => "in the second only".to_owned(),
        };
        let _ = writeln!(text, "  {what}: {name}: {how}");
    }
}

fn of_connector(connector: &ConnectorDiff, before: &str, after: &str) -> String {
    let row = |name: String, pair: &Pair<u64>| vec![name, count(pair.before), count(pair.after)];
    let books = connector.books.iter().map(|(term, pair)| row(term.replace('_', " "), pair));
    let rejected = connector.rejected.iter().map(|(code, pair)| row(format!("  {code}"), pair));
    let rows: Vec<Vec<String>> = books.chain(rejected).collect();
    let mut text = table(&[&connector.name, before, after], rows, &[1, 2]);
    if let Some(rows) = &connector.rows {
        let by = rows.key.as_ref().map_or(String::new(), |key| format!(" by `{key}`"));
        let _ = writeln!(
            text,
            "  rows{by}: {} the same, {} changed, {} added, {} gone",
            count(rows.same),
            count(rows.changed),
            count(rows.added),
            count(rows.gone)
        );
    }
    if let Some(why) = &connector.not_compared {
        let _ = writeln!(text, "  rows were not compared: {why}");
    }
    text
}
