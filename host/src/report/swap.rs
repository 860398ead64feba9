//! A swap, for people.

use std::fmt::Write as _;

use super::tables::{connectors, count, indent, table};
use crate::{
    chain::{ConnectorOutcome, Counted},
    plugins::Change,
    swap::{Comparison, Fate, InChain, Meaning, Party, Taken, Trial, Tried},
};

/// Two sides, as tables head them.
type Heads<'a> = (&'a str, &'a str);

/// What happens if one takes the place of another, and the change to the manifest named `manifest`.
pub fn swap(comparison: &Comparison, manifest: &str) -> String {
    let Comparison { old, new, differences, chains, .. } = comparison;
    let plugins = old.connector == new.connector;
    let heads = if plugins { (&*old.plugin, &*new.plugin) } else { (&*old.connector, &*new.connector) };
    let mut text = if plugins {
        format!("{}: {} instead of {}\n", old.connector, label(new, " (", ")"), label(old, " (", ")"))
    } else {
        format!(
            "{} ({}) instead of {} ({})\n",
            new.connector,
            label(new, ", ", ""),
            old.connector,
            label(old, ", ", "")
        )
    };
    differences.iter().for_each(|change| text += &format!("  {}\n", told(change)));
    if chains.is_empty() {
        text += "no chain writes to it, so there are no rows to compare\n";
    }
    for chain in chains {
        text += &format!("\n{}\n", chain.chain);
        text += &columns(chain, heads);
        if let Some(trial) = &chain.trial {
            text += &rows(trial, heads);
        }
    }
    text + &change(comparison, manifest)
}

/// Plugin and version, and the form of delivery between these two.
fn label(party: &Party, before: &str, after: &str) -> String {
    let form = if party.form.is_empty() { String::new() } else { format!("{before}{}{after}", party.form) };
    format!("{} {}{form}", party.plugin, party.version)
}

fn told(change: &Change) -> String {
    let stricter = if change.breaking { " (stricter)" } else { "" };
    format!("{}{stricter}", change.what)
}

/// What the records say, and who takes it.
fn columns(chain: &InChain, (old, new): Heads<'_>) -> String {
    let mut text = String::new();
    if chain.assumed {
        text += "  its source cannot be asked now, so all that it may provide is taken to be there\n";
    }
    let row = |meaning: &Meaning| {
        let fate = match meaning.fate {
            Fate::Lost => "lost".to_owned(),
            Fate::Gained => "gained".to_owned(),
            Fate::Kept => meaning.differences.iter().map(|c| c.what.clone()).collect::<Vec<_>>().join("; "),
        };
        vec![meaning.claim.clone(), taken(&meaning.old), taken(&meaning.new), fate]
    };
    text += &indent(&table(&["claim", old, new, ""], chain.meanings.iter().map(row), &[]));
    for column in &chain.unfilled {
        let _ = writeln!(text, "  nothing fills `{column}`, which `{new}` wants in every row");
    }
    chain.warnings.iter().for_each(|warning| text += &format!("  warning: {warning}\n"));
    text
}

fn taken(columns: &[Taken]) -> String {
    let shown = |taken: &Taken| match taken.alone {
        true => taken.column.clone(),
        false => format!("part of {}", taken.column),
    };
    columns.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// What becomes of the rows at hand.
fn rows(trial: &Trial, heads: Heads<'_>) -> String {
    let mut text = String::new();
    let mut sides: [Option<&ConnectorOutcome>; 2] = [None, None];
    let mut remarks = Vec::new();
    for (at, (side, head)) in
        [(Some(&trial.old), heads.0), (trial.new.as_ref(), heads.1)].into_iter().enumerate()
    {
        match side {
            Some(Tried::Planned { read, connector, refused, .. }) => {
                if at == 0 || sides[0].is_none() {
                    let _ = writeln!(text, "  with the data at hand: {} records", count(*read));
                }
                sides[at] = Some(&**connector);
                remarks.extend(refused.iter().map(|why| format!("{head} would be refused: {why}")));
            }
            Some(Tried::NotTried(why))
                if at == 1 && matches!(&trial.old, Tried::NotTried(old) if old == why) => {}
            Some(Tried::NotTried(why)) => remarks.push(format!("no data: {why}")),
            None => remarks.push(format!("{head} is not tried before the changed manifest is in order")),
        }
    }
    if sides.iter().any(Option::is_some) {
        text += &indent(&connectors(sides.into_iter().flatten()));
        let reasons = reasons(sides);
        if !reasons.is_empty() {
            text += &indent(&table(
                &[
                    "why",
                    heads.0,
                    heads.1,
                    if reasons.iter().all(|row| row[3].is_empty()) { "" } else { "for example" },
                ],
                reasons,
                &[1, 2],
            ));
        }
    }
    remarks.iter().for_each(|remark| text += &format!("  {remark}\n"));
    text
}

/// Rejects, filters and changes, side by side.
fn reasons(sides: [Option<&ConnectorOutcome>; 2]) -> Vec<Vec<String>> {
    let mut found: Vec<(String, [u64; 2], String)> = Vec::new();
    for (at, side) in sides.iter().enumerate() {
        let Some(side) = side else { continue };
        let mut note = |what: String, many: u64, example: &str| {
            let known = found.iter_mut().find(|(other, ..)| *other == what);
            match known {
                Some((_, counts, shown)) => {
                    counts[at] = many;
                    *shown = example.to_owned();
                }
                None => {
                    let mut counts = [0, 0];
                    counts[at] = many;
                    found.push((what, counts, example.to_owned()));
                }
            }
        };
        for reject in &side.rejected {
            note(format!("rejected, {}", reject.code), reject.count, &reject.example);
        }
        let counted = |what: &str, list: &[Counted]| {
            list.iter().map(|c| (format!("{what}, {}", c.what), c.count)).collect::<Vec<_>>()
        };
        let others = counted("filtered", &side.filtered).into_iter().chain(counted("changed", &side.changed));
        others.for_each(|(what, many)| note(what, many, ""));
    }
    let cell = |at: usize, many: u64| sides[at].map_or_else(String::new, |_| count(many));
    let kind =
        |what: &str| ["rejected", "filtered", "changed"].iter().position(|kind| what.starts_with(kind));
    found.sort_by_key(|(what, ..)| kind(what));
    let rows =
        found.into_iter().map(|(what, [old, new], example)| vec![what, cell(0, old), cell(1, new), example]);
    rows.collect()
}

/// The change to the manifest, line by line.
fn change(comparison: &Comparison, manifest: &str) -> String {
    let mut text = String::from("\n");
    for gone in &comparison.gone {
        let _ = writeln!(text, "goes: {}, since {}", gone.key, gone.why);
    }
    let _ = writeln!(text, "--- {manifest}\n+++ {manifest}, changed");
    for hunk in &comparison.change {
        let table = if hunk.table.is_empty() { String::new() } else { format!(" {}", hunk.table) };
        let _ = writeln!(text, "@@ line {} @@{table}", hunk.line);
        hunk.removed.iter().for_each(|line| text += &format!("-{line}\n"));
        hunk.added.iter().for_each(|line| text += &format!("+{line}\n"));
    }
    match comparison.written {
        true => text + &format!("written: {manifest}\n"),
        false if !comparison.problems.is_empty() || !comparison.failures.is_empty() => text,
        false if comparison.is_refused() => {
            text + "not written; since a run would be kept back, only `--write --no-data` does\n"
        }
        false => text + "not written; `--write` does\n",
    }
}
