//! Runs, read back, for people.

use std::{fmt::Write as _, time::SystemTime};

use indicatif::HumanBytes;
use jiff::{Timestamp, tz::TimeZone};

use super::tables::{count, records_of, table};
use crate::{
    runs::{ForgottenIn, How, Pruned, Run, Since, Summary, Suspension, Verified},
    services::{Confirmed, Waiting},
};

/// All runs, one a line.
pub fn runs(all: &[(Run, Summary)]) -> String {
    if all.is_empty() {
        return "no runs yet; make one with `usher run`\n".to_owned();
    }
    let sum = |summary: &Summary, of: fn(&crate::runs::Books) -> u64| {
        count(summary.connectors.iter().map(|connector| of(&connector.books)).sum())
    };
    let rows = all.iter().map(|(run, summary)| {
        vec![
            run.chain.clone(),
            run.id.clone(),
            at(run.published),
            count(summary.read.records),
            sum(summary, |books| books.written + books.sent()),
            sum(summary, |books| books.rejected),
            state(run, summary),
        ]
    });
    table(&["chain", "run", "published", "read", "out", "rejected", ""], rows, &[3, 4, 5])
}

/// One run: what was read, what became of it, and where; and which runs have tried its rejects again.
pub fn run(run: &Run, summary: &Summary, retried_by: &[String]) -> String {
    let Run { chain, id, folder, published, .. } = run;
    let mut text = format!("{chain}, run {id}, published {}\n", at(*published));
    if let Some(of) = &summary.retries {
        let _ = writeln!(text, "  retry of {of}");
    }
    for input in &summary.inputs {
        let _ = writeln!(text, "  read {} ({})", input.path, HumanBytes(input.bytes));
    }
    let limited = if summary.read.limited { ", the first ones only (--limit)" } else { "" };
    let _ = writeln!(text, "  {}{limited}", records_of(summary.read.records));
    for connector in &summary.connectors {
        let books = &connector.books;
        let _ = writeln!(text, "  {} ({} {})", connector.name, connector.plugin, connector.plugin_version);
        let filtered = books.filtered.iter().map(|(reason, rows)| (*rows, format!("filtered: {reason}")));
        let others = [
            (books.written, "written"),
            (books.confirmed, "confirmed"),
            (books.accepted, "accepted"),
            (books.unknown, "of unknown fate"),
            (books.not_sent, "not sent"),
            (books.merged, "merged"),
            (books.rejected, "rejected"),
        ];
        let others = others.map(|(rows, what)| (rows, what.to_owned()));
        let gone = connector.sync.iter().flat_map(|sync| {
            let missing = sync.missing.unwrap_or_default();
            let listed = [(sync.withdrawn, "withdrawn (withdrawn.csv)"), (missing, "missing (missing.csv)")];
            listed.into_iter().chain(sync.suspension.iter().flat_map(Suspension::terms))
        });
        let others = others.into_iter().chain(gone.map(|(people, what)| (people, what.to_owned())));
        for (rows, what) in others.into_iter().chain(filtered).filter(|(rows, _)| *rows > 0) {
            let _ = writeln!(text, "    {} {what}", count(rows));
        }
        for part in &connector.parts {
            let size = HumanBytes(part.bytes);
            let _ = writeln!(
                text,
                "    {}: {} rows, {size}",
                folder.join(&part.path).display(),
                count(part.rows)
            );
        }
    }
    for warning in &summary.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    for refused in &summary.refused {
        let _ = writeln!(text, "  kept back: {refused}");
    }
    for id in retried_by {
        let _ = writeln!(text, "  retried by {id}");
    }
    if run.latest {
        text.push_str("  `latest` names it\n");
    }
    text
}

/// A delivery that waits to be confirmed.
pub fn waits(waiting: &Waiting) -> String {
    let Waiting { chain, connector, run, rows, gone } = waiting;
    let mut what = Vec::new();
    if *rows > 0 {
        what.push(format!("{} rows", count(*rows)));
    }
    if *gone > 0 {
        what.push(format!("{} people withdrawn or missing", count(*gone)));
    }
    format!(
        "{chain}, `{connector}`: {} of run {run} wait until somebody says that the vendor has them, or that they are taken out \
         there: `usher runs confirm {run} {connector}`",
        what.join(" and ")
    )
}

/// What was confirmed of one connector.
pub fn confirmed(chain: &str, run: &str, confirmed: &Confirmed) -> String {
    let Confirmed { connector, rows, not_taken, gone } = confirmed;
    let mut text = format!("{chain}, run {run}, `{connector}`: {} rows confirmed\n", count(*rows));
    let others = [
        (not_taken, "rows that the vendor did not take: they go out again"),
        (gone, "people withdrawn or missing, of whom nothing is known any more"),
    ];
    for (number, what) in others.into_iter().filter(|(number, _)| **number > 0) {
        let _ = writeln!(text, "  {} {what}", count(*number));
    }
    text
}

/// Whether a run is what it was.
pub fn verified(run: &Run, verified: &Verified) -> String {
    let Run { chain, id, .. } = run;
    let all = verified.same + verified.different.len() as u64;
    let mut text = match verified.different.len() {
        0 => format!("{chain}, run {id}: all {all} files are what they were\n"),
        n => format!("{chain}, run {id}: {n} of {all} files are not what they were\n"),
    };
    for difference in &verified.different {
        let how = match difference.how {
            How::Changed => "has changed",
            How::Gone => "is gone",
            How::Unreadable => "cannot be read",
            How::Added => "was not there",
        };
        let _ = writeln!(text, "  {} {} {how}", difference.what, difference.path);
    }
    for input in &verified.not_kept {
        let _ = writeln!(text, "  input {input} was not kept, so that nobody can say");
    }
    text + &since(&verified.since)
}

/// What was taken out of a run since it was published.
pub fn since(since: &Since) -> String {
    let mut text = String::new();
    for ForgottenIn { path, records } in since.forgotten.iter().filter(|file| file.records > 0) {
        let _ = writeln!(text, "  {path}: {} of people forgotten since removed", records_of(*records));
    }
    for file in &since.pruned {
        let _ = writeln!(text, "  {} was pruned ({})", file.path, HumanBytes(file.bytes));
    }
    text
}

/// What is too old.
pub fn pruned(pruned: &[Pruned], dry: bool) -> String {
    if pruned.is_empty() {
        return "nothing is old enough to go\n".to_owned();
    }
    let what = if dry { "would remove" } else { "removed" };
    let mut text = String::new();
    for Pruned { chain, run, whole, files, bytes } in pruned {
        let size = HumanBytes(*bytes);
        let _ = match whole {
            true => writeln!(text, "{chain}, run {run}: {what} all of it ({} files, {size})", files.len()),
            false => writeln!(text, "{chain}, run {run}: {what} {} ({size})", files.join(", ")),
        };
    }
    let all = HumanBytes(pruned.iter().map(|one| one.bytes).sum());
    let _ = writeln!(text, "{what} {all} in all");
    text
}

fn state(run: &Run, summary: &Summary) -> String {
    match () {
        () if run.latest => "latest",
        () if summary.is_partly_sent() => "partly sent",
        () if summary.retries.is_some() => "retry",
        () if !summary.refused.is_empty() => "kept back",
        () if summary.read.limited => "first records",
        () => "",
    }
    .to_owned()
}

/// To the second, in the time of this machine.
fn at(time: SystemTime) -> String {
    let zoned = Timestamp::try_from(time).map(|at| at.to_zoned(TimeZone::system()));
    zoned.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
