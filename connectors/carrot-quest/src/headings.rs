//! The names of columns: cleaned of what nobody sees, and held against what `$` is reserved for.

use std::borrow::Cow;

use usher_sdk::{
    abi::{Problem, nearest},
    checks::{Verdict, clean_key, shown},
    field_pointer,
    options::{problem, warning},
};

use crate::{
    columns::{COLUMNS, READ_ONLY},
    limits,
    options::{Options, UnknownSystemColumns},
};

/// A column's name as the file has it: no white space around it, no invisible characters (IMPORT).
pub(crate) fn heading(name: &str) -> Cow<'_, str> {
    let mut cleaned = String::new();
    match clean_key(name, &mut cleaned) {
        Verdict::Changed(_) => cleaned.into(),
        Verdict::Keep | Verdict::Bad(_) => name.into(),
    }
}

/// What is wrong with the columns that are going to come.
pub(crate) fn check(columns: &[String], options: &Options) -> Vec<Problem> {
    let mut problems = Vec::new();
    let headings: Vec<Cow<'_, str>> = columns.iter().map(|name| heading(name)).collect();
    for (i, (name, heading)) in columns.iter().zip(&headings).enumerate() {
        let pointer = field_pointer(name);
        if heading.is_empty() {
            problems.push(problem(
                pointer,
                "column.empty",
                "a column without a name; give it one, or leave it out",
            ));
            continue;
        }
        if heading != name {
            let message =
                format!("{} is delivered as `{heading}`: invisible characters are removed", shown(name));
            problems.push(warning(&pointer, "column.cleaned", message));
        }
        if let Some(other) = headings[..i].iter().position(|other| other == heading) {
            let message = format!(
                "{} and {} are the same column; keep one of them",
                shown(name),
                shown(&columns[other])
            );
            problems.push(problem(&pointer, "column.twice", message));
        }
        problems.extend(reserved(heading, pointer, options.unknown_system_columns));
    }
    let key = options.merge_field.column();
    if !headings.iter().any(|heading| heading == key) {
        let message =
            format!("the key `{key}` is not among the columns; give it in `fields`, or set `merge_field`");
        problems.push(problem(field_pointer(key), "column.missing", message));
    }
    if columns.len() > limits::COLUMNS {
        let message = format!(
            "{} columns: a person's properties are set at most {} at a time by the API, and of files nothing is said",
            columns.len(),
            limits::COLUMNS
        );
        problems.push(warning("/fields", "column.many", message));
    }
    problems
}

/// `$` belongs to Carrot quest's own properties (USER, FLUTTER, HELP-EN).
fn reserved(heading: &str, pointer: String, unknown: UnknownSystemColumns) -> Option<Problem> {
    let known = |name: &str| COLUMNS.iter().any(|rule| rule.name == name && name != "*");
    if !heading.starts_with('$') {
        let system = format!("${heading}");
        let message =
            format!("`{heading}` becomes a property of your own; Carrot quest's is called `{system}`");
        return known(&system).then(|| warning(pointer, "column.not-system", message));
    }
    if known(heading) {
        return None;
    }
    let read_only = READ_ONLY.iter().any(|name| match name.strip_suffix('*') {
        Some(prefix) => heading.starts_with(prefix),
        None => heading == *name,
    });
    let (code, message, hint) = if read_only {
        ("column.read-only", format!("Carrot quest fills `{heading}` by itself"), String::new())
    } else {
        let spellings = COLUMNS.iter().map(|rule| rule.name).filter(|name| *name != "*");
        let hint = nearest(heading, spellings).to_string();
        ("column.unknown", format!("`{heading}` is no property that Carrot quest is known to have"), hint)
    };
    Some(match unknown {
        UnknownSystemColumns::Refuse => {
            let rest = "; `unknown_system_columns = \"allow\"` lets it pass, and names of your own begin without `$`";
            problem(pointer, code, message + rest + &hint)
        }
        UnknownSystemColumns::Allow => warning(pointer, code, message + &hint),
    })
}
