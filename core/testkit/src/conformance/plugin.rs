//! Checks of the plugin as a whole.

use std::collections::HashSet;

use usher_abi::{Component, Kind, RStr, Role};

use super::{
    Case, Extent, Suite,
    bench::{need, survive},
    case::title,
    outcome::{Stop, skip},
    schema,
};
use crate::{MemoryHost, check::try_description};

/// A check of the plugin as a whole.
pub(super) type Step = fn(&Suite<'_>) -> Result<(), Stop>;

pub(super) const STEPS: &[(&str, Step)] = &[
    ("describes itself", describes_itself),
    ("the schemas of its options are valid", schemas),
    ("describes itself alike every time", alike),
    ("columns and attributes are documented, their names unique", documented),
    ("every component has a case", cases),
    ("components that do not exist are refused", strangers),
];

fn describes_itself(suite: &Suite<'_>) -> Result<(), Stop> {
    let description = need(try_description(suite.module), "describe")?;
    let name_is_good = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if !name_is_good(&description.name) {
        Err(format!("the name `{}` is not of lower-case letters, digits and `-`", description.name))?;
    }
    if description.summary.is_empty() || description.version.is_empty() {
        Err("summary or version is empty".to_owned())?;
    }
    if description.components.is_empty() {
        Err("it offers nothing".to_owned())?;
    }
    let mut names = HashSet::new();
    for component in &description.components {
        let name = &component.name;
        if !name_is_good(name) {
            Err(format!("the component name `{name}` is not of lower-case letters, digits and `-`"))?;
        }
        if !names.insert((component.role, name)) {
            Err(format!("two components of one role are named `{name}`"))?;
        }
        if component.summary.is_empty() {
            Err(format!("`{name}` has no summary"))?;
        }
        if component.options.get("type").and_then(|t| t.as_str()) != Some("object") {
            Err(format!("the option schema of `{name}` is not one of an object"))?;
        }
    }
    Ok(())
}

fn schemas(suite: &Suite<'_>) -> Result<(), Stop> {
    for component in need(try_description(suite.module), "describe")?.components {
        schema::check(&component.options)
            .map_err(|e| format!("the option schema of `{}`: {e}", component.name))?;
    }
    Ok(())
}

fn alike(suite: &Suite<'_>) -> Result<(), Stop> {
    let module = suite.module;
    let first = need(module.describe()().into_result(), "describe")?;
    for _ in 0..3 {
        let again = need(module.describe()().into_result(), "describe")?;
        super::bench::same(&first, &again, "another call of `describe`")?;
    }
    Ok(())
}

fn documented(suite: &Suite<'_>) -> Result<(), Stop> {
    for component in need(try_description(suite.module), "describe")?.components {
        unique(&component)?;
        let Component { name, columns, attributes, options, limits, rate_limits, role, .. } = &component;
        for column in columns {
            if column.summary.is_empty() || column.source.is_empty() {
                Err(format!("column `{}` of `{name}` has no summary or no source", column.name))?;
            }
            if column.name.find('*').is_some_and(|at| at + 1 != column.name.len()) {
                Err(format!("column `{}` of `{name}` has a `*` that is not at its end", column.name))?;
            }
        }
        for limit in limits {
            if limit.source.is_empty() {
                Err(format!("limit `{}` of `{name}` has no source", limit.of))?;
            }
        }
        for (i, limit) in rate_limits.iter().enumerate() {
            if limit.source.is_empty() || limit.requests == 0 || limit.per_seconds == 0 {
                Err(format!("rate limit `{}` of `{name}` has a number that is 0, or no source", limit.name))?;
            }
            if limit.name.is_empty() || rate_limits[..i].iter().any(|other| other.name == limit.name) {
                Err(format!("`{name}` names the rate limit `{}` twice, or not at all", limit.name))?;
            }
        }
        if *role != Role::Sink && !columns.is_empty() || *role != Role::Source && !attributes.is_empty() {
            Err(format!("`{name}` describes columns or attributes that its role does not have"))?;
        }
        if let Some(properties) = options.get("properties").and_then(|p| p.as_object()) {
            for (option, schema) in properties {
                if schema.get("description").and_then(|d| d.as_str()).is_none_or(str::is_empty) {
                    Err(format!("option `{option}` of `{name}` has no description"))?;
                }
            }
        }
        suspends(&component)?;
    }
    Ok(())
}

/// What suspends people must be made of columns and options that there are.
fn suspends(component: &Component) -> Result<(), String> {
    let Some(how) = &component.suspend else { return Ok(()) };
    if component.role != Role::Sink {
        return Err(format!("`{}` suspends people and is no sink", component.name));
    }
    let option =
        |name: &String| component.options.pointer("/properties").is_some_and(|all| all.get(name).is_some());
    let column = |name: &str| component.columns.iter().any(|column| column.name == name);
    let options = how.keep.iter().chain(how.options.keys()).filter(|name| !option(name)).map(String::as_str);
    let columns = how.columns().map(|(name, _)| name).filter(|name| !column(name));
    match options.chain(columns).next() {
        Some(strange) => Err(format!(
            "`{}` suspends people with `{strange}`, which is no column or option of it",
            component.name
        )),
        None if how.columns.is_empty() || how.absent.is_empty() => Err(format!(
            "`{}` does not say how people are suspended, or how those are told who are not there",
            component.name
        )),
        None => Ok(()),
    }
}

fn unique(component: &Component) -> Result<(), String> {
    let mut seen = HashSet::new();
    let columns = component.columns.iter().flat_map(|c| std::iter::once(&c.name).chain(&c.aliases));
    for name in columns.chain(component.attributes.iter().map(|a| &a.path)) {
        if name.is_empty() || !seen.insert(name) {
            return Err(format!("`{}` names `{name}` twice, or not at all", component.name));
        }
    }
    Ok(())
}

fn cases(suite: &Suite<'_>) -> Result<(), Stop> {
    let components = need(try_description(suite.module), "describe")?.components;
    let mut missing = Vec::new();
    for component in &components {
        if !suite.cases.iter().any(|c| c.role == component.role && c.component == component.name) {
            let why = Case::guess(component).err().unwrap_or_else(|| "write one".to_owned());
            missing.push(format!("no case for the {}: {why}", title(component.role, &component.name)));
        }
    }
    match (missing.is_empty(), suite.extent) {
        (true, _) => {}
        (false, Extent::Quick) => return skip(&missing.join("\n")),
        (false, _) => Err(missing.join("\n"))?,
    }
    for case in suite.cases {
        if !components.iter().any(|c| case.role == c.role && case.component == c.name) {
            Err(format!("the plugin offers no {}", case.title()))?;
        }
    }
    Ok(())
}

fn strangers(suite: &Suite<'_>) -> Result<(), Stop> {
    let services = MemoryHost::new().services();
    for kind in [Kind::SOURCE, Kind::TRANSFORM, Kind::SINK, Kind(0), Kind(99), Kind(u32::MAX)] {
        let what = format!("opening `no-such-component` as {kind:?}");
        let opened =
            suite.module.open()(kind, RStr::from("no-such-component"), RStr::from("{}"), services.table());
        if survive(opened.into_result(), &what)?.is_some() {
            Err(format!("{what} succeeded"))?;
        }
    }
    Ok(())
}
