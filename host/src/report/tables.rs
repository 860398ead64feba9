//! Tables for people.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use indicatif::{HumanBytes, HumanCount};

use crate::chain::{ConnectorOutcome, Counted, DeliveryOutcome, Outcome};

/// A plain table; `numbers` are the columns to align to the right.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, numbers: &[usize]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

pub(super) fn count(n: u64) -> String {
    HumanCount(n).to_string()
}

/// `1 record`, `2,000 records`
pub(super) fn records_of(n: u64) -> String {
    if n == 1 { "1 record".to_owned() } else { format!("{} records", count(n)) }
}

/// What `usher run` ends with.
pub fn summary(outcome: &Outcome, quiet: bool) -> String {
    let mut text = String::new();
    if !quiet {
        let _ = writeln!(
            text,
            "{}: {} in {:.1} s ({})",
            outcome.chain,
            records_of(outcome.read),
            outcome.seconds,
            rate(outcome)
        );
        text.push_str(&connectors(&outcome.connectors));
        text.push_str(&details(outcome));
    }
    if let Some(folder) = &outcome.folder {
        let _ = writeln!(text, "{folder}");
        if outcome.latest && !quiet {
            let latest = std::path::Path::new(folder).with_file_name("latest");
            let files = outcome.connectors.iter().any(|c| c.delivery.is_none() && !c.parts.is_empty());
            let next = if files { "; open the UPLOAD.md beside each connector's files" } else { "" };
            let _ = writeln!(text, "{} points at it{next}", latest.display());
        }
    }
    refused(outcome, &mut text);
    text
}

fn rate(outcome: &Outcome) -> String {
    let per_second = (outcome.bytes as f64 / outcome.seconds.max(1e-6)) as u64;
    format!("{}, {}/s", HumanBytes(outcome.bytes), HumanBytes(per_second))
}

/// The books of connectors, one a line.
pub(super) fn connectors<'o>(all: impl IntoIterator<Item = &'o ConnectorOutcome>) -> String {
    let all: Vec<&ConnectorOutcome> = all.into_iter().collect();
    let sends = all.iter().any(|c| c.delivery.is_some());
    let sent = |c: &ConnectorOutcome| c.delivery.as_ref().map_or(0, |d| d.confirmed + d.accepted + d.unknown);
    let rows = all.iter().map(|c| {
        let mut row = vec![
            c.name.clone(),
            c.plugin.clone(),
            c.parts.len().to_string(),
            count(c.written),
            count(c.filtered_rows()),
            count(c.merged),
            count(c.rejected_rows()),
            count(c.left_out),
            count(c.changed_values()),
        ];
        if sends {
            row.insert(4, count(sent(c)));
        }
        row
    });
    let mut header = vec![
        "connector",
        "plugin",
        "parts",
        "written",
        "filtered",
        "merged",
        "rejected",
        "left out",
        "changed",
    ];
    if sends {
        header.insert(4, "sent");
    }
    let numbers: Vec<usize> = (2..header.len()).collect();
    table(&header, rows, &numbers)
}

/// What became of the rows of a sink that sends; no more than is known.
fn sent(delivery: &DeliveryOutcome) -> String {
    let terms = [
        (delivery.confirmed, "confirmed"),
        (delivery.accepted, "accepted"),
        (delivery.unknown, "of unknown fate"),
        (delivery.not_sent, "not sent"),
    ];
    let terms: Vec<String> = terms
        .iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, what)| format!("{} {what}", count(*rows)))
        .collect();
    let terms = if terms.is_empty() { "nothing to send".to_owned() } else { terms.join(", ") };
    let units = format!("{} of {} requests settled", count(delivery.settled), count(delivery.units));
    let earlier = match delivery.earlier {
        0 => String::new(),
        earlier => format!(", {} of them by an earlier attempt", count(earlier)),
    };
    format!("{terms} at {} ({units}{earlier})", delivery.account)
}

