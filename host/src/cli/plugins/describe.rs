//! `usher plugins describe`

use std::fmt::Write as _;

use usher_abi::Component;

use super::{Global, code, refuse, registry, role};
use crate::cli::session::print_json;
use crate::plugins::{choices, plain};
use crate::report::{print, table};

pub(super) fn execute(global: &Global, plugin: &str) -> u8 {
    let loaded = registry(global, Some(plugin)).map(|registry| registry.look_at(plugin, &[]));
    let loaded = match loaded {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(message)) if global.verbose => return refuse(global, message),
        Ok(Err(message)) => return refuse(global, message.lines().next().unwrap_or_default()),
        Err(exit) => return exit,
    };
    if global.json {
        print_json(&loaded.description);
        return code::DONE;
    }
    let description = &loaded.description;
    let mut text = format!("{} {}: {}\n", description.name, description.version, description.summary);
    description.components.iter().for_each(|component| describe(component, &mut text));
    print(&text);
    code::DONE
}

fn describe(component: &Component, text: &mut String) {
    let _ = writeln!(text, "\n{} {}: {}", role(component.role), component.name, component.summary);
    let properties = component.options.get("properties").and_then(|p| p.as_object());
    if let Some(properties) = properties.filter(|p| !p.is_empty()) {
        let rows = properties.iter().map(|(name, schema)| {
            let of = |key: &str| schema.get(key).filter(|v| !v.is_null());
            let default = of("default").map(plain).unwrap_or_default();
            let values = choices(&component.options, schema).join(" | ");
            let about = of("description").and_then(|d| d.as_str()).unwrap_or_default().replace('\n', " ");
            vec![name.clone(), default, values, about]
        });
        text.push_str(&table(&["option", "default", "values", "meaning"], rows, &[]));
    }
    if !component.attributes.is_empty() {
        let rows = component.attributes.iter().map(|a| {
            vec![
                a.path.clone(),
                a.kind.name().to_owned(),
                a.claim.clone().unwrap_or_default(),
                a.summary.clone(),
            ]
        });
        text.push_str(&table(&["attribute", "type", "claim", "meaning"], rows, &[]));
    }
    if !component.columns.is_empty() {
        let rows = component.columns.iter().map(|c| {
            let limit = c.max_chars.map(|m| m.to_string()).unwrap_or_default();
            let default = c.default.clone().unwrap_or_default();
            vec![
                c.name.clone(),
                c.kind.name().to_owned(),
                limit,
                default,
                c.summary.clone(),
                c.source.clone(),
            ]
        });
        text.push_str(&table(&["column", "type", "longest", "default", "rule", "source"], rows, &[2]));
    }
    if !component.limits.is_empty() {
        let rows = component
            .limits
            .iter()
            .map(|l| vec![l.of.clone(), l.max.to_string(), l.deliver.clone(), l.source.clone()]);
        text.push_str(&table(&["limit of", "at most", "form", "source"], rows, &[1]));
    }
    if !component.rate_limits.is_empty() {
        let rows = component.rate_limits.iter().map(|l| {
            vec![l.name.clone(), l.requests.to_string(), l.per_seconds.to_string(), l.source.clone()]
        });
        text.push_str(&table(&["rate limit", "requests", "in seconds", "source"], rows, &[1, 2]));
    }
    if let Some(suspend) = &component.suspend {
        let form = match suspend.deliver.as_str() {
            "" => String::new(),
            form => format!(", with `deliver = \"{form}\"`"),
        };
        let _ =
            writeln!(text, "suspends people (`on_missing = \"suspend\"`), found by `{}`{form}", suspend.key);
    }
}
