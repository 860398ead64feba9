//! What `usher plan` says: a text that somebody can approve.

use std::fmt::Write as _;

use indicatif::HumanBytes;

use super::{
    rejects::{examples, headline},
    tables::{changes, count, gone_and_waiting, indent, records_of, table},
};
use crate::{
    chain::{ConnectorOutcome, Filling, Outcome, PlanOutcome, Requests},
    runs::Group,
};

/// A plan. What stands in records is in it unless the outcome was masked; `masked` says that messages were taken out.
pub fn plan(outcome: &Outcome, masked: bool) -> String {
    let mut text = String::new();
    let limited = if outcome.limited { ", the first ones only (--limit)" } else { "" };
    let _ = writeln!(text, "{}: {} would be read{limited}", outcome.chain, records_of(outcome.read));
    for input in outcome.plan.iter().flat_map(|plan| &plan.bound.made_of.inputs) {
        let _ = writeln!(text, "  {} ({})", input.file.path, HumanBytes(input.file.bytes));
    }
    text.push_str(&overview(outcome));
    if let Some(plan) = &outcome.plan {
        let nobodys = groups(&plan.rejects, "");
        if !nobodys.is_empty() {
            text.push_str("\nthese records are broken or stopped by the chain; no connector gets them\n");
            text.push_str(&indent(&nobodys));
        }
        for transform in outcome.through.iter().filter(|transform| !transform.changed.is_empty()) {
            let _ =
                writeln!(text, "\n{} changes\n{}", transform.name, changes(&transform.changed).trim_end());
        }
        for connector in &outcome.connectors {
            text.push_str(&section(connector, plan));
        }
        text.push_str(&before_it_runs(outcome, plan, masked));
    }
    text
}

/// What goes where, in a line for each sink.
fn overview(outcome: &Outcome) -> String {
    let rows = outcome.connectors.iter().map(|c| {
        let bytes: u64 = c.parts.iter().map(|part| part.bytes).sum();
        vec![
            c.name.clone(),
            c.plugin.clone(),
            count(rows_of(c)),
            c.delivery.as_ref().map_or("files", |_| "requests").to_owned(),
            count(c.delivery.as_ref().map_or(c.parts.len() as u64, |delivery| delivery.units)),
            HumanBytes(bytes).to_string(),
            count(c.filtered_rows()),
            count(c.merged),
            count(c.rejected_rows()),
            count(c.left_out),
            count(c.changed_values()),
        ]
    });
    let header = [
        "connector",
        "plugin",
        "rows",
        "as",
        "",
        "size",
        "filtered",
        "merged",
        "rejected",
        "left out",
        "changed",
    ];
    table(&header, rows, &[2, 4, 5, 6, 7, 8, 9, 10])
}

fn rows_of(connector: &ConnectorOutcome) -> u64 {
    connector.written + connector.delivery.as_ref().map_or(0, |delivery| delivery.not_sent)
}

fn section(connector: &ConnectorOutcome, plan: &PlanOutcome) -> String {
    let rows = match rows_of(connector) {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", count(rows)),
    };
    let mut text = match &connector.delivery {
        None => format!("\n{} ({}): {rows} would be written\n", connector.name, connector.plugin),
        Some(delivery) => format!(
            "\n{} ({}): {rows} would be sent to {} ({} requests)\n",
            connector.name,
            connector.plugin,
            delivery.account,
            count(delivery.units)
        ),
    };
    // All limits hold at once: the slowest says how long it takes.
    let of_it = plan.requests.iter().filter(|requests| requests.connector == connector.name);
    if let Some(slowest) = of_it.max_by_key(|requests| (requests.at_least_seconds, requests.requests)) {
        let _ = writeln!(text, "  {}", time(slowest));
    }
    let parts =
        connector.parts.iter().map(|p| vec![p.path.clone(), count(p.rows), HumanBytes(p.bytes).to_string()]);
    text.push_str(&indent(&table(&["part", "rows", "size"], parts, &[1, 2])));
    text.push_str(&indent(&columns(connector, plan)));
    for reason in &connector.filtered {
        let _ = writeln!(text, "  filtered: {} × {}", count(reason.count), reason.what);
    }
    for line in gone_and_waiting(connector, true) {
        let _ = writeln!(text, "  {line}");
    }
    if connector.merged > 0 {
        let _ = writeln!(text, "  merged: {} into other rows", count(connector.merged));
    }
    for (what, list) in [("rejected", &plan.rejects), ("left out of rows", &plan.left_out)] {
        let groups = groups(list, &connector.name);
        if !groups.is_empty() {
            let _ = writeln!(text, "  {what}");
            text.push_str(&indent(&indent(&groups)));
        }
    }
    if !connector.changed.is_empty() {
        let _ = writeln!(text, "  changed\n{}", changes(&connector.changed).trim_end());
    }
    text
}