/// What else is to be said of a sink that gets only what has changed: of a run, or of what a plan says of it.
pub(super) fn gone_and_waiting(connector: &ConnectorOutcome, planned: bool) -> impl Iterator<Item = String> {
    let said = connector.sync.iter().flat_map(move |sync| {
        [
            (sync.waiting, "rows wait to be confirmed, when the vendor has them (`usher runs confirm`)"),
            (sync.withdrawn, if planned { WITHDRAWN.0 } else { WITHDRAWN.1 }),
            (sync.missing.unwrap_or_default(), if planned { MISSING.0 } else { MISSING.1 }),
        ]
        .into_iter()
        .chain(sync.suspension.iter().flat_map(move |suspension| match planned {
            true => vec![(suspension.not_sent, "of the missing would be suspended")],
            false => suspension.terms().collect(),
        }))
    });
    said.filter(|(number, _)| *number > 0).map(|(number, what)| format!("{} {what}", count(number)))
}

/// In a plan, and of a run.
const WITHDRAWN: (&str, &str) = (
    "withdrawn: delivered before, and left out now",
    "withdrawn: delivered before, and left out now (withdrawn.csv)",
);
const MISSING: (&str, &str) = (
    "missing: delivered before, and gone from the source",
    "missing: delivered before, and gone from the source (missing.csv)",
);

/// Reasons, indented below the table.
fn details(outcome: &Outcome) -> String {
    let mut text = String::new();
    for transform in &outcome.through {
        for change in &transform.changed {
            let _ = writeln!(text, "  {}: {} changed, {}", transform.name, count(change.count), change.what);
        }
    }
    for connector in &outcome.connectors {
        if let Some(of) = &connector.delivery {
            let _ = writeln!(text, "  {}: {}", connector.name, sent(of));
        }
        for line in gone_and_waiting(connector, false) {
            let _ = writeln!(text, "  {}: {line}", connector.name);
        }
        for reject in &connector.rejected {
            let example = if reject.example.is_empty() { "" } else { ": " };
            let _ = writeln!(
                text,
                "  {}: {} rejected, {}{example}{}",
                connector.name,
                count(reject.count),
                reject.code,
                reject.example
            );
        }
        for reason in &connector.filtered {
            let _ = writeln!(text, "  {}: {} filtered, {}", connector.name, count(reason.count), reason.what);
        }
        for change in &connector.changed {
            let _ = writeln!(text, "  {}: {} changed, {}", connector.name, count(change.count), change.what);
        }
    }
    let mut rejected = outcome.connectors.iter().flat_map(|connector| &connector.rejected);
    if rejected.any(|reject| reject.example.is_empty()) {
        let _ = writeln!(text, "  what is wrong with them: usher rejects {}", outcome.run);
    }
    for warning in &outcome.warnings {
        let _ = writeln!(text, "  warning: {warning}");
    }
    text
}

fn refused(outcome: &Outcome, text: &mut String) {
    if outcome.limited && outcome.refused.is_empty() {
        let _ = writeln!(
            text,
            "only the first {} records were read (--limit), so `latest` was not moved",
            count(outcome.read)
        );
    }
    for reason in &outcome.refused {
        let _ = writeln!(text, "refused: {reason}; `latest` was not moved");
    }
    for left in &outcome.partly {
        let _ = writeln!(
            text,
            "partly sent: {left}; `latest` was not moved, run the same command again to go on"
        );
    }
}

/// Values changed, a line for each column and rule.
pub(super) fn changes(changed: &[Counted]) -> String {
    changed.iter().map(|change| format!("    {} × {}\n", count(change.count), change.what)).collect()
}

pub(super) fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// What `usher preview` says.
pub fn preview(outcome: &Outcome) -> String {
    let mut text = String::new();
    for connector in &outcome.connectors {
        let _ = writeln!(text, "{}: {} ({})", outcome.chain, connector.name, connector.plugin);
        text.push_str(&rows(connector));
        for reject in &connector.rejected {
            let _ = writeln!(text, "  {} rejected, {}: {}", count(reject.count), reject.code, reject.example);
        }
        text.push('\n');
    }
    text
}

fn rows(connector: &ConnectorOutcome) -> String {
    let header: Vec<&str> = connector.columns.iter().map(|c| c.column.as_str()).collect();
    let cell = |cell: &Option<String>| match cell {
        None => String::new(),
        Some(text) => {
            let shown: String = text
                .chars()
                .take(40)
                .flat_map(|c| if c.is_control() { ' ' } else { c }.to_string().chars().collect::<Vec<_>>())
                .collect();
            if text.chars().count() > 40 { format!("{shown}…") } else { shown }
        }
    };
    table(&header, connector.sample.iter().map(|row| row.iter().map(cell).collect()), &[])
}
