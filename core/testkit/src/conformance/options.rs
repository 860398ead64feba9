//! Checks of how a component takes its options.

use serde_json::{Value, json};
use usher_abi::Problem;

use super::{
    bench::{Bench, Step, need, show, survive},
    outcome::{Stop, skip},
};
use crate::check::check_on;

pub(super) const STEPS: &[(&str, Step)] = &[
    ("good options are taken", good),
    ("bad options are refused, with a pointer", bad),
    ("an unknown option is refused", unknown),
    ("options of any shape are no panic", any_shape),
];

fn problems(bench: &Bench<'_>, options: &str) -> Result<Vec<Problem>, usher_abi::Error> {
    let columns = bench.case.column_names();
    check_on(&bench.host(), bench.module, bench.case.role, &bench.case.component, options, &columns)
}

fn good(bench: &Bench<'_>) -> Result<(), Stop> {
    let found = need(problems(bench, &bench.options()), "check")?;
    match found.iter().find(|p| !p.warning) {
        Some(problem) => Err(format!("{}: {} ({})", problem.pointer, problem.message, problem.code))?,
        None => Ok(()),
    }
}

fn bad(bench: &Bench<'_>) -> Result<(), Stop> {
    if bench.case.refused.is_empty() {
        return skip("the case gives no options to be refused");
    }
    for (options, pointer) in &bench.case.refused {
        let found = problems(bench, &options.to_string()).map_err(|e| format!("{options}: {}", show(&e)))?;
        let grave: Vec<&Problem> = found.iter().filter(|p| !p.warning).collect();
        if grave.is_empty() {
            Err(format!("{options} is taken"))?;
        }
        if grave.iter().any(|p| p.code.is_empty() || p.message.is_empty()) {
            Err(format!("{options}: a problem without a code or a message"))?;
        }
        if !pointer.is_empty() && !grave.iter().any(|p| p.pointer == *pointer) {
            let pointers: Vec<&str> = grave.iter().map(|p| p.pointer.as_str()).collect();
            Err(format!("{options} is refused at {pointers:?}, not at `{pointer}`"))?;
        }
    }
    Ok(())
}

fn unknown(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut options = bench.case.options.clone();
    let Some(map) = options.as_object_mut() else { return skip("the case's options are no object") };
    map.insert("no_such_option".to_owned(), json!(1));
    let found = problems(bench, &options.to_string()).map_err(|e| show(&e))?;
    if found.iter().all(|p| p.warning) {
        Err(format!("{options} is taken; derive the options with `deny_unknown_fields`"))?;
    }
    Ok(())
}

fn any_shape(bench: &Bench<'_>) -> Result<(), Stop> {
    let fixed = ["", "{", "null", "[]", "0", "\"x\"", "true", "{\"\":{}}", "{} {}", "\u{0}"];
    for text in fixed {
        survive(problems(bench, text), &format!("options `{}`", text.escape_debug()))?;
    }
    let known = bench.component.iter().filter_map(|c| c.options.get("properties")?.as_object());
    for option in known.flat_map(|properties| properties.keys()) {
        for value in [
            Value::Null,
            json!(""),
            json!(-1),
            json!(1e300),
            json!([]),
            json!({}),
            json!([[{}]]),
            json!("\u{0}é"),
        ] {
            let mut options = bench.case.options.clone();
            if let Some(map) = options.as_object_mut() {
                map.insert(option.clone(), value);
            }
            survive(problems(bench, &options.to_string()), &format!("options {options}"))?;
        }
    }
    Ok(())
}