fn columns(connector: &ConnectorOutcome, plan: &PlanOutcome) -> String {
    let rows = connector.columns.iter().map(|column| {
        let longest =
            plan.longest.iter().find(|l| l.connector == connector.name && l.column == column.column);
        let longest = match longest {
            _ if connector.empty_columns.contains(&column.column) => "no row fills it".to_owned(),
            None => String::new(),
            Some(l) => {
                let over = if l.over > 0 { format!(", {} too long", count(l.over)) } else { String::new() };
                format!(
                    "{} of {}{over} ({}:{})",
                    count(l.chars),
                    count(l.limit.into()),
                    l.at.input,
                    l.at.line
                )
            }
        };
        vec![column.column.clone(), from(column.from).to_owned(), longest, column.how.clone()]
    });
    table(&["column", "from", "longest", "how"], rows, &[])
}

fn from(filling: Filling) -> &'static str {
    match filling {
        Filling::Field => "field",
        Filling::Default => "default",
        Filling::Claim => "claim",
        Filling::Everything => "everything",
    }
}

/// The groups of one connector.
fn groups(groups: &[Group], connector: &str) -> String {
    let of_it = groups.iter().filter(|group| group.connector == connector);
    of_it.map(|group| format!("{}\n{}", headline(group), indent(&examples(group)))).collect()
}

fn time(requests: &Requests) -> String {
    let Requests { limit, allowed, per_seconds, requests: sent, at_least_seconds, .. } = requests;
    let limit = format!("`{limit}` ({} in {})", count((*allowed).into()), duration((*per_seconds).into()));
    match at_least_seconds {
        0 => format!("{} requests: no wait under the rate limit {limit}", count(*sent)),
        seconds => {
            format!("{} requests: at least {} under the rate limit {limit}", count(*sent), duration(*seconds))
        }
    }
}

/// In the unit that people would use.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{:.1} h", seconds as f64 / 3_600.0),
    }
}

/// What to know before it runs.
fn before_it_runs(outcome: &Outcome, plan: &PlanOutcome, masked: bool) -> String {
    let mut lines = Vec::new();
    for reason in &outcome.refused {
        lines.push(format!("would be refused: {reason}"));
    }
    for warning in &outcome.warnings {
        // What was remarked of rows, with where these stand.
        let remark =
            plan.remarks.iter().find(|remark| *warning == format!("{}: {}", remark.connector, remark.says));
        let places: Vec<String> =
            remark.iter().flat_map(|r| &r.first).map(|at| format!("{}:{}", at.input, at.line)).collect();
        let more = if remark.is_some_and(|r| r.rows > r.first.len() as u64) { ", …" } else { "" };
        lines.push(match places.is_empty() {
            true => warning.clone(),
            false => format!("{warning} ({}{more})", places.join(", ")),
        });
    }
    if !plan.bound.unbound.is_empty() {
        lines.push(
            "a run downloads its input anew, so that it can be held to the counts of this plan and not to these very \
             records; how long the vendor takes for that is not known"
                .to_owned(),
        );
    }
    if outcome.connectors.iter().any(|connector| connector.delivery.is_some()) {
        lines.push(
            "times count requests only: how long vendors take to answer, jobs that they work on and what is tried again \
             come on top"
                .to_owned(),
        );
    }
    if masked {
        lines.push(
            "messages may quote values, so they are not shown here; `--show-values` shows them".to_owned(),
        );
    }
    match lines.is_empty() {
        true => String::new(),
        false => format!(
            "\nto know before it runs\n{}",
            lines.iter().map(|l| format!("  {l}\n")).collect::<String>()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_told_in_the_unit_that_people_would_use() {
        let told = [0, 60, 119, 120, 3_599, 7_199, 7_200, 86_400].map(duration);
        assert_eq!(told, ["0 s", "60 s", "119 s", "2 min", "59 min", "119 min", "2.0 h", "24.0 h"]);
    }
}
