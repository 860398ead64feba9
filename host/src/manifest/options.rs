//! A connector's options against what its component says of them.

use serde_json::Value;
use usher_abi::{Component, Consent, nearest};

use super::{
    diagnostic::{Diagnostic, Severity},
    manifest::Manifest,
    model::Connector,
    place::KeyPath,
    schema::{Broken, schema_check},
    written_secrets::secret_pointers,
};

const CONSENT: &str = "write a condition, `consent = \"consent\"`, or why none is needed, \
                       `consent = { not_needed = \"they are our own staff\" }`";

/// Checks the options of a connector against its component; problems stand in the order of the text.
pub fn check_options(manifest: &Manifest, connector: &Connector, component: &Component) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    check(manifest, connector, component, &mut found);
    found.sort_by_key(|problem| problem.location.map(|location| location.span.start));
    found
}

/// The strings in a connector's options that its component marks as secret, whether written in the manifest or
/// resolved: what [`Manifest::secrets`] should hold before anything is shown.
pub fn written_secrets(connector: &Connector, component: &Component) -> Vec<String> {
    let pointers = secret_pointers(&component.options, &connector.options);
    let secret = |pointer: &String| connector.options.pointer(pointer)?.as_str().map(str::to_owned);
    pointers.iter().filter_map(secret).collect()
}

/// The options of a connector that a component does not have, as JSON pointers.
pub fn unknown_options(connector: &Connector, component: &Component) -> Vec<String> {
    let problems = schema_check(&component.options, &connector.options).into_iter();
    let unknown =
        problems.filter(|problem| problem.kind == Broken::UnknownKey).map(|problem| problem.pointer);
    // The host's own, wherever it is asked for.
    unknown.filter(|pointer| component.consent == Consent::None || pointer != "/consent").collect()
}

fn check(manifest: &Manifest, connector: &Connector, component: &Component, found: &mut Vec<Diagnostic>) {
    let path = KeyPath::from(["connectors", connector.name.as_str(), "options"]);
    let mut options = connector.options.clone();
    if component.consent != Consent::None {
        // The host evaluates it, so the host says what it may be, whatever the plugin's schema says.
        let consent = options.as_object_mut().and_then(|options| options.shift_remove("consent"));
        let known = component.options.get("properties").and_then(Value::as_object);
        let misspelt = options.as_object().into_iter().flat_map(|options| options.keys()).any(|key| {
            !known.is_some_and(|known| known.contains_key(key)) && nearest(key, ["consent"]).name().is_some()
        });
        if consent.is_some() || !misspelt {
            check_consent(manifest, connector, component, consent.as_ref(), found);
        }
    }
    for problem in schema_check(&component.options, &options) {
        if component.consent != Consent::None && problem.pointer == "/consent" {
            continue;
        }
        let at = path.pointer(&problem.pointer);
        let message = manifest.redact(&problem.message);
        let mut diagnostic = match problem.kind {
            Broken::UnknownKey => manifest.source.at_key(Severity::Error, &at, message),
            _ => manifest.source.at_value(Severity::Error, &at, message),
        };
        diagnostic.help = match options.pointer(&problem.pointer) {
            Some(value @ (Value::Number(_) | Value::Bool(_)))
                if diagnostic.from_flag && problem.help.is_some() =>
            {
                Some(format!("for a string write `--set '{at}=\"{value}\"'`"))
            }
            _ => problem.help.map(|help| manifest.redact(&help)),
        };
        found.push(diagnostic);
    }
}

fn check_consent(
    manifest: &Manifest,
    connector: &Connector,
    component: &Component,
    consent: Option<&Value>,
    found: &mut Vec<Diagnostic>,
) {
    let path = &KeyPath::from(["connectors", connector.name.as_str(), "options", "consent"]);
    let mut push = |path: &KeyPath, message: &str| found.push(manifest.error(path, message).help(CONSENT));
    match consent {
        None if component.consent == Consent::Required => {
            push(path, &format!("missing: `{}` must know who agreed to be written to", connector.plugin));
        }
        None => {}
        Some(Value::String(text)) if text.trim().is_empty() => push(path, "empty"),
        Some(Value::String(_)) => {}
        Some(Value::Object(object)) => {
            for key in object.keys().filter(|key| *key != "not_needed") {
                let near = nearest(key, ["not_needed"]);
                let problem =
                    manifest.source.at_key(Severity::Error, &path.child(key), format!("unknown key{near}"));
                found.push(problem.help(CONSENT));
            }
            let reason = path.child("not_needed");
            match object.get("not_needed") {
                Some(Value::String(text)) if !text.trim().is_empty() => {}
                Some(Value::String(_)) => found.push(manifest.error(&reason, "empty: say why").help(CONSENT)),
                Some(_) => {
                    found.push(manifest.error(&reason, "expected the reason as a string").help(CONSENT))
                }
                None if object.is_empty() => found.push(manifest.error(&reason, "missing").help(CONSENT)),
                None => {}
            }
        }
        Some(_) => push(path, "expected a condition or a reason why none is needed"),
    }
}
