//! `usher plugins`

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::{Value, json};
use usher_abi::{Component, Role};

use super::{
    Global,
    session::{code, print_json},
};
use crate::report::{print, tell};
use crate::{
    manifest::{Manifest, Overrides},
    plugins::{Registry, SearchPath},
    report::table,
};

/// Look at plugins
#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// List the plugins found; runs none of their code
    List,
    /// Show what a plugin says of itself: options, columns, limits
    Show {
        /// Its name, or the path of its file
        plugin: String,
    },
}

/// The search path, with the manifest's folders if there is a manifest.
pub(super) fn search_path(global: &Global) -> (SearchPath, std::path::PathBuf) {
    let manifest = Manifest::load(&global.manifest, &Overrides::default()).ok();
    let folder = global
        .manifest
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .map_or_else(|| ".".into(), ToOwned::to_owned);
    let plugins = manifest.map(|m| m.plugins).unwrap_or_default();
    (SearchPath::new(&global.plugin_dir, Some(&folder), &plugins), folder)
}

impl Plugins {
    pub(super) fn execute(self, global: &Global) -> u8 {
        match self {
            Self::List => list(global),
            Self::Show { plugin } => show(global, &plugin),
        }
    }
}

fn list(global: &Global) -> u8 {
    let (search, _) = search_path(global);
    let (found, refused) = search.all();
    if global.json {
        let found: Vec<_> = found
            .iter()
            .map(|c| {
                let components: Vec<_> = c.preamble.components.iter().map(|o| json!({"role": o.role, "name": o.name})).collect();
                json!({
                    "name": c.preamble.name, "version": c.preamble.version, "abi": c.preamble.abi, "sdk": c.preamble.sdk,
                    "rustc": c.preamble.rustc, "target": c.preamble.target, "components": components,
                    "hosts": c.preamble.hosts, "path": c.path,
                })
            })
            .collect();
        let refused: Vec<_> = refused.iter().map(|r| json!({"path": r.path, "reason": r.reason})).collect();
        print_json(&json!({ "plugins": found, "refused": refused, "folders": search.folders() }));
        return code::DONE;
    }
    let rows = found.iter().map(|c| {
        let offers: Vec<String> =
            c.preamble.components.iter().map(|o| format!("{} {}", role(o.role), o.name)).collect();
        vec![
            c.preamble.name.clone(),
            c.preamble.version.clone(),
            offers.join(", "),
            c.path.display().to_string(),
        ]
    });
    print(&table(&["plugin", "version", "offers", "file"], rows, &[]));
    for refusal in &refused {
        tell!("refused: {refusal}");
    }
    if found.is_empty() {
        let folders: Vec<String> = search.folders().iter().map(|f| f.display().to_string()).collect();
        tell!("no plugin found; looked in {}", folders.join(", "));
    }
    code::DONE
}

fn show(global: &Global, plugin: &str) -> u8 {
    let (search, folder) = search_path(global);
    // A path on the command line starts where the user stands, not where the manifest is.
    let base = if plugin.contains('/') { std::path::PathBuf::from(".") } else { folder };
    let loaded = match Registry::new(search, &base).get(plugin) {
        Ok(loaded) => loaded,
        Err(message) => {
            let message =
                if global.verbose { message } else { message.lines().next().unwrap_or_default().to_owned() };
            tell!("error: {message}");
            return code::FAILED;
        }
    };
    if global.json {
        print_json(&loaded.description);
        return code::DONE;
    }
    let preamble = &loaded.preamble;
    let mut text = format!("{} {}: {}\n", preamble.name, preamble.version, loaded.description.summary);
    let _ = writeln!(text, "file    {}", loaded.path.display());
    let _ = writeln!(
        text,
        "built   sdk {}, ABI {}.{}, {}, {}",
        preamble.sdk, preamble.abi[0], preamble.abi[1], preamble.rustc, preamble.target
    );
    if !preamble.hosts.is_empty() {
        let _ = writeln!(text, "wants   network: {}", preamble.hosts.join(", "));
    }
    loaded.description.components.iter().for_each(|component| describe(component, &mut text));
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
}

/// A default as the manifest would say it, without the quotes of a string; empty lists and tables are not worth a word.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Object(entries) if entries.is_empty() => String::new(),
        other => other.to_string(),
    }
}

/// The values that a schema allows, where they can be counted.
fn choices(root: &Value, schema: &Value) -> Vec<String> {
    let target = |reference: &str| root.pointer(reference.strip_prefix('#')?);
    if let Some(schema) = schema.get("$ref").and_then(Value::as_str).and_then(target) {
        return choices(root, schema);
    }
    if let Some(value) = schema.get("const") {
        return vec![plain(value)];
    }
    let lists =
        ["enum", "oneOf", "anyOf"].iter().filter_map(|key| Some((*key, schema.get(*key)?.as_array()?)));
    lists
        .flat_map(|(key, items)| items.iter().map(move |item| (key, item)))
        .flat_map(|(key, item)| match (key, item) {
            ("enum", Value::Null) => Vec::new(),
            ("enum", value) => vec![plain(value)],
            (_, schema) => choices(root, schema),
        })
        .collect()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::Transform => "transform",
        Role::Sink => "sink",
    }
}
