//! What a sink makes of hostile values and strange columns.

use super::{
    super::{
        bench::{Bench, Step, need, survive},
        hostile::hostile_texts,
        outcome::Stop,
    },
    writing::settle,
};
use crate::check::check_on;

pub(super) const STEPS: &[(&str, Step)] = &[
    ("hostile texts are no panic and balance", texts),
    ("unknown columns are problems", unknown_columns),
    ("column names of any shape are no panic", strange_columns),
];

fn texts(bench: &Bench<'_>) -> Result<(), Stop> {
    let texts = hostile_texts();
    for (column, name) in bench.case.column_names().iter().enumerate() {
        let batch = |only: Option<usize>| {
            let rows = only.map_or(0..texts.len(), |i| i..i + 1);
            bench
                .case
                .batch_with(rows, |c, row, good| Some(if c == column { texts[row].1.clone() } else { good }))
        };
        let all = settle(bench, &bench.host(), &[batch(None)], &format!("all hostile texts in `{name}`"));
        if let Err(together) = all {
            // Which of them? One at a time says it best.
            for (i, (what, _)) in texts.iter().enumerate() {
                settle(bench, &bench.host(), &[batch(Some(i))], &format!("{what} in `{name}`"))?;
            }
            Err(together)?;
        }
    }
    Ok(())
}

fn unknown_columns(bench: &Bench<'_>) -> Result<(), Stop> {
    let stranger = "no such column";
    let mut columns = bench.case.column_names();
    columns.push(stranger);
    let found = check_on(
        &bench.host(),
        bench.module,
        bench.case.role,
        &bench.case.component,
        &bench.options(),
        &columns,
    );
    let found = need(found, "check")?;
    let known = bench.component.as_ref().is_some_and(|c| c.open || c.columns.iter().any(|c| c.name == "*"));
    let said = found.iter().filter(|p| !p.warning);
    let said: Vec<_> =
        said.filter(|p| p.pointer.contains(stranger) || p.message.contains(stranger)).collect();
    if !known && said.is_empty() {
        Err(format!("the column `{stranger}` is neither in the description nor a problem"))?;
    }
    if let Some(problem) = said.iter().find(|p| p.pointer != format!("/fields/{stranger}")) {
        Err(format!(
            "the column `{stranger}` is a problem at `{}`, not at `/fields/{stranger}`",
            problem.pointer
        ))?;
    }
    Ok(())
}

fn strange_columns(bench: &Bench<'_>) -> Result<(), Stop> {
    let long = "x".repeat(10_000);
    let good = bench.case.column_names();
    let mut lists: Vec<Vec<&str>> =
        vec![vec![], vec![""], vec![&long], vec!["*"], vec!["a/b~c"], vec!["\u{0}\n\"é\u{1f98a}"]];
    if let Some(first) = good.first() {
        lists.push(vec![first, first]);
        lists.push(vec![first]);
    }
    let patterns: Vec<String> = bench
        .component
        .iter()
        .flat_map(|c| &c.columns)
        .filter_map(|c| Some(c.name.strip_suffix('*')?.to_owned()))
        .collect();
    lists.extend(patterns.iter().map(|prefix| vec![prefix.as_str()]));
    for columns in lists {
        let what = format!("columns {}", super::super::bench::shorten(&format!("{columns:?}"), 80));
        let found = check_on(
            &bench.host(),
            bench.module,
            bench.case.role,
            &bench.case.component,
            &bench.options(),
            &columns,
        );
        survive(found, &what)?;
    }
    Ok(())
}
